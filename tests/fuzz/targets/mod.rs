//! What is done with bytes of any origin, each kind of input in a function of its own: fuzzing calls them with made-up bytes, the
//! ordinary tests with the same seeds and with everything that fuzzing has found.
//!
//! Each reads its input as the program would, and checks what is cheap to check of the outcome. A refusal is fine.

pub mod lcov;
pub mod made;
pub mod numbers;
mod reports;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use xtask_coverage::coverage::counter::Evaluator;
use xtask_coverage::coverage::function::count_regions;
use xtask_coverage::coverage::segment::{segments, sort_and_combine};
use xtask_coverage::coverage::{line, profile::Profile};
use xtask_coverage::format::covfun::{Mapping, RegionKind};
use xtask_coverage::format::cursor::Endian;
use xtask_coverage::format::{covfun as covfun_section, covmap as covmap_section, prf_names, profraw as raw};
use xtask_coverage::git::diff as git_diff;
use xtask_coverage::object::{Architecture, coverage_sections};
use xtask_coverage::report::baseline::Baseline;
use xtask_coverage::source::{self, Classes, Options, tree};
use xtask_coverage::task::config::Config;
use xtask_coverage::task::flags::{self, Request};
use xtask_coverage::task::metadata;
use xtask_coverage::task::record::{ManifestRecord, RunRecord};

pub use reports::{check_coverage, evaluate_all, load};

use made::Case;
use numbers::Numbers;

/// What is done with an input.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 10] = [
    ("profraw", profraw),
    ("names", names),
    ("covmap", covmap),
    ("covfun", covfun),
    ("object", object),
    ("source", source),
    ("diff", diff),
    ("config", config),
    ("record", record),
    ("report", report),
];

/// A raw profile, parsed, and merged twice.
pub fn profraw(input: &[u8]) {
    let Ok(profiles) = raw::parse(input) else { return };
    let mut merged = Profile::default();
    for raw_profile in profiles.iter().chain(&profiles) {
        merged.merge(raw_profile, &|_| false);
        let n_counters: usize = raw_profile.records.iter().map(|record| record.n_counters as usize).sum();
        assert!(n_counters <= input.len(), "{n_counters} counters in {} bytes", input.len());
    }
    assert_eq!(merged.n_profiles, 2 * profiles.len() as u64);
    for record in profiles.iter().flat_map(|raw_profile| &raw_profile.records) {
        assert!(merged.counts(record.name_ref, record.func_hash).is_some());
    }
}

/// A section of names.
pub fn names(input: &[u8]) {
    let Ok(chunks) = prf_names::chunks(input) else { return };
    for chunk in chunks {
        let Ok(decoded) = chunk.decode() else { continue };
        let names = prf_names::names_with_refs(&decoded);
        let total: usize = names.iter().map(|(_, name)| name.len()).sum();
        assert!(total <= decoded.len());
    }
}

/// A `__llvm_covmap` section; the first bit of the input is its byte order.
pub fn covmap(input: &[u8]) {
    let Some((endian, section)) = endian(input) else { return };
    let Ok(tables) = covmap_section::tables(section, endian) else { return };
    for table in tables {
        let Ok(names) = table.resolve() else { continue };
        assert!(!names.is_empty() && names.len() <= section.len());
    }
}

