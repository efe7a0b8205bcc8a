//! What a task shall do, as plain data: the configuration interface of the library.
//!
//! Reads nothing, neither arguments nor environment nor files. Lower layers do not see it: each takes its own options.

mod exclusion;
mod output;
#[cfg(test)]
mod tests;
mod thresholds;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

pub use self::exclusion::{CodeClass, Exclusion, PackageExclusion};
pub use self::output::{Destination, Format, Output, Place, ReportRequest};
pub use self::thresholds::{Comparison, PartialRun, Scope, ScopedThresholds, Thresholds};
use crate::coverage::Model;
use crate::filter::DefaultSet;
use crate::report::table::Order;
use crate::task::partition::Partition;
use crate::task::shell::Shell;
use crate::ui::color::ColorChoice;
use crate::ui::settings::Verbosity;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Build with counters, run the tests, report.
    Coverage,
    /// Build one program with counters, run it, report.
    Run,
    /// Print what another harness must set.
    ShowEnv,
    /// Report on what was recorded before.
    Report,
    /// Report on several runs, perhaps of other machines, as one.
    Merge,
    /// What runs keep for later ones: say how much, or remove it.
    Cache,
    /// Remove what the other commands left.
    Clean,
    /// Make this library the xtask of another workspace.
    Init,
    /// Compare our numbers with those of LLVM's own tools.
    Verify,
}

impl Command {
    /// All of them, in the order of the help.
    pub const ALL: [Command; 9] = [
        Command::Coverage,
        Command::Run,
        Command::ShowEnv,
        Command::Report,
        Command::Merge,
        Command::Cache,
        Command::Clean,
        Command::Init,
        Command::Verify,
    ];

    /// The words behind `cargo xtask` that call it.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Command::Coverage => &["coverage"],
            Command::Run => &["coverage", "run"],
            Command::ShowEnv => &["coverage", "show-env"],
            Command::Report => &["coverage", "report"],
            Command::Merge => &["coverage", "merge"],
            Command::Cache => &["coverage", "cache"],
            Command::Clean => &["coverage", "clean"],
            Command::Init => &["coverage", "init"],
            Command::Verify => &["verify"],
        }
    }
}

/// As it is typed: `cargo xtask coverage report`.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cargo xtask {}", self.words().join(" "))
    }
}

/// Everything that flags, environment and metadata can say. [`Config::new`] is what holds when they say nothing.
///
/// Relative paths are relative to the current directory. What a command has no use for, it ignores.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Which packages of the workspace are tested and counted.
    pub packages: Packages,
    /// Which targets of these packages are tested.
    pub targets: Targets,
    /// Which of their features are on.
    pub features: Features,
    /// How they are built.
    pub build: Build,
    /// Where the workspace is and what cargo may do about its dependencies.
    pub manifest: Manifest,
    /// How the tests, or the program, are run.
    pub tests: Tests,
    /// What another harness does, for [`Command::ShowEnv`].
    pub harness: Harness,
    /// What is read instead of the last run, for [`Command::Report`] and [`Command::Merge`].
    pub input: Input,
    /// What counts.
    pub exclusion: Exclusion,
    /// `PATH` or `PATH:LINE`: nothing is run, but it is said why these count or do not.
    pub explain: Vec<String>,
    /// Who reads the data.
    pub engine: Engine,
    /// How counts become numbers; `None`: as the engine does it. [`Config::model`] tells.
    pub model: Option<Model>,
    /// Which reports are written, and where.
    pub output: Output,
    /// What all files together have to reach.
    pub thresholds: Thresholds,
    /// What parts of the workspace have to reach besides. No flag sets them.
    pub scoped_thresholds: Vec<ScopedThresholds>,
    /// What the numbers are compared with.
    pub comparison: Comparison,
    /// Whether a warning makes the exit code 1, because numbers with something missing are not good enough.
    pub deny_warnings: bool,
    /// Which CI service reads what we print.
    pub ci: Ci,
    /// How another workspace is adopted, for [`Command::Init`].
    pub adoption: Adoption,
    /// What a run of some of the tests is held against instead.
    pub partial_run: PartialRun,
    /// Where results are kept for `tests.reuse`. `None`: in `.coverage-cache` in the workspace's root.
    pub cache_dir: Option<PathBuf>,
    /// What [`Command::Cache`] does.
    pub cache: CacheAction,
    /// How we talk.
    pub display: Display,
}

