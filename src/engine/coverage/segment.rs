//! Regions to segments: LLVM's sweep over the ranges of a file or function. Knows nothing of lines.
//!
//! Lines and columns are 1-based and columns count bytes, here and in everything above, as in LLVM.
//!
//! The rule is that of `SegmentBuilder` in LLVM's `CoverageMapping.cpp`. LLVM scans the list of open regions at each
//! start, which is quadratic for deeply nested input; here a heap finds the regions that end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::format::covfun::Position;

/// What a counted range stands for. The order is LLVM's, in which it sorts ranges that coincide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountedKind {
    /// Code that runs as often as its count says.
    Code,
    /// A macro invocation or included file.
    Expansion,
    /// Code that the preprocessor left out.
    Skipped,
    /// White space between statements.
    Gap,
}

/// A source range with its count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountedRange {
    /// The first byte.
    pub start: Position,
    /// The first byte behind the range.
    pub end: Position,
    /// What the range stands for.
    pub kind: CountedKind,
    /// How often it ran.
    pub count: u64,
}

impl CountedRange {
    /// A range of code, given the line and column of its first byte and of the first byte behind it.
    pub fn code(start: (u32, u32), end: (u32, u32), count: u64) -> CountedRange {
        let position = |(line, column)| Position { line, column };
        CountedRange { start: position(start), end: position(end), kind: CountedKind::Code, count }
    }
}

/// From this position on, up to the next segment, code has this count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoverageSegment {
    /// Where the segment begins.
    pub start: Position,
    /// How often the code ran; 0 without `has_count`.
    pub count: u64,
    /// Whether there is code with a count.
    pub has_count: bool,
    /// Whether a region begins here, as opposed to one that goes on after another has ended.
    pub is_region_entry: bool,
    /// Whether the segment belongs to a gap region.
    pub is_gap_region: bool,
}

/// Brings ranges in LLVM's order and joins those that coincide: the first one's kind stays, and the counts of all of
/// that kind add up. This is how the instantiations of one generic function become one.
pub fn sort_and_combine(ranges: &mut Vec<CountedRange>) {
    // A stable sort: the ranges come as one ascending run for each function, which it merges.
    ranges.sort_by_key(|range| (range.start, Reverse(range.end), range.kind));
    ranges.dedup_by(|later, first| {
        let coincide = later.start == first.start && later.end == first.end;
        if coincide && later.kind == first.kind {
            first.count = first.count.wrapping_add(later.count);
        }
        coincide
    });
}

/// The segments of ranges that [`sort_and_combine`] has ordered.
pub fn segments(ranges: &[CountedRange]) -> Vec<CoverageSegment> {
    let mut sweep = Sweep { ranges, segments: Vec::with_capacity(ranges.len().saturating_mul(2)) };
    // Open ranges in the order of their starts; one that ended stays in `opened` until it is on top.
    let mut opened: Vec<usize> = Vec::new();
    let mut ended = vec![false; ranges.len()];
    let mut by_end: BinaryHeap<Reverse<(Position, usize)>> = BinaryHeap::new();
    let mut done: Vec<usize> = Vec::new();

    for (index, range) in ranges.iter().enumerate() {
        let position = range.start;
        while let Some(&Reverse((end, open))) = by_end.peek().filter(|Reverse((end, _))| *end <= position) {
            debug_assert_eq!(end, ranges[open].end);
            by_end.pop();
            ended[open] = true;
            done.push(open);
        }
        while opened.last().is_some_and(|&open| ended[open]) {
            opened.pop();
        }
        if !done.is_empty() {
            sweep.close(&done, opened.last().copied(), Some(position));
            done.clear();
        }

        let is_last = index + 1 == ranges.len();
        let is_entry = range.kind != CountedKind::Gap;
        if range.end == position {
            let skip = is_last || range.kind == CountedKind::Skipped;
            let around = opened.last().copied();
            sweep.emit(around.unwrap_or(index), position, is_entry, skip);
            if let Some(around) = around.filter(|_| skip) {
                sweep.emit(around, position, false, false);
            }
            continue;
        }
        // Of several ranges that start here the innermost speaks.
        if is_last || ranges[index + 1].start != position {
            sweep.emit(index, position, is_entry, false);
        }
        opened.push(index);
        by_end.push(Reverse((range.end, index)));
    }
    while let Some(Reverse((_, open))) = by_end.pop() {
        done.push(open);
    }
    if !done.is_empty() {
        sweep.close(&done, None, None);
    }
    sweep.segments
}

struct Sweep<'a> {
    ranges: &'a [CountedRange],
    segments: Vec<CoverageSegment>,
}

