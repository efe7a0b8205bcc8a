//! Links the library as built without `cfg(test)`.

// cov-file: excluded (a test target)

#[test]
fn instantiations() {
    assert_eq!(generics::pair(&1_u8), (1, 1));
    assert_eq!(generics::only_integration(1_u8), "<1>");
    assert_eq!(generics::inlined(1), 2);
}
