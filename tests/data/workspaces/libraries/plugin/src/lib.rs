//! A cdylib that processes load by its path.

#[no_mangle]
pub extern "C" fn plugin_add(value: u32) -> u32 { // cov: 4
    checked(value) + 1 // cov: 4
} // cov: 4

#[no_mangle]
pub extern "C" fn plugin_unused(value: u32) -> u32 {
    value + 2 // cov: 0
}

fn checked(value: u32) -> u32 { // cov: 4
    if value > 10 { // cov: 4
        return 10; // cov: 1
    }
    value // cov: 3
} // cov: 4

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::plugin_add(1), 2);
    }
}
