//! Command lines and environments, and the configuration or the error that they make.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::{Flag, Request, flags, parse};
use crate::coverage::Model;
use crate::report::table::Order;
use crate::task::config::{Ci, Command, Config, Engine, Format, Jobs, Place, Source};
use crate::task::help::{Length, Page, Topic};
use crate::task::shell::Shell;
use crate::ui::color::ColorChoice;
use crate::ui::message::cures;
use crate::ui::settings::Verbosity;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

/// Checks what `line`, behind `cargo xtask`, makes of the default configuration. Variables stand in front of the words, as in a
/// shell.
fn check(line: &str, command: Command, change: impl FnOnce(&mut Config)) {
    let (variables, arguments) = split(line);
    let request = parse(arguments, variables).unwrap_or_else(|error| panic!("{line}: {error:#}"));
    let Request::Run(invocation) = request else { panic!("{line}: {request:?}") };
    let mut expected = Config::new();
    change(&mut expected);
    assert_eq!(invocation.command, command, "{line}");
    assert_eq!(invocation.config(Config::new()).expect("parse tried it"), expected, "{line}");
    assert_eq!(invocation.warnings, Vec::<String>::new(), "{line}");
}

/// Checks the error of `line`, and the help that comes with it, if any.
fn check_error(line: &str, expected: &str, expected_help: &str) {
    let (variables, arguments) = split(line);
    let error = match parse(arguments, variables) {
        Err(error) => error,
        Ok(request) => panic!("{line}: {request:?}"),
    };
    assert_eq!(format!("{error:#}"), expected, "{line}");
    assert_eq!(cures(&error).join("; "), expected_help, "{line}");
}

