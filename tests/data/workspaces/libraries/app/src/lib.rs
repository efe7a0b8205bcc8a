//! Loads a library and calls a function in it.

#[cfg(unix)]
pub fn call(library: &std::path::Path, function: &str, value: u32) -> u32 { // cov: 4
    use std::ffi::{c_char, c_int, c_void, CString};
    extern "C" {
        fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
        fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    }
    const RTLD_NOW: c_int = 2;
    let name = CString::new(library.to_str().unwrap()).unwrap(); // cov: 4
    let library = unsafe { dlopen(name.as_ptr(), RTLD_NOW) }; // cov: 4
    assert!(!library.is_null(), "{name:?} cannot be loaded"); // cov: 4
    let function = CString::new(function).unwrap(); // cov: 4
    let function = unsafe { dlsym(library, function.as_ptr()) }; // cov: 4
    assert!(!function.is_null()); // cov: 4
    let function: extern "C" fn(u32) -> u32 = unsafe { std::mem::transmute(function) }; // cov: 4
    function(value) // cov: 4
} // cov: 4
