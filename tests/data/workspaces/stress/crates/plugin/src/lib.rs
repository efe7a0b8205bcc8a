//! A cdylib that a test loads at run time, and links as an rlib too: one source, two objects in one process.

#[no_mangle]
pub extern "C" fn plugin_add(value: u32) -> u32 { // cov: 3
    if value > 10 { // cov: 3
        return value; // cov: 1
    }
    value + 1 // cov: 2
} // cov: 3

#[no_mangle]
pub extern "C" fn plugin_unused(value: u32) -> u32 {
    value + 2 // cov: 0
}

/// Not exported: the rlib's users alone can call it.
pub fn linked_only(value: u32) -> u32 {
    value + 3 // cov: 1
}
