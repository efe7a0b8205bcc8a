//! Objects and profiles of every platform and version, from the files to the exports, against what LLVM 22 wrote of the same
//! files: `tests/data/formats`, whose README says how they were made. `.ci/fixtures` lets LLVM write it again.

#[path = "../support/mod.rs"]
mod support;

mod damage;
mod fit;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use support::workspace::data;
use xtask_coverage::coverage::{Coverage, llvm};
use xtask_coverage::export::json::{self, JsonOptions};
use xtask_coverage::export::lcov::{self, LcovOptions};
use xtask_coverage::format::profraw;
use xtask_coverage::llvm_tools::export;
use xtask_coverage::load::matching::object_fingerprints;
use xtask_coverage::load::{self, Architecture, Inputs};

/// A line of `fixtures.txt`.
struct Case {
    /// The name of LLVM's output in `expected`, without extension.
    expected: String,
    /// The slice to read, as LLVM calls it; `-` for files that are not universal.
    arch: String,
    /// Below `objects`.
    objects: Vec<String>,
    /// What is read here.
    profiles: Vec<String>,
    /// What LLVM 22 reads in their place, if it is something else.
    for_llvm: Option<String>,
}

fn folder() -> PathBuf {
    data().join("formats")
}

fn cases() -> Vec<Case> {
    let table = fs::read_to_string(folder().join("fixtures.txt")).expect("the table is there");
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let case = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [expected, arch, objects, profiles, for_llvm] = words[..] else {
            panic!("five words in `{line}`")
        };
        let list = |word: &str| word.split(',').map(str::to_owned).collect();
        Case {
            expected: expected.to_owned(),
            arch: arch.to_owned(),
            objects: list(objects),
            profiles: list(profiles),
            for_llvm: (for_llvm != "=").then(|| for_llvm.trim_start_matches("11:").to_owned()),
        }
    };
    lines.map(case).collect()
}

impl Case {
    fn load(&self) -> Coverage {
        let inputs = Inputs {
            objects: self.objects.iter().map(|name| folder().join("objects").join(name)).collect(),
            profiles: self.profiles.iter().map(|name| folder().join(name)).collect(),
            architecture: Architecture::of_triple(&self.arch),
            threads: 2,
            ignore_stale: false,
        };
        let loaded = load::load(&inputs).unwrap_or_else(|error| panic!("{}: {error:#}", self.describe()));
        assert_eq!(loaded.warnings, [], "{}", self.describe());
        let coverage = llvm::evaluate(&loaded.map, &loaded.profile, &|_| true);
        assert_eq!(coverage.omissions.malformed, [], "{}", self.describe());
        coverage
    }

    fn describe(&self) -> String {
        format!("{} with {}", self.objects.join(","), self.profiles.join(","))
    }
}

#[test]
fn exports_equal_llvms() {
    let mut findings = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        let coverage = case.load();
        let (mut text, mut tracefile) = (Vec::new(), Vec::new());
        json::write(&coverage, JsonOptions::default(), &mut text).expect("memory");
        lcov::write(&coverage, LcovOptions::default(), &mut tracefile).expect("memory");
        for (extension, actual) in [("json", text), ("lcov", tracefile)] {
            let expected = folder().join("expected").join(format!("{}.{extension}", case.expected));
            if fs::read(&expected).ok().as_deref() != Some(&actual[..]) {
                let kept =
                    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("formats-{number}.{extension}"));
                fs::write(&kept, actual).expect("can be written");
                findings.push(format!("{}: diff {} {}", case.describe(), expected.display(), kept.display()));
            }
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// What `--engine llvm` does: a model from LLVM's JSON, from which the same JSON and LLVM's tracefile can be written again.
#[test]
fn llvms_exports_are_read_back() {
    let expected: BTreeSet<String> = cases().into_iter().map(|case| case.expected).collect();
    for name in expected {
        let path = |extension: &str| folder().join("expected").join(format!("{name}.{extension}"));
        let text = fs::read(path("json")).expect("there");
        let coverage = export::parse(&text).expect("LLVM's JSON");
        let (mut again, mut tracefile) = (Vec::new(), Vec::new());
        json::write(&coverage, JsonOptions::default(), &mut again).expect("memory");
        lcov::write(&coverage, LcovOptions::default(), &mut tracefile).expect("memory");
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&text), "{name}.json");
        let expected = fs::read_to_string(path("lcov")).expect("there");
        assert_eq!(String::from_utf8_lossy(&tracefile), expected, "{name}.lcov");
    }
}

#[test]
fn objects_know_their_profiles() {
    // Of several objects each has its own profile, and one has another program's.
    let cases = cases();
    let pairs = cases.iter().filter(|case| case.objects.len() == 1 && case.expected != "unknown");
    let mut n_pairs = 0;
    for case in pairs {
        let known = object_fingerprints(&folder().join("objects").join(&case.objects[0]));
        for name in &case.profiles {
            let bytes = fs::read(folder().join(name)).expect("the profile is there");
            for profile in profraw::parse(&bytes).expect("a raw profile") {
                n_pairs += 1;
                assert!(known.contains(&profraw::fingerprint(&profile.records)), "{}", case.describe());
            }
        }
    }
    assert!(n_pairs > 30, "{n_pairs} pairs");
}

#[test]
fn every_file_is_in_the_table() {
    let cases = cases();
    let files = |folder_name: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder().join(folder_name)).expect("the folder is there");
        entries.map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect()
    };
    let objects = cases.iter().flat_map(|case| case.objects.clone()).collect();
    assert_eq!(files("objects"), objects);
    let expected =
        cases.iter().flat_map(|case| ["json", "lcov"].map(|it| format!("{}.{it}", case.expected))).collect();
    assert_eq!(files("expected"), expected);
    let used = |case: &Case| case.profiles.iter().chain(&case.for_llvm).cloned().collect::<Vec<_>>();
    let profiles: BTreeSet<String> = cases.iter().flat_map(used).collect();
    for folder_name in ["real", "fitted"] {
        for file in files(folder_name) {
            assert!(profiles.contains(&format!("{folder_name}/{file}")), "{folder_name}/{file} is not in it");
        }
    }
}
