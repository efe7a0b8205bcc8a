//! Branches as LCOV wants them: by line, the same condition of all instantiations as one.

use super::function::{CountedBranch, FunctionRecord};
use crate::format::covfun::Position;

/// Expansions below one expansion that are followed.
const MAX_NESTED_EXPANSIONS: usize = 1000;

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

/// A condition and the way to it.
struct LocatedBranch {
    /// The condition's start, or, if it is in an expansion, the starts of the expansions around it, outermost first. All
    /// conditions of one expansion have the same path, and thus are one, as LLVM has it.
    path: Vec<Position>,
    position: usize,
    when_true: u64,
    when_false: u64,
}

impl LocatedBranch {
    fn new(branch: &CountedBranch, path: Vec<Position>, position: usize) -> LocatedBranch {
        LocatedBranch { path, position, when_true: branch.when_true, when_false: branch.when_false }
    }
}

/// The lines with conditions of a file, in ascending order: its own `branches`, and those that its `expansions` (each
/// with the function that it belongs to) lead to. Folded conditions are left out.
///
/// The rule is that of LLVM 21 and later with instantiations unified: conditions with the same path are one.
pub fn branch_lines<'a>(
    branches: &[CountedBranch],
    expansions: impl Iterator<Item = (&'a FunctionRecord, u32, Position)>,
) -> Vec<BranchLine> {
    let own = branches.iter().filter(|branch| !branch.is_folded());
    let mut located: Vec<LocatedBranch> = own
        .enumerate()
        .map(|(position, branch)| LocatedBranch::new(branch, vec![branch.start], position))
        .collect();
    let mut position = 0;
    for (function, expanded_file_id, start) in expansions {
        let mut visited = Vec::new();
        push_expansion(
            &mut located,
            function,
            expanded_file_id,
            &mut vec![start],
            &mut position,
            &mut visited,
        );
    }
    located.sort_by(|a, b| a.path.cmp(&b.path).then(a.position.cmp(&b.position)));
    located.dedup_by(|later, first| {
        let same = later.path == first.path;
        if same {
            first.when_true = first.when_true.wrapping_add(later.when_true);
            first.when_false = first.when_false.wrapping_add(later.when_false);
        }
        same
    });
    let line = |branch: &LocatedBranch| BranchLine {
        line: branch.path.first().map_or(0, |start| start.line),
        // LLVM cuts these counts to 32 bits.
        outcomes: [branch.when_true, branch.when_false].map(|count| Some(u64::from(count as u32))),
    };
    located.iter().map(line).collect()
}

fn push_expansion(
    located: &mut Vec<LocatedBranch>,
    function: &FunctionRecord,
    file_id: u32,
    path: &mut Vec<Position>,
    position: &mut usize,
    visited: &mut Vec<u32>,
) {
    // Clang gives each expansion a file of its own. Anything else is damage, which must not recurse without end.
    if visited.len() >= MAX_NESTED_EXPANSIONS || visited.contains(&file_id) {
        return;
    }
    visited.push(file_id);
    for expansion in function.expansions_in(file_id) {
        path.push(expansion.range.start);
        push_expansion(located, function, expansion.expanded_file_id, path, position, visited);
        path.pop();
    }
    for branch in function.branches_in(file_id) {
        if !branch.is_folded() {
            located.push(LocatedBranch::new(branch, path.clone(), *position));
        }
        *position += 1;
    }
}

/// The branches that an expansion of `function` leads to: those of nested expansions first.
pub fn expanded_branches(function: &FunctionRecord, file_id: u32) -> Vec<CountedBranch> {
    let mut branches = Vec::new();
    collect_expanded(function, file_id, &mut branches, &mut Vec::new());
    branches
}

fn collect_expanded(
    function: &FunctionRecord,
    file_id: u32,
    branches: &mut Vec<CountedBranch>,
    visited: &mut Vec<u32>,
) {
    if visited.len() >= MAX_NESTED_EXPANSIONS || visited.contains(&file_id) {
        return;
    }
    visited.push(file_id);
    for expansion in function.expansions_in(file_id) {
        collect_expanded(function, expansion.expanded_file_id, branches, visited);
    }
    branches.extend(function.branches_in(file_id));
}

#[cfg(test)]
mod tests {
    use super::{branch_lines, expanded_branches, united_branch_lines};
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
        let expansions = function.into_iter().flat_map(|function| {
            function
                .expansions_in(0)
                .map(move |region| (function, region.expanded_file_id, region.range.start))
        });
        let lines = branch_lines(branches, expansions);
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
        let found: Vec<_> = expanded_branches(&function(), 1)
            .iter()
            .map(|branch| (branch.file_id, branch.when_true))
            .collect();
        assert_eq!(found, [(2, 1), (1, 5), (1, 7), (1, 0)]);
    }

    #[test]
    fn expansions_that_run_in_circles_end() {
        let mut function = function();
        function.regions.push(expansion(2, 1, 1));
        assert_eq!(expanded_branches(&function, 1).len(), 4);
        assert_eq!(describe(&[], Some(&function)).len(), 2);
    }
}
