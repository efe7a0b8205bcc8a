// cov-file: excluded (a test target)

#[test]
fn writes_the_file() {
    assert_eq!(first::one(), 1);
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/first-has-run"), "").unwrap();
}
