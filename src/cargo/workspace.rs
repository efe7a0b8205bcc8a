//! The workspace as `cargo metadata` describes it: directories, members, their targets. Builds nothing.

use crate::cargo::environment::Environment;
use crate::cargo::json::{flag, list, optional_text, path, text, texts};
use crate::cargo::toolchain::Toolchain;
use crate::layout::Layout;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use xshell::Shell;

/// What decides which workspace is found and how cargo reads it.
#[derive(Clone, Debug, Default)]
pub struct DiscoverOptions {
    /// `--manifest-path`; without it, cargo searches from the current directory upwards.
    pub manifest_path: Option<PathBuf>,
    /// `--target-dir`, stronger than `CARGO_TARGET_DIR` and the configuration.
    pub target_dir: Option<PathBuf>,
    /// `--locked`.
    pub locked: bool,
    /// `--offline`.
    pub offline: bool,
    /// `--frozen`.
    pub frozen: bool,
    /// Each `--config KEY=VALUE` or `--config FILE`.
    pub config: Vec<String>,
}

/// A workspace, the toolchain that builds it and the environment that cargo is called in.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The directory of the workspace's manifest.
    pub root: PathBuf,
    /// Where cargo leaves finished programs for the user.
    pub target_dir: PathBuf,
    /// Where cargo keeps intermediate files; `None` for a cargo before 1.91, which has no such directory of its own.
    pub build_dir: Option<PathBuf>,
    /// The packages of the workspace, in cargo's order.
    pub members: Vec<Package>,
    /// The ids of those members that cargo takes when it is told of none: `default-members`, or the package in whose directory it
    /// is called.
    pub default_members: Vec<String>,
    /// `[workspace.metadata.coverage]`; `null` when there is none.
    pub coverage: Value,
    /// The member that runs this very code (see [`Workspace::discover`]), as an index into `members`.
    pub xtask: Option<usize>,
    /// The compiler.
    pub toolchain: Toolchain,
    /// The environment for cargo and for tests.
    pub environment: Environment,
}

/// A member of the workspace, with what its manifest says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    /// Cargo's opaque package id, as its messages repeat it.
    pub id: String,
    /// The name in the manifest.
    pub name: String,
    /// The version in full: `1.2.3-beta.1+build`.
    pub version: String,
    /// The path of its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// The directory of its `Cargo.toml`: the working directory of its tests.
    pub dir: PathBuf,
    /// Its libraries, programs, tests and so on.
    pub targets: Vec<CargoTarget>,
    /// `authors`.
    pub authors: Vec<String>,
    /// `description`.
    pub description: Option<String>,
    /// `homepage`.
    pub homepage: Option<String>,
    /// `repository`.
    pub repository: Option<String>,
    /// `license`.
    pub license: Option<String>,
    /// `license-file`, as written.
    pub license_file: Option<String>,
    /// `rust-version`.
    pub rust_version: Option<String>,
    /// `readme`, as written or as cargo found it.
    pub readme: Option<String>,
    /// `default-run`.
    pub default_run: Option<String>,
    /// `[package.metadata.coverage]`; `null` when there is none.
    pub coverage: Value,
}

/// What a cargo target is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CargoTargetKind {
    /// A library of any crate type but proc-macro.
    Lib,
    /// A proc-macro.
    ProcMacro,
    /// A program.
    Bin,
    /// An integration test.
    Test,
    /// A benchmark.
    Bench,
    /// An example, program or library.
    Example,
    /// `build.rs`.
    BuildScript,
}

/// A library, program, test, benchmark, example or build script of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CargoTarget {
    /// The name in the manifest; the crate's name has `_` for each `-`.
    pub name: String,
    /// What it is for.
    pub kind: CargoTargetKind,
    /// `lib`, `rlib`, `cdylib`, `bin`, …
    pub crate_types: Vec<String>,
    /// The path of its root module.
    pub src_path: PathBuf,
    /// `2015`, `2018`, `2021`, `2024`.
    pub edition: String,
    /// Whether `cargo test` builds it as a test.
    pub test: bool,
    /// Whether rustdoc runs its examples.
    pub doctest: bool,
    /// Features without which it is not built. Cargo's build messages leave them out.
    pub required_features: Vec<String>,
}

