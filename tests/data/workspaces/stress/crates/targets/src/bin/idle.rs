//! Started by nobody.

fn main() { // cov: 0
    println!("idle"); // cov: 0
} // cov: 0
