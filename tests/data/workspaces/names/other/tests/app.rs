//! A second test target `app` with a second test `same`: only the package tells them apart.

#[test]
fn same() {
    assert_eq!(other::other(), 60);
}
