//! Starts the program in the package's directory, in another directory below it, and with one variable emptied.

// cov-file: excluded (a test target)

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
}

#[test]
fn emptied() {
    assert!(program().env("LLVM_PROFILE_FILE", "").status().unwrap().success());
}
