//! Called by the test.

pub fn one() -> u32 {
    1 // cov: 2
}

pub fn beside_it() -> u32 {
    2 // cov: 0
}

pub fn generic<T: From<u8>>() -> T {
    T::from(3) // cov: 1
}
