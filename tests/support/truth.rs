//! The truth that fixture sources carry in comments, and its comparison with a report.
//!
//! | Comment behind a line | Meaning |
//! |---|---|
//! | `cov: 3` | executed exactly three times, in all test binaries together |
//! | `cov: 0` | mapped, never executed |
//! | `cov: -` | not mapped: there is no code on this line |
//! | `cov: +` | executed at least once: how often is not for the workspace to decide |
//!
//! A word of explanation may follow. Lines without a comment say nothing. A file as a whole can say `cov-file: excluded`: it
//! counts only with the default exclusions off; and `cov-file: absent`: it counts never. Each behind `//` and a space.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::lcov::{Lcov, LcovFile};
use super::workspace::files_below;

const LINE_MARK: &str = "// cov:";
const FILE_MARK: &str = "// cov-file:";

/// What a line's comment says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Mapped, and executed so often.
    Count(u64),
    /// Executed at least once.
    Executed,
    /// Without code.
    Unmapped,
}

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileTruth {
    /// It counts.
    Counted,
    /// The default exclusions take it out.
    Excluded,
    /// It is measured in no case.
    Absent,
}

/// With which exclusions the report was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exclusions {
    /// The default ones.
    Default,
    /// None.
    Off,
}

/// The comments of a source text: 1-based lines and what is expected of them.
pub(crate) fn expected_lines(source: &str) -> Result<Vec<(u32, Expected)>, String> {
    let mut lines = Vec::new();
    for (line, text) in (1..).zip(source.lines()) {
        if let Some((_, comment)) = text.split_once(LINE_MARK) {
            let expected = parse_expected(comment)
                .ok_or_else(|| format!("line {line}: expected a number, `-` or `+` behind `{LINE_MARK} `"))?;
            lines.push((line, expected));
        }
    }
    Ok(lines)
}

fn parse_expected(comment: &str) -> Option<Expected> {
    let value = comment.strip_prefix(' ')?.split(char::is_whitespace).next()?;
    match value {
        "-" => Some(Expected::Unmapped),
        "+" => Some(Expected::Executed),
        // `parse` alone would take `+3`.
        _ if value.bytes().all(|byte| byte.is_ascii_digit()) => value.parse().ok().map(Expected::Count),
        _ => None,
    }
}

/// What a source text says of its file.
pub(crate) fn file_truth(source: &str) -> Result<FileTruth, String> {
    let Some((_, comment)) = source.split_once(FILE_MARK) else { return Ok(FileTruth::Counted) };
    match comment.split_whitespace().next() {
        Some("excluded") => Ok(FileTruth::Excluded),
        Some("absent") => Ok(FileTruth::Absent),
        _ => Err(format!("expected `excluded` or `absent` behind `{FILE_MARK} `")),
    }
}

/// Panics with every line of every source below `root` that the report has otherwise than its comment says, each as
/// `file:line: expected …, found …`.
#[track_caller]
pub(crate) fn check_lines(lcov: &Lcov, root: &Path, exclusions: Exclusions) {
    let wrong = wrong_lines(lcov, root, exclusions, |_| true);
    assert!(wrong.is_empty(), "{} lines are not as their comments say:\n{}", wrong.len(), wrong.join("\n"));
}

/// The same as messages, for the files whose path from `root`, with `/`, `keep` is true of. Also reported: a file that is in the
/// report twice, that is not there at all, that lies outside of `root` or, with the default exclusions, in a build directory.
pub(crate) fn wrong_lines(
    lcov: &Lcov,
    root: &Path,
    exclusions: Exclusions,
    keep: impl Fn(&str) -> bool,
) -> Vec<String> {
    let (reported, mut wrong) = reported_files(lcov, root, exclusions);
    let mut checked = 0;
    for path in files_below(root).into_iter().filter(|path| keep(path)) {
        let Ok(source) = fs::read_to_string(root.join(&path)) else { continue };
        let truth = file_truth(&source).unwrap_or_else(|message| panic!("{path}: {message}"));
        let lines = expected_lines(&source).unwrap_or_else(|message| panic!("{path}: {message}"));
        checked += lines.len();
        let is_counted = match truth {
            FileTruth::Counted => true,
            FileTruth::Excluded => exclusions == Exclusions::Off,
            FileTruth::Absent => false,
        };
        match reported.get(&path) {
            Some(_) if !is_counted => {
                wrong.push(format!("{path}: expected not to be in the report, found there"))
            }
            Some(file) => wrong.extend(wrong_lines_of(&path, &source, &lines, file)),
            None if is_counted && lines.iter().any(|(_, expected)| *expected != Expected::Unmapped) => {
                wrong.push(format!("{path}: expected in the report, not found there"));
            }
            None => {}
        }
    }
    if checked == 0 {
        wrong.push(format!("no comment `{LINE_MARK} …` below `{}`", root.display()));
    }
    wrong
}

fn wrong_lines_of(path: &str, source: &str, expected: &[(u32, Expected)], file: &LcovFile) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut texts = (1..).zip(source.lines());
    for &(line, expected) in expected {
        let found = file.lines.get(&line).copied();
        let is_right = match expected {
            Expected::Count(count) => found == Some(count),
            Expected::Executed => found.is_some_and(|count| count > 0),
            Expected::Unmapped => found.is_none(),
        };
        if !is_right {
            let found = found.map_or(Expected::Unmapped, Expected::Count);
            let text = texts.find(|(number, _)| *number == line).map_or("", |(_, text)| text.trim());
            wrong.push(format!("{path}:{line}: expected {expected}, found {found}: {text}"));
        }
    }
    wrong
}

/// The report's files by their path from `root`, and what is wrong with the paths.
fn reported_files<'a>(
    lcov: &'a Lcov,
    root: &Path,
    exclusions: Exclusions,
) -> (BTreeMap<String, &'a LcovFile>, Vec<String>) {
    let mut files = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in &lcov.files {
        let path = without_dots(&root.join(&file.path));
        let Ok(path) = path.strip_prefix(without_dots(root)) else {
            if exclusions == Exclusions::Default {
                wrong.push(format!("{}: in the report, but outside of `{}`", file.path, root.display()));
            }
            continue;
        };
        if exclusions == Exclusions::Default && path.starts_with("target") {
            wrong.push(format!("{}: in the report, but in the build directory", file.path));
        }
        match files.entry(path.display().to_string().replace('\\', "/")) {
            Entry::Vacant(entry) => _ = entry.insert(file),
            Entry::Occupied(entry) => wrong.push(format!("{}: twice in the report", entry.key())),
        }
    }
    (files, wrong)
}

/// Resolves `..` by name alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = result.pop(),
            Component::CurDir => {}
            component => result.push(component),
        }
    }
    result
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Count(count) => write!(f, "{count}"),
            Expected::Executed => f.write_str("at least 1"),
            Expected::Unmapped => f.write_str("no code"),
        }
    }
}
