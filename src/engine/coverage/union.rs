//! The union: one entry for each source position, over all instantiations, builds and binaries.
//!
//! Regions are one if they have the same file, span and kind; their counts add up. All numbers of a file follow from
//! these regions and from the one line model. Lines are LLVM's: the ranges that LLVM's file view combines are the same,
//! save for functions that LLVM leaves out although their counts are known.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::counter::Evaluator;
use super::cut::{Cut, Cuts};
use super::demangle::demangle;
use super::function::{CountedBranch, CountedRegion, FunctionRecord, count_regions};
use super::llvm::omitted_function;
use super::map::{CoverageMap, MappingRecord, PathIndex, RefHasherBuilder};
use super::profile::Profile;
use super::segment::{CountedKind, CountedRange, segments, sort_and_combine};
use super::summary::Ratio;
use super::{
    Coverage, FileCoverage, Model, Omissions, OmittedFunction, Summary, branch, branch_ratio, cut, filenames,
    line, symbol,
};
use crate::format::covfun::{Counter, Mapping, Position};
use crate::parallel::map_in_order;

/// How to evaluate.
#[derive(Clone, Copy, Debug)]
pub struct UnionOptions {
    /// Threads to use.
    pub threads: usize,
    /// Whether functions shall have their regions and branches, which nothing but a list of functions needs.
    pub function_regions: bool,
    /// Leave out the code of doctests themselves. In editions before 2024 it is mapped to the lines of the comments that hold it, in
    /// the library's own files.
    pub without_doctest_code: bool,
}

/// Evaluates all functions in files that count. `place` tells for a path as the compiler
/// stored it under which path it is reported, or `None` if it does not count; paths that are reported alike are one
/// file. A file of which the `cuts` leave nothing does not count.
pub fn evaluate(
    map: &CoverageMap,
    profile: &Profile,
    options: UnionOptions,
    place: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
    cuts: &Cuts,
) -> Coverage {
    let threads = options.threads;
    let (placed, paths) = place_files(map, place);
    let counting_tables = counting_tables(map, &placed);
    let shares = (0..threads.max(1)).collect();
    let counted = map_in_order(shares, threads, |share| {
        let places = Places { placed: &placed, counting_tables: &counting_tables };
        let counter = FunctionCounter::new(map, profile, places, paths.len(), options);
        counter.count_share(share, threads.max(1))
    });

    let mut omissions = Omissions::default();
    let mut parts: Vec<FileParts> = paths.iter().map(|_| FileParts::default()).collect();
    for share in counted {
        omissions.malformed.extend(share.malformed);
        for (parts, more) in parts.iter_mut().zip(share.files) {
            parts.append(more);
        }
    }
    let mut sorted: Vec<(Box<[u8]>, PathIndex)> = paths.into_iter().zip(0..).collect();
    sorted.retain(|(_, index)| !parts[*index as usize].regions.is_empty());
    sorted.sort_unstable();

    let paths = sorted.iter().map(|(path, _)| path.clone()).collect();
    let take_parts = |index: PathIndex| std::mem::take(&mut parts[index as usize]);
    let in_order: Vec<FileParts> = sorted.iter().map(|(_, index)| *index).map(take_parts).collect();
    let numbered = (0..).zip(sorted.into_iter().map(|(path, _)| path).zip(in_order)).collect();
    let evaluated = map_in_order(numbered, threads, |(index, (path, parts))| {
        let cuts = cuts.get(&*path).map_or(&[][..], Vec::as_slice);
        file_coverage(path, index, parts, map, options, cuts)
    });
    let mut coverage = Coverage {
        model: Model::Union,
        paths,
        files: Vec::new(),
        functions: Vec::new(),
        totals: Summary::EMPTY,
        omissions,
    };
    for (mut file, functions) in evaluated.into_iter().flatten() {
        let n_lines = coverage.totals.lines.count.saturating_add(file.summary.lines.count);
        if n_lines > map.most_lines() {
            coverage.omissions.oversized.push(file.path);
            continue;
        }
        let first = coverage.functions.len() as u32;
        coverage.functions.extend(functions);
        file.functions = (first..coverage.functions.len() as u32).collect();
        coverage.totals += file.summary;
        coverage.files.push(file);
    }
    coverage
}

