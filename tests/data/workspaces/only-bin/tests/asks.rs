//! Starts the program with and without a question.

// cov-file: excluded (a test target)

use std::process::Command;

#[test]
fn asks() {
    let output = Command::new(env!("CARGO_BIN_EXE_only-bin")).arg("why").output().unwrap();
    assert_eq!(output.stdout, b"3\n");
}

#[test]
fn forgets_to_ask() {
    let output = Command::new(env!("CARGO_BIN_EXE_only-bin")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
