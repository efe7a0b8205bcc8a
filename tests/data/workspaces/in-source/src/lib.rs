//! No function of its own: nothing but the declarations leads from here to the test code in other files.

pub mod classes;
pub mod deep;
pub mod items;
pub mod markers;

#[cfg(test)]
mod checks;

#[cfg(all(test, not(any())))]
#[path = "elsewhere/unit.rs"]
mod somewhere;

#[cfg(any(test, not(windows), windows))]
pub mod shared;

#[cfg(not(test))]
pub mod production {
    pub fn unused_by_unit_tests() -> u32 { // cov: 0
        1 // cov: 0
    } // cov: 0
}
