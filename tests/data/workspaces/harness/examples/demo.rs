//! An example, which is a program too.

// cov-file: excluded (an example target)

fn main() { // cov: 0
    println!("{}", harness::greet("")); // cov: 0
} // cov: 0
