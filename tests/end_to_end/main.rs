//! The program as a user meets it, on small workspaces: `tests/data/workspaces`, each copied to a directory of its own.

#[path = "../support/mod.rs"]
mod support;

mod build;
mod changes;
mod checkouts;
mod configuration;
mod counts;
mod doctests;
mod errors;
mod exclusion;
mod faults;
mod init;
mod llvm_engine;
mod merging;
mod nextest;
mod outputs;
mod outside;
mod program;
mod reports;
mod running;
mod target_runner;
mod targets;
mod toolchains;

use std::path::Path;

use support::lcov::Lcov;
use support::program::Program;
use support::workspace::Workspace;

/// Our program in the root of a workspace.
fn xtask(workspace: &Workspace) -> Program {
    Program::ours(env!("CARGO_BIN_EXE_xtask-coverage")).current_dir(workspace.root())
}

/// The triple that the compiler runs on.
fn host() -> String {
    let version = Program::new("rustc").arg("-vV").run().expect_success();
    let host = version.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

/// The tracefile that a bare run leaves.
fn lcov(workspace: &Workspace) -> Lcov {
    read_lcov(&workspace.root().join("target/coverage/lcov.info"))
}

fn read_lcov(path: &Path) -> Lcov {
    let lcov = Lcov::read(path);
    let wrong = lcov.wrong_totals();
    assert!(wrong.is_empty(), "totals that are not the sums of their records:\n{}", wrong.join("\n"));
    lcov
}
