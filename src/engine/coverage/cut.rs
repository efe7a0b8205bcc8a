//! Stretches of source that do not count, and what is left of ranges and functions without them. Knows no reasons.
//!
//! | what | without the cuts |
//! |---|---|
//! | a range within a cut | is gone |
//! | a range that begins in a cut and goes on behind it | begins where the cut does |
//! | a range that has a part in a cut | is there, with a skipped range on top of it |
//! | a function or branch that begins in a cut | is gone |
//!
//! The skipped ranges make LLVM's line rule leave the lines out, so that segments and lines need no rule of their own.

use std::collections::HashMap;

use super::segment::{CountedKind, CountedRange};
use crate::format::covfun::Position;

/// A stretch of source that does not count.
///
/// A cut of whole lines ends behind the last character of the last of them: what follows on the same line would not be
/// mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first byte.
    pub start: Position,
    /// The first byte behind it.
    pub end: Position,
    /// It counts if anything in it ran.
    pub unless_run: bool,
}

/// The cuts of files by the paths under which these are reported. Those of one file are in ascending order, and disjoint save
/// that one with [`Cut::unless_run`] may hold others without it.
pub type Cuts = HashMap<Vec<u8>, Vec<Cut>>;

/// The cuts that hold, given all ranges with code and their counts: disjoint and in ascending order.
pub(super) fn effective<'a>(cuts: &[Cut], ranges: impl Iterator<Item = &'a CountedRange>) -> Vec<Cut> {
    let (unsure, sure): (Vec<Cut>, Vec<Cut>) = cuts.iter().partition(|cut| cut.unless_run);
    if unsure.is_empty() {
        return sure;
    }
    let mut ran = vec![false; unsure.len()];
    for range in ranges.filter(|range| range.count > 0 && range.kind == CountedKind::Code) {
        // What does not count in any case is no reason to count what is around it.
        if !is_cut(&sure, range.start)
            && let Some(index) = index_at(&unsure, range.start)
        {
            ran[index] = true;
        }
    }
    let mut effective: Vec<Cut> =
        unsure.into_iter().zip(ran).filter_map(|(cut, ran)| (!ran).then_some(cut)).collect();
    let outer = effective.clone();
    effective.extend(sure.into_iter().filter(|cut| !is_cut(&outer, cut.start)));
    effective.sort_by_key(|cut| cut.start);
    effective
}

/// Whether what begins at `position` is cut away.
pub(super) fn is_cut(cuts: &[Cut], position: Position) -> bool {
    index_at(cuts, position).is_some()
}

/// What is left of a range; `None` if nothing is.
pub(super) fn without(cuts: &[Cut], range: CountedRange) -> Option<CountedRange> {
    let Some(cut) = index_at(cuts, range.start).map(|index| cuts[index]) else { return Some(range) };
    // Its start within the cut would map that line. From the cut's start on, the skipped range is the innermost one, and
    // behind it this range goes on.
    (cut.end < range.end).then_some(CountedRange { start: cut.start, ..range })
}

/// Adds a skipped range for each cut that lies in one of the `ranges`.
pub(super) fn push_skipped(cuts: &[Cut], ranges: &mut Vec<CountedRange>) {
    let mut by_start: Vec<(Position, Position)> =
        ranges.iter().map(|range| (range.start, range.end)).collect();
    by_start.sort_unstable();
    let mut by_start = by_start.into_iter().peekable();
    let mut furthest_end = Position { line: 0, column: 0 };
    for cut in cuts {
        while let Some((_, end)) = by_start.next_if(|(start, _)| *start <= cut.start) {
            furthest_end = furthest_end.max(end);
        }
        if furthest_end > cut.start {
            let Cut { start, end, .. } = *cut;
            ranges.push(CountedRange { start, end, kind: CountedKind::Skipped, count: 0 });
        }
    }
}

