//! Test code at an odd place. // cov-file: excluded

#[test]
fn shared_code_is_called() {
    assert_eq!(crate::shared::twice(4), 8);
    assert_eq!(crate::deep::inner::half(8), 4);
}
