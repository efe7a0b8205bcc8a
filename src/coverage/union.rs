//! The union: one entry for each source position, over all instantiations, builds and binaries.
//!
//! Regions are one if they have the same file, span and kind; their counts add up. All numbers of a file follow from
//! these regions and from the one line model. Lines are LLVM's: the ranges that LLVM's file view combines are the same,
//! save for functions that LLVM leaves out although their counts are known.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::HashMap;

use super::counter::Evaluator;
use super::demangle::demangle;
use super::function::{CountedBranch, CountedRegion, FunctionRecord, count_regions};
use super::llvm::omitted_function;
use super::map::{CoverageMap, MappingIndex, PathIndex};
use super::profile::Profile;
use super::segment::{CountedKind, CountedRange, segments, sort_and_combine};
use super::summary::Ratio;
use super::{Coverage, FileCoverage, Model, Omissions, Summary, branch, branch_ratio, filenames, line_ratio};
use crate::format::covfun::{Counter, Mapping, Position};

/// Evaluates all functions in files that count. `place` tells for a path as the compiler stored it under which path it
/// is reported, or `None` if it does not count; paths that are reported alike are one file.
pub fn evaluate(map: &CoverageMap, profile: &Profile, place: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Coverage {
    let mut files = PlacedFiles::new(map, place);
    let mut omissions = Omissions::default();
    let mut counter = FunctionCounter {
        map,
        profile,
        seen: HashMap::new(),
        mapping: Mapping::default(),
        evaluator: Evaluator::default(),
    };
    let objects = first_objects(map);
    for index in 0..map.mappings.len() as MappingIndex {
        match counter.count(index, &files) {
            Ok(Some(counted)) => files.add(map.mappings[index as usize].name_ref, counted),
            Ok(None) => {}
            Err(reason) => {
                let object = objects.get(&index).copied().unwrap_or_default();
                omissions.malformed.push(omitted_function(map, object, index, reason));
            }
        }
    }

    let mut functions = Vec::new();
    let mut totals = Summary::EMPTY;
    let mut paths = Vec::with_capacity(files.files.len());
    let mut reported = Vec::with_capacity(files.files.len());
    for (index, (path, parts)) in files.into_sorted().into_iter().enumerate() {
        paths.push(path.clone());
        let file = file_coverage(path, index as PathIndex, parts, &mut functions, map);
        totals += file.summary;
        reported.push(file);
    }
    Coverage { model: Model::Union, paths, files: reported, functions, totals, omissions }
}

/// The position of the first object that holds each mapping, for messages.
fn first_objects(map: &CoverageMap) -> HashMap<MappingIndex, usize> {
    let mut objects = HashMap::new();
    for (object, mappings) in map.objects.iter().enumerate() {
        for &index in mappings {
            objects.entry(index).or_insert(object);
        }
    }
    objects
}

/// The files that count, and what was found in them so far.
struct PlacedFiles {
    /// For each path of the map, the file that it is reported as.
    placed: Vec<Option<usize>>,
    files: Vec<(Box<[u8]>, FileParts)>,
}

/// What the functions of all objects say about one file.
#[derive(Default)]
struct FileParts {
    regions: Vec<CountedRegion>,
    branches: Vec<CountedBranch>,
    instances: Vec<Instance>,
}

/// A function as one object has it.
struct Instance {
    name_ref: u64,
    start: Position,
    execution_count: u64,
    /// Its regions and branches among those of the file.
    regions: (u32, u32),
    branches: (u32, u32),
}

/// A function's regions and branches, each with the file that it is reported in.
struct CountedFunction {
    files: Vec<Option<usize>>,
    regions: Vec<CountedRegion>,
    branches: Vec<CountedBranch>,
}

impl PlacedFiles {
    fn new(map: &CoverageMap, place: impl Fn(&[u8]) -> Option<Vec<u8>>) -> PlacedFiles {
        let mut files: Vec<(Box<[u8]>, FileParts)> = Vec::new();
        let mut known: HashMap<Box<[u8]>, usize> = HashMap::new();
        let placed = map.paths.iter().map(|path| {
            let path = place(path)?.into_boxed_slice();
            Some(*known.entry(path).or_insert_with_key(|path| {
                files.push((path.clone(), FileParts::default()));
                files.len() - 1
            }))
        });
        let placed = placed.collect();
        PlacedFiles { placed, files }
    }

    fn add(&mut self, name_ref: u64, function: CountedFunction) {
        let CountedFunction { files, regions, branches } = function;
        let main = files.first().copied().flatten();
        let start = regions.first().map(|region| region.range);
        let at = |parts: &FileParts| (parts.regions.len() as u32, parts.branches.len() as u32);
        let begin = main.map(|main| at(&self.files[main].1));
        for region in regions {
            if let Some(Some(file)) = files.get(region.file_id as usize) {
                self.files[*file].1.regions.push(region);
            }
        }
        for branch in branches {
            if let Some(Some(file)) = files.get(branch.file_id as usize) {
                self.files[*file].1.branches.push(branch);
            }
        }
        if let (Some(main), Some(begin), Some(first)) = (main, begin, start) {
            let parts = &mut self.files[main].1;
            let end = at(parts);
            parts.instances.push(Instance {
                name_ref,
                start: first.start,
                execution_count: first.count,
                regions: (begin.0, end.0),
                branches: (begin.1, end.1),
            });
        }
    }

    /// The files with anything in them, in ascending order of their paths.
    fn into_sorted(self) -> Vec<(Box<[u8]>, FileParts)> {
        let mut files = self.files;
        files.retain(|(_, parts)| !parts.regions.is_empty());
        files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        files
    }
}

struct FunctionCounter<'a> {
    map: &'a CoverageMap,
    profile: &'a Profile,
    /// The files of the functions counted so far.
    seen: HashMap<(u64, u64), Vec<Vec<PathIndex>>>,
    mapping: Mapping,
    evaluator: Evaluator,
}

