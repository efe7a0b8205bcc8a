//! Writes a source file into `OUT_DIR`.

// cov-file: absent (build scripts are not measured)

use std::path::PathBuf;

fn main() {
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let code = "pub fn generated(value: u32) -> u32 {\n    value + 40\n}\n";
    std::fs::write(out_dir.join("generated.rs"), code).unwrap();
    println!("cargo::rerun-if-changed=build.rs"); // cov: -
}
