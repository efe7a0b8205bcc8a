//! The tasks: what is asked for, and the story of doing it. Uses every other layer.

pub mod config;
pub mod flags;
pub mod help;
pub mod metadata;
pub mod partition;
pub mod record;
pub mod shell;
pub mod verify;

mod again;
mod baseline;
mod cache;
mod ci;
mod durations;
mod evaluate;
mod exclusion;
mod explain;
mod freshness;
mod init;
mod input;
mod llvm_engine;
mod manifests;
mod measure;
mod merge;
mod nextest;
mod output_file;
mod outside;
mod partial;
mod patch;
mod program;
mod render;
mod reuse;
mod sources;
mod strays;
mod testing;
mod thresholds;
mod verdict;
mod warnings;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Result;

use crate::cargo::build::BuildFailed;
use crate::cargo::clean::clean;
use crate::cargo::workspace::{DiscoverOptions, Workspace};
use crate::ui::Ui;
use crate::ui::color::ColorChoice;
use crate::ui::message::Advised;
use crate::ui::settings::Verbosity;
use config::{Command, Config};
use flags::{Invocation, Request};
use record::ManifestRecord;

/// How a task ended, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 0: everything was done and is as it shall be.
    Fine,
    /// 1: something could not be measured, or two engines do not agree.
    Unmeasured,
    /// 2: everything was measured, but less ran than a threshold demands, or than in the baseline.
    BelowThreshold,
    /// 2 as well: a workspace was adopted as far as a machine can, and the rest was printed.
    LeftToDo,
    /// 3: everything was measured, but less ran of what changed than the threshold for patches demands.
    BelowPatchThreshold,
    /// 100: tests failed, or the program that was run. What they covered is reported all the same.
    TestsFailed,
    /// 101: the tests, or the program, could not be built.
    BuildFailed,
    /// 128 and the number of the signal that asked us to end. What was counted until then is kept.
    Interrupted(usize),
}

impl Outcome {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Fine => 0,
            Outcome::Unmeasured => 1,
            Outcome::BelowThreshold | Outcome::LeftToDo => 2,
            Outcome::BelowPatchThreshold => 3,
            Outcome::TestsFailed => 100,
            Outcome::BuildFailed => 101,
            Outcome::Interrupted(signal) => u8::try_from(signal.saturating_add(128)).unwrap_or(1),
        }
    }
}

