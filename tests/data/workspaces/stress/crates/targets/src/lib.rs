//! A library that every kind of target uses.

pub fn by_unit_test() -> u32 {
    1 // cov: 1
}

pub fn by_integration_test() -> u32 {
    2 // cov: 1
}

pub fn by_binary() -> u32 {
    3 // cov: 2
}

pub fn by_binarys_unit_test() -> u32 {
    4 // cov: 1
}

pub fn by_examples_unit_test() -> u32 {
    5 // cov: 1
}

pub fn by_example() -> u32 {
    6 // cov: 0 an example is built, and nobody runs it
}

pub fn by_bench() -> u32 {
    7 // cov: 1
}

pub fn by_all() -> u32 {
    8 // cov: 6
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::by_unit_test() + super::by_all(), 9);
    }
}
