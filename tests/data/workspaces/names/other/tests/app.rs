//! A second test target `app` with a second test `same`: only the package tells them apart.

// cov-file: excluded (a test target)

#[test]
fn same() {
    assert_eq!(other::other(), 60);
}
