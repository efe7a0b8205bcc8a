//! Segments to lines: which lines have code, and how often it ran. The one line model behind every output.

use std::iter::Peekable;
use std::slice::Iter;

use super::segment::CoverageSegment;
use super::summary::Ratio;

/// A mapped line: one with code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineCoverage {
    /// 1-based.
    pub line: u32,
    /// How often the line ran: the most of what goes on from the line before and of the regions that begin on it.
    pub count: u64,
    /// The regions that begin on the line, and those of them that ran. What goes on from the line before counts as one of
    /// them if it ran: what merely ends here, as before an `else`, is no part of what this line does.
    ///
    /// So `count` is above 0 just if `regions.covered` is.
    pub regions: Ratio,
}

/// The mapped lines of a file or function, in ascending order, by the rule of LLVM's `LineCoverageStats`.
pub fn lines(segments: &[CoverageSegment]) -> Lines<'_> {
    let line = segments.first().map_or(1, |segment| segment.start.line);
    Lines { segments: segments.iter().peekable(), line, wrapped: None }
}

/// Mapped lines that follow each other, all covered or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRun {
    /// The first line, 1-based.
    pub first: u32,
    /// How many lines there are, at least one.
    pub n_lines: u32,
    /// Whether they have a count.
    pub is_covered: bool,
}

/// The mapped lines in ascending order, those together on which no segment begins: takes time for each segment, not for each
/// line, of which a few bytes can claim millions.
pub fn runs(segments: &[CoverageSegment]) -> impl Iterator<Item = LineRun> {
    let mut lines = lines(segments);
    std::iter::from_fn(move || {
        lines.skip_alike().or_else(|| {
            let LineCoverage { line, count, .. } = lines.next()?;
            Some(LineRun { first: line, n_lines: 1, is_covered: count > 0 })
        })
    })
}

/// How many mapped lines there are, and how many of them have a count.
pub fn ratio(segments: &[CoverageSegment]) -> Ratio {
    let mut ratio = Ratio::EMPTY;
    for LineRun { n_lines, is_covered, .. } in runs(segments) {
        let count = u64::from(n_lines);
        ratio += Ratio { covered: if is_covered { count } else { 0 }, count };
    }
    ratio
}

/// The iterator that [`lines`] returns. Lines are computed, not stored, as they can outnumber the input's bytes.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    segments: Peekable<Iter<'a, CoverageSegment>>,
    /// The next line to look at.
    line: u32,
    /// The last segment of an earlier line: what goes on into this one.
    wrapped: Option<&'a CoverageSegment>,
}

impl Lines<'_> {
    /// Passes over the mapped lines from here on up to the next one on which a segment begins.
    fn skip_alike(&mut self) -> Option<LineRun> {
        let next_line = self.segments.peek()?.start.line;
        let goes_on = self.wrapped.filter(|segment| segment.has_count)?;
        let n_lines = next_line.checked_sub(self.line).filter(|n_lines| *n_lines > 0)?;
        let first = std::mem::replace(&mut self.line, next_line);
        Some(LineRun { first, n_lines, is_covered: goes_on.count > 0 })
    }
}

