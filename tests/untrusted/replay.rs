//! The fuzz targets without a fuzzer: every seed, everything that fuzzing has found, and some random bytes.

use std::fs;
use std::path::Path;

use crate::seeds;
use crate::targets::TARGETS;
use crate::targets::numbers::random_bytes;

#[test]
fn every_seed_has_an_answer() {
    for (name, target) in TARGETS {
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        seeds.iter().for_each(|seed| target(seed));
    }
}

/// A file in `tests/fuzz/found` is named after its target and what was wrong: `report-long-paths`.
#[test]
fn what_fuzzing_found_has_an_answer() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    for path in seeds::files_below(&directory) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let target = TARGETS.iter().find(|(target, _)| name.split('-').next() == Some(target));
        let (_, target) = target.unwrap_or_else(|| panic!("`{name}` names no target"));
        target(&fs::read(&path).expect("readable"));
    }
}

#[test]
fn random_bytes_have_an_answer() {
    for (_, target) in TARGETS {
        for seed in 0..200 {
            target(&random_bytes(seed, seed as usize * 3));
        }
    }
}
