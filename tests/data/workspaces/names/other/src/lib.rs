//! Has a test of a name that another package's test has.

pub fn other() -> u32 {
    60 // cov: 1
}
