//! Uses the macros.

#[derive(macros::Named)]
pub struct Thing;

pub fn describe() -> String { // cov: 3
    format!("{} {} {}", Thing::name(), env!("SEVEN"), outside::eight()) // cov: 3
} // cov: 3

#[cfg(test)]
mod tests {
    #[macros::unchanged]
    fn expected() -> &'static str {
        "Thing 7 8"
    }

    #[test]
    fn unit() {
        assert_eq!(super::describe(), expected());
    }
}
