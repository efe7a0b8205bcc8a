//! Offsets to lines and columns as rustc counts them: lines end with a line feed, columns count bytes, and a byte order mark
//! is not there.

use crate::format::covfun::Position;

/// Where each line begins.
#[derive(Debug)]
pub(super) struct Lines {
    starts: Vec<u32>,
    /// How many bytes of the first line rustc does not see.
    mark_len: u32,
}

impl Lines {
    /// Finds the lines of a file of less than 4 GiB.
    pub(super) fn new(text: &[u8]) -> Lines {
        let mut starts = vec![0];
        starts.extend(
            text.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(offset, _)| offset as u32 + 1),
        );
        Lines { starts, mark_len: if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 } }
    }

    /// The line of the byte at this offset, 1-based.
    pub(super) fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }

    /// The offset at which a line begins; that of the last line for those behind it.
    pub(super) fn start(&self, line: u32) -> u32 {
        let position = (line as usize).saturating_sub(1).min(self.starts.len() - 1);
        self.starts[position]
    }

    /// How many lines there are; what follows the last line feed is one.
    pub(super) fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// Line and column of an offset.
    pub(super) fn position(&self, offset: u32) -> Position {
        let line = self.line(offset);
        let column = offset - self.start(line);
        let column = if line == 1 { column.saturating_sub(self.mark_len) } else { column };
        Position { line, column: column + 1 }
    }

    /// The same for the first offset behind something, which stays on the last line that it has a character of.
    pub(super) fn end_position(&self, offset: u32) -> Position {
        let is_line_start = offset > 0 && self.start(self.line(offset)) == offset;
        self.position(if is_line_start { offset - 1 } else { offset })
    }
}
