//! Has a generic function, which is compiled in another package's directory.

pub fn one<T: From<u8>>() -> T { // cov: 2
    T::from(1) // cov: 2
} // cov: 2

pub fn two() -> u32 {
    2 // cov: 0
}
