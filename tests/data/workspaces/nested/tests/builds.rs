//! Runs the inner program as the build script built it, and builds it once more.

// cov-file: excluded (a test target)

use std::path::Path;
use std::process::Command;

const SAYS: &str = "from the inner workspace";

#[test]
fn as_built_before() {
    assert_eq!(nested::output(Path::new(env!("INNER_BY_BUILD_SCRIPT"))), SAYS);
}

#[test]
fn builds_itself() {
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inner");
    let status = Command::new(std::env::var_os("CARGO").unwrap())
        .args(["build", "--quiet", "--offline", "--manifest-path", "inner/Cargo.toml", "--target-dir"])
        .arg(&target_dir)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(nested::output(&target_dir.join("debug/inner")), SAYS);
}
