//! An integration test.

// cov-file: excluded (a test target)

#[test]
fn integration() {
    assert_eq!(app::double(3), 6);
}
