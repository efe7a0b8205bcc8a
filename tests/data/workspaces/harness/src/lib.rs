//! Used by a unit test and by the programs. Counts are those of one `cargo test` and one `harness greet`.

pub fn greet(name: &str) -> String { // cov: 2
    if name.is_empty() { // cov: 2
        return "hello".to_owned(); // cov: 1
    }
    format!("hello, {}", emphasize(name)) // cov: 1
} // cov: 2

#[cfg(not(feature = "loud"))]
fn emphasize(name: &str) -> String { // cov: 1
    name.to_owned() // cov: 1
} // cov: 1

#[cfg(feature = "loud")]
fn emphasize(name: &str) -> String { // cov: -
    name.to_uppercase()
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::greet(""), "hello");
    }
}
