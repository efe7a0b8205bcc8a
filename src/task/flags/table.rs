//! The table of flags: the one truth for parsing, help, suggestions and environment variables.
//!
//! To add a flag, add a row. The first sentence of its help is what `-h` shows.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use regex_lite::Regex;

use super::flag::{Choice, Flag, Section, Takes};
use crate::coverage::Model;
use crate::filter::{DefaultSet, PathPattern};
use crate::report::table::Order;
use crate::task::config::{Ci, CodeClass, Command, Config, Doctests, Format, Jobs, Place};
use crate::task::shell::Shell;
use crate::ui::color::ColorChoice;
use crate::ui::settings::Verbosity;

/// Commands that build and run tests.
const RUN: &[Command] = &[Command::Coverage, Command::Verify];
/// Commands that build.
const BUILD: &[Command] = &[Command::Coverage, Command::Run, Command::Verify];
/// Commands that install the compiler wrapper.
const INSTRUMENT: &[Command] = &[Command::Coverage, Command::Run, Command::ShowEnv, Command::Verify];
/// Commands that write reports.
const REPORT: &[Command] = &[Command::Coverage, Command::Run, Command::Report];
const PROGRAM: &[Command] = &[Command::Run];
const ENVIRONMENT: &[Command] = &[Command::ShowEnv];
const FROM_FILES: &[Command] = &[Command::Report];
const ALL: &[Command] = &Command::ALL;

