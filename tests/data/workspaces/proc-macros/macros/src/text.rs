//! What macros are made of, with unit tests: a test binary of a proc-macro crate runs outside of the compiler.

/// Two calls by the compiler, one by a unit test.
pub fn implementation(item: &str) -> String { // cov: 3
    let name = word_after(item, "struct").unwrap_or("Unknown"); // cov: 3
    format!("impl {name} {{ pub fn name() -> &'static str {{ {name:?} }} }}") // cov: 3
} // cov: 3

fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> { // cov: 4
    let mut words = text.split_whitespace(); // cov: 4
    words.find(|word| *word == before)?;
    words.next().map(|word| word.trim_end_matches(';')) // cov: 3
} // cov: 4

#[cfg(test)]
mod tests {
    use super::{implementation, word_after};

    #[test]
    fn words() {
        assert!(implementation("pub struct A;").starts_with("impl A "));
        assert_eq!(word_after("enum A", "struct"), None);
    }
}
