//! `cargo xtask coverage` for any Rust workspace, from nothing but `cargo` and `rustc`.

#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[doc = include_str!("faults.md")]
pub mod faults {}

#[doc = include_str!("verification.md")]
pub mod verification {}

pub mod cache;
pub mod cargo;
pub mod filter;
pub mod git;
pub mod interrupt;
pub mod layout;
pub mod llvm_tools;
pub mod load;
pub mod object;
pub mod report;
pub mod runner;
pub mod task;
pub mod ui;

#[cfg(test)]
mod golden;

pub use xtask_coverage_engine::{coverage, export, format, source};

use cargo::role::Role;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The whole of an xtask's `main`: does what the command line says, or, when cargo or rustdoc calls this program in place of
/// one of their tools, what that tool would.
pub fn main() -> ExitCode {
    match compile_if_asked() {
        Some(code) => code,
        None => run(std::env::args_os().skip(1)),
    }
}

/// Runs a task of this library from within a program with tasks of its own: `arguments` are the words behind `cargo xtask`,
/// `coverage` being the first.
///
/// Such a program calls [`compile_if_asked`] before anything else, because the compiler wrapper is that same program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(task::run(arguments).exit_code())
}

/// Does the work of a tool when cargo or rustdoc has called this program in its place, and gives the exit code to end with;
/// else `None`. On Unix it does not return where the tool takes this process's place.
pub fn compile_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let own = PathBuf::from(arguments.next()?);
    let role = Role::of(&own)?;
    let done = match role {
        Role::Rustc => cargo::wrapper::wrap(&own, arguments.collect()),
        Role::Rustdoc => cargo::doctests::record(&own, &arguments.collect::<Vec<_>>()),
        Role::Runtool => runner::runtool::run(arguments.collect()),
        Role::Nextest => runner::nextest::start(&own, arguments.collect()),
    };
    Some(done.unwrap_or_else(|error| {
        // Who called shows what its tools print; there is nobody else to tell if even that fails.
        let _ = writeln!(std::io::stderr(), "error: {}: {error:#}", role.name());
        ExitCode::FAILURE
    }))
}
