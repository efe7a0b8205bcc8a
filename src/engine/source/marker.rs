//! Markers in comments: `coverage:off`, `coverage:on`, `coverage:ignore`, those of LCOV, and `@generated`.
//!
//! Ours are the first word of a comment, so that prose may speak of them. LCOV's are a word anywhere, as for geninfo (its
//! manual page has the rules; an unmatched one is an error there too). No marker stands in documentation.

use std::fmt;

use super::attribute::Attribute;
use super::item::{Extent, extent};
use super::lexer::{Comment, Lexed};
use super::outline::Around;
use super::position::Lines;
use super::{Problem, Reason, Stretch};

/// A word in a comment that says what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Marker {
    /// Nothing counts from this line on,
    Off,
    /// and from this line on it does again.
    On,
    /// The line does not count; alone on its line: what follows.
    Ignore,
    /// The line does not count.
    LcovLine,
    /// As [`Marker::Off`].
    LcovStart,
    /// As [`Marker::On`].
    LcovStop,
}

impl Marker {
    /// All of them.
    pub const ALL: [Marker; 6] =
        [Marker::Off, Marker::On, Marker::Ignore, Marker::LcovLine, Marker::LcovStart, Marker::LcovStop];

    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Marker::Off => "coverage:off",
            Marker::On => "coverage:on",
            Marker::Ignore => "coverage:ignore",
            Marker::LcovLine => "LCOV_EXCL_LINE",
            Marker::LcovStart => "LCOV_EXCL_START",
            Marker::LcovStop => "LCOV_EXCL_STOP",
        }
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the markers of a file say.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) stretches: Vec<Stretch>,
    pub(super) problems: Vec<Problem>,
}

/// How our own markers begin.
const PREFIX: &[u8] = b"coverage:";

/// How LCOV's begin.
const LCOV_PREFIX: &[u8] = b"LCOV_EXCL_";

/// How many bytes behind a marker are looked at for a reason: there may be many markers on a long line.
const MAX_REASON: usize = 200;

/// A marker where it stands.
struct Found {
    marker: Marker,
    offset: u32,
    why: String,
    comment: Comment,
}

/// Finds the markers, and what does not count because of them.
pub(super) fn find(lexed: &Lexed, lines: &Lines) -> Marked {
    let mut marked = Marked::default();
    let mut found = Vec::new();
    for &comment in lexed.comments.iter().filter(|comment| !comment.is_doc) {
        if let Err((offset, word)) = read(lexed, comment, &mut found) {
            let nearest = nearest(&word);
            marked.problems.push(Problem {
                line: lines.line(offset),
                message: format!("unknown marker `{word}`"),
                cure: format!("did you mean `{nearest}`? in prose, put a blank behind the colon"),
                is_error: false,
            });
        }
    }
    pairs(&found, Marker::Off, Marker::On, lines, &mut marked);
    pairs(&found, Marker::LcovStart, Marker::LcovStop, lines, &mut marked);
    ignored(&found, lexed, lines, &mut marked);
    marked
}

