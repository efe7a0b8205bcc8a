//! What fuzzing begins with: the committed fixtures, and small inputs that are written out here, for each target.

use std::fs;
use std::path::{Path, PathBuf};

use xtask_coverage::coverage::cut::Cuts;
use xtask_coverage::coverage::union::{self, UnionOptions};
use xtask_coverage::object::coverage_sections;
use xtask_coverage::report::baseline::Baseline;

use crate::targets::made::{Case, raw_profile};
use crate::targets::numbers::{Numbers, random_bytes};
use crate::targets::{TARGETS, load};

/// Larger files slow fuzzing down and reach nothing new.
const MOST_BYTES: usize = 20_000;

/// The seeds of a target.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "profraw" => profiles(),
        "names" => sections(|sections| sections.names.to_vec(), &[]),
        "covmap" => sections(|sections| sections.covmap.to_vec(), &[0]),
        "covfun" => sections(|sections| sections.covfun.to_vec(), &[0, 5]),
        "object" => objects(),
        "source" => sources(),
        "diff" => DIFFS.iter().map(|diff| diff.as_bytes().to_vec()).collect(),
        "config" => CONFIGURATIONS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "record" => records(),
        "report" => reports(),
        _ => panic!("no target {target}"),
    }
}

/// The folder of the fixtures.
pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// The files in a directory, in the order of their names, below it too.
pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the directory can be listed");
            pending.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The object files among the fixtures, with their names.
pub(crate) fn named_objects() -> Vec<(String, Vec<u8>)> {
    let is_object = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension != "c" && extension != "md")
            && !path.ends_with(".gitattributes")
    };
    let named = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read(path).expect("readable"))
    };
    let found: Vec<_> =
        files_below(&data().join("objects")).into_iter().filter(is_object).map(named).collect();
    assert!(found.len() > 20, "where are the objects?");
    found
}

fn objects() -> Vec<Vec<u8>> {
    let mut objects: Vec<Vec<u8>> = named_objects().into_iter().map(|(_, bytes)| bytes).collect();
    for seed in 0..4 {
        objects.extend(Case::well_formed(&mut Numbers::new(&random_bytes(seed, 400))).object_files());
    }
    objects.retain(|object| object.len() <= MOST_BYTES);
    objects
}

