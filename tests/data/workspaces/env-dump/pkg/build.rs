//! Sets a variable for the compilation and for the tests, and writes a file into `OUT_DIR` for them to read.

use std::path::PathBuf;

fn main() {
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(out_dir.join("written.txt"), "by the build script").unwrap();
    println!("cargo::rustc-env=ENV_DUMP_BUILD_SCRIPT=set by the build script");
    println!("cargo::rustc-link-search=native={}", out_dir.display());
    println!("cargo::rerun-if-changed=build.rs");
}
