//! The text of messages: errors with their causes and cures, each on one line that is safe to print.

use std::fmt;

/// An error that comes with its cure, which is printed on a `help:` line of its own.
///
/// Usable as the error itself and as the context of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advised {
    /// What is wrong: lowercase, no full stop, fit after a colon.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl Advised {
    /// An error that says `what` is wrong and what to do about it.
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Advised {
        Advised { what: what.into(), cure: cure.into() }
    }
}

impl fmt::Display for Advised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Advised {}

/// All causes of `error`, outermost first, joined by colons.
///
/// Some libraries print the cause as part of their message and name it as the source too; it is said once.
pub fn one_line_chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = one_line(&cause.to_string());
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// The cures in `error`, outermost first, each once.
pub fn cures(error: &anyhow::Error) -> Vec<String> {
    // `anyhow` finds a context only by asking the whole error, and an error further down only by asking it itself.
    let outermost = error.downcast_ref::<Advised>();
    let inner = error.chain().filter_map(|cause| cause.downcast_ref::<Advised>());
    let mut cures: Vec<String> = Vec::new();
    for advised in outermost.into_iter().chain(inner) {
        if !cures.contains(&advised.cure) {
            cures.push(advised.cure.clone());
        }
    }
    cures
}

/// `text` on one line: line ends with the blanks around them become one blank, other control characters and marks of writing
/// direction Rust escapes, so that a file name can neither draw on the terminal nor pretend to be another.
pub fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut safe = String::with_capacity(text.len());
    for line in lines {
        if !safe.is_empty() {
            safe.push(' ');
        }
        for c in line.chars() {
            if is_hostile(c) {
                safe.extend(c.escape_default());
            } else {
                safe.push(c);
            }
        }
    }
    safe
}

fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::{Advised, cures, one_line, one_line_chain};

    #[test]
    fn a_message_takes_one_line() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("two\nlines", "two lines"),
            ("  two \r\n\n   lines\n", "two lines"),
            ("a\u{202e}sr.nimda", "a\\u{202e}sr.nimda"),
            ("a\tb\u{1b}[2J\u{7f}", "a\\tb\\u{1b}[2J\\u{7f}"),
        ] {
            assert_eq!(one_line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_chain_says_each_cause_once() {
        let error = anyhow!("no such file");
        assert_eq!(one_line_chain(&error), "no such file");
        let error = error.context("failed to read `a`: no such file");
        assert_eq!(one_line_chain(&error), "failed to read `a`: no such file");
        let error = error.context("failed\nto report");
        assert_eq!(one_line_chain(&error), "failed to report: failed to read `a`: no such file");
    }

    #[test]
    fn cures_are_found_wherever_they_are() {
        let deepest = Advised::new("no such file", "create it");
        for (error, expected_chain, expected_cures) in [
            (anyhow!("plain"), "plain", &[][..]),
            (anyhow::Error::new(deepest.clone()), "no such file", &["create it"]),
            (anyhow::Error::new(deepest.clone()).context("a"), "a: no such file", &["create it"]),
            (anyhow!("b").context(Advised::new("a", "do")), "a: b", &["do"]),
            (anyhow!("c").context(Advised::new("b", "do")).context("a"), "a: b: c", &["do"]),
            (
                anyhow::Error::new(deepest).context(Advised::new("b", "do")).context("a"),
                "a: b: no such file",
                &["do", "create it"],
            ),
        ] {
            assert_eq!(one_line_chain(&error), expected_chain);
            assert_eq!(cures(&error), expected_cures, "{expected_chain}");
        }
    }
}
