//! What manifests say: `[workspace.metadata.coverage]` and `[package.metadata.coverage]`, checked against a table of keys.
//! Reads no file: `cargo metadata` has.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;

use super::flags::nearest;
use crate::cargo::workspace::Workspace;
use crate::ui::message::Advised;

/// Everything that the manifests of a workspace say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    /// The names of the packages whose tests run while no others do.
    pub(super) exclusive: BTreeSet<String>,
}

impl Metadata {
    /// Takes the tables of the workspace and of all its members.
    ///
    /// # Errors
    /// A key that means nothing there, or a value that is not of its kind: whoever wrote it expects it to do something.
    pub(super) fn of(workspace: &Workspace) -> Result<Metadata> {
        let mut metadata = Metadata::default();
        let manifest = workspace.root.join("Cargo.toml");
        read(&WORKSPACE, &workspace.coverage, &manifest.to_string_lossy(), &mut WorkspaceTable {})?;
        for member in &workspace.members {
            let mut table = PackageTable::default();
            read(&PACKAGE, &member.coverage, &member.manifest_path.to_string_lossy(), &mut table)?;
            if table.exclusive {
                metadata.exclusive.insert(member.name.clone());
            }
        }
        Ok(metadata)
    }
}

/// The values of `[workspace.metadata.coverage]`.
#[derive(Debug, Default, PartialEq, Eq)]
struct WorkspaceTable {}

/// The values of `[package.metadata.coverage]`.
#[derive(Debug, Default, PartialEq, Eq)]
struct PackageTable {
    /// The tests of this package run alone.
    exclusive: bool,
}

/// A table and the keys that it may have.
struct Known<T: 'static> {
    name: &'static str,
    keys: &'static [Key<T>],
}

/// A key, what it takes, and where that goes; `None` for a value of another kind.
struct Key<T> {
    name: &'static str,
    takes: &'static str,
    set: fn(&mut T, &Value) -> Option<()>,
}

const WORKSPACE: Known<WorkspaceTable> = Known { name: "[workspace.metadata.coverage]", keys: &[] };

const PACKAGE: Known<PackageTable> = Known {
    name: "[package.metadata.coverage]",
    keys: &[Key {
        name: "exclusive",
        takes: "`true` or `false`",
        set: |table, value| {
            table.exclusive = value.as_bool()?;
            Some(())
        },
    }],
};

impl<T> Known<T> {
    fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

/// Puts the values of `found`, which the manifest at `manifest` has under the name of the table, into `table`.
fn read<T>(known: &Known<T>, found: &Value, manifest: &str, table: &mut T) -> Result<()> {
    let entries = match found {
        Value::Null => return Ok(()),
        Value::Object(entries) => entries,
        other => bail!(Advised::new(
            format!("`{}` in `{manifest}` is {other}, expected a table", known.name.trim_matches(['[', ']'])),
            format!("write the header `{}` above its keys", known.name)
        )),
    };
    for (name, value) in entries {
        let Some(key) = known.keys.iter().find(|key| key.name == name) else {
            bail!(unknown_key(known, name, manifest));
        };
        if (key.set)(table, value).is_none() {
            let what = format!("`{name}` is {value} in `{}` of `{manifest}`", known.name);
            bail!(Advised::new(what, format!("`{name}` takes {}", key.takes)));
        }
    }
    Ok(())
}

fn unknown_key<T>(known: &Known<T>, name: &str, manifest: &str) -> Advised {
    let tables = [(WORKSPACE.name, WORKSPACE.names()), (PACKAGE.name, PACKAGE.names())];
    let (here, elsewhere): (Vec<_>, Vec<_>) = tables.into_iter().partition(|(table, _)| *table == known.name);
    let keys: Vec<&str> = here.into_iter().flat_map(|(_, keys)| keys).collect();
    let cure = if let Some((table, _)) = elsewhere.iter().find(|(_, keys)| keys.contains(&name)) {
        format!("it belongs to `{table}`")
    } else if let Some(meant) = nearest(name, &keys) {
        format!("did you mean `{meant}`?")
    } else if keys.is_empty() {
        "this table has no keys".to_owned()
    } else {
        format!("this table has: {}", keys.join(", "))
    };
    Advised::new(format!("unknown key `{name}` in `{}` of `{manifest}`", known.name), cure)
}

#[cfg(test)]
mod tests {
    use super::{PACKAGE, PackageTable, WORKSPACE, WorkspaceTable, read};
    use crate::ui::message::cures;
    use serde_json::{Value, json};

    #[test]
    fn values_of_a_package() {
        let check = |found: &Value, exclusive: bool| {
            let mut table = PackageTable::default();
            read(&PACKAGE, found, "/w/Cargo.toml", &mut table).expect("right");
            assert_eq!(table, PackageTable { exclusive }, "{found}");
        };
        check(&Value::Null, false);
        check(&json!({}), false);
        check(&json!({"exclusive": false}), false);
        check(&json!({"exclusive": true}), true);
    }

    #[test]
    fn mistakes_name_the_manifest_the_key_and_the_cure() {
        let check = |result: anyhow::Result<()>, what: &str, cure: &str| {
            let error = result.expect_err(what);
            assert_eq!((error.to_string().as_str(), cures(&error)), (what, vec![cure.to_owned()]));
        };
        let package = |found: Value| read(&PACKAGE, &found, "/w/a/Cargo.toml", &mut PackageTable::default());
        check(
            package(json!({"exclusiv": true})),
            "unknown key `exclusiv` in `[package.metadata.coverage]` of `/w/a/Cargo.toml`",
            "did you mean `exclusive`?",
        );
        check(
            package(json!({"zzz": true})),
            "unknown key `zzz` in `[package.metadata.coverage]` of `/w/a/Cargo.toml`",
            "this table has: exclusive",
        );
        check(
            package(json!({"exclusive": "yes"})),
            "`exclusive` is \"yes\" in `[package.metadata.coverage]` of `/w/a/Cargo.toml`",
            "`exclusive` takes `true` or `false`",
        );
        check(
            package(json!(true)),
            "`package.metadata.coverage` in `/w/a/Cargo.toml` is true, expected a table",
            "write the header `[package.metadata.coverage]` above its keys",
        );
        let workspace = |found: Value| read(&WORKSPACE, &found, "/w/Cargo.toml", &mut WorkspaceTable {});
        check(
            workspace(json!({"exclusive": true})),
            "unknown key `exclusive` in `[workspace.metadata.coverage]` of `/w/Cargo.toml`",
            "it belongs to `[package.metadata.coverage]`",
        );
        check(
            workspace(json!({"x": 1})),
            "unknown key `x` in `[workspace.metadata.coverage]` of `/w/Cargo.toml`",
            "this table has no keys",
        );
    }
}
