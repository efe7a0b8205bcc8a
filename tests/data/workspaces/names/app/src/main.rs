//! The binary has a function of the name that the library's has.

fn same() -> u32 {
    20 // cov: 2
}

fn main() { // cov: 1
    println!("{}", same() + app::same()); // cov: 1
} // cov: 1

#[cfg(test)]
mod tests {
    #[test]
    fn same() {
        assert_eq!(super::same(), 20);
    }
}
