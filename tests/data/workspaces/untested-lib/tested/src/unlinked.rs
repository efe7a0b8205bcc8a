//! Not needed by the integration test.

pub fn by_unit_test() -> u32 {
    7 // cov: 1
}
