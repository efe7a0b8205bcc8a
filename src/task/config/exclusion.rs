//! What counts, as plain data.

use crate::filter::DefaultSet;

/// What counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exclusion {
    /// Files whose workspace-relative path one of these regexes matches anywhere do not count.
    pub ignore_filename_regex: Vec<String>,
    /// Files whose workspace-relative path one of these regexes matches count whatever else would leave them out.
    pub include_filename_regex: Vec<String>,
    /// Files that one of these globs matches, on workspace-relative paths, do not count.
    pub exclude_files: Vec<String>,
    /// Files that one of these globs matches count whatever else would leave them out.
    pub include_files: Vec<String>,
    /// Packages, by name or glob, that do not count although their tests run.
    pub exclude_from_report: Vec<String>,
    /// The sets of files that do not count.
    pub defaults: Vec<DefaultSet>,
    /// Test code inside source files does not count.
    pub tests: bool,
    /// What markers in comments leave out does not count.
    pub markers: bool,
    /// Classes of code that do not count either.
    pub code: Vec<CodeClass>,
    /// What single packages leave out or bring back. No flag sets it.
    pub packages: Vec<PackageExclusion>,
}

/// What counts of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageExclusion {
    /// The package's name.
    pub package: String,
    /// Files that one of these globs matches, on paths relative to the package, do not count.
    pub exclude_files: Vec<String>,
    /// Files that one of these globs matches count whatever else would leave them out.
    pub include_files: Vec<String>,
}

/// Code that some projects do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeClass {
    /// Arms and blocks that only call `unreachable!`, `todo!` or `unimplemented!`.
    Unreachable,
    /// Implementations of `Debug` that are written out.
    Debug,
    /// `const fn`s that never ran: the compiler may have run them.
    ConstFn,
}

impl CodeClass {
    /// All of them.
    pub const ALL: [CodeClass; 3] = [CodeClass::Unreachable, CodeClass::Debug, CodeClass::ConstFn];

    /// The word for it in options.
    pub fn name(self) -> &'static str {
        match self {
            CodeClass::Unreachable => "unreachable",
            CodeClass::Debug => "debug",
            CodeClass::ConstFn => "const-fn",
        }
    }
}
