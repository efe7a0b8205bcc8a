//! What users of the macro depend on.

pub use macros::number;

pub fn seven() -> u32 {
    number!(7) // cov: 1
}

pub fn in_ui_test() -> u32 {
    8 // cov: 0 the program has these counters, but nothing that writes them: rustc was not told of coverage
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::seven(), 7);
    }
}
