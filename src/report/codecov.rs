//! Codecov's own JSON: hits for each line, and `"1/2"` for a line of which a part ran.
//!
//! ```json
//! {"coverage": {"src/lib.rs": {"12": 0, "13": "1/2", "14": 5}}}
//! ```
//!
//! The format is that of <https://docs.codecov.com/docs/codecov-custom-coverage-format>.

use std::io::{Result, Write};

use super::name;
use crate::coverage::Coverage;
use crate::coverage::line::LineCoverage;

/// Writes every mapped line of every file.
///
/// A line that ran has its count, or `"1/2"` where regions began on it that did not run: see [`LineCoverage::regions`]. Codecov
/// shows such a line as partial and counts it as no hit, so that its share is below that of lines in other reports.
/// cargo-llvm-cov counts all regions that reach over a line instead, by which a line that never ran becomes partial when the
/// function around it ran.
///
/// # Errors
/// Those of `out`.
pub fn write(coverage: &Coverage, out: &mut dyn Write) -> Result<()> {
    out.write_all(br#"{"coverage":{"#)?;
    for (index, file) in coverage.files.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        // A name has no control characters, so that this is all that JSON wants escaped.
        let path = name::text(&file.path).replace('\\', r"\\").replace('"', r#"\""#);
        write!(out, "\n\"{path}\":{{")?;
        for (index, line) in file.lines().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            write_line(line, out)?;
        }
        out.write_all(b"}")?;
    }
    out.write_all(b"\n}}\n")
}

fn write_line(LineCoverage { line, count, regions }: LineCoverage, out: &mut dyn Write) -> Result<()> {
    if count > 0 && regions.missed() > 0 {
        write!(out, r#""{line}":"{}/{}""#, regions.covered, regions.count)
    } else {
        write!(out, r#""{line}":{count}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::report::sample;
    use serde_json::{Value, json};

    #[test]
    fn lines_are_missed_partial_or_hit() {
        let mut text = Vec::new();
        write(&sample::coverage(), &mut text).expect("memory");
        let found: Value = serde_json::from_slice(&text).expect("JSON");
        let expected = json!({"coverage": {
            "build.rs": {},
            "odd/\"<&>'|`]]>\\n\\u{1b}\\xff\\u{ffff}.rs": {"7": u64::MAX, "8": u64::MAX},
            "src/lib.rs": {
                "1": 3, "2": "1/2", "3": 3, "4": 3, "5": 3, "9": 0, "10": 0, "11": 0, "13": 0,
            },
        }});
        assert_eq!(found, expected);
    }
}
