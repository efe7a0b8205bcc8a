//! The dylib is an object without any count; the rlib inside this test has the counts.

// cov-file: excluded (a test target)

#[test]
fn linked() {
    assert_eq!(shared::twice(4) + shared::twice_generic(4_u64) as u32, 16);
}
