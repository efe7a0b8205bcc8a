//! Names of files and functions as text that every output can hold. Knows no output.

use std::borrow::Cow;
use std::fmt::Write;

/// `name` with what may do harm as Rust escapes: control characters, line separators, marks of writing direction, bytes that
/// are not UTF-8, and characters that XML has no way to write.
///
/// So a file name can neither move a cursor nor pretend to be another, and two names stay two.
pub fn text(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(name) if !name.contains(is_hostile) => Cow::Borrowed(name),
        _ => Cow::Owned(escaped(name)),
    }
}

/// Whether a character must not be printed as it is.
pub(super) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}'..='\u{ffff}'
        )
}

fn escaped(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len() + 16);
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_hostile(c) {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn harm_is_escaped() {
        for (name, expected) in [
            ("src/größe 日本 \"<&%|`'.rs", "src/größe 日本 \"<&%|`'.rs"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}sr.nimda", "a\\u{202e}sr.nimda"),
            ("a\u{2028}b\u{ffff}", "a\\u{2028}b\\u{ffff}"),
        ] {
            assert_eq!(text(name.as_bytes()), expected);
        }
        assert_eq!(text(b"caf\xe9/\xf0\x9f\xa6.rs"), "caf\\xe9/\\xf0\\x9f\\xa6.rs");
    }
}
