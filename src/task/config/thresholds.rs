//! What the numbers are held against and compared with, as plain data.

use std::path::PathBuf;

/// What files have to reach, or the exit code is 2. Shares are in hundredths of a percent, 0 to 10000.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// Mapped lines that ran.
    pub lines: Option<u16>,
    /// Functions that were entered.
    pub functions: Option<u16>,
    /// Code regions that ran.
    pub regions: Option<u16>,
    /// Mapped lines that ran, in each file by itself.
    pub file_lines: Option<u16>,
    /// So many mapped lines may be missed.
    pub uncovered_lines: Option<u64>,
    /// So many functions may be missed.
    pub uncovered_functions: Option<u64>,
    /// So many code regions may be missed.
    pub uncovered_regions: Option<u64>,
}

impl Thresholds {
    /// Any number will do.
    pub const NONE: Thresholds = Thresholds {
        lines: None,
        functions: None,
        regions: None,
        file_lines: None,
        uncovered_lines: None,
        uncovered_functions: None,
        uncovered_regions: None,
    };
}

/// What a part of the workspace has to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopedThresholds {
    /// Which part.
    pub scope: Scope,
    /// What it has to reach.
    pub thresholds: Thresholds,
}

/// A part of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The files of the package with this name.
    Package(String),
    /// The files whose path from the workspace's root this glob matches, or that are below a directory which it matches.
    Paths(String),
}

/// What the numbers are compared with: a commit, an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// Say how much ran of what changed since a commit.
    pub patch: bool,
    /// That commit, as git takes it. `None`: where this branch left the main one.
    pub patch_base: Option<String>,
    /// The share of the changed lines that has to run, or the exit code is 3. In hundredths of a percent, 0 to 10000.
    pub patch_lines: Option<u16>,
    /// The file with the numbers of an earlier run.
    pub baseline: Option<PathBuf>,
    /// The file to keep this run's numbers in.
    pub save_baseline: Option<PathBuf>,
    /// By so many hundredths of a percentage point, 0 to 10000, line coverage may be lower than in the baseline, or the exit code
    /// is 2.
    pub ratchet: Option<u16>,
}

impl Comparison {
    /// Nothing.
    pub const NONE: Comparison = Comparison {
        patch: false,
        patch_base: None,
        patch_lines: None,
        baseline: None,
        save_baseline: None,
        ratchet: None,
    };

    /// Whether patch coverage is asked for.
    pub fn wants_patch(&self) -> bool {
        self.patch || self.patch_base.is_some() || self.patch_lines.is_some()
    }
}

/// What a run of some of the tests is held against: what was asked for when it was started. What manifests demand, they
/// demand of whole runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialRun {
    /// In place of [`Config::thresholds`](super::Config::thresholds) and [`Config::scoped_thresholds`](super::Config::scoped_thresholds).
    pub thresholds: Thresholds,
    /// In place of [`Config::comparison`](super::Config::comparison).
    pub comparison: Comparison,
}
