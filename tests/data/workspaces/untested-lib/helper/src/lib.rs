//! A library without any tests at all.

pub mod unlinked;

pub fn linked() -> u32 {
    4 // cov: 1
}
