//! Flags that say how tests and programs run.

use super::super::flag::{Flag, Section};
use super::values::{partition, positive, seconds};
use super::{BUILD, ENVIRONMENT, FOR_EVER, NOTHING_RAN, ONE_SHELL, PROGRAM, RUN, TEST, shell};
use crate::task::shell::Shell;

pub(super) const TESTS: Section = Section {
    title: "Tests",
    flags: &[
        Flag::switch("no-run", |config, on| config.tests.run = !on)
            .conflicts(&[
                ("lcov", NOTHING_RAN),
                ("json", NOTHING_RAN),
                ("text", NOTHING_RAN),
                ("cobertura", NOTHING_RAN),
                ("codecov", NOTHING_RAN),
                ("markdown", NOTHING_RAN),
                ("badge", NOTHING_RAN),
                ("badge-svg", NOTHING_RAN),
                ("output-path", NOTHING_RAN),
                ("output-dir", NOTHING_RAN),
                ("partial", NOTHING_RAN),
            ])
            .not_a_key("nothing would ever be measured")
            .of(RUN)
            .help(
                "Build the tests with counters, but do not run them; under `verify`, compare on the last run. To \
                 report again without running, use `cargo xtask coverage report`.",
            ),
        Flag::switch("no-fail-fast", |config, on| config.tests.fail_fast = !on)
            .of(RUN)
            .help(
                "Run all tests even if some fail. Without it, no further test binary is started once one has \
                 failed. Reports are written either way.",
            ),
        Flag::switch("ignore-run-fail", |config, on| {
            config.tests.ignore_failures = on;
            config.tests.fail_fast &= !on;
        })
        .of(RUN)
        .help("Run all tests, and do not let failing ones change the exit code."),
        Flag::switch("no-capture", |config, on| config.tests.capture = !on)
            .aliases(&["nocapture"])
            .of(RUN)
            .help("Show what tests print, also when they pass."),
        Flag::one("test-threads", "N", |config, value| {
            config.tests.threads = Some(positive(value)?);
            Ok(())
        })
        .of(RUN)
        .help(
            "Run N tests at once within each test binary. Test binaries run side by side as long as all of them \
             together run fewer tests than that; with 1, one after the other. The default is one test for each core.",
        ),
        Flag::one("timeout", "SECONDS", |config, value| {
            config.tests.timeout = Some(seconds(value)?);
            Ok(())
        })
        .of(RUN)
        .help(
            "End a test binary that runs longer than this, and all that it started. It counts as failed; what it covered \
             counts. Without it, a line each minute says what still runs.",
        ),
        Flag::one("slowest", "N", |config, value| {
            config.tests.slowest = Some(positive(value)?);
            Ok(())
        })
        .of(RUN)
        .help(
            "List the N tests that took longest. Each is taken to have started when a thread was free for it, since \
             test binaries say only when a test ends.",
        ),
        Flag::one("partition", "KIND:M/N", |config, value| {
            config.tests.partition = Some(partition(value)?);
            Ok(())
        })
        .conflicts(&[
            ("nextest", "nextest shares out single tests itself: `--nextest -- --partition hash:1/2`"),
            ("no-run", "nothing runs, so there is nothing to share out; drop one of the two"),
        ])
        .not_a_key("each machine runs another part")
        .of(TEST)
        .help(
            "Run part M of N of the test binaries, and leave the others to other machines. `slice:1/3` shares them out by \
             how long they took, so that all parts take about as long; the times are those in \
             `target/coverage/durations.json`, which all machines must have alike. `hash:1/3` goes by their names alone. \
             The doctests of a library are one binary. `--partial` writes what `cargo xtask coverage merge` puts together.",
        ),
        Flag::switch("nextest", |config, on| config.tests.nextest = on)
            .conflicts(&[
                ("doc", "nextest runs no doctests; drop one of the two"),
                ("timeout", "nextest has timeouts of its own: set `slow-timeout` in `.config/nextest.toml`"),
                ("slowest", "nextest lists slow tests itself: `-- --final-status-level slow`"),
            ])
            .of(RUN)
            .help(
                "Have cargo-nextest run the tests, with its own configuration. What follows `--` are then arguments of \
                 `cargo nextest run`, such as `--profile ci`, `-E <FILTER>` or `--partition hash:1/2`; what is built is \
                 said before. Doctests are not run: nextest has none.",
            ),
        Flag::switch("no-continuous", |config, on| config.tests.continuous = !on)
            .of(BUILD)
            .help(
                "Write counts when a process ends. The default is to map them onto the profile file, so that \
                 the counts of killed processes are kept and all processes of a binary share one file.",
            ),
    ],
};

pub(super) const RUNNING: Section = Section {
    title: "Run",
    flags: &[
        Flag::switch("ignore-run-fail", |config, on| config.tests.ignore_failures = on)
            .of(PROGRAM)
            .help("Do not let the exit code be 100 when the program fails."),
        Flag::switch("no-clean", |config, on| config.tests.keep_profiles = on)
            .not_a_key(FOR_EVER)
            .of(PROGRAM)
            .help(
                "Add to what the last run has counted, of tests or of a program, instead of beginning anew. With \
                 `--no-report`, several runs make one report.",
            ),
    ],
};

pub(super) const LINES: Section = Section {
    title: "Lines to print",
    flags: &[
        Flag::switch("sh", |config, on| shell(config, Shell::Sh, on))
            .aliases(&["export-prefix"])
            .not_in_environment()
            .conflicts(&[("fish", ONE_SHELL), ("pwsh", ONE_SHELL)])
            .not_a_key("the shell is its user's choice")
            .of(ENVIRONMENT)
            .help("Print what sh, bash and zsh read, which is the default."),
        Flag::switch("fish", |config, on| shell(config, Shell::Fish, on))
            .not_in_environment()
            .conflicts(&[("pwsh", ONE_SHELL)])
            .not_a_key("the shell is its user's choice")
            .of(ENVIRONMENT)
            .help("Print what fish reads."),
        Flag::switch("pwsh", |config, on| shell(config, Shell::PowerShell, on))
            .aliases(&["powershell", "with-pwsh-env-prefix"])
            .not_in_environment()
            .not_a_key("the shell is its user's choice")
            .of(ENVIRONMENT)
            .help("Print what PowerShell reads."),
        Flag::switch("continuous", |config, on| config.harness.continuous = on)
            .of(ENVIRONMENT)
            .help(
                "Keep the counts of programs that are killed. Counters are mapped onto the profile files, which \
                 works on Linux. A test binary of a crate without a single function then prints a line of the \
                 profile runtime on stderr.",
            ),
        Flag::switch("no-clean", |config, on| config.tests.keep_profiles = on)
            .not_a_key(FOR_EVER)
            .of(ENVIRONMENT)
            .help("Keep what processes have counted since an earlier `show-env`, instead of beginning anew."),
    ],
};
