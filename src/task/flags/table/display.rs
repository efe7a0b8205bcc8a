//! Flags that say how we talk.

use super::super::flag::{Choice, Flag, Section, Takes};
use super::{ALL, READERS_CHOICE, REPORT};
use crate::task::config::Ci;
use crate::ui::color::ColorChoice;
use crate::ui::settings::Verbosity;

pub(super) const DISPLAY: Section = Section {
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
};
