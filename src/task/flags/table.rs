//! The table of flags: the one truth for parsing, help, suggestions and environment variables.
//!
//! To add a flag, add a row to the file that its section is in. The first sentence of its help is what `-h` shows.

mod adopting;
mod building;
mod caching;
mod comparing;
mod counting;
mod display;
mod reporting;
mod running;
mod selection;
mod values;

use super::flag::Section;
use crate::task::config::{Command, Config, Doctests, Format};
use crate::task::shell::Shell;

/// Commands that build and run tests.
const RUN: &[Command] = &[Command::Coverage, Command::Verify];
/// Commands that build.
const BUILD: &[Command] = &[Command::Coverage, Command::Run, Command::Verify];
/// Commands that install the compiler wrapper.
const INSTRUMENT: &[Command] = &[Command::Coverage, Command::Run, Command::ShowEnv, Command::Verify];
/// Commands that write reports.
const REPORT: &[Command] = &[Command::Coverage, Command::Run, Command::Report, Command::Merge];
/// Commands that run tests to report on them.
const TEST: &[Command] = &[Command::Coverage];
const PROGRAM: &[Command] = &[Command::Run];
const CACHE: &[Command] = &[Command::Cache];
/// Commands that read or write results of tests.
const KEEPS: &[Command] = &[Command::Coverage, Command::Verify, Command::Cache];
const ENVIRONMENT: &[Command] = &[Command::ShowEnv];
const FROM_FILES: &[Command] = &[Command::Report];
const ADOPT: &[Command] = &[Command::Init];
/// Commands about one workspace, as it is.
const WITHIN: &[Command] = &[
    Command::Coverage,
    Command::Run,
    Command::ShowEnv,
    Command::Report,
    Command::Merge,
    Command::Cache,
    Command::Clean,
    Command::Verify,
];
const ALL: &[Command] = &Command::ALL;

/// All flags, in the order of the help.
pub(crate) const SECTIONS: &[Section] = &[
    adopting::ADOPTION,
    selection::PROGRAM_SELECTION,
    selection::PACKAGE_SELECTION,
    selection::TARGET_SELECTION,
    selection::FEATURE_SELECTION,
    building::BUILDING,
    building::MANIFEST,
    running::TESTS,
    running::RUNNING,
    running::LINES,
    caching::CACHING,
    counting::COUNTING,
    reporting::REPORTS,
    comparing::COMPARISON,
    reporting::FOREIGN_DATA,
    display::DISPLAY,
];

/// Lists that several flags make up together.
const PACKAGES: &str = "packages";
const TARGETS: &str = "targets";
pub(super) const FORMATS: &str = "formats";

// Why a flag is no key of a manifest.
const WHICH_PROGRAM: &str = "which program runs is said when it is run";
const BEFORE: &str = "cargo has to know it before it reads a manifest";
const CACHE_ALONE: &str = "it is what `cargo xtask coverage cache` is asked to do";
const ONCE: &str = "a workspace is adopted once";
const FOR_EVER: &str = "every run would add to all those before it";
const READERS_CHOICE: &str = "how much is said, and in which colors, is up to who reads it";

const NOTHING_RAN: &str = "nothing runs, so there is nothing to report; drop one of the two";
const NO_COMPARISON: &[(&str, &str)] = &[("no-report", NO_REPORT), ("no-run", NOTHING_RAN)];
const ONLY_DOCTESTS: &str = "`--doc` runs nothing but doctests; drop one of the two";
const ONE_SHELL: &str = "the lines are for one shell; drop one of the two";
const ONLY_LINES: &str = "this format has lines or nothing; drop one of the two";
const NO_REPORT: &str = "it says how to report; drop one of the two";

/// Asks for a report in this format, or no longer.
fn want(config: &mut Config, format: Format, on: bool) {
    config.output.formats.retain(|other| *other != format);
    if on {
        config.output.formats.push(format);
        // A lower layer, such as the environment, may have turned reports off.
        config.output.enabled = true;
    }
}

/// Chooses what to do about doctests, or leaves it to cargo's rule again.
fn set_doctests(config: &mut Config, doctests: Doctests, on: bool) {
    if on {
        config.tests.doctests = doctests;
    } else if config.tests.doctests == doctests {
        config.tests.doctests = Doctests::Usual;
    }
}

/// Prints for this shell, or for the usual one.
fn shell(config: &mut Config, shell: Shell, on: bool) {
    config.harness.shell = if on { shell } else { Shell::Sh };
}
