//! Invokes a macro itself.

// cov-file: excluded (a test target)

#[test]
fn integration() {
    assert_eq!(app::describe().len(), macros::count_tokens!(1 2 3 4 5 6 7 8 9));
}
