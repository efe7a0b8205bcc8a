// cov-file: excluded (a test target)

#[test]
fn fails() {
    println!("printed by the test that fails");
    assert_eq!(failing::by_failing(), 3, "this test fails on purpose");
    failing::after_failing();
}

#[test]
fn passes_beside_it() {
    println!("printed by a test that passes");
}
