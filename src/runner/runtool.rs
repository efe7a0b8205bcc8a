//! The role of a runtool: rustdoc, or another harness, starts a program through us, and we see to it that its counts are kept.
//!
//! | argument | meaning |
//! |---|---|
//! | 1 | the directory for profiles; each program has one of its own in it, named after its coverage data |
//! | 2 | `continuous` or `at-exit`: how programs write their counts |
//! | 3 | `keep` if the program is gone afterwards, so that its coverage map has to be kept; else `leave` |
//! | 4 | the number of words that follow of the user's own runner |
//! | then | these words, the program, its arguments |
//!
//! Two programs never share a file of counts unless their coverage data is the same to the byte: the profile runtime would take
//! the one for the other, because it tells programs apart by sizes and one function alone.

use super::profiles;
use crate::cargo::role::become_command;
use crate::load::coverage_only;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// The file that a kept coverage map is in.
pub(super) const KEPT: &str = "coverage.o";

/// What a runtool is told before the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where profiles go.
    pub directory: PathBuf,
    /// Whether counts are kept up to date at all times.
    pub continuous: bool,
    /// Whether the coverage map is kept, because the program will be gone.
    pub keep: bool,
    /// The user's own runner and its arguments.
    pub runner: Vec<OsString>,
}

impl Options {
    /// The words to put before the program.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![
            self.directory.clone().into(),
            if self.continuous { "continuous" } else { "at-exit" }.into(),
            if self.keep { "keep" } else { "leave" }.into(),
            self.runner.len().to_string().into(),
        ];
        words.extend(self.runner.iter().cloned());
        words
    }

    /// Takes the words of [`Options::arguments`] apart from the program and its arguments behind them.
    fn split(words: Vec<OsString>) -> Result<(Options, Vec<OsString>)> {
        let mut words = words.into_iter();
        let mut next = || words.next().context("an argument is missing");
        let (directory, mode, keep, length) = (next()?, next()?, next()?, next()?);
        let length: usize = length.to_str().and_then(|it| it.parse().ok()).context("no number of words")?;
        let runner: Vec<OsString> = words.by_ref().take(length).collect();
        let program: Vec<OsString> = words.collect();
        ensure!(runner.len() == length && !program.is_empty(), "no program to run");
        let options = Options {
            directory: directory.into(),
            continuous: mode == "continuous",
            keep: keep == "keep",
            runner,
        };
        Ok((options, program))
    }
}

/// Runs a program as the arguments say. On Unix it takes this process's place.
///
/// # Errors
/// When the arguments are not those of [`Options::arguments`] and a program, when its data cannot be kept, or when it cannot be
/// started.
pub fn run(words: Vec<OsString>) -> Result<u8> {
    let (options, program) = Options::split(words)?;
    let (pattern, executable) = (prepare(&options, Path::new(&program[0]))?, program[0].clone());
    let mut line = options.runner.into_iter().chain(program);
    let mut command = Command::new(line.next().context("no program to run")?);
    command.args(line).env("LLVM_PROFILE_FILE", pattern);
    if options.keep {
        // Of doctests that are compiled into one program, each shall have a process of its own: rustdoc's own way, which it
        // leaves when it is given a runtool unless it finds the program's path here.
        command.env("RUSTDOC_DOCTEST_BIN_PATH", executable);
    }
    become_command(command)
}

/// Makes a place for the counts of `program`, keeps its coverage map, and returns what the profile runtime is told.
fn prepare(options: &Options, program: &Path) -> Result<PathBuf> {
    // A program that is no object file, such as a script, may well start others.
    let coverage = coverage_only(program).unwrap_or(None);
    let Some((object, digest)) = coverage else {
        return Ok(profiles::pattern(&options.directory, false));
    };
    let directory = options.directory.join(digest);
    fs::create_dir_all(&directory).with_context(|| format!("failed to create `{}`", directory.display()))?;
    let kept = directory.join(KEPT);
    if options.keep && !kept.exists() {
        // Another process may be about to write the same.
        let beside = directory.join(format!("{KEPT}.{}", process::id()));
        fs::write(&beside, object)
            .and_then(|()| fs::rename(&beside, &kept))
            .with_context(|| format!("failed to write `{}`", kept.display()))?;
    }
    Ok(profiles::pattern(&directory, options.continuous))
}

#[cfg(test)]
mod tests {
    use super::Options;
    use std::ffi::OsString;
    use std::path::PathBuf;

    #[test]
    fn arguments_and_back() {
        let options = Options {
            directory: PathBuf::from("/t/with space"),
            continuous: true,
            keep: false,
            runner: vec!["qemu".into(), "-L".into()],
        };
        let program: Vec<OsString> = vec!["./it".into(), "--list".into()];
        let mut words = options.arguments();
        words.extend(program.clone());
        assert_eq!(Options::split(words).expect("complete"), (options.clone(), program));
        for cut in 0..options.arguments().len() + 1 {
            let words = options.arguments().into_iter().take(cut).collect();
            assert!(Options::split(words).is_err(), "{cut} words");
        }
    }
}
