//! Several runs, merged: parts of one run give what the whole of it gives, byte for byte; what does not fit together is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::changes::{git, quiet};
use crate::nextest::nextest;
use crate::support::program::{Finished, Program};
use crate::support::workspace::Workspace;
use crate::{read_lcov, xtask};

const FORMATS: [&str; 8] =
    ["--lcov", "--json", "--cobertura", "--codecov", "--markdown", "--badge", "--badge-svg", "--text"];

fn coverage(workspace: &Workspace) -> Program {
    xtask(workspace).arg("coverage")
}

/// Merges the files in a directory into reports in another.
fn merge(workspace: &Workspace, files: &[PathBuf]) -> Program {
    coverage(workspace).arg("merge").args(files)
}

/// Runs all parts, one after the other, and returns their files.
fn run_parts(workspace: &Workspace, kind: &str, count: u32) -> Vec<PathBuf> {
    let directory = workspace.beside("parts");
    let part = |index: u32| {
        let file = directory.join(format!("{kind}-{index}-of-{count}.cov"));
        let partition = format!("{kind}:{index}/{count}");
        let run = coverage(workspace).args(["--partition", &partition, "--partial"]).arg(&file).run();
        let run = run.expect_success().expect_stderr(&format!("Partition {partition}: "));
        assert_eq!(run.stdout, "", "a table of a part");
        file
    };
    (1..=count).map(part).collect()
}

fn warnings(run: &Finished) -> Vec<String> {
    run.stderr.lines().filter(|line| line.starts_with("warning: ")).map(str::to_owned).collect()
}

/// Every file in a directory by its name.
fn contents(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).expect("a directory of reports");
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("text"))
    };
    entries.map(|entry| read(entry.expect("an entry").path())).collect()
}

/// Compares whole files, and shows no more than the first line that differs.
#[track_caller]
fn assert_same(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>, what: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{what}");
    for (name, found) in found {
        let mut lines = found.lines().zip(expected[name].lines());
        let differ = lines.find(|(found, expected)| found != expected);
        let begin = |line: &str| line.chars().take(300).collect::<String>();
        let differ = differ.map(|(found, expected)| (begin(found), begin(expected)));
        assert_eq!(differ, None, "{name}: {what}");
        assert!(*found == expected[name], "{name}: {what}");
    }
}

/// Runs a workspace whole and in parts, and compares all outputs in both models.
fn check_parts(name: &str, partitions: &[(&str, u32)], llvm_flags: &[&str]) {
    let workspace = Workspace::copy(name);
    let directory = |name: &str| workspace.beside(name);
    let models = ["union", "llvm"];
    coverage(&workspace)
        .args(FORMATS)
        .arg("--output-dir")
        .arg(directory("whole union"))
        .run()
        .expect_success();
    let llvm = ["report", "--model", "llvm", "--output-dir"];
    coverage(&workspace)
        .args(llvm)
        .arg(directory("whole llvm"))
        .args(FORMATS)
        .args(llvm_flags)
        .run()
        .expect_success();
    for (kind, count) in partitions {
        let mut files = run_parts(&workspace, kind, *count);
        for model in models {
            // The order of the files is nothing that anybody thinks of.
            files.reverse();
            let output = directory(&format!("{kind} {count} {model}"));
            let merged = merge(&workspace, &files).args(["--model", model, "--output-dir"]).arg(&output);
            let flags = if model == "llvm" { llvm_flags } else { &[] };
            let merged = merged.args(FORMATS).args(flags).run().expect_success();
            assert!(!merged.stderr.contains("warning"), "{merged}");
            let whole = contents(&directory(&format!("whole {model}")));
            assert_eq!(whole.len(), FORMATS.len());
            assert_same(&contents(&output), &whole, &format!("{kind} {count} {model}"));
        }
    }
}

#[test]
fn parts_of_programs_libraries_and_macros_are_the_whole() {
    check_parts("stress", &[("slice", 2), ("hash", 3)], &[]);
}

/// Two binaries in three parts: one of them is empty. rustdoc puts doctests into a directory of another name each time, which
/// LLVM's list of functions shows.
#[test]
fn parts_of_doctests_are_the_whole() {
    check_parts("doctests", &[("slice", 3), ("hash", 2)], &["--skip-functions"]);
}

