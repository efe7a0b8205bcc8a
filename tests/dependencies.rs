//! What this repository builds on: licences, origins and versions of its dependencies, and that none of its own code is unsafe.
//! Needs cargo alone; `.ci/deny.toml` says the same to cargo-deny, which also knows advisories.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("failed to read `{}`: {error}", path.display()))
}

/// What cargo says about the packages that are built on this machine. Those of other systems need not be there to be asked about.
fn metadata() -> Value {
    let output = |command: &mut Command| {
        let output = command.output().expect("starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = output(Command::new(rustc).arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version=1", "--all-features", "--locked", "--offline"]);
    let text = output(command.args(["--filter-platform", host]).current_dir(root()));
    serde_json::from_str(&text).expect("JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Whether one of the alternatives of a licence is allowed. What is to hold all at once is for a person to judge.
fn is_allowed(licence: &str, allowed: &[&str]) -> bool {
    licence.split(" OR ").flat_map(|part| part.split('/')).any(|part| allowed.contains(&part.trim()))
}

#[test]
fn licences_are_allowed() {
    let configuration = read(".ci/deny.toml");
    let list =
        configuration.lines().find_map(|line| line.strip_prefix("allow = ")).expect("a list of licences");
    let list: Value = serde_json::from_str(list).expect("a list of strings");
    let allowed: Vec<&str> = list.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(is_allowed("MIT/Apache-2.0", &allowed) && is_allowed("0BSD OR MIT", &allowed));
    assert!(
        !is_allowed("", &allowed)
            && !is_allowed("GPL-3.0-only", &allowed)
            && !is_allowed("MIT AND BSL-1.0", &allowed)
    );

    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 10, "{} packages", packages.len());
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !is_allowed(text(package, "license"), &allowed))
        .map(|package| {
            format!("{} {}: `{}`", text(package, "name"), text(package, "version"), text(package, "license"))
        })
        .collect();
    assert!(refused.is_empty(), "licences that `.ci/deny.toml` does not allow:\n{}", refused.join("\n"));
}

/// What a line of a lock file gives a key.
fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

#[test]
fn each_dependency_comes_once_and_from_the_registry() {
    let lock = read("Cargo.lock");
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key| package.lines().find_map(|line| quoted(line, key));
        let name = value("name").expect("a name");
        versions.entry(name).or_default().push(value("version").expect("a version"));
        // Our own have none. Of all others the content is known.
        if let Some(source) = value("source") {
            assert!(
                source.starts_with("registry+") && source.ends_with("/crates.io-index"),
                "{name}: {source}"
            );
            assert!(value("checksum").is_some_and(|sum| sum.len() == 64), "{name}: no checksum");
        }
    }
    assert!(versions.contains_key("anyhow"), "the file is read");
    versions.retain(|_, versions| versions.len() > 1);
    assert!(versions.is_empty(), "several versions of a crate are built: {versions:?}");
}

#[test]
fn none_of_our_code_is_unsafe() {
    let denied = read("Cargo.toml")
        .lines()
        .any(|line| matches!(line, "unsafe_code = \"deny\"" | "unsafe_code = \"forbid\""));
    assert!(denied, "`[workspace.lints.rust]` denies unsafe code");
    let metadata = metadata();
    let members: Vec<&str> =
        metadata["workspace_members"].as_array().expect("members").iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    let mut n_files = 0;
    for package in packages.filter(|package| members.contains(&text(package, "id"))) {
        let manifest = text(package, "manifest_path");
        assert!(
            read(manifest).contains("[lints]\nworkspace = true\n"),
            "`{manifest}` takes the workspace's lints"
        );
        let targets = package["targets"].as_array().expect("targets").iter();
        for source in targets.flat_map(|target| sources_beside(Path::new(text(target, "src_path")))) {
            // Nobody makes an exception. This file has the word, too.
            let is_exception =
                source != root().join("tests/dependencies.rs") && read(&source).contains("unsafe_code");
            assert!(!is_exception, "`{}` names the lint", source.display());
            n_files += 1;
        }
    }
    assert!(n_files > 100, "{n_files} files");
}

/// A file and all Rust sources in directories below its own, but for fixtures.
fn sources_beside(file: &Path) -> Vec<PathBuf> {
    let mut sources = vec![file.to_owned()];
    let mut pending: Vec<PathBuf> = file.parent().map(Path::to_owned).into_iter().collect();
    while let Some(directory) = pending.pop() {
        for entry in
            fs::read_dir(&directory).expect("a directory").map(|entry| entry.expect("an entry").path())
        {
            if entry.is_dir() && entry != root().join("tests/data") {
                pending.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                sources.push(entry);
            }
        }
    }
    sources
}