/// A `__llvm_covfun` section; the first byte of the input is its byte order, the second how many counters the profile has for each
/// function. Each function is counted and its lines derived.
pub fn covfun(input: &[u8]) {
    let Some((endian, section)) = endian(input) else { return };
    let Some((&n_counters, section)) = section.split_first() else { return };
    let Ok(records) = covfun_section::records(section, endian) else { return };
    let counts: Vec<u64> = (1..=u64::from(n_counters)).collect();
    let mut evaluator = Evaluator::default();
    for record in records {
        let _ = record.is_placeholder();
        let Ok(mapping) = Mapping::parse(record.mapping, 8) else { continue };
        assert!(mapping.regions.is_sorted_by_key(|region| region.file_id));
        let n_items = mapping.files.len() + mapping.expressions.len() + mapping.regions.len();
        assert!(n_items <= record.mapping.len(), "{n_items} of {} bytes", record.mapping.len());
        let is_region = |kind| !matches!(kind, RegionKind::McdcDecision { .. });
        let n_regions = mapping.regions.iter().filter(|region| is_region(region.kind)).count();
        let without = count_regions(&mapping, None, &mut evaluator);
        let with = count_regions(&mapping, Some(&counts), &mut evaluator);
        for (regions, branches) in without.into_iter().chain(with) {
            assert_eq!(regions.len() + branches.len(), n_regions);
            let mut ranges: Vec<_> = regions.iter().map(|region| region.range).collect();
            sort_and_combine(&mut ranges);
            let segments = segments(&ranges);
            assert!(segments.len() <= 2 * ranges.len() + 1);
            let mut last = 0;
            // A function may span millions of lines; they all come from the same few segments.
            for line in line::lines(&segments).take(1000) {
                assert!(line.line > last && line.regions.covered <= line.regions.count);
                assert_eq!(line.count > 0, line.regions.covered > 0);
                last = line.line;
            }
        }
    }
}

/// An object file, an archive or a universal file, down to the records in its sections.
pub fn object(input: &[u8]) {
    for architecture in [None, Architecture::of_triple("aarch64-apple-darwin")] {
        let Ok(file) = coverage_sections(&input, architecture) else { continue };
        for object in &file.objects {
            let total =
                object.covmap.len() + object.covfun.len() + object.names.len() + object.prf_data.len();
            assert!(total <= 4 * input.len(), "{total} of {} bytes", input.len());
            let tables = covmap_section::tables(&object.covmap, object.endian).unwrap_or_default();
            tables.iter().for_each(|table| drop(table.resolve()));
            let records = covfun_section::records(&object.covfun, object.endian).unwrap_or_default();
            records.iter().for_each(|record| drop(Mapping::parse(record.mapping, 8)));
            let chunks = prf_names::chunks(&object.names).unwrap_or_default();
            chunks.iter().for_each(|chunk| drop(chunk.decode()));
            let _ = raw::data_fingerprints(&object.prf_data, object.endian, 8);
        }
    }
}

/// Rust source as text, alone and as a tree of modules: parts between form feeds are further files.
pub fn source(input: &[u8]) {
    let options = Options {
        tests: true,
        markers: true,
        generated: true,
        classes: Classes { unreachable: true, debug: true, const_fn: true },
    };
    let found = source::scan(input, &options);
    let n_lines = input.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1;
    for excluded in &found.excluded {
        assert!(excluded.start < excluded.end && excluded.end.line <= n_lines, "{excluded:?}");
    }
    for unless_run in [false, true] {
        let same: Vec<_> = found.excluded.iter().filter(|one| one.unless_run == unless_run).collect();
        assert!(same.windows(2).all(|pair| pair[0].end <= pair[1].start), "{same:?}");
    }
    const FILES: [&str; 5] =
        ["/w/src/lib.rs", "/w/src/a.rs", "/w/src/a/b.rs", "/w/src/b/mod.rs", "/w/src/a/a.rs"];
    let files: BTreeMap<PathBuf, &[u8]> =
        FILES.iter().map(PathBuf::from).zip(input.split(|&byte| byte == 0x0c)).collect();
    let others: Vec<PathBuf> = files.keys().cloned().collect();
    let read = |path: &Path| files.get(path).map(|text| text.to_vec());
    let scans = tree::walk(&[PathBuf::from(FILES[0])], &others, &options, 1, &read);
    assert!(scans.keys().all(|path| files.contains_key(path)));
    assert_eq!(scans.len(), files.len());
}

