//! What a task shall do, as plain data: the configuration interface of the library.
//!
//! Reads nothing, neither arguments nor environment nor files. Lower layers do not see it: each takes its own options.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::coverage::Model;
use crate::filter::DefaultSet;
use crate::report::table::Order;
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
    /// Remove what the other commands left.
    Clean,
    /// Compare our numbers with those of LLVM's own tools.
    Verify,
}

impl Command {
    /// All of them, in the order of the help.
    pub const ALL: [Command; 6] =
        [Command::Coverage, Command::Run, Command::ShowEnv, Command::Report, Command::Clean, Command::Verify];

    /// The words behind `cargo xtask` that call it.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Command::Coverage => &["coverage"],
            Command::Run => &["coverage", "run"],
            Command::ShowEnv => &["coverage", "show-env"],
            Command::Report => &["coverage", "report"],
            Command::Clean => &["coverage", "clean"],
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
    /// What is read instead of the last run, for [`Command::Report`].
    pub input: Input,
    /// What counts.
    pub exclusion: Exclusion,
    /// `PATH` or `PATH:LINE`: nothing is run, but it is said why these count or do not.
    pub explain: Vec<String>,
    /// How counts become numbers.
    pub model: Model,
    /// Which reports are written, and where.
    pub output: Output,
    /// What all files together have to reach.
    pub thresholds: Thresholds,
    /// What parts of the workspace have to reach besides. No flag sets them.
    pub scoped_thresholds: Vec<ScopedThresholds>,
    /// What the numbers are compared with.
    pub comparison: Comparison,
    /// Which CI service reads what we print.
    pub ci: Ci,
    /// What a run of some of the tests is held against instead.
    pub partial_run: PartialRun,
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
                exclusive: BTreeSet::new(),
            },
            harness: Harness { shell: Shell::Sh, continuous: false },
            input: Input { objects: Vec::new(), profiles: Vec::new() },
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
            model: Model::Union,
            output: Output {
                enabled: true,
                formats: Vec::new(),
                place: Place::Usual,
                to_files: false,
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
            ci: Ci::Auto,
            display: Display { verbosity: Verbosity::Normal, color: ColorChoice::Auto },
        }
    }

    /// The same for a run of some of the tests.
    pub fn for_partial_run(&self) -> Config {
        let PartialRun { thresholds, comparison } = self.partial_run.clone();
        Config { thresholds, comparison, scoped_thresholds: Vec::new(), ..self.clone() }
    }
}

/// What a run of some of the tests is held against: what was asked for when it was started. What manifests demand, they
/// demand of whole runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialRun {
    /// In place of [`Config::thresholds`] and [`Config::scoped_thresholds`].
    pub thresholds: Thresholds,
    /// In place of [`Config::comparison`].
    pub comparison: Comparison,
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
    /// The names of the packages whose tests run while no others do. No flag sets it.
    pub exclusive: BTreeSet<String>,
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

/// What is read instead of the last run. Both or none are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// Executables, libraries and archives with coverage maps.
    pub objects: Vec<PathBuf>,
    /// Raw profiles, or directories that hold them at any depth.
    pub profiles: Vec<PathBuf>,
}

/// What counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exclusion {
    /// Files whose workspace-relative path one of these regexes matches anywhere do not count.
    pub ignore_filename_regex: Vec<String>,
    /// Files whose workspace-relative path one of these regexes matches count whatever else would leave them out.
    pub include_filename_regex: Vec<String>,
    /// Files that one of these globs matches, on workspace-relative paths, do not count.
    pub exclude_files: Vec<String>,
    /// Files that one of these globs matches count whatever else would leave them out.
    pub include_files: Vec<String>,
    /// Packages, by name or glob, that do not count although their tests run.
    pub exclude_from_report: Vec<String>,
    /// The sets of files that do not count.
    pub defaults: Vec<DefaultSet>,
    /// Test code inside source files does not count.
    pub tests: bool,
    /// What markers in comments leave out does not count.
    pub markers: bool,
    /// Classes of code that do not count either.
    pub code: Vec<CodeClass>,
    /// What single packages leave out or bring back. No flag sets it.
    pub packages: Vec<PackageExclusion>,
}

/// What counts of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageExclusion {
    /// The package's name.
    pub package: String,
    /// Files that one of these globs matches, on paths relative to the package, do not count.
    pub exclude_files: Vec<String>,
    /// Files that one of these globs matches count whatever else would leave them out.
    pub include_files: Vec<String>,
}

/// Code that some projects do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeClass {
    /// Arms and blocks that only call `unreachable!`, `todo!` or `unimplemented!`.
    Unreachable,
    /// Implementations of `Debug` that are written out.
    Debug,
    /// `const fn`s that never ran: the compiler may have run them.
    ConstFn,
}

impl CodeClass {
    /// All of them.
    pub const ALL: [CodeClass; 3] = [CodeClass::Unreachable, CodeClass::Debug, CodeClass::ConstFn];

    /// The word for it in options.
    pub fn name(self) -> &'static str {
        match self {
            CodeClass::Unreachable => "unreachable",
            CodeClass::Debug => "debug",
            CodeClass::ConstFn => "const-fn",
        }
    }
}

