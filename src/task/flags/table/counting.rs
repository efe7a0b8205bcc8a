//! Flags that say what counts, and by which model.

use regex_lite::Regex;

use super::super::flag::{Choice, Flag, Section};
use super::REPORT;
use super::values::{named, path_glob, text};
use crate::coverage::Model;
use crate::filter::DefaultSet;
use crate::task::config::{CodeClass, Command, Engine};

pub(super) const COUNTING: Section = Section {
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
                set: |config| config.model = Some(Model::Union),
            },
            Choice {
                name: "llvm",
                help: "the numbers of `llvm-cov`, and its LCOV and JSON byte for byte",
                set: |config| config.model = Some(Model::Llvm),
            },
        ])
        .of(REPORT)
        .help("How counts become numbers."),
        Flag::choice("engine", &[
            Choice {
                name: "embedded",
                help: "this program (default)",
                set: |config| config.engine = Engine::Embedded,
            },
            Choice {
                name: "llvm",
                help: "the real `llvm-profdata` and `llvm-cov`, which are the reference, and read formats that are newer than \
                       this program",
                set: |config| config.engine = Engine::Llvm,
            },
        ])
        .of(REPORT)
        .help(
            "Who reads the data. LLVM's tools are looked for where LLVM_PROFDATA and LLVM_COV point, in the toolchain's \
             llvm-tools component, and on the PATH with the version of rustc's LLVM; they are told which files do not count, \
             know nothing of what does not count within a file, and have their own model of numbers.",
        ),
    ],
};
