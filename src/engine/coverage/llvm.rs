//! LLVM's model: `llvm-cov`'s own choice of functions, groups of instantiations and totals, to the byte.
//!
//! The rules are those of `CoverageMapping::load`, `CoverageSummaryInfo` and `getCoverageForFile` in LLVM 22, applied to a
//! profile that was merged with `llvm-profdata merge -sparse`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::counter::Evaluator;
use super::function::{CountedBranch, CountedRegion, FunctionRecord, count_regions};
use super::map::{CoverageMap, MappingIndex, MappingRecord, PathIndex, RefMap};
use super::mcdc::{self, McdcError, McdcRecord};
use super::profile::Profile;
use super::segment::{CountedKind, CountedRange, segments, sort_and_combine};
use super::summary::Ratio;
use super::{
    Coverage, DecisionIndex, Expansion, FileCoverage, Model, Omissions, OmittedFunction, Summary, branch,
    branch_ratio, filenames, line_ratio,
};
use crate::format::covfun::{CovfunRecord, Mapping, Position};

/// The bit of a structural hash that LLVM compares to tell a changed function from an unknown one.
const HASH_KIND_BIT: u64 = 1 << 60;

/// Evaluates all functions as `llvm-cov` would. `keep` decides by path which files count; functions of other files stay
/// in [`Coverage::functions`], as they do in LLVM.
pub fn evaluate(map: &CoverageMap, profile: &Profile, keep: &dyn Fn(&[u8]) -> bool) -> Coverage {
    let mut loader = Loader::new(map, profile);
    for (object, mappings) in map.objects.iter().enumerate() {
        for index in first_of_each_name(map, mappings) {
            loader.add(object, index);
        }
    }
    let Loader { functions, by_file, omissions, .. } = loader;

    let mut paths: Vec<(Box<[u8]>, PathIndex)> =
        by_file.keys().map(|&path| (map.paths[path as usize].clone(), path)).collect();
    paths.sort_unstable();
    let mut totals = Summary::EMPTY;
    let files: Vec<FileCoverage> = paths
        .into_iter()
        .filter(|(path, _)| keep(path))
        .map(|(path, index)| file_coverage(&path, index, &functions, &by_file[&index]))
        .inspect(|file| totals += file.summary)
        .collect();
    Coverage { model: Model::Llvm, paths: map.paths.clone(), files, functions, totals, omissions }
}

/// An object's records with one for each name: the first, or the one that replaced it because it was a placeholder.
fn first_of_each_name(map: &CoverageMap, mappings: &[MappingIndex]) -> Vec<MappingIndex> {
    let mut list: Vec<MappingIndex> = Vec::with_capacity(mappings.len());
    let mut positions: RefMap<usize> = RefMap::default();
    for &index in mappings {
        let record = &map.mappings[index as usize];
        match positions.get(&record.name_ref) {
            None => {
                positions.insert(record.name_ref, list.len());
                list.push(index);
            }
            Some(&position) => {
                let is_placeholder = |index: MappingIndex| is_placeholder(map, &map.mappings[index as usize]);
                if is_placeholder(list[position]) && !is_placeholder(index) {
                    list[position] = index;
                }
            }
        }
    }
    list
}

fn is_placeholder(map: &CoverageMap, record: &MappingRecord) -> bool {
    let MappingRecord { name_ref, func_hash, .. } = *record;
    record.func_hash == 0
        && CovfunRecord { name_ref, func_hash, filenames_ref: 0, mapping: map.bytes_of(record) }
            .is_placeholder()
}

/// What became of a mapping. The same one in another object fares alike.
#[derive(Clone, Copy)]
enum Fate {
    /// It is in the list; in another object it would be a duplicate.
    Listed,
    /// Left out: silently, or with an entry in the omissions.
    LeftOut,
    /// Its profile has another hash, which LLVM counts for each object anew.
    Mismatched,
}

