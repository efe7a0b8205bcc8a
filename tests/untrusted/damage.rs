//! Every fixture cut at every length and with every byte of its head changed, in the whole of what reads it: an answer or a refusal,
//! never a panic, an endless loop or more memory than the input is worth.

use std::ffi::OsString;

use xtask_coverage::format::covfun;
use xtask_coverage::object::coverage_sections;
use xtask_coverage::task::flags;
use xtask_coverage::task::record::RunRecord;

use crate::seeds;
use crate::targets::made::{Case, raw_profile};
use crate::targets::numbers::{Numbers, random_bytes};
use crate::targets::{self, evaluate_all, load};

/// What a byte is changed to; the last two are added to it bit by bit.
const CHANGES: [u8; 5] = [0x00, 0x7f, 0xff, 0x01, 0x80];

/// Bytes in which the kind, the version and the sizes of a file stand.
const HEAD: usize = 256;

/// Counters make this ten times slower: what is measured takes fewer of the lengths and bytes.
const STEP: usize = if cfg!(coverage) { 16 } else { 1 };

/// Calls `check` with every beginning of `bytes`, and with each of the first `n_changed` bytes changed.
fn damage(bytes: &[u8], n_changed: usize, mut check: impl FnMut(&[u8])) {
    for end in (0..=bytes.len()).step_by(STEP) {
        check(&bytes[..end]);
    }
    let mut changed = bytes.to_vec();
    for offset in (0..n_changed.min(bytes.len())).step_by(STEP) {
        for (index, change) in CHANGES.into_iter().enumerate() {
            changed[offset] = if index < 3 { change } else { bytes[offset] ^ change };
            check(&changed);
        }
        changed[offset] = bytes[offset];
    }
}

/// Loads and counts in both models; how many source files there are.
fn n_files(object: &[u8], profile: &[u8]) -> usize {
    let loaded = load(&[object.to_vec()], &[profile.to_vec()]);
    loaded.map_or(0, |loaded| evaluate_all(&loaded.map, &loaded.profile)[0].files.len())
}

/// A raw profile in which every function of an object ran.
fn profile_of(object: &[u8]) -> Vec<u8> {
    let mut functions = Vec::new();
    for object in coverage_sections(&object, None).map(|file| file.objects).unwrap_or_default() {
        for record in covfun::records(&object.covfun, object.endian).unwrap_or_default() {
            functions.push((record.name_ref, record.func_hash, vec![5, 1, 1, 1]));
        }
    }
    functions.sort();
    functions.dedup();
    raw_profile(10, &functions)
}

/// Objects that are read, and a case with more in it.
fn objects_with_profiles() -> Vec<(Vec<u8>, Vec<u8>)> {
    let named = seeds::named_objects().into_iter();
    let mut pairs: Vec<_> = named
        .map(|(_, object)| {
            let profile = profile_of(&object);
            (object, profile)
        })
        .collect();
    let case = Case::well_formed(&mut Numbers::new(&random_bytes(3, 600)));
    pairs.push((case.object_files()[0].clone(), case.profile_files()[0].clone()));
    pairs
}

#[test]
fn damaged_objects_have_an_answer_in_the_whole_pipeline() {
    let mut n_whole = 0;
    for (object, profile) in objects_with_profiles() {
        n_whole += usize::from(n_files(&object, &profile) > 0);
        damage(&object, HEAD, |object| _ = n_files(object, &profile));
    }
    assert!(n_whole > 10, "only {n_whole} objects count anything to begin with");
}

#[test]
fn damaged_profiles_have_an_answer_in_the_whole_pipeline() {
    for (object, profile) in objects_with_profiles() {
        damage(&profile, profile.len(), |profile| _ = n_files(&object, profile));
    }
    for profile in seeds::profiles() {
        damage(&profile, profile.len(), targets::profraw);
    }
}

#[test]
fn damaged_sections_have_an_answer() {
    for (name, target) in targets::TARGETS {
        if ["names", "covmap", "covfun"].contains(&name) {
            for section in seeds::of(name) {
                damage(&section, section.len(), target);
            }
        }
    }
}

#[test]
fn damaged_sources_have_an_answer() {
    for source in seeds::of("source") {
        damage(&source, 0, targets::source);
    }
}

#[test]
fn damaged_diffs_have_an_answer() {
    for diff in seeds::DIFFS {
        damage(diff.as_bytes(), diff.len(), targets::diff);
    }
}

#[test]
fn damaged_configurations_have_an_answer() {
    for configuration in seeds::CONFIGURATIONS {
        let words = configuration.lines().next().unwrap_or_default().split(' ').map(OsString::from);
        flags::parse(words, []).unwrap_or_else(|error| panic!("{configuration}: {error:#}"));
        damage(configuration.as_bytes(), configuration.len(), targets::config);
    }
}

#[test]
fn damaged_records_have_an_answer() {
    let records = seeds::records();
    RunRecord::parse(&records[0]).expect("this version's format");
    for record in records {
        damage(&record, record.len(), targets::record);
    }
}
