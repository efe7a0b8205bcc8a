//! Linked to the dylib, and through it to the shared standard library: a test starts only if the dynamic library path
//! leads to the build directory and to the compiler's own libraries.

pub fn four_times(value: u32) -> u32 {
    shared::twice(value) + shared::twice_generic(u64::from(value)) as u32 // cov: 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::four_times(1), 4);
    }
}
