//! What `git diff` prints, as line numbers: bytes in, for each path the lines that are new or changed.
//!
//! | line | meaning |
//! |---|---|
//! | `diff --git a/OLD b/NEW` | begins a file |
//! | `rename to NEW`, `new mode 100755`, `index …`, … | what happened to it, without prefixes |
//! | `--- a/OLD`, `+++ b/NEW` | only where lines differ; `/dev/null` for a file that is not there |
//! | `@@ -OLD[,COUNT] +NEW[,COUNT] @@ …` | a hunk: the count is 1 where it is left out |
//! | `-…`, `+…`, ` …`, `\ …` | the hunk's lines: removed, added, the same, a remark about the line before |
//! | `Binary files a/OLD and b/NEW differ` | instead of hunks |
//!
//! So `@@ -7,2 +7,3 @@` and five lines below it say that the lines 7 to 9 are new. How many lines belong to a hunk is counted, so
//! that a removed line `-- a/x`, which stands there as `--- a/x`, begins no file.
//!
//! A name in quotes is written as in C. A name with blanks in it has a tab behind it on the `---` and `+++` lines. As in the format
//! layer, no bytes make this panic, run for ever or allocate more than a small multiple of the input.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::as_conversions
    )
)]

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

/// A file that is there after the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path, without git's prefix. Bytes, as git takes it.
    pub path: Vec<u8>,
    /// What is known of its content.
    pub change: Change,
}

/// What a diff says of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The lines that were added or changed: from 1, ascending, apart from each other. None where lines were only removed, or where
    /// the file was only renamed.
    Lines(Vec<RangeInclusive<u32>>),
    /// git takes the file for binary, so nobody knows the lines.
    Binary,
}

/// Why something is no diff that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffError {
    /// The line of the diff, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: DiffErrorKind,
}

/// What is wrong with a line of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffErrorKind {
    /// It compares with several parents at once, as `git diff --cc` does.
    Combined,
    /// It belongs to no file.
    Stray,
    /// A path is not written as git writes it with the prefixes `a/` and `b/`.
    Path,
    /// The head of a hunk.
    Hunk,
    /// The lines of a hunk are not those that its head promises.
    HunkBody,
}

impl fmt::Display for DiffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            DiffErrorKind::Combined => "a diff with several parents, which has no one set of new lines",
            DiffErrorKind::Stray => "expected `diff --git`",
            DiffErrorKind::Path => "expected paths with the prefixes `a/` and `b/`",
            DiffErrorKind::Hunk => "expected `@@ -LINE,COUNT +LINE,COUNT @@` behind the names of the file",
            DiffErrorKind::HunkBody => "a hunk has other lines than its head says",
        };
        write!(f, "line {} of the diff: {what}", self.line)
    }
}

impl std::error::Error for DiffError {}

/// The files that a diff changes, in its order. Those that it removes are left out.
///
/// # Errors
/// Anything that `git diff --src-prefix=a/ --dst-prefix=b/` does not print for two trees, or a tree and the files on disk.
pub fn parse(diff: &[u8]) -> Result<Vec<ChangedFile>, DiffError> {
    let mut files = Vec::new();
    let mut file: Option<Entry<'_>> = None;
    let mut lines = Lines { rest: diff, number: 0 };
    while let Some(line) = lines.next() {
        let error = |kind| DiffError { line: lines.number, kind };
        if let Some(names) = line.strip_prefix(b"diff --git ") {
            if let Some(file) = file.take() {
                files.extend(file.finish()?);
            }
            file = Some(Entry { names, number: lines.number, ..Entry::EMPTY });
        } else if line.starts_with(b"diff --cc ")
            || line.starts_with(b"diff --combined ")
            || line.starts_with(b"@@@")
        {
            return Err(error(DiffErrorKind::Combined));
        } else if line.starts_with(b"* Unmerged path ") {
            // In the middle of a merge; what is on disk is compared all the same, in an entry of its own.
        } else if let Some(file) = &mut file {
            file.line(line, &mut lines)?;
        } else if !line.is_empty() {
            return Err(error(DiffErrorKind::Stray));
        }
    }
    if let Some(file) = file {
        files.extend(file.finish()?);
    }
    Ok(files)
}

