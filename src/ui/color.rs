//! When to color, and with what.

use std::ffi::OsString;

/// What `--color` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorChoice {
    /// As the environment and the terminal suggest: see [`use_color`].
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a colored word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The verb of a status line.
    Status,
    /// The verb of the progress line.
    Progress,
    /// `note:`
    Note,
    /// `warning:`
    Warning,
    /// `error:`
    Error,
    /// `help:`
    Help,
    /// The heading of a section of the help.
    Heading,
    /// Something to type, in the help.
    Literal,
}

/// Whether to color a stream, by the first of these rules that applies:
///
/// 1. `--color always` or `never`;
/// 2. `CARGO_TERM_COLOR=always` or `never`, which cargo obeys too;
/// 3. `NO_COLOR`, not empty: never;
/// 4. `CLICOLOR_FORCE` or `FORCE_COLOR`, not empty and not `0`: always;
/// 5. the stream is a terminal and `TERM` is not `dumb`.
pub fn use_color(
    choice: ColorChoice,
    variable: impl Fn(&str) -> Option<OsString>,
    is_terminal: bool,
) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match choice {
        ColorChoice::Always => return true,
        ColorChoice::Never => return false,
        ColorChoice::Auto => {}
    }
    match set("CARGO_TERM_COLOR") {
        Some(when) if when == "always" => return true,
        Some(when) if when == "never" => return false,
        _ => {}
    }
    if set("NO_COLOR").is_some() {
        return false;
    }
    if ["CLICOLOR_FORCE", "FORCE_COLOR"].iter().any(|name| set(name).is_some_and(|value| value != "0")) {
        return true;
    }
    is_terminal && set("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// `text` in the ANSI colors of `style`, or as it is.
pub fn paint(style: Style, text: &str, color: bool) -> String {
    let code = match style {
        Style::Status | Style::Heading => "1;32",
        Style::Progress | Style::Note | Style::Help | Style::Literal => "1;36",
        Style::Warning => "1;33",
        Style::Error => "1;31",
    };
    if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{ColorChoice, use_color};

    fn check(choice: ColorChoice, environment: &[(&str, &str)], is_terminal: bool, expected: bool) {
        let variable = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let actual = use_color(choice, variable, is_terminal);
        assert_eq!(actual, expected, "{choice:?} {environment:?} terminal: {is_terminal}");
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        use ColorChoice::{Always, Auto, Never};
        check(Auto, &[], true, true);
        check(Auto, &[], false, false);
        check(Auto, &[("TERM", "xterm")], true, true);
        check(Auto, &[("TERM", "dumb")], true, false);

        check(Auto, &[("FORCE_COLOR", "1")], false, true);
        check(Auto, &[("FORCE_COLOR", "0")], false, false);
        check(Auto, &[("FORCE_COLOR", "0")], true, true);
        check(Auto, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], false, true);
        check(Auto, &[("CLICOLOR_FORCE", ""), ("FORCE_COLOR", "3")], false, true);

        check(Auto, &[("NO_COLOR", "1")], true, false);
        check(Auto, &[("NO_COLOR", "0")], true, false);
        check(Auto, &[("NO_COLOR", "")], true, true);
        check(Auto, &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], true, false);

        check(Auto, &[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")], false, true);
        check(Auto, &[("CARGO_TERM_COLOR", "never"), ("FORCE_COLOR", "1")], true, false);
        check(Auto, &[("CARGO_TERM_COLOR", "auto"), ("NO_COLOR", "1")], true, false);
        check(Auto, &[("CARGO_TERM_COLOR", "auto")], true, true);

        check(Always, &[("CARGO_TERM_COLOR", "never"), ("NO_COLOR", "1"), ("TERM", "dumb")], false, true);
        check(Never, &[("CARGO_TERM_COLOR", "always"), ("FORCE_COLOR", "1")], true, false);
    }
}
