//! `cargo xtask coverage` for any Rust workspace, from nothing but `cargo` and `rustc`.

pub mod cargo;
pub mod filter;
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

pub use xtask_coverage_engine::{coverage, export, format};

use std::ffi::OsString;
use std::process::ExitCode;

/// The whole of an xtask's `main`: does what the command line says, or, when cargo calls this program in place of rustc,
/// compiles.
pub fn main() -> ExitCode {
    match cargo::wrapper::run_as_wrapper() {
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

/// Compiles when cargo has called this program in place of rustc, and gives the exit code to end with; else `None`.
pub fn compile_if_asked() -> Option<ExitCode> {
    cargo::wrapper::run_as_wrapper()
}
