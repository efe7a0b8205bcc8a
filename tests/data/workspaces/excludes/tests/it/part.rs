//! A module of a test target.

// cov-file: excluded (a module of a test target)

pub fn sum() -> u32 { // cov: 1
    excludes::all() // cov: 1
} // cov: 1
