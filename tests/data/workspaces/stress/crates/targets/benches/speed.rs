//! A bench without a harness: `cargo test` runs its `main`.

// cov-file: excluded (a bench target)

fn main() { // cov: 1
    assert_eq!(targets::by_bench() + targets::by_all(), 15); // cov: 1
} // cov: 1
