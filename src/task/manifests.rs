//! The manifests of a workspace: read once for what they say about coverage, and compared with what they were then.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::config::Config;
use super::record::{ManifestRecord, RunRecord};
use super::{discover, read_regular};
use crate::cargo::workspace::Workspace;

/// What the manifests of the workspace and of its members say.
///
/// # Errors
/// A file cannot be read any more, although cargo has just done so.
pub(super) fn of(workspace: &Workspace) -> Result<Vec<ManifestRecord>> {
    let record = |path: PathBuf, package: Option<String>, coverage: &Value| {
        let bytes = fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        let md5 = format!("{:x}", md5::compute(bytes));
        Ok(ManifestRecord { path, md5, package, coverage: coverage.clone() })
    };
    let own = record(workspace.root.join("Cargo.toml"), None, &workspace.coverage);
    let members = workspace
        .members
        .iter()
        .map(|member| record(member.manifest_path.clone(), Some(member.name.clone()), &member.coverage));
    [own].into_iter().chain(members).collect()
}

/// What they say now: as recorded, if no file has changed since, which spares a call of cargo; else cargo is asked again.
///
/// # Errors
/// There is no such workspace any more, or cargo cannot read it.
pub(super) fn current(record: &RunRecord, config: &Config) -> Result<Vec<ManifestRecord>> {
    if record.manifests.iter().all(is_unchanged) {
        return Ok(record.manifests.clone());
    }
    let mut config = config.clone();
    config.manifest.path = Some(record.workspace_root.join("Cargo.toml"));
    of(&discover(&config)?)
}

fn is_unchanged(manifest: &ManifestRecord) -> bool {
    read_md5(&manifest.path).is_some_and(|md5| md5 == manifest.md5)
}

fn read_md5(path: &Path) -> Option<String> {
    Some(format!("{:x}", md5::compute(read_regular(path)?)))
}