/// cargo-nextest shares out single tests. What every part does counts once: compilers run macros, and programs that do not know the
/// question for their tests run. One binary has no test at all, which makes no part of the whole.
#[test]
fn parts_of_single_tests_are_the_whole() {
    let workspace = Workspace::copy("stress");
    let demands = "\n[workspace.metadata.coverage]\nfail-under-lines = 100\n";
    let manifest = workspace.read("Cargo.toml");
    workspace.write("Cargo.toml", &format!("{manifest}{demands}"));
    let nextest = |arguments: &[&str]| nextest(&workspace, &[&["--all-targets"], arguments].concat());
    let directory = |name: &str| workspace.beside(name);
    let below = "is below the threshold 100%";
    let whole = nextest(&FORMATS).arg("--output-dir").arg(directory("whole union")).run();
    let whole = whole.expect_code(2).expect_stderr(below);
    assert_eq!(warnings(&whole), [""; 0]);
    let whole = coverage(&workspace).args(["report", "--model", "llvm"]).args(FORMATS).arg("--output-dir");
    // Where two builds of a library have a function of one name, LLVM's model may warn, depending on where they were built.
    let llvm = warnings(&whole.arg(directory("whole llvm")).run().expect_code(2));
    for (kind, count) in [("hash", 2), ("count", 3)] {
        let part = |index: u32| {
            let file = directory("parts").join(format!("{kind}-{index}.cov"));
            let partition = format!("{kind}:{index}/{count}");
            let run = nextest(&["--partial"]).arg(&file).args(["--", "--partition", &partition]).run();
            let run = run.expect_success();
            assert!(!run.stderr.contains("the numbers are not held"), "{run}");
            file
        };
        let files: Vec<PathBuf> = (1..=count).map(part).collect();
        let missing = merge(&workspace, &files[1..]).run().expect_code(1);
        missing.expect_stderr(&format!("parts of a run are missing: `{kind}:1/{count}`"));
        for model in ["union", "llvm"] {
            let output = directory(&format!("{kind} {model}"));
            let merged = merge(&workspace, &files).args(["--model", model, "--output-dir"]).arg(&output);
            let merged = merged.args(FORMATS).run().expect_code(2).expect_stderr(below);
            assert_eq!(warnings(&merged), if model == "llvm" { &llvm[..] } else { &[] });
            let whole = contents(&directory(&format!("whole {model}")));
            assert_same(&contents(&output), &whole, &format!("{kind} {model}"));
        }
    }

    // A part without any test is a part.
    let file = directory("parts").join("many.cov");
    let none = nextest(&["--partial"]).arg(&file).args(["--", "--partition", "count:99/99"]);
    none.run().expect_success();
    let missing = merge(&workspace, &[file]).run().expect_code(1);
    missing.expect_stderr("`count:10/99` and 88 more");
}

