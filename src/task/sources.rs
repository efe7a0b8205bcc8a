//! What the filter has to know about a workspace's sources, from what cargo says about its packages.

use std::path::Path;

use super::config::Config;
use crate::cargo::workspace::{CargoTargetKind, Package, Workspace};
use crate::filter::{AuxiliaryKind, PackageSources, SourceLayout};

/// Where the workspace's sources are, and which of its packages were selected.
pub(super) fn source_layout(workspace: &Workspace, config: &Config) -> SourceLayout {
    let packages = &config.packages;
    let build_dirs = [Some(&workspace.target_dir), workspace.build_dir.as_ref()];
    SourceLayout {
        roots: with_real_path(&workspace.root),
        build_dirs: build_dirs.into_iter().flatten().flat_map(|dir| with_real_path(dir)).collect(),
        packages: workspace
            .members
            .iter()
            .map(|package| PackageSources {
                name: package.name.clone(),
                dir: text(&package.dir),
                is_selected: workspace.selects(package, &packages.select, &packages.exclude),
                crate_roots: crate_roots(package, config.build.build_scripts),
                auxiliary_targets: auxiliary_targets(package, config.build.build_scripts),
            })
            .collect(),
    }
}

/// A directory under the name it was given and, where symbolic links lead to it, its own: the compiler may store either.
pub(super) fn with_real_path(dir: &Path) -> Vec<String> {
    let mut names = vec![text(dir)];
    if let Ok(real) = dir.canonicalize() {
        let real = text(&real);
        if !names.contains(&real) {
            names.push(real);
        }
    }
    names
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Where the crates that are a product begin.
fn crate_roots(package: &Package, with_build_scripts: bool) -> Vec<String> {
    let is_product = |kind| match kind {
        CargoTargetKind::Lib | CargoTargetKind::ProcMacro | CargoTargetKind::Bin => true,
        CargoTargetKind::BuildScript => with_build_scripts,
        CargoTargetKind::Test | CargoTargetKind::Bench | CargoTargetKind::Example => false,
    };
    let products = package.targets.iter().filter(|target| is_product(target.kind));
    products.map(|target| text(&target.src_path)).collect()
}

/// The sources that are no product. A build script that was asked for is one.
fn auxiliary_targets(package: &Package, with_build_scripts: bool) -> Vec<(AuxiliaryKind, String)> {
    let auxiliary = |kind| match kind {
        CargoTargetKind::Test => Some(AuxiliaryKind::Test),
        CargoTargetKind::Bench => Some(AuxiliaryKind::Bench),
        CargoTargetKind::Example => Some(AuxiliaryKind::Example),
        CargoTargetKind::BuildScript if !with_build_scripts => Some(AuxiliaryKind::BuildScript),
        CargoTargetKind::BuildScript
        | CargoTargetKind::Lib
        | CargoTargetKind::ProcMacro
        | CargoTargetKind::Bin => None,
    };
    package
        .targets
        .iter()
        .filter_map(|target| Some((auxiliary(target.kind)?, text(&target.src_path))))
        .collect()
}