/// Does what the words behind `cargo xtask` ask for, on top of `base`, and says on the standard streams how it went.
pub fn run(base: &Config, arguments: impl IntoIterator<Item = OsString>) -> Outcome {
    let request = match flags::parse(arguments, std::env::vars_os()) {
        Ok(Request::Run(mut invocation)) => {
            invocation.base = base.clone();
            Request::Run(invocation)
        }
        Ok(request) => request,
        Err(error) => {
            let ui = Ui::new(Verbosity::Normal, ColorChoice::Auto, |name| std::env::var_os(name));
            ui.error(&error);
            return Outcome::Unmeasured;
        }
    };
    let config = match &request {
        Request::Run(invocation) => invocation.config(base.clone()),
        Request::Help(_) | Request::Version => Ok(base.clone()),
    };
    let display = config.as_ref().map_or_else(|_| base.display.clone(), |config| config.display.clone());
    let ui = Ui::new(display.verbosity, display.color, |name| std::env::var_os(name));
    let done = match request {
        Request::Help(page) => {
            let settings = ui.settings();
            let text = help::render(page, settings.stdout_width.unwrap_or(80), settings.stdout_color);
            ui.print(&text).map(|()| Outcome::Fine)
        }
        Request::Version => ui
            .print(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n"))
            .map(|()| Outcome::Fine),
        Request::Run(invocation) => config.and_then(|config| execute(&invocation, &config, &ui)),
    };
    match done {
        Ok(outcome) => outcome,
        Err(error) => {
            ui.error(&error);
            if error.is::<BuildFailed>() { Outcome::BuildFailed } else { Outcome::Unmeasured }
        }
    }
}

/// Runs one command.
fn execute(invocation: &Invocation, config: &Config, ui: &Ui) -> Result<Outcome> {
    for warning in &invocation.warnings {
        ui.warning(flags::UNKNOWN_VARIABLE, warning);
    }
    if !config.explain.is_empty() {
        return explain::explain(invocation, config, ui);
    }
    match invocation.command {
        Command::Report => return render::report(invocation, config, ui),
        Command::Merge => return merge::merge(invocation, config, ui),
        Command::Cache => return cache::run(config, ui),
        Command::Clean => return remove(config, ui),
        Command::Init => return init::init(config, ui),
        Command::Coverage | Command::Run | Command::ShowEnv | Command::Verify => {}
    }
    // What is needed to find the workspace is on the command line; the rest may stand in its manifests.
    let workspace = discover(config)?;
    let manifests = manifests::of(&workspace)?;
    let config = metadata::configure(invocation, &manifests)?;
    match invocation.command {
        Command::Run => program::run(&workspace, &manifests, &config, ui),
        Command::ShowEnv => outside::show_env(&workspace, &manifests, &config, ui),
        Command::Verify => compare(&workspace, &manifests, &config, ui),
        _ => measure::coverage(&workspace, &manifests, &config, ui),
    }
}

/// `coverage clean`.
fn remove(config: &Config, ui: &Ui) -> Result<Outcome> {
    let workspace = discover(config)?;
    let _lock = measure::lock(&workspace.layout(), ui)?;
    let cleaned = clean(&workspace)?;
    ui.status("Removed", format_args!("{} files, {}", cleaned.files, Bytes(cleaned.bytes)));
    Ok(Outcome::Fine)
}

/// `verify`: measures, unless told to take the last run, and compares both engines on it.
fn compare(workspace: &Workspace, manifests: &[ManifestRecord], config: &Config, ui: &Ui) -> Result<Outcome> {
    // Missing tools shall be known before the tests run.
    let tools = llvm_engine::find_tools(&workspace.toolchain)?;
    let mut tests_failed = false;
    if config.tests.run {
        let mut measured = config.clone();
        measured.output.enabled = false;
        match measure::coverage(workspace, manifests, &measured, ui)? {
            // What is recorded now is a part at most, and perhaps of an earlier run.
            interrupted @ Outcome::Interrupted(_) => return Ok(interrupted),
            outcome => tests_failed = outcome == Outcome::TestsFailed,
        }
    }
    let layout = workspace.layout();
    let _lock = measure::lock(&layout, ui)?;
    let mut run = record::RunRecord::read(&layout.run_json())?;
    run.refuse_merge()?;
    outside::complete(&mut run, &layout.run_json())?;
    ui.status(
        "Comparing",
        format_args!("{} objects and {} profiles", run.all_objects().len(), run.profiles.len()),
    );
    let filter = exclusion::path_filter(run.sources.clone(), &config.exclusion)?;
    let verification = verify::verify(&run, &filter, &tools, &layout.verification(), threads(config).get())?;
    ui.print(&verification.to_string())?;
    match (verification.is_equal(), tests_failed) {
        (false, _) => Ok(Outcome::Unmeasured),
        (true, true) => Ok(Outcome::TestsFailed),
        (true, false) => Ok(Outcome::Fine),
    }
}

/// The workspace that the configuration means.
fn discover(config: &Config) -> Result<Workspace> {
    let manifest = &config.manifest;
    if let Some(path) = manifest.path.as_deref().filter(|path| !path.is_file()) {
        let what = format!("no manifest at `{}`", path.display());
        return Err(Advised::new(what, "`--manifest-path` takes the path of a Cargo.toml").into());
    }
    Workspace::discover(&discover_options(config))
}

fn discover_options(config: &Config) -> DiscoverOptions {
    let manifest = &config.manifest;
    DiscoverOptions {
        manifest_path: manifest.path.clone(),
        target_dir: config.build.target_dir.clone(),
        locked: manifest.locked,
        offline: manifest.offline,
        frozen: manifest.frozen,
        config: cargo_config(config),
    }
}

/// The values of `--config` as text, which is what cargo takes.
fn cargo_config(config: &Config) -> Vec<String> {
    config.manifest.cargo_config.iter().map(|value| value.to_string_lossy().into_owned()).collect()
}

/// How many threads to use: what was asked for, else one for each core that this process may use.
fn threads(config: &Config) -> NonZeroUsize {
    let cores = NonZeroUsize::new(num_cpus::get()).unwrap_or(NonZeroUsize::MIN);
    config.build.jobs.map_or(cores, |jobs| jobs.resolve(cores))
}

/// A size for people.
struct Bytes(u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS.into_iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) => write!(f, "{}.{} {name}", self.0 / unit, self.0 % unit * 10 / unit),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// Where the file is that reports call `path`, which need not be UTF-8.
fn on_disk(root: &std::path::Path, path: &[u8]) -> PathBuf {
    #[cfg(unix)]
    let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path);
    #[cfg(not(unix))]
    let path = &*String::from_utf8_lossy(path);
    root.join(path)
}

/// The whole of a file; `None` if it cannot be read or is no regular file: a pipe or a device may never end.
fn read_regular(path: &std::path::Path) -> Option<Vec<u8>> {
    std::fs::metadata(path).ok()?.is_file().then(|| std::fs::read(path).ok())?
}

/// A path as its user would type it: relative to the current directory where it is below it.
fn shown(path: &std::path::Path) -> String {
    let current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    path.strip_prefix(&current).unwrap_or(path).display().to_string()
}
