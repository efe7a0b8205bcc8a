//! A harness that speaks another language than libtest's: lists as JSON, refuses flags that it does not know, reports in TAP, and
//! runs each of its tests in a process of its own.

// cov-file: excluded (a test target)

use std::process::{exit, Command};

const TESTS: [(&str, fn()); 2] = [
    ("three", || assert_eq!(harnesses::by_custom_harness(0), 3)), // cov: 1
    ("four", || assert_eq!(harnesses::by_custom_harness(1), 4)), // cov: 1
];

fn main() { // cov: 3
    let arguments: Vec<String> = std::env::args().skip(1).collect(); // cov: 3
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] { // cov: 3
        [] => all(),
        ["--list"] => println!("[\"three\",\"four\"]"), // cov: 0
        ["run", name] => TESTS.iter().find(|test| test.0 == name).unwrap().1(),
        _ => exit(2), // cov: 0
    }
} // cov: 3

fn all() { // cov: 1
    println!("1..{}", TESTS.len()); // cov: 1
    for (number, (name, _)) in TESTS.iter().enumerate() {
        let own = std::env::current_exe().unwrap(); // cov: 2
        let status = Command::new(own).args(["run", name]).status().unwrap(); // cov: 2
        println!("{}ok {number} - {name}", if status.success() { "" } else { "not " });
        assert!(status.success());
    }
} // cov: 1
