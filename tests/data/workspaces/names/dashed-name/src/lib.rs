//! The package has a dash, the crate an underscore.

pub fn dashed() -> u32 {
    50 // cov: 2
}
