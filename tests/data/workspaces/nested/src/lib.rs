//! A library whose build and whose test start cargo themselves.

use std::path::Path;
use std::process::Command;

pub fn output(program: &Path) -> String { // cov: 2
    let output = Command::new(program).output().unwrap(); // cov: 2
    String::from_utf8(output.stdout).unwrap().trim_end().to_string() // cov: 2
} // cov: 2
