//! Lines run by tests that pass and by tests that fail: a failed test's lines are as covered as any other's. The counts are
//! those of a run that does not stop at the first failure.

pub fn by_passing() -> u32 {
    1 // cov: 1
}

pub fn by_failing() -> u32 {
    2 // cov: 1
}

pub fn after_failing() -> u32 {
    3 // cov: 0
}

/// In a test binary that cargo would run after the one that fails.
pub fn by_later() -> u32 {
    4 // cov: 1
}

pub fn by_ignored() -> u32 {
    5 // cov: 0 unless `-- --include-ignored` is given
}

pub fn by_should_panic(value: u32) -> u32 { // cov: 1
    if value == 0 { // cov: 1
        panic!("zero"); // cov: 1
    }
    value // cov: 0
}

pub fn by_unit() -> u32 {
    6 // cov: 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::by_unit(), 6);
    }

    #[test]
    #[should_panic(expected = "zero")]
    fn panics() {
        super::by_should_panic(0);
    }
}
