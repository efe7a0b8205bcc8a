//! What is counted, against the truth that the workspaces carry in comments.

use crate::support::lcov::Lcov;
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{lcov, read_lcov, xtask};

/// Measures a workspace with the default exclusions and without them, and checks every marked line. Nothing may be left in
/// the tree but what cargo leaves there.
pub(crate) fn check(workspace: &Workspace) {
    check_with(workspace, &[]);
}

/// The same for a run with further arguments.
pub(crate) fn check_with(workspace: &Workspace, arguments: &[&str]) {
    let before = workspace.files();
    xtask(workspace).arg("coverage").args(arguments).run().expect_success();
    check_lines(&lcov(workspace), workspace.root(), Exclusions::Default);

    let all = workspace.beside("output").join("all.info");
    xtask(workspace)
        .args(["coverage", "report", "--lcov", "--no-default-exclude", "--output-path"])
        .arg(&all)
        .run()
        .expect_success();
    check_lines(&read_lcov(&all), workspace.root(), Exclusions::Off);
    let new: Vec<_> =
        workspace.files().difference(&before).filter(|path| !path.starts_with("target/")).cloned().collect();
    assert!(new.is_empty(), "left in the tree: {new:?}");
}

#[test]
fn language_features() {
    let workspace = Workspace::copy("stress");
    check(&workspace);
    // A statement that only test builds have: no comment can say that it is there in one of the two reports.
    let line = |report: Lcov| report.file("modules/src/lib.rs").lines.get(&60).copied();
    assert_eq!(line(lcov(&workspace)), None);
    assert_eq!(line(read_lcov(&workspace.beside("output").join("all.info"))), Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn killed_processes_keep_their_counts() {
    check(&Workspace::copy("killed"));
}

#[test]
fn names_that_collide() {
    check(&Workspace::copy("names"));
}

#[test]
fn default_exclusions() {
    check(&Workspace::copy("excludes"));
}

#[test]
fn a_workspace_of_programs_alone() {
    check(&Workspace::copy("only-bin"));
}

#[test]
fn a_cargo_inside_a_test_and_a_build_script() {
    check(&Workspace::copy("nested"));
}

#[test]
fn the_xtask_crate_does_not_count() {
    let workspace = Workspace::copy("xtask-member");
    check(&workspace);
    assert!(lcov(&workspace).paths().iter().all(|path| !path.starts_with("xtask/")));
}

#[test]
fn a_directory_with_odd_characters_in_its_name() {
    let name = if cfg!(windows) { "only bin ü" } else { "only \"bin\" ü [x]" };
    check(&Workspace::copy_as("only-bin", name));
}

#[test]
#[cfg(unix)]
fn a_checkout_behind_a_symbolic_link() {
    let workspace = Workspace::copy("only-bin");
    let link = workspace.beside("links").join("checkout");
    std::os::unix::fs::symlink(workspace.root(), &link).expect("links can be made");
    xtask(&workspace)
        .arg("coverage")
        .arg("--manifest-path")
        .arg(link.join("Cargo.toml"))
        .run()
        .expect_success();
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
fn a_package_that_asks_for_it_is_tested_alone() {
    let workspace = Workspace::copy("exclusive");
    // Threads enough for all three test binaries, whatever the machine has.
    xtask(&workspace).args(["coverage", "--test-threads", "8"]).run().expect_success();
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
fn profiles_written_at_exit_count_the_same() {
    let workspace = Workspace::copy("only-bin");
    xtask(&workspace).args(["coverage", "--no-continuous"]).run().expect_success();
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
}

#[test]
fn one_package_of_several() {
    let workspace = Workspace::copy("names");
    xtask(&workspace).args(["coverage", "-p", "other"]).run().expect_success();
    let selected = lcov(&workspace);
    assert!(!selected.paths().is_empty());
    assert!(selected.paths().iter().all(|path| path.starts_with("other/")), "{:?}", selected.paths());

    xtask(&workspace).args(["coverage", "--workspace", "--exclude", "other"]).run().expect_success();
    let rest = lcov(&workspace);
    assert!(!rest.paths().is_empty());
    assert!(rest.paths().iter().all(|path| !path.starts_with("other/")), "{:?}", rest.paths());
}
