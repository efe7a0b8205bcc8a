//! Annotated source: each line with its number and count, in the manner of `llvm-cov show`.

use std::io::{Result, Write};

use super::name;
use crate::coverage::{Coverage, FileCoverage};

/// Digits of a line number before the columns widen.
const LINE_WIDTH: usize = 5;

/// Writes every file's source with a count beside each mapped line. `source` gives the text of a file by its reported
/// path, or `None` if it is not there any more.
///
/// Below a line that ran, `^0` marks where code begins that did not.
///
/// # Errors
/// Those of `out`.
pub fn write(
    coverage: &Coverage,
    mut source: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    out: &mut dyn Write,
) -> Result<()> {
    for (index, file) in coverage.files.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        write!(out, "{}", name::text(&file.path))?;
        writeln!(out, ": {} of {} lines", file.summary.lines.covered, file.summary.lines.count)?;
        match source(&file.path) {
            Some(source) => write_file(file, &source, out)?,
            None => writeln!(out, "{:>LINE_WIDTH$}|       |(the source is not there)", "")?,
        }
    }
    Ok(())
}

fn write_file(file: &FileCoverage, source: &[u8], out: &mut dyn Write) -> Result<()> {
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    let source = source.strip_suffix(b"\n").unwrap_or(source);
    let mut lines = file.lines().peekable();
    for (number, text) in (1_u32..).zip(source.split(|&byte| byte == b'\n')) {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let covered = lines.next_if(|line| line.line == number);
        let count = covered.map_or(String::new(), |line| short_count(line.count));
        write!(out, "{number:>LINE_WIDTH$}|{count:>7}|")?;
        out.write_all(printable(text).as_bytes())?;
        writeln!(out)?;
        if covered.is_some_and(|line| line.count > 0) {
            write_marks(file, number, text, out)?;
        }
    }
    Ok(())
}

/// Marks the regions that begin on a line and never ran.
fn write_marks(file: &FileCoverage, line: u32, text: &[u8], out: &mut dyn Write) -> Result<()> {
    let first = file.segments.partition_point(|segment| segment.start.line < line);
    let on_line = file.segments[first..].iter().take_while(|segment| segment.start.line == line);
    let missed = on_line.filter(|segment| segment.is_region_entry && segment.has_count && segment.count == 0);
    let mut marks = String::new();
    // Columns count bytes; what stands before a mark is as wide as its characters. A line may have megabytes, so each of them is
    // looked at once.
    let (mut width, mut measured) = (0, 0);
    for segment in missed {
        let start = (segment.start.column.saturating_sub(1) as usize).min(text.len());
        width += printable(text.get(measured..start).unwrap_or_default()).chars().count();
        measured = measured.max(start);
        if marks.len() <= width {
            marks.push_str(&" ".repeat(width - marks.len()));
            marks.push_str("^0");
        }
    }
    if marks.is_empty() { Ok(()) } else { writeln!(out, "{:>LINE_WIDTH$}|{:>7}|{marks}", "", "") }
}

/// Source text can hold anything; a terminal must not obey it.
fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => printable.push(c),
            '\t' => printable.push_str("    "),
            _ if name::is_hostile(c) => printable.push('?'),
            _ => printable.push(c),
        }
    }
    printable
}

/// A count in at most six characters: `999`, `1.23k`, `45.6M`. Rounded down, so that it never claims more than there was.
fn short_count(count: u64) -> String {
    const UNITS: [(u64, char); 6] = [
        (1_000_000_000_000_000_000, 'E'),
        (1_000_000_000_000_000, 'P'),
        (1_000_000_000_000, 'T'),
        (1_000_000_000, 'G'),
        (1_000_000, 'M'),
        (1_000, 'k'),
    ];
    let Some((unit, letter)) = UNITS.into_iter().find(|(unit, _)| count >= *unit) else {
        return count.to_string();
    };
    let whole = count / unit;
    let hundredths = count % unit / (unit / 100).max(1);
    match whole {
        0..=9 => format!("{whole}.{hundredths:02}{letter}"),
        10..=99 => format!("{whole}.{}{letter}", hundredths / 10),
        _ => format!("{whole}{letter}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{printable, short_count};

    #[test]
    fn a_terminal_obeys_nothing() {
        for (text, expected) in [
            (&b"a\tb"[..], "a    b"),
            (b"a\rb\x1b[2J\x7f", "a?b?[2J?"),
            ("größe \u{9b}31m \u{202e}\u{2028}".as_bytes(), "größe ?31m ??"),
            (b"caf\xe9 \x9b31m", "caf\u{fffd} \u{fffd}31m"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn counts_are_short_and_never_too_high() {
        for (count, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.00k"),
            (1_999, "1.99k"),
            (45_678, "45.6k"),
            (999_999, "999k"),
            (1_000_000, "1.00M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(short_count(count), expected);
        }
    }
}
