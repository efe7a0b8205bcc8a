//! Run by doctests and by nothing else.

/// ```
/// assert_eq!(single_crate::documented::doubled(2), 4);
/// assert_eq!(single_crate::documented::doubled(200), 100);
/// ```
///
/// ```
/// assert_eq!(single_crate::documented::doubled(3), 6);
/// ```
pub fn doubled(value: u32) -> u32 { // cov: 3
    if value > 100 { // cov: 3
        return 100; // cov: 1
    }
    value * 2 // cov: 2
} // cov: 3

/// Instantiated in the doctest.
///
/// ```
/// assert_eq!(single_crate::documented::last(&[1, 2]), Some(&2));
/// ```
pub fn last<T>(values: &[T]) -> Option<&T> { // cov: 1
    if values.is_empty() { // cov: 1
        return None; // cov: 0
    }
    values.get(values.len() - 1) // cov: 1
} // cov: 1

/// Not in any doctest.
pub fn undocumented() -> u32 {
    1 // cov: 0
}
