#[test]
fn stores() {
    assert_eq!(store::store(1), 2);
}