/// The cut that `position` lies in.
fn index_at(cuts: &[Cut], position: Position) -> Option<usize> {
    let index = cuts.partition_point(|cut| cut.start <= position).checked_sub(1)?;
    (position < cuts[index].end).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::{Cut, effective, is_cut, push_skipped, without};
    use crate::coverage::line::lines;
    use crate::coverage::segment::{CountedKind, CountedRange, segments, sort_and_combine};
    use crate::format::covfun::Position;

    fn at(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    fn cut(start: (u32, u32), end: (u32, u32)) -> Cut {
        Cut { start: at(start.0, start.1), end: at(end.0, end.1), unless_run: false }
    }

    fn range(start: (u32, u32), end: (u32, u32), count: u64) -> CountedRange {
        CountedRange { start: at(start.0, start.1), end: at(end.0, end.1), kind: CountedKind::Code, count }
    }

    /// The mapped lines of `ranges` without `cuts`.
    fn check(ranges: &[CountedRange], cuts: &[Cut], expected: &[(u32, u64)]) {
        let mut left: Vec<CountedRange> = ranges.iter().filter_map(|&range| without(cuts, range)).collect();
        push_skipped(cuts, &mut left);
        sort_and_combine(&mut left);
        let found: Vec<_> = lines(&segments(&left)).map(|line| (line.line, line.count)).collect();
        assert_eq!(found, expected, "{ranges:?} without {cuts:?}");
    }

    #[test]
    fn whole_lines_within_a_function() {
        let body = range((1, 1), (6, 2), 3);
        check(&[body], &[], &[(1, 3), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3)]);
        check(&[body], &[cut((3, 1), (3, 20))], &[(1, 3), (2, 3), (4, 3), (5, 3), (6, 3)]);
        check(&[body], &[cut((2, 1), (3, 20)), cut((4, 1), (4, 9))], &[(1, 3), (5, 3), (6, 3)]);
        // The first and the last line.
        check(&[body], &[cut((1, 1), (1, 9))], &[(2, 3), (3, 3), (4, 3), (5, 3), (6, 3)]);
        check(&[body], &[cut((6, 1), (6, 2))], &[(1, 3), (2, 3), (3, 3), (4, 3), (5, 3)]);
        check(&[body], &[cut((1, 1), (7, 1))], &[]);
    }

    #[test]
    fn items_from_byte_to_byte() {
        let neighbour = range((1, 1), (1, 10), 1);
        let test = range((2, 5), (4, 6), 7);
        check(&[neighbour, test], &[cut((1, 12), (5, 2))], &[(1, 1)]);
        // A statement within a function.
        check(&[range((1, 1), (5, 2), 1)], &[cut((3, 5), (3, 15))], &[(1, 1), (2, 1), (4, 1), (5, 1)]);
    }

    #[test]
    fn ranges_that_overlap_a_cut() {
        let (outer, inner) = (range((1, 1), (9, 2), 4), range((3, 10), (6, 6), 0));
        // It begins in the cut: its other lines keep their count. Without the cut line 6 has 0, too, as LLVM counts it.
        check(
            &[outer, inner],
            &[cut((3, 1), (3, 30))],
            &[(1, 4), (2, 4), (4, 0), (5, 0), (6, 0), (7, 4), (8, 4), (9, 4)],
        );
        // It ends in the cut.
        check(&[outer, inner], &[cut((5, 1), (7, 30))], &[(1, 4), (2, 4), (3, 4), (4, 0), (8, 4), (9, 4)]);
        // Two cuts in turn.
        let cuts = [cut((3, 1), (4, 30)), cut((5, 1), (5, 30))];
        check(&[outer, inner], &cuts, &[(1, 4), (2, 4), (6, 0), (7, 4), (8, 4), (9, 4)]);
    }

    #[test]
    fn conditional_cuts_hold_where_nothing_ran() {
        let conditional = Cut { unless_run: true, ..cut((1, 1), (3, 2)) };
        let always = cut((5, 1), (6, 2));
        let cuts = [conditional, always];
        let ran = [range((2, 1), (2, 5), 1), range((5, 1), (6, 2), 1)];
        let missed = [range((2, 1), (2, 5), 0), range((4, 1), (4, 5), 8)];
        assert_eq!(effective(&cuts, ran.iter()), [always]);
        assert_eq!(effective(&cuts, missed.iter()), cuts);
        assert_eq!(effective(&cuts, [].iter()), cuts);
        // One within the other, which alone ran.
        let inner = cut((2, 1), (2, 9));
        assert_eq!(effective(&[conditional, inner], ran.iter()), [conditional]);
        let also = [range((1, 5), (1, 9), 1), ran[0]];
        assert_eq!(effective(&[conditional, inner], also.iter()), [inner]);
    }

    #[test]
    fn ends_are_behind_the_cut() {
        let cuts = [cut((2, 3), (2, 8)), cut((2, 8), (3, 1))];
        for (position, expected) in [
            ((2, 2), false),
            ((2, 3), true),
            ((2, 7), true),
            ((2, 8), true),
            ((3, 1), false),
            ((1, 9), false),
        ] {
            assert_eq!(is_cut(&cuts, at(position.0, position.1)), expected, "{position:?}");
        }
    }
}
