//! Starts the binary.

// cov-file: excluded (a test target)

mod parts;

use std::process::Command;

#[test]
fn library() { // cov: 1
    assert_eq!(targets::by_integration_test(), 2); // cov: 1
} // cov: 1

#[test]
fn binary() { // cov: 1
    let tool = env!("CARGO_BIN_EXE_tool"); // cov: 1
    let output = Command::new(tool).arg("eleven").output().unwrap(); // cov: 1
    assert_eq!(parts::text(output.stdout), "eleven 11"); // cov: 1
    assert_eq!(Command::new(tool).status().unwrap().code(), Some(11)); // cov: 1
} // cov: 1
