//! What manifests say about coverage, `[workspace.metadata.coverage]` and `[package.metadata.coverage]`, as a configuration.
//! Reads no file: `cargo metadata` has.
//!
//! Every key is checked, also where the command has no use for it: whoever wrote it expects it to do something.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use super::config::{Config, PackageExclusion, PartialRun, Scope, ScopedThresholds, Thresholds};
use super::flags::{self, Invocation, Keys, WORKSPACE_TABLE, nearest};
use super::record::ManifestRecord;
use crate::filter::PathPattern;
use crate::ui::message::Advised;

/// The configuration of a command in a workspace with these manifests: what was said on the command line and in the environment
/// on top of what is written there.
///
/// # Errors
/// A key that means nothing where it stands, or a value that is not of its kind; flags or keys that contradict each other.
pub fn configure(asked: &Invocation, manifests: &[ManifestRecord]) -> Result<Config> {
    let mut config = asked.base.clone();
    let mut keys = Keys::default();
    let packages: Vec<&str> = manifests.iter().filter_map(|manifest| manifest.package.as_deref()).collect();
    for manifest in manifests {
        match &manifest.package {
            None => keys = read_workspace(manifest, &packages, &mut config)?,
            Some(package) => read_package(manifest, package, &mut config)?,
        }
    }
    let Config { thresholds, comparison, .. } = asked.config(Config::new())?;
    let config = asked.with_keys(&keys).config(config)?;
    // Either of them may stand in the manifest, so that the command line alone does not tell.
    let needs_baseline = config.comparison.ratchet.is_some() && config.comparison.baseline.is_none();
    if config.output.enabled && needs_baseline {
        bail!(Advised::new(
            "`--ratchet` needs `--baseline`: a fall is one from somewhere",
            "add `--baseline <FILE>`; `--save-baseline <FILE>` makes such a file"
        ));
    }
    Ok(Config { partial_run: PartialRun { thresholds, comparison }, ..config })
}

/// The keys of a package that are no thresholds: name, type, and what it does.
pub(super) const PACKAGE_KEYS: [(&str, &str, &str); 4] = [
    ("exclusive", "`true` or `false`", "Each test binary of this package runs while no other does."),
    (
        "flaky",
        "list",
        "Targets of this package by name, the results of whose tests `--reuse` never takes again.",
    ),
    (
        "exclude-files",
        "list",
        "Do not count files whose path from the package's directory is like one of these globs.",
    ),
    ("include-files", "list", "Count files like one of these globs, whatever else leaves them out."),
];
const PACKAGE_TABLE: &str = "[package.metadata.coverage]";

/// The tables in the workspace's table: for each package by name, and for paths by pattern.
const PARTS: [&str; 2] = ["packages", "paths"];

/// Takes what stands in the workspace's table: the tables in it go into `config`, the keys are returned.
fn read_workspace(manifest: &ManifestRecord, packages: &[&str], config: &mut Config) -> Result<Keys> {
    let table = Table { name: WORKSPACE_TABLE.to_owned(), manifest: &manifest.path };
    let mut keys = Keys {
        place: table.to_string(),
        dir: manifest.path.parent().unwrap_or(Path::new("")).to_owned(),
        ..Keys::default()
    };
    let mut scratch = Config::new();
    for (name, value) in table.entries(&manifest.coverage)? {
        if PARTS.contains(&name.as_str()) {
            config.scoped_thresholds.extend(read_parts(name, value, packages, &table)?);
            continue;
        }
        match flags::read(name, value, &mut scratch) {
            Ok(()) => _ = keys.values.insert(name.clone(), value.clone()),
            Err(None) => bail!(table.unknown_key(name)),
            Err(Some(takes)) => bail!(table.wrong_value(name, value, &takes)),
        }
    }
    Ok(keys)
}

/// The thresholds of `packages` or `paths`.
fn read_parts(
    kind: &str,
    parts: &Value,
    packages: &[&str],
    workspace_table: &Table<'_>,
) -> Result<Vec<ScopedThresholds>> {
    let within = |name: &str| Table {
        name: format!("{}.{name}]", WORKSPACE_TABLE.trim_end_matches(']')),
        manifest: workspace_table.manifest,
    };
    let parts_table = within(kind);
    let mut scoped = Vec::new();
    for (part, found) in parts_table.entries(parts)? {
        let scope = match kind {
            "packages" if !packages.contains(&part.as_str()) => {
                let cure = match nearest(part, packages) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("its packages are {}", packages.join(", ")),
                };
                let what = format!("{parts_table} names `{part}`, which is no package of the workspace");
                bail!(Advised::new(what, cure));
            }
            "packages" => Scope::Package(part.clone()),
            _ => {
                if let Err(error) = PathPattern::glob(part, "") {
                    let what = format!("`{part}` in {parts_table} is no glob: {}", error.root_cause());
                    bail!(Advised::new(
                        what,
                        "write a path from the root of the workspace, such as `src/parser/**`"
                    ));
                }
                Scope::Paths(part.clone())
            }
        };
        let table = within(&format!("{kind}.{}", quoted_key(part)));
        let mut thresholds = Thresholds::NONE;
        for (name, value) in table.entries(found)? {
            match flags::read_threshold(name, value, &mut thresholds) {
                Ok(()) => {}
                Err(None) => bail!(table.unknown_key(name)),
                Err(Some(takes)) => bail!(table.wrong_value(name, value, &takes)),
            }
        }
        scoped.push(ScopedThresholds { scope, thresholds });
    }
    Ok(scoped)
}