/// What is printed and written under flags about reports, both models, once from the whole run and once from its parts.
#[test]
fn every_flag_about_reports_holds_for_a_merge() {
    const ROWS: [&[&str]; 16] = [
        &["--fail-under-lines", "100"],
        &["--fail-under-functions", "99.5", "--fail-under-regions", "99"],
        &["--fail-under-file-lines", "90"],
        &["--fail-uncovered-lines", "0", "--fail-uncovered-functions", "0", "--fail-uncovered-regions", "1"],
        &["--show-missing-lines", "--show-missing-functions", "--sort", "path"],
        &["--total"],
        &["--summary-only", "--json"],
        &["--summary-only", "--lcov"],
        &["--skip-functions", "--json"],
        &["--patch-base", "HEAD", "--fail-under-patch", "100", "--markdown"],
        &["--patch-base", "HEAD", "--ci", "github", "--lcov"],
        &["--ci", "gitlab", "--lcov"],
        &["--include-tests", "--no-markers", "--lcov"],
        &[
            "--exclude-code",
            "const-fn",
            "--exclude-code",
            "debug",
            "--exclude-from-report",
            "partial",
            "--lcov",
        ],
        &["--no-default-exclude", "--text"],
        &["--baseline", "../higher MODEL", "--ratchet", "0", "--save-baseline", "../lower"],
    ];
    let workspace = Workspace::copy("outputs");
    workspace.write(".gitignore", "target/\n");
    for command in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "first"]] {
        git(workspace.root()).args(command).run().expect_success();
    }
    let source = workspace.read("generic/src/lib.rs");
    workspace.write("generic/src/lib.rs", &format!("{source}\npub fn late() -> u32 {{\n    1\n}}\n"));
    coverage(&workspace).arg("--no-report").run().expect_success();
    let all: Vec<Vec<PathBuf>> =
        [("slice", 2), ("hash", 3)].map(|(kind, count)| run_parts(&workspace, kind, count)).into();
    // Parts write a record of themselves, and a merge one of its own.
    coverage(&workspace).arg("--no-report").run().expect_success();
    let record = workspace.read("target/coverage/run.json");
    let summary = workspace.beside("summary").join("step.md");
    let run = |program: Program, row: &[&str], model: &str| -> (Option<i32>, String, String, String) {
        drop(fs::remove_file(&summary));
        let row = row.iter().map(|word| word.replace("MODEL", model));
        let program = quiet(program.args(row)).args(["--model", model]).env("GITHUB_STEP_SUMMARY", &summary);
        let finished: Finished = program.run();
        let is_about_files =
            |line: &&str| ["Merging ", "Wrote "].iter().any(|it| line.trim_start().starts_with(it));
        let said: Vec<&str> = finished.stderr.lines().filter(|line| !is_about_files(line)).collect();
        let written = fs::read_to_string(&summary).unwrap_or_default();
        (finished.code(), finished.stdout.clone(), said.join("\n"), written)
    };
    for model in ["union", "llvm"] {
        let higher = format!("../higher {model}");
        let save =
            ["report", "--model", model, "--exclude-files", "untouched/**", "--save-baseline", &higher];
        coverage(&workspace).args(save).run().expect_success();
    }
    let check = |row: &[&str], expected: Option<i32>| {
        for model in ["union", "llvm"] {
            workspace.write("target/coverage/run.json", &record);
            let whole = run(coverage(&workspace).arg("report"), row, model);
            if let Some(expected) = expected {
                assert_eq!(whole.0, Some(expected), "{row:?}: {whole:?}");
            }
            for files in &all {
                assert_eq!(run(merge(&workspace, files), row, model), whole, "{row:?} {model} {files:?}");
            }
        }
    };
    let codes = [2, 2, 2, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 2];
    for (row, code) in ROWS.iter().zip(codes) {
        check(row, Some(code));
    }

    // A baseline is the same file, and what the manifests demand holds.
    let baseline = |program: Program| {
        program.args(["--save-baseline", "../saved"]).run().expect_success();
        workspace.read("../saved")
    };
    workspace.write("target/coverage/run.json", &record);
    let whole = baseline(coverage(&workspace).arg("report"));
    for files in &all {
        assert_eq!(baseline(merge(&workspace, files)), whole);
    }
    let manifest = workspace.read("Cargo.toml");
    let demands = "fail-under-lines = 99\n[workspace.metadata.coverage.packages.generic]\nfail-under-functions = 100\n\
                   [workspace.metadata.coverage.paths.\"partial/**\"]\nfail-under-lines = 100\n";
    workspace.write("Cargo.toml", &format!("{manifest}\n[workspace.metadata.coverage]\n{demands}"));
    check(&[], Some(2));
}

