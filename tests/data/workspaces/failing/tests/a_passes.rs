// cov-file: excluded (a test target)

#[test]
fn passes() {
    assert_eq!(failing::by_passing(), 1);
}

#[test]
#[ignore = "only on request"]
fn is_ignored() {
    assert_eq!(failing::by_ignored(), 5);
}
