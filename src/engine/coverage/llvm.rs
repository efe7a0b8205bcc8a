//! LLVM's model: `llvm-cov`'s own choice of functions, groups of instantiations and totals, to the byte.
//!
//! The rules are those of `CoverageMapping::load`, `CoverageSummaryInfo` and `getCoverageForFile` in LLVM 22, applied to a
//! profile that was merged with `llvm-profdata merge -sparse`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::branch::Expansions;
use super::counter::Evaluator;
use super::function::{CountedBranch, CountedRegion, FunctionRecord, count_regions};
use super::map::{CoverageMap, MappingIndex, MappingRecord, PathIndex, RefHasherBuilder, RefMap};
use super::mcdc::{self, McdcError, McdcRecord};
use super::profile::Profile;
use super::segment::{CountedKind, CountedRange, segments, sort_and_combine};
use super::summary::Ratio;
use super::{
    Coverage, DecisionIndex, Expansion, FileCoverage, Model, Omissions, OmittedFunction, Summary, branch,
    branch_ratio, filenames, line,
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
    let Loader { functions, by_file, decisions_by_file, mut omissions, .. } = loader;
    let mains: Vec<Option<u32>> = functions.iter().map(FunctionRecord::main_file_id).collect();

    let mut paths: Vec<(Box<[u8]>, PathIndex)> =
        by_file.keys().map(|&path| (map.paths[path as usize].clone(), path)).collect();
    paths.sort_unstable();
    let mut totals = Summary::EMPTY;
    let mut n_lines = Ratio::EMPTY;
    let files: Vec<FileCoverage> = paths
        .into_iter()
        .filter(|(path, _)| keep(path))
        .filter_map(|(path, index)| {
            let decisions = decisions_by_file.get(&index).map_or(&[][..], Vec::as_slice);
            let file = file_coverage(&path, &functions, &mains, &by_file[&index], decisions);
            n_lines += line::ratio(&file.segments);
            if n_lines.count > map.most_lines() {
                omissions.oversized.push(path);
                return None;
            }
            totals += file.summary;
            Some(file)
        })
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

/// A file of a function.
#[derive(Clone, Copy)]
struct Part {
    /// Index of the function.
    function: u32,
    /// Which of the function's files it is.
    file_id: u32,
}

/// What the profile says of a name. Its entries are looked through once, as there can be any number of them.
#[derive(Clone, Copy)]
struct NameInProfile {
    /// Anything of that name ran.
    ran: bool,
    /// There are structural hashes without and with [`HASH_KIND_BIT`].
    has_kind: [bool; 2],
}

/// A function that is in the list.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Listed {
    /// Its index.
    function: u32,
    func_hash: u64,
}

