//! Two directories down.

pub fn there() -> u32 {
    2 // cov: 1
}
