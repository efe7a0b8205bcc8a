//! Tests that cargo-nextest runs. A stand-in takes its place, so that these tests need nothing: `tests/data/nextest_stand_in.rs`.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use crate::support::program::Program;
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::{Workspace, data};
use crate::{lcov, xtask};

/// A path with the stand-in on it before everything else.
fn path_with_stand_in(workspace: &Workspace) -> OsString {
    let directory = workspace.beside("programs");
    let program = directory.join(format!("cargo-nextest{EXE_SUFFIX}"));
    let source = data().join("nextest_stand_in.rs");
    Program::new("rustc")
        .args(["--edition", "2021"])
        .arg(source)
        .arg("-o")
        .arg(&program)
        .run()
        .expect_success();
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let mut path: Vec<PathBuf> = vec![directory];
    path.extend(std::env::split_paths(&usual));
    // Unless it is on the path, cargo looks there first.
    path.extend(std::env::var_os("CARGO_HOME").map(|home| PathBuf::from(home).join("bin")));
    path.extend(std::env::home_dir().map(|home| home.join(".cargo/bin")));
    std::env::join_paths(path).expect("a path")
}

/// Our program with the stand-in, and then these arguments.
pub(crate) fn nextest(workspace: &Workspace, arguments: &[&str]) -> Program {
    xtask(workspace)
        .args(["coverage", "--nextest"])
        .args(arguments)
        .env("PATH", path_with_stand_in(workspace))
}

/// The lines of a tracefile, but for the counts of the function that `killed` calls until the stack is full: how deep that is depends on
/// where the system puts the stack.
fn comparable(tracefile: &str) -> Vec<&str> {
    let mut source = "";
    let is_depth =
        |line: &str| line.strip_suffix(",victim::deeper").is_some_and(|it| it.starts_with("FNDA:"));
    let is_recursion = |line: &str| ["DA:95,", "DA:96,", "DA:97,"].iter().any(|it| line.starts_with(it));
    tracefile
        .lines()
        .filter(|line| {
            source = line.strip_prefix("SF:").unwrap_or(source);
            let is_of_stack = is_depth(line) || source == "src/bin/victim.rs" && is_recursion(line);
            !is_of_stack
        })
        .collect()
}

/// Measures a workspace in both ways and checks that the tracefiles are the same, that every marked line is right, and
/// that nothing is left in the tree.
fn check(workspace: &Workspace, arguments: &[&str]) {
    let before = workspace.files();
    xtask(workspace).args(["coverage", "--no-doctests"]).args(arguments).run().expect_success();
    let ours = workspace.read("target/coverage/lcov.info");
    nextest(workspace, arguments).run().expect_success();
    let theirs = workspace.read("target/coverage/lcov.info");
    assert_eq!(comparable(&theirs), comparable(&ours));
    check_lines(&lcov(workspace), workspace.root(), Exclusions::Default);
    let new: Vec<_> =
        workspace.files().difference(&before).filter(|path| !path.starts_with("target/")).cloned().collect();
    assert!(new.is_empty(), "left in the tree: {new:?}");
}

#[test]
fn all_that_our_own_runner_counts() {
    // Among them programs that do not list their tests but run, and tests of macros, which are built for the host.
    check(&Workspace::copy("stress"), &["--all-targets"]);
}

#[test]
fn programs_that_tests_start_without_an_environment() {
    check(&Workspace::copy("clear-env"), &[]);
}

#[test]
#[cfg(target_os = "linux")]
fn processes_that_are_killed() {
    check(&Workspace::copy("killed"), &[]);
}

#[test]
fn a_directory_with_odd_characters_and_files_for_each_process() {
    let name = if cfg!(windows) { "only bin ü" } else { "only \"bin\" ü [x]" };
    check(&Workspace::copy_as("only-bin", name), &["--no-continuous"]);
}

#[test]
fn failing_tests_are_reported_and_recorded() {
    let workspace = Workspace::copy("failing");
    nextest(&workspace, &[]).run().expect_code(100).expect_stdout("TOTAL");
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
    let record = workspace.read("target/coverage/run.json");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let of = |binary_id: &str| {
        let tests = record["tests"].as_array().expect("a list");
        let found = tests.iter().find(|test| test["binary_id"] == binary_id).expect("it is there");
        (found["outcome"].as_str().expect("a text").to_owned(), found["passed_failed_ignored"].to_string())
    };
    assert_eq!(of("failing"), ("passed".to_owned(), "[2,0,0]".to_owned()));
    assert_eq!(of("failing::b_fails"), ("failed".to_owned(), "[1,1,0]".to_owned()));
    nextest(&workspace, &["--ignore-run-fail"]).run().expect_success();
}

