//! `--engine llvm`: the coverage of a run as the real `llvm-profdata` and `llvm-cov` tell it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use xshell::Shell;

use super::config::{Config, Engine};
use super::record::RunRecord;
use super::warnings;
use crate::cargo::environment::Environment;
use crate::cargo::toolchain::Toolchain;
use crate::cargo::workspace::Workspace;
use crate::coverage::{Coverage, Summary};
use crate::filter::PathFilter;
use crate::llvm_tools::{DamagedProfiles, ExportFormat, ExportOptions, LlvmTools, ToolSearch, export};
use crate::load;
use crate::ui::Ui;
use crate::ui::message::Advised;

/// Looks for the tools before anything is built that they are to read.
///
/// # Errors
/// They are wanted, and [`find_tools`] does not find them.
pub(super) fn prepare(workspace: &Workspace, config: &Config) -> Result<()> {
    if config.engine == Engine::Llvm && config.output.enabled {
        find_tools(&workspace.toolchain)?;
    }
    Ok(())
}

/// The tools that fit the LLVM of a toolchain.
///
/// # Errors
/// They are not there, or of another version; with the commands that install them.
pub(super) fn find_tools(toolchain: &Toolchain) -> Result<LlvmTools> {
    let major = toolchain.llvm.as_deref().and_then(|version| version.split('.').next()?.parse().ok());
    let search = ToolSearch {
        llvm_major: major.context("failed to find out which LLVM rustc is built on")?,
        sysroot: &toolchain.sysroot,
        host: &toolchain.host,
        variable: &|name| std::env::var_os(name),
    };
    LlvmTools::find(&Shell::new()?, &search)
}

/// A run's coverage. The tools are told which files do not count as far as regular expressions on paths can say that; the
/// rest is left out here.
///
/// # Errors
/// What [`find_tools`] and the tools say; no function ran.
pub(super) fn evaluate(record: &RunRecord, filter: &PathFilter, ui: &Ui) -> Result<Coverage> {
    let tools = find_tools(&Toolchain::discover(&Environment::inherited())?)?;
    for regex in filter.ignore_filename_regexes() {
        ui.detail("Ignoring", regex);
    }
    let Filtered { coverage, warnings, .. } = export_filtered(&tools, record, filter)?;
    warnings::say(warnings, ui);
    if !coverage.functions.iter().any(|function| function.execution_count > 0) {
        bail!(Advised::new(
            "no function of the objects has a count in any raw profile",
            "give the objects that the processes were started from, built as they were then"
        ));
    }
    Ok(coverage)
}

/// What LLVM's tools say about the files that count.
pub(super) struct Filtered {
    /// The coverage of these files.
    pub(super) coverage: Coverage,
    /// How many files LLVM exported, those among them that do not count.
    pub(super) n_exported_files: usize,
    /// What the tools warned of.
    pub(super) warnings: Vec<load::Warning>,
}

/// What both tools make of a run, less what does not count.
///
/// # Errors
/// What the tools say.
pub(super) fn export_filtered(
    tools: &LlvmTools,
    record: &RunRecord,
    filter: &PathFilter,
) -> Result<Filtered> {
    let sh = Shell::new()?;
    let work_dir = WorkDir::new()?;
    let merged = work_dir.path().join("merged.profdata");
    let mut warnings = Vec::new();
    let mut warn = |slug, messages: Vec<String>| {
        warnings.extend(messages.into_iter().map(|message| load::Warning { slug, count: 1, message }));
    };
    warn("unreadable-profile", tools.merge(&sh, &record.profiles, &merged, DamagedProfiles::Skip)?);
    let objects = load::unpack_archives(&record.all_objects(), &work_dir.path().join("members"))?;
    let options = ExportOptions {
        format: ExportFormat::Json,
        flags: &[],
        ignore_filename_regexes: &filter.ignore_filename_regexes(),
    };
    let (json, messages) = tools.export(&sh, &merged, &objects, &options)?;
    warn("llvm-cov", messages);
    let mut coverage = export::parse(&json)?;
    let n_exported_files = coverage.files.len();
    coverage.files.retain(|file| filter.exclusion(&file.path).is_none());
    coverage.totals = Summary::EMPTY;
    for file in &coverage.files {
        coverage.totals += file.summary;
    }
    Ok(Filtered { coverage, n_exported_files, warnings })
}

/// A directory for what the tools hand to each other, which goes with this value.
pub(super) struct WorkDir(PathBuf);

impl WorkDir {
    /// A new directory in the one for temporary files.
    ///
    /// # Errors
    /// It cannot be made. One that is there already is not taken: somebody else may have laid something into it.
    pub(super) fn new() -> Result<WorkDir> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        // A process of this number may have been killed before it could remove its own.
        const MOST_TRIES: usize = 1000;
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("xtask-coverage-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(WorkDir(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST_TRIES => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("failed to create `{}`", path.display()));
                }
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        // What cannot be removed lies among temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
