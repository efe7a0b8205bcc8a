//! Edition 2021: rustdoc compiles each doctest by itself, at its lines of this file: its code is mapped here, and what stands
//! after the closing fence lies under its closing brace.
//!
//! ```
//! assert_eq!(old::by_module(), 1);
//! ```

pub fn by_module() -> u32 {
    1 // cov: 1
}

/// Two doctests of one function.
///
/// ```
/// assert_eq!(old::twice(1), 2); // cov: - a doctest is test code
/// ```
///
/// ```
/// # // A hidden line, and the same function again.
/// assert_eq!(old::twice(20), 10);
/// ```
pub fn twice(value: u32) -> u32 { // cov: 2 where llvm-cov has 1: the doctest's own `main` ends on this line
    if value > 10 { // cov: 2
        return 10; // cov: 1
    }
    value * 2 // cov: 1
} // cov: 2

/// ```should_panic
/// old::not_zero(0);
/// ```
pub fn not_zero(value: u32) -> u32 { // cov: 1
    if value == 0 { // cov: 1
        panic!("zero"); // cov: 1
    }
    value // cov: 0
}

/// Compiled, not run.
///
/// ```no_run
/// old::dangerous();
/// ```
pub fn dangerous() -> u32 {
    2 // cov: 0
}

/// Neither compiled nor run.
///
/// ```compile_fail
/// let text: &str = old::number();
/// ```
///
/// ```ignore
/// old::number();
/// ```
///
/// ```text
/// old::number();
/// ```
pub fn number() -> u32 {
    3 // cov: 0
}

/// Compiled by itself in every edition.
///
/// ```standalone_crate
/// assert_eq!(old::alone(), 4);
/// ```
pub fn alone() -> u32 {
    4 // cov: 1
}

/// A doctest that returns an error would fail; this one has a `?` and succeeds.
///
/// ```
/// let value = old::parsed("5")?;
/// assert_eq!(value, 5);
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
pub fn parsed(text: &str) -> Result<u32, std::num::ParseIntError> {
    let value = text.parse::<u32>()?; // cov: 1
    Ok(value) // cov: 1
}

/// An instantiation that only the doctest has.
///
/// ```
/// assert_eq!(old::larger(1_u8, 2), 2);
/// assert_eq!(old::larger("b", "a"), "b");
/// ```
pub fn larger<T: PartialOrd>(left: T, right: T) -> T { // cov: 2 as above
    if left > right { // cov: 2
        left // cov: 1
    } else {
        right // cov: 1
    }
} // cov: 2

/// Ends its process, as a doctest of its own may.
///
/// ```
/// old::leave();
/// ```
pub fn leave() {
    std::process::exit(0) // cov: 1
}

/// A doctest in a macro is one like any other.
///
/// ```
/// assert_eq!(old::tripled!(3), 9);
/// ```
#[macro_export]
macro_rules! tripled {
    ($value:expr) => {
        $crate::times($value, 3)
    };
}

#[doc(hidden)]
pub fn times(value: u32, by: u32) -> u32 {
    value * by // cov: 1
}
