//! What can be wrong with input bytes, and where. Knows no paths: the loader adds them.

use std::fmt;

/// An error in input bytes. It reads well behind "failed to read `path`: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where it was noticed, in bytes from the start of the input that the failing function was given.
    pub offset: u64,
}

/// The ways in which input bytes can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is something else altogether, for example text where an object file was expected.
    NotRecognized {
        /// What was expected, with its article: "a raw profile".
        expected: &'static str,
    },
    /// The input ends, or an area inside it ends, before what it must hold.
    Truncated {
        /// What was being read: "counters".
        what: &'static str,
        /// Bytes that it takes.
        need: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// A value contradicts the format.
    Malformed {
        /// The contradiction: "number of counters is zero".
        what: &'static str,
    },
    /// A version of the format that this build does not read.
    UnsupportedVersion {
        /// The format: "raw profile".
        what: &'static str,
        /// The version in the input.
        found: u64,
        /// The oldest version that this build reads.
        oldest: u64,
        /// The newest version that this build reads.
        newest: u64,
    },
    /// A known construct that this build does not read.
    Unsupported {
        /// The construct: "compressed ELF section".
        what: &'static str,
    },
    /// Bytes that zlib does not accept, or that grow beyond their declared size.
    Decompress,
}

/// The result of reading input bytes.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` noticed at `offset` bytes.
    pub fn new(kind: ErrorKind, offset: u64) -> Error {
        Error { kind, offset }
    }

    /// A value at `offset` contradicts the format; `what` names the contradiction.
    pub fn malformed(what: &'static str, offset: u64) -> Error {
        Error::new(ErrorKind::Malformed { what }, offset)
    }

    /// `what` needs `need` bytes at `offset`, where `have` remain.
    pub fn truncated(what: &'static str, need: u64, have: u64, offset: u64) -> Error {
        Error::new(ErrorKind::Truncated { what, need, have }, offset)
    }

    /// The same error seen from an input in which the failing area starts at `base` bytes.
    pub fn offset_by(self, base: u64) -> Error {
        Error { offset: self.offset.saturating_add(base), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        match &self.kind {
            ErrorKind::NotRecognized { expected } => write!(f, "not {expected}"),
            ErrorKind::Truncated { what, need, have } => {
                write!(f, "truncated: {what} need {need} bytes at offset {offset:#x}, {have} remain")
            }
            ErrorKind::Malformed { what } => write!(f, "malformed: {what} at offset {offset:#x}"),
            ErrorKind::UnsupportedVersion { what, found, oldest, newest } => {
                write!(f, "unsupported {what} version {found} (this build reads {oldest} to {newest})")
            }
            ErrorKind::Unsupported { what } => write!(f, "unsupported: {what} at offset {offset:#x}"),
            ErrorKind::Decompress => write!(f, "failed to decompress zlib data at offset {offset:#x}"),
        }
    }
}

impl std::error::Error for Error {}
