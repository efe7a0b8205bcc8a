//! A second binary, with a dash in its name.

fn main() {}
