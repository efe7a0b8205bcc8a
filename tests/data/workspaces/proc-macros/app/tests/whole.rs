//! A test without a harness, which to rustc is a program.

// cov-file: excluded (a test target)

#[macros::unchanged]
fn main() {
    assert_eq!(app::describe(), "Thing 7 8");
}
