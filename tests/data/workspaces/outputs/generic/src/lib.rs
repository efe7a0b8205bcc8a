//! Functions that the compiler copies.

use std::fmt::Debug;

/// Copied in two test binaries, for three types.
pub fn shown<T: Debug, const N: usize>(values: [T; N]) -> String { // cov: 3
    format!("{values:?}") // cov: 3
} // cov: 3

/// Copied nowhere.
pub fn unused<T: Debug>(value: T) -> String { // cov: 0
    format!("{value:?}") // cov: 0
} // cov: 0

/// Two names that lcov would take for one if it ended them at the comma.
pub struct Pair<A, B>(pub A, pub B);

impl Pair<u8, u16> {
    pub fn sum(&self) -> u32 { // cov: 1
        u32::from(self.0) + u32::from(self.1) // cov: 1
    } // cov: 1
}

impl Pair<u8, u32> {
    pub fn sum(&self) -> u32 { // cov: 0
        u32::from(self.0) + self.1 // cov: 0
    } // cov: 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes() {
        assert_eq!(super::shown([1_u8, 2]), "[1, 2]");
    }
}