#[test]
fn a_test_binary_without_a_profile() {
    let workspace = Workspace::copy("only-bin");
    let removes = "#[test]\nfn removes() {\n    let pattern = std::env::var_os(\"LLVM_PROFILE_FILE\").unwrap();\n    \
                   std::fs::remove_dir_all(std::path::Path::new(&pattern).parent().unwrap()).unwrap();\n}\n";
    workspace.write("tests/asks.rs", removes);
    let error = "error: no raw profile was written by test binary `only-bin::asks`";
    nextest(&workspace, &[]).run().expect_code(1).expect_stderr(error);
}

#[test]
fn tests_that_must_run_alone_are_a_matter_of_its_own_configuration() {
    let workspace = Workspace::copy("only-bin");
    let note = "note: cargo-nextest does not know that tests of `only-bin` are to run alone";
    let manifest = workspace.read("Cargo.toml");
    workspace.write("Cargo.toml", &format!("{manifest}\n[package.metadata.coverage]\nexclusive = true\n"));
    nextest(&workspace, &[]).run().expect_success().expect_stderr(note);
}

#[test]
fn arguments_are_passed_on_and_select() {
    let workspace = Workspace::copy("only-bin");
    let arguments =
        ["--test-threads", "2", "--no-fail-fast", "forgets", "--", "--retries=2", "--", "--skip", "x"];
    let finished = nextest(&workspace, &arguments).run().expect_success();
    let line = "stand-in: --no-fail-fast --test-threads 2 forgets --retries=2 -- --skip x";
    assert!(finished.stderr.lines().any(|it| it == line), "{finished}");
    let record: serde_json::Value =
        serde_json::from_str(&workspace.read("target/coverage/run.json")).expect("JSON");
    let outcomes: Vec<_> =
        record["tests"].as_array().expect("a list").iter().map(|it| it["outcome"].clone()).collect();
    assert_eq!(outcomes, ["not run", "passed"]);
}

#[test]
fn what_goes_wrong() {
    let workspace = Workspace::copy("only-bin");
    let check = |program: Program, error: &str, help: &str| {
        let finished = program.run().expect_code(1).expect_stderr(error);
        assert!(
            finished.stderr.lines().any(|it| it.starts_with("help: ") && it.contains(help)),
            "{finished}"
        );
        assert!(!workspace.root().join("target/coverage/lcov.info").exists());
    };
    check(nextest(&workspace, &["no_such_test"]), "error: no test ran", "cargo nextest list");
    check(nextest(&workspace, &["--", "-p", "only-bin"]), "error: `-p` cannot follow `--`", "before `--`");
    check(nextest(&workspace, &["--timeout", "9"]), "cannot be combined", "slow-timeout");
    // Neither on the path nor where cargo keeps its programs.
    let nowhere = workspace.beside("nowhere");
    let cargo = std::env::var_os("CARGO").expect("cargo runs this test");
    let program = xtask(&workspace).args(["coverage", "--nextest"]).env("PATH", &nowhere);
    let program = program.env("CARGO_HOME", &nowhere).env("CARGO", cargo);
    check(program, "error: `--nextest` needs `cargo-nextest`", "cargo install");

    // A test binary that cannot list its tests ends it all.
    let source = workspace.read("tests/asks.rs");
    workspace.write("tests/asks.rs", &format!("{source}\ncompile_error!(\"broken\");\n"));
    nextest(&workspace, &[]).run().expect_code(101).expect_stderr("error: the build failed");
    let manifest = workspace.read("Cargo.toml");
    workspace.write("Cargo.toml", &format!("{manifest}\n[[test]]\nname = \"asks\"\nharness = false\n"));
    fs::write(workspace.root().join("tests/asks.rs"), "fn main() { panic!(\"lists nothing\") }\n")
        .expect("writable");
    check(nextest(&workspace, &[]), "did not get to the end of the tests (exit", "what it printed");
}