struct Loader<'a> {
    map: &'a CoverageMap,
    profile: &'a Profile,
    fates: HashMap<MappingIndex, Fate>,
    /// The listed functions of each name, and their structural hashes.
    listed: RefMap<Vec<(u32, u64)>>,
    functions: Vec<FunctionRecord>,
    by_file: BTreeMap<PathIndex, Vec<u32>>,
    omissions: Omissions,
    mapping: Mapping,
    evaluator: Evaluator,
    mcdc_effort: mcdc::Effort,
}

impl<'a> Loader<'a> {
    fn new(map: &'a CoverageMap, profile: &'a Profile) -> Loader<'a> {
        Loader {
            map,
            profile,
            fates: HashMap::new(),
            listed: RefMap::default(),
            functions: Vec::new(),
            by_file: BTreeMap::new(),
            omissions: Omissions::default(),
            mapping: Mapping::default(),
            evaluator: Evaluator::default(),
            mcdc_effort: mcdc::Effort::default(),
        }
    }

    fn add(&mut self, object: usize, index: MappingIndex) {
        let fate = match self.fates.get(&index) {
            Some(&fate) => {
                if let Fate::Mismatched = fate {
                    self.omit_mismatched(object, index);
                }
                return;
            }
            None => self.load(object, index),
        };
        self.fates.insert(index, fate);
    }

    fn load(&mut self, object: usize, index: MappingIndex) -> Fate {
        let map = self.map;
        let record = &map.mappings[index as usize];
        let Some(name) = map.name(record.name_ref) else {
            return self.omit_malformed(object, index, "its name is in none of the objects".to_owned());
        };
        let Some(table) = map.table_of(record) else {
            return self.omit_malformed(object, index, "its table of file names is damaged".to_owned());
        };
        if let Err(error) = self.mapping.parse_into(map.bytes_of(record), table.len()) {
            return self.omit_malformed(object, index, error.to_string());
        }
        if self.mapping.regions.is_empty() {
            return Fate::LeftOut;
        }

        let profile = self.profile;
        let ran = profile.ran(record.name_ref);
        let counts = profile.counts(record.name_ref, record.func_hash).filter(|_| ran);
        let kind = record.func_hash & HASH_KIND_BIT;
        if ran && counts.is_none() && profile.hashes(record.name_ref).any(|hash| hash & HASH_KIND_BIT == kind)
        {
            self.omit_mismatched(object, index);
            return Fate::Mismatched;
        }
        // A lone region that never runs, in a function that did: a placeholder for code that clang put elsewhere.
        if let [region] = self.mapping.regions[..] {
            let is_zero = region.counter == crate::format::covfun::Counter::Zero;
            if is_zero && counts.is_some_and(|counts| counts.first().is_some_and(|&count| count > 0)) {
                return Fate::LeftOut;
            }
        }
        let (regions, branches) = match count_regions(&self.mapping, counts, &mut self.evaluator) {
            Ok(counted) => counted,
            Err(_) => {
                let reason = "it refers to counters that its profile does not have".to_owned();
                return self.omit_malformed(object, index, reason);
            }
        };
        let bitmap = counts.and_then(|_| profile.bitmap(record.name_ref, record.func_hash));
        let decisions = match mcdc::decisions(&self.mapping, bitmap, &mut self.mcdc_effort) {
            Ok(decisions) => decisions,
            Err(error) => {
                let reason = match error {
                    McdcError::Graph => "the conditions of one of its decisions make no sense",
                    McdcError::Effort => "its decisions have more conditions and ways than anyone writes",
                };
                return self.omit_malformed(object, index, reason.to_owned());
            }
        };
        let Some(files) = filenames(map, record, &self.mapping.files) else { return Fate::LeftOut };
        if regions.is_empty() {
            return Fate::LeftOut;
        }
        let same_files = |listed: &&(u32, u64)| self.functions[listed.0 as usize].filenames[..] == files[..];
        if let Some(&first) = self.listed.get(&record.name_ref).and_then(|all| all.iter().find(same_files)) {
            self.omit_shadowed(object, index, first, &regions);
            return Fate::LeftOut;
        }
        self.list(record, name, files, (regions, branches, decisions));
        Fate::Listed
    }

    fn list(
        &mut self,
        record: &MappingRecord,
        name: &[u8],
        files: Vec<PathIndex>,
        (regions, branches, decisions): (Vec<CountedRegion>, Vec<CountedBranch>, Vec<McdcRecord>),
    ) {
        let index = self.functions.len() as u32;
        self.listed.entry(record.name_ref).or_default().push((index, record.func_hash));
        for (position, path) in files.iter().enumerate() {
            if !files[..position].contains(path) {
                self.by_file.entry(*path).or_default().push(index);
            }
        }
        let execution_count = regions.first().map_or(0, |region| region.range.count);
        let main_path = files.first().map(|&path| &self.map.paths[path as usize][..]);
        let filenames: Arc<[PathIndex]> = files.into();
        let name = main_path.map_or(name, |path| without_file_prefix(name, path)).into();
        self.functions.push(FunctionRecord {
            name,
            filenames,
            regions,
            branches,
            decisions,
            execution_count,
        });
    }

    fn omit_malformed(&mut self, object: usize, index: MappingIndex, reason: String) -> Fate {
        let omitted = self.omitted(object, index, reason);
        self.omissions.malformed.push(omitted);
        Fate::LeftOut
    }

    fn omit_mismatched(&mut self, object: usize, index: MappingIndex) {
        let reason = "its profile is of another build".to_owned();
        let omitted = self.omitted(object, index, reason);
        self.omissions.mismatched.push(omitted);
    }

    fn omit_shadowed(
        &mut self,
        object: usize,
        index: MappingIndex,
        (first, first_hash): (u32, u64),
        regions: &[CountedRegion],
    ) {
        let first = &self.functions[first as usize];
        let first_ran = first.regions.iter().any(|region| region.range.count > 0);
        let start = |regions: &[CountedRegion]| regions.first().map(|region| region.range.start);
        // Functions of one name that stand elsewhere: the `main` of every doctest is one, to LLVM.
        let is_elsewhere = start(regions) != start(&first.regions);
        // Equal code with equal counts is what LLVM expects here; only a difference is worth a word.
        let counts_differ = {
            let record = &self.map.mappings[index as usize];
            let counts = self.profile.counts(record.name_ref, record.func_hash);
            counts.is_some_and(|counts| counts.iter().any(|&c| c > 0))
                && (!first_ran || first_hash != record.func_hash)
        };
        if is_elsewhere || counts_differ {
            let which = if first_ran || is_elsewhere {
                "another function of this name"
            } else {
                "a function of this name that never ran"
            };
            let reason = format!("an earlier object has {which}");
            let omitted = self.omitted(object, index, reason);
            self.omissions.shadowed.push(omitted);
        }
    }

    fn omitted(&self, object: usize, index: MappingIndex, reason: String) -> OmittedFunction {
        omitted_function(self.map, object, index, reason)
    }
}

