//! Called by nobody, and in a piece of the library of its own.

pub fn never(value: u32) -> u32 { // cov: 0
    if value > 3 { // cov: 0
        return helper::unlinked::also_never(); // cov: 0
    } // cov: 0
    value // cov: 0
} // cov: 0

pub fn never_generic<T: Default>() -> T {
    T::default() // cov: 0
}
