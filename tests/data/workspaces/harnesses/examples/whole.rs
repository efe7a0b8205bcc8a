//! An example that is a test as a whole.

// cov-file: excluded (an example target)

fn main() { // cov: 1
    assert_eq!(harnesses::by_whole_example(), 5); // cov: 1
} // cov: 1