/// Describes a function that is left out.
pub(super) fn omitted_function(
    map: &CoverageMap,
    object: usize,
    index: MappingIndex,
    reason: String,
) -> OmittedFunction {
    let record = &map.mappings[index as usize];
    let name = map.name(record.name_ref).unwrap_or_default().into();
    let place = map.table_of(record).and_then(|table| {
        let mapping = Mapping::parse(map.bytes_of(record), table.len()).ok()?;
        let path = table.get(*mapping.files.first()? as usize)?;
        let first = mapping.regions.iter().map(|region| region.start.line).min()?;
        let last = mapping.regions.iter().map(|region| region.end.line).max()?;
        Some((map.paths[*path as usize].clone(), first, last))
    });
    OmittedFunction { name, object, reason, place }
}

/// Clang puts the path before the names of `static` functions: it is no part of what a person calls them.
fn without_file_prefix<'a>(name: &'a [u8], path: &[u8]) -> &'a [u8] {
    match name.strip_prefix(path) {
        Some(rest) if !path.is_empty() => rest.get(1..).unwrap_or_default(),
        _ => name,
    }
}

fn file_coverage(
    path: &[u8],
    index: PathIndex,
    functions: &[FunctionRecord],
    indices: &[u32],
) -> FileCoverage {
    let mut ranges = Vec::new();
    let mut branches = Vec::new();
    let mut decisions = Vec::new();
    let mut expansions = Vec::new();
    for &function_index in indices {
        let function = &functions[function_index as usize];
        let is_here = |file_id: u32| function.filenames.get(file_id as usize) == Some(&index);
        ranges.extend(
            function.regions.iter().filter(|region| is_here(region.file_id)).map(|region| region.range),
        );
        branches.extend(function.branches.iter().filter(|branch| is_here(branch.file_id)));
        let own = (0..).zip(&function.decisions).filter(|(_, decision)| is_here(decision.file_id));
        decisions.extend(own.map(|(decision, _)| DecisionIndex { function: function_index, decision }));
        if let Some(main) = function.main_file_id().filter(|&main| is_here(main)) {
            expansions.extend(function.expansions_in(main).map(|region| Expansion {
                region: *region,
                function: function_index,
                branches: branch::expanded_branches(function, region.expanded_file_id),
            }));
        }
    }
    sort_and_combine(&mut ranges);
    let located = expansions.iter().map(|expansion| {
        let function = &functions[expansion.function as usize];
        (function, expansion.region.expanded_file_id, expansion.region.range.start)
    });
    let branch_lines = branch::branch_lines(&branches, located);
    FileCoverage {
        path: path.into(),
        segments: segments(&ranges),
        functions: indices
            .iter()
            .copied()
            .filter(|&function| functions[function as usize].filenames.first() == Some(&index))
            .collect(),
        branches,
        branch_lines,
        decisions,
        expansions,
        summary: summarize(index, functions, indices),
    }
}

