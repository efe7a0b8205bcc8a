//! The examples in the documentation of libraries.

use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{lcov, xtask};

#[test]
fn both_editions_with_every_kind_of_doctest() {
    let workspace = Workspace::copy("doctests");
    let before = workspace.files();
    let finished = xtask(&workspace).arg("coverage").run().expect_success();
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
    for line in ["Passed new::doc/new: 11 passed, 1 ignored", "Passed old::doc/old: 11 passed, 1 ignored"] {
        assert!(finished.stderr.contains(line), "{}", finished.stderr);
    }
    let new: Vec<_> =
        workspace.files().difference(&before).filter(|path| !path.starts_with("target/")).cloned().collect();
    assert!(new.is_empty(), "left in the tree: {new:?}");

    // A second time nothing is compiled but the doctests, and the counts do not add up.
    let again = xtask(&workspace).arg("coverage").run().expect_success();
    assert!(!again.stderr.contains("Compiling"), "{}", again.stderr);
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
fn they_can_be_chosen_and_left_out() {
    let workspace = Workspace::copy("doctests");
    // There is nothing else to run in this workspace.
    let run = |arguments: &[&str]| xtask(&workspace).arg("coverage").args(arguments).run();
    run(&["--no-doctests"]).expect_code(1).expect_stderr("no test");
    run(&["--lib"]).expect_code(1).expect_stderr("no test");
    let only = run(&["--doc", "-p", "old"]).expect_success();
    assert!(only.stderr.contains("old::doc/old") && !only.stderr.contains("new::doc"), "{}", only.stderr);
    run(&["--doc", "twice"]).expect_success().expect_stderr("old::doc/old: 2 passed, 10 filtered out");
    run(&["--doc", "--lib"]).expect_code(1).expect_stderr("--doc");
}

#[test]
fn a_failing_doctest_is_shown_with_the_command_that_runs_it_again() {
    let workspace = Workspace::copy("doctests");
    let source = workspace.read("old/src/lib.rs").replace("old::tripled!(3), 9", "old::tripled!(3), 8");
    workspace.write("old/src/lib.rs", &source);
    let finished = xtask(&workspace).args(["coverage", "--no-fail-fast"]).run().expect_code(100);
    let finished = finished.expect_stderr("assertion `left == right` failed");
    let line = finished.stderr.lines().find(|line| line.starts_with("failed: ")).expect("a line");
    let (what, command) = line.split_once("; again: cargo xtask ").expect("a command");
    assert!(what.starts_with("failed: old::doc/old old/src/lib.rs - tripled (line "), "{what}");
    assert_eq!(command, "coverage -p old --doc tripled");
    let again = xtask(&workspace).args(command.split(' ')).run().expect_code(100);
    again.expect_stderr("old::doc/old: 0 passed, 1 failed, 11 filtered out");
}

#[test]
fn a_library_that_cannot_be_documented_fails_the_build() {
    let workspace = Workspace::copy("doctests");
    workspace.write("old/src/lib.rs", "this is no Rust");
    xtask(&workspace).args(["coverage", "--doc"]).run().expect_code(101).expect_stderr("could not compile");
}
