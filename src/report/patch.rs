//! Coverage of what changed: the lines with code among those that a patch adds or changes.
//!
//! Pure: which lines those are is told by the caller.

use std::ops::RangeInclusive;

use super::table::{MissingLines, Order, render_missing_lines};
use crate::coverage::line::LineCoverage;
use crate::coverage::summary::Ratio;

/// How much of a patch ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchCoverage {
    /// With what the sources were compared, for people.
    pub base: String,
    /// The files with changed lines that have code, by path.
    pub files: Vec<PatchFile>,
    /// The sums over all files.
    pub total: Ratio,
}

/// The part of a patch that is in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFile {
    /// The path as reports show it.
    pub path: String,
    /// Changed lines with code, and those of them that ran. There is at least one.
    pub lines: Ratio,
    /// Changed lines that did not run: from 1, ascending.
    pub missing: Vec<u32>,
}

impl PatchCoverage {
    /// The sum of `files`.
    pub fn new(base: String, files: Vec<PatchFile>) -> PatchCoverage {
        let mut total = Ratio::EMPTY;
        for file in &files {
            total += file.lines;
        }
        PatchCoverage { base, files, total }
    }
}

impl PatchFile {
    /// The part of a patch that is in the file at `path` with these mapped lines, which ascend; `None` if that is none. `changed` are
    /// ascending ranges of lines that lie apart.
    pub fn new(
        path: String,
        mapped: impl Iterator<Item = LineCoverage>,
        changed: &[RangeInclusive<u32>],
    ) -> Option<PatchFile> {
        let mut ranges = changed.iter().peekable();
        let mut lines = Ratio::EMPTY;
        let mut missing = Vec::new();
        for LineCoverage { line, count, .. } in mapped {
            while ranges.next_if(|range| *range.end() < line).is_some() {}
            let Some(range) = ranges.peek() else { break };
            if range.contains(&line) {
                lines += Ratio { covered: u64::from(count > 0), count: 1 };
                if count == 0 {
                    missing.push(line);
                }
            }
        }
        (lines.count > 0).then_some(PatchFile { path, lines, missing })
    }
}

/// What people read: one line with the total, and the missing lines as `path:12,15-19`.
pub fn render(patch: &PatchCoverage, order: Order) -> String {
    let Ratio { covered, count } = patch.total;
    if count == 0 {
        return "Patch coverage: no changed line has code\n".to_owned();
    }
    let plural = if count == 1 { "" } else { "s" };
    let mut text = format!("Patch coverage: {covered} of {count} changed line{plural} {}\n", patch.total);
    let missing: Vec<MissingLines> = patch
        .files
        .iter()
        .map(|file| MissingLines { path: file.path.clone(), lines: file.missing.clone() })
        .collect();
    text.push_str(&render_missing_lines(&missing, order));
    text
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::{PatchCoverage, PatchFile, render};
    use crate::coverage::line::LineCoverage;
    use crate::coverage::summary::Ratio;
    use crate::report::table::Order;

    /// The part of a patch in a file with code on `lines`, which ran so often.
    fn part(path: &str, lines: &[(u32, u64)], changed: &[RangeInclusive<u32>]) -> Option<PatchFile> {
        let lines = lines.iter().map(|&(line, count)| LineCoverage { line, count, regions: Ratio::EMPTY });
        PatchFile::new(path.to_owned(), lines, changed)
    }

    #[track_caller]
    fn check(changed: &[RangeInclusive<u32>], covered: u64, count: u64, missing: &[u32]) {
        let found = part("a", &[(2, 1), (3, 0), (7, 4), (8, 0), (9, 0), (4_000_000_000, 0)], changed);
        let lines = Ratio { covered, count };
        let expected =
            (count > 0).then(|| PatchFile { path: "a".to_owned(), lines, missing: missing.to_vec() });
        assert_eq!(found, expected, "{changed:?}");
    }

    #[test]
    fn changed_lines_with_code_count() {
        check(&[], 0, 0, &[]);
        check(&[1..=1, 4..=6, 10..=20], 0, 0, &[]);
        check(&[1..=2], 1, 1, &[]);
        check(&[3..=3], 0, 1, &[3]);
        check(&[2..=2, 3..=7, 9..=30], 2, 4, &[3, 9]);
        check(&[1..=u32::MAX], 2, 6, &[3, 8, 9, 4_000_000_000]);
    }

    #[test]
    fn what_people_read() {
        let all = &[1..=u32::MAX][..];
        let check = |parts: &[Option<PatchFile>], order, expected| {
            let files = parts.iter().flatten().cloned().collect();
            assert_eq!(render(&PatchCoverage::new("main".to_owned(), files), order), expected);
        };
        let small = part("a.rs", &[(1, 0)], all);
        let large = part("b.rs", &[(1, 0), (2, 0), (3, 1)], all);
        check(
            &[small.clone(), large],
            Order::WorstFirst,
            "Patch coverage: 1 of 4 changed lines 25.00%\nb.rs:1-2\na.rs:1\n",
        );
        check(&[small], Order::Path, "Patch coverage: 0 of 1 changed line 0.00%\na.rs:1\n");
        check(
            &[part("c.rs", &[(1, 1), (2, 1)], all)],
            Order::Path,
            "Patch coverage: 2 of 2 changed lines 100.00%\n",
        );
        check(&[], Order::Path, "Patch coverage: no changed line has code\n");
    }
}