/// A section of every object, behind the bytes that its target takes first; byte orders are as likely wrong as right.
fn sections(of: fn(&xtask_coverage::object::CoverageSections<'_>) -> Vec<u8>, first: &[u8]) -> Vec<Vec<u8>> {
    let mut sections = Vec::new();
    for bytes in objects() {
        let bytes = bytes.as_slice();
        let Ok(file) = coverage_sections(&bytes, None) else { continue };
        for object in &file.objects {
            sections.push([first, &of(object)].concat());
            if let [_, rest @ ..] = first {
                sections.push([&[1], rest, &of(object)].concat());
            }
        }
    }
    sections.sort();
    sections.dedup();
    sections
}

/// Raw profiles of every version, one behind the other in the last.
pub(crate) fn profiles() -> Vec<Vec<u8>> {
    let functions = [(11, 101, vec![1]), (12, 102, vec![2, 1 << 40]), (13, 103, vec![0, 0, 7])];
    let mut profiles: Vec<Vec<u8>> = [8, 9, 10].map(|version| raw_profile(version, &functions)).into();
    profiles.push(raw_profile(10, &[]));
    profiles.push([raw_profile(9, &functions), raw_profile(9, &functions[1..])].concat());
    // The same as a process of the other byte order writes it, value by value.
    let words = |profile: &[u8]| -> Vec<u8> {
        profile.chunks(8).flat_map(|word| word.iter().rev().copied().collect::<Vec<u8>>()).collect()
    };
    profiles.push(words(&raw_profile(10, &[])));
    profiles.push(Vec::new());
    profiles
}

fn sources() -> Vec<Vec<u8>> {
    let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let mut sources: Vec<Vec<u8>> = files_below(&data().join("workspaces"))
        .into_iter()
        .filter(is_source)
        .map(|path| fs::read(path).expect("readable"))
        .filter(|text| text.len() <= MOST_BYTES)
        .collect();
    assert!(sources.len() > 50, "where are the sources?");
    sources.push(
        b"mod a; mod b;\x0cmod b; #[cfg(test)] mod a;\x0c#[test] fn t() {}\x0c#![cfg(test)]\x0c".to_vec(),
    );
    sources.push(b"#[path = \"a/b.rs\"] mod x;\x0cinclude!(\"b/mod.rs\");\x0c\x0cmod a { mod a; }".to_vec());
    sources
}

/// What `git diff` prints, each kind of entry once.
pub(crate) const DIFFS: [&str; 6] = [
    "diff --git a/src/lib.rs b/src/lib.rs\nindex 4f5d7b3..a1c2d3e 100644\n--- a/src/lib.rs\n+++ b/src/lib.rs\n\
     @@ -7,2 +7,3 @@ fn head() {\n same\n-old\n+new\n+more\n@@ -20 +21,0 @@\n-gone\n",
    "diff --git a/new.rs b/new.rs\nnew file mode 100644\nindex 0000000..e69de29\n--- /dev/null\n+++ b/new.rs\n@@ -0,0 +1 @@\n\
     +only\n\\ No newline at end of file\n",
    "diff --git a/a.rs b/b.rs\nsimilarity index 90%\nrename from a.rs\nrename to b.rs\nindex 1..2 100644\n--- a/a.rs\n\
     +++ b/b.rs\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n",
    "diff --git a/old.rs b/old.rs\ndeleted file mode 100644\nindex 1..0\n--- a/old.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    "diff --git \"a/\\303\\244 b.rs\" \"b/\\303\\244 b.rs\"\nold mode 100644\nnew mode 100755\n\
     diff --git a/two words.rs b/two words.rs\nindex 1..2\n--- a/two words.rs\t\n+++ b/two words.rs\t\n@@ -3 +3 @@\n--- a/x\n+++ b/x\n",
    "diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n* Unmerged path y.rs\n",
];

/// Words, variables, and tables of manifests as JSON.
pub(crate) const CONFIGURATIONS: [&str; 8] = [
    "coverage",
    "coverage --lcov --output-path out.info --fail-under-lines 80.5 --jobs 4 -p app\nCOVERAGE_JOBS=2\nCOVERAGE_NO_FAIL_FAST=1",
    "coverage report --object a --profraw b --json --summary-only --model llvm",
    "coverage run --bin app --features a,b -- --flag value",
    "coverage show-env --sh\nCOVERAGE_TIMEOUT=5m\nCOVERAGE_EXCLUDE_FILES=**/gen/*.rs",
    "coverage clean --target-dir x",
    "verify --no-run",
    "coverage --patch --patch-base main --ratchet 0.5\n\
     {\"fail-under-lines\": 80, \"exclude-files\": [\"src/gen/**\"], \"packages\": {\"app\": {\"fail-under-lines\": 90}}, \
     \"paths\": {\"src/**\": {\"fail-under-file-lines\": 50}}, \"baseline\": \"b.json\"}\n\
     {\"exclusive\": true, \"include-files\": [\"x.rs\"], \"fail-under-regions\": 1}",
];

/// Records of runs and baselines.
pub(crate) fn records() -> Vec<Vec<u8>> {
    let mut records = vec![RUN.as_bytes().to_vec()];
    for seed in 0..3 {
        let case = Case::well_formed(&mut Numbers::new(&random_bytes(seed, 400)));
        let loaded = load(&case.object_files(), &case.profile_files()).expect("well-formed");
        let options = UnionOptions { threads: 1, function_regions: false, without_doctest_code: false };
        let coverage =
            union::evaluate(&loaded.map, &loaded.profile, options, &|path| Some(path.to_vec()), &Cuts::new());
        records.push(Baseline::of(&coverage, |_| Some("0123".to_owned())).render().into_bytes());
    }
    records
}

/// As `run.json` is: its keys are checked where it is read.
const RUN: &str = r#"{"format": 4, "workspace_root": "/w", "sources": {"roots": ["/w"], "build_dirs": ["/w/target"],
"packages": [{"name": "app", "dir": "/w/app", "is_selected": true, "crate_roots": ["/w/app/src/lib.rs"],
"auxiliary_targets": [["test", "/w/app/tests/it.rs"]]}]}, "objects": ["/w/a"], "doctest_objects": ["/w/d"],
"profiles": ["/w/p.profraw"], "profile_dirs": [], "outside": null, "tests": [{"binary_id": "app::it",
"executable": "/w/a", "outcome": "passed", "duration_ms": 12, "passed_failed_ignored": [1, 2, 3],
"tests": {"a::b": "failed"}}], "manifests": [{"path": "/w/Cargo.toml", "md5": "0123", "package": null,
"coverage": {"fail-under-lines": 80}}], "is_partial": false}"#;

fn reports() -> Vec<Vec<u8>> {
    let mut reports = Vec::new();
    for seed in 0..12 {
        let bytes = random_bytes(seed, 300);
        for kind in 1..4 {
            reports.push([&[kind], &bytes[..]].concat());
        }
        let case = Case::well_formed(&mut Numbers::new(&bytes));
        let (object, profile) = (&case.object_files()[0], &case.profile_files()[0]);
        reports.push([&[0], &(object.len() as u16).to_le_bytes()[..], object, profile].concat());
    }
    for (_, object) in named_objects().into_iter().filter(|(_, object)| object.len() <= MOST_BYTES) {
        let profile = raw_profile(10, &[(0x5fe7_eb7f_c7bf_4310, 0x18, vec![3, 1, 1])]);
        reports.push([&[0], &(object.len() as u16).to_le_bytes()[..], &object, &profile].concat());
    }
    reports
}

#[test]
#[ignore = "writes the corpus that fuzzing begins with; `.ci/fuzz` runs it"]
fn seeds_are_written() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (target, _) in TARGETS {
        let directory = corpus.join(target);
        fs::create_dir_all(&directory).expect("can be made");
        for (index, seed) in of(target).iter().enumerate() {
            fs::write(directory.join(format!("seed-{index:03}")), seed).expect("can be written");
        }
    }
}
