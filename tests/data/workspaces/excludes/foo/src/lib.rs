//! A package that `--exclude foo` leaves out.

pub fn count() -> u32 { // cov: 4
    1 // cov: 4
} // cov: 4
