//! What the filter has to know about a workspace's sources, from what cargo says about its packages.

use std::path::Path;

use super::config::Packages;
use crate::cargo::workspace::{CargoTargetKind, Package, Workspace};
use crate::filter::{AuxiliaryKind, PackageSources, SourceLayout};

/// Where the workspace's sources are, and which of its packages were selected.
pub(super) fn source_layout(workspace: &Workspace, packages: &Packages) -> SourceLayout {
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
                is_selected: is_selected(workspace, package, packages),
                auxiliary_targets: auxiliary_targets(package),
            })
            .collect(),
    }
}

/// A directory under the name it was given and, where symbolic links lead to it, its own: the compiler may store either.
fn with_real_path(dir: &Path) -> Vec<String> {
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

fn auxiliary_targets(package: &Package) -> Vec<(AuxiliaryKind, String)> {
    let auxiliary = |kind| match kind {
        CargoTargetKind::Test => Some(AuxiliaryKind::Test),
        CargoTargetKind::Bench => Some(AuxiliaryKind::Bench),
        CargoTargetKind::Example => Some(AuxiliaryKind::Example),
        CargoTargetKind::BuildScript => Some(AuxiliaryKind::BuildScript),
        CargoTargetKind::Lib | CargoTargetKind::ProcMacro | CargoTargetKind::Bin => None,
    };
    package
        .targets
        .iter()
        .filter_map(|target| Some((auxiliary(target.kind)?, text(&target.src_path))))
        .collect()
}

/// Whether cargo would take the package, given `--package` and `--exclude`. Without them all packages but the xtask crate.
fn is_selected(workspace: &Workspace, package: &Package, packages: &Packages) -> bool {
    let names = |specs: &[String]| specs.iter().any(|spec| spec_matches(spec, package));
    if !packages.select.is_empty() {
        return names(&packages.select);
    }
    let is_xtask = workspace.xtask_package().is_some_and(|xtask| xtask.id == package.id);
    !is_xtask && !names(&packages.exclude)
}

/// Whether a package spec means this package. Cargo's specs are a name or a pattern for names, `name@version`, or a URL
/// with either of these behind `#`.
fn spec_matches(spec: &str, package: &Package) -> bool {
    let (url, spec) = match spec.rsplit_once('#') {
        Some((url, spec)) => (Some(url), spec),
        None => (None, spec),
    };
    if let Some(url) = url {
        let dir = url.strip_prefix("path+").unwrap_or(url).strip_prefix("file://");
        let is_here = dir.is_some_and(|dir| Path::new(dir) == package.dir);
        // Behind `#` stands the name, the version or both; a name that the directory's repeats is left out.
        let is_version = spec == package.version;
        return is_here && (is_version || spec_matches(spec, package));
    }
    if let Some(dir) = spec.strip_prefix("path+").unwrap_or(spec).strip_prefix("file://") {
        return Path::new(dir) == package.dir;
    }
    let (name, version) = match spec.rsplit_once(['@', ':']) {
        Some((name, version)) => (name, Some(version)),
        None => (spec, None),
    };
    // A version may be cut short, as in `name@1.2`.
    let version_fits = version.is_none_or(|version| {
        package.version.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    let name_fits =
        glob::Pattern::new(name).map_or(name == package.name, |pattern| pattern.matches(&package.name));
    name_fits && version_fits
}

#[cfg(test)]
mod tests {
    use super::spec_matches;
    use crate::cargo::workspace::Package;

    #[test]
    fn specs_mean_what_cargo_means_by_them() {
        let package = Package {
            id: "path+file:///w/app#my-app@1.2.3".to_owned(),
            name: "my-app".to_owned(),
            version: "1.2.3".to_owned(),
            dir: "/w/app".into(),
            ..Package::default()
        };
        for (spec, expected) in [
            ("my-app", true),
            ("my_app", false),
            ("my-*", true),
            ("app", false),
            ("my-app@1.2.3", true),
            ("my-app@1.2", true),
            ("my-app@1.20", false),
            ("my-app:1.2.3", true),
            ("my-app@2", false),
            ("path+file:///w/app#my-app@1.2.3", true),
            ("file:///w/app", true),
            ("file:///w/app#1.2.3", true),
            ("file:///w/app#my-app", true),
            ("file:///elsewhere#my-app@1.2.3", false),
            ("file:///elsewhere", false),
        ] {
            assert_eq!(spec_matches(spec, &package), expected, "{spec}");
        }
    }
}
