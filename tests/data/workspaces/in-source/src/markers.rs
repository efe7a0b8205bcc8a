//! Markers in comments. In documentation they are words: coverage:off, LCOV_EXCL_START.

pub fn tested() -> u32 { // cov: 1
    let mut sum = 1; // cov: 1
    // coverage:off a stretch of a function
    if sum == 0 { // cov: -
        sum = 9; // cov: -
    } // cov: -
    // coverage:on
    sum += 2; // cov: 1
    if sum == 0 { // cov: 1
        sum = 8; // cov: 0
    } // cov: 1
    // coverage:ignore: a whole chain
    if sum == 0 { // cov: -
        sum = 7; // cov: -
    } else if sum == 1 { // cov: -
        sum = 6; // cov: -
    } else { // cov: -
        sum += 0; // cov: -
    } // cov: -
    let more = u32::from(sum == 3); // coverage:ignore // cov: -
    sum += more; // cov: 1
    sum += 3; // LCOV_EXCL_LINE reason // cov: -
    match sum { // cov: 1
        // coverage:ignore (never)
        0 => { // cov: -
            sum = 5; // cov: -
        } // cov: -
        7 => sum += 0, // cov: 1
        _ => sum = 4, // cov: 0
    }
    sum // cov: 1
} // cov: 1

// LCOV_EXCL_START
pub fn between() -> u32 { // cov: -
    1 // cov: -
} // cov: -
// LCOV_EXCL_STOP

// coverage:ignore an item
/// With documentation and attributes.
#[inline]
pub fn ignored( // cov: -
    a: u32, // cov: -
) -> u32 { // cov: -
    a // cov: -
} // cov: -

pub fn not_ignored() -> &'static str { // cov: 0
    "// coverage:off" // cov: 0
} // cov: 0

// coverage:off to the end of a module
pub mod off {
    pub fn here() {} // cov: -
}
// coverage:on
