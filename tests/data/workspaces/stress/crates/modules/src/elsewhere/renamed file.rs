//! Named by `#[path]`, with a space in the name.

pub fn moved() -> u32 {
    6 // cov: 1
}
