//! `CARGO_BIN_EXE_dashed-tool` is a name that a shell does not accept.

fn main() { // cov: 1
    println!("{}", dashed_name::dashed()); // cov: 1
} // cov: 1