/// A file's numbers: instantiations of one function are a group, and a group counts with the best of its members.
fn summarize(index: PathIndex, functions: &[FunctionRecord], indices: &[u32]) -> Summary {
    let mut groups: BTreeMap<Position, Vec<(&FunctionRecord, u32)>> = BTreeMap::new();
    for &function in indices {
        let function = &functions[function as usize];
        let Some(main) = function.main_file_id() else { continue };
        if function.filenames.get(main as usize) != Some(&index) {
            continue;
        }
        if let Some(first) = function.regions_in(main).next() {
            groups.entry(first.range.start).or_default().push((function, main));
        }
    }
    let mut summary = Summary::EMPTY;
    for group in groups.values() {
        let mut best = Summary::EMPTY;
        let mut entered = 0_u64;
        for &(function, main) in group {
            let own = summarize_function(function, main);
            for (best, own) in [
                (&mut best.lines, own.lines),
                (&mut best.regions, own.regions),
                (&mut best.branches, own.branches),
                (&mut best.mcdc, own.mcdc),
            ] {
                best.covered = best.covered.max(own.covered);
                best.count = best.count.max(own.count);
            }
            best.instantiations += Ratio { covered: u64::from(function.execution_count > 0), count: 1 };
            entered = entered.wrapping_add(function.execution_count);
        }
        best.functions = Ratio { covered: u64::from(entered > 0), count: 1 };
        summary += best;
    }
    summary
}

fn summarize_function(function: &FunctionRecord, main: u32) -> Summary {
    let mut summary = Summary::EMPTY;
    for region in &function.regions {
        if region.range.kind == CountedKind::Code {
            summary.regions += Ratio { covered: u64::from(region.range.count != 0), count: 1 };
        }
    }
    let mut ranges: Vec<CountedRange> = function.regions_in(main).map(|region| region.range).collect();
    sort_and_combine(&mut ranges);
    summary.lines = line_ratio(&segments(&ranges));
    summary.branches = branch_ratio(function.branches_in(main));
    for decision in function.decisions.iter().filter(|decision| decision.file_id == main) {
        for condition in decision.conditions.iter().filter(|condition| !condition.is_folded) {
            summary.mcdc += Ratio { covered: u64::from(condition.is_covered), count: 1 };
        }
    }
    for expansion in function.expansions_in(main) {
        let branches = branch::expanded_branches(function, expansion.expanded_file_id);
        summary.branches += branch_ratio(branches.iter());
    }
    summary
}
