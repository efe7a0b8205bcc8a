//! Random access to the bytes of an object file, in memory or on disk, and windows into them.
//!
//! Knows no object format and opens nothing: the loader implements [`ReadAt`] for files.

use std::borrow::Cow;
use std::{fmt, io};

use crate::format::cursor::wide;
use crate::format::error::Error;

/// Bytes that can be read at any offset, so that a large binary need not be in memory as a whole.
pub trait ReadAt {
    /// The number of bytes in the input.
    fn size(&self) -> u64;

    /// Exactly the `len` bytes from `offset` on.
    ///
    /// The readers here never ask for a byte at or beyond [`size`](ReadAt::size), and never for zero bytes.
    ///
    /// # Errors
    ///
    /// Whatever reading the input can fail with; [`io::ErrorKind::UnexpectedEof`] for bytes that are not there.
    fn read_at(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>>;
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        wide(self.len())
    }

    fn read_at(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>> {
        let start = usize::try_from(offset).ok();
        let len = usize::try_from(len).ok();
        let range = start.zip(len).and_then(|(start, len)| Some(start..start.checked_add(len)?));
        let bytes = range.and_then(|range| self.get(range));
        bytes.map(Cow::Borrowed).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Why an object file could not be read: the input failed, or its bytes are wrong.
#[derive(Debug)]
pub enum ReadError {
    /// [`ReadAt::read_at`] failed.
    Io(io::Error),
    /// The bytes are not what an object file holds; the offset counts from the start of the whole input.
    Format(Error),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> ReadError {
        ReadError::Format(error)
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => error.fmt(f),
            ReadError::Format(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}

/// An object inside an input: the whole of it, an archive member, or a slice of a universal file.
///
/// Offsets count from the start of the window; errors give them from the start of the input.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    input: &'a dyn ReadAt,
    start: u64,
    size: u64,
}

impl<'a> Window<'a> {
    /// The whole input.
    pub(super) fn whole(input: &'a dyn ReadAt) -> Window<'a> {
        Window { input, start: 0, size: input.size() }
    }

    /// The number of bytes in the window.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The window of `size` bytes at `offset`; `what` names it in the error.
    pub(super) fn part(&self, what: &'static str, offset: u64, size: u64) -> Result<Window<'a>, Error> {
        let have = self.size.saturating_sub(offset);
        match self.start.checked_add(offset) {
            Some(start) if size <= have => Ok(Window { input: self.input, start, size }),
            _ => Err(self.locate(Error::truncated(what, size, have, offset))),
        }
    }

    /// The `size` bytes at `offset`; `what` names them in the error.
    pub(super) fn read(
        &self,
        what: &'static str,
        offset: u64,
        size: u64,
    ) -> Result<Cow<'a, [u8]>, ReadError> {
        let part = self.part(what, offset, size)?;
        if part.size == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        Ok(self.input.read_at(part.start, part.size)?)
    }

    /// The first `size` bytes, or all of a smaller window.
    pub(super) fn head(&self, size: u64) -> Result<Cow<'a, [u8]>, ReadError> {
        self.read("first bytes", 0, size.min(self.size))
    }

    /// An error noticed at an offset in this window, at the same place in the input.
    pub(super) fn locate(&self, error: Error) -> Error {
        error.offset_by(self.start)
    }

    /// A contradiction at `offset` bytes of this window.
    pub(super) fn malformed(&self, what: &'static str, offset: u64) -> ReadError {
        self.locate(Error::malformed(what, offset)).into()
    }
}
