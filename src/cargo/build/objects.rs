//! Which of the files that cargo made hold coverage maps. Pure.

use crate::cargo::invocation::BuildOptions;
use crate::cargo::message::Artifact;
use crate::cargo::workspace::{CargoTargetKind, Workspace};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The files with a coverage map in them, each once, ordered by member, kind and name.
pub(super) fn objects(
    workspace: &Workspace,
    artifacts: &[Artifact],
    with_build_scripts: bool,
) -> Vec<PathBuf> {
    let mut objects = Vec::new();
    for artifact in artifacts {
        let member = workspace.members.iter().position(|member| member.id == artifact.package_id);
        let files: Vec<&PathBuf> = match (&artifact.executable, artifact.target.kind) {
            (Some(executable), _) => vec![executable],
            (None, CargoTargetKind::BuildScript) if with_build_scripts => artifact.filenames.iter().collect(),
            (None, CargoTargetKind::BuildScript) => Vec::new(),
            (None, _) => artifact.filenames.iter().filter(|file| is_dynamic_library(file)).collect(),
        };
        for file in files {
            objects.push((member, artifact.target.kind, &artifact.target.name, artifact.test, file));
        }
    }
    objects.sort();
    let mut seen = BTreeSet::new();
    objects.into_iter().map(|(.., file)| file).filter(|file| seen.insert(*file)).cloned().collect()
}

/// The files of `artifacts` that may run while cargo builds and that count.
pub(super) fn build_time_objects(artifacts: &[Artifact], with_build_scripts: bool) -> Vec<PathBuf> {
    let files = |artifact: &Artifact| -> Vec<PathBuf> {
        let files = artifact.filenames.iter();
        match artifact.target.kind {
            CargoTargetKind::BuildScript if with_build_scripts => files.cloned().collect(),
            CargoTargetKind::ProcMacro if !artifact.test => {
                files.filter(|file| is_dynamic_library(file)).cloned().collect()
            }
            _ => Vec::new(),
        }
    };
    artifacts.iter().flat_map(files).collect()
}

/// The libraries of selected members without a test binary among the artifacts, ordered by member and file. A package has one
/// library at most, and cargo may have compiled that for several platforms or features.
///
/// A program holds those functions of a library that it needs, or that lie beside them; only the library's own test binary has
/// all of them.
pub(super) fn untested_libraries(
    workspace: &Workspace,
    options: &BuildOptions,
    artifacts: &[Artifact],
) -> Vec<PathBuf> {
    let mut libraries = Vec::new();
    for member in workspace.members.iter().filter(|member| options.selects(workspace, member)) {
        let of_library =
            |it: &&Artifact| it.package_id == member.id && it.target.kind == CargoTargetKind::Lib;
        if artifacts.iter().filter(of_library).any(|artifact| artifact.test) {
            continue;
        }
        let files: BTreeSet<&PathBuf> = artifacts
            .iter()
            .filter(of_library)
            .flat_map(|artifact| &artifact.filenames)
            .filter(|file| file.extension() == Some(OsStr::new("rlib")))
            .collect();
        libraries.extend(files.into_iter().cloned());
    }
    libraries
}

/// Whether a file of a library artifact is one that a process loads, rather than one for the linker or the debugger.
pub(super) fn is_dynamic_library(file: &Path) -> bool {
    file.extension().is_some_and(|extension| ["so", "dylib", "dll"].iter().any(|it| extension == *it))
}
