// cov-file: absent (compiled by a test)
fn main() {
    assert_eq!(app::number!(by_rustc), 3);
    assert_eq!(app::in_ui_test(), 8);
}
