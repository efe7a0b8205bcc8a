//! A module of a test target.

// cov-file: excluded (a module of a test target)

pub fn text(bytes: Vec<u8>) -> String { // cov: 1
    String::from_utf8(bytes).unwrap().trim_end().to_string() // cov: 1
} // cov: 1
