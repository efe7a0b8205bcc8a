//! A build script of two files. Its latest run counts, also when cargo has no reason to run it again.

mod names;

fn main() { // cov: 1
    println!("cargo::rerun-if-changed=input.txt"); // cov: 1
    let input = std::fs::read_to_string("input.txt").unwrap(); // cov: 1
    let name = if input.trim() == "one" { // cov: 1
        names::one() // cov: 1
    } else {
        names::other() // cov: 0
    };
    println!("cargo::rustc-env=NAME={}", support::doubled(name)); // cov: 1
} // cov: 1