/// For each path of the map the file that it is reported as, and the paths of those files.
fn place_files(
    map: &CoverageMap,
    place: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
) -> (Vec<Option<usize>>, Vec<Box<[u8]>>) {
    let mut paths: Vec<Box<[u8]>> = Vec::new();
    let mut known: HashMap<Box<[u8]>, usize> = HashMap::new();
    let placed = map.paths.iter().map(|path| {
        let path = place(path)?.into_boxed_slice();
        Some(*known.entry(path).or_insert_with_key(|path| {
            paths.push(path.clone());
            paths.len() - 1
        }))
    });
    (placed.collect(), paths)
}

/// Which tables of file names have one that counts, by index: those of dependencies have none, and are not looked through for each of
/// their functions.
fn counting_tables(map: &CoverageMap, placed: &[Option<usize>]) -> Vec<bool> {
    let mut tables = vec![None; map.n_tables()];
    for record in &map.mappings {
        let Some(counts @ None) = tables.get_mut(record.table()) else { continue };
        let table = map.table_of(record);
        // One that is damaged is of interest, too.
        *counts = Some(table.is_none_or(|table| table.iter().any(|&path| placed[path as usize].is_some())));
    }
    tables.into_iter().map(|counts| counts.unwrap_or(false)).collect()
}

/// Where sources are reported.
#[derive(Clone, Copy)]
struct Places<'a> {
    /// For each path of the map its file, if that counts.
    placed: &'a [Option<usize>],
    /// See [`counting_tables`].
    counting_tables: &'a [bool],
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
    regions: Range<usize>,
    branches: Range<usize>,
}

impl FileParts {
    fn append(&mut self, mut more: FileParts) {
        let (n_regions, n_branches) = (self.regions.len(), self.branches.len());
        self.regions.append(&mut more.regions);
        self.branches.append(&mut more.branches);
        self.instances.extend(more.instances.into_iter().map(|instance| Instance {
            regions: instance.regions.start + n_regions..instance.regions.end + n_regions,
            branches: instance.branches.start + n_branches..instance.branches.end + n_branches,
            ..instance
        }));
    }

    /// Leaves out what lies in the cuts.
    fn cut_out(&mut self, cuts: &[Cut]) {
        let regions = retain(&mut self.regions, |region| {
            cut::without(cuts, region.range).is_some_and(|range| {
                region.range = range;
                true
            })
        });
        let branches = retain(&mut self.branches, |branch| !cut::is_cut(cuts, branch.start));
        self.instances.retain_mut(|instance| {
            instance.regions = regions[instance.regions.start]..regions[instance.regions.end];
            instance.branches = branches[instance.branches.start]..branches[instance.branches.end];
            !cut::is_cut(cuts, instance.start)
        });
    }
}

/// Keeps some of the items, and tells for each old position, the one behind the last included, the new one.
fn retain<T>(items: &mut Vec<T>, mut keeps: impl FnMut(&mut T) -> bool) -> Vec<usize> {
    let mut positions = Vec::with_capacity(items.len() + 1);
    positions.push(0);
    let mut kept = 0;
    items.retain_mut(|item| {
        let is_kept = keeps(item);
        kept += usize::from(is_kept);
        positions.push(kept);
        is_kept
    });
    positions
}

/// The position of the first object that holds each mapping.
fn first_objects(map: &CoverageMap) -> Vec<usize> {
    let mut first = vec![0; map.mappings.len()];
    for (object, mappings) in map.objects.iter().enumerate().rev() {
        for &index in mappings {
            first[index as usize] = object;
        }
    }
    first
}

/// Counts a share of the functions.
struct FunctionCounter<'a> {
    options: UnionOptions,
    map: &'a CoverageMap,
    profile: &'a Profile,
    places: Places<'a>,
    files: Vec<FileParts>,
    /// The functions counted so far, by name, hash and files.
    seen: HashSet<(u64, u64, Vec<PathIndex>), RefHasherBuilder>,
    mapping: Mapping,
    evaluator: Evaluator,
}

/// What came of a share of the functions.
struct Share {
    /// One for each file that counts.
    files: Vec<FileParts>,
    malformed: Vec<OmittedFunction>,
}