impl Sweep<'_> {
    /// Adds a segment for the range `index` at `position`, unless it would say what the last one says already.
    fn emit(&mut self, index: usize, position: Position, is_region_entry: bool, force_skip: bool) {
        let range = &self.ranges[index];
        let has_count = !force_skip && range.kind != CountedKind::Skipped;
        if let Some(last) = self.segments.last().filter(|_| !is_region_entry && !force_skip) {
            let same = last.has_count == has_count && last.count == range.count;
            if same && !last.is_region_entry {
                return;
            }
        }
        self.segments.push(CoverageSegment {
            start: position,
            count: if has_count { range.count } else { 0 },
            has_count,
            is_region_entry,
            is_gap_region: has_count && range.kind == CountedKind::Gap,
        });
    }

    /// Ends the ranges `done`, which are in the order of their ends, on the way to the position `until`. `around` is
    /// the innermost range that goes on.
    fn close(&mut self, done: &[usize], around: Option<usize>, until: Option<Position>) {
        let end = |index: usize| self.ranges[index].end;
        let mut emitted = Vec::new();
        for i in 1..done.len() {
            let position = end(done[i - 1]);
            if until == Some(position) {
                break;
            }
            if position == end(done[i]) {
                continue;
            }
            let same_end = done[i..].iter().take_while(|&&index| end(index) == end(done[i])).count();
            emitted.push((done[i + same_end - 1], position));
        }
        for (index, position) in emitted {
            self.emit(index, position, false, false);
        }
        let Some(&last) = done.last() else { return };
        let position = self.ranges[last].end;
        if until == Some(position) {
            return;
        }
        match around {
            Some(around) => self.emit(around, position, false, false),
            None => self.emit(last, position, false, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CountedKind, CountedRange, segments, sort_and_combine};
    use crate::format::covfun::Position;

    /// `1:1-3:2 5` is a code range with count 5; `skip` and `gap` before it say another kind.
    fn range(text: &str) -> CountedRange {
        let (kind, text) = match text.split_once(' ') {
            Some(("skip", rest)) => (CountedKind::Skipped, rest),
            Some(("gap", rest)) => (CountedKind::Gap, rest),
            _ => (CountedKind::Code, text),
        };
        let (span, count) = text.split_once(' ').expect("a count");
        let (start, end) = span.split_once('-').expect("a range");
        let position = |text: &str| {
            let (line, column) = text.split_once(':').expect("a position");
            Position { line: line.parse().expect("a line"), column: column.parse().expect("a column") }
        };
        CountedRange {
            start: position(start),
            end: position(end),
            kind,
            count: count.parse().expect("a count"),
        }
    }

    fn check(ranges: &[&str], expected: &[&str]) {
        let mut ranges: Vec<_> = ranges.iter().map(|text| range(text)).collect();
        sort_and_combine(&mut ranges);
        let found: Vec<String> = segments(&ranges)
            .iter()
            .map(|segment| {
                let count = if segment.has_count { segment.count.to_string() } else { "-".to_owned() };
                let entry = if segment.is_region_entry { " entry" } else { "" };
                let gap = if segment.is_gap_region { " gap" } else { "" };
                format!("{}:{} {count}{entry}{gap}", segment.start.line, segment.start.column)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn adjacent_and_separate_ranges() {
        check(&["1:1-1:5 2"], &["1:1 2 entry", "1:5 -"]);
        check(&["1:1-1:5 2", "1:5-1:9 3"], &["1:1 2 entry", "1:5 3 entry", "1:9 -"]);
        check(&["1:1-1:5 2", "2:1-2:9 3"], &["1:1 2 entry", "1:5 -", "2:1 3 entry", "2:9 -"]);
    }

    #[test]
    fn nested_ranges_return_to_what_surrounds_them() {
        check(&["1:1-9:1 4", "2:1-3:1 1"], &["1:1 4 entry", "2:1 1 entry", "3:1 4", "9:1 -"]);
        check(
            &["1:1-9:1 4", "2:1-8:1 3", "3:1-8:1 2"],
            &["1:1 4 entry", "2:1 3 entry", "3:1 2 entry", "8:1 4", "9:1 -"],
        );
        check(
            &["1:1-9:1 4", "2:1-7:1 3", "3:1-8:1 2"],
            &["1:1 4 entry", "2:1 3 entry", "3:1 2 entry", "7:1 2", "8:1 4", "9:1 -"],
        );
    }

    #[test]
    fn coinciding_ranges_add_up() {
        check(&["1:1-1:5 2", "1:1-1:5 3"], &["1:1 5 entry", "1:5 -"]);
        check(&["1:1-1:5 2", "gap 1:1-1:5 9"], &["1:1 2 entry", "1:5 -"]);
    }

    #[test]
    fn gaps_skips_and_empty_ranges() {
        check(&["1:1-5:1 2", "gap 2:1-3:1 0"], &["1:1 2 entry", "2:1 0 gap", "3:1 2", "5:1 -"]);
        check(&["1:1-5:1 2", "skip 2:1-3:1 0"], &["1:1 2 entry", "2:1 - entry", "3:1 2", "5:1 -"]);
        check(&["1:1-5:1 2", "2:1-2:1 7"], &["1:1 2 entry", "2:1 - entry", "2:1 2", "5:1 -"]);
        check(
            &["1:1-5:1 2", "2:1-2:1 7", "3:1-4:1 1"],
            &["1:1 2 entry", "2:1 2 entry", "3:1 1 entry", "4:1 2", "5:1 -"],
        );
        check(&["1:1-1:1 2"], &["1:1 - entry"]);
        check(&[], &[]);
    }

    #[test]
    fn deep_nesting_takes_linear_time() {
        let depth = 200_000;
        let mut ranges: Vec<_> = (1..depth)
            .map(|line| CountedRange {
                start: Position { line, column: 1 },
                end: Position { line: 2 * depth - line, column: 1 },
                kind: CountedKind::Code,
                count: u64::from(line),
            })
            .collect();
        sort_and_combine(&mut ranges);
        assert_eq!(segments(&ranges).len(), 2 * ranges.len());
    }
}
