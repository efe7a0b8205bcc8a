//! `--nextest`: the tests are built as always, and cargo-nextest runs them. How our flags are called there, and what its exit codes
//! mean to us.

use std::ffi::{OsStr, OsString};
use std::process::ExitStatus;

use anyhow::{Result, bail};

use super::config::Config;
use super::{discover_options, measure};
use crate::cargo::build::{self, Build, Builder};
use crate::cargo::nextest::{self, PROGRAM};
use crate::cargo::workspace::Workspace;
use crate::cargo::wrapper::is_continuous;
use crate::interrupt::Interrupt;
use crate::runner::TestRun;
use crate::runner::nextest::{Options, Told, prepare};
use crate::ui::Ui;
use crate::ui::color::ColorChoice;
use crate::ui::message::Advised;
use crate::ui::settings::Verbosity;

/// Builds the tests and has cargo-nextest run them on our own streams.
///
/// # Errors
/// nextest is not installed, or ends for another reason than tests; the build fails. Failing tests are part of the result.
pub(super) fn build_and_test(
    workspace: &Workspace,
    mut builder: Builder<'_>,
    config: &Config,
    interrupt: &Interrupt,
    ui: &Ui,
) -> Result<(TestRun, Build)> {
    let arguments = arguments(config)?;
    let Some(program) = nextest::find_program(&workspace.environment) else {
        bail!(Advised::new(
            format!("`--nextest` needs `{PROGRAM}`, which is neither on the path nor in cargo's `bin`"),
            "install it with `cargo install --locked cargo-nextest` or as <https://nexte.st> says, or drop `--nextest`"
        ));
    };
    if let Some(package) = config.tests.exclusive.first() {
        ui.note(format_args!(
            "cargo-nextest does not know that tests of `{package}` are to run alone; a test group with `max-threads = 1` in \
             `.config/nextest.toml` says so"
        ));
    }
    let target_triple = builder.target_triple().to_owned();
    ui.beside_another_program(true);
    let built = builder.programs(&mut |event| {
        if let build::Event::Line(line) = event {
            ui.relay(line.as_bytes());
        }
        Ok(())
    });
    ui.beside_another_program(false);
    built?;
    let build = builder.finish()?;
    if build.test_binaries.is_empty() {
        return Ok((TestRun::default(), build));
    }
    if interrupt.is_set() {
        bail!("interrupted");
    }
    let told = Told {
        test_binaries: &build.test_binaries,
        target_triple: &target_triple,
        cargo_metadata: nextest::cargo_metadata(workspace, &discover_options(config), &target_triple)?,
        binaries_metadata: nextest::binaries_metadata(workspace, &build)?,
    };
    let continuous = config.tests.continuous && is_continuous(&target_triple);
    let part = measure::partition(&config.tests);
    let listing_counts_elsewhere = part.is_some_and(|part| !part.is_first());
    let interrupt = interrupt.clone();
    let options = Options { program, arguments, continuous, listing_counts_elsewhere, interrupt };
    // From here on the profiles of the last run are gone, and its record would describe a mixture.
    measure::remove_if_there(&workspace.layout().run_json())?;
    let prepared = prepare(workspace, &told, &options)?;
    ui.detail("Running", prepared.command_line());
    let (status, mut run) = prepared.run()?;
    run.failed = tests_failed(status, &options.interrupt)?;
    Ok((run, build))
}

/// Whether nextest says that tests failed.
///
/// # Errors
/// When it says anything else than how the tests went. It has printed why.
fn tests_failed(status: ExitStatus, interrupt: &Interrupt) -> Result<bool> {
    match status.code() {
        Some(0) => Ok(false),
        Some(100) => Ok(true),
        // What was counted until then is kept.
        _ if interrupt.is_set() => Ok(true),
        Some(4) => bail!(Advised::new(
            "no test ran, so there is nothing to measure: cargo-nextest found none to run",
            "`cargo nextest list` shows the tests and those that its filters leave out"
        )),
        _ => bail!(Advised::new(
            format!("cargo-nextest did not get to the end of the tests ({status})"),
            "what it printed says why; `NextestExitCode` on <https://docs.rs/nextest-metadata> explains its exit codes"
        )),
    }
}

/// The arguments of `cargo nextest run` that our flags mean, and then those of the user.
///
/// # Errors
/// When one of the user's says what is to be built: nextest would refuse it beside a build that is done.
fn arguments(config: &Config) -> Result<Vec<OsString>> {
    let tests = &config.tests;
    let theirs: Vec<&OsString> = tests.arguments.iter().take_while(|word| *word != "--").collect();
    if let Some(word) = theirs.iter().find(|word| is_about_the_build(word)) {
        let name = word.to_string_lossy();
        let name = name.split('=').next().unwrap_or_default();
        bail!(Advised::new(
            format!("`{name}` cannot follow `--`: cargo-nextest runs what is built already"),
            "give it before `--`, under the name that `cargo xtask coverage --help` has for it"
        ));
    }
    let given = |names: &[&str]| theirs.iter().any(|word| names.iter().any(|name| is_flag(word, name)));
    let mut arguments: Vec<OsString> = Vec::new();
    let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
    for value in super::cargo_config(config) {
        add(&["--config", &value]);
    }
    if !tests.fail_fast {
        add(&["--no-fail-fast"]);
    }
    if !tests.capture {
        add(&["--no-capture"]);
    }
    if let Some(threads) = tests.threads {
        add(&["--test-threads", &threads.to_string()]);
    }
    match config.display.verbosity {
        Verbosity::Quiet => {
            for name in ["--status-level", "--final-status-level"] {
                if !given(&[name]) {
                    add(&[name, "fail"]);
                }
            }
        }
        Verbosity::Normal => {}
        Verbosity::Verbose | Verbosity::VeryVerbose => add(&["--verbose"]),
    }
    match config.display.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => add(&["--color", "always"]),
        ColorChoice::Never => add(&["--color", "never"]),
    }
    // A part may have no test: others have them.
    let is_said_otherwise = std::env::var_os("NEXTEST_NO_TESTS").is_some();
    if measure::partition(tests).is_some() && !given(&["--no-tests"]) && !is_said_otherwise {
        add(&["--no-tests=pass"]);
    }
    arguments.extend(tests.filter.iter().map(OsString::from));
    arguments.extend(tests.arguments.iter().cloned());
    Ok(arguments)
}

