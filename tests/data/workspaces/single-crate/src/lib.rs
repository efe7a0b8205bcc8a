//! One package that is its own workspace: unit tests, an integration test, doctests.

pub mod documented;

/// Half by the unit test, half by the integration test.
pub fn clamp(value: i32, low: i32, high: i32) -> i32 { // cov: 3
    if value < low { // cov: 3
        return low; // cov: 1
    }
    if value > high { // cov: 2
        return high; // cov: 1
    }
    value // cov: 1
} // cov: 3

/// By nothing.
pub fn unused(value: i32) -> i32 { // cov: 0
    value + 1 // cov: 0
} // cov: 0

#[cfg(test)]
mod tests {
    use super::clamp;

    #[test]
    fn below() {
        assert_eq!(clamp(-1, 0, 9), 0);
        assert_eq!(clamp(5, 0, 9), 5);
    }
}