/// All flags, in the order of the help.
pub(crate) const SECTIONS: &[Section] = &[
    Section {
        title: "Program selection",
        flags: &[
            Flag::one("package", "SPEC", |config, value| {
                config.packages.select = vec![text(value)?];
                Ok(())
            })
            .short('p')
            .not_in_environment()
            .not_a_key(WHICH_PROGRAM)
            .of(PROGRAM)
            .help(
                "Run a program of the package that matches SPEC. Code of the whole workspace counts, whichever package \
                 the program is from.",
            ),
            Flag::one("bin", "NAME", |config, value| {
                config.targets.bin = vec![text(value)?];
                Ok(())
            })
            .not_in_environment()
            .conflicts(&[("example", "one program is run; drop one of the two")])
            .not_a_key(WHICH_PROGRAM)
            .of(PROGRAM)
            .help(
                "Run this binary. Without it, the one that `cargo run` takes is run: the only one there is, or what \
                 `default-run` in the manifest names.",
            ),
            Flag::one("example", "NAME", |config, value| {
                config.targets.example = vec![text(value)?];
                Ok(())
            })
            .not_in_environment()
            .not_a_key(WHICH_PROGRAM)
            .of(PROGRAM)
            .help("Run this example."),
        ],
    },
    Section {
        title: "Package selection",
        flags: &[
            Flag::many("package", "SPEC", |config, value| {
                config.packages.select.push(text(value)?);
                Ok(())
            })
            .short('p')
            .conflicts(&[
                ("exclude", "`--exclude` takes packages away from the whole workspace; drop one of the two"),
                ("workspace", "`--workspace` means all packages; drop one of the two"),
            ])
            .part_of(PACKAGES)
            .of(RUN)
            .help(
                "Test and count only packages that match SPEC. SPEC is a name, `name@version` or a glob such as \
                 `app-*`. Can be given several times. Without it, every member of the workspace is tested, except \
                 the xtask crate.",
            ),
            Flag::switch("workspace", |config, on| {
                if on {
                    config.packages.select.clear();
                }
            })
            .aliases(&["all"])
            .not_in_environment()
            .part_of(PACKAGES)
            .not_a_key("it is the default")
            .of(RUN)
            .help("Test and count every member of the workspace but the xtask crate, which is the default."),
            Flag::many("exclude", "SPEC", |config, value| {
                config.packages.exclude.push(text(value)?);
                Ok(())
            })
            .part_of(PACKAGES)
            .of(RUN)
            .help("Neither test nor count packages that match SPEC. Can be given several times."),
        ],
    },
    Section {
        title: "Target selection",
        flags: &[
            Flag::switch("lib", |config, on| config.targets.lib = on)
                .not_in_environment()
                .part_of(TARGETS)
                .of(RUN)
                .help("Test the libraries. Without any flag of this section, what `cargo test` takes is tested."),
            Flag::switch("bins", |config, on| config.targets.bins = on)
                .not_in_environment()
                .part_of(TARGETS)
                .of(RUN)
                .help("Test all binaries."),
            Flag::many("bin", "NAME", |config, value| {
                config.targets.bin.push(text(value)?);
                Ok(())
            })
            .part_of(TARGETS)
            .of(RUN)
            .help("Test this binary. NAME may be a glob."),
            Flag::switch("tests", |config, on| config.targets.tests = on)
                .not_in_environment()
                .part_of(TARGETS)
                .of(RUN)
                .help("Test all targets that have `test = true`."),
            Flag::many("test", "NAME", |config, value| {
                config.targets.test.push(text(value)?);
                Ok(())
            })
            .part_of(TARGETS)
            .of(RUN)
            .help("Test this integration test. NAME may be a glob."),
            Flag::switch("examples", |config, on| config.targets.examples = on)
                .not_in_environment()
                .part_of(TARGETS)
                .of(RUN)
                .help("Test all examples."),
            Flag::many("example", "NAME", |config, value| {
                config.targets.example.push(text(value)?);
                Ok(())
            })
            .part_of(TARGETS)
            .of(RUN)
            .help("Test this example. NAME may be a glob."),
            Flag::switch("benches", |config, on| config.targets.benches = on)
                .not_in_environment()
                .part_of(TARGETS)
                .of(RUN)
                .help("Test all targets that have `bench = true`. Each benchmark runs once, as a test."),
            Flag::many("bench", "NAME", |config, value| {
                config.targets.bench.push(text(value)?);
                Ok(())
            })
            .part_of(TARGETS)
            .of(RUN)
            .help("Test this bench. NAME may be a glob."),
            Flag::switch("all-targets", |config, on| config.targets.all_targets = on)
                .not_in_environment()
                .part_of(TARGETS)
                .of(RUN)
                .help("Test all targets: libraries, binaries, tests, examples and benches."),
            Flag::switch("doc", |config, on| set_doctests(config, Doctests::Only, on))
                .not_in_environment()
                .conflicts(&[
                    ("lib", ONLY_DOCTESTS),
                    ("bins", ONLY_DOCTESTS),
                    ("bin", ONLY_DOCTESTS),
                    ("tests", ONLY_DOCTESTS),
                    ("test", ONLY_DOCTESTS),
                    ("examples", ONLY_DOCTESTS),
                    ("example", ONLY_DOCTESTS),
                    ("benches", ONLY_DOCTESTS),
                    ("bench", ONLY_DOCTESTS),
                    ("all-targets", ONLY_DOCTESTS),
                    ("no-run", "doctests are compiled when they run; drop one of the two"),
                ])
                .part_of(TARGETS)
                .of(RUN)
                .help("Test the examples in the documentation of libraries, and nothing else."),
            Flag::switch("no-doctests", |config, on| set_doctests(config, Doctests::Without, on))
                .conflicts(&[("doc", "they are opposites; drop one of the two")])
                .of(RUN)
                .help(
                    "Do not test the examples in the documentation. They are tested, as under `cargo test`, unless a \
                     flag of this section selects other targets.",
                ),
        ],
    },
    Section {
        title: "Feature selection",
        flags: &[
            Flag::many("features", "FEATURES", |config, value| {
                config.features.select.push(text(value)?);
                Ok(())
            })
            .short('F')
            .of(BUILD)
            .help(
                "Turn these features on. Separate them by blanks or commas; `package/feature` names a feature of \
                 one package. Can be given several times.",
            ),
            Flag::switch("all-features", |config, on| config.features.all = on)
                .of(BUILD)
                .help("Turn all features on."),
            Flag::switch("no-default-features", |config, on| config.features.no_default = on)
                .of(BUILD)
                .help("Do not turn the `default` feature on."),
        ],
    },
    Section {
        title: "Build",
        flags: &[
            Flag::one("profile", "NAME", |config, value| {
                config.build.cargo_profile = Some(text(value)?);
                Ok(())
            })
            .of(BUILD)
            .help("Build with this cargo profile."),
            Flag::switch("release", |config, on| {
                let release = "release".to_owned();
                match on {
                    true => config.build.cargo_profile = Some(release),
                    false => config.build.cargo_profile = config.build.cargo_profile.take().filter(|name| *name != release),
                }
            })
            .short('r')
            .conflicts(&[("profile", "`--release` is `--profile release`; drop one of the two")])
            .of(BUILD)
            .help(
                "Build in release mode. Optimized code runs faster and still counts every line, but takes longer to \
                 compile.",
            ),
            Flag::one("target", "TRIPLE", |config, value| {
                config.build.target_triple = Some(text(value)?);
                Ok(())
            })
            .of(BUILD)
            .help("Build for this target triple."),
            Flag::one("target-dir", "DIRECTORY", |config, value| {
                config.build.target_dir = Some(PathBuf::from(value));
                Ok(())
            })
            .not_a_key(BEFORE)
            .of(ALL)
            .help(
                "Use this target directory. All that we make is in `coverage/` in it. The default is the directory \
                 that cargo uses.",
            ),
            Flag::one("jobs", "N", |config, value| {
                config.build.jobs = jobs(value)?;
                Ok(())
            })
            .short('j')
            .of(BUILD)
            .help(
                "Compile with N parallel jobs. A negative N leaves so many cores alone; `default` is one job for each core. \
                 As in cargo, tests do not depend on it: see `--test-threads`.",
            ),
            Flag::switch("keep-going", |config, on| config.build.keep_going = on)
                .of(BUILD)
                .help("Compile as much as possible when a crate fails to compile."),
            Flag::switch("branch", |config, on| config.build.branches = on)
                .of(INSTRUMENT)
                .help("Record which way conditions went. This needs a nightly compiler."),
            Flag::switch("include-build-script", |config, on| config.build.build_scripts = on)
                .of(RUN)
                .help(
                    "Count build scripts as well, as they ran when cargo last had to run them. The members of the workspace \
                     are compiled apart for it.",
                ),
        ],
    },
    Section {
        title: "Manifest",
        flags: &[
            Flag::one("manifest-path", "PATH", |config, value| {
                config.manifest.path = Some(PathBuf::from(value));
                Ok(())
            })
            .not_a_key(BEFORE)
            .of(ALL)
            .help(
                "Work on the workspace of this `Cargo.toml`. It can be any workspace on this disk: nothing is \
                 written there but its target directory.",
            ),
            Flag::switch("locked", |config, on| config.manifest.locked = on)
                .not_a_key(BEFORE)
                .of(ALL)
                .help("Fail if `Cargo.lock` is missing or would change."),
            Flag::switch("offline", |config, on| config.manifest.offline = on)
                .not_a_key(BEFORE)
                .of(ALL)
                .help("Do not use the network."),
            Flag::switch("frozen", |config, on| config.manifest.frozen = on)
                .not_a_key(BEFORE)
                .of(ALL)
                .help("The same as `--locked --offline`."),
            Flag::switch("ignore-rust-version", |config, on| config.manifest.ignore_rust_version = on)
                .of(RUN)
                .help("Build packages whose `rust-version` is newer than the compiler."),
            Flag::many("config", "KEY=VALUE|PATH", |config, value| {
                config.manifest.cargo_config.push(value.to_owned());
                Ok(())
            })
            .not_a_key(BEFORE)
            .of(ALL)
            .help("Override a value of cargo's configuration. Can be given several times."),
        ],
    },
    Section {
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
    },
    Section {
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
    },
    Section {
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
    },
    Section {
        title: "What counts",
        flags: &[
            Flag::many("ignore-filename-regex", "REGEX", |config, value| {
                let regex = text(value)?;
                match Regex::new(&regex) {
                    Ok(_) => config.exclusion.ignore_filename_regex.push(regex),
                    Err(error) => return Err(format!("expected a regular expression: {error}")),
                }
                Ok(())
            })
            .of(REPORT)
            .help(
                "Do not count files whose path matches REGEX. It is looked for anywhere in the path from the root of \
                 the workspace, which is written with `/` everywhere. Can be given several times.",
            ),
            Flag::many("include-filename-regex", "REGEX", |config, value| {
                let regex = text(value)?;
                match Regex::new(&regex) {
                    Ok(_) => config.exclusion.include_filename_regex.push(regex),
                    Err(error) => return Err(format!("expected a regular expression: {error}")),
                }
                Ok(())
            })
            .of(REPORT)
            .help("Count files whose path matches REGEX, whatever else leaves them out. Can be given several times."),
            Flag::many("exclude-files", "GLOB", |config, value| {
                config.exclusion.exclude_files.push(path_glob(value)?);
                Ok(())
            })
            .of(REPORT)
            .help(
                "Do not count files whose path from the root of the workspace is like GLOB. `*` stops at `/` and `**` does \
                 not; a directory means all that is in it. Can be given several times.",
            ),
            Flag::many("include-files", "GLOB", |config, value| {
                config.exclusion.include_files.push(path_glob(value)?);
                Ok(())
            })
            .of(REPORT)
            .help("Count files like GLOB, whatever else leaves them out. Can be given several times."),
            Flag::many("exclude-from-report", "SPEC", |config, value| {
                let name = text(value)?;
                glob::Pattern::new(&name).map_err(|error| format!("expected a name or glob: {error}"))?;
                config.exclusion.exclude_from_report.push(name);
                Ok(())
            })
            .of(REPORT)
            .help(
                "Test this package, but do not count it. A name or glob. Can be given several times.",
            ),
            Flag::one("default-exclude", "SETS", |config, value| {
                config.exclusion.defaults = named(value, &DefaultSet::ALL, DefaultSet::name)?;
                Ok(())
            })
            .of(REPORT)
            .help(
                "Leave out these sets of files alone. On the command line commas stand between them. `tests` are tests, benches and \
                 examples: `tests/`, `benches/`, `examples/`, `tests.rs`, `*_test.rs`, `*_tests.rs` and the sources of such \
                 targets, and test code inside source files. `generated` is `*.gen.rs` and what says `@generated` in its first lines. `build` is build scripts and \
                 what cargo writes. `migrations` is `migrations/`. `dependencies` is what belongs to no selected package. All five \
                 are left out by default.",
            ),
            Flag::switch("no-default-exclude", |config, on| {
                config.exclusion.defaults = if on { Vec::new() } else { DefaultSet::ALL.to_vec() };
            })
            .conflicts(&[("default-exclude", "it leaves out none of these sets; drop one of the two")])
            .of(REPORT)
            .help("Count what is left out by default: files of all these sets, and test code inside source files."),
            Flag::switch("include-tests", |config, on| config.exclusion.tests = !on)
                .of(REPORT)
                .help(
                    "Count test code inside source files: what has `#[cfg(test)]` or `#[test]` and the like. Files that are \
                     tests as a whole stay out, unless `--default-exclude` says otherwise.",
                ),
            Flag::switch("no-markers", |config, on| config.exclusion.markers = !on)
                .of(REPORT)
                .help(
                    "Count what comments leave out: `coverage:off` to `coverage:on`, `coverage:ignore`, and LCOV's \
                     `LCOV_EXCL_LINE`, `LCOV_EXCL_START` to `LCOV_EXCL_STOP`.",
                ),
            Flag::many("exclude-code", "CLASS", |config, value| {
                for class in named(value, &CodeClass::ALL, CodeClass::name)? {
                    if !config.exclusion.code.contains(&class) {
                        config.exclusion.code.push(class);
                    }
                }
                Ok(())
            })
            .of(REPORT)
            .help(
                "Do not count code of this class. `unreachable` is match arms and blocks that only call `unreachable!`, `todo!` \
                 or `unimplemented!`. `debug` is implementations of `Debug`. `const-fn` is constant functions that never ran: \
                 the compiler may have run them. Can be given several times.",
            ),
            Flag::many("explain", "PATH[:LINE]", |config, value| {
                config.explain.push(text(value)?);
                Ok(())
            })
            .not_a_key("it is a question")
            .of(&[Command::Coverage, Command::Report])
            .help(
                "Say why this file or line counts or does not, and how often it ran in the last run. Nothing is built \
                 or run. Can be given several times.",
            ),
            Flag::choice("model", &[
                Choice {
                    name: "union",
                    help: "one entry for each place in the source, over all generic copies, builds and binaries \
                           (default)",
                    set: |config| config.model = Model::Union,
                },
                Choice {
                    name: "llvm",
                    help: "the numbers of `llvm-cov`, and its LCOV and JSON byte for byte",
                    set: |config| config.model = Model::Llvm,
                },
            ])
            .of(REPORT)
            .help("How counts become numbers."),
        ],
    },
    Section {
        title: "Reports",
        flags: &[
            Flag::switch("lcov", |config, on| want(config, Format::Lcov, on))
                .not_in_environment()
                .part_of(FORMATS)
                .of(REPORT)
                .help("Write an LCOV tracefile. Printed on stdout unless a flag below says where to write it."),
            Flag::switch("json", |config, on| want(config, Format::Json, on))
                .not_in_environment()
                .part_of(FORMATS)
                .of(REPORT)
                .help(
                    "Write JSON in the format of `llvm-cov export`. Printed on stdout unless a flag below says where \
                     to write it.",
                ),
            Flag::switch("text", |config, on| want(config, Format::Text, on))
                .not_in_environment()
                .conflicts(&[("summary-only", "annotated sources have no summary; drop one of the two")])
                .part_of(FORMATS)
                .of(REPORT)
                .help(
                    "Write the sources with the count of each line. Printed on stdout unless a flag below says where \
                     to write it.",
                ),
            Flag::switch("cobertura", |config, on| want(config, Format::Cobertura, on))
                .not_in_environment()
                .conflicts(&[("summary-only", ONLY_LINES)])
                .part_of(FORMATS)
                .of(REPORT)
                .help(
                    "Write Cobertura's XML, which GitHub, GitLab, Jenkins and Azure read. Printed on stdout unless a flag \
                     below says where to write it.",
                ),
            Flag::switch("codecov", |config, on| want(config, Format::Codecov, on))
                .not_in_environment()
                .conflicts(&[("summary-only", ONLY_LINES)])
                .part_of(FORMATS)
                .of(REPORT)
                .help(
                    "Write Codecov's own JSON, which knows lines of which only a part ran. Printed on stdout unless a flag \
                     below says where to write it.",
                ),
            Flag::switch("markdown", |config, on| want(config, Format::Markdown, on))
                .not_in_environment()
                .part_of(FORMATS)
                .of(REPORT)
                .help(
                    "Write a summary in Markdown: totals, the files that miss most, and their missing lines, folded. Printed \
                     on stdout unless a flag below says where to write it.",
                ),
            Flag::switch("badge", |config, on| want(config, Format::Badge, on))
                .not_in_environment()
                .part_of(FORMATS)
                .of(REPORT)
                .help(
                    "Write the JSON that shields.io makes a badge from. Printed on stdout unless a flag below says where to \
                     write it.",
                ),
            Flag::switch("badge-svg", |config, on| want(config, Format::BadgeSvg, on))
                .not_in_environment()
                .part_of(FORMATS)
                .of(REPORT)
                .help(
                    "Write a badge as a picture of its own. Printed on stdout unless a flag below says where to write it.",
                ),
            Flag::one("output-path", "PATH", |config, value| {
                config.output.place = Place::File(PathBuf::from(value));
                Ok(())
            })
            .conflicts(&[("output-dir", "a report goes to one place; drop one of the two")])
            .not_a_key("a file is for one format, and the command line may ask for others; use `output-dir`")
            .of(REPORT)
            .help(
                "Write the report into this file. `-` is stdout. For several formats use `--output-dir`. The table is \
                 printed besides whenever stdout is free.",
            ),
            Flag::one("output-dir", "DIRECTORY", |config, value| {
                config.output.place = Place::Directory(PathBuf::from(value));
                Ok(())
            })
            .of(REPORT)
            .help(
                "Write the reports into this directory. They are called `lcov.info`, `coverage.json`, `coverage.txt`, \
                 `cobertura.xml`, `codecov.json`, `summary.md`, `badge.json` and `badge.svg`. The default for several formats \
                 at once is `target/coverage`.",
            ),
            Flag::switch("summary-only", |config, on| config.output.summary_only = on)
                .of(REPORT)
                .help(
                    "Report numbers of whole files, or totals alone. With `--lcov` or `--json`, lines and functions \
                     are left out of the report; the table shrinks to its totals.",
                ),
            Flag::switch("skip-functions", |config, on| config.output.skip_functions = on)
                .of(REPORT)
                .help("Leave functions out of LCOV and JSON."),
            Flag::one("fail-under-lines", "PERCENT", |config, value| {
                config.thresholds.lines = Some(percent(value)?);
                Ok(())
            })
            .threshold()
            .of(REPORT)
            .help("Exit with code 2 if less than this share of the lines ran. Up to two decimals; compared exactly."),
            Flag::one("fail-under-functions", "PERCENT", |config, value| {
                config.thresholds.functions = Some(percent(value)?);
                Ok(())
            })
            .threshold()
            .of(REPORT)
            .help("The same for functions."),
            Flag::one("fail-under-regions", "PERCENT", |config, value| {
                config.thresholds.regions = Some(percent(value)?);
                Ok(())
            })
            .threshold()
            .of(REPORT)
            .help("The same for regions."),
            Flag::one("fail-under-file-lines", "PERCENT", |config, value| {
                config.thresholds.file_lines = Some(percent(value)?);
                Ok(())
            })
            .threshold()
            .of(REPORT)
            .help("Exit with code 2 if less than this share of the lines of any file ran. Each such file is named."),
            Flag::one("fail-uncovered-lines", "MAX", |config, value| {
                config.thresholds.uncovered_lines = Some(count(value)?);
                Ok(())
            })
            .threshold()
            .of(REPORT)
            .help("Exit with code 2 if more than MAX lines did not run."),
            Flag::one("fail-uncovered-functions", "MAX", |config, value| {
                config.thresholds.uncovered_functions = Some(count(value)?);
                Ok(())
            })
            .threshold()
            .of(REPORT)
            .help("The same for functions."),
            Flag::one("fail-uncovered-regions", "MAX", |config, value| {
                config.thresholds.uncovered_regions = Some(count(value)?);
                Ok(())
            })
            .threshold()
            .of(REPORT)
            .help("The same for regions."),
            Flag::switch("show-missing-lines", |config, on| config.output.show_missing_lines = on)
                .of(REPORT)
                .help("Under the table, list the lines that did not run, as `path:12,15-19`."),
            Flag::switch("show-missing-functions", |config, on| config.output.show_missing_functions = on)
                .of(REPORT)
                .help(
                    "Under the table, list the functions that did not run. Each is a line `path:12 name (34 lines)`; those \
                     with most lines come first.",
                ),
            Flag::switch("total", |config, on| config.output.total_line = on)
                .conflicts(&[("summary-only", "one line or a table of totals; drop one of the two")])
                .of(REPORT)
                .help(
                    "Print the total on one line instead of the table. The line, `TOTAL 12000 of 12345 lines 97.20%`, is never \
                     colored, so that patterns of CI services find it.",
                ),
            Flag::choice("sort", &[
                Choice {
                    name: "cover",
                    help: "most missed lines first (default)",
                    set: |config| config.output.order = Order::WorstFirst,
                },
                Choice { name: "path", help: "by path", set: |config| config.output.order = Order::Path },
            ])
            .of(REPORT)
            .help("The order of the files in the table."),
            Flag::switch("no-report", |config, on| config.output.enabled = !on)
                .conflicts(&[
                    ("lcov", NO_REPORT),
                    ("json", NO_REPORT),
                    ("text", NO_REPORT),
                    ("cobertura", NO_REPORT),
                    ("codecov", NO_REPORT),
                    ("markdown", NO_REPORT),
                    ("badge", NO_REPORT),
                    ("badge-svg", NO_REPORT),
                    ("output-path", NO_REPORT),
                    ("output-dir", NO_REPORT),
                    ("summary-only", NO_REPORT),
                    ("skip-functions", NO_REPORT),
                    ("show-missing-lines", NO_REPORT),
                    ("show-missing-functions", NO_REPORT),
                    ("total", NO_REPORT),
                    ("sort", NO_REPORT),
                ])
                .not_a_key("nothing would ever be reported")
                .of(&[Command::Coverage, Command::Run])
                .help("Run, and keep the counts, but do not report."),
        ],
    },
    Section {
        title: "Comparison",
        flags: &[
            Flag::switch("patch", |config, on| config.comparison.patch = on)
                .conflicts(NO_COMPARISON)
                .of(REPORT)
                .help(
                    "Say how much ran of the lines that this branch adds or changes, and which of them did not run. What is \
                     not committed counts too, and so do new files unless git ignores them. Nothing but git is asked.",
                ),
            Flag::one("patch-base", "REV", |config, value| {
                config.comparison.patch_base = Some(text(value)?);
                Ok(())
            })
            .conflicts(NO_COMPARISON)
            .of(REPORT)
            .help(
                "The same for what changed since this branch left REV, a commit or branch. The default is the first parent \
                 where a CI service has checked out a merge to be tested, else the main branch: that of `origin`, or `main` \
                 or `master`.",
            ),
            Flag::one("fail-under-patch", "PERCENT", |config, value| {
                config.comparison.patch_lines = Some(percent(value)?);
                Ok(())
            })
            .conflicts(NO_COMPARISON)
            .of(REPORT)
            .help(
                "Exit with code 3 if less than this share of the changed lines with code ran. Where no changed line has \
                 code, all is well.",
            ),
            Flag::one("baseline", "FILE", |config, value| {
                config.comparison.baseline = Some(PathBuf::from(value));
                Ok(())
            })
            .conflicts(NO_COMPARISON)
            .of(REPORT)
            .help(
                "Say what changed since FILE was saved: the totals, the files that have fallen, and lines that no longer run \
                 in files that nobody touched.",
            ),
            Flag::one("save-baseline", "FILE", |config, value| {
                config.comparison.save_baseline = Some(PathBuf::from(value));
                Ok(())
            })
            .not_a_key("a run of some packages, or with other exclusions, would replace the numbers of all")
            .conflicts(NO_COMPARISON)
            .of(REPORT)
            .help(
                "Keep the numbers in FILE, which is small and can be committed. With `--baseline`, they are compared first, and \
                 FILE stays as it is if they have fallen by more than `--ratchet` allows, or if tests failed.",
            ),
            Flag::one("ratchet", "PERCENT", |config, value| {
                config.comparison.ratchet = Some(percent(value)?);
                Ok(())
            })
            .conflicts(NO_COMPARISON)
            .of(REPORT)
            .help(
                "Exit with code 2 if line coverage has fallen by more than so many percentage points. `0` allows no fall at \
                 all; up to two decimals; compared exactly. Functions and regions are shown, but hold nobody up. Needs \
                 `--baseline`.",
            ),
        ],
    },
    Section {
        title: "Data of another test harness",
        flags: &[
            Flag::many("object", "PATH", |config, value| {
                config.input.objects.push(PathBuf::from(value));
                Ok(())
            })
            .not_a_key("it names the data of one run")
            .of(FROM_FILES)
            .help(
                "Read coverage maps from this executable, library or archive. Can be given several times. Needs \
                 `--profraw`.",
            ),
            Flag::many("profraw", "PATH", |config, value| {
                config.input.profiles.push(PathBuf::from(value));
                Ok(())
            })
            .not_a_key("it names the data of one run")
            .of(FROM_FILES)
            .help(
                "Read counts from this raw profile, or from all below this directory. Can be given several times. \
                 Needs `--object`.",
            ),
        ],
    },
    Section {
        title: "Display",
        flags: &[
            Flag::switch("verbose", |config, on| {
                config.display.verbosity = match (on, config.display.verbosity) {
                    (true, Verbosity::Quiet | Verbosity::Normal) => Verbosity::Verbose,
                    (true, Verbosity::Verbose | Verbosity::VeryVerbose) => Verbosity::VeryVerbose,
                    (false, verbosity) => verbosity.min(Verbosity::Normal),
                }
            })
            .short('v')
            .conflicts(&[("quiet", "they are opposites; drop one of the two")])
            .not_a_key(READERS_CHOICE)
            .of(ALL)
            .help("Say more, such as the commands that are run. Twice says what cargo says under `-vv`."),
            Flag::switch("quiet", |config, on| {
                config.display.verbosity = match on {
                    true => Verbosity::Quiet,
                    false => config.display.verbosity.max(Verbosity::Normal),
                }
            })
            .short('q')
            .not_a_key(READERS_CHOICE)
            .of(ALL)
            .help("Print nothing but warnings, errors, failing tests and reports."),
            Flag::choice("ci", &[
                Choice {
                    name: "auto",
                    help: "as GITHUB_ACTIONS and GITLAB_CI say (default)",
                    set: |config| config.ci = Ci::Auto,
                },
                Choice {
                    name: "github",
                    help: "a job summary, at most ten annotations, and groups in the log; also `--patch` for a pull request",
                    set: |config| config.ci = Ci::GitHub,
                },
                Choice {
                    name: "gitlab",
                    help: "sections in the log, and a last line with the total, which GitLab finds with the pattern that it documents for pytest-cov",
                    set: |config| config.ci = Ci::GitLab,
                },
                Choice { name: "none", help: "nothing of that", set: |config| config.ci = Ci::None },
            ])
            .of(REPORT)
            .help("What to print for a CI service. It needs no token, and leaves reports on stdout as they are."),
            Flag::choice("color", &[
                Choice {
                    name: "auto",
                    help: "in a terminal, unless the environment says otherwise (default)",
                    set: |config| config.display.color = ColorChoice::Auto,
                },
                Choice {
                    name: "always",
                    help: "always",
                    set: |config| config.display.color = ColorChoice::Always,
                },
                Choice {
                    name: "never",
                    help: "never",
                    set: |config| config.display.color = ColorChoice::Never,
                },
            ])
            .not_a_key(READERS_CHOICE)
            .of(ALL)
            .help(
                "When to use color. The environment is asked in this order: `CARGO_TERM_COLOR`, `NO_COLOR`, \
                 `CLICOLOR_FORCE`, `FORCE_COLOR`.",
            ),
            Flag::new("help", Takes::Help)
                .short('h')
                .of(ALL)
                .help("Print help. `-h` is the short form, `--help` the long one."),
            Flag::new("version", Takes::Version).short('V').of(ALL).help("Print the version."),
        ],
    },
];

