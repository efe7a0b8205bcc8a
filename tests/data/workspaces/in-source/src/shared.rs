//! Declared for tests and for others: it counts.

pub fn twice(number: u32) -> u32 { // cov: 1
    number * 2 // cov: 1
} // cov: 1
