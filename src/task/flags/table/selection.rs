//! Flags that choose programs, packages, targets and features.

use super::super::flag::{Flag, Section};
use super::values::text;
use super::{BUILD, ONLY_DOCTESTS, PACKAGES, PROGRAM, RUN, TARGETS, WHICH_PROGRAM, set_doctests};
use crate::task::config::Doctests;

pub(super) const PROGRAM_SELECTION: Section = Section {
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
};

pub(super) const PACKAGE_SELECTION: Section = Section {
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
};

pub(super) const TARGET_SELECTION: Section = Section {
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
};

pub(super) const FEATURE_SELECTION: Section = Section {
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
};