/// Adds the markers of a comment, in order. An unknown one is an error, with its offset.
fn read(lexed: &Lexed, comment: Comment, found: &mut Vec<Found>) -> Result<(), (u32, String)> {
    let text = &lexed.text[comment.start as usize..comment.end as usize];
    let at = |marker, offset: usize| {
        let why = reason_behind(&text[offset + marker_len(marker)..]);
        Found { marker, offset: comment.start + offset as u32, why, comment }
    };
    let mut offset = 0;
    while let Some(distance) = position_of(LCOV_PREFIX, &text[offset..]) {
        offset += distance;
        let marker = [Marker::LcovLine, Marker::LcovStart, Marker::LcovStop].into_iter().find(|marker| {
            let name = marker.name().as_bytes();
            let behind = text.get(offset + name.len());
            text[offset..].starts_with(name)
                && !behind.is_some_and(|&byte| is_word_byte(byte))
                && (offset == 0 || !is_word_byte(text[offset - 1]))
        });
        found.extend(marker.map(|marker| at(marker, offset)));
        offset += LCOV_PREFIX.len();
    }

    // The delimiter, and the stars with which the lines of a block comment may begin.
    let is_line = text.starts_with(b"//");
    let is_before = |byte: &u8| {
        byte.is_ascii_whitespace() || if is_line { *byte == b'/' } else { matches!(byte, b'/' | b'*') }
    };
    let offset = text.iter().position(|byte| !is_before(byte)).unwrap_or(text.len());
    let Some(rest) = text[offset..].strip_prefix(PREFIX) else { return Ok(()) };
    let word_len = rest.iter().position(|&byte| !is_word_byte(byte) && byte != b'-').unwrap_or(rest.len());
    let word = rest[..word_len].strip_suffix(b"-").unwrap_or(&rest[..word_len]);
    let marker = match word {
        b"off" => Marker::Off,
        b"on" => Marker::On,
        b"ignore" => Marker::Ignore,
        // `coverage: prose`, `coverage:80%`
        _ if !word.first().is_some_and(u8::is_ascii_alphabetic) => return Ok(()),
        _ => {
            let word = format!("coverage:{}", String::from_utf8_lossy(word));
            return Err((comment.start + offset as u32, word));
        }
    };
    found.push(at(marker, offset));
    Ok(())
}

