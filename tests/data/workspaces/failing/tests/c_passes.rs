// cov-file: excluded (a test target)

#[test]
fn passes_later() {
    assert_eq!(failing::by_later(), 4);
}
