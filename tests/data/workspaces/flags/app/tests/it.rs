//! Links the library.

// cov-file: excluded (a test target)

#[test]
fn integration() {
    assert_eq!(app::wanted(), 1);
}
