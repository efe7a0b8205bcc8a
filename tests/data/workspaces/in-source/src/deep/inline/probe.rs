//! In the directory of an inline module. // cov-file: excluded

#[test]
fn identity_is_called() {
    assert_eq!(super::identity(3), 3);
}
