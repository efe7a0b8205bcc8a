//! Harnesses other than ours: a shell in the environment of `show-env`, and the report on what ran there.

use std::path::{Path, PathBuf};

use crate::build::{compiled, has_map, is_cargos_bookkeeping, target_files};
use crate::support::lcov::Lcov;
use crate::support::program::{Finished, Program};
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{read_lcov, xtask};

/// Runs `script` in a shell that evaluated what `show-env` printed. `$XTASK` is our program.
fn session(workspace: &Workspace, flags: &str, script: &str) -> Finished {
    let begin = format!("set -eu\nlines=$(\"$XTASK\" coverage show-env {flags})\neval \"$lines\"\n{script}");
    Program::new("/bin/sh")
        .arg("-c")
        .arg(begin)
        .env("XTASK", env!("CARGO_BIN_EXE_xtask-coverage"))
        .current_dir(workspace.root())
        .run()
}

/// Whether these tests are measured themselves. Then our program leaves profiles where the environment of the shell says, or beside
/// the sources before there is one, as no program of a user's does.
fn is_measured() -> bool {
    std::env::var_os("LLVM_PROFILE_FILE").is_some()
}

/// The report on it, from outside of the shell.
fn report(workspace: &Workspace) -> Lcov {
    let path = workspace.beside("output").join("report.info");
    let finished = xtask(workspace)
        .args(["coverage", "report", "--lcov", "--output-path"])
        .arg(&path)
        .run()
        .expect_success();
    let warns_of_us = is_measured() && finished.stderr.contains("functions have counts but no coverage map");
    assert!(warns_of_us || !finished.stderr.contains("warning"), "{}", finished.stderr);
    read_lcov(&path)
}

const TEST_AND_GREET: &str = "cargo test\ncargo build\n\"$CARGO_TARGET_DIR/debug/harness\" greet you";

#[test]
#[cfg(unix)]
fn tests_and_a_program_by_hand() {
    let workspace = Workspace::copy("harness");
    let before = workspace.files();
    let finished = session(&workspace, "", TEST_AND_GREET).expect_success();
    assert!(finished.stdout.ends_with("hello, you\n"), "{}", finished.stdout);
    check_lines(&report(&workspace), workspace.root(), Exclusions::Default);
    let mut left = workspace.files();
    let is_ours = |path: &str| is_measured() && path.starts_with("default_");
    left.retain(|path| !before.contains(path) && !is_ours(path));
    assert!(left.is_empty(), "left in the tree: {left:?}");
}

