//! Loads the cdylib by its bare name: the dynamic library path that cargo sets for tests must lead to it.

// cov-file: excluded (a test target)

#[cfg(unix)]
use std::ffi::{c_char, c_int, c_void};

#[cfg(unix)]
extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

#[test]
#[cfg(unix)]
fn loaded() {
    let name = if cfg!(target_os = "macos") { c"libplugin.dylib" } else { c"libplugin.so" };
    const RTLD_NOW: c_int = 2;
    let library = unsafe { dlopen(name.as_ptr(), RTLD_NOW) };
    assert!(!library.is_null(), "{name:?} is on no library path");
    let add = unsafe { dlsym(library, c"plugin_add".as_ptr()) };
    assert!(!add.is_null());
    let add: extern "C" fn(u32) -> u32 = unsafe { std::mem::transmute(add) };
    assert_eq!(add(1) + add(11), 13);
}

#[test]
fn linked() {
    assert_eq!(plugin::plugin_add(2) + plugin::linked_only(1), 7);
}
