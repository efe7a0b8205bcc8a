//! Why something does not count, in words.

use std::fmt;
use std::path::{Path, PathBuf};

use super::marker::Marker;

/// Why a stretch of source, or a whole file, does not count. Lines are 1-based, and those of the file that it is about.
///
/// As text it follows a colon: `line 12 does not count: test code: `#[cfg(test)]` on line 10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is part of test builds only.
    Test {
        /// What says so, on one line: an attribute, or a macro.
        attribute: String,
        /// Where that stands.
        line: u32,
    },
    /// A comment says so.
    Marker {
        /// Which one.
        marker: Marker,
        /// Where it stands.
        line: u32,
        /// What stands behind the marker.
        why: String,
    },
    /// It is not meant to run: `unreachable!` and its like.
    Unreachable {
        /// The macro's name, without `!`.
        name: String,
        /// Where it is called.
        line: u32,
    },
    /// It implements `Debug`.
    DebugImpl {
        /// Where.
        line: u32,
    },
    /// It is a `const fn` that never ran.
    ConstFn {
        /// Where.
        line: u32,
    },
    /// The file says that it is generated.
    Generated {
        /// Where.
        line: u32,
    },
    /// The file's module does not count where it is declared.
    Declared {
        /// The file that declares it, or a module around it.
        by: PathBuf,
        /// Why; its line is one of that file.
        reason: Box<Reason>,
    },
}

impl Reason {
    /// Whether a module that is declared there does not count either.
    pub(super) fn is_gate(&self) -> bool {
        matches!(self, Reason::Test { .. } | Reason::Marker { marker: Marker::Ignore, .. })
    }

    /// Whether it is that test builds alone have the code.
    pub fn is_test_code(&self) -> bool {
        match self {
            Reason::Test { .. } => true,
            Reason::Declared { reason, .. } => reason.is_test_code(),
            _ => false,
        }
    }

    /// The line that it names, of the file that it is about or, for [`Reason::Declared`], of the declaring one.
    pub fn line(&self) -> u32 {
        match self {
            Reason::Test { line, .. }
            | Reason::Marker { line, .. }
            | Reason::Unreachable { line, .. }
            | Reason::DebugImpl { line }
            | Reason::ConstFn { line }
            | Reason::Generated { line } => *line,
            Reason::Declared { reason, .. } => reason.line(),
        }
    }

    /// The same, with the declaring file's path relative to a directory that it is below.
    #[must_use]
    pub fn relative_to(self, directory: &Path) -> Reason {
        match self {
            Reason::Declared { by, reason } => {
                let by = by.strip_prefix(directory).map(Path::to_path_buf).unwrap_or(by);
                Reason::Declared { by, reason }
            }
            other => other,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, of_file: &str) -> fmt::Result {
        match self {
            Reason::Test { attribute, line } => write!(f, "test code: `{attribute}` on line {line}{of_file}"),
            Reason::Marker { marker, line, why } => {
                write!(f, "`{marker}` on line {line}{of_file}")?;
                if why.is_empty() { Ok(()) } else { write!(f, ": {why}") }
            }
            Reason::Unreachable { name, line } => {
                write!(f, "not meant to run: `{name}!` on line {line}{of_file}")
            }
            Reason::DebugImpl { line } => write!(f, "implementation of `Debug` on line {line}{of_file}"),
            Reason::ConstFn { line } => {
                write!(f, "`const fn` on line {line}{of_file} that never ran")
            }
            Reason::Generated { line } => write!(f, "generated file: `@generated` on line {line}{of_file}"),
            Reason::Declared { by, reason } => reason.write(f, &format!(" of {}", by.display())),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}