#[test]
#[cfg(unix)]
fn a_directory_that_shells_would_take_apart() {
    let workspace = Workspace::copy_as("harness", "it's $HOME `x` \"q\" \\n");
    session(&workspace, "", TEST_AND_GREET).expect_success();
    check_lines(&report(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
#[cfg(unix)]
fn every_kind_of_code_counts_as_in_a_run_of_ours() {
    let workspace = Workspace::copy("stress");
    session(&workspace, "", "cargo test --workspace --tests").expect_success();
    check_lines(&report(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
#[cfg(target_os = "linux")]
fn killed_processes_keep_their_counts_on_request() {
    let workspace = Workspace::copy("killed");
    session(&workspace, "--continuous", "cargo test").expect_success();
    check_lines(&report(&workspace), workspace.root(), Exclusions::Default);
}

/// Our own commands, called where they are most easily called, are about the workspace all the same.
#[test]
#[cfg(unix)]
fn our_commands_within_the_shell() {
    let workspace = Workspace::copy("harness");
    let script = format!("{TEST_AND_GREET} >/dev/null\n\"$XTASK\" coverage report --lcov");
    let inside = session(&workspace, "", &script).expect_success();
    let outside = xtask(&workspace).args(["coverage", "report", "--lcov"]).run().expect_success();
    assert!(inside.stdout.ends_with(&outside.stdout), "{}", inside.stdout);
    assert!(outside.stdout.contains("SF:src/lib.rs"));

    // A run of ours has nothing of the session's environment in it.
    let script = "\"$XTASK\" coverage --lcov --output-path whole.info";
    let whole = session(&workspace, "", script).expect_success();
    assert!(compiled(&whole).is_empty(), "{}", whole.stderr);
    assert_eq!(read_lcov(&workspace.root().join("whole.info")).file("src/lib.rs").lines.get(&3), Some(&1));

    // Once more, with the variables of the first time still set; and with the user's own target directory.
    let script = "first=$lines\nlines=$(\"$XTASK\" coverage show-env)\ntest \"$lines\" = \"$first\"";
    session(&workspace, "", script).expect_success();
    let target_dir = workspace.beside("target dir");
    let flags = format!("--target-dir '{}'", target_dir.display());
    let script = format!("{TEST_AND_GREET}\n\"$XTASK\" coverage report --lcov --output-path report.info");
    session(&workspace, &flags, &script).expect_success();
    assert!(target_dir.join("coverage/run.json").is_file());
    check_lines(&read_lcov(&workspace.root().join("report.info")), workspace.root(), Exclusions::Default);
}

#[test]
#[cfg(unix)]
fn ordinary_artifacts_stay_as_they_are() {
    let workspace = Workspace::copy("harness");
    workspace.cargo().args(["test", "--no-run"]).run().expect_success();
    workspace.cargo().arg("build").run().expect_success();
    let first = session(&workspace, "", "cargo test\ncargo build").expect_success();
    assert!(!compiled(&first).is_empty(), "{}", first.stderr);
    let second = session(&workspace, "", "cargo test\ncargo build").expect_success();
    assert!(compiled(&second).is_empty(), "{}", second.stderr);
    // What a run of ours builds is the same.
    let ours = xtask(&workspace).arg("coverage").run().expect_success();
    assert!(compiled(&ours).is_empty(), "{}", ours.stderr);
    for arguments in [&["test", "--no-run"][..], &["build"]] {
        let plain = workspace.cargo().args(arguments).run().expect_success();
        assert!(compiled(&plain).is_empty(), "{}", plain.stderr);
    }
    assert!(!has_map(&workspace, "target/debug/harness"));
    assert!(has_map(&workspace, "target/coverage/build/debug/harness"));
}

/// Units of other features lie around; the processes tell which of them count.
#[test]
#[cfg(unix)]
fn what_ran_counts_whatever_was_built_last() {
    let workspace = Workspace::copy("harness");
    // The record of the loud one is the newer one; what is built again is fresh.
    session(&workspace, "", "cargo build\ncargo build -F loud").expect_success();
    session(&workspace, "", TEST_AND_GREET).expect_success();
    check_lines(&report(&workspace), workspace.root(), Exclusions::Default);

    let both = "cargo run -F loud -- greet you\ncargo run -- greet you";
    session(&workspace, "", both).expect_success();
    let lines = report(&workspace).file("src/lib.rs").lines.clone();
    assert_eq!((lines.get(&12), lines.get(&17)), (Some(&1), Some(&1)), "{lines:?}");
}

/// An object from before an edit would show lines where they no longer are.
#[test]
#[cfg(unix)]
fn what_was_built_before_an_edit_does_not_count() {
    let workspace = Workspace::copy("harness");
    session(&workspace, "", "cargo build --all-targets").expect_success();
    let source = workspace.read("src/lib.rs");
    workspace.write("src/lib.rs", &source.replace("pub fn greet", "// One line more.\npub fn greet"));
    session(&workspace, "", "cargo run -- greet you").expect_success();
    let lines = report(&workspace).file("src/lib.rs").lines.clone();
    let mapped: Vec<u32> = lines.into_keys().collect();
    assert_eq!(mapped, [4, 5, 6, 7, 8, 9, 12, 13, 14]);
}

#[test]
#[cfg(unix)]
fn nothing_has_run_yet() {
    let workspace = Workspace::copy("harness");
    session(&workspace, "", TEST_AND_GREET).expect_success();
    let nothing = session(&workspace, "", "cargo build\n\"$XTASK\" coverage report").expect_code(1);
    let error =
        "error: no program has run since `show-env`, so there is nothing to report\nhelp: in the shell";
    assert!(nothing.stderr.contains(error), "{}", nothing.stderr);
    // What the task runner runs is none of the harness's, though it is built and run in the same environment.
    let tasks = Workspace::copy("xtask-member");
    let own = session(&tasks, "", "cargo xtask\n\"$XTASK\" coverage report").expect_code(1);
    assert!(own.stderr.contains(error), "{}", own.stderr);
    let profiles = tasks.root().join("target/coverage/outside");
    let n_profiles = std::fs::read_dir(profiles).expect("a directory").count();
    assert_eq!(n_profiles, if is_measured() { 2 } else { 1 }, "it has left one all the same");

    // Both sessions count, when that is what is wanted.
    session(&workspace, "", "cargo test").expect_success();
    session(&workspace, "--no-clean", "cargo run -- greet you").expect_success();
    check_lines(&report(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
#[cfg(unix)]
fn clean_removes_what_a_session_left() {
    let workspace = Workspace::copy("harness");
    workspace.cargo().args(["test", "--no-run"]).run().expect_success();
    let before = target_files(&workspace);
    session(&workspace, "", TEST_AND_GREET).expect_success();
    session(&workspace, "", "\"$XTASK\" coverage clean").expect_success();
    let left: Vec<String> = target_files(&workspace)
        .into_iter()
        .filter(|path| !before.contains(path) && !is_cargos_bookkeeping(path))
        .filter(|path| !is_measured() || !path.starts_with("target/coverage/outside/"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The lines for shells that may not be there: only that they are printed, and nothing else is. How values are quoted is
/// tested where it is done.
#[test]
fn stdout_has_assignments_alone() {
    let workspace = Workspace::copy("harness");
    let variables =
        ["RUSTC_WORKSPACE_WRAPPER", "CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR", "LLVM_PROFILE_FILE"];
    for (flag, before) in [("--sh", "export "), ("--fish", "set -gx "), ("--pwsh", "$env:")] {
        // Without a variable of our own measurement, which it would put aside.
        let program = Program::new(env!("CARGO_BIN_EXE_xtask-coverage")).current_dir(workspace.root());
        let shown = program.args(["coverage", "show-env", flag]).run().expect_success();
        let names: Vec<&str> = shown
            .stdout
            .lines()
            .map(|line| line.strip_prefix(before).unwrap_or_else(|| panic!("{flag}: {line}")))
            .filter_map(|line| line.split([' ', '=']).next())
            .collect();
        assert_eq!(names, variables, "{flag}");
        let wrapper = shown.stdout.lines().next().and_then(|line| line.split('\'').nth(1));
        let wrapper = PathBuf::from(wrapper.expect("a quoted path").replace("\\\\", "\\"));
        assert!(Path::new(&wrapper).is_file(), "{}", wrapper.display());
    }
}
