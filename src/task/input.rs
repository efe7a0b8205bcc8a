//! What is reported on: the last run, or the objects and profiles that another harness produced.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::config::Config;
use super::record::RunRecord;
use super::{discover, manifests, sources};
use crate::filter::SourceLayout;
use crate::runner::profiles::find_all;
use crate::ui::message::Advised;

/// The record of the last run, and the path of its `run.json`.
///
/// The workspace's root is where its `Cargo.lock` is. Looking there first spares a call of cargo, which takes longer than
/// the report; where the record is not in the usual place, cargo is asked.
pub(super) fn find_record(config: &Config) -> Result<(RunRecord, PathBuf)> {
    let target_dir = config.build.target_dir.clone().or_else(|| {
        let from_environment = std::env::var_os("CARGO_TARGET_DIR").filter(|dir: &OsString| !dir.is_empty());
        from_environment.map(PathBuf::from)
    });
    if target_dir.is_none() && !is_target_dir_configured(config) {
        let start = match config.manifest.path.as_deref().and_then(Path::parent) {
            Some(dir) => std::path::absolute(dir)?,
            None => std::env::current_dir()?,
        };
        if let Some(root) = start.ancestors().find(|dir| dir.join("Cargo.lock").is_file()) {
            let path = root.join("target/coverage/run.json");
            if let Ok(record) = RunRecord::read(&path)
                && record.workspace_root == root
            {
                return Ok((record, path));
            }
        }
    }
    let workspace = discover(config)?;
    let path = workspace.layout().run_json();
    let record = RunRecord::read(&path)?;
    // Workspaces can share a target directory, and a directory can be moved or copied.
    ensure!(
        is_same_dir(&record.workspace_root, &workspace.root),
        Advised::new(
            format!(
                "the last run that `{}` knows was of the workspace in `{}`, not of the one in `{}`",
                path.display(),
                record.workspace_root.display(),
                workspace.root.display()
            ),
            "run `cargo xtask coverage` for this one first, or name the other with `--manifest-path <PATH>`"
        )
    );
    Ok((record, path))
}

/// Whether both are the same directory, perhaps under different names.
fn is_same_dir(a: &Path, b: &Path) -> bool {
    a == b || matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

/// Whether cargo may have been told of another target directory than `target`. A guess that errs to the safe side: then
/// cargo is asked.
fn is_target_dir_configured(config: &Config) -> bool {
    if !config.manifest.cargo_config.is_empty() || std::env::var_os("CARGO_BUILD_TARGET_DIR").is_some() {
        return true;
    }
    let current = std::env::current_dir().unwrap_or_default();
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let files = ["config.toml", "config"];
    let in_ancestors = current.ancestors().flat_map(|dir| files.map(|name| dir.join(".cargo").join(name)));
    let in_home = cargo_home.iter().flat_map(|home| files.map(|name| home.join(name)));
    in_ancestors
        .chain(in_home)
        .any(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("target-dir")))
}

/// A record for `--object` and `--profraw`, and the directory for reports.
pub(super) fn foreign_record(config: &Config) -> Result<(RunRecord, PathBuf)> {
    let mut profiles = Vec::new();
    for path in &config.input.profiles {
        if path.is_dir() {
            let found = find_all(path)?;
            ensure!(
                !found.is_empty(),
                Advised::new(
                    format!("no `.profraw` file in `{}`", path.display()),
                    "set LLVM_PROFILE_FILE to a path in this directory for the processes that shall count"
                )
            );
            profiles.extend(found);
        } else {
            profiles.push(path.clone());
        }
    }
    // Without a manifest the files need no workspace; one that was named has to be there.
    let workspace = match discover(config) {
        Err(error) if config.manifest.path.is_some() => return Err(error),
        workspace => workspace.ok(),
    };
    let current = std::env::current_dir()?;
    let sources = match &workspace {
        Some(workspace) => sources::source_layout(workspace, config),
        None => {
            SourceLayout { roots: vec![current.to_string_lossy().into_owned()], ..SourceLayout::default() }
        }
    };
    let usual_dir =
        workspace.as_ref().map_or_else(|| current.clone(), |workspace| workspace.layout().root().to_owned());
    let manifests = workspace.as_ref().map(manifests::of).transpose()?.unwrap_or_default();
    let root = workspace.map_or(current, |workspace| workspace.root);
    let record = RunRecord {
        objects: config.input.objects.clone(),
        profiles,
        manifests,
        ..RunRecord::new(root, sources)
    };
    Ok((record, usual_dir))
}