/// Whether `word` is the flag `name`, perhaps with a value attached.
fn is_flag(word: &OsStr, name: &str) -> bool {
    let word = word.to_string_lossy();
    let Some(rest) = word.strip_prefix(name) else { return false };
    rest.is_empty() || rest.starts_with('=') || !name.starts_with("--")
}

/// Whether an argument of `cargo nextest run` says what is built and how, or where a build is found.
fn is_about_the_build(word: &OsStr) -> bool {
    const FLAGS: [&str; 41] = [
        "-F",
        "-Z",
        "-p",
        "-r",
        "--all",
        "--all-features",
        "--all-targets",
        "--archive-file",
        "--bench",
        "--benches",
        "--bin",
        "--binaries-metadata",
        "--bins",
        "--build-jobs",
        "--cargo-message-format",
        "--cargo-metadata",
        "--cargo-profile",
        "--cargo-quiet",
        "--cargo-verbose",
        "--example",
        "--examples",
        "--exclude",
        "--features",
        "--frozen",
        "--future-incompat-report",
        "--ignore-rust-version",
        "--lib",
        "--locked",
        "--manifest-path",
        "--no-default-features",
        "--no-run",
        "--offline",
        "--package",
        "--release",
        "--target",
        "--target-dir",
        "--test",
        "--tests",
        "--timings",
        "--unit-graph",
        "--workspace",
    ];
    FLAGS.iter().any(|name| is_flag(word, name))
}

#[cfg(test)]
mod tests {
    use super::{arguments, is_about_the_build, tests_failed};
    use crate::interrupt::Interrupt;
    use crate::task::config::{Config, Jobs};
    use crate::ui::color::ColorChoice;
    use crate::ui::settings::Verbosity;
    use std::ffi::OsString;
    use std::num::NonZeroU32;

    fn check(change: impl FnOnce(&mut Config), expected: &str) {
        let mut config = Config::new();
        change(&mut config);
        let words = arguments(&config).expect("nothing about the build");
        assert_eq!(words.join(std::ffi::OsStr::new(" ")), expected);
    }

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn flags_in_nextest_s_spelling() {
        let three = NonZeroU32::new(3).expect("not 0");
        check(|_| {}, "");
        check(
            |config| {
                config.tests.filter = Some("parse".to_owned());
                config.tests.arguments = words("--profile ci -E test(a) -- --ignored");
            },
            "parse --profile ci -E test(a) -- --ignored",
        );
        check(
            |config| {
                config.tests.fail_fast = false;
                config.tests.capture = false;
                config.tests.threads = Some(three);
                config.build.jobs = Some(Jobs::Count(NonZeroU32::MIN));
            },
            "--no-fail-fast --no-capture --test-threads 3",
        );
        check(|config| config.display.color = ColorChoice::Never, "--color never");
        check(|config| config.display.verbosity = Verbosity::VeryVerbose, "--verbose");
        check(
            |config| {
                config.display.verbosity = Verbosity::Quiet;
                config.tests.arguments = words("--final-status-level=slow");
            },
            "--status-level fail --final-status-level=slow",
        );
        check(|config| config.manifest.cargo_config = words("env.A='b'"), "--config env.A='b'");
    }

    #[test]
    fn what_is_built_is_said_before_the_dashes() {
        for word in
            ["-p", "-papp", "--package=app", "--release", "--test", "--features=a", "--no-run", "-Zfoo"]
        {
            assert!(is_about_the_build(word.as_ref()), "{word}");
        }
        for word in
            ["--test-threads", "-P", "--profile", "--no-fail-fast", "-j", "app", "--no-tests=pass", "-E"]
        {
            assert!(!is_about_the_build(word.as_ref()), "{word}");
        }
        let mut config = Config::new();
        config.tests.arguments = words("--retries 2 --package=app");
        let error = arguments(&config).expect_err("about the build");
        assert!(error.to_string().starts_with("`--package` cannot follow `--`"), "{error}");
        config.tests.arguments = words("-- -p");
        arguments(&config).expect("an argument of tests");
    }

    #[test]
    #[cfg(unix)]
    fn exit_codes() {
        use std::os::unix::process::ExitStatusExt;
        use std::process::ExitStatus;

        let check = |status: i32, interrupt: &Interrupt| {
            tests_failed(ExitStatus::from_raw(status), interrupt).map_err(|error| error.to_string())
        };
        let never = Interrupt::default();
        assert_eq!(check(0, &never), Ok(false));
        assert_eq!(check(100 << 8, &never), Ok(true));
        assert!(check(4 << 8, &never).expect_err("nothing ran").starts_with("no test ran"));
        let other = check(104 << 8, &never).expect_err("no tests");
        assert_eq!(other, "cargo-nextest did not get to the end of the tests (exit status: 104)");
        let killed = check(9, &never).expect_err("killed");
        assert!(killed.contains("signal: 9"), "{killed}");
        let now = Interrupt::default();
        now.set();
        assert_eq!(check(104 << 8, &now), Ok(true));
    }
}
