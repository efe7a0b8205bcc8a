#[test]
fn links() {
    use untouched as _;
}