/// A package of the workspace can lie beside its root, and does so in every checkout.
#[test]
fn packages_beside_the_workspace_are_one_source() {
    let checkout = |name: &str| {
        let checkout = Workspace::empty(name);
        let manifest = |name: &str, more: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n{more}")
        };
        let more =
            "[workspace]\nmembers = [\"../beside\"]\n[dependencies]\nbeside = { path = \"../beside\" }\n";
        checkout.write("app/Cargo.toml", &manifest("app", more));
        checkout.write("app/src/lib.rs", "pub fn four() -> u32 {\n    beside::twice(2)\n}\n");
        checkout.write("app/tests/it.rs", "#[test]\nfn it() {\n    assert_eq!(app::four(), 4);\n}\n");
        checkout.write("beside/Cargo.toml", &manifest("beside", "workspace = \"../app\"\n"));
        checkout.write("beside/src/lib.rs", "pub fn twice(number: u32) -> u32 {\n    number * 2\n}\n");
        checkout.write("beside/tests/it.rs", "#[test]\nfn it() {\n    assert_eq!(beside::twice(4), 8);\n}\n");
        checkout
    };
    let in_app = ["--manifest-path", "app/Cargo.toml"];
    let (here, there) = (checkout("here"), checkout("deeper down"));
    let part = |checkout: &Workspace, index: u32| {
        let file = here.beside("parts").join(format!("{index}.cov"));
        let partition = format!("hash:{index}/2");
        let run =
            coverage(checkout).args(in_app).args(["--no-doctests", "--partition", &partition, "--partial"]);
        run.arg(&file).run().expect_success();
        file
    };
    let files = [part(&here, 1), part(&there, 2)];
    for part in &files {
        let content = fs::read(part).expect("a file");
        assert!(!String::from_utf8_lossy(&content).contains("deeper down"));
    }
    let whole = coverage(&here).args(in_app).args(["--no-doctests", "--lcov"]).run().expect_success();
    let merged = merge(&here, &files).args(in_app).arg("--lcov").run().expect_success();
    assert_eq!(merged.stdout, whole.stdout);
    assert_eq!(merged.stdout.matches("SF:").count(), 2, "{merged}");

    there.write("beside/src/lib.rs", "pub fn twice(number: u32) -> u32 {\n    number + number\n}\n");
    part(&there, 2);
    let refused = merge(&here, &files).args(in_app).run().expect_code(1);
    refused.expect_stderr("the runs are of different sources: `../beside/src/lib.rs` is in");
}

#[test]
fn a_merge_is_recorded_and_can_be_merged_again() {
    let workspace = Workspace::copy("outputs");
    coverage(&workspace).args(["--lcov", "--fail-under-lines", "1"]).run().expect_success();
    let whole = coverage(&workspace).args(["report", "--json"]).run().expect_success().stdout;
    let durations = workspace.read("target/coverage/durations.json");
    let files = run_parts(&workspace, "slice", 2);
    assert_eq!(workspace.read("target/coverage/durations.json"), durations, "parts leave the times alone");

    let again = workspace.beside("parts").join("all.cov");
    let merged = merge(&workspace, &files).arg("-v").arg("--partial").arg(&again).run().expect_success();
    let merged = merged.expect_stderr("Merging 2 runs").expect_stderr("slice:2/2, ");
    assert_eq!(merged.stdout, "");
    let from_record = coverage(&workspace).args(["report", "--json"]).run().expect_success().stdout;
    assert!(from_record == whole, "`coverage report` after a merge");
    let record = workspace.read("target/coverage/run.json");
    for part in ["slice-1-of-2.cov", "slice-2-of-2.cov", "slice:1/2", "generic::it"] {
        assert!(record.contains(part), "{part} in {record}");
    }

    let once_more = merge(&workspace, &[again]).args(["-v", "--json"]).run().expect_success();
    let once_more = once_more.expect_stderr("Merging 2 runs").expect_stderr("slice:1/2, ");
    assert!(once_more.stdout == whole, "a merge of a merge");

    // A record of a merge has nothing that LLVM's tools or another run could go on with.
    let report = coverage(&workspace).args(["report", "--engine", "llvm"]).run().expect_code(1);
    report.expect_stderr("the last thing that was recorded is a merge");
    let low = merge(&workspace, &files).args(["--fail-under-lines", "100"]).run().expect_code(2);
    low.expect_stderr("is below the threshold 100%");
}

