//! Uses a macro at build time of the build.

// cov-file: absent (build scripts are not measured)

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=SEVEN={}", macros::in_build_script!());
}
