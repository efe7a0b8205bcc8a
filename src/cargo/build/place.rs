//! Where the files of a build lie, and the second names that those in a shared build directory get below our own.

use super::objects::is_dynamic_library;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where in a target or build directory a program lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `debug`, or `<triple>/debug` when cargo was called for a target.
    pub(super) profile_dir: PathBuf,
    /// That triple.
    pub(super) target_triple: Option<String>,
    /// Whether crates lie together in `deps`, as they do up to cargo 1.99.
    pub(super) in_deps: bool,
}

impl Place {
    /// The place of `executable` below the first of `roots` that it lies in.
    pub(super) fn of(executable: &Path, roots: &[&Path]) -> Place {
        let below = roots.iter().find_map(|root| executable.strip_prefix(root).ok()).unwrap_or(executable);
        let folders: Vec<&OsStr> = below
            .parent()
            .map(|folder| {
                folder
                    .components()
                    .filter_map(|it| match it {
                        Component::Normal(name) => Some(name),
                        _ => None,
                    })
                    .collect()
            })
            .unwrap_or_default();
        let is_inner = |name: &&OsStr| ["deps", "examples", "build"].iter().any(|it| *name == *it);
        // A profile of the name `build` or `deps` is one that cargo refuses.
        let inner = folders.iter().position(is_inner).unwrap_or(folders.len());
        let profile = &folders[..inner];
        Place {
            profile_dir: profile.iter().collect(),
            target_triple: match profile {
                [triple, _] => Some(triple.to_string_lossy().into_owned()),
                _ => None,
            },
            in_deps: folders.get(inner) != Some(&OsStr::new("build")),
        }
    }
}

/// Gives a program in the shared build directory the same place below our own, as a second name of the same file, and
/// returns that. Where the file system does not offer this, the program keeps the one name it has.
pub(super) fn second_name(executable: &Path, build_dir: &Path, own: &Path) -> PathBuf {
    if executable.starts_with(own) {
        return executable.to_owned();
    }
    let Ok(below) = executable.strip_prefix(build_dir) else { return executable.to_owned() };
    let name = own.join(below);
    let linked = || {
        fs::create_dir_all(name.parent()?).ok()?;
        if name.exists() {
            fs::remove_file(&name).ok()?;
        }
        fs::hard_link(executable, &name).ok()?;
        link_fingerprints(below, build_dir, own);
        Some(())
    };
    linked().map_or_else(|| executable.to_owned(), |()| name.clone())
}

/// Whether rustc takes a file for a crate: a test that calls rustc looks for these beside itself.
pub(super) fn is_for_rustc(file: &Path) -> bool {
    let extension = file.extension().unwrap_or_default();
    extension == "rlib" || extension == "rmeta" || is_dynamic_library(file)
}

/// Gives a library in the shared build directory the same place below our own, if it does not have it yet. Nothing but such
/// a test needs it there, so what cannot be linked is left out.
pub(super) fn link_library(file: &Path, build_dir: &Path, own: &Path) {
    let Some(below) = file.strip_prefix(build_dir).ok().filter(|_| !file.starts_with(own)) else { return };
    let name = own.join(below);
    let identity = |path: &Path| fs::metadata(path).ok().map(|it| (it.len(), it.modified().ok()));
    if identity(&name).is_some_and(|known| Some(known) == identity(file)) {
        return;
    }
    _ = name.parent().map(fs::create_dir_all);
    _ = fs::remove_file(&name);
    _ = fs::hard_link(file, &name);
}

/// Puts cargo's `.fingerprint` beside the second names, where it is beside the first ones: trybuild finds out from there
/// with which features a test was built. Where there are no symbolic links it does without.
fn link_fingerprints(below: &Path, build_dir: &Path, own: &Path) {
    let Some(profile_dir) = below.parent().filter(|dir| dir.ends_with("deps")).and_then(Path::parent) else {
        return;
    };
    let fingerprints = build_dir.join(profile_dir).join(".fingerprint");
    let link = own.join(profile_dir).join(".fingerprint");
    // A checkout that was copied or moved has a link to where it was.
    let leads_there = fs::read_link(&link).is_ok_and(|leads_to| leads_to == fingerprints);
    if fingerprints.is_dir() && !leads_there {
        _ = fs::remove_file(&link);
        #[cfg(unix)]
        drop(std::os::unix::fs::symlink(fingerprints, link));
    }
}
