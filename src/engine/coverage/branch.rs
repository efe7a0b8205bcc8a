//! Branches as LCOV wants them: by line, the same condition of all instantiations as one.

use std::collections::BTreeMap;

use super::function::{CountedBranch, FunctionRecord};
use crate::format::covfun::Position;

/// Expansions in one another that are followed.
const MOST_NESTED: usize = 1000;

/// A condition on a line, summed over all instantiations, as a report shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchLine {
    /// The line of the condition, or of the outermost expansion that it comes from. 1-based.
    pub line: u32,
    /// How often it was true, and how often false; `None` for an outcome that is not reported.
    pub outcomes: [Option<u64>; 2],
}

/// The conditions of a file in the union: one for each of `branches`, which are combined and in order already. Outcomes that
/// the compiler folded away are not reported, as the totals do not have them.
pub fn united_branch_lines(branches: &[CountedBranch]) -> Vec<BranchLine> {
    let line = |branch: &CountedBranch| BranchLine {
        line: branch.start.line,
        outcomes: [
            Some(branch.when_true).filter(|_| !branch.true_folded),
            Some(branch.when_false).filter(|_| !branch.false_folded),
        ],
    };
    branches.iter().filter(|branch| !branch.is_folded()).map(line).collect()
}

/// The places of conditions, as a tree: a condition's own place, or, if it is in an expansion, the places of the expansions around
/// it, outermost first. All conditions of one expansion have the same place, and thus are one, as LLVM has it.
#[derive(Default)]
struct Places {
    /// Positions in `counts`, by the position of what is around, and the place.
    children: BTreeMap<(usize, Position), usize>,
    /// How often the conditions at a place were true, and how often false; `None` where there are none. The first is the root.
    counts: Vec<Option<[u64; 2]>>,
}

impl Places {
    /// The place within what is around.
    fn within(&mut self, around: usize, place: Position) -> usize {
        let new = self.counts.len();
        let known = *self.children.entry((around, place)).or_insert(new);
        if known == new {
            self.counts.push(None);
        }
        known
    }

    fn add(&mut self, place: usize, branch: &CountedBranch) {
        if branch.is_folded() {
            return;
        }
        if let Some(counts) = self.counts.get_mut(place) {
            let [when_true, when_false] = counts.get_or_insert([0, 0]);
            *when_true = when_true.wrapping_add(branch.when_true);
            *when_false = when_false.wrapping_add(branch.when_false);
        }
    }

    /// The conditions in the order of their places.
    fn into_lines(self) -> Vec<BranchLine> {
        let children = |around: usize| {
            let first = Position { line: 0, column: 0 };
            self.children.range((around, first)..(around + 1, first)).rev()
        };
        let mut lines = Vec::new();
        let mut pending: Vec<(u32, usize)> =
            children(0).map(|((_, place), child)| (place.line, *child)).collect();
        while let Some((line, place)) = pending.pop() {
            if let Some(counts) = self.counts[place] {
                // LLVM cuts these counts to 32 bits.
                let outcomes = counts.map(|count| Some(u64::from(count as u32)));
                lines.push(BranchLine { line, outcomes });
            }
            pending.extend(children(place).map(|(_, child)| (line, *child)));
        }
        lines
    }
}

/// The lines with conditions of a file, in ascending order: its own `branches`, and those that the expansions of `functions` in
/// their main files, which are given too, lead to. Folded conditions are left out.
///
/// The rule is that of LLVM 21 and later with instantiations unified: conditions at the same place are one.
pub fn branch_lines<'a>(
    branches: &[CountedBranch],
    functions: impl Iterator<Item = (&'a FunctionRecord, u32)>,
) -> Vec<BranchLine> {
    let mut places = Places::default();
    let root = 0;
    places.counts.push(None);
    for branch in branches.iter().filter(|branch| !branch.is_folded()) {
        let place = places.within(root, branch.start);
        places.add(place, branch);
    }
    for (function, main) in functions {
        let mut expansions = Expansions::of(function);
        for region in function.expansions_in(main) {
            let place = places.within(root, region.range.start);
            expansions.visit(region.expanded_file_id, place, &mut |step| match step {
                Step::Into(around, position) => places.within(around, position),
                Step::Branches(place, branches) => {
                    branches.iter().for_each(|branch| places.add(place, branch));
                    place
                }
            });
        }
    }
    places.into_lines()
}

/// The expansions of a function, each of which is followed once. Clang gives each a file of its own; anything else is damage, and
/// what a second expansion leads to is part of the first.
pub struct Expansions<'a> {
    function: &'a FunctionRecord,
    is_visited: Vec<bool>,
    depth: usize,
}

/// What is met on the way through expansions, with the place of the expansion that it is in.
enum Step<'a> {
    /// An expansion that begins here; its own place is wanted.
    Into(usize, Position),
    /// Conditions.
    Branches(usize, &'a [CountedBranch]),
}

