//! Uses what the crates `derive`, `generics` and `macros` give.

macros::function!(add_one, 1); // cov: - the function is counted at its text, in the other crate
macros::function!(add_two, 2);
macros::uncalled_function!(add_three);

pub fn expression(value: u32) -> u32 { // cov: 1
    let doubled = macros::doubled!(value + 1); // cov: 1
    macros::supported!(doubled) // cov: 1
} // cov: 1

pub fn expression_never(value: u32) -> u32 {
    macros::doubled!(value) // cov: 0
}

macro_rules! early {
    ($value:expr) => {
        if $value == 0 { // cov: -
            return 0; // cov: -
        }
    };
}

/// A macro that returns: its regions are parts of the line that invokes it.
pub fn with_early(value: u32) -> u32 { // cov: 2
    early!(value); // cov: 2
    value + 1 // cov: 1
} // cov: 2

/// A macro of several lines stands where it is invoked.
pub fn standard(value: u32) -> String { // cov: 1
    assert!(value > 0, "{value} must be positive"); // cov: 1
    let values = vec![value; 2]; // cov: 1
    format!( // cov: 1
        "{} {}",
        values[0], // cov: 1
        if values.len() > 5 { "many" } else { "few" } // cov: 1
    )
} // cov: 1

macro_rules! local_function {
    ($name:ident) => {
        fn $name(value: u32) -> u32 {
            value * 3 // cov: 3
        }
    };
}

local_function!(triple);
local_function!(treble);

pub fn triples(value: u32) -> u32 {
    triple(value) + triple(value) + treble(value) // cov: 1
}

/// The derived function has no region: its tokens stand at the derive.
#[derive(derive::Named)]
pub struct Thing;

#[derive::unchanged]
pub fn attributed(value: u32) -> u32 { // cov: 1
    if value > 1 { // cov: 1
        value + 1 // cov: 0
    } else {
        value + 2 // cov: 1
    }
} // cov: 1

pub fn tokens() -> usize {
    derive::count_tokens!(a b c) // cov: 1
}

pub fn elsewhere() -> (u32, i64, String) {
    (generics::only_elsewhere(), generics::only_elsewhere(), generics::only_elsewhere()) // cov: 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros() {
        assert_eq!(add_one(1) + add_two(1) + add_one(11), 16);
        assert_eq!(expression(1), 104);
        assert_eq!(macros::support(1), 101);
        assert_eq!(with_early(0) + with_early(1), 2);
        assert_eq!(standard(1), "1 few");
        assert_eq!(triples(1), 9);
        assert_eq!(Thing::name(), "Thing");
        assert_eq!(attributed(1), 3);
        assert_eq!(tokens(), 3);
    }
}
