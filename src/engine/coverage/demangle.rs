//! Symbols to names that people read.

/// The readable form of a function's symbol, without the hashes that tell builds apart. What is not a Rust symbol stays.
pub fn demangle(symbol: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(symbol).ok().and_then(|symbol| rustc_demangle::try_demangle(symbol).ok()) {
        Some(name) => format!("{name:#}").into_bytes(),
        None => symbol.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::demangle;

    fn check(symbol: &[u8], expected: &str) {
        assert_eq!(String::from_utf8_lossy(&demangle(symbol)), expected);
    }

    #[test]
    fn hashes_are_dropped_and_foreign_names_kept() {
        check(b"_RNvCsiOtubgjtdqi_4demo4pick", "demo::pick");
        check(b"_ZN4demo4pick17h0123456789abcdefE", "demo::pick");
        check(b"_RINvCs8n7VDMREITd_4demo4pickmECs8n7VDMREITd_4demo", "demo::pick::<u32>");
        check(b"main", "main");
        check(b"not \xff utf-8", "not \u{fffd} utf-8");
    }
}
