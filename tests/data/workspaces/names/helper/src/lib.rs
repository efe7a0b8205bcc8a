//! The dependency.

pub fn help() -> u32 {
    10 // cov: 2
}
