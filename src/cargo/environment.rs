//! Environments: the one that cargo is called in, and the one that a test process gets. Starts no process.
//!
//! `cargo run` adds a good deal to the environment of the program that it runs. Handed on to an inner cargo it makes
//! build scripts run again, handed on to a test it is plainly wrong: [`Environment`] takes it out once.
//! [`test_variables`] then puts in what cargo puts in for a test (`fill_env` in cargo's `compiler/compilation.rs`).

use crate::cargo::message::BuildScript;
use crate::cargo::outside;
use crate::cargo::workspace::Package;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables by name, sorted.
pub type Variables = BTreeMap<OsString, OsString>;

/// The variable that the system's loader reads for dynamic libraries (`dylib_path_envvar` in cargo).
pub const DYLIB_PATH: &str = if cfg!(windows) {
    "PATH"
} else if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else if cfg!(target_os = "aix") {
    "LIBPATH"
} else if cfg!(target_os = "haiku") {
    "LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

/// The user's environment: this process's own, without what an outer `cargo run` added.
///
/// What rustup's proxy added (`RUSTUP_TOOLCHAIN`, `CARGO_HOME`, `RUST_RECURSION_COUNT`, …) stays, because it is there
/// under a plain `cargo test` too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    variables: Variables,
    cargo: OsString,
    started_by: Option<OuterPackage>,
}

/// The package whose program this process is, when cargo started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuterPackage {
    /// The directory of its manifest.
    pub dir: PathBuf,
    /// Its name.
    pub name: String,
}

impl Environment {
    /// The environment of this process, scrubbed.
    pub fn inherited() -> Environment {
        Environment::scrub(env::vars_os())
    }

    /// `variables` without what `cargo run` and `show-env` add.
    pub fn scrub(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
        let mut variables: Variables = variables.into_iter().collect();
        outside::undo(&mut variables);
        let cargo = variables.get(OsStr::new("CARGO")).filter(|cargo| !cargo.is_empty());
        let cargo = cargo.cloned().unwrap_or_else(|| "cargo".into());
        let outer = |name: &str| variables.get(OsStr::new(name)).cloned();
        let started_by = outer("CARGO_MANIFEST_DIR")
            .zip(outer("CARGO_PKG_NAME"))
            .map(|(dir, name)| OuterPackage { dir: dir.into(), name: name.to_string_lossy().into_owned() });
        if started_by.is_some() {
            // From the build script of the package that was run.
            variables.remove(OsStr::new("OUT_DIR"));
            if let Some(value) = variables.remove(OsStr::new(DYLIB_PATH)) {
                let kept = without_cargo_s_libraries(&value);
                if !kept.is_empty() {
                    variables.insert(DYLIB_PATH.into(), kept);
                }
            }
        }
        variables.retain(|name, _| !name.to_str().is_some_and(is_set_by_cargo));
        Environment { variables, cargo, started_by }
    }

    /// The variables.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Sets `name` to `value`.
    pub fn insert(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Takes `name` out and returns what it was.
    pub fn remove(&mut self, name: &str) -> Option<OsString> {
        self.variables.remove(OsStr::new(name))
    }

    /// The cargo to call: the one that called us, else the one on the path.
    pub fn cargo(&self) -> &OsStr {
        &self.cargo
    }

    /// The package whose program this process is, when cargo started it.
    pub fn started_by(&self) -> Option<&OuterPackage> {
        self.started_by.as_ref()
    }

    /// A command that starts in this environment and no other.
    pub fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables);
        command
    }
}

/// Whether `cargo run` or `cargo test` sets `name` for the program that it starts, or for rustc.
fn is_set_by_cargo(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
        || ["CARGO", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR"].contains(&name)
        // Left by the profile runtime when this very process is instrumented; children would append to one file.
        || name == "__LLVM_PROFILE_RT_INIT_ONCE"
}

/// The library path without the front part that cargo put there.
///
/// That part always ends with the directory of the standard library, `<sysroot>/lib/rustlib/<triple>/lib`; what stands
/// behind it was there before. rustup's own `<sysroot>/lib` is one of those.
fn without_cargo_s_libraries(value: &OsStr) -> OsString {
    let entries: Vec<PathBuf> = env::split_paths(value).collect();
    let Some(last) = entries.iter().position(|entry| is_target_libdir(entry)) else {
        return value.to_owned();
    };
    env::join_paths(&entries[last + 1..]).unwrap_or_default()
}

/// Whether `path` is `…/lib/rustlib/<triple>/lib`.
fn is_target_libdir(path: &Path) -> bool {
    let mut names = path.components().rev().map(|component| component.as_os_str());
    names.next() == Some(OsStr::new("lib"))
        && names.next().is_some()
        && names.next() == Some(OsStr::new("rustlib"))
        && names.next() == Some(OsStr::new("lib"))
}

/// What a test process's environment depends on, besides its package and the user's environment.
#[derive(Clone, Copy, Debug)]
pub struct TestProcess<'a> {
    /// The value of `CARGO`.
    pub cargo: &'a OsStr,
    /// What the package's build script printed, if it has one.
    pub build_script: Option<&'a BuildScript>,
    /// The programs that the test finds in `CARGO_BIN_EXE_<name>`: those of its package for an integration test or a
    /// benchmark, else none.
    pub programs: &'a [(String, PathBuf)],
    /// The directories that cargo puts before the user's library path, in order.
    pub library_path: &'a [PathBuf],
    /// `[env]` of cargo's configuration, resolved: `force` and `relative` are applied.
    pub configured: &'a Variables,
}

