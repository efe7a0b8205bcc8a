//! The other half.

// cov-file: excluded (a test target)

#[test]
fn above() {
    assert_eq!(single_crate::clamp(10, 0, 9), 9);
}
