//! Fails when another test has the lock.

// cov-file: excluded (a test target)

#[test]
fn second() {
    lock::hold(env!("CARGO_TARGET_TMPDIR"));
}
