//! What the bytes mean: counts, regions, segments, lines, functions, branches, totals.
//!
//! Pure functions on structs. No I/O, no text for people, no knowledge of cargo or of reports.

pub mod branch;
pub mod counter;
pub mod cut;
pub mod demangle;
pub mod function;
pub mod line;
pub mod llvm;
pub mod map;
pub mod mcdc;
pub mod portable;
pub mod profile;
pub mod segment;
pub mod summary;
pub mod symbol;
pub mod union;

#[cfg(test)]
mod tests;

use std::ops::AddAssign;

use branch::BranchLine;
use function::{CountedBranch, CountedRegion, FunctionRecord};
use line::Lines;
use map::{CoverageMap, PathIndex};
use segment::CoverageSegment;
use summary::Ratio;

/// How counts of the same source become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Each source position once, over all instantiations, builds and binaries.
    Union,
    /// As `llvm-cov` does it, to the byte.
    Llvm,
}

/// Everything that is known about the files that count.
#[derive(Debug)]
pub struct Coverage {
    /// Which model the numbers follow.
    pub model: Model,
    /// What [`FunctionRecord::filenames`] refers to.
    pub paths: Vec<Box<[u8]>>,
    /// The files that count, in ascending order of their paths' bytes.
    pub files: Vec<FileCoverage>,
    /// The functions: in LLVM's model those of all files, in the order of the objects; in the union those of the files
    /// that count, in the order of their places.
    pub functions: Vec<FunctionRecord>,
    /// The sums over all files.
    pub totals: Summary,
    /// What was left out and why.
    pub omissions: Omissions,
}

/// One source file.
#[derive(Debug)]
pub struct FileCoverage {
    /// The path as reports show it.
    pub path: Box<[u8]>,
    /// The flat sequence of counts.
    pub segments: Vec<CoverageSegment>,
    /// The functions of this file, as indices into [`Coverage::functions`].
    pub functions: Vec<u32>,
    /// The conditions, folded ones included.
    pub branches: Vec<CountedBranch>,
    /// The conditions by line.
    pub branch_lines: Vec<BranchLine>,
    /// The decisions of all functions with code in this file, as far as they stand here. LLVM's model only.
    pub decisions: Vec<DecisionIndex>,
    /// Macro invocations and included files, which rustc does not write.
    pub expansions: Vec<Expansion>,
    /// The file's numbers.
    pub summary: Summary,
}

impl FileCoverage {
    /// The mapped lines in ascending order.
    pub fn lines(&self) -> Lines<'_> {
        line::lines(&self.segments)
    }
}

/// Which decision of which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionIndex {
    /// Index into [`Coverage::functions`].
    pub function: u32,
    /// Index into [`FunctionRecord::decisions`].
    pub decision: u32,
}

/// A place where other source text is put in.
#[derive(Debug)]
pub struct Expansion {
    /// The place.
    pub region: CountedRegion,
    /// The function that it belongs to, as an index into [`Coverage::functions`].
    pub function: u32,
    /// The conditions in what is put in.
    pub branches: Vec<CountedBranch>,
}

/// The numbers of a file or of all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Mapped lines, and those with a count.
    pub lines: Ratio,
    /// Functions, and those that were entered.
    pub functions: Ratio,
    /// Copies of functions that the compiler made, and those that were entered. In the union each function is one.
    pub instantiations: Ratio,
    /// Code regions, and those that ran.
    pub regions: Ratio,
    /// Outcomes of conditions, and those that occurred.
    pub branches: Ratio,
    /// Conditions of decisions, and those that were seen to decide alone (MC/DC). LLVM's model only.
    pub mcdc: Ratio,
}

impl Summary {
    /// Nothing of nothing.
    pub const EMPTY: Summary = Summary {
        lines: Ratio::EMPTY,
        functions: Ratio::EMPTY,
        instantiations: Ratio::EMPTY,
        regions: Ratio::EMPTY,
        branches: Ratio::EMPTY,
        mcdc: Ratio::EMPTY,
    };
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.lines += other.lines;
        self.functions += other.functions;
        self.instantiations += other.instantiations;
        self.regions += other.regions;
        self.branches += other.branches;
        self.mcdc += other.mcdc;
    }
}

/// Functions and files that could not be counted, each kind of reason apart. Names are mangled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Omissions {
    /// Mappings that contradict the format, or refer to counters that the profile does not have.
    pub malformed: Vec<OmittedFunction>,
    /// LLVM's model only: the profile knows the name with another structural hash alone.
    pub mismatched: Vec<OmittedFunction>,
    /// LLVM's model only: an earlier object has a function of the same name, in another build, which stays in its place.
    pub shadowed: Vec<OmittedFunction>,
    /// Paths of files with more mapped lines than the maps can mean.
    pub oversized: Vec<Box<[u8]>>,
}

/// A function that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OmittedFunction {
    /// Its mangled name, empty if the object does not tell it.
    pub name: Box<[u8]>,
    /// Position of the object among those that were given.
    pub object: usize,
    /// Why, as a fragment behind a colon.
    pub reason: String,
    /// Where its code is: the path as the compiler stored it and the first and last line, where they could be read.
    pub place: Option<(Box<[u8]>, u32, u32)>,
}

/// Counts the branches' outcomes that are possible, and those that occurred.
fn branch_ratio<'a>(branches: impl Iterator<Item = &'a CountedBranch>) -> Ratio {
    let mut ratio = Ratio::EMPTY;
    for branch in branches {
        for (folded, count) in
            [(branch.true_folded, branch.when_true), (branch.false_folded, branch.when_false)]
        {
            if !folded {
                ratio += Ratio { covered: u64::from(count > 0), count: 1 };
            }
        }
    }
    ratio
}

/// The paths of a mapping's files; `None` if its table of file names is damaged.
fn filenames(map: &CoverageMap, record: &map::MappingRecord, files: &[u32]) -> Option<Vec<PathIndex>> {
    let table = map.table_of(record)?;
    files.iter().map(|&file| table.get(file as usize).copied()).collect()
}