impl Config {
    /// Test the whole workspace as `cargo test` would, write `lcov.info`, print the table.
    #[expect(clippy::new_without_default, reason = "a default would hide that these values are decisions")]
    pub fn new() -> Config {
        Config {
            packages: Packages { select: Vec::new(), exclude: Vec::new() },
            targets: Targets {
                lib: false,
                bins: false,
                bin: Vec::new(),
                tests: false,
                test: Vec::new(),
                examples: false,
                example: Vec::new(),
                benches: false,
                bench: Vec::new(),
                all_targets: false,
            },
            features: Features { select: Vec::new(), all: false, no_default: false },
            build: Build {
                cargo_profile: None,
                target_triple: None,
                target_dir: None,
                jobs: None,
                keep_going: false,
                branches: false,
                build_scripts: false,
                restore_times: When::Auto,
                lean: When::Auto,
            },
            manifest: Manifest {
                path: None,
                locked: false,
                offline: false,
                frozen: false,
                ignore_rust_version: false,
                cargo_config: Vec::new(),
            },
            tests: Tests {
                run: true,
                filter: None,
                arguments: Vec::new(),
                fail_fast: true,
                ignore_failures: false,
                capture: true,
                threads: None,
                continuous: true,
                doctests: Doctests::Usual,
                timeout: None,
                slowest: None,
                keep_profiles: false,
                nextest: false,
                partition: None,
                exclusive: BTreeSet::new(),
                reuse: false,
                flaky: BTreeMap::new(),
            },
            harness: Harness { shell: Shell::Sh, continuous: false },
            input: Input { objects: Vec::new(), profiles: Vec::new(), partials: Vec::new() },
            exclusion: Exclusion {
                ignore_filename_regex: Vec::new(),
                include_filename_regex: Vec::new(),
                exclude_files: Vec::new(),
                include_files: Vec::new(),
                exclude_from_report: Vec::new(),
                defaults: DefaultSet::ALL.to_vec(),
                tests: true,
                markers: true,
                code: Vec::new(),
                packages: Vec::new(),
            },
            explain: Vec::new(),
            engine: Engine::Embedded,
            model: None,
            output: Output {
                enabled: true,
                formats: Vec::new(),
                place: Place::Usual,
                to_files: false,
                partial: None,
                summary_only: false,
                skip_functions: false,
                show_missing_lines: false,
                show_missing_functions: false,
                total_line: false,
                order: Order::WorstFirst,
            },
            thresholds: Thresholds::NONE,
            scoped_thresholds: Vec::new(),
            partial_run: PartialRun { thresholds: Thresholds::NONE, comparison: Comparison::NONE },
            comparison: Comparison::NONE,
            deny_warnings: false,
            ci: Ci::Auto,
            cache_dir: None,
            cache: CacheAction::Info,
            adoption: Adoption {
                path: None,
                dry_run: false,
                allow_dirty: false,
                allow_updates: false,
                source: Source::Registry,
            },
            display: Display { verbosity: Verbosity::Normal, color: ColorChoice::Auto },
        }
    }

    /// How counts become numbers: LLVM's tools know their own model alone, and ours is the union unless told otherwise.
    pub fn model(&self) -> Model {
        match self.engine {
            Engine::Embedded => self.model.unwrap_or(Model::Union),
            Engine::Llvm => Model::Llvm,
        }
    }

    /// Whether the numbers are held against anything.
    pub fn demands_anything(&self) -> bool {
        self.thresholds != Thresholds::NONE
            || self.comparison != Comparison::NONE
            || !self.scoped_thresholds.is_empty()
    }

