//! A crate that is called what the function is called that every program starts with.

pub fn main() -> u32 {
    40 // cov: 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn main() {
        assert_eq!(super::main(), 40);
    }
}
