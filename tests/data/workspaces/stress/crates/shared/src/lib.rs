//! One source in two objects, of which only one ever runs.

use std::ops::Mul;

pub fn twice(value: u32) -> u32 {
    value * 2 // cov: 1
}

pub fn twice_generic<T: Mul<Output = T> + From<u8>>(value: T) -> T {
    value * T::from(2) // cov: 1
}

pub fn unused(value: u32) -> u32 {
    value // cov: 0
}
