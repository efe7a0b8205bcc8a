//! The same files cut and damaged: each is read or refused, and nothing grows out of proportion.

use std::collections::BTreeSet;
use std::fs;

use super::{Case, cases, folder};
use xtask_coverage::coverage::llvm;
use xtask_coverage::coverage::map::CoverageMap;
use xtask_coverage::coverage::profile::Profile;
use xtask_coverage::format::error::Error;
use xtask_coverage::format::{covfun, covmap, prf_names, profraw};
use xtask_coverage::object::{Architecture, CoverageSections, coverage_sections};

/// What a byte is replaced by, in turn.
fn damaged_values(byte: u8) -> [u8; 6] {
    [0x00, 0x01, 0x7f, 0xff, byte ^ 0x80, byte ^ 0x01]
}

/// The profiles of all fixtures, each once.
fn profiles() -> Vec<(String, Vec<u8>)> {
    let names: BTreeSet<String> = cases().into_iter().flat_map(|case| case.profiles).collect();
    names
        .into_iter()
        .map(|name| {
            let bytes = fs::read(folder().join(&name)).expect("the profile is there");
            (name, bytes)
        })
        .collect()
}

#[test]
fn a_profile_that_is_cut_is_refused() {
    for (name, bytes) in profiles() {
        assert!(profraw::parse(&bytes).is_ok(), "{name}");
        for len in 1..bytes.len() {
            assert!(profraw::parse(&bytes[..len]).is_err(), "{name} cut to {len} of {}", bytes.len());
        }
    }
}

#[test]
fn a_profile_with_a_wrong_byte_claims_no_more_than_it_has() {
    for (name, bytes) in profiles() {
        let mut damaged = bytes.clone();
        for (index, &byte) in bytes.iter().enumerate() {
            for value in damaged_values(byte) {
                damaged[index] = value;
                for profile in profraw::parse(&damaged).unwrap_or_default() {
                    let claimed: usize = profile
                        .records
                        .iter()
                        .map(|record| profile.counts(record).len() + profile.bitmap(record).len())
                        .sum();
                    assert!(claimed <= bytes.len(), "{name}, {value:#x} at {index:#x}");
                }
            }
            damaged[index] = byte;
        }
    }
}

/// Everything in the sections of an object, decoded.
fn map_of(object: &CoverageSections<'_>) -> Result<CoverageMap, Error> {
    let tables = covmap::tables(&object.covmap, object.endian)?;
    let records = covfun::records(&object.covfun, object.endian)?;
    let chunks = prf_names::chunks(&object.names)?;
    let filenames_refs: Vec<u64> = tables.iter().map(|table| table.filenames_ref).collect();
    let stored_names: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.bytes).collect();
    let mut map = CoverageMap::default();
    let new = map.add_object(&filenames_refs, &records, &stored_names, &[]);
    for (position, table) in new.tables {
        map.insert_table(table, tables[position].resolve()?);
    }
    for position in new.names_chunks {
        map.insert_names(&prf_names::names_with_refs(&chunks[position].decode()?));
    }
    Ok(map)
}

fn merged(case: &Case) -> Profile {
    let mut merged = Profile::default();
    for name in &case.profiles {
        let bytes = fs::read(folder().join(name)).expect("the profile is there");
        for profile in &profraw::parse(&bytes).expect("a raw profile") {
            merged.merge(profile, &|_| false);
        }
    }
    merged
}

#[derive(Clone, Copy)]
enum Section {
    Covmap,
    Covfun,
    Names,
}

impl Section {
    fn of<'a>(self, object: &'a mut CoverageSections<'_>) -> &'a mut Vec<u8> {
        match self {
            Section::Covmap => object.covmap.to_mut(),
            Section::Covfun => object.covfun.to_mut(),
            Section::Names => object.names.to_mut(),
        }
    }
}

/// One object of each kind of coverage map: both byte orders, MC/DC, the oldest field.
const MAPS: [&str; 4] = ["elf64-le.o", "elf32-be.o", "mcdc-a.exe", "covmap-field3.o"];

#[test]
fn a_map_with_a_wrong_byte_is_evaluated_or_refused() {
    let cases = cases();
    for name in MAPS {
        let case = cases.iter().find(|case| case.objects[0] == name).expect("in the table");
        let profile = merged(case);
        let bytes = fs::read(folder().join("objects").join(name)).expect("the object is there");
        let bytes = bytes.as_slice();
        let whole = coverage_sections(&bytes, Architecture::host()).expect("an object").objects.remove(0);
        let n_functions =
            llvm::evaluate(&map_of(&whole).expect("sound"), &profile, &|_| true).functions.len();
        assert!(n_functions > 0, "{name}");

        let mut outcomes = BTreeSet::new();
        let mut check = |damaged: &CoverageSections<'_>| {
            let map = map_of(damaged);
            outcomes.insert(map.is_ok());
            let Ok(map) = map else { return };
            let coverage = llvm::evaluate(&map, &profile, &|_| true);
            assert!(coverage.functions.len() <= n_functions, "{name}");
        };
        for section in [Section::Covmap, Section::Covfun, Section::Names] {
            let mut damaged = whole.clone();
            for index in 0..section.of(&mut damaged).len() {
                let byte = section.of(&mut damaged)[index];
                for value in damaged_values(byte) {
                    section.of(&mut damaged)[index] = value;
                    check(&damaged);
                }
                section.of(&mut damaged)[index] = byte;
            }
        }
        assert_eq!(outcomes, BTreeSet::from([false, true]), "{name}");
    }
}