/// The checkout of the job that merges is another one, without anything built in it.
#[test]
fn parts_are_merged_at_another_place() {
    let measured = Workspace::copy("outputs");
    coverage(&measured).arg("--lcov").arg("--codecov").run().expect_success();
    let read = |name: &str| measured.read(&format!("target/coverage/{name}"));
    let (lcov, codecov) = (read("lcov.info"), read("codecov.json"));
    let files = run_parts(&measured, "hash", 2);
    let file = fs::read(&files[0]).expect("a file");
    let root = measured.root().to_string_lossy().into_owned();
    assert!(!String::from_utf8_lossy(&file).contains(&root));

    let here = Workspace::copy_as("outputs", "elsewhere");
    merge(&here, &files).args(["--lcov", "--codecov"]).run().expect_success();
    assert_eq!(here.read("target/coverage/lcov.info"), lcov);
    assert_eq!(here.read("target/coverage/codecov.json"), codecov);
    assert!(here.read("target/coverage/durations.json").contains("generic::it"));

    // Line ends are those of the system.
    let source = here.read("partial/src/lib.rs");
    here.write("partial/src/lib.rs", &source.replace('\n', "\r\n"));
    merge(&here, &files).args(["--lcov", "--codecov"]).run().expect_success();
    assert_eq!(here.read("target/coverage/lcov.info"), lcov);

    // Another text is another source.
    here.write("partial/src/lib.rs", &format!("{source}\n// Later.\n"));
    let refused = merge(&here, &files).run().expect_code(1);
    refused.expect_stderr("the sources here are not those of the runs: `partial/src/lib.rs` differ");
    // What does not count is nobody's concern.
    let ignored = merge(&here, &files).args(["--exclude-files", "partial/src/lib.rs"]).run();
    ignored.expect_success();
    fs::remove_file(here.root().join("partial/src/lib.rs")).expect("it is there");
    let missing = merge(&here, &files).run().expect_code(1);
    missing.expect_stderr("sources of the runs are not here: `partial/src/lib.rs`");
    merge(&here, &files).args(["--model", "llvm"]).run().expect_success();

    // Without any workspace, what the files know of theirs holds.
    let nowhere = Workspace::empty("no workspace");
    let bare = ["--no-default-exclude", "--no-markers", "--exclude-files", "**/tests/**", "--lcov"];
    let merged = merge(&nowhere, &files).args(bare).run().expect_success();
    assert!(merged.stdout.contains("SF:partial/src/lib.rs\n"), "{merged}");
    assert!(nowhere.files().is_empty());
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let workspace = Workspace::copy("outputs");
    let files = run_parts(&workspace, "hash", 3);
    let refused = |files: &[PathBuf], message: &str| {
        merge(&workspace, files).run().expect_code(1).expect_stderr(message);
    };
    refused(&[], "needs the files that are to be merged");
    refused(&[files[0].clone(), files[2].clone()], "parts of a run are missing: `hash:2/3`");
    refused(&[files[0].clone(), files[0].clone()], "is given twice");
    let other_name = workspace.beside("other").join("..").join("beside parts").join("hash-1-of-3.cov");
    refused(&[files[0].clone(), other_name.clone()], "is given twice");
    let cure = "help: give files that `--partial <FILE>` has written";
    for (file, message) in [
        (workspace.root().join("none.cov"), "failed to read `"),
        (workspace.root().join("Cargo.toml"), "not a partial coverage file"),
        (workspace.root().to_path_buf(), "not a regular file"),
    ] {
        refused(std::slice::from_ref(&file), message);
        refused(&[file], cure);
    }

    let replaced = merge(&workspace, &files).arg("--partial").arg(&files[1]).run().expect_code(1);
    replaced.expect_stderr("would replace a file that is merged");
    let replaced = merge(&workspace, &files).arg("--partial").arg(&other_name).run().expect_code(1);
    replaced.expect_stderr("would replace a file that is merged");

    let bytes = fs::read(&files[1]).expect("a file");
    let damaged = workspace.beside("parts").join("damaged.cov");
    let with_damage = [files[0].clone(), damaged.clone(), files[2].clone()];
    fs::write(&damaged, &bytes[..bytes.len() - 1]).expect("can be written");
    refused(&with_damage, "damaged.cov`: malformed: the checksum is that of another content");
    let mut newer = bytes.clone();
    newer[8] += 1;
    fs::write(&damaged, &newer).expect("can be written");
    refused(&with_damage, "damaged.cov`: unsupported partial coverage file version 2");

    // A copy under another name is a part that ran twice.
    fs::write(&damaged, &bytes).expect("can be written");
    let with_copy = [files.clone(), vec![damaged.clone()]].concat();
    merge(&workspace, &with_copy).run().expect_success().expect_stderr("[tested-twice]");

    // A source that was changed between two parts.
    let source = workspace.read("generic/src/lib.rs");
    workspace.write("generic/src/lib.rs", &format!("{source}\n// Later.\n"));
    let later = ["--partition", "hash:2/3", "--partial"];
    coverage(&workspace).args(later).arg(&damaged).run().expect_success();
    refused(&with_damage, "the runs are of different sources: `generic/src/lib.rs` is in");
    workspace.write("generic/src/lib.rs", &source);

    // Other tests would not be those of one run, although they do not count.
    let source = workspace.read("generic/tests/it.rs");
    workspace.write("generic/tests/it.rs", &format!("{source}\n// Later.\n"));
    coverage(&workspace).args(later).arg(&damaged).run().expect_success();
    refused(&with_damage, "the runs are of different sources: `generic/tests/it.rs` is in");

    // LLVM's model needs no source, but there has to be one, or this is another workspace.
    let other = Workspace::copy("only-bin");
    let foreign = merge(&other, &files).args(["--model", "llvm"]).run().expect_code(1);
    foreign.expect_stderr("is of another workspace: none of its sources is here");
}

