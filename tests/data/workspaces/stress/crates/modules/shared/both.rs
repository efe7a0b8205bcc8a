//! Compiled into two crates by two paths, `modules/src/../shared` and `../crates/modules/shared`: one file still.

pub fn either(first: bool) -> u32 { // cov: 2
    if first { // cov: 2
        1 // cov: 1
    } else {
        2 // cov: 1
    }
} // cov: 2