/// A file while its lines are read.
struct Entry<'a> {
    /// What stands behind `diff --git `.
    names: &'a [u8],
    /// The number of that line.
    number: usize,
    state: State,
    /// What `rename to`, `copy to` or `+++` says.
    path: Option<Vec<u8>>,
    added: Vec<RangeInclusive<u32>>,
    /// The last line of the file that a hunk has shown.
    last: u32,
}

/// Which part of a file's entry was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The lines above `---`.
    Head,
    /// `---`.
    Old,
    /// `+++`: hunks may follow.
    Hunks,
    /// The file is not there any more.
    Removed,
    /// `Binary files … differ`.
    Binary,
}

impl Entry<'_> {
    const EMPTY: Entry<'static> =
        Entry { names: b"", number: 0, state: State::Head, path: None, added: Vec::new(), last: 0 };

    fn line(&mut self, line: &[u8], lines: &mut Lines<'_>) -> Result<(), DiffError> {
        let number = lines.number;
        let error = |kind| DiffError { line: number, kind };
        if line.starts_with(b"@@ ") {
            if !matches!(self.state, State::Hunks | State::Removed) {
                return Err(error(DiffErrorKind::Hunk));
            }
            let hunk = Hunk::parse(line).ok_or_else(|| error(DiffErrorKind::Hunk))?;
            return self.hunk(hunk, lines);
        }
        match self.state {
            State::Head => {
                if line.starts_with(b"--- ") {
                    self.state = State::Old;
                } else if line.starts_with(b"deleted file mode ") {
                    self.state = State::Removed;
                } else if line.starts_with(b"Binary files ") || line == b"GIT binary patch" {
                    self.state = State::Binary;
                } else if let Some(name) =
                    line.strip_prefix(b"rename to ").or_else(|| line.strip_prefix(b"copy to "))
                {
                    let name = unquote(name).filter(|name| !name.is_empty());
                    self.path = Some(name.ok_or_else(|| error(DiffErrorKind::Path))?.into_owned());
                }
                // Other lines of the head say nothing about lines, and git may come to write more of them.
            }
            State::Old => {
                let name = line.strip_prefix(b"+++ ").ok_or_else(|| error(DiffErrorKind::Path))?;
                let name = name.strip_suffix(b"\t").unwrap_or(name);
                if name == b"/dev/null" {
                    self.state = State::Removed;
                } else {
                    let name = unquote(name).ok_or_else(|| error(DiffErrorKind::Path))?;
                    let path = name.strip_prefix(b"b/").filter(|path| !path.is_empty());
                    self.path = Some(path.ok_or_else(|| error(DiffErrorKind::Path))?.to_vec());
                    self.state = State::Hunks;
                }
            }
            State::Hunks => {
                // What is said of the last line of a hunk stands behind it.
                if !line.starts_with(b"\\") && !line.is_empty() {
                    return Err(error(DiffErrorKind::HunkBody));
                }
            }
            State::Removed | State::Binary => {}
        }
        Ok(())
    }

    fn hunk(&mut self, hunk: Hunk, lines: &mut Lines<'_>) -> Result<(), DiffError> {
        let Hunk { mut old, mut line, mut new } = hunk;
        // Hunks ascend. Where there are only removed lines, the number is that of the line before.
        let first = if new == 0 { line.saturating_add(1) } else { line };
        if first <= self.last {
            return Err(DiffError { line: lines.number, kind: DiffErrorKind::Hunk });
        }
        while old > 0 || new > 0 {
            let text = lines.next();
            let error = DiffError { line: lines.number, kind: DiffErrorKind::HunkBody };
            let (is_old, is_new) = match text.map(|text| text.first().copied()) {
                Some(Some(b'-')) => (true, false),
                Some(Some(b'+')) => (false, true),
                // A blank line that is the same may have lost its blank.
                Some(Some(b' ') | None) => (true, true),
                Some(Some(b'\\')) => (false, false),
                Some(Some(_)) | None => return Err(error),
            };
            if is_old {
                old = old.checked_sub(1).ok_or_else(|| error.clone())?;
            }
            if is_new {
                new = new.checked_sub(1).ok_or_else(|| error.clone())?;
                if !is_old {
                    self.add(line);
                }
                self.last = line;
                line = line.checked_add(1).ok_or(error)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, line: u32) {
        match self.added.last_mut() {
            Some(range) if range.end().checked_add(1) == Some(line) => *range = *range.start()..=line,
            _ => self.added.push(line..=line),
        }
    }

    /// The file, if it is still there.
    fn finish(self) -> Result<Option<ChangedFile>, DiffError> {
        let error = DiffError { line: self.number, kind: DiffErrorKind::Path };
        let change = match self.state {
            State::Removed => return Ok(None),
            State::Old => return Err(error),
            State::Binary => Change::Binary,
            State::Head | State::Hunks => Change::Lines(self.added),
        };
        let path = self.path.or_else(|| path_of_header(self.names)).ok_or(error)?;
        Ok(Some(ChangedFile { path, change }))
    }
}

/// The head of a hunk.
struct Hunk {
    /// Lines of it that were there before.
    old: u32,
    /// The first line of it that is there now.
    line: u32,
    /// Lines of it that are there now.
    new: u32,
}

impl Hunk {
    fn parse(line: &[u8]) -> Option<Hunk> {
        let text = line.strip_prefix(b"@@ -")?;
        let (_, old, text) = range(text)?;
        let (line, new, text) = range(text.strip_prefix(b" +")?)?;
        // Behind it stands what the hunk is in, in any bytes.
        text.strip_prefix(b" @@")?;
        // The last line has a number, too. A file has no line 0, but may have had none at all.
        line.checked_add(new)?;
        (line > 0 || new == 0).then_some(Hunk { old, line, new })
    }
}

/// `LINE[,COUNT]` and what follows it.
fn range(text: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (line, text) = number(text)?;
    match text.strip_prefix(b",") {
        Some(text) => {
            let (count, text) = number(text)?;
            Some((line, count, text))
        }
        None => Some((line, 1, text)),
    }
}

fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The path in `a/PATH b/PATH`, where both are the same: nothing else tells where one of them ends.
fn path_of_header(names: &[u8]) -> Option<Vec<u8>> {
    let (old, new) = halves(names)?;
    let (old, new) = (unquote(old)?, unquote(new)?);
    let path = new.strip_prefix(b"b/").filter(|path| !path.is_empty())?;
    (old.strip_prefix(b"a/")? == path).then(|| path.to_vec())
}

/// Two texts of one length with a blank between them.
fn halves(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (old, rest) = text.split_at_checked(text.len().checked_div(2)?)?;
    Some((old, rest.strip_prefix(b" ")?))
}

/// A name as it is, or in quotes with the escapes of C.
fn unquote(name: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(quoted) = name.strip_prefix(b"\"") else { return Some(Cow::Borrowed(name)) };
    let mut bytes = quoted.strip_suffix(b"\"")?.iter().copied();
    let mut plain = Vec::with_capacity(quoted.len());
    while let Some(byte) = bytes.next() {
        if byte == b'"' {
            return None;
        }
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        plain.push(match bytes.next()? {
            b'a' => 0x07,
            b'b' => 0x08,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'r' => b'\r',
            byte @ (b'"' | b'\\') => byte,
            high @ b'0'..=b'3' => {
                let mut value = high & 3;
                for _ in 0..2 {
                    let digit = bytes.next().filter(|digit| matches!(digit, b'0'..=b'7'))?;
                    value = (value << 3) | (digit & 7);
                }
                value
            }
            _ => return None,
        });
    }
    Some(Cow::Owned(plain))
}

/// Lines with their numbers, without the line feeds that end them. A carriage return belongs to a line.
struct Lines<'a> {
    rest: &'a [u8],
    /// Of the line that was read last.
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number = self.number.saturating_add(1);
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        Some(line)
    }
}
