//! Starts the program directly and through a shell, by its path and as a sibling, in the package's directory, below it and in a
//! temporary one, with the environment as it is, emptied, and with one variable emptied.

// cov-file: excluded (a test target)

use std::path::PathBuf;
use std::process::Command;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_clear-env"))
}

#[test]
fn in_package() {
    assert!(program().arg("in-package").env_clear().status().unwrap().success());
}

#[test]
fn elsewhere() {
    assert!(program().arg("elsewhere").env_clear().current_dir("sub").status().unwrap().success());
    assert!(program().arg("elsewhere").env_clear().current_dir("sub/sub").status().unwrap().success());
}

#[test]
fn temporary() {
    let directory = env!("CARGO_TARGET_TMPDIR");
    assert!(program().arg("temporary").env_clear().current_dir(directory).status().unwrap().success());
}

#[test]
fn emptied() {
    assert!(program().env("LLVM_PROFILE_FILE", "").status().unwrap().success());
}

/// A shell that goes elsewhere first: a relative path in the variable would lead nowhere.
#[test]
#[cfg(unix)]
fn through_a_shell() {
    let shell = |script: &str| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).env("PROGRAM", env!("CARGO_BIN_EXE_clear-env"));
        assert!(command.status().unwrap().success());
    };
    shell("cd sub && $PROGRAM shell");
    shell("cd sub && env -i $PROGRAM shell");
}

#[test]
#[cfg(not(unix))]
fn through_a_shell() {
    assert!(program().arg("shell").status().unwrap().success());
    assert!(program().arg("shell").status().unwrap().success());
}

/// As those find a program that do not know of `CARGO_BIN_EXE_*`.
#[test]
fn beside_this_test() {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push(format!("clear-env{}", std::env::consts::EXE_SUFFIX));
    // Since cargo 1.100 tests do not lie near the programs.
    let path = if path.exists() { path } else { env!("CARGO_BIN_EXE_clear-env").into() };
    assert!(Command::new(path).arg("beside").status().unwrap().success());
}