impl FunctionCounter<'_> {
    /// Counts a function; `None` if none of it is in a file that counts.
    ///
    /// # Errors
    /// The reason for which the function cannot be counted, as a fragment behind a colon.
    fn count(&mut self, index: MappingIndex, files: &PlacedFiles) -> Result<Option<CountedFunction>, String> {
        let record = &self.map.mappings[index as usize];
        let table = self.map.table_of(record).ok_or("its table of file names is damaged")?;
        if table.iter().all(|&path| files.placed[path as usize].is_none()) {
            return Ok(None);
        }
        self.mapping.parse_into(self.map.bytes_of(record), table.len()).map_err(|error| error.to_string())?;
        let names = filenames(self.map, record, &self.mapping.files).unwrap_or_default();
        // The same function, seen through another table of file names: its profile is the same one.
        let seen = self.seen.entry((record.name_ref, record.func_hash)).or_default();
        if seen.contains(&names) {
            return Ok(None);
        }
        let placed: Vec<_> = names.iter().map(|&path| files.placed[path as usize]).collect();
        if placed.iter().all(Option::is_none) {
            return Ok(None);
        }
        seen.push(names);
        let counts = self.profile.counts(record.name_ref, record.func_hash);
        // As in LLVM: a lone region that never runs, in a function that did, stands for code that is elsewhere.
        if let [region] = self.mapping.regions[..] {
            let ran = counts.is_some_and(|counts| counts.first().is_some_and(|&count| count > 0));
            if ran && region.counter == Counter::Zero {
                return Ok(None);
            }
        }
        let (regions, branches) = count_regions(&self.mapping, counts, &mut self.evaluator)
            .map_err(|_| "it refers to counters that its profile does not have")?;
        Ok(Some(CountedFunction { files: placed, regions, branches }))
    }
}

