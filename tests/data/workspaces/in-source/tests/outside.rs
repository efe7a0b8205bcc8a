//! What is not compiled for unit tests is compiled for this. // cov-file: excluded

#[test]
fn plain_is_called() {
    assert_eq!(in_source::items::plain(), 5);
}
