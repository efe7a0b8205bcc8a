//! `cargo xtask coverage` for any Rust workspace, from nothing but `cargo` and `rustc`.
//!
//! `cargo xtask coverage init` makes a workspace's xtask of it, which is three lines where there is none:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     xtask_coverage::main()
//! }
//! ```
//!
//! An xtask with tasks of its own lets [`run_if_asked`] look at the command line first. No type of an argument parser is part
//! of this interface, so any of them will do for the rest.
//!
//! ```no_run
//! # fn other_tasks() -> Result<(), Box<dyn std::error::Error>> { Ok(()) }
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     if let Some(code) = xtask_coverage::run_if_asked() {
//!         std::process::exit(code.into());
//!     }
//!     other_tasks()
//! }
//! ```
//!
//! What each run shall do stands in `Cargo.toml` (see [`configuration`]). A program can say it too: it changes what
//! [`task::config::Config::new`] gives and calls the task itself. The first of the arguments is always `coverage`.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use xtask_coverage::task::config::{Config, Format};
//!
//! fn main() -> ExitCode {
//!     if let Some(code) = xtask_coverage::compile_if_asked() {
//!         return code;
//!     }
//!     let mut config = Config::new();
//!     config.exclusion.exclude_files.push("src/bindings/**".to_owned());
//!     config.output.formats = vec![Format::Lcov, Format::Cobertura];
//!     config.thresholds.lines = Some(8_000); // 80 %, in hundredths
//!     xtask_coverage::run_with(config, ["coverage".into()])
//! }
//! ```

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
pub mod toml;
pub mod ui;

#[cfg(test)]
mod golden;

pub use xtask_coverage_engine::{coverage, export, format, source};

use cargo::role::Role;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use task::config::Config;

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
    run_with(Config::new(), arguments)
}

/// The same on top of a configuration that the program makes: what is said in manifests, in the environment and on the command
/// line holds over it, in this order.
pub fn run_with(config: Config, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(task::run(&config, arguments).exit_code())
}

/// Does the work of a tool when cargo or rustdoc has called this program in its place, and gives the exit code to end with;
/// else `None`. On Unix it does not return where the tool takes this process's place.
pub fn compile_if_asked() -> Option<ExitCode> {
    work_as_tool().map(ExitCode::from)
}

/// All that a program with tasks of its own needs, in front of them: as [`compile_if_asked`], and also does what the command line
/// says if its first word is `coverage`. Gives the exit code to end with, as a number, so that any kind of `main` can.
pub fn run_if_asked() -> Option<u8> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let is_ours = arguments.first().is_some_and(|task| task == "coverage");
    work_as_tool().or_else(|| is_ours.then(|| task::run(&Config::new(), arguments).exit_code()))
}

fn work_as_tool() -> Option<u8> {
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
        1
    }))
}
