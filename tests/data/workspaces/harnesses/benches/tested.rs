//! A bench under libtest's harness.

// cov-file: excluded (a bench target)

#[test]
fn bench() { // cov: 1
    assert_eq!(harnesses::by_bench_test(), 7); // cov: 1
} // cov: 1
