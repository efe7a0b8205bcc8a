//! What only some projects leave out: all of it counts by default.

use std::fmt;

pub struct Shown(pub u32);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { // cov: 0
        f.write_str("shown") // cov: 0
    } // cov: 0
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { // cov: 0
        f.write_str("shown") // cov: 0
    } // cov: 0
}

pub const fn at_compile_time() -> u32 { // cov: 0
    1 // cov: 0
} // cov: 0

pub const fn at_run_time() -> u32 { // cov: 1
    2 // cov: 1
} // cov: 1

const ONE: u32 = at_compile_time();

pub fn tested() -> u32 { // cov: 1
    match at_run_time() + ONE { // cov: 1
        3 => 4, // cov: 1
        0 => {
            todo!("later"); // cov: 0
        }
        _ => unreachable!(), // cov: 0
    }
} // cov: 1