    /// The same for a run of some of the tests.
    pub fn for_partial_run(&self) -> Config {
        let PartialRun { thresholds, comparison } = self.partial_run.clone();
        Config { thresholds, comparison, scoped_thresholds: Vec::new(), ..self.clone() }
    }
}

/// Who reads raw profiles and coverage maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// This program.
    Embedded,
    /// The real `llvm-profdata` and `llvm-cov`.
    Llvm,
}

/// What is done about what runs leave for later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheAction {
    /// Say how much there is.
    Info,
    /// Remove what has not been used for a while.
    Prune,
    /// Remove all of it.
    Clear,
}

/// Which packages of the workspace are tested and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packages {
    /// Package specs as cargo takes them: a name, `name@version`, a glob. Empty: every member but the xtask crate.
    pub select: Vec<String>,
    /// Specs of members that are left out when `select` is empty.
    pub exclude: Vec<String>,
}

/// Which targets of the packages are tested: the union of all that is set. Nothing set: those that `cargo test` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Targets {
    /// Libraries.
    pub lib: bool,
    /// All binaries.
    pub bins: bool,
    /// Binaries by name or glob.
    pub bin: Vec<String>,
    /// All targets with `test = true` in their manifest.
    pub tests: bool,
    /// Integration tests by name or glob.
    pub test: Vec<String>,
    /// All examples.
    pub examples: bool,
    /// Examples by name or glob.
    pub example: Vec<String>,
    /// All targets with `bench = true` in their manifest, run once each as tests.
    pub benches: bool,
    /// Benches by name or glob.
    pub bench: Vec<String>,
    /// All of the above.
    pub all_targets: bool,
}

impl Targets {
    /// Whether anything is selected.
    pub fn any(&self) -> bool {
        let flags = [self.lib, self.bins, self.tests, self.examples, self.benches, self.all_targets];
        let names = [&self.bin, &self.test, &self.example, &self.bench];
        flags.contains(&true) || names.iter().any(|names| !names.is_empty())
    }
}

/// Which features of the packages are on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Features {
    /// Features as cargo takes them; one string may hold several, separated by blanks or commas.
    pub select: Vec<String>,
    /// All features.
    pub all: bool,
    /// Not the `default` feature.
    pub no_default: bool,
}

/// How the packages are built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Build {
    /// The cargo profile. `None`: that of `cargo test`.
    pub cargo_profile: Option<String>,
    /// The target triple. `None`: the host's, or what cargo's configuration says.
    pub target_triple: Option<String>,
    /// The target directory; what we make goes into `coverage/` in it. `None`: the one that cargo uses.
    pub target_dir: Option<PathBuf>,
    /// Jobs of the compiler, and threads that read and evaluate. `None`: one for each core.
    pub jobs: Option<Jobs>,
    /// Go on compiling other crates when one fails.
    pub keep_going: bool,
    /// Record branches, which needs a nightly compiler.
    pub branches: bool,
    /// Count build scripts too.
    pub build_scripts: bool,
    /// Give unchanged files the times that they had at the last build.
    pub restore_times: When,
    /// Without debug information and incremental data.
    pub lean: When,
}

/// When something is done that is for fresh machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In CI.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl When {
    /// Whether it is done here.
    pub fn holds(self, is_ci: bool) -> bool {
        match self {
            When::Auto => is_ci,
            When::Always => true,
            When::Never => false,
        }
    }
}

/// A number of parallel jobs as cargo takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jobs {
    /// So many.
    Count(NonZeroU32),
    /// The number of cores less so many, but at least one: `-j -2` leaves two cores alone.
    AllBut(NonZeroU32),
}

impl Jobs {
    /// The number on a machine with so many `cores`.
    pub fn resolve(self, cores: NonZeroUsize) -> NonZeroUsize {
        // A number beyond the address space is as good as its end.
        let size = |number: NonZeroU32| NonZeroUsize::try_from(number).unwrap_or(NonZeroUsize::MAX);
        match self {
            Jobs::Count(count) => size(count),
            Jobs::AllBut(spared) => {
                NonZeroUsize::new(cores.get().saturating_sub(size(spared).get())).unwrap_or(NonZeroUsize::MIN)
            }
        }
    }
}