impl<'a> Expansions<'a> {
    /// None is followed yet.
    pub fn of(function: &'a FunctionRecord) -> Expansions<'a> {
        Expansions { function, is_visited: vec![false; function.filenames.len()], depth: 0 }
    }

    /// The branches that an expansion leads to: those of nested expansions first.
    pub fn branches(&mut self, expanded_file_id: u32) -> Vec<CountedBranch> {
        let mut found = Vec::new();
        self.visit(expanded_file_id, 0, &mut |step| {
            if let Step::Branches(_, branches) = step {
                found.extend_from_slice(branches);
            }
            0
        });
        found
    }

    fn visit(&mut self, file_id: u32, place: usize, meet: &mut dyn FnMut(Step<'a>) -> usize) {
        let Some(is_visited @ false) = self.is_visited.get_mut(file_id as usize) else { return };
        if self.depth >= MOST_NESTED {
            return;
        }
        *is_visited = true;
        self.depth += 1;
        let function = self.function;
        for expansion in function.expansions_in(file_id) {
            let inner = meet(Step::Into(place, expansion.range.start));
            self.visit(expansion.expanded_file_id, inner, meet);
        }
        self.depth -= 1;
        meet(Step::Branches(place, function.branches_in(file_id)));
    }
}

#[cfg(test)]
mod tests {
    use super::{Expansions, branch_lines, united_branch_lines};
    use crate::coverage::function::{CountedBranch, CountedRegion, FunctionRecord};
    use crate::coverage::segment::{CountedKind, CountedRange};
    use crate::format::covfun::Position;

    fn position(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    fn branch(file_id: u32, line: u32, column: u32, when_true: u64, when_false: u64) -> CountedBranch {
        CountedBranch {
            start: position(line, column),
            end: position(line, column + 1),
            when_true,
            when_false,
            true_folded: false,
            false_folded: false,
            is_mcdc: false,
            file_id,
        }
    }

    fn folded(branch: CountedBranch) -> CountedBranch {
        CountedBranch { true_folded: true, false_folded: true, ..branch }
    }

    fn expansion(file_id: u32, line: u32, expanded_file_id: u32) -> CountedRegion {
        let (start, end) = (position(line, 5), position(line, 9));
        CountedRegion {
            range: CountedRange { start, end, kind: CountedKind::Expansion, count: 1 },
            file_id,
            expanded_file_id,
        }
    }

    /// A function whose file 0 expands to file 1 on line 10, which expands to file 2.
    fn function() -> FunctionRecord {
        FunctionRecord {
            name: (*b"f").into(),
            filenames: [0, 1, 1].into(),
            regions: vec![expansion(0, 10, 1), expansion(1, 3, 2)],
            branches: vec![
                branch(1, 4, 1, 5, 6),
                branch(1, 4, 9, 7, 8),
                folded(branch(1, 5, 1, 0, 0)),
                branch(2, 1, 1, 1, 2),
            ],
            decisions: Vec::new(),
            execution_count: 1,
        }
    }

    fn describe(branches: &[CountedBranch], function: Option<&FunctionRecord>) -> Vec<(u32, u64, u64)> {
        let lines = branch_lines(branches, function.into_iter().map(|function| (function, 0)));
        lines
            .iter()
            .map(|line| (line.line, line.outcomes[0].unwrap_or(99), line.outcomes[1].unwrap_or(99)))
            .collect()
    }

    #[test]
    fn conditions_at_one_place_are_one() {
        let branches =
            [branch(0, 7, 3, 1, 0), branch(0, 2, 9, 4, 4), branch(0, 7, 3, 2, 5), branch(0, 7, 1, 9, 9)];
        assert_eq!(describe(&branches, None), [(2, 4, 4), (7, 9, 9), (7, 3, 5)]);
        assert_eq!(describe(&[folded(branch(0, 1, 1, 0, 0))], None), []);
    }

    #[test]
    fn conditions_of_one_expansion_are_one_on_its_line() {
        // As in LLVM, which tells conditions in an expansion apart by the way to the expansion alone.
        let own = [branch(0, 10, 1, 3, 3)];
        assert_eq!(describe(&own, Some(&function())), [(10, 3, 3), (10, 12, 14), (10, 1, 2)]);
    }

    #[test]
    fn the_union_reports_possible_outcomes_in_full() {
        let half = CountedBranch { false_folded: true, ..branch(0, 3, 1, 1 << 40, 0) };
        let lines = united_branch_lines(&[branch(0, 2, 1, 1, 0), half, folded(branch(0, 4, 1, 0, 0))]);
        let found: Vec<_> = lines.iter().map(|line| (line.line, line.outcomes)).collect();
        assert_eq!(found, [(2, [Some(1), Some(0)]), (3, [Some(1 << 40), None])]);
        let cut = branch_lines(&[branch(0, 2, 1, (1 << 32) + 5, 1 << 32)], std::iter::empty());
        assert_eq!(cut[0].outcomes, [Some(5), Some(0)]);
    }

    #[test]
    fn an_expansions_conditions_come_innermost_first() {
        let found: Vec<_> = Expansions::of(&function())
            .branches(1)
            .iter()
            .map(|branch| (branch.file_id, branch.when_true))
            .collect();
        assert_eq!(found, [(2, 1), (1, 5), (1, 7), (1, 0)]);
    }

    #[test]
    fn expansions_that_run_in_circles_end() {
        let mut function = function();
        function.regions.push(expansion(2, 1, 1));
        assert_eq!(Expansions::of(&function).branches(1).len(), 4);
        assert_eq!(describe(&[], Some(&function)).len(), 2);
    }

    /// Each expansion of the same file again would take the square of their number, and of these a power.
    #[test]
    fn expansions_of_the_same_file_are_followed_once() {
        let n_files = 900;
        let mut function = function();
        function.filenames = vec![0; n_files as usize].into();
        let twice = |file_id| (1..=20).map(move |line| expansion(file_id, line, file_id + 1));
        function.regions = (0..n_files - 1).flat_map(twice).collect();
        function.branches = vec![branch(n_files - 1, 1, 1, 3, 4); 10];
        assert_eq!(describe(&[], Some(&function)), [(1, 30, 40)]);
        assert_eq!(Expansions::of(&function).branches(1).len(), 10);
    }
}
