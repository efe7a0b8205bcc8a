//! Started by the integration test, which hands its own library path on.

fn main() { // cov: 1
    println!("{}", shared::twice(11)); // cov: 1
} // cov: 1
