//! Annotated source: each line with its number and count, in the manner of `llvm-cov show`.

use std::io::{Result, Write};

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
        out.write_all(&file.path)?;
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
        let covered = lines.next_if(|line| line.line == number);
        let count = covered.map_or(String::new(), |line| short_count(line.count));
        write!(out, "{number:>LINE_WIDTH$}|{count:>7}|")?;
        out.write_all(&printable(text))?;
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
    for segment in missed {
        // Columns count bytes; what stands before the mark is as wide as its characters.
        let before = text.get(..segment.start.column.saturating_sub(1) as usize).unwrap_or(text);
        let width = String::from_utf8_lossy(&printable(before)).chars().count();
        if marks.len() <= width {
            marks.push_str(&" ".repeat(width - marks.len()));
            marks.push_str("^0");
        }
    }
    if marks.is_empty() { Ok(()) } else { writeln!(out, "{:>LINE_WIDTH$}|{:>7}|{marks}", "", "") }
}

/// Source text can hold anything; a terminal must not obey it.
fn printable(text: &[u8]) -> Vec<u8> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let mut printable = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'\t' => printable.extend_from_slice(b"    "),
            0..=0x1f | 0x7f => printable.push(b'?'),
            _ => printable.push(byte),
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
    use super::short_count;

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
