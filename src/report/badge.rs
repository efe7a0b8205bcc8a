//! Badges: what shields.io draws one from, and one that is drawn already. Text from one share; no names of files.

use std::io::{Result, Write};

use super::grade::Grade;
use crate::coverage::summary::Ratio;

/// Writes the JSON that shields.io's endpoint badge reads: <https://shields.io/badges/endpoint-badge>.
///
/// # Errors
/// Those of `out`.
pub fn write_endpoint(lines: Ratio, out: &mut dyn Write) -> Result<()> {
    let (message, color) = (message(lines), color(lines).0);
    writeln!(out, r#"{{"schemaVersion":1,"label":"{LABEL}","message":"{message}","color":"{color}"}}"#)
}

/// Writes a picture of its own in shields.io's flat style: no fonts, links or scripts from elsewhere.
///
/// # Errors
/// Those of `out`.
pub fn write_svg(lines: Ratio, out: &mut dyn Write) -> Result<()> {
    let (message, color) = (message(lines), color(lines).1);
    let (label_text, message_text) = (width(LABEL), width(&message));
    let (left, right) = (label_text + 2 * PADDING, message_text + 2 * PADDING);
    let whole = left + right;
    // Text is placed by its middle; in tenths, as halves of odd widths would be lost.
    let (label_middle, message_middle) = (left * 5, left * 10 + right * 5);
    let (label_length, message_length) = (label_text * 10, message_text * 10);
    write!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{LABEL}: {message}">
<title>{LABEL}: {message}</title>
<linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/><stop offset="1" stop-opacity=".1"/></linearGradient>
<clipPath id="r"><rect width="{whole}" height="20" rx="3" fill="#fff"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#555"/><rect x="{left}" width="{right}" height="20" fill="{color}"/><rect width="{whole}" height="20" fill="url(#s)"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="110">
<text aria-hidden="true" x="{label_middle}" y="150" fill="#010101" fill-opacity=".3" transform="scale(.1)" textLength="{label_length}">{LABEL}</text>
<text x="{label_middle}" y="140" transform="scale(.1)" textLength="{label_length}">{LABEL}</text>
<text aria-hidden="true" x="{message_middle}" y="150" fill="#010101" fill-opacity=".3" transform="scale(.1)" textLength="{message_length}">{message}</text>
<text x="{message_middle}" y="140" transform="scale(.1)" textLength="{message_length}">{message}</text>
</g>
</svg>
"##
    )
}

const LABEL: &str = "coverage";

/// Pixels beside a text.
const PADDING: u32 = 5;

/// Whole percent, rounded down: a badge says 100 % only of all lines.
fn message(lines: Ratio) -> String {
    match lines.hundredths() {
        Some(share) => format!("{}%", share / 100),
        None => "unknown".to_owned(),
    }
}

/// Shields.io's name of a color, and the color.
fn color(lines: Ratio) -> (&'static str, &'static str) {
    match Grade::of(lines) {
        Grade::Nothing => ("lightgrey", "#9f9f9f"),
        Grade::Low => ("red", "#e05d44"),
        Grade::Medium => ("yellow", "#dfb317"),
        Grade::High => ("green", "#97ca00"),
    }
}

/// Pixels that a text takes in Verdana of 11 pixels, rounded up. The picture says it as `textLength`, so that other fonts fit.
fn width(text: &str) -> u32 {
    let hundredths = |c: char| match c {
        '0'..='9' => 699,
        '%' => 1184,
        'l' | 'i' => 302,
        'r' => 469,
        'c' | 'k' => 573,
        'w' => 900,
        _ => 670,
    };
    text.chars().map(hundredths).sum::<u32>().div_ceil(100)
}

#[cfg(test)]
mod tests {
    use super::{write_endpoint, write_svg};
    use crate::coverage::summary::Ratio;

    #[test]
    fn the_share_is_rounded_down() {
        for (covered, count, expected) in [
            (0, 0, ("unknown", "lightgrey")),
            (0, 9, ("0%", "red")),
            (7499, 10_000, ("74%", "red")),
            (75, 100, ("75%", "yellow")),
            (8999, 10_000, ("89%", "yellow")),
            (9, 10, ("90%", "green")),
            (999_999, 1_000_000, ("99%", "green")),
            (3, 3, ("100%", "green")),
        ] {
            let lines = Ratio { covered, count };
            let mut json = Vec::new();
            write_endpoint(lines, &mut json).expect("memory");
            let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            let (message, color) = expected;
            let whole = serde_json::json!({
                "schemaVersion": 1, "label": "coverage", "message": message, "color": color
            });
            assert_eq!(json, whole);
            let mut svg = Vec::new();
            write_svg(lines, &mut svg).expect("memory");
            let svg = String::from_utf8(svg).expect("text");
            assert!(svg.contains(&format!("<title>coverage: {message}</title>")), "{svg}");
            assert!(svg.contains(&format!("aria-label=\"coverage: {message}\"")), "{svg}");
        }
    }
}
