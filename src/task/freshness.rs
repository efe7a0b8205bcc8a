//! Sources that did not change since the last run are not compiled again, although a fresh checkout makes all of them new.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::config::Config;
use super::{ci, output_file};
use crate::cache::times::{Restored, Snapshot};
use crate::cargo::workspace::Workspace;
use crate::git::repository::Repository;
use crate::ui::Ui;

/// The times of the sources during a build. When this value goes, those of unchanged files are again what they were.
pub(super) struct SourceTimes {
    snapshot: Snapshot,
    restored: Restored,
    file: PathBuf,
}

/// Gives unchanged sources the times back that they had when they were built, where that was asked for. To be called right before a
/// build.
///
/// # Errors
/// The new state cannot be written, or a changed file cannot be made new: then cargo could take old artifacts for fresh ones.
pub(super) fn restore(workspace: &Workspace, config: &Config, ui: &Ui) -> Result<Option<SourceTimes>> {
    if !config.build.restore_times.holds(ci::is_ci(config)) {
        return Ok(None);
    }
    let tracked = Repository::open(&workspace.root)
        .and_then(|repository| Ok((repository.top().to_owned(), repository.tracked()?)));
    let (root, files) = match tracked {
        Ok(tracked) => tracked,
        Err(problem) => {
            ui.note(format_args!("file times are not restored: {problem}"));
            return Ok(None);
        }
    };
    let file = snapshot_file(workspace);
    let context = || format!("failed to restore file times below `{}`", root.display());
    let (snapshot, restored) = Snapshot::read(&file).restore(&root, &files).with_context(context)?;
    let times = SourceTimes { snapshot, restored, file };
    // Before anything is built: should we be gone by then, artifacts of what is there now would pass for older ones.
    times.write()?;
    let Restored { unchanged, changed, .. } = times.restored;
    if unchanged + changed > 0 {
        ui.status("Restored", format_args!("the times of {unchanged} files; {changed} have changed"));
    }
    Ok(Some(times))
}

/// Where the times are kept: beside the artifacts, since where these are not restored, the times shall not be either.
pub(super) fn snapshot_file(workspace: &Workspace) -> PathBuf {
    workspace.build_dir.as_ref().unwrap_or(&workspace.target_dir).join(".coverage-times")
}

impl SourceTimes {
    /// Tells that the build is over.
    ///
    /// # Errors
    /// The state cannot be written.
    pub(super) fn built(mut self) -> Result<()> {
        self.snapshot.built();
        self.write()
    }

    fn write(&self) -> Result<()> {
        output_file::write(&self.file, self.snapshot.render().as_bytes())
    }
}

impl Drop for SourceTimes {
    fn drop(&mut self) {
        std::mem::take(&mut self.restored).put_back();
    }
}
