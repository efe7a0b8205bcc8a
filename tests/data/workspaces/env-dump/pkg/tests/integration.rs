//! An integration test, which has what a unit test has and the paths of the binaries.

// cov-file: excluded (a test target)

#[test]
fn integration() {
    env_dump::write("integration");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_env-dump")).arg("an argument").status().unwrap();
    assert!(status.success());
}

#[test]
fn reads_what_the_build_script_wrote() {
    let written = std::path::Path::new(env!("OUT_DIR")).join("written.txt");
    assert_eq!(std::fs::read_to_string(written).unwrap(), "by the build script");
    // Relative to the package, as every path in a test is.
    assert!(std::path::Path::new("READ ME.md").exists());
}