impl Iterator for Lines<'_> {
    type Item = LineCoverage;

    fn next(&mut self) -> Option<LineCoverage> {
        loop {
            let next_segment = *self.segments.peek()?;
            let line = self.line;
            let wrapped = self.wrapped;
            let goes_on = wrapped.is_some_and(|segment| segment.has_count);
            if next_segment.start.line > line && !goes_on {
                self.line = next_segment.start.line;
                continue;
            }

            let mut first = None;
            let mut last = None;
            let mut most_entered: Option<u64> = None;
            let mut starts_counted = false;
            let mut regions = Ratio::EMPTY;
            while let Some(segment) = self.segments.next_if(|segment| segment.start.line <= line) {
                first.get_or_insert(segment);
                last = Some(segment);
                starts_counted |= segment.is_region_entry && segment.has_count;
                if !segment.is_gap_region && segment.has_count && segment.is_region_entry {
                    most_entered = most_entered.max(Some(segment.count));
                    regions += Ratio { covered: u64::from(segment.count > 0), count: 1 };
                }
            }
            self.line = line.saturating_add(1);
            self.wrapped = last.or(wrapped);

            let starts_skipped = first.is_some_and(|segment| !segment.has_count && segment.is_region_entry);
            let is_mapped = (!starts_skipped && (goes_on || most_entered.is_some())) || starts_counted;
            if is_mapped {
                let carried = wrapped.map_or(0, |segment| segment.count);
                if carried > 0 || regions.count == 0 {
                    regions += Ratio { covered: u64::from(carried > 0), count: 1 };
                }
                let count = most_entered.map_or(carried, |most| most.max(carried));
                return Some(LineCoverage { line, count, regions });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::coverage::segment::CoverageSegment;
    use crate::format::covfun::Position;

    /// Segments as (line, column, count or -1 for none, entry, gap).
    type Segments<'a> = &'a [(u32, u32, i64, bool, bool)];

    fn coverage_segments(segments: Segments<'_>) -> Vec<CoverageSegment> {
        segments
            .iter()
            .map(|&(line, column, count, is_region_entry, is_gap_region)| CoverageSegment {
                start: Position { line, column },
                count: u64::try_from(count).unwrap_or(0),
                has_count: count >= 0,
                is_region_entry,
                is_gap_region,
            })
            .collect()
    }

    fn check(segments: Segments<'_>, expected: &[(u32, u64)]) {
        let segments = coverage_segments(segments);
        let found: Vec<_> = lines(&segments).map(|line| (line.line, line.count)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_region_covers_the_lines_it_spans() {
        check(&[(3, 1, 2, true, false), (5, 2, -1, false, false)], &[(3, 2), (4, 2), (5, 2)]);
    }

    #[test]
    fn a_line_takes_the_most_of_what_runs_on_it() {
        check(
            &[
                (1, 1, 2, true, false),
                (2, 5, 7, true, false),
                (2, 9, 2, false, false),
                (3, 1, -1, false, false),
            ],
            &[(1, 2), (2, 7), (3, 2)],
        );
        check(
            &[
                (1, 1, 2, true, false),
                (2, 5, 0, true, false),
                (2, 9, 2, false, false),
                (3, 1, -1, false, false),
            ],
            &[(1, 2), (2, 2), (3, 2)],
        );
    }

    #[test]
    fn lines_between_regions_are_not_mapped() {
        check(
            &[
                (1, 1, 2, true, false),
                (1, 9, -1, false, false),
                (900_000, 1, 0, true, false),
                (900_000, 9, -1, false, false),
            ],
            &[(1, 2), (900_000, 0)],
        );
    }

    #[test]
    fn gaps_and_skips_start_no_line() {
        check(&[(1, 1, 2, false, true), (2, 1, -1, false, false)], &[(2, 2)]);
        check(&[(1, 1, -1, true, false), (3, 1, 1, true, false), (3, 4, -1, false, false)], &[(3, 1)]);
        // A line that starts skipped and goes on with code is mapped by that code, and counts it.
        check(&[(1, 1, -1, true, false), (1, 5, 4, true, false), (1, 9, -1, false, false)], &[(1, 4)]);
    }

    #[test]
    fn regions_are_those_that_begin_or_run_into_the_line() {
        // `if a {` ran and its block did not, `} else {`, a block that ran, `}`, `f()?` without an error.
        let segments = coverage_segments(&[
            (1, 1, 2, true, false),
            (1, 8, 0, true, false),
            (2, 2, 2, false, false),
            (2, 8, 2, true, false),
            (3, 2, 2, false, false),
            (4, 4, 0, true, false),
            (4, 5, 2, false, false),
            (5, 1, -1, false, false),
        ]);
        let found: Vec<_> =
            lines(&segments).map(|line| (line.line, line.regions.covered, line.regions.count)).collect();
        assert_eq!(found, [(1, 1, 2), (2, 1, 1), (3, 1, 1), (4, 1, 2), (5, 1, 1)]);
        assert!(lines(&segments).all(|line| (line.count > 0) == (line.regions.covered > 0)));
        let missed = coverage_segments(&[(1, 1, 0, true, false), (2, 2, -1, false, false)]);
        let found: Vec<_> = lines(&missed).map(|line| (line.regions.covered, line.regions.count)).collect();
        assert_eq!(found, [(0, 1), (0, 1)]);
    }
}
