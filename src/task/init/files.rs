//! Writing several files as one: all of them or none.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::plan::Change;
use crate::ui::message::Advised;

/// Files that were written, and how to take that back.
pub(super) struct Written {
    /// Each with what was in it; `None` if it was not there.
    files: Vec<(PathBuf, Option<String>)>,
    /// Directories that were made, outer ones first.
    directories: Vec<PathBuf>,
}

impl Written {
    /// Writes all changes, each beside its place and renamed. Nothing outside of `boundary` is touched.
    ///
    /// # Errors
    /// A file cannot be written or is not meant to be. Those before it are as they were.
    pub(super) fn write(changes: &[Change], boundary: PathBuf) -> Result<Written> {
        let mut places = Vec::new();
        for change in changes {
            places.push(place(change, &boundary)?);
        }
        let mut written = Written { files: Vec::new(), directories: Vec::new() };
        for (change, place) in changes.iter().zip(places) {
            if let Err(error) = written.write_one(change, place) {
                written.undo()?;
                return Err(error.context(Advised::new(
                    "the changes cannot be written, so they were taken back",
                    "make the workspace writable",
                )));
            }
        }
        Ok(written)
    }

    fn write_one(&mut self, change: &Change, place: PathBuf) -> Result<()> {
        let missing = place.ancestors().skip(1).take_while(|directory| !directory.exists());
        let mut missing: Vec<&Path> = missing.collect();
        while let Some(directory) = missing.pop() {
            fs::create_dir(directory)
                .with_context(|| format!("failed to create `{}`", directory.display()))?;
            self.directories.push(directory.to_owned());
        }
        replace(&place, change.after.as_bytes())?;
        self.files.push((place, change.before.clone()));
        Ok(())
    }

    /// Puts everything back.
    ///
    /// # Errors
    /// That fails, which leaves some of the files changed; the error names the first of them.
    pub(super) fn undo(self) -> Result<()> {
        for (path, before) in self.files.iter().rev() {
            match before {
                Some(before) => replace(path, before.as_bytes()),
                None => {
                    fs::remove_file(path).with_context(|| format!("failed to remove `{}`", path.display()))
                }
            }
            .context("failed to take the changes back")?;
        }
        for directory in self.directories.iter().rev() {
            // Somebody may have put something there.
            _ = fs::remove_dir(directory);
        }
        Ok(())
    }
}

/// Where a change goes: symbolic links stay, and what they lead to is changed.
fn place(change: &Change, boundary: &Path) -> Result<PathBuf> {
    let Change { path, before, .. } = change;
    let shown = path.display();
    if before.is_none() {
        if path.symlink_metadata().is_ok() {
            bail!("`{shown}` is there, but leads to no file");
        }
        let directory = path.ancestors().skip(1).find(|directory| directory.exists()).unwrap_or(path);
        check_inside(directory, boundary)?;
        return Ok(path.clone());
    }
    let real = check_inside(path, boundary)?;
    let metadata = fs::metadata(&real).with_context(|| format!("failed to look at `{shown}`"))?;
    if metadata.permissions().readonly() {
        bail!(Advised::new(
            format!("`{shown}` is read-only, and would have to be changed; nothing was"),
            "make it writable"
        ));
    }
    Ok(real)
}

/// The path without symbolic links.
///
/// # Errors
/// They lead out of the repository.
fn check_inside(path: &Path, boundary: &Path) -> Result<PathBuf> {
    let shown = path.display();
    let real = path.canonicalize().with_context(|| format!("failed to find `{shown}`"))?;
    if !boundary.canonicalize().is_ok_and(|boundary| real.starts_with(boundary)) {
        bail!(Advised::new(
            format!("`{shown}` is a link to `{}`, which is outside of the repository", real.display()),
            "make it a file or directory of its own, or change that one by hand"
        ));
    }
    Ok(real)
}

/// Writes beside and renames, with the permissions that the file has.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, content).and_then(|()| {
        if let Ok(metadata) = fs::metadata(path) {
            fs::set_permissions(&beside, metadata.permissions())?;
        }
        fs::rename(&beside, path)
    });
    written
        .inspect_err(|_| drop(fs::remove_file(&beside)))
        .with_context(|| format!("failed to write `{}`", path.display()))
}