impl Workspace {
    /// Asks cargo for the workspace and rustc for the toolchain, in this process's environment.
    ///
    /// The member that runs this code is the package for which an outer `cargo run` set `CARGO_MANIFEST_DIR`, else the
    /// one called `xtask`. It is left out of a default build; a package that is alone in its workspace is not.
    ///
    /// # Errors
    /// When there is no manifest, when cargo cannot read it, or when rustc does not answer.
    pub fn discover(options: &DiscoverOptions) -> Result<Workspace> {
        let environment = Environment::inherited();
        let metadata = read_metadata(&environment, options)?;
        let toolchain = Toolchain::discover(&environment)?;
        Workspace::from_metadata(&metadata, toolchain, environment)
            .context("failed to read what `cargo metadata` printed")
    }

    /// The workspace that `metadata`, the output of `cargo metadata --no-deps`, describes.
    ///
    /// # Errors
    /// When a field that every cargo writes is missing.
    pub fn from_metadata(
        metadata: &Value,
        toolchain: Toolchain,
        environment: Environment,
    ) -> Result<Workspace> {
        let ids = texts(metadata, "workspace_members");
        let mut members = Vec::new();
        for package in list(metadata, "packages") {
            let package = Package::parse(package)?;
            if ids.contains(&package.id) {
                members.push(package);
            }
        }
        let outer = environment.started_by();
        let xtask = members
            .iter()
            .position(|member| {
                outer.is_some_and(|outer| member.dir == outer.dir && member.name == outer.name)
            })
            .or_else(|| members.iter().position(|member| member.name == "xtask"))
            .filter(|_| members.len() > 1);
        Ok(Workspace {
            root: path(metadata, "workspace_root")?,
            target_dir: path(metadata, "target_directory")?,
            build_dir: optional_text(metadata, "build_directory").map(PathBuf::from),
            members,
            default_members: texts(metadata, "workspace_default_members"),
            coverage: coverage_table(metadata),
            xtask,
            toolchain,
            environment,
        })
    }

    /// Where this library keeps its files for this workspace.
    pub fn layout(&self) -> Layout {
        Layout::new(&self.target_dir)
    }

    /// The member with cargo's package id `id`.
    pub fn member(&self, id: &str) -> Option<&Package> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The member that runs this code, if it is one of several.
    pub fn xtask_package(&self) -> Option<&Package> {
        self.xtask.and_then(|index| self.members.get(index))
    }

    /// What tests find in `CARGO`: the program itself, not the proxy that rustup puts before it.
    pub fn cargo_program(&self) -> OsString {
        let beside_rustc =
            self.toolchain.sysroot.join("bin").join(format!("cargo{}", std::env::consts::EXE_SUFFIX));
        if self.environment.cargo() == OsStr::new("cargo") && beside_rustc.is_file() {
            return beside_rustc.into_os_string();
        }
        self.environment.cargo().to_owned()
    }
}

impl Package {
    /// A package as `cargo metadata` describes it.
    ///
    /// # Errors
    /// When a field that every cargo writes is missing.
    pub fn parse(value: &Value) -> Result<Package> {
        let manifest_path = path(value, "manifest_path")?;
        let dir = manifest_path.parent().context("`manifest_path` has no directory")?.to_owned();
        Ok(Package {
            id: text(value, "id")?,
            name: text(value, "name")?,
            version: text(value, "version")?,
            manifest_path,
            dir,
            targets: list(value, "targets").iter().map(CargoTarget::parse).collect::<Result<_>>()?,
            authors: texts(value, "authors"),
            description: optional_text(value, "description"),
            homepage: optional_text(value, "homepage"),
            repository: optional_text(value, "repository"),
            license: optional_text(value, "license"),
            license_file: optional_text(value, "license_file"),
            rust_version: optional_text(value, "rust_version"),
            readme: optional_text(value, "readme"),
            default_run: optional_text(value, "default_run"),
            coverage: coverage_table(value),
        })
    }
}

