//! A library with a unit test, an integration test and a doctest, each a process to put a runner before.

pub fn double(number: u32) -> u32 {
    number * 2 // cov: 2
}

/// Not counted here: most runs are without doctests.
///
/// ```
/// assert_eq!(app::half(4), 2);
/// ```
pub fn half(number: u32) -> u32 {
    number / 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::double(4), 8);
    }
}
