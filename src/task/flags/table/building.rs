//! Flags that say how cargo builds, and from which manifest.

use std::path::PathBuf;

use super::super::flag::{Choice, Flag, Section};
use super::values::{jobs, text};
use super::{ALL, BEFORE, BUILD, INSTRUMENT, RUN, WITHIN};
use crate::task::config::When;

pub(super) const BUILDING: Section = Section {
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
        .of(WITHIN)
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
        Flag::choice("restore-times", &[
            Choice { name: "auto", help: "in CI (default)", set: |config| config.build.restore_times = When::Auto },
            Choice { name: "always", help: "everywhere", set: |config| config.build.restore_times = When::Always },
            Choice { name: "never", help: "nowhere", set: |config| config.build.restore_times = When::Never },
        ])
        .of(RUN)
        .help(
            "Before a build, give files that have the content of the last one the time that they had then, so that cargo does \
             not compile a fresh checkout anew where the target directory was kept. What has changed is always new. After the \
             build, files have their times of now again.",
        ),
        Flag::choice("lean", &[
            Choice { name: "auto", help: "in CI (default)", set: |config| config.build.lean = When::Auto },
            Choice { name: "always", help: "everywhere", set: |config| config.build.lean = When::Always },
            Choice { name: "never", help: "nowhere", set: |config| config.build.lean = When::Never },
        ])
        .of(RUN)
        .help(
            "Build without debug information and incremental data, which take most of the time and space of a first build. \
             Backtraces then have no lines, and dependencies are not those of `cargo test`.",
        ),
    ],
};

pub(super) const MANIFEST: Section = Section {
    title: "Manifest",
    flags: &[
        Flag::one("manifest-path", "PATH", |config, value| {
            config.manifest.path = Some(PathBuf::from(value));
            Ok(())
        })
        .not_a_key(BEFORE)
        .of(WITHIN)
        .help(
            "Work on the workspace of this `Cargo.toml`. It can be any workspace on this disk: nothing is \
             written there but its target directory.",
        ),
        Flag::switch("locked", |config, on| config.manifest.locked = on)
            .not_a_key(BEFORE)
            .of(WITHIN)
            .help("Fail if `Cargo.lock` is missing or would change."),
        Flag::switch("offline", |config, on| config.manifest.offline = on)
            .not_a_key(BEFORE)
            .of(ALL)
            .help("Do not use the network."),
        Flag::switch("frozen", |config, on| config.manifest.frozen = on)
            .not_a_key(BEFORE)
            .of(WITHIN)
            .help("The same as `--locked --offline`."),
        Flag::switch("ignore-rust-version", |config, on| config.manifest.ignore_rust_version = on)
            .of(RUN)
            .help("Build packages whose `rust-version` is newer than the compiler."),
        Flag::many("config", "KEY=VALUE|PATH", |config, value| {
            config.manifest.cargo_config.push(value.to_owned());
            Ok(())
        })
        .not_a_key(BEFORE)
        .of(WITHIN)
        .help("Override a value of cargo's configuration. Can be given several times."),
    ],
};
