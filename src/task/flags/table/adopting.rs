//! Flags of `coverage init`.

use std::path::PathBuf;

use super::super::flag::{Choice, Flag, Section};
use super::values::text;
use super::{ADOPT, ONCE};
use crate::task::config::{Ci, Source};

pub(super) const ADOPTION: Section = Section {
    title: "Adoption",
    flags: &[
        Flag::switch("dry-run", |config, on| config.adoption.dry_run = on)
            .short('n')
            .not_in_environment()
            .not_a_key(ONCE)
            .of(ADOPT)
            .help("Only say what would be done."),
        Flag::switch("allow-dirty", |config, on| config.adoption.allow_dirty = on)
            .not_in_environment()
            .not_a_key(ONCE)
            .of(ADOPT)
            .help(
                "Do it also where the checkout has changes that are not committed. Without it, such a checkout is left \
                 alone, so that `git diff` shows what this command did and nothing else.",
            ),
        Flag::switch("allow-updates", |config, on| config.adoption.allow_updates = on)
            .not_in_environment()
            .not_a_key(ONCE)
            .of(ADOPT)
            .help(
                "Do it also where `Cargo.lock` gets newer versions of what the workspace depends on, because \
                 xtask-coverage needs them. Without it, they are named, and nothing is changed.",
            ),
        Flag::choice("ci", &[
            Choice {
                name: "auto",
                help: "for the service that the repository shows to be in use (default)",
                set: |config| config.ci = Ci::Auto,
            },
            Choice {
                name: "github",
                help: "write `.github/workflows/coverage.yml`, unless a workflow runs `cargo xtask coverage` already",
                set: |config| config.ci = Ci::GitHub,
            },
            Choice {
                name: "gitlab",
                help: "print a job for `.gitlab-ci.yml`",
                set: |config| config.ci = Ci::GitLab,
            },
            Choice { name: "none", help: "nothing", set: |config| config.ci = Ci::None },
        ])
        .not_in_environment()
        .not_a_key(ONCE)
        .of(ADOPT)
        .help("What to do for a CI service. No file of that name is ever replaced."),
        Flag::one("from-path", "DIRECTORY", |config, value| {
            config.adoption.source = Source::Path(PathBuf::from(value));
            Ok(())
        })
        .not_in_environment()
        .not_a_key(ONCE)
        .conflicts(&[("from-git", "xtask-coverage comes from one place; drop one of the two")])
        .of(ADOPT)
        .help("Let the xtask crate depend on the checkout of xtask-coverage in this directory, not on the registry."),
        Flag::one("from-git", "URL", |config, value| {
            config.adoption.source = Source::Git(text(value)?);
            Ok(())
        })
        .not_in_environment()
        .not_a_key(ONCE)
        .of(ADOPT)
        .help("Let the xtask crate depend on xtask-coverage in this git repository, not on the registry."),
    ],
};
