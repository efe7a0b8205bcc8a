//! What its tests ran before they hung or left something behind.

pub fn before_the_hang() -> u32 { // cov: 1
    1 // cov: 1
} // cov: 1

pub fn after_the_hang() -> u32 { // cov: 0
    2 // cov: 0
} // cov: 0