/// Takes what stands in a package's table.
fn read_package(manifest: &ManifestRecord, package: &str, config: &mut Config) -> Result<()> {
    let table = Table { name: PACKAGE_TABLE.to_owned(), manifest: &manifest.path };
    let mut thresholds = Thresholds::NONE;
    let mut exclusion = PackageExclusion {
        package: package.to_owned(),
        exclude_files: Vec::new(),
        include_files: Vec::new(),
    };
    for (name, value) in table.entries(&manifest.coverage)? {
        match name.as_str() {
            "exclusive" => match value.as_bool() {
                Some(true) => _ = config.tests.exclusive.insert(package.to_owned()),
                Some(false) => {}
                None => bail!(table.wrong_value(name, value, "`true` or `false`")),
            },
            "flaky" => {
                let names = value
                    .as_array()
                    .and_then(|names| names.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
                let Some(names) = names else {
                    bail!(table.wrong_value(name, value, "a list of names of targets"))
                };
                config.tests.flaky.insert(package.to_owned(), names.into_iter().map(str::to_owned).collect());
            }
            "exclude-files" => exclusion.exclude_files = table.globs(name, value)?,
            "include-files" => exclusion.include_files = table.globs(name, value)?,
            _ => match flags::read_threshold(name, value, &mut thresholds) {
                Ok(()) => {}
                Err(None) => bail!(table.unknown_key(name)),
                Err(Some(takes)) => bail!(table.wrong_value(name, value, &takes)),
            },
        }
    }
    if thresholds != Thresholds::NONE {
        config
            .scoped_thresholds
            .push(ScopedThresholds { scope: Scope::Package(package.to_owned()), thresholds });
    }
    if !(exclusion.exclude_files.is_empty() && exclusion.include_files.is_empty()) {
        config.exclusion.packages.push(exclusion);
    }
    Ok(())
}

/// A table of a manifest, as messages name it.
struct Table<'a> {
    /// Its header.
    name: String,
    manifest: &'a Path,
}

/// As in "unknown key in …".
impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}`", self.name, self.manifest.display())
    }
}

impl Table<'_> {
    /// The keys and values of a table that may not be there.
    fn entries<'v>(&self, found: &'v Value) -> Result<impl Iterator<Item = (&'v String, &'v Value)>> {
        match found {
            Value::Null => Ok(None.into_iter().flatten()),
            Value::Object(entries) => Ok(Some(entries).into_iter().flatten()),
            other => {
                let name = self.name.trim_matches(['[', ']']);
                bail!(Advised::new(
                    format!("`{name}` in `{}` is {other}, expected a table", self.manifest.display()),
                    format!("write the header `{}` above its keys", self.name)
                ))
            }
        }
    }

    fn globs(&self, name: &str, value: &Value) -> Result<Vec<String>> {
        let mut config = Config::new();
        // The workspace has lists of the same kind.
        match flags::read("exclude-files", value, &mut config) {
            Ok(()) => Ok(config.exclusion.exclude_files),
            Err(takes) => bail!(self.wrong_value(name, value, &takes.unwrap_or_default())),
        }
    }

    fn wrong_value(&self, name: &str, value: &Value, takes: &str) -> Advised {
        Advised::new(format!("`{name}` is {value} in {self}"), format!("`{name}` takes {takes}"))
    }

    fn unknown_key(&self, name: &str) -> Advised {
        // The first of the nearest is proposed: for `path`, `paths` and not `patch`.
        let workspace: Vec<&str> = PARTS.into_iter().chain(flags::keys().map(|flag| flag.long)).collect();
        let thresholds = flags::threshold_keys();
        let own = PACKAGE_KEYS.map(|(name, ..)| name);
        let package = [&own[..], &thresholds].concat();
        let keys = match self.name.as_str() {
            WORKSPACE_TABLE => &workspace,
            PACKAGE_TABLE => &package,
            _ => &thresholds,
        };
        let cure = if let Some((table, _)) = [(WORKSPACE_TABLE, &workspace), (PACKAGE_TABLE, &package)]
            .into_iter()
            .find(|(_, keys)| keys.contains(&name))
        {
            format!("it belongs to `{table}`")
        } else if let Some(why) = flags::why_no_key(name) {
            format!("`--{name}` is for the command line alone: {why}")
        } else if let Some(meant) = nearest(name, keys) {
            format!("did you mean `{meant}`?")
        } else if keys.len() > 2 * package.len() {
            "it has the names of flags, which `cargo xtask coverage --help` lists".to_owned()
        } else {
            format!("this table has: {}", keys.join(", "))
        };
        Advised::new(format!("unknown key `{name}` in {self}"), cure)
    }
}

/// A key as TOML wants it.
fn quoted_key(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !key.is_empty() && key.bytes().all(is_bare) { key.to_owned() } else { format!("{key:?}") }
}
