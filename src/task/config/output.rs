//! Which reports are written, and where, as plain data.

use std::path::Path;
use std::path::PathBuf;

use super::Command;
use crate::report::table::Order;

/// Which reports are written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// Report at all; otherwise the run is only recorded.
    pub enabled: bool,
    /// The formats asked for, each once. Empty: see [`Output::requests`].
    pub formats: Vec<Format>,
    /// Where they go.
    pub place: Place,
    /// A single format goes to its file too, unless a place is named.
    pub to_files: bool,
    /// A file to which maps and counts go, for [`Command::Merge`]. Alone, it takes the place of all reports.
    pub partial: Option<PathBuf>,
    /// Numbers for whole files only: no lines and functions in LCOV and JSON; only the totals instead of the table.
    pub summary_only: bool,
    /// No functions in LCOV and JSON.
    pub skip_functions: bool,
    /// List the missing lines under the table.
    pub show_missing_lines: bool,
    /// List the functions that never ran under the table.
    pub show_missing_functions: bool,
    /// One line instead of the table.
    pub total_line: bool,
    /// The order of files in the table and in the list of missing lines.
    pub order: Order,
}

/// A form of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The table of files, or of totals, for people.
    Table,
    /// An LCOV tracefile.
    Lcov,
    /// JSON as `llvm-cov export` writes it.
    Json,
    /// The sources with the count of each line beside it.
    Text,
    /// Cobertura's XML.
    Cobertura,
    /// Codecov's own JSON.
    Codecov,
    /// Totals, files and missing lines in Markdown.
    Markdown,
    /// What shields.io makes a badge from.
    Badge,
    /// A badge as a picture.
    BadgeSvg,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 9] = [
        Format::Table,
        Format::Lcov,
        Format::Json,
        Format::Text,
        Format::Cobertura,
        Format::Codecov,
        Format::Markdown,
        Format::Badge,
        Format::BadgeSvg,
    ];

    /// The name of its file in a directory of reports.
    pub fn file_name(self) -> &'static str {
        match self {
            Format::Table => "summary.txt",
            Format::Lcov => "lcov.info",
            Format::Json => "coverage.json",
            Format::Text => "coverage.txt",
            Format::Cobertura => "cobertura.xml",
            Format::Codecov => "codecov.json",
            Format::Markdown => "summary.md",
            Format::Badge => "badge.json",
            Format::BadgeSvg => "badge.svg",
        }
    }
}

/// Where reports go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A single format to standard output, several as files into `<target_dir>/coverage`.
    Usual,
    /// A single format into this file; `-` is standard output.
    File(PathBuf),
    /// All formats as files into this directory.
    Directory(PathBuf),
}

/// One report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// Its form.
    pub format: Format,
    /// Numbers for whole files only, or totals only in the table.
    pub summary_only: bool,
    /// Where it goes.
    pub destination: Destination,
}

/// Where one report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// Standard error, for the table where standard output is somebody else's.
    Stderr,
    /// This file, which is replaced.
    File(PathBuf),
}

impl Output {
    /// The reports to write, in this order. `usual_dir` is `<target_dir>/coverage`.
    ///
    /// - No format asked for: [`Command::Coverage`] writes a whole `lcov.info`, which editors look for, and prints the table;
    ///   [`Command::Report`] and [`Command::Merge`] print the table.
    /// - One format and no place: it is printed, as cargo-llvm-cov does, unless a manifest asks for it.
    /// - Formats that go to files: the table is printed besides.
    /// - No format but [`Output::partial`]: none at all, for what is to be merged has no report worth reading yet.
    /// - Under [`Command::Run`] standard output is the program's: the table goes to standard error, and a format without a place
    ///   goes to its file.
    pub fn requests(&self, command: Command, usual_dir: &Path) -> Vec<ReportRequest> {
        let reports = matches!(command, Command::Coverage | Command::Run | Command::Report | Command::Merge);
        if !self.enabled || !reports || self.formats.is_empty() && self.partial.is_some() {
            return Vec::new();
        }
        let request = |format, summary_only, destination| ReportRequest { format, summary_only, destination };
        let directory = match &self.place {
            Place::Directory(directory) => directory,
            _ => usual_dir,
        };
        let mut requests: Vec<ReportRequest> = match (self.formats.as_slice(), &self.place) {
            ([], _) if matches!(command, Command::Coverage | Command::Run) => {
                let path = directory.join(Format::Lcov.file_name());
                vec![request(Format::Lcov, false, Destination::File(path))]
            }
            ([Format::Table], Place::Usual) if command == Command::Run => Vec::new(),
            ([format], Place::Usual) if command != Command::Run && !self.to_files => {
                vec![request(*format, self.summary_only, Destination::Stdout)]
            }
            ([format], Place::File(path)) => {
                let to_stdout = path.as_os_str() == "-";
                let destination =
                    if to_stdout { Destination::Stdout } else { Destination::File(path.clone()) };
                vec![request(*format, self.summary_only, destination)]
            }
            (formats, _) => formats
                .iter()
                .map(|format| {
                    let path = directory.join(format.file_name());
                    request(*format, self.summary_only, Destination::File(path))
                })
                .collect(),
        };
        let stdout_is_free = requests.iter().all(|request| request.destination != Destination::Stdout);
        if command == Command::Run {
            if requests.iter().all(|request| request.format != Format::Table) {
                requests.push(request(Format::Table, self.summary_only, Destination::Stderr));
            }
        } else if stdout_is_free && !self.formats.contains(&Format::Table) {
            requests.push(request(Format::Table, self.summary_only, Destination::Stdout));
        }
        requests
    }
}