fn file_coverage(
    path: Box<[u8]>,
    index: PathIndex,
    parts: FileParts,
    functions: &mut Vec<FunctionRecord>,
    map: &CoverageMap,
) -> FileCoverage {
    let first_function = functions.len() as u32;
    functions.extend(merged_functions(&parts, index, map));
    let own_functions = first_function..functions.len() as u32;

    let FileParts { regions, mut branches, .. } = parts;
    let mut ranges: Vec<CountedRange> = regions.into_iter().map(|region| region.range).collect();
    sort_and_combine(&mut ranges);
    combine_branches(&mut branches);
    let segments = segments(&ranges);
    let mut summary = Summary::EMPTY;
    summary.lines = line_ratio(&segments);
    for range in ranges.iter().filter(|range| range.kind == CountedKind::Code) {
        summary.regions += Ratio { covered: u64::from(range.count > 0), count: 1 };
    }
    for function in &functions[first_function as usize..] {
        summary.functions += Ratio { covered: u64::from(function.execution_count > 0), count: 1 };
    }
    summary.instantiations = summary.functions;
    summary.branches = branch_ratio(branches.iter());
    FileCoverage {
        path,
        segments,
        functions: own_functions.collect(),
        branch_lines: branch::branch_lines(&branches, std::iter::empty()),
        branches,
        expansions: Vec::new(),
        summary,
    }
}

/// Joins conditions at the same span. An outcome is folded only if every instantiation folded it.
fn combine_branches(branches: &mut Vec<CountedBranch>) {
    for branch in branches.iter_mut() {
        branch.file_id = 0;
    }
    branches.sort_by_key(|branch| (branch.start, Reverse(branch.end), branch.is_mcdc));
    branches.dedup_by(|later, first| {
        let same = later.start == first.start && later.end == first.end && later.is_mcdc == first.is_mcdc;
        if same {
            first.when_true = first.when_true.wrapping_add(later.when_true);
            first.when_false = first.when_false.wrapping_add(later.when_false);
            first.true_folded &= later.true_folded;
            first.false_folded &= later.false_folded;
        }
        same
    });
}

/// The functions of a file: instances that begin at the same place are one, in the order of their places.
fn merged_functions(parts: &FileParts, index: PathIndex, map: &CoverageMap) -> Vec<FunctionRecord> {
    let symbol = |name_ref: u64| map.name(name_ref).unwrap_or_default();
    let mut groups: BTreeMap<Position, Vec<&Instance>> = BTreeMap::new();
    for instance in &parts.instances {
        groups.entry(instance.start).or_default().push(instance);
    }
    let merged = groups.into_values().map(|group| {
        // Copies of one function differ in what stands for its parameters. The shortest symbol says the least about one
        // copy; ties go by the alphabet, so that the choice does not depend on the order of objects.
        let symbols = group.iter().map(|instance| symbol(instance.name_ref));
        let shortest = symbols.min_by_key(|symbol| (symbol.len(), *symbol)).unwrap_or_default();

        let mut regions: Vec<CountedRegion> = Vec::new();
        let mut branches: Vec<CountedBranch> = Vec::new();
        let mut execution_count = 0_u64;
        for instance in group {
            execution_count = execution_count.wrapping_add(instance.execution_count);
            regions.extend(&parts.regions[instance.regions.0 as usize..instance.regions.1 as usize]);
            branches.extend(&parts.branches[instance.branches.0 as usize..instance.branches.1 as usize]);
        }
        let mut ranges: Vec<CountedRange> = regions.iter().map(|region| region.range).collect();
        sort_and_combine(&mut ranges);
        combine_branches(&mut branches);
        let counted = |range| CountedRegion { range, file_id: 0, expanded_file_id: 0 };
        FunctionRecord {
            name: demangle(shortest).into(),
            filenames: [index].into(),
            regions: ranges.into_iter().map(counted).collect(),
            branches,
            execution_count,
        }
    });
    merged.collect()
}
