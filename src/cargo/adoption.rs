//! What cargo says of a workspace whose manifests are about to change, before and after. Cargo is called in the workspace's own
//! directory, so that the configuration there is read too.

use crate::cargo::environment::Environment;
use crate::cargo::toolchain::Toolchain;
use crate::cargo::workspace::{Package, Workspace};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

/// The workspace that `directory` is in. Nothing is resolved or written.
///
/// # Errors
/// There is none, or cargo cannot read it.
pub fn workspace_at(directory: &Path, offline: bool) -> Result<Workspace> {
    let environment = Environment::inherited();
    let toolchain = Toolchain::discover(&environment)?;
    read(directory, environment, toolchain, &["--no-deps"], offline)
}

/// The same after cargo has brought `Cargo.lock` up to date: what is in it stays as far as it
/// can, what is missing is added. What this machine
/// needs to build the workspace is downloaded.
///
/// # Errors
/// As for [`workspace_at`]; also when cargo cannot resolve the dependencies.
pub fn resolve(root: &Path, offline: bool) -> Result<Workspace> {
    let environment = Environment::inherited();
    let toolchain = Toolchain::discover(&environment)?;
    let host = toolchain.host.clone();
    read(root, environment, toolchain, &["--filter-platform", &host], offline)
}

/// The files that `cargo package` puts into a package, as cargo lists them; `None` where it does not, for example because the
/// package cannot be published as it is. A target directory that was not there is not there afterwards.
pub fn packed_files(package: &Package, target_dir: &Path, offline: bool) -> Option<BTreeSet<String>> {
    let arguments = ["package", "--list", "--allow-dirty", "--quiet", "--package", &package.id];
    let was_there = target_dir.exists();
    let output = call(&Environment::inherited(), &package.dir, &arguments, offline);
    if !was_there {
        for made in ["CACHEDIR.TAG", ".rustc_info.json"] {
            _ = fs::remove_file(target_dir.join(made));
        }
        // Somebody may build there meanwhile.
        _ = fs::remove_dir(target_dir);
    }
    let output = output.ok()?;
    let listed = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(listed.lines().map(str::to_owned).collect())
}

fn read(
    directory: &Path,
    environment: Environment,
    toolchain: Toolchain,
    arguments: &[&str],
    offline: bool,
) -> Result<Workspace> {
    let arguments = [&["metadata", "--format-version", "1"], arguments].concat();
    let output = call(&environment, directory, &arguments, offline)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        // What it does meanwhile is said in front.
        let said = said.find("error: ").map_or(said.trim(), |at| said[at + "error: ".len()..].trim());
        bail!("`cargo metadata` said: {said}");
    }
    let metadata = serde_json::from_slice(&output.stdout).context("`cargo metadata` did not print JSON")?;
    Workspace::from_metadata(&metadata, toolchain, environment)
        .context("failed to read what `cargo metadata` printed")
}

fn call(environment: &Environment, directory: &Path, arguments: &[&str], offline: bool) -> Result<Output> {
    let mut command = environment.command(environment.cargo());
    command.current_dir(directory).args(arguments).args(offline.then_some("--offline")).stdin(Stdio::null());
    command.output().with_context(|| format!("failed to run `{}`", Path::new(environment.cargo()).display()))
}
