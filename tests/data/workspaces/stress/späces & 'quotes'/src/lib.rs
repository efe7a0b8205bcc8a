//! A crate whose directory needs quoting everywhere.

/// Compiled by the crate `modules` too, by another path.
#[path = "../../crates/modules/shared/both.rs"]
pub mod both;

pub fn quoted() -> u32 {
    7 // cov: 1
}

pub fn unquoted() -> u32 {
    8 // cov: 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths() {
        assert_eq!(super::quoted() + super::both::either(false), 9);
    }
}
