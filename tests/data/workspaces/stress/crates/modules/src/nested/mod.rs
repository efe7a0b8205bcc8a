//! A directory module.

pub mod deeper;

pub fn here() -> u32 {
    1 // cov: 1
}

pub fn unseen() -> u32 {
    11 // cov: 0
}
