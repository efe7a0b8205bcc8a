//! Generates a module.

// cov-file: absent (build scripts are not measured)

use std::path::PathBuf;

fn main() {
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(out_dir.join("generated.rs"), "pub fn generated() -> u32 {\n    1\n}\n").unwrap();
    println!("cargo::rerun-if-changed=build.rs");
}