/// Where the workspace is and what cargo may do about its dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The `Cargo.toml` of the workspace or of a package in it. `None`: the nearest one upwards.
    pub path: Option<PathBuf>,
    /// `Cargo.lock` must not change.
    pub locked: bool,
    /// No network.
    pub offline: bool,
    /// Both of them.
    pub frozen: bool,
    /// Build packages that want a newer compiler, too.
    pub ignore_rust_version: bool,
    /// `KEY=VALUE` pairs or files for cargo's `--config`.
    pub cargo_config: Vec<OsString>,
}

/// How the tests are run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tests {
    /// Run them; otherwise they are only built.
    pub run: bool,
    /// Only tests whose names contain this.
    pub filter: Option<String>,
    /// Arguments for every test binary, or for the program, or with `nextest` for `cargo nextest run`.
    pub arguments: Vec<OsString>,
    /// Start no further test binary when one has failed.
    pub fail_fast: bool,
    /// Failing tests, or a failing program, do not make the exit code 100.
    pub ignore_failures: bool,
    /// Show what tests print only when they fail.
    pub capture: bool,
    /// Threads within each test binary. `None`: the runner shares the cores out.
    pub threads: Option<NonZeroU32>,
    /// Map the counters onto the profile file, so that killed processes count; otherwise profiles are written at exit.
    pub continuous: bool,
    /// Whether doctests run.
    pub doctests: Doctests,
    /// How long a test binary may run. `None`: as long as it likes.
    pub timeout: Option<Duration>,
    /// List so many of the slowest tests.
    pub slowest: Option<NonZeroU32>,
    /// Count on: what the runs before have counted is not removed. For [`Command::Run`] and [`Command::ShowEnv`].
    pub keep_profiles: bool,
    /// Have cargo-nextest run them, without doctests.
    pub nextest: bool,
    /// Run those test binaries alone that belong to this part.
    pub partition: Option<Partition>,
    /// The names of the packages whose tests run while no others do. No flag sets it.
    pub exclusive: BTreeSet<String>,
    /// Take the results of earlier runs for test binaries that depend on nothing that has changed.
    pub reuse: bool,
    /// By package, the names of the targets whose results are never reused. No flag sets it.
    pub flaky: BTreeMap<String, Vec<String>>,
}

/// Whether the examples in the documentation of libraries are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doctests {
    /// As `cargo test` does: unless targets are selected.
    Usual,
    /// They alone.
    Only,
    /// They are left out.
    Without,
}

/// What another harness does with the environment that it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Harness {
    /// Who reads the assignments.
    pub shell: Shell,
    /// As for [`Tests`]; a program without a function of the workspace in it then complains on its stderr.
    pub continuous: bool,
}

/// What is read instead of the last run. Of objects and profiles both or none are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// Executables, libraries and archives with coverage maps.
    pub objects: Vec<PathBuf>,
    /// Raw profiles, or directories that hold them at any depth.
    pub profiles: Vec<PathBuf>,
    /// For [`Command::Merge`], the files that `--partial` has written.
    pub partials: Vec<PathBuf>,
}

/// Which CI service reads what we print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ci {
    /// What the environment says.
    Auto,
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// None of them.
    None,
}

/// How another workspace is adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adoption {
    /// The workspace, or a directory or package of it. `None`: the current directory.
    pub path: Option<PathBuf>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Do it also where the checkout has changes that are not committed.
    pub allow_dirty: bool,
    /// Do it also where locked dependencies of the workspace get newer versions by it.
    pub allow_updates: bool,
    /// Where the xtask crate has this library from.
    pub source: Source,
}

/// Where a crate that depends on this library has it from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The registry, in this version.
    Registry,
    /// A checkout on this disk.
    Path(PathBuf),
    /// A git repository, by its URL.
    Git(String),
}

/// How we talk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Display {
    /// How much is said on standard error.
    pub verbosity: Verbosity,
    /// Whether it is colored, and the reports for people too.
    pub color: ColorChoice,
}
