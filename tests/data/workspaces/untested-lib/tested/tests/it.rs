//! Needs a part of the library.

// cov-file: excluded (a test target)

#[test]
fn linked() {
    assert_eq!(tested::linked(), 6);
}
