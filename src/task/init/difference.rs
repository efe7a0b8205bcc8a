//! The lines by which two short texts differ. Pure.

use std::fmt;

/// A line that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1 on: in the new text for one that comes, in the old one for one that goes.
    number: usize,
    comes: bool,
    text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5} {}", self.number, if self.comes { '+' } else { '-' })?;
        if !self.text.is_empty() {
            f.write_str(" ")?;
        }
        for c in self.text.chars() {
            // A file shall not draw on the terminal.
            if c.is_control() && c != '\t' { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}

/// The lines of `before` that are not in `after`, and the other way round, by a longest common subsequence. Time and memory grow with
/// the product of what differs, so what both begin and end with is put aside.
pub(super) fn added_and_removed(before: &str, after: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let front = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (old.get(front..).unwrap_or_default(), new.get(front..).unwrap_or_default());
    let back = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let old = old_rest.get(..old_rest.len() - back).unwrap_or_default();
    let new = new_rest.get(..new_rest.len() - back).unwrap_or_default();

    // The length of the longest common subsequence of what stands from each pair of lines on.
    let mut longest = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, old_line) in old.iter().enumerate().rev() {
        for (j, new_line) in new.iter().enumerate().rev() {
            longest[i][j] = if old_line == new_line {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    let line = |index: usize, comes: bool, text: &str| Line {
        number: front + index + 1,
        comes,
        text: text.to_owned(),
    };
    loop {
        match (old.get(i), new.get(j)) {
            (Some(same), Some(other)) if same == other => (i, j) = (i + 1, j + 1),
            (Some(gone), other) if other.is_none() || longest[i + 1][j] >= longest[i][j + 1] => {
                lines.push(line(i, false, gone));
                i += 1;
            }
            (_, Some(new)) => {
                lines.push(line(j, true, new));
                j += 1;
            }
            _ => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::added_and_removed;

    fn check(before: &str, after: &str, expected: &[&str]) {
        let lines: Vec<String> = added_and_removed(before, after).iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected, "{before:?} {after:?}");
    }

    #[test]
    fn lines_that_come_and_go_have_their_numbers() {
        check("", "", &[]);
        check("a\nb\n", "a\nb\n", &[]);
        check("", "a\n\nb\n", &["    1 + a", "    2 +", "    3 + b"]);
        check("a\nb\nc\n", "a\nx\nc\nd\n", &["    2 - b", "    2 + x", "    4 + d"]);
        check("a\nb\na\n", "a\na\n", &["    2 - b"]);
        check("a\n", "\u{1b}[2J\n", &["    1 - a", "    1 + \\u{1b}[2J"]);
    }
}
