//! `coverage cache`: what runs keep for later ones. Says how much that is, or removes it.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::config::{CacheAction, Config};
use super::{Bytes, Outcome, discover, freshness, measure, reuse, shown};
use crate::cargo::clean::{prune, size};
use crate::cargo::workspace::Workspace;
use crate::ui::Ui;

/// What nobody has used for so long is of a branch that is gone, or of an older compiler.
const UNUSED: Duration = Duration::from_secs(7 * 86_400);

/// Does what the configuration says about the caches of the workspace.
///
/// # Errors
/// Something cannot be removed.
pub(super) fn run(config: &Config, ui: &Ui) -> Result<Outcome> {
    let workspace = discover(config)?;
    let _lock = measure::lock(&workspace.layout(), ui)?;
    let (results, directory) = reuse::cache(&workspace, config);
    match config.cache {
        CacheAction::Info => {
            let stored = results.stored();
            let times = freshness::snapshot_file(&workspace);
            ui.print(&format!(
                "results: {} in {}, {}\nfile times: {}\ntarget: {} in {}\n",
                stored.entries,
                shown(&directory),
                Bytes(stored.bytes),
                times.metadata().map_or("none".to_owned(), |it| Bytes(it.len()).to_string()),
                Bytes(size(workspace.layout().root())),
                shown(workspace.layout().root()),
            ))?;
        }
        CacheAction::Prune => remove_unused(&workspace, config, ui)?,
        CacheAction::Clear => {
            let removed = results.clear()?;
            ui.status("Removed", format_args!("{} results, {}", removed.entries, Bytes(removed.bytes)));
            let times = freshness::snapshot_file(&workspace);
            measure::remove_if_there(&times)
                .with_context(|| format!("failed to remove `{}`", shown(&times)))?;
        }
    }
    Ok(Outcome::Fine)
}

/// Removes what no run has used for a while.
///
/// # Errors
/// Something cannot be removed.
pub(super) fn remove_unused(workspace: &Workspace, config: &Config, ui: &Ui) -> Result<()> {
    let Some(time) = SystemTime::now().checked_sub(UNUSED) else { return Ok(()) };
    let removed = reuse::cache(workspace, config).0.remove_older(time)?;
    let cleaned = prune(workspace, time)?;
    let (files, bytes) = (removed.entries + cleaned.files, removed.bytes + cleaned.bytes);
    if files > 0 {
        ui.status("Removed", format_args!("{files} files that were not used for a week, {}", Bytes(bytes)));
    }
    Ok(())
}
