//! A library that the build script calls, and a unit test.

pub fn doubled(text: &str) -> String { // cov: 2
    text.repeat(2) // cov: 2
} // cov: 2

pub fn unused() -> u32 {
    3 // cov: 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::doubled("a"), "aa");
    }
}
