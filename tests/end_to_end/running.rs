//! Test binaries that start early, hang, are interrupted, or leave something behind.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::program::{Finished, Program};
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{lcov, xtask};

/// The workspace, and the file whose removal ends what its tests start.
fn misbehaving() -> (Workspace, PathBuf) {
    let workspace = Workspace::copy("misbehaving");
    let mark = workspace.beside("marks").join("mark");
    (workspace, mark)
}

#[test]
fn tests_start_while_others_are_compiled() {
    let workspace = Workspace::copy("early");
    // The build ends only once a test has run.
    xtask(&workspace).args(["coverage", "-j", "2"]).run().expect_success();
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
#[cfg(target_os = "linux")]
fn a_test_that_hangs_is_ended_and_counts() {
    let (workspace, mark) = misbehaving();
    xtask(&workspace).args(["coverage", "--no-run"]).run().expect_success();
    let finished = xtask(&workspace)
        .args(["coverage", "--test", "hangs", "--timeout", "2"])
        .env("MARK", &mark)
        .run()
        .expect_code(100);
    let line = "failed: misbehaving::hangs did not end within 2 s; again: cargo xtask coverage -p misbehaving --test hangs";
    assert!(finished.stderr.lines().any(|it| it == line), "{finished}");
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
    assert!(!is_awaited(&mark), "what it has started ends with it");
}

/// Whether a process still waits for the file to be gone.
#[cfg(target_os = "linux")]
fn is_awaited(mark: &Path) -> bool {
    let words = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).unwrap_or_default();
    let mark = mark.to_str().expect("text").as_bytes();
    let processes = fs::read_dir("/proc").expect("the system tells of its processes");
    processes.flatten().map(words).any(|words| words.split(|byte| *byte == 0).any(|word| word == mark))
}

/// Starts a run, waits until there is the file `mark`, sends a signal, and returns how it ended.
#[cfg(target_os = "linux")]
fn interrupted(workspace: &Workspace, arguments: &[&str], mark: &Path, signal: &str) -> Finished {
    let script =
        "\"$@\" & pid=$!; while [ ! -e \"$MARK\" ]; do sleep 0.05; done; kill -s \"$0\" $pid; wait $pid";
    // Tools of LLVM that are good for nothing but to be found.
    let tool = workspace.beside("tools").join("tool");
    let rustc = Program::new("rustc").arg("-vV").run().expect_success().stdout;
    let version = rustc.lines().find(|line| line.starts_with("LLVM version: ")).expect("rustc tells");
    fs::write(&tool, format!("#!/bin/sh\necho '{}'\n", version.replace(':', ""))).expect("can be written");
    let mut permissions = fs::metadata(&tool).expect("there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&tool, permissions).expect("ours");
    Program::ours("/bin/sh")
        .args(["-c", script, signal, env!("CARGO_BIN_EXE_xtask-coverage")])
        .args(arguments)
        .current_dir(workspace.root())
        .env("MARK", mark)
        .env("LLVM_COV", &tool)
        .env("LLVM_PROFDATA", &tool)
        .run()
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_run_keeps_what_was_counted() {
    let (workspace, mark) = misbehaving();
    let finished = interrupted(&workspace, &["coverage", "--test", "hangs"], &mark, "INT").expect_code(130);
    let finished = finished.expect_stderr("error: interrupted; what was counted until then is kept");
    assert!(finished.stderr.contains("help: `cargo xtask coverage report` reports on it"), "{finished}");
    assert!(
        !workspace.root().join("target/coverage/lcov.info").exists(),
        "no report that looks like a whole one"
    );

    let tracefile = workspace.root().join("target/coverage/lcov.info");
    let report = ["coverage", "report", "--lcov", "--output-path"];
    xtask(&workspace).args(report).arg(&tracefile).run().expect_success();
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);

    fs::remove_file(&mark).expect("the test wrote it");
    // On a busy machine the first test would wait before the other is built, and that is another story.
    xtask(&workspace)
        .args(["coverage", "--no-run", "--test", "hangs", "--test", "leaves"])
        .run()
        .expect_success();
    let both = ["coverage", "--test-threads", "1", "--test", "hangs", "--test", "leaves"];
    let finished = interrupted(&workspace, &both, &mark, "TERM").expect_code(143);
    assert!(finished.stderr.contains("Tested 1 binary"), "{finished}");
    assert!(
        !finished.stderr.contains("--no-fail-fast"),
        "nobody asks why the other one was not run: {finished}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_compared_after_an_interrupt() {
    let (workspace, mark) = misbehaving();
    let finished = interrupted(&workspace, &["verify", "--test", "hangs"], &mark, "INT").expect_code(130);
    assert!(!finished.stderr.contains("Comparing"), "{finished}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_build_can_be_interrupted() {
    let workspace = Workspace::copy("early");
    let mark = workspace.root().join("target/second-waits");
    // The build script would wait for a minute for a test of another package.
    let finished = interrupted(&workspace, &["coverage", "-p", "second"], &mark, "TERM").expect_code(143);
    finished.expect_stderr("error: interrupted before all tests were built; nothing was kept");
}

#[test]
#[cfg(unix)]
fn what_a_test_leaves_behind_is_named() {
    let (workspace, mark) = misbehaving();
    let finished =
        xtask(&workspace).args(["coverage", "--test", "leaves"]).env("MARK", &mark).run().expect_success();
    fs::remove_file(&mark).expect("the test wrote it");
    let warning = finished.stderr.lines().find(|line| line.ends_with("[leaked-process]")).expect("a warning");
    assert!(warning.starts_with("warning: `misbehaving::leaves` ended but left `"), "{warning}");
    assert!(warning.contains("lingers"), "{warning}");
}

#[test]
fn the_slowest_tests_are_listed_on_request() {
    let workspace = Workspace::copy("single-crate");
    let finished = xtask(&workspace).args(["coverage", "--slowest", "1"]).run().expect_success();
    let slow: Vec<&str> = finished.stderr.lines().filter(|line| line.starts_with("        Slow ")).collect();
    assert_eq!(slow.len(), 1, "{finished}");
    let finished = xtask(&workspace).arg("coverage").run().expect_success();
    assert!(!finished.stderr.contains("        Slow "), "{finished}");
}

#[test]
fn a_part_of_the_tests_says_nothing_about_how_long_all_take() {
    let workspace = Workspace::copy("single-crate");
    workspace.write("target/coverage/durations.json", r#"{"other":7}"#);
    let durations = || workspace.read("target/coverage/durations.json");
    xtask(&workspace).args(["coverage", "below"]).run().expect_success();
    xtask(&workspace).args(["coverage", "--", "below"]).run().expect_success();
    assert_eq!(durations(), r#"{"other":7}"#);
    xtask(&workspace).arg("coverage").run().expect_success();
    assert!(durations().contains(r#""other":7"#) && durations().contains("single-crate"), "{}", durations());
}
