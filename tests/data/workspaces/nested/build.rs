//! Builds another workspace while cargo builds this one, and inherits whatever cargo was started with: a build directory
//! named in the environment would be the one that the outer cargo holds the lock of, and neither would ever end.

// cov-file: absent (build scripts are not measured)

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=inner/src");
    let target_dir = PathBuf::from(std::env::var_os("OUT_DIR").unwrap()).join("inner");
    let status = Command::new(std::env::var_os("CARGO").unwrap())
        .args(["build", "--quiet", "--offline", "--manifest-path", "inner/Cargo.toml", "--target-dir"])
        .arg(&target_dir)
        .status()
        .unwrap();
    assert!(status.success());
    println!("cargo::rustc-env=INNER_BY_BUILD_SCRIPT={}", target_dir.join("debug/inner").display());
}
