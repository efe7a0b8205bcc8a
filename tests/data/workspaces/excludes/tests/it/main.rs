//! A test target that is a directory.

// cov-file: excluded (a test target)

mod part;

#[test]
fn all() { // cov: 1
    assert_eq!(part::sum(), 14); // cov: 1
} // cov: 1
