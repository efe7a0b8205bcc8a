//! A test that is a program: it passes when it exits with 0, and prints nothing.

// cov-file: excluded (a test target)

fn main() { // cov: 1
    assert_eq!(harnesses::by_plain_test(), 2); // cov: 1
    if let Some(code) = std::env::var_os("PLAIN_EXITS_WITH") { // cov: 1
        std::process::exit(code.to_str().unwrap().parse().unwrap()); // cov: 0
    }
} // cov: 1