/// Two machines with different ideas of how long the binaries take.
#[test]
fn a_binary_that_ran_in_no_part_is_named() {
    let workspace = Workspace::copy("outputs");
    let file = |index: u32| workspace.beside("parts").join(format!("{index}.cov"));
    let run = |index: u32, durations: &str| {
        workspace.write("target/coverage/durations.json", durations);
        let partition = format!("slice:{index}/2");
        coverage(&workspace)
            .args(["--partition", &partition, "--partial"])
            .arg(file(index))
            .run()
            .expect_success();
    };
    run(1, r#"{"generic": 9000, "generic::it": 1}"#);
    run(2, r#"{"generic::it": 9000, "generic": 1}"#);
    let lost = merge(&workspace, &[file(1), file(2)]).run().expect_code(1);
    let lost = lost.expect_stderr("test binary `").expect_stderr("` ran in no part");
    lost.expect_stderr("durations.json");
}

/// Of a package with a feature, what either set of features compiles counts, and is no miss of the other.
#[test]
fn runs_with_other_features_add_up_by_source_position() {
    let workspace = Workspace::empty("features");
    workspace.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[features]\nextra = []\n[workspace]\n",
    );
    workspace.write(
        "src/lib.rs",
        "pub fn both(number: u32) -> u32 {\n    number + 1\n}\n\n#[cfg(feature = \"extra\")]\npub fn extra() -> u32 {\n    \
         both(1)\n}\n\n#[cfg(not(feature = \"extra\"))]\npub fn plain() -> u32 {\n    both(2)\n}\n\npub fn never() {\n    both(3);\n}\n",
    );
    workspace.write(
        "tests/it.rs",
        "#[test]\nfn it() {\n    #[cfg(feature = \"extra\")]\n    assert_eq!(app::extra(), 2);\n    \
         #[cfg(not(feature = \"extra\"))]\n    assert_eq!(app::plain(), 3);\n}\n",
    );
    let file = |name: &str| workspace.beside("parts").join(name);
    let lines = |features: &[&str], name: &str| {
        let lcov = file(&format!("{name}.info"));
        let run = coverage(&workspace).args(features).arg("--partial").arg(file(name));
        run.arg("--lcov").arg("--output-path").arg(&lcov).run().expect_success();
        read_lcov(&lcov).files[0].lines.clone()
    };
    let plain = lines(&[], "plain");
    let extra = lines(&["--features", "extra"], "extra");
    assert!(plain.contains_key(&11) && !plain.contains_key(&6));
    assert!(extra.contains_key(&6) && !extra.contains_key(&11));
    let mut expected = plain;
    for (line, count) in extra {
        *expected.entry(line).or_default() += count;
    }

    let merged = file("merged.info");
    let run =
        merge(&workspace, &[file("plain"), file("extra")]).arg("--lcov").arg("--output-path").arg(&merged);
    run.arg("-v").run().expect_success().expect_stderr("--features extra");
    assert_eq!(read_lcov(&merged).files[0].lines, expected);
    assert_eq!((expected[&2], expected[&7], expected[&12], expected[&16]), (2, 1, 1, 0));
}

#[test]
fn a_partition_takes_nothing_from_other_rules() {
    let workspace = Workspace::copy("outputs");
    let refused = |arguments: &[&str], message: &str| {
        coverage(&workspace).args(arguments).run().expect_code(1).expect_stderr(message);
    };
    refused(&["--partition", "slice:3/2"], "expected `slice:M/N` or `hash:M/N` with M from 1 to N");
    refused(&["--nextest", "--partition", "hash:1/2"], "`--nextest -- --partition hash:1/2`");
    refused(&["--partial", "x.cov", "--no-run"], "cannot be combined");
    refused(&["merge", "x.cov", "--engine", "llvm"], "the files to merge have none of them");

    // Thresholds that are typed hold for the part; with a format, the report is written too.
    let file = workspace.beside("parts").join("part.cov");
    let part = || coverage(&workspace).args(["--partition", "hash:1/1", "--partial"]).arg(&file);
    part().args(["--fail-under-lines", "100"]).run().expect_code(2).expect_stderr("is below the threshold");
    let lcov = part().arg("--lcov").run().expect_success();
    assert!(lcov.stdout.starts_with("SF:"), "{lcov}");
    // What the manifests demand, the whole has to reach.
    let manifest = workspace.read("Cargo.toml");
    workspace
        .write("Cargo.toml", &format!("{manifest}\n[workspace.metadata.coverage]\nfail-under-lines = 100\n"));
    part().run().expect_success();
    part().args(["--total"]).run().expect_success();
    merge(&workspace, &[file]).run().expect_code(2).expect_stderr("is below the threshold 100%");
}

/// A part cannot know whether others have tests; a merge can. Where nothing is built at all, each part knows.
#[test]
fn without_any_test_there_is_nothing_to_report() {
    let workspace = Workspace::copy("no-tests");
    let merged = merge(&workspace, &run_parts(&workspace, "hash", 2)).run().expect_code(1);
    merged.expect_stderr("error: no test ran in any of the runs");
    let workspace = Workspace::copy("single-crate");
    let file = workspace.beside("parts").join("part.cov");
    let part = coverage(&workspace).args(["no_such_test", "--partition", "hash:1/1", "--partial"]);
    part.arg(&file).run().expect_success();
    merge(&workspace, std::slice::from_ref(&file))
        .run()
        .expect_code(1)
        .expect_stderr("error: no test ran in any of the runs");
    let workspace = Workspace::copy("no-targets");
    let part = coverage(&workspace).args(["--partition", "hash:1/2", "--partial"]).arg(&file).run();
    part.expect_code(1).expect_stderr("error: no test binary was built");
}

/// A part whose tests fail leaves its file, and the merge says so.
#[test]
fn failing_parts_are_told() {
    let workspace = Workspace::copy("failing");
    let file = workspace.beside("parts").join("part.cov");
    let part = ["--no-fail-fast", "--partition", "hash:1/1", "--partial"];
    coverage(&workspace).args(part).arg(&file).run().expect_code(100);
    merge(&workspace, &[file]).run().expect_success().expect_stderr("tests failed in the run of `");
}

#[test]
fn what_a_run_has_lost_is_told_after_the_merge_too() {
    let workspace = Workspace::copy("outputs");
    coverage(&workspace).arg("--no-report").run().expect_success();
    let record = workspace.read("target/coverage/run.json");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let profile = record["profiles"][0].as_str().expect("a profile");
    fs::write(profile, "").expect("can be written");
    let whole = coverage(&workspace).args(["report", "--json"]).run().expect_success();
    let whole = whole.expect_stderr("[empty-profile]").stdout;
    assert!(whole.contains("\"warnings\":{\"empty-profile\":1}"));

    let file = workspace.beside("parts").join("run.cov");
    let written = coverage(&workspace).args(["report", "--partial"]).arg(&file).run().expect_success();
    written.expect_stderr("[empty-profile]");
    let merged = merge(&workspace, std::slice::from_ref(&file)).arg("--json").run().expect_success();
    assert!(merged.expect_stderr("[empty-profile]").stdout == whole);
    merge(&workspace, &[file]).arg("--deny-warnings").run().expect_code(1);
}