struct Loader<'a> {
    map: &'a CoverageMap,
    profile: &'a Profile,
    fates: HashMap<MappingIndex, Fate>,
    names: RefMap<NameInProfile>,
    /// The listed functions by name and files.
    listed: HashMap<(u64, Arc<[PathIndex]>), Listed, RefHasherBuilder>,
    functions: Vec<FunctionRecord>,
    by_file: BTreeMap<PathIndex, Vec<Part>>,
    decisions_by_file: BTreeMap<PathIndex, Vec<DecisionIndex>>,
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
            names: RefMap::default(),
            listed: HashMap::default(),
            functions: Vec::new(),
            by_file: BTreeMap::new(),
            decisions_by_file: BTreeMap::new(),
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
        let kind = |hash: u64| usize::from(hash & HASH_KIND_BIT != 0);
        let NameInProfile { ran, has_kind } = *self.names.entry(record.name_ref).or_insert_with(|| {
            let mut has_kind = [false; 2];
            profile.hashes(record.name_ref).for_each(|hash| has_kind[kind(hash)] = true);
            NameInProfile { ran: profile.ran(record.name_ref), has_kind }
        });
        let counts = profile.counts(record.name_ref, record.func_hash).filter(|_| ran);
        if ran && counts.is_none() && has_kind[kind(record.func_hash)] {
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
        let files: Arc<[PathIndex]> = files.into();
        let next = Listed { function: self.functions.len() as u32, func_hash: record.func_hash };
        let first = *self.listed.entry((record.name_ref, files.clone())).or_insert(next);
        if first != next {
            self.omit_shadowed(object, index, first, &regions);
            return Fate::LeftOut;
        }
        self.list(name, files, (regions, branches, decisions));
        Fate::Listed
    }

    fn list(
        &mut self,
        name: &[u8],
        filenames: Arc<[PathIndex]>,
        (regions, branches, decisions): (Vec<CountedRegion>, Vec<CountedBranch>, Vec<McdcRecord>),
    ) {
        let function = self.functions.len() as u32;
        for (file_id, path) in (0..).zip(filenames.iter()) {
            self.by_file.entry(*path).or_default().push(Part { function, file_id });
        }
        for (decision, record) in (0..).zip(&decisions) {
            if let Some(&path) = filenames.get(record.file_id as usize) {
                self.decisions_by_file.entry(path).or_default().push(DecisionIndex { function, decision });
            }
        }
        let execution_count = regions.first().map_or(0, |region| region.range.count);
        let main_path = filenames.first().map(|&path| &self.map.paths[path as usize][..]);
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
        listed: Listed,
        regions: &[CountedRegion],
    ) {
        let first = &self.functions[listed.function as usize];
        let first_ran = first.regions.iter().any(|region| region.range.count > 0);
        let start = |regions: &[CountedRegion]| regions.first().map(|region| region.range.start);
        // Functions of one name that stand elsewhere: the `main` of every doctest is one, to LLVM.
        let is_elsewhere = start(regions) != start(&first.regions);
        // Equal code with equal counts is what LLVM expects here; only a difference is worth a word.
        let counts_differ = {
            let record = &self.map.mappings[index as usize];
            let counts = self.profile.counts(record.name_ref, record.func_hash);
            counts.is_some_and(|counts| counts.iter().any(|&c| c > 0))
                && (!first_ran || listed.func_hash != record.func_hash)
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
    functions: &[FunctionRecord],
    mains: &[Option<u32>],
    parts: &[Part],
    decisions: &[DecisionIndex],
) -> FileCoverage {
    let function = |part: &Part| &functions[part.function as usize];
    let mut ranges = Vec::new();
    let mut branches = Vec::new();
    let mut expansions = Vec::new();
    for part in parts {
        ranges.extend(function(part).regions_in(part.file_id).iter().map(|region| region.range));
        branches.extend_from_slice(function(part).branches_in(part.file_id));
    }
    let main_parts = || parts.iter().filter(|part| mains[part.function as usize] == Some(part.file_id));
    for part in main_parts() {
        let mut expanded = Expansions::of(function(part));
        expansions.extend(function(part).expansions_in(part.file_id).map(|region| Expansion {
            region: *region,
            function: part.function,
            branches: expanded.branches(region.expanded_file_id),
        }));
    }
    sort_and_combine(&mut ranges);
    let branch_lines =
        branch::branch_lines(&branches, main_parts().map(|part| (function(part), part.file_id)));
    FileCoverage {
        path: path.into(),
        segments: segments(&ranges),
        functions: parts.iter().filter(|part| part.file_id == 0).map(|part| part.function).collect(),
        branches,
        branch_lines,
        decisions: decisions.to_vec(),
        expansions,
        summary: summarize(main_parts().map(|part| (function(part), part.file_id))),
    }
}

/// A file's numbers, given the functions whose main file it is: instantiations of one function are a group, and a group counts with
/// the best of its members.
fn summarize<'a>(functions: impl Iterator<Item = (&'a FunctionRecord, u32)>) -> Summary {
    let mut groups: BTreeMap<Position, Vec<(&FunctionRecord, u32)>> = BTreeMap::new();
    for (function, main) in functions {
        if let Some(first) = function.regions_in(main).first() {
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
    let mut ranges: Vec<CountedRange> = function.regions_in(main).iter().map(|region| region.range).collect();
    sort_and_combine(&mut ranges);
    summary.lines = line::ratio(&segments(&ranges));
    summary.branches = branch_ratio(function.branches_in(main).iter());
    for decision in function.decisions.iter().filter(|decision| decision.file_id == main) {
        for condition in decision.conditions.iter().filter(|condition| !condition.is_folded) {
            summary.mcdc += Ratio { covered: u64::from(condition.is_covered), count: 1 };
        }
    }
    let mut expanded = Expansions::of(function);
    for expansion in function.expansions_in(main) {
        summary.branches += branch_ratio(expanded.branches(expansion.expanded_file_id).iter());
    }
    summary
}
