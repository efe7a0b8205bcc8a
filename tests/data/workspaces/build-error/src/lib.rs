//! Does not compile.

pub fn mistyped() -> u32 {
    "not a number"
}
