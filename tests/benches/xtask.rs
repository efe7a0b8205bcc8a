//! What the tools in this directory share: our program as the alias builds it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// Builds the package `xtask` of this repository in debug mode, as `cargo xtask` does, and returns its program.
pub(crate) fn build() -> Result<PathBuf> {
    let sh = Shell::new()?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    cmd!(sh, "cargo build --quiet --package xtask --manifest-path {manifest}").quiet().run()?;
    let metadata =
        cmd!(sh, "cargo metadata --no-deps --format-version 1 --manifest-path {manifest}").quiet().read()?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target_dir = metadata["target_directory"].as_str().context("no target directory")?;
    Ok(Path::new(target_dir).join("debug").join(format!("xtask{}", std::env::consts::EXE_SUFFIX)))
}