impl<'a> FunctionCounter<'a> {
    fn new(
        map: &'a CoverageMap,
        profile: &'a Profile,
        places: Places<'a>,
        n_files: usize,
        options: UnionOptions,
    ) -> FunctionCounter<'a> {
        FunctionCounter {
            options,
            map,
            profile,
            places,
            files: (0..n_files).map(|_| FileParts::default()).collect(),
            seen: HashSet::default(),
            mapping: Mapping::default(),
            evaluator: Evaluator::default(),
        }
    }

    /// Counts the functions whose names fall to this share of `n_shares`: all builds of a function to the same one.
    fn count_share(mut self, share: usize, n_shares: usize) -> Share {
        let mut malformed = Vec::new();
        let mut objects = None;
        for (index, record) in (0..).zip(&self.map.mappings) {
            if record.name_ref % n_shares as u64 != share as u64 {
                continue;
            }
            if let Err(reason) = self.count(record) {
                let objects = objects.get_or_insert_with(|| first_objects(self.map));
                malformed.push(omitted_function(self.map, objects[index as usize], index, reason));
            }
        }
        Share { files: self.files, malformed }
    }

    /// Counts a function and files it under its sources.
    ///
    /// # Errors
    /// The reason for which the function cannot be counted, as a fragment behind a colon.
    fn count(&mut self, record: &MappingRecord) -> Result<(), String> {
        let Places { placed, counting_tables } = self.places;
        if !counting_tables[record.table()] {
            return Ok(());
        }
        let table = self.map.table_of(record).ok_or("its table of file names is damaged")?;
        self.mapping.parse_into(self.map.bytes_of(record), table.len()).map_err(|error| error.to_string())?;
        let names = filenames(self.map, record, &self.mapping.files).unwrap_or_default();
        let files: Vec<_> = names.iter().map(|&path| placed[path as usize]).collect();
        if files.iter().all(Option::is_none) {
            return Ok(());
        }
        if self.options.without_doctest_code
            && self.map.name(record.name_ref).is_some_and(symbol::is_doctest_code)
        {
            return Ok(());
        }
        // The same function, seen through another table of file names: its profile is the same one.
        if !self.seen.insert((record.name_ref, record.func_hash, names)) {
            return Ok(());
        }
        let counts = self.profile.counts(record.name_ref, record.func_hash);
        // As in LLVM: a lone region that never runs, in a function that did, stands for code that is elsewhere.
        if let [region] = self.mapping.regions[..] {
            let ran = counts.is_some_and(|counts| counts.first().is_some_and(|&count| count > 0));
            if ran && region.counter == Counter::Zero {
                return Ok(());
            }
        }
        let (regions, branches) = count_regions(&self.mapping, counts, &mut self.evaluator)
            .map_err(|_| "it refers to counters that its profile does not have")?;
        self.add(record.name_ref, &files, &regions, &branches);
        Ok(())
    }

    fn add(
        &mut self,
        name_ref: u64,
        files: &[Option<usize>],
        regions: &[CountedRegion],
        branches: &[CountedBranch],
    ) {
        let main = files.first().copied().flatten();
        let ends =
            |files: &[FileParts]| main.map(|main| (files[main].regions.len(), files[main].branches.len()));
        let begin = ends(&self.files);
        for region in regions {
            if let Some(Some(file)) = files.get(region.file_id as usize) {
                self.files[*file].regions.push(*region);
            }
        }
        for branch in branches {
            if let Some(Some(file)) = files.get(branch.file_id as usize) {
                self.files[*file].branches.push(*branch);
            }
        }
        let end = ends(&self.files);
        if let (Some(main), Some(begin), Some(end), Some(first)) = (main, begin, end, regions.first()) {
            self.files[main].instances.push(Instance {
                name_ref,
                start: first.range.start,
                execution_count: first.range.count,
                regions: begin.0..end.0,
                branches: begin.1..end.1,
            });
        }
    }
}