/// The whole environment of a test process of `package`, as `cargo test` sets it.
///
/// The order is cargo's: the user's environment; the library path; the build script's variables; the package; then
/// `[env]`, which never replaces what cargo itself set; last the programs.
///
/// # Errors
/// When a directory of the library path holds the character that separates its entries.
pub fn test_variables(user: &Environment, package: &Package, process: &TestProcess<'_>) -> Result<Variables> {
    let mut own = Variables::new();
    own.insert(DYLIB_PATH.into(), library_path(user, process.library_path)?);
    if let Some(script) = process.build_script {
        own.extend(script.env.iter().map(|(name, value)| (name.into(), value.into())));
        own.insert("OUT_DIR".into(), script.out_dir.clone().into());
    }
    own.insert("CARGO".into(), process.cargo.to_owned());
    own.extend(package_variables(package));

    let mut variables = user.variables().clone();
    variables.extend(process.configured.clone());
    variables.extend(own);
    for (name, path) in process.programs {
        variables.insert(format!("CARGO_BIN_EXE_{name}").into(), path.clone().into());
    }
    Ok(variables)
}

/// `CARGO_MANIFEST_*` and `CARGO_PKG_*`; what the manifest does not say is empty.
fn package_variables(package: &Package) -> Variables {
    let version = Version::split(&package.version);
    let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
    let texts = [
        ("CARGO_PKG_NAME", package.name.clone()),
        ("CARGO_PKG_VERSION", package.version.clone()),
        ("CARGO_PKG_VERSION_MAJOR", version.major.to_owned()),
        ("CARGO_PKG_VERSION_MINOR", version.minor.to_owned()),
        ("CARGO_PKG_VERSION_PATCH", version.patch.to_owned()),
        ("CARGO_PKG_VERSION_PRE", version.pre.to_owned()),
        ("CARGO_PKG_AUTHORS", package.authors.join(":")),
        ("CARGO_PKG_DESCRIPTION", or_empty(&package.description)),
        ("CARGO_PKG_HOMEPAGE", or_empty(&package.homepage)),
        ("CARGO_PKG_REPOSITORY", or_empty(&package.repository)),
        ("CARGO_PKG_LICENSE", or_empty(&package.license)),
        ("CARGO_PKG_LICENSE_FILE", or_empty(&package.license_file)),
        ("CARGO_PKG_RUST_VERSION", or_empty(&package.rust_version)),
        ("CARGO_PKG_README", or_empty(&package.readme)),
    ];
    let mut variables: Variables =
        texts.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
    variables.insert("CARGO_MANIFEST_DIR".into(), package.dir.clone().into());
    variables.insert("CARGO_MANIFEST_PATH".into(), package.manifest_path.clone().into());
    variables
}

/// The parts of a semantic version, as text.
struct Version<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    pre: &'a str,
}

impl Version<'_> {
    fn split(version: &str) -> Version<'_> {
        let without_build = version.split_once('+').map_or(version, |(front, _)| front);
        let (numbers, pre) = without_build.split_once('-').unwrap_or((without_build, ""));
        let mut numbers = numbers.split('.');
        let mut next = || numbers.next().unwrap_or("");
        Version { major: next(), minor: next(), patch: next(), pre }
    }
}

/// Cargo's directories, then the user's; on macOS the loader's defaults too, which setting the variable switches off.
fn library_path(user: &Environment, front: &[PathBuf]) -> Result<OsString> {
    let inherited: Vec<PathBuf> =
        user.get(DYLIB_PATH).map(|value| env::split_paths(value).collect()).unwrap_or_default();
    let mut entries = if inherited.starts_with(front) { Vec::new() } else { front.to_vec() };
    let nothing_inherited = inherited.is_empty();
    entries.extend(inherited);
    if cfg!(target_os = "macos") && nothing_inherited {
        entries.extend(user.get("HOME").map(|home| Path::new(home).join("lib")));
        entries.extend(["/usr/local/lib", "/usr/lib"].map(PathBuf::from));
    }
    env::join_paths(&entries).with_context(|| format!("failed to set `{DYLIB_PATH}` for a test"))
}

#[cfg(test)]
mod tests;
