//! A module of the build script.

pub fn one() -> &'static str {
    "one" // cov: 1
}

pub fn other() -> &'static str {
    "other" // cov: 0
}