/// A file and its functions; which numbers these have among all is not known yet. `None` if the cuts leave nothing.
fn file_coverage(
    path: Box<[u8]>,
    index: PathIndex,
    mut parts: FileParts,
    map: &CoverageMap,
    options: UnionOptions,
    cuts: &[Cut],
) -> Option<(FileCoverage, Vec<FunctionRecord>)> {
    let cuts = cut::effective(cuts, parts.regions.iter().map(|region| &region.range));
    if !cuts.is_empty() {
        parts.cut_out(&cuts);
        if parts.regions.is_empty() {
            return None;
        }
    }
    let mut functions = merged_functions(&parts, index, map, options.function_regions);
    if !options.function_regions {
        for function in &mut functions {
            function.regions.truncate(1);
        }
    }

    let FileParts { regions, mut branches, .. } = parts;
    let mut ranges: Vec<CountedRange> = regions.into_iter().map(|region| region.range).collect();
    cut::push_skipped(&cuts, &mut ranges);
    sort_and_combine(&mut ranges);
    combine_branches(&mut branches);
    let segments = segments(&ranges);
    let mut summary = Summary::EMPTY;
    summary.lines = line::ratio(&segments);
    for range in ranges.iter().filter(|range| range.kind == CountedKind::Code) {
        summary.regions += Ratio { covered: u64::from(range.count > 0), count: 1 };
    }
    for function in &functions {
        summary.functions += Ratio { covered: u64::from(function.execution_count > 0), count: 1 };
    }
    summary.instantiations = summary.functions;
    summary.branches = branch_ratio(branches.iter());
    let file = FileCoverage {
        path,
        segments,
        functions: Vec::new(),
        branch_lines: branch::united_branch_lines(&branches),
        branches,
        decisions: Vec::new(),
        expansions: Vec::new(),
        summary,
    };
    Some((file, functions))
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
///
/// Without `all_regions` each has the regions of one instance only, and no branches.
fn merged_functions(
    parts: &FileParts,
    index: PathIndex,
    map: &CoverageMap,
    all_regions: bool,
) -> Vec<FunctionRecord> {
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

        let mut ranges: Vec<CountedRange> = Vec::new();
        let mut branches: Vec<CountedBranch> = Vec::new();
        let mut execution_count = 0_u64;
        let mut end = Position { line: 0, column: 0 };
        for (position, instance) in group.into_iter().enumerate() {
            execution_count = execution_count.wrapping_add(instance.execution_count);
            let instance_end =
                parts.regions[instance.regions.clone()].iter().map(|region| region.range.end).max();
            end = end.max(instance_end.unwrap_or(end));
            if all_regions || position == 0 {
                ranges.extend(parts.regions[instance.regions.clone()].iter().map(|region| region.range));
            }
            if all_regions {
                branches.extend(&parts.branches[instance.branches.clone()]);
            }
        }
        if all_regions {
            sort_and_combine(&mut ranges);
            combine_branches(&mut branches);
        }
        let counted = |range| CountedRegion { range, file_id: 0, expanded_file_id: 0 };
        let function = FunctionRecord {
            name: demangle(shortest).into(),
            filenames: [index].into(),
            regions: ranges.into_iter().map(counted).collect(),
            branches,
            decisions: Vec::new(),
            execution_count,
        };
        (function, end)
    });
    let mut functions: Vec<FunctionRecord> = Vec::with_capacity(merged.size_hint().0);
    let mut outer_end = Position { line: 0, column: 0 };
    for (function, end) in merged {
        match functions.last_mut() {
            Some(outer) if is_async_body(outer, outer_end, &function) => {
                // What runs is the body: calling the function only makes the future.
                outer.execution_count = function.execution_count;
                outer.regions.extend(function.regions);
                outer.branches.extend(function.branches);
            }
            _ => functions.push(function),
        }
        outer_end = end;
    }
    tell_apart(&mut functions);
    functions
}

/// Adds the line to the name of each function whose name occurs before: variants for tests and for use, say. LCOV knows
/// functions by their names alone.
fn tell_apart(functions: &mut [FunctionRecord]) {
    let mut known: HashSet<Box<[u8]>> = HashSet::with_capacity(functions.len());
    for function in functions {
        if known.contains(&function.name) {
            let line = format!(":{}", function.start_line());
            function.name = [&function.name, line.as_bytes()].concat().into();
        }
        known.insert(function.name.clone());
    }
}

/// Whether `inner` is the body of the `async fn` `outer`. rustc makes two functions of one: the outer has the signature
/// as its only code, and the body behind it is the outer's first closure.
///
/// `outer_end` is where the last of the outer's regions ends, over all instances.
fn is_async_body(outer: &FunctionRecord, outer_end: Position, inner: &FunctionRecord) -> bool {
    let Some(body) = inner.regions.first() else { return false };
    let closure_of =
        [&b"::{closure#0}"[..], b"::{{closure}}"].iter().find_map(|suffix| inner.name.strip_suffix(*suffix));
    closure_of.is_some_and(|name| without_arguments(name) == without_arguments(&outer.name))
        && outer_end <= body.range.start
}

/// A function's name without the types that it was instantiated with: copies of a function and of its closure that are
/// chosen to stand for all of them may differ in these.
fn without_arguments(name: &[u8]) -> &[u8] {
    let arguments = name.windows(3).position(|window| window == b"::<");
    match arguments {
        Some(start) if start > 0 && name.ends_with(b">") => &name[..start],
        _ => name,
    }
}
