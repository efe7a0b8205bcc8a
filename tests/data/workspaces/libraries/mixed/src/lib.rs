//! One source that is linked, loaded and tested: three copies, whose counts add up.

#[no_mangle]
pub extern "C" fn mixed_add(value: u32) -> u32 { // cov: 3
    value + 1 // cov: 3
} // cov: 3

pub fn linked_only<T: From<u8>>() -> T {
    T::from(4) // cov: 1
}

pub fn unused() -> u32 {
    5 // cov: 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::mixed_add(1), 2);
    }
}