impl CargoTarget {
    /// A target as both `cargo metadata` and the build messages describe it.
    ///
    /// # Errors
    /// When a field that every cargo writes is missing.
    pub fn parse(value: &Value) -> Result<CargoTarget> {
        Ok(CargoTarget {
            name: text(value, "name")?,
            kind: CargoTargetKind::of(&texts(value, "kind")),
            crate_types: texts(value, "crate_types"),
            src_path: path(value, "src_path")?,
            edition: text(value, "edition")?,
            test: flag(value, "test", false),
            doctest: flag(value, "doctest", false),
            required_features: texts(value, "required-features"),
        })
    }

    /// The name that rustc knows the crate by.
    pub fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }
}

impl CargoTargetKind {
    /// The kind that cargo's list of words means: `["test"]`, or for a library its crate types.
    fn of(words: &[String]) -> CargoTargetKind {
        match words.first().map(String::as_str) {
            Some("bin") => CargoTargetKind::Bin,
            Some("test") => CargoTargetKind::Test,
            Some("bench") => CargoTargetKind::Bench,
            Some("example") => CargoTargetKind::Example,
            Some("custom-build") => CargoTargetKind::BuildScript,
            Some("proc-macro") => CargoTargetKind::ProcMacro,
            _ => CargoTargetKind::Lib,
        }
    }
}

/// The output of `cargo metadata`. It takes about 10 ms, because `--no-deps` resolves nothing.
fn read_metadata(environment: &Environment, options: &DiscoverOptions) -> Result<Value> {
    let output = call_metadata(environment, options, &["--no-deps"])?;
    serde_json::from_slice(&output).with_context(|| {
        format!("`{} metadata` did not print JSON", Path::new(environment.cargo()).display())
    })
}

/// What `cargo metadata` prints with these arguments besides those of `options`.
pub(super) fn call_metadata(
    environment: &Environment,
    options: &DiscoverOptions,
    arguments: &[&str],
) -> Result<Vec<u8>> {
    let shell = Shell::new().context("failed to find the current directory")?;
    let mut command = shell
        .cmd(environment.cargo())
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .env_clear()
        .envs(environment.variables());
    if let Some(manifest_path) = &options.manifest_path {
        check_manifest_path(manifest_path)?;
        command = command.arg("--manifest-path").arg(manifest_path);
    }
    if let Some(target_dir) = &options.target_dir {
        // `cargo metadata` has no `--target-dir`; the variable means the same to it.
        command = command.env("CARGO_TARGET_DIR", std::path::absolute(target_dir)?);
    }
    for (yes, argument) in
        [(options.locked, "--locked"), (options.offline, "--offline"), (options.frozen, "--frozen")]
    {
        if yes {
            command = command.arg(argument);
        }
    }
    for setting in &options.config {
        command = command.arg("--config").arg(setting);
    }
    let cargo = Path::new(environment.cargo()).display();
    let output = command
        .quiet()
        .ignore_status()
        .output()
        .with_context(|| format!("failed to run `{cargo} metadata`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().strip_prefix("error: ").unwrap_or(said.trim());
        if said.starts_with("could not find `Cargo.toml`") {
            bail!("{said}; run this inside a workspace, or name one with `--manifest-path PATH/Cargo.toml`");
        }
        bail!("failed to read the workspace: `cargo metadata` said: {said}");
    }
    Ok(output.stdout)
}

/// Says what is wrong with a `--manifest-path` before cargo says it less clearly.
fn check_manifest_path(manifest_path: &Path) -> Result<()> {
    let shown = manifest_path.display();
    if manifest_path.is_dir() {
        bail!(
            "`--manifest-path {shown}` is a directory, expected the path of a `Cargo.toml`: try `{}`",
            manifest_path.join("Cargo.toml").display()
        );
    }
    if !manifest_path.is_file() {
        bail!("`--manifest-path {shown}` does not exist, expected the path of a `Cargo.toml`");
    }
    Ok(())
}

/// `metadata.coverage` of a package or of the whole workspace.
fn coverage_table(value: &Value) -> Value {
    value.get("metadata").and_then(|metadata| metadata.get("coverage")).cloned().unwrap_or(Value::Null)
}

#[cfg(test)]
pub(super) mod tests;
