//! Branches as LCOV wants them: by line, the same condition of all instantiations as one.

use super::function::{CountedBranch, FunctionRecord};
use crate::format::covfun::Position;

/// Expansions below one expansion that are followed.
const MAX_NESTED_EXPANSIONS: usize = 1000;

/// A condition on a line, summed over all instantiations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchLine {
    /// The line of the condition, or of the outermost expansion that it comes from. 1-based.
    pub line: u32,
    /// How often it was true.
    pub when_true: u64,
    /// How often it was false.
    pub when_false: u64,
}

/// A condition and the way to it: the starts of the expansions around it, outermost first, then its own.
struct LocatedBranch {
    path: Vec<Position>,
    position: usize,
    when_true: u64,
    when_false: u64,
}

/// The lines with conditions of a file, in ascending order: its own `branches`, and those that its `expansions` (each
/// with the function that it belongs to) lead to. Folded conditions are left out.
///
/// The rule is that of LLVM 21 and later with instantiations unified: conditions that start at the same place are one.
pub fn branch_lines<'a>(
    branches: &[CountedBranch],
    expansions: impl Iterator<Item = (&'a FunctionRecord, u32, Position)>,
) -> Vec<BranchLine> {
    let mut located = Vec::new();
    push_branches(&mut located, &[], branches.iter());
    for (function, expanded_file_id, start) in expansions {
        let mut visited = Vec::new();
        push_expansion(&mut located, function, expanded_file_id, &mut vec![start], &mut visited);
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
        when_true: branch.when_true,
        when_false: branch.when_false,
    };
    located.iter().map(line).collect()
}

fn push_branches<'a>(
    located: &mut Vec<LocatedBranch>,
    around: &[Position],
    branches: impl Iterator<Item = &'a CountedBranch>,
) {
    for (position, branch) in branches.enumerate() {
        if !branch.is_folded() {
            located.push(LocatedBranch {
                path: around.iter().copied().chain([branch.start]).collect(),
                position,
                when_true: branch.when_true,
                when_false: branch.when_false,
            });
        }
    }
}

fn push_expansion(
    located: &mut Vec<LocatedBranch>,
    function: &FunctionRecord,
    file_id: u32,
    path: &mut Vec<Position>,
    visited: &mut Vec<u32>,
) {
    // Clang gives each expansion a file of its own. Anything else is damage, which must not recurse without end.
    if visited.len() >= MAX_NESTED_EXPANSIONS || visited.contains(&file_id) {
        return;
    }
    visited.push(file_id);
    for expansion in function.expansions_in(file_id) {
        path.push(expansion.range.start);
        push_expansion(located, function, expansion.expanded_file_id, path, visited);
        path.pop();
    }
    push_branches(located, path, function.branches_in(file_id));
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
