//! Run by a test binary that leaves a profile, and by one that does not.

pub fn counted() -> u32 {
    1 // cov: 1
}

pub fn lost() -> u32 {
    2 // cov: 0
}