/// Lists that several flags make up together.
const PACKAGES: &str = "packages";
const TARGETS: &str = "targets";
pub(super) const FORMATS: &str = "formats";

// Why a flag is no key of a manifest.
const WHICH_PROGRAM: &str = "which program runs is said when it is run";
const BEFORE: &str = "cargo has to know it before it reads a manifest";
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

// The functions below turn a value into data, or say what was expected.

fn text(value: &OsStr) -> Result<String, String> {
    value.to_str().map(str::to_owned).ok_or_else(|| "expected UTF-8 text".to_owned())
}

fn positive(value: &OsStr) -> Result<NonZeroU32, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| "expected a whole number from 1 on".to_owned())
}

fn count(value: &OsStr) -> Result<u64, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| "expected a whole number from 0 on".to_owned())
}

fn seconds(value: &OsStr) -> Result<Duration, String> {
    let number: Option<f64> = value.to_str().and_then(|text| text.parse().ok());
    let duration = number.filter(|number| *number > 0.0).and_then(|it| Duration::try_from_secs_f64(it).ok());
    duration.ok_or_else(|| "expected a number of seconds above 0".to_owned())
}

fn jobs(value: &OsStr) -> Result<Option<Jobs>, String> {
    if value == OsStr::new("default") {
        return Ok(None);
    }
    let number: Option<i32> = value.to_str().and_then(|text| text.parse().ok());
    let expected = "expected a whole number other than 0, or `default`";
    let number = number.ok_or_else(|| expected.to_owned())?;
    let size = NonZeroU32::new(number.unsigned_abs()).ok_or_else(|| expected.to_owned())?;
    Ok(Some(if number > 0 { Jobs::Count(size) } else { Jobs::AllBut(size) }))
}

