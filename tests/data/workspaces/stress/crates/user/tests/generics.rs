//! Instantiates the generics of a crate two steps away.

// cov-file: excluded (a test target)

#[test]
fn instantiations() {
    assert_eq!(generics::pair(&7_i64), (7, 7));
    assert_eq!(generics::by_size(7_i64), "wide");
    assert_eq!(user::elsewhere(), (0, 0, String::new()));
}