fn marker_len(marker: Marker) -> usize {
    marker.name().len()
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn position_of(needle: &[u8], text: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// What stands behind a marker on its line: `: why`, `- why`, `(why)` or `why`.
fn reason_behind(rest: &[u8]) -> String {
    let rest = &rest[..rest.len().min(MAX_REASON)];
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let line = String::from_utf8_lossy(&rest[..end]);
    // A character that the limit has cut.
    let line = line.trim_end_matches(char::REPLACEMENT_CHARACTER).trim();
    let line = line.strip_suffix("*/").unwrap_or(line).trim_end();
    let why = line.trim_start_matches(|char: char| {
        char.is_whitespace() || matches!(char, ':' | '-' | '\u{2013}' | '\u{2014}' | ',' | ';')
    });
    match why.strip_prefix('(').and_then(|why| why.strip_suffix(')')) {
        Some(inner) if !inner.contains(['(', ')']) => inner.trim().to_owned(),
        _ => why.to_owned(),
    }
}

/// The known marker that is most like an unknown one.
fn nearest(word: &str) -> Marker {
    let distance =
        |marker: &Marker| edit_distance(word.to_ascii_lowercase().as_bytes(), marker.name().as_bytes());
    [Marker::Off, Marker::On, Marker::Ignore].into_iter().min_by_key(distance).unwrap_or(Marker::Ignore)
}

/// How many bytes must be added, removed or replaced. Words longer than any marker are cut.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    let a = &a[..a.len().min(32)];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, byte) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(byte != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The stretches between two markers: from the line of the first to before that of the second.
fn pairs(found: &[Found], start: Marker, stop: Marker, lines: &Lines, marked: &mut Marked) {
    let mut open: Option<&Found> = None;
    let mut problem = |line: u32, message: String, cure: String| {
        marked.problems.push(Problem { line, message, cure, is_error: true });
    };
    for here in found {
        let line = lines.line(here.offset);
        if here.marker == start {
            match open {
                Some(first) => problem(
                    line,
                    format!("`{start}` within the `{start}` of line {}", lines.line(first.offset)),
                    format!("put a `{stop}` between them, or remove one"),
                ),
                None => open = Some(here),
            }
        } else if here.marker == stop {
            match open.take() {
                Some(first) => marked.stretches.push(Stretch {
                    start: lines.start(lines.line(first.offset)),
                    end: lines.start(line),
                    reason: reason(first, lines),
                    unless_run: false,
                }),
                None => problem(
                    line,
                    format!("`{stop}` without a `{start}` before it"),
                    format!("remove it, or put a `{start}` before it"),
                ),
            }
        }
    }
    if let Some(first) = open {
        problem(
            lines.line(first.offset),
            format!("`{start}` without a `{stop}` behind it"),
            format!("put a `{stop}` where code counts again"),
        );
    }
}

fn reason(found: &Found, lines: &Lines) -> Reason {
    Reason::Marker { marker: found.marker, line: lines.line(found.offset), why: found.why.clone() }
}

/// What single markers are about: their line, or what follows.
fn ignored(found: &[Found], lexed: &Lexed, lines: &Lines, marked: &mut Marked) {
    let mut around = Around::default();
    let mut passed = 0;
    // What begins before this token does not count already.
    let mut ignored_until = 0;
    for here in found.iter().filter(|found| matches!(found.marker, Marker::Ignore | Marker::LcovLine)) {
        let line = lines.line(here.offset);
        let next = here.comment.next_token as usize;
        let comment_line = lines.line(here.comment.start);
        let is_behind_code = next
            .checked_sub(1)
            .and_then(|before| lexed.tokens.get(before))
            .is_some_and(|token| lines.line(token.end - 1) == comment_line);
        if here.marker == Marker::LcovLine || is_behind_code {
            let end = if line < lines.count() { lines.start(line + 1) } else { lexed.text.len() as u32 };
            let start = lines.start(line);
            marked.stretches.push(Stretch { start, end, reason: reason(here, lines), unless_run: false });
            continue;
        }
        while passed < next {
            around.pass(lexed, passed);
            passed += 1;
        }
        if next < ignored_until {
            continue;
        }
        // `#![allow(…)]` is about what is around it, and so nobody knows what the marker is about.
        let is_inner = Attribute::at(lexed, next).is_some_and(|attribute| attribute.is_inner);
        let extent = if is_inner { Extent::Nothing } else { extent(lexed, next, around.role(lexed)) };
        match extent {
            Extent::Ends(end) if end > next => {
                ignored_until = end;
                marked.stretches.push(Stretch {
                    start: lexed.tokens[next].start,
                    end: lexed.tokens[end - 1].end,
                    reason: reason(here, lines),
                    unless_run: false,
                });
            }
            Extent::Ends(_) | Extent::Nothing => marked.problems.push(Problem {
                line,
                message: format!("nothing follows `{}` that it could be about", here.marker),
                cure: "put it before an item, statement, match arm or field, or behind code on its line"
                    .to_owned(),
                is_error: true,
            }),
            Extent::Broken(open) => {
                ignored_until = open;
                marked.problems.push(Problem {
                    line,
                    message: format!("what follows `{}` has no end", here.marker),
                    cure: format!("close the delimiter of line {}", lines.line(lexed.tokens[open].start)),
                    is_error: false,
                });
            }
        }
    }
}

/// In how many lines from the first `@generated` is looked for: rustfmt's `generated_marker_line_search_limit`.
const GENERATED_LINES: u32 = 5;

/// The line on which a comment says that the file is `@generated`. For rustfmt it need not be a comment or a word.
pub(super) fn generated(lexed: &Lexed, lines: &Lines) -> Option<u32> {
    const WORD: &[u8] = b"@generated";
    let end = if lines.count() > GENERATED_LINES {
        lines.start(GENERATED_LINES + 1) as usize
    } else {
        lexed.text.len()
    };
    for comment in lexed.comments.iter().take_while(|comment| (comment.start as usize) < end) {
        let text = &lexed.text[comment.start as usize..(comment.end as usize).min(end)];
        let mut offset = 0;
        while let Some(distance) = position_of(WORD, &text[offset..]) {
            offset += distance + WORD.len();
            let before = (offset - WORD.len()).checked_sub(1).and_then(|before| text.get(before));
            // In quotes, it is what the text is about.
            let is_word = !text.get(offset).is_some_and(|&byte| is_word_byte(byte))
                && !before.is_some_and(|&byte| is_word_byte(byte) || matches!(byte, b'`' | b'"' | b'\''));
            if is_word {
                return Some(lines.line(comment.start + (offset - WORD.len()) as u32));
            }
        }
    }
    None
}
