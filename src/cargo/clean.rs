//! Removes what this library made for a target directory, and nothing else.

use crate::cargo::unit::Unit;
use crate::cargo::workspace::Workspace;
use crate::layout::Layout;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// The number of files and links.
    pub files: u64,
    /// Their sizes in bytes. A file with two names among them counts twice.
    pub bytes: u64,
}

/// Removes `<target_dir>/coverage` and the instrumented artifacts in the shared build directory.
///
/// # Errors
/// When something cannot be listed or removed; what came before it is gone.
pub fn clean(workspace: &Workspace) -> Result<Cleaned> {
    let layout = workspace.layout();
    let shared = workspace.build_dir.as_deref().unwrap_or(&workspace.target_dir);
    clean_layout(&layout, shared)
}

/// Removes what the wrapper has compiled and no build has used since `time`: artifacts, and their records.
///
/// # Errors
/// When something cannot be listed or removed; what came before it is gone.
pub fn prune(workspace: &Workspace, time: SystemTime) -> Result<Cleaned> {
    let layout = workspace.layout();
    let shared = workspace.build_dir.as_deref().unwrap_or(&workspace.target_dir);
    let mut units = Unit::read_all(&layout)?;
    // A run of a build script has no crate, and goes with `clean`.
    let is_unused = |unit: &Unit| unit.last_used(&layout.units()).is_some_and(|used| used < time);
    units.retain(|unit| !unit.crate_name.is_empty() && is_unused(unit));
    let mut doomed: Vec<PathBuf> = artifacts(&units, shared)?.into_iter().collect();
    // Without their records nobody would know whose the artifacts are.
    doomed.extend(units.iter().map(|unit| unit.directory(&layout.units())));
    remove(&doomed)
}

/// The size in bytes of all files below a directory. What cannot be listed has none.
pub fn size(directory: &Path) -> u64 {
    let mut measured = Cleaned::default();
    let _ = measure(directory, &mut measured);
    measured.bytes
}

/// Like [`clean`] for a layout whose units lie in the build directory `shared`.
fn clean_layout(layout: &Layout, shared: &Path) -> Result<Cleaned> {
    let mut doomed = artifacts(&Unit::read_all(layout)?, shared)?;
    // The records are inside: they go last, so that an interrupted run can be repeated.
    doomed.retain(|path| !path.starts_with(layout.root()));
    let mut ordered: Vec<PathBuf> = doomed.into_iter().collect();
    match layout.root().symlink_metadata() {
        // Somebody has put the directory elsewhere. The link is theirs, what is behind it is ours.
        Ok(metadata) if metadata.is_symlink() => ordered.extend(entries(layout.root())?),
        Ok(_) => ordered.push(layout.root().to_owned()),
        Err(_) => {}
    }
    remove(&ordered)
}

/// Removes files and directories, in this order.
fn remove(ordered: &[PathBuf]) -> Result<Cleaned> {
    let mut cleaned = Cleaned::default();
    for path in ordered {
        measure(path, &mut cleaned)?;
    }
    for path in ordered {
        fs_extra::remove_items(&[path]).with_context(|| format!("failed to remove `{}`", path.display()))?;
    }
    Ok(cleaned)
}

/// What is in the directory that a link leads to, if it leads to one.
fn entries(link: &Path) -> Result<Vec<PathBuf>> {
    if !link.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(link).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.with_context(|| format!("failed to list `{}`", link.display()))
}

/// The files and directories that `units` left below `shared`.
///
/// Up to cargo 1.99 a crate's files lie among others in `deps`, under its name and hash, and its fingerprint in
/// `.fingerprint/<package><hash>`; a build script has `build/<package>-<hash>`, and so has its run. From 1.100 a unit has
/// `build/<package>/<hash>` to itself.
fn artifacts(units: &[Unit], shared: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut in_deps: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
    for unit in units.iter().filter(|unit| unit.out_dir.starts_with(shared)) {
        if let Some((directory, fingerprint)) = own_directory(unit, shared) {
            found.extend([Some(directory), fingerprint].into_iter().flatten());
        } else if !unit.extra_filename.is_empty()
            && let Some(profile_dir) = unit.out_dir.parent()
        {
            in_deps
                .entry(&unit.out_dir)
                .or_default()
                .insert(format!("{}{}", unit.crate_name, unit.extra_filename));
            found.insert(
                profile_dir.join(".fingerprint").join(format!("{}{}", unit.package, unit.extra_filename)),
            );
        }
    }
    for (directory, crates) in in_deps {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        for entry in entries {
            let entry = entry.with_context(|| format!("failed to list `{}`", directory.display()))?;
            if entry.file_name().to_str().is_some_and(|name| is_file_of(name, &crates)) {
                found.insert(entry.path());
            }
        }
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    Ok(found)
}

/// The directory that a unit has to itself, if it has one, with its fingerprint if that lies elsewhere.
///
/// Only names below `shared` count: a workspace may itself lie in `build/<package>/`.
fn own_directory(unit: &Unit, shared: &Path) -> Option<(PathBuf, Option<PathBuf>)> {
    let below = unit.out_dir.strip_prefix(shared).ok()?;
    for directory in below.ancestors() {
        let (Some(name), Some(parent)) = (directory.file_name(), directory.parent()) else { break };
        let is_build = |path: Option<&Path>| path.and_then(Path::file_name) == Some(OsStr::new("build"));
        if is_build(parent.parent()) && parent.file_name() == Some(OsStr::new(&unit.package)) {
            return Some((shared.join(directory), None));
        }
        let hash = name.to_str().and_then(|name| name.strip_prefix(&unit.package)?.strip_prefix('-'));
        if is_build(Some(parent)) && hash.is_some_and(is_hash) {
            let fingerprint = parent.parent().map(|profile_dir| profile_dir.join(".fingerprint").join(name));
            return Some((shared.join(directory), fingerprint.map(|path| shared.join(path))));
        }
    }
    None
}

/// Whether `text` is the hash that cargo gives a unit.
fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a file in `deps` belongs to one of `crates` (`app-0123456789abcdef`): `libapp-….rlib`, `app-….d`, `app-…`.
fn is_file_of(file_name: &str, crates: &BTreeSet<String>) -> bool {
    let stem = file_name.split('.').next().unwrap_or(file_name);
    crates.contains(stem) || stem.strip_prefix("lib").is_some_and(|stem| crates.contains(stem))
}

/// Adds up what `path` holds, without following links: tests may have left any.
fn measure(path: &Path, cleaned: &mut Cleaned) -> Result<()> {
    let metadata =
        path.symlink_metadata().with_context(|| format!("failed to look at `{}`", path.display()))?;
    if !metadata.is_dir() {
        cleaned.files += 1;
        cleaned.bytes += metadata.len();
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("failed to list `{}`", path.display()))? {
        let entry = entry.with_context(|| format!("failed to list `{}`", path.display()))?;
        measure(&entry.path(), cleaned)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
