//! Raw profiles that a run left in the source tree: those of processes that had lost the variable which says where they belong.
//! Finds and moves them; what the runner found in the working directories of tests is gone before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::cargo::workspace::Workspace;
use crate::layout::Layout;
use crate::runner::profiles::{is_stray, take};

/// Clocks of file systems are that coarse.
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// Moves to [`Layout::strays`] the profiles that were written since then below the workspace, its members and the tests' temporary
/// directory, under the name that rustc gives them, and returns their new paths in a fixed order.
///
/// Build directories, directories with a dot in front and what symbolic links lead to are passed over: programs are not tested
/// there, and they can be large.
pub(super) fn collect(
    workspace: &Workspace,
    layout: &Layout,
    target_triple: &str,
    since: SystemTime,
) -> Vec<PathBuf> {
    let since = since.checked_sub(CLOCK_STEP).unwrap_or(SystemTime::UNIX_EPOCH);
    let build_dirs: Vec<PathBuf> =
        [Some(&workspace.target_dir), workspace.build_dir.as_ref()].into_iter().flatten().cloned().collect();
    // `CARGO_TARGET_TMPDIR` is `tmp` in the build directory, whichever that is, or in the target's part of it.
    let own = layout.build();
    let temporary: BTreeSet<PathBuf> = build_dirs
        .iter()
        .chain([&own])
        .flat_map(|dir| [dir.join("tmp"), dir.join(target_triple).join("tmp")])
        .collect();
    let mut pending: Vec<PathBuf> = temporary.into_iter().collect();
    pending.push(workspace.root.clone());
    let is_outside = |dir: &&PathBuf| !dir.starts_with(&workspace.root);
    pending.extend(workspace.members.iter().map(|member| &member.dir).filter(is_outside).cloned());
    let mut found = Vec::new();
    while let Some(directory) = pending.pop() {
        // What cannot be listed holds no working directory of a test either.
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            let is_build_dir = || build_dirs.contains(&path) || path.join("CACHEDIR.TAG").exists();
            if kind.is_dir() && !is_hidden(&path) && !is_build_dir() {
                pending.push(path);
            } else if kind.is_file() && is_stray(&path) && was_written(&path, since) {
                found.push(path);
            }
        }
    }
    found.sort();
    let moved = found.iter().filter_map(|stray| take(stray, &layout.strays()).ok());
    moved.collect()
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn was_written(path: &Path, since: SystemTime) -> bool {
    path.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|time| time >= since)
}