/// A glob on paths.
fn path_glob(value: &OsStr) -> Result<String, String> {
    let glob = text(value)?;
    PathPattern::glob(&glob, "").map_err(|error| format!("expected a glob: {}", error.root_cause()))?;
    Ok(glob)
}

/// Words with commas between them, each the name of one of `all`.
fn named<T: Copy>(value: &OsStr, all: &[T], name: fn(T) -> &'static str) -> Result<Vec<T>, String> {
    let words = text(value)?;
    let find = |word: &str| all.iter().copied().find(|item| name(*item) == word);
    words
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| {
            let names: Vec<&str> = all.iter().map(|item| name(*item)).collect();
            find(word).ok_or_else(|| format!("expected some of {}", names.join(", ")))
        })
        .collect()
}

/// A percentage in hundredths: `80`, `79.5` and `79.95` are fine, `101` and `79.955` are not.
fn percent(value: &OsStr) -> Result<u16, String> {
    let parse = || {
        let text = value.to_str()?;
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > 2 {
            return None;
        }
        let hundredths: u16 = format!("{whole}{decimals:0<2}").parse().ok()?;
        (hundredths <= 10_000).then_some(hundredths)
    };
    parse().ok_or_else(|| "expected a percentage from 0 to 100 with at most two decimals".to_owned())
}