fn split(line: &str) -> (Vec<(OsString, OsString)>, Vec<OsString>) {
    let is_variable = |word: &&str| word.starts_with("COVERAGE_") && word.contains('=');
    let variables = line.split_whitespace().take_while(is_variable);
    let variables = variables.filter_map(|word| word.split_once('='));
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
    let arguments = line.split_whitespace().skip_while(is_variable).map(OsString::from).collect();
    (variables, arguments)
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const RUN: Command = Command::Coverage;

#[test]
fn commands() {
    check("coverage", RUN, |_| {});
    check("coverage report", Command::Report, |_| {});
    check("coverage clean", Command::Clean, |_| {});
    check("coverage init", Command::Init, |_| {});
    check("coverage init -n ../a --allow-dirty --ci github --from-git URL", Command::Init, |config| {
        config.adoption.path = Some("../a".into());
        config.adoption.dry_run = true;
        config.adoption.allow_dirty = true;
        config.adoption.source = Source::Git("URL".into());
        config.ci = Ci::GitHub;
    });
    check_error(
        "coverage init a b",
        "unexpected argument `b`: there is a path already, `a`",
        "one workspace is adopted at a time",
    );
    // One letter from `init`, and what many tests are called.
    check("coverage unit", Command::Coverage, |config| config.tests.filter = Some("unit".into()));
    check("verify", Command::Verify, |_| {});
    check("verify report", Command::Verify, |config| config.tests.filter = Some("report".into()));
}

#[test]
fn programs() {
    let run = Command::Run;
    check("coverage run", run, |_| {});
    check("coverage run -p app --bin tool -r -F a -- --flag -- x", run, |config| {
        config.packages.select = strings(&["app"]);
        config.targets.bin = strings(&["tool"]);
        config.build.cargo_profile = Some("release".into());
        config.features.select = strings(&["a"]);
        config.tests.arguments = words("--flag -- x");
    });
    // `cargo run` takes one of each, so the last one holds.
    check("coverage run --example a --example b", run, |config| config.targets.example = strings(&["b"]));
    check("coverage run --no-clean --ignore-run-fail --no-continuous", run, |config| {
        config.tests.keep_profiles = true;
        config.tests.ignore_failures = true;
        config.tests.continuous = false;
    });
    check_error(
        "coverage run --bin a --example b",
        "`--bin` and `--example` cannot be combined",
        "one program is run; drop one of the two",
    );
    check_error(
        "coverage run a",
        "unexpected argument `a`",
        "arguments of the program stand behind `--`: `cargo xtask coverage run -- a`",
    );
    check_error(
        "coverage run --lib",
        "`cargo xtask coverage run` has no flag `--lib`",
        "it belongs to `cargo xtask coverage` and `cargo xtask verify`",
    );
    check_error(
        "coverage report --bin a",
        "`cargo xtask coverage report` has no flag `--bin`",
        "it belongs to `cargo xtask coverage`, `cargo xtask coverage run` and `cargo xtask verify`",
    );
}

#[test]
fn environments() {
    let show = Command::ShowEnv;
    for line in ["", " --sh", " --export-prefix"] {
        check(&format!("coverage show-env{line}"), show, |_| {});
    }
    check("coverage show-env --fish", show, |config| config.harness.shell = Shell::Fish);
    for name in ["pwsh", "powershell", "with-pwsh-env-prefix"] {
        let line = format!("coverage show-env --{name}");
        check(&line, show, |config| config.harness.shell = Shell::PowerShell);
    }
    check("coverage show-env --continuous --no-clean --branch", show, |config| {
        config.harness.continuous = true;
        config.tests.keep_profiles = true;
        config.build.branches = true;
    });
    check_error(
        "coverage show-env --sh --fish",
        "`--sh` and `--fish` cannot be combined",
        "the lines are for one shell; drop one of the two",
    );
    check_error(
        "coverage showenv",
        "unknown command `showenv`; did you mean `cargo xtask coverage show-env`?",
        "for tests with that name, write `cargo xtask coverage -- showenv`",
    );
}

#[test]
fn selection() {
    check("coverage -p a --package b@1.2 -pc -p=d --package=e*", RUN, |config| {
        config.packages.select = strings(&["a", "b@1.2", "c", "d", "e*"]);
    });
    check("coverage --workspace --exclude a --exclude b", RUN, |config| {
        config.packages.exclude = strings(&["a", "b"]);
    });
    check("coverage --all", RUN, |_| {});
    check("verify --lib --bins --tests --examples --benches --all-targets", Command::Verify, |config| {
        let targets = &mut config.targets;
        (targets.lib, targets.bins, targets.tests) = (true, true, true);
        (targets.examples, targets.benches, targets.all_targets) = (true, true, true);
    });
    check("coverage --bin a --bin b --test c --example d --bench e", RUN, |config| {
        config.targets.bin = strings(&["a", "b"]);
        config.targets.test = strings(&["c"]);
        config.targets.example = strings(&["d"]);
        config.targets.bench = strings(&["e"]);
    });
    check("coverage -F a,b --features c/d --all-features --no-default-features", RUN, |config| {
        config.features.select = strings(&["a,b", "c/d"]);
        (config.features.all, config.features.no_default) = (true, true);
    });
}

#[test]
fn build() {
    check(
        "coverage --profile dist --target x86_64-unknown-linux-musl --target-dir t --keep-going --branch \
         --include-build-script",
        RUN,
        |config| {
            config.build.build_scripts = true;
            config.build.cargo_profile = Some("dist".into());
            config.build.target_triple = Some("x86_64-unknown-linux-musl".into());
            config.build.target_dir = Some("t".into());
            (config.build.keep_going, config.build.branches) = (true, true);
        },
    );
    check("coverage -r", RUN, |config| config.build.cargo_profile = Some("release".into()));
    let number = |n| NonZeroU32::new(n).expect("not zero");
    check("coverage -j4", RUN, |config| config.build.jobs = Some(Jobs::Count(number(4))));
    check("coverage --jobs -2", RUN, |config| config.build.jobs = Some(Jobs::AllBut(number(2))));
    check("coverage -j 4 -j default", RUN, |_| {});
    check(
        "coverage --manifest-path a/Cargo.toml --locked --offline --frozen --ignore-rust-version --config a=1 \
         --config=b.toml",
        RUN,
        |config| {
            config.manifest.ignore_rust_version = true;
            config.manifest.path = Some("a/Cargo.toml".into());
            (config.manifest.locked, config.manifest.offline, config.manifest.frozen) = (true, true, true);
            config.manifest.cargo_config = vec!["a=1".into(), "b.toml".into()];
        },
    );
}

#[test]
fn tests() {
    check("coverage name --no-run", RUN, |config| {
        config.tests.filter = Some("name".into());
        config.tests.run = false;
    });
    check("coverage --no-fail-fast --no-capture --test-threads 3 --no-continuous", RUN, |config| {
        config.tests.fail_fast = false;
        config.tests.capture = false;
        config.tests.threads = NonZeroU32::new(3);
        config.tests.continuous = false;
    });
    check("coverage --nextest parse -- --profile ci -- --ignored", RUN, |config| {
        config.tests.nextest = true;
        config.tests.filter = Some("parse".into());
        config.tests.arguments = words("--profile ci -- --ignored");
    });
    check("coverage --nocapture --ignore-run-fail", RUN, |config| {
        config.tests.capture = false;
        (config.tests.fail_fast, config.tests.ignore_failures) = (false, true);
    });
    check("coverage name -- --ignored --skip x -- y", RUN, |config| {
        config.tests.filter = Some("name".into());
        config.tests.arguments = words("--ignored --skip x -- y");
    });
    check("coverage --lib -- report", RUN, |config| {
        config.targets.lib = true;
        config.tests.arguments = words("report");
    });
    check("coverage report --", Command::Report, |_| {});
}

#[test]
fn reports() {
    check("coverage --lcov", RUN, |config| config.output.formats = vec![Format::Lcov]);
    check("coverage report --text --json --text", Command::Report, |config| {
        config.output.formats = vec![Format::Json, Format::Text];
    });
    check("coverage --json --output-path -", RUN, |config| {
        config.output.formats = vec![Format::Json];
        config.output.place = Place::File("-".into());
    });
    check(
        "coverage --json --lcov --output-dir d --summary-only --skip-functions --show-missing-lines",
        RUN,
        |config| {
            config.output.formats = vec![Format::Json, Format::Lcov];
            config.output.place = Place::Directory("d".into());
            config.output.summary_only = true;
            config.output.skip_functions = true;
            config.output.show_missing_lines = true;
        },
    );
    check("coverage --skip-functions", RUN, |config| config.output.skip_functions = true);
    check("coverage --sort path --model llvm --no-default-exclude", RUN, |config| {
        config.output.order = Order::Path;
        config.model = Some(Model::Llvm);
        config.exclusion.defaults = Vec::new();
    });
    check("coverage --engine llvm", RUN, |config| {
        config.engine = Engine::Llvm;
        assert_eq!(config.model(), Model::Llvm);
    });
    check("coverage --sort path --sort cover --model=union", RUN, |config| config.model = Some(Model::Union));
    check("coverage --no-report", RUN, |config| config.output.enabled = false);
    check("coverage --ignore-filename-regex ^a/ --ignore-filename-regex=-b$", RUN, |config| {
        config.exclusion.ignore_filename_regex = strings(&["^a/", "-b$"]);
    });
    check(
        "coverage report --object a --object b --profraw c --lcov --json --output-dir d",
        Command::Report,
        |config| {
            config.input.objects = vec!["a".into(), "b".into()];
            config.input.profiles = vec!["c".into()];
            config.output.formats = vec![Format::Lcov, Format::Json];
            config.output.place = Place::Directory("d".into());
        },
    );
}

#[test]
fn thresholds() {
    check(
        "coverage --fail-under-lines 80 --fail-under-functions 79.5 --fail-under-regions 0.05",
        RUN,
        |config| {
            config.thresholds.lines = Some(8000);
            config.thresholds.functions = Some(7950);
            config.thresholds.regions = Some(5);
        },
    );
    check(
        "COVERAGE_FAIL_UNDER_FILE_LINES=50 coverage run --fail-uncovered-lines 0",
        Command::Run,
        |config| {
            config.thresholds.file_lines = Some(5000);
            config.thresholds.uncovered_lines = Some(0);
        },
    );
    check(
        "coverage report --fail-uncovered-functions 1 --fail-uncovered-regions 20",
        Command::Report,
        |config| {
            config.thresholds.uncovered_functions = Some(1);
            config.thresholds.uncovered_regions = Some(20);
        },
    );
    check_error(
        "coverage --fail-under-lines 79.955",
        "invalid value `79.955` for `--fail-under-lines`: expected a percentage from 0 to 100 with at most two decimals",
        "",
    );
    check_error(
        "coverage --fail-uncovered-lines -1",
        "invalid value `-1` for `--fail-uncovered-lines`: expected a whole number from 0 on",
        "",
    );
}

#[test]
fn display() {
    check("coverage -v", RUN, |config| config.display.verbosity = Verbosity::Verbose);
    check("coverage -vv", RUN, |config| config.display.verbosity = Verbosity::VeryVerbose);
    check("coverage -vrj2", RUN, |config| {
        config.display.verbosity = Verbosity::Verbose;
        config.build.cargo_profile = Some("release".into());
        config.build.jobs = NonZeroU32::new(2).map(Jobs::Count);
    });
    check("coverage clean --quiet --color always", Command::Clean, |config| {
        config.display.verbosity = Verbosity::Quiet;
        config.display.color = ColorChoice::Always;
    });
}

#[test]
fn the_command_line_overrules_the_environment() {
    check("COVERAGE_NO_FAIL_FAST=1 COVERAGE_JOBS=4 coverage", RUN, |config| {
        config.tests.fail_fast = false;
        config.build.jobs = NonZeroU32::new(4).map(Jobs::Count);
    });
    check("COVERAGE_JOBS=4 coverage -j default", RUN, |_| {});
    check("COVERAGE_JOBS= coverage", RUN, |_| {});
    check("COVERAGE_JOBS=nonsense coverage clean", Command::Clean, |_| {});
    check("COVERAGE_SORT=path coverage --sort cover", RUN, |_| {});
    check("COVERAGE_RELEASE=yes coverage --profile dev", RUN, |config| {
        config.build.cargo_profile = Some("dev".into());
    });
    check("COVERAGE_OUTPUT_DIR=d coverage --lcov --output-path f", RUN, |config| {
        config.output.formats = vec![Format::Lcov];
        config.output.place = Place::File("f".into());
    });
    check("COVERAGE_NO_REPORT=1 coverage --lcov", RUN, |config| config.output.formats = vec![Format::Lcov]);
    check("COVERAGE_QUIET=1 coverage -v", RUN, |config| config.display.verbosity = Verbosity::Verbose);
    check("COVERAGE_VERBOSE=1 coverage -q", RUN, |config| config.display.verbosity = Verbosity::Quiet);
    check("COVERAGE_SHOW_MISSING_LINES=1 coverage --json", RUN, |config| {
        config.output.formats = vec![Format::Json];
        config.output.show_missing_lines = true;
    });
    // Those belong to coverage.py.
    check(
        "COVERAGE_FILE=x COVERAGE_CORE=sysmon COVERAGE_RCFILE=y COVERAGE_PROCESS_START=z coverage",
        RUN,
        |_| {},
    );
}

#[test]
fn the_environment_overrules_what_was_there() {
    let (variables, arguments) =
        split("COVERAGE_NO_FAIL_FAST=0 COVERAGE_RELEASE=off COVERAGE_QUIET=false coverage");
    let Ok(Request::Run(invocation)) = parse(arguments, variables) else { panic!("a run is asked for") };
    let mut base = Config::new();
    base.tests.fail_fast = false;
    base.build.cargo_profile = Some("release".into());
    base.display.verbosity = Verbosity::Quiet;
    assert_eq!(invocation.config(base).expect("it applies"), Config::new());
}

#[test]
fn variables_that_do_nothing_are_mentioned() {
    let (variables, arguments) = split("COVERAGE_NO_FAILFAST=1 COVERAGE_PACKAGE=a COVERAGE_LCOV=1 coverage");
    let Ok(Request::Run(invocation)) = parse(arguments, variables) else { panic!("a run is asked for") };
    assert_eq!(
        invocation.warnings,
        [
            "environment variable `COVERAGE_LCOV` does nothing: use the flag `--lcov`",
            "environment variable `COVERAGE_NO_FAILFAST` does nothing; did you mean `COVERAGE_NO_FAIL_FAST`?",
            "environment variable `COVERAGE_PACKAGE` does nothing: use the flag `--package`",
        ]
    );
}

fn check_help(line: &str, topic: Topic, length: Length) {
    match parse(words(line), []) {
        Ok(Request::Help(page)) => assert_eq!(page, Page { topic, length }, "{line}"),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn help_and_version() {
    check_help("", Topic::Tasks, Length::Long);
    check_help("--help", Topic::Tasks, Length::Long);
    check_help("-h", Topic::Tasks, Length::Short);
    check_help("help", Topic::Tasks, Length::Long);
    check_help("help verify", Topic::Command(Command::Verify), Length::Long);
    check_help("help coverage report", Topic::Command(Command::Report), Length::Long);
    check_help("coverage help", Topic::Command(RUN), Length::Long);
    check_help("coverage help clean", Topic::Command(Command::Clean), Length::Long);
    check_help("coverage --help", Topic::Command(RUN), Length::Long);
    check_help("coverage --lcov -h", Topic::Command(RUN), Length::Short);
    check_help("coverage -vh", Topic::Command(RUN), Length::Short);
    check_help("coverage report --help", Topic::Command(Command::Report), Length::Long);
    check("coverage -- --help", RUN, |config| config.tests.arguments = words("--help"));
    for line in ["--version", "-V", "coverage --version", "coverage clean -V"] {
        assert!(matches!(parse(words(line), []), Ok(Request::Version)), "{line}");
    }
}

#[test]
fn unknown_words_come_with_suggestions() {
    let all_tasks = "`cargo xtask --help` lists all tasks";
    check_error("covrage", "unknown task `covrage`", "did you mean `cargo xtask coverage`?");
    check_error("report", "unknown task `report`", "did you mean `cargo xtask coverage report`?");
    check_error("release", "unknown task `release`", all_tasks);
    check_error("help nothing", "unknown task `nothing`", all_tasks);
    check_error(
        "coverage help reprot",
        "unknown task `coverage reprot`",
        "did you mean `cargo xtask coverage report`?",
    );
    check_error(
        "--lcov",
        "`--lcov` stands where the name of a task is expected",
        "put the task first: `cargo xtask coverage --lcov`",
    );
    check_error(
        "coverage reprot",
        "unknown command `reprot`; did you mean `cargo xtask coverage report`?",
        "for tests with that name, write `cargo xtask coverage -- reprot`",
    );
    check_error(
        "coverage --lcov report",
        "`report` stands behind a flag, where the name of a test is expected",
        "for the command write `cargo xtask coverage report` first; for tests with that name, \
         `cargo xtask coverage -- report`",
    );
    check_error("coverage --lcvo", "unknown flag `--lcvo`", "did you mean `--lcov`?");
    check_error(
        "coverage --ignore-filename=x",
        "unknown flag `--ignore-filename`",
        "did you mean `--ignore-filename-regex`?",
    );
    check_error("coverage --no-captrue", "unknown flag `--no-captrue`", "did you mean `--no-capture`?");
    check_error("coverage --xyz", "unknown flag `--xyz`", "`cargo xtask coverage --help` lists all flags");
    check_error("coverage -x", "unknown flag `-x`", "`cargo xtask coverage --help` lists all flags");
    check_error("coverage -lib", "unknown flag `-l` in `-lib`", "did you mean `--lib`?");
    check_error(
        "coverage --ignored",
        "unknown flag `--ignored`",
        "test binaries have it: `cargo xtask coverage -- --ignored`",
    );
    check_error(
        "verify --skip=a",
        "unknown flag `--skip`",
        "test binaries have it: `cargo xtask verify -- --skip=a`",
    );
    check_error(
        "coverage report --shuffle",
        "unknown flag `--shuffle`",
        "`cargo xtask coverage report --help` lists all flags",
    );
    check_error(
        "coverage report --lib",
        "`cargo xtask coverage report` has no flag `--lib`",
        "it belongs to `cargo xtask coverage` and `cargo xtask verify`",
    );
    check_error(
        "coverage --object a",
        "`cargo xtask coverage` has no flag `--object`",
        "it belongs to `cargo xtask coverage report`",
    );
}

#[test]
fn values_are_checked() {
    check_error("coverage --bin", "`--bin` needs a value", "write `--bin <NAME>`");
    check_error("coverage -p", "`-p` needs a value", "write `-p <SPEC>`");
    check_error("coverage --sort=", "`--sort` needs a value, but it is empty", "write `--sort <cover|path>`");
    check_error(
        "coverage --bin --lib",
        "`--bin` needs a value, but the flag `--lib` follows",
        "if `--lib` is the value, write `--bin=--lib`",
    );
    check_error(
        "coverage -p -- x",
        "`-p` needs a value, but the flag `--` follows",
        "if `--` is the value, write `--package=--`",
    );
    check_error("coverage --lib=a", "`--lib` takes no value, but has `a`", "write `--lib`");
    check_error("coverage -q=a", "`-q` takes no value, but has `a`", "write `-q`");
    check_error(
        "coverage -j 0",
        "invalid value `0` for `-j`: expected a whole number other than 0, or `default`",
        "",
    );
    check_error(
        "coverage --test-threads two",
        "invalid value `two` for `--test-threads`: expected a whole number from 1 on",
        "",
    );
    check_error(
        "coverage --test-threads -1",
        "invalid value `-1` for `--test-threads`: expected a whole number from 1 on",
        "",
    );
    check_error(
        "coverage --engine llvm --model union",
        "LLVM's tools do not know the model `union`",
        "drop `--engine llvm`, or add `--model llvm`: numbers as `llvm-cov` shows them",
    );
    check_error("coverage --model lvm", "invalid value `lvm` for `--model`: expected `union` or `llvm`", "");
    check_error(
        "COVERAGE_COLOR=yes coverage",
        "invalid value `yes` for `COVERAGE_COLOR`: expected `auto`, `always` or `never`",
        "",
    );
    check_error(
        "COVERAGE_LOCKED=2 coverage",
        "invalid value `2` for `COVERAGE_LOCKED`: expected `1` or `0`",
        "",
    );
    let (variables, arguments) = split("coverage --ignore-filename-regex (");
    let error = parse(arguments, variables).expect_err("the group is open");
    let expected = "invalid value `(` for `--ignore-filename-regex`: expected a regular expression: ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn arguments_that_nothing_takes_are_refused() {
    check_error(
        "coverage a b",
        "unexpected argument `b`: there is a test name already, `a`",
        "test binaries take several: `cargo xtask coverage -- a b`",
    );
    check_error(
        "coverage clean a",
        "unexpected argument `a`",
        "`cargo xtask coverage clean --help` lists what it takes",
    );
    check_error(
        "coverage report -- a",
        "`cargo xtask coverage report` runs no tests, so nothing can follow `--`",
        "drop `--` and what follows it",
    );
}

#[test]
fn contradictions_are_refused() {
    let drop_one = |reason: &str| format!("{reason}; drop one of the two");
    for (line, what, reason) in [
        (
            "coverage -r --profile dev",
            "`-r` and `--profile` cannot be combined",
            "`--release` is `--profile release`",
        ),
        ("coverage --quiet -v", "`-v` and `--quiet` cannot be combined", "they are opposites"),
        (
            "coverage --lcov --no-report",
            "`--no-report` and `--lcov` cannot be combined",
            "it says how to report",
        ),
        (
            "coverage --no-run --json",
            "`--no-run` and `--json` cannot be combined",
            "nothing runs, so there is nothing to report",
        ),
        (
            "coverage --text --summary-only",
            "`--text` and `--summary-only` cannot be combined",
            "annotated sources have no summary",
        ),
        (
            "coverage --lcov --output-dir d --output-path p",
            "`--output-path` and `--output-dir` cannot be combined",
            "a report goes to one place",
        ),
        ("coverage -p a --all", "`-p` and `--all` cannot be combined", "`--workspace` means all packages"),
        (
            "COVERAGE_QUIET=1 COVERAGE_VERBOSE=1 coverage",
            "`COVERAGE_VERBOSE` and `COVERAGE_QUIET` cannot be combined",
            "they are opposites",
        ),
    ] {
        check_error(line, what, &drop_one(reason));
    }
    check_error(
        "coverage -p a --exclude b",
        "`-p` and `--exclude` cannot be combined",
        "`--exclude` takes packages away from the whole workspace; drop one of the two",
    );
    check_error("coverage --output-path f", "an output path needs a format", "add one, such as `--lcov`");
    check_error(
        "coverage report --output-dir f",
        "`--output-dir` needs a format",
        "add one, such as `--lcov`",
    );
    check_error(
        "coverage --lcov --json --output-path f",
        "an output path takes one format, but 2 are asked for",
        "give a directory for all of them: `--output-dir <DIRECTORY>`",
    );
    let both = "give both, or none of them to report on the last run of `cargo xtask coverage`";
    check_error(
        "coverage report --object a",
        "`--object` needs `--profraw`: counts come from raw profiles",
        both,
    );
    check_error(
        "coverage report --profraw a",
        "`--profraw` needs `--object`: source positions come from objects",
        both,
    );
    check_error(
        "coverage report --object a --profraw b --lcov --json",
        "several formats of another harness's data need a directory",
        "add `--output-dir <DIRECTORY>`",
    );
    check_error(
        "coverage report --skip-functions",
        "`--skip-functions` needs `--lcov` or `--json`: it means no other report",
        "add one of them, or drop it",
    );
    check_error(
        "coverage --show-missing-lines --lcov",
        "`--show-missing-lines` prints on stdout, where the report goes",
        "write the report into a file: `--output-path <PATH>`",
    );
}

#[cfg(unix)]
#[test]
fn paths_need_not_be_utf8() {
    use std::os::unix::ffi::OsStringExt;

    let odd = |front: &str| OsString::from_vec([front.as_bytes(), b"\xff"].concat());
    let read = |arguments: Vec<OsString>| match parse(arguments, []) {
        Ok(Request::Run(invocation)) => invocation.config(Config::new()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    let arguments = [words("coverage --target-dir"), vec![odd("t"), odd("--manifest-path=m")]].concat();
    let config = read([arguments, words("--"), vec![odd("a")]].concat()).expect("it is accepted");
    assert_eq!(config.build.target_dir, Some(PathBuf::from(odd("t"))));
    assert_eq!(config.manifest.path, Some(PathBuf::from(odd("m"))));
    assert_eq!(config.tests.arguments, [odd("a")]);

    for (argument, expected) in [
        (odd("--bin="), "invalid value `\u{fffd}` for `--bin`: expected UTF-8 text"),
        (odd("name"), "invalid test name `name\u{fffd}`: expected UTF-8 text"),
        (odd("--l"), "unknown flag `--l\u{fffd}`"),
        (odd("-"), "unknown flag `-\u{fffd}`"),
    ] {
        let error = read(vec!["coverage".into(), argument]).expect_err("it is refused");
        assert_eq!(format!("{error:#}"), expected);
    }
    let error = parse([odd("cover")], []).expect_err("it is refused");
    assert_eq!(error.to_string(), "unknown task `cover\u{fffd}`");
}

#[test]
fn the_table_is_sound() {
    let mut findings = Vec::new();
    for command in Command::ALL {
        let mut names = BTreeSet::new();
        for flag in flags().filter(|flag| flag.commands.contains(&command)) {
            let Flag { long, short, aliases, .. } = flag;
            let longs = [*long].into_iter().chain(aliases.iter().copied()).map(|name| format!("--{name}"));
            for name in longs.chain(short.map(|short| format!("-{short}"))) {
                if !names.insert(name.clone()) {
                    findings.push(format!("`{command}` has two flags `{name}`"));
                }
            }
        }
    }
    for flag in flags() {
        let long = flag.long;
        if flag.commands.is_empty() {
            findings.push(format!("`--{long}` belongs to no command"));
        }
        if !flag.help.ends_with('.') || flag.help.contains("  ") {
            findings.push(format!("`--{long}` has no sentence for help"));
        }
        for (rival, cure) in flag.conflicts {
            if !flags().any(|flag| flag.long == *rival) || cure.is_empty() {
                findings.push(format!("`--{long}` names an unknown rival `--{rival}`"));
            }
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}
