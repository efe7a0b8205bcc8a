//! The same library, built without `cfg(test)`.

// cov-file: excluded (a test target)

#[test]
fn halves() {
    assert_eq!(modules::variant(1) + modules::shaped(1) + modules::shaped(2), 3 + 3 + 4);
    assert_eq!(modules::halves(false) + modules::only_integration(), 5);
}
