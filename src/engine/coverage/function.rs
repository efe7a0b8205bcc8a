//! One function: its decoded mapping and its counts become counted regions and branches.

use std::sync::Arc;

use super::counter::{CounterError, Evaluator};
use super::map::PathIndex;
use super::mcdc::McdcRecord;
use super::segment::{CountedKind, CountedRange};
use crate::format::covfun::{Counter, Mapping, Position, RegionKind};

/// A region with its count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountedRegion {
    /// Where it is, what it stands for, how often it ran.
    pub range: CountedRange,
    /// Index into the function's `filenames`.
    pub file_id: u32,
    /// For an expansion, the index into the function's `filenames` of what it expands to; else 0.
    pub expanded_file_id: u32,
}

/// A condition with the counts of its two outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedBranch {
    /// The first byte of the condition.
    pub start: Position,
    /// The first byte behind the condition.
    pub end: Position,
    /// How often it was true.
    pub when_true: u64,
    /// How often it was false.
    pub when_false: u64,
    /// It can never be true: the compiler folded the outcome away.
    pub true_folded: bool,
    /// It can never be false.
    pub false_folded: bool,
    /// Whether the condition takes part in an MC/DC decision.
    pub is_mcdc: bool,
    /// Index into the function's `filenames`.
    pub file_id: u32,
}

impl CountedBranch {
    /// Whether neither outcome is possible, so that no report mentions the branch.
    pub fn is_folded(&self) -> bool {
        self.true_folded && self.false_folded
    }
}

/// A function with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionRecord {
    /// The name: mangled in LLVM's model, readable in the union.
    pub name: Box<[u8]>,
    /// The files that the function has code in, as indices into [`Coverage::paths`](super::Coverage::paths).
    pub filenames: Arc<[PathIndex]>,
    /// The regions in the order of the mapping, so file by file.
    pub regions: Vec<CountedRegion>,
    /// The branches in the order of the mapping, so file by file.
    pub branches: Vec<CountedBranch>,
    /// The decisions in the order in which the mapping completes them. LLVM's model only: over several instantiations or builds
    /// of one function there is no rule for what was shown of a condition.
    pub decisions: Vec<McdcRecord>,
    /// How often the function was entered: the count of its first region.
    pub execution_count: u64,
}

/// Counts a mapping's regions and branches. Without `counts` the function never ran in any process that left a profile,
/// and everything is zero.
///
/// # Errors
/// Counters that the profile does not have, expressions that depend on themselves. LLVM leaves the function out.
pub fn count_regions(
    mapping: &Mapping,
    counts: Option<&[u64]>,
    evaluator: &mut Evaluator,
) -> Result<(Vec<CountedRegion>, Vec<CountedBranch>), CounterError> {
    evaluator.start(mapping.expressions.len());
    let mut count = |counter: Counter| match counts {
        Some(counts) => evaluator.evaluate(counter, &mapping.expressions, counts),
        None => Ok(0),
    };
    let mut regions = Vec::with_capacity(mapping.regions.len());
    let mut branches = Vec::new();
    for region in &mapping.regions {
        let (kind, expanded_file_id) = match region.kind {
            RegionKind::Code => (CountedKind::Code, 0),
            RegionKind::Skipped => (CountedKind::Skipped, 0),
            RegionKind::Gap => (CountedKind::Gap, 0),
            RegionKind::Expansion { expanded_file_id } => (CountedKind::Expansion, expanded_file_id),
            // The decision as a whole is not a region: its conditions are.
            RegionKind::McdcDecision { .. } => continue,
            RegionKind::Branch { when_false } | RegionKind::McdcBranch { when_false, .. } => {
                branches.push(CountedBranch {
                    start: region.start,
                    end: region.end,
                    when_true: count(region.counter)?,
                    when_false: count(when_false)?,
                    true_folded: region.counter == Counter::Zero,
                    false_folded: when_false == Counter::Zero,
                    is_mcdc: matches!(region.kind, RegionKind::McdcBranch { .. }),
                    file_id: region.file_id,
                });
                continue;
            }
        };
        let count = count(region.counter)?;
        let range = CountedRange { start: region.start, end: region.end, kind, count };
        regions.push(CountedRegion { range, file_id: region.file_id, expanded_file_id });
    }
    Ok((regions, branches))
}

impl FunctionRecord {
    /// The file that the function itself stands in, as opposed to what it expands: the first one that no expansion
    /// refers to. `None` in mappings that make no sense.
    pub fn main_file_id(&self) -> Option<u32> {
        let mut is_expanded = vec![false; self.filenames.len()];
        for region in self.regions.iter().filter(|region| region.range.kind == CountedKind::Expansion) {
            if let Some(is_expanded) = is_expanded.get_mut(region.expanded_file_id as usize) {
                *is_expanded = true;
            }
        }
        is_expanded.iter().position(|is_expanded| !is_expanded).map(|file_id| file_id as u32)
    }

    /// The line on which the function begins, 1-based.
    pub fn start_line(&self) -> u32 {
        self.regions.first().map_or(0, |region| region.range.start.line)
    }

    /// The regions of one of the function's files.
    pub fn regions_in(&self, file_id: u32) -> &[CountedRegion] {
        let first = self.regions.partition_point(|region| region.file_id < file_id);
        let behind = self.regions.partition_point(|region| region.file_id <= file_id);
        self.regions.get(first..behind).unwrap_or_default()
    }

    /// The branches of one of the function's files.
    pub fn branches_in(&self, file_id: u32) -> &[CountedBranch] {
        let first = self.branches.partition_point(|branch| branch.file_id < file_id);
        let behind = self.branches.partition_point(|branch| branch.file_id <= file_id);
        self.branches.get(first..behind).unwrap_or_default()
    }

    /// The expansions that begin in one of the function's files.
    pub fn expansions_in(&self, file_id: u32) -> impl Iterator<Item = &CountedRegion> {
        self.regions_in(file_id).iter().filter(|region| region.range.kind == CountedKind::Expansion)
    }
}
