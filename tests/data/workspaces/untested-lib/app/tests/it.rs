//! The only test of the library.

// cov-file: excluded (a test target)

#[test]
fn linked() {
    assert_eq!(app::linked::one() + app::linked::generic::<u32>() + helper::linked(), 8);
}

#[test]
fn again() {
    assert_eq!(app::linked::one(), 1);
}
