//! Test code, though nothing in its name says so. // cov-file: excluded

mod nested;

#[test]
fn the_sum() {
    assert_eq!(crate::items::add(1, 2), nested::three());
}
