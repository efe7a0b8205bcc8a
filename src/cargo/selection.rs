//! Package specs, as `--package` and `--exclude` take them: which members they mean. Pure.

use crate::cargo::workspace::{Package, Workspace};
use std::path::Path;

impl Workspace {
    /// Whether cargo would take `member`, given the specs of `--package` and `--exclude`. Without `--package`, those are all
    /// but the excluded ones and the package that runs this code.
    pub fn selects(&self, member: &Package, packages: &[String], exclude: &[String]) -> bool {
        let names = |specs: &[String]| specs.iter().any(|spec| spec_matches(spec, member));
        if !packages.is_empty() {
            return names(packages);
        }
        let is_xtask = self.xtask_package().is_some_and(|xtask| xtask.id == member.id);
        !is_xtask && !names(exclude)
    }
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
