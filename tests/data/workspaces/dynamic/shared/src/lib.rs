//! A Rust dylib. Its functions count in the library, its generics in whatever instantiates them.

use std::ops::Mul;

pub fn twice(value: u32) -> u32 { // cov: 4
    if value > 10 { // cov: 4
        return value; // cov: 1
    }
    value * 2 // cov: 3
} // cov: 4

pub fn twice_generic<T: Mul<Output = T> + From<u8>>(value: T) -> T {
    value * T::from(2) // cov: 2
}

pub fn unused(value: u32) -> u32 {
    value // cov: 0
}
