//! Flags that compare with a commit or an earlier run.

use std::path::PathBuf;

use super::super::flag::{Flag, Section};
use super::values::{percent, text};
use super::{NO_COMPARISON, REPORT};

pub(super) const COMPARISON: Section = Section {
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
};
