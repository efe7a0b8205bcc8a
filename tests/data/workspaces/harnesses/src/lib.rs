//! A library that targets with and without a harness use. The counts are those of `--all-targets`.

pub fn by_unit_test() -> u32 {
    1 // cov: 1
}

pub fn by_plain_test() -> u32 {
    2 // cov: 1
}

pub fn by_custom_harness(value: u32) -> u32 {
    value + 3 // cov: 2
}

pub fn by_example_test() -> u32 {
    4 // cov: 1
}

pub fn by_whole_example() -> u32 {
    5 // cov: 1
}

pub fn by_bench() -> u32 {
    6 // cov: 1
}

pub fn by_bench_test() -> u32 {
    7 // cov: 1
}

pub fn by_nobody() -> u32 {
    8 // cov: 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::by_unit_test(), 1);
    }
}
