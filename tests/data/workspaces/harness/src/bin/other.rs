//! Another program, which nobody starts.

fn main() { // cov: 0
    println!("{}", harness::greet("other")); // cov: 0
} // cov: 0