/// Which reports are written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// Report at all; otherwise the run is only recorded.
    pub enabled: bool,
    /// The formats asked for, each once. Empty: see [`Output::requests`].
    pub formats: Vec<Format>,
    /// Where they go.
    pub place: Place,
    /// A single format goes to its file too, unless a place is named.
    pub to_files: bool,
    /// Numbers for whole files only: no lines and functions in LCOV and JSON; only the totals instead of the table.
    pub summary_only: bool,
    /// No functions in LCOV and JSON.
    pub skip_functions: bool,
    /// List the missing lines under the table.
    pub show_missing_lines: bool,
    /// List the functions that never ran under the table.
    pub show_missing_functions: bool,
    /// One line instead of the table.
    pub total_line: bool,
    /// The order of files in the table and in the list of missing lines.
    pub order: Order,
}

/// A form of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The table of files, or of totals, for people.
    Table,
    /// An LCOV tracefile.
    Lcov,
    /// JSON as `llvm-cov export` writes it.
    Json,
    /// The sources with the count of each line beside it.
    Text,
    /// Cobertura's XML.
    Cobertura,
    /// Codecov's own JSON.
    Codecov,
    /// Totals, files and missing lines in Markdown.
    Markdown,
    /// What shields.io makes a badge from.
    Badge,
    /// A badge as a picture.
    BadgeSvg,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 9] = [
        Format::Table,
        Format::Lcov,
        Format::Json,
        Format::Text,
        Format::Cobertura,
        Format::Codecov,
        Format::Markdown,
        Format::Badge,
        Format::BadgeSvg,
    ];

    /// The name of its file in a directory of reports.
    pub fn file_name(self) -> &'static str {
        match self {
            Format::Table => "summary.txt",
            Format::Lcov => "lcov.info",
            Format::Json => "coverage.json",
            Format::Text => "coverage.txt",
            Format::Cobertura => "cobertura.xml",
            Format::Codecov => "codecov.json",
            Format::Markdown => "summary.md",
            Format::Badge => "badge.json",
            Format::BadgeSvg => "badge.svg",
        }
    }
}

/// Where reports go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A single format to standard output, several as files into `<target_dir>/coverage`.
    Usual,
    /// A single format into this file; `-` is standard output.
    File(PathBuf),
    /// All formats as files into this directory.
    Directory(PathBuf),
}

/// One report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// Its form.
    pub format: Format,
    /// Numbers for whole files only, or totals only in the table.
    pub summary_only: bool,
    /// Where it goes.
    pub destination: Destination,
}

/// Where one report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// Standard error, for the table where standard output is somebody else's.
    Stderr,
    /// This file, which is replaced.
    File(PathBuf),
}

impl Output {
    /// The reports to write, in this order. `usual_dir` is `<target_dir>/coverage`.
    ///
    /// - No format asked for: [`Command::Coverage`] writes a whole `lcov.info`, which editors look for, and prints the table;
    ///   [`Command::Report`] prints the table.
    /// - One format and no place: it is printed, as cargo-llvm-cov does, unless a manifest asks for it.
    /// - Formats that go to files: the table is printed besides.
    /// - Under [`Command::Run`] standard output is the program's: the table goes to standard error, and a format without a place
    ///   goes to its file.
    pub fn requests(&self, command: Command, usual_dir: &Path) -> Vec<ReportRequest> {
        let reports = matches!(command, Command::Coverage | Command::Run | Command::Report);
        if !self.enabled || !reports {
            return Vec::new();
        }
        let request = |format, summary_only, destination| ReportRequest { format, summary_only, destination };
        let directory = match &self.place {
            Place::Directory(directory) => directory,
            _ => usual_dir,
        };
        let mut requests: Vec<ReportRequest> = match (self.formats.as_slice(), &self.place) {
            ([], _) if matches!(command, Command::Coverage | Command::Run) => {
                let path = directory.join(Format::Lcov.file_name());
                vec![request(Format::Lcov, false, Destination::File(path))]
            }
            ([Format::Table], Place::Usual) if command == Command::Run => Vec::new(),
            ([format], Place::Usual) if command != Command::Run && !self.to_files => {
                vec![request(*format, self.summary_only, Destination::Stdout)]
            }
            ([format], Place::File(path)) => {
                let to_stdout = path.as_os_str() == "-";
                let destination =
                    if to_stdout { Destination::Stdout } else { Destination::File(path.clone()) };
                vec![request(*format, self.summary_only, destination)]
            }
            (formats, _) => formats
                .iter()
                .map(|format| {
                    let path = directory.join(format.file_name());
                    request(*format, self.summary_only, Destination::File(path))
                })
                .collect(),
        };
        let stdout_is_free = requests.iter().all(|request| request.destination != Destination::Stdout);
        if command == Command::Run {
            if requests.iter().all(|request| request.format != Format::Table) {
                requests.push(request(Format::Table, self.summary_only, Destination::Stderr));
            }
        } else if stdout_is_free && !self.formats.contains(&Format::Table) {
            requests.push(request(Format::Table, self.summary_only, Destination::Stdout));
        }
        requests
    }
}

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

/// How we talk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Display {
    /// How much is said on standard error.
    pub verbosity: Verbosity,
    /// Whether it is colored, and the reports for people too.
    pub color: ColorChoice,
}