/// What `git diff` prints.
pub fn diff(input: &[u8]) {
    let Ok(files) = git_diff::parse(input) else { return };
    for file in files {
        assert!(!file.path.is_empty());
        let git_diff::Change::Lines(ranges) = file.change else { continue };
        assert!(ranges.iter().all(|range| *range.start() >= 1 && range.start() <= range.end()));
        assert!(ranges.windows(2).all(|pair| pair[0].end() < pair[1].start()), "{ranges:?}");
    }
}

/// A configuration: a line with the words behind `cargo xtask`, lines `NAME=VALUE` of the environment, a line for each table
/// of the workspace's and the first package's manifest as JSON.
pub fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let words = lines.next().unwrap_or_default().split(' ').map(OsString::from);
    let (tables, variables): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('{'));
    let variables = variables.iter().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let Ok(Request::Run(invocation)) = flags::parse(words, variables) else { return };
    // What was checked when it was read can be applied.
    invocation.config(Config::new()).expect("it was applied before");
    let manifest = |(table, package): (&&str, Option<&str>)| ManifestRecord {
        path: "/w/Cargo.toml".into(),
        md5: String::new(),
        package: package.map(str::to_owned),
        coverage: serde_json::from_str(table).unwrap_or_default(),
    };
    let manifests: Vec<ManifestRecord> = tables.iter().zip([None, Some("app")]).map(manifest).collect();
    if let Ok(config) = metadata::configure(&invocation, &manifests) {
        assert_eq!(config.for_partial_run().for_partial_run(), config.for_partial_run());
    }
}

/// What an earlier run left: `run.json`, and a baseline.
pub fn record(input: &[u8]) {
    if let Ok(record) = RunRecord::parse(input) {
        let again = RunRecord::parse(record.render().as_bytes()).expect("what was rendered");
        assert_eq!(again.render(), record.render());
    }
    if let Ok(baseline) = Baseline::parse(input) {
        let again = Baseline::parse(baseline.render().as_bytes()).expect("what was rendered");
        assert_eq!(again.render(), baseline.render());
    }
}

/// The whole report stage. By the first byte the rest is an object and a raw profile behind it, or the numbers of which they are
/// made, well-formed or not.
pub fn report(input: &[u8]) {
    let Some((&kind, rest)) = input.split_first() else { return };
    let mut numbers = Numbers::new(rest);
    let (objects, profiles) = match kind % 4 {
        0 => {
            // The length of the object, so that both can be anything.
            let len = usize::from(u16::from_le_bytes([numbers.byte(), numbers.byte()]));
            let rest = numbers.rest();
            let (object, profile) = rest.split_at(len.min(rest.len()));
            (vec![object.to_vec()], vec![profile.to_vec()])
        }
        1 => {
            let case = Case::well_formed(&mut numbers);
            (case.object_files(), case.profile_files())
        }
        // With one byte that is something else.
        2 => {
            let (place, value) = (numbers.word() as usize, numbers.byte());
            let case = Case::arbitrary(&mut numbers);
            let (mut objects, mut profiles) = (case.object_files(), case.profile_files());
            let mut files: Vec<&mut Vec<u8>> = objects.iter_mut().chain(&mut profiles).collect();
            let n_files = files.len();
            let file = &mut files[place % n_files];
            let place = place / n_files % file.len().max(1);
            if let Some(byte) = file.get_mut(place) {
                *byte ^= value;
            }
            (objects, profiles)
        }
        _ => {
            let case = Case::arbitrary(&mut numbers);
            (case.object_files(), case.profile_files())
        }
    };
    if let Some(loaded) = load(&objects, &profiles) {
        evaluate_all(&loaded.map, &loaded.profile).iter().for_each(check_coverage);
    }
}

fn endian(input: &[u8]) -> Option<(Endian, &[u8])> {
    let (&first, rest) = input.split_first()?;
    Some((if first & 1 == 0 { Endian::Little } else { Endian::Big }, rest))
}
