//! Cobertura's XML, which GitHub, GitLab, Jenkins and Azure read. The DTD is `coverage-04.dtd`, a copy of which is in
//! `tests/data/report`.
//!
//! | element | what it is here |
//! |---|---|
//! | `source` | the workspace's root, absolute: GitLab finds files by it. All other paths are relative to it |
//! | `package` | a directory; `.` is the root |
//! | `class` | a file. Its name is the file name alone: ReportGenerator takes what stands before a `/` for an outer class |
//! | `method` | a function, with the line on which it begins and how often it was entered. Further lines would stand there twice |
//! | `line` | a mapped line; with `conditions` where branches were recorded |
//!
//! There is no document type declaration, because readers that heed it load it from the network.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Result, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::functions::{self, Function};
use super::name;
use crate::coverage::branch::BranchLine;
use crate::coverage::line::LineCoverage;
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, FileCoverage, Summary};

/// The DTD wants a time, and an output holds none. Codecov refuses what is older than twelve hours, but takes `0` for no date;
/// the others do not read it. `SOURCE_DATE_EPOCH` would be a date, and an old one.
const NO_TIME: &str = "0";

/// Jenkins reads counts as Java's `int`.
const MAX_HITS: u64 = i32::MAX.unsigned_abs() as u64;

/// Writes all files. `workspace_root` is the directory that their paths are relative to.
///
/// # Errors
/// Those of `out`.
pub fn write(coverage: &Coverage, workspace_root: &str, out: &mut dyn Write) -> Result<()> {
    let mut packages: BTreeMap<&[u8], Vec<&FileCoverage>> = BTreeMap::new();
    for file in &coverage.files {
        packages.entry(split(&file.path).0).or_default().push(file);
    }
    let has_branches = coverage.totals.branches.count > 0;
    let (lines, branches) = (coverage.totals.lines, coverage.totals.branches);
    let mut xml = Writer::new(out);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    newline(&mut xml)?;
    xml.create_element("coverage")
        .with_attributes(rates(&coverage.totals, has_branches))
        .with_attribute(("lines-covered", number(lines.covered)))
        .with_attribute(("lines-valid", number(lines.count)))
        .with_attribute(("branches-covered", number(branches.covered)))
        .with_attribute(("branches-valid", number(branches.count)))
        .with_attribute(("version", concat!("xtask-coverage ", env!("CARGO_PKG_VERSION"))))
        .with_attribute(("timestamp", NO_TIME))
        .write_inner_content(|xml| {
            newline(xml)?;
            xml.create_element("sources").write_inner_content(|xml| {
                let root = name::text(workspace_root.as_bytes());
                xml.create_element("source").write_text_content(BytesText::new(&root)).map(drop)
            })?;
            newline(xml)?;
            xml.create_element("packages").write_inner_content(|xml| {
                for (directory, files) in &packages {
                    write_package(xml, directory, files, coverage, has_branches)?;
                }
                Ok(())
            })?;
            newline(xml)
        })?;
    newline(&mut xml)
}

type Xml<'a> = Writer<&'a mut dyn Write>;

fn write_package(
    xml: &mut Xml<'_>,
    directory: &[u8],
    files: &[&FileCoverage],
    coverage: &Coverage,
    has_branches: bool,
) -> Result<()> {
    let mut summary = Summary::EMPTY;
    for file in files {
        summary += file.summary;
    }
    newline(xml)?;
    xml.create_element("package")
        .with_attribute(("name", name::text(directory)))
        .with_attributes(rates(&summary, has_branches))
        .write_inner_content(|xml| {
            xml.create_element("classes").write_inner_content(|xml| {
                files.iter().try_for_each(|file| write_class(xml, file, coverage, has_branches))
            })?;
            Ok(())
        })?;
    Ok(())
}

fn write_class(
    xml: &mut Xml<'_>,
    file: &FileCoverage,
    coverage: &Coverage,
    has_branches: bool,
) -> Result<()> {
    newline(xml)?;
    xml.create_element("class")
        .with_attribute(("name", name::text(split(&file.path).1)))
        .with_attribute(("filename", name::text(&file.path)))
        .with_attributes(rates(&file.summary, has_branches))
        .write_inner_content(|xml| {
            xml.create_element("methods").write_inner_content(|xml| {
                let mut functions = functions::of(file, coverage).into_iter();
                functions.try_for_each(|function| write_method(xml, &function, has_branches))
            })?;
            newline(xml)?;
            xml.create_element("lines").write_inner_content(|xml| {
                let mut branches = file.branch_lines.as_slice();
                for line in file.lines() {
                    // Conditions are in the order of their lines, and stand on mapped lines.
                    let first = branches.partition_point(|branch| branch.line < line.line);
                    let end = branches.partition_point(|branch| branch.line <= line.line);
                    write_line(xml, line, &branches[first..end])?;
                    branches = &branches[end..];
                }
                Ok(())
            })?;
            Ok(())
        })?;
    Ok(())
}

fn write_method(xml: &mut Xml<'_>, function: &Function<'_>, has_branches: bool) -> Result<()> {
    let ran = Ratio { covered: u64::from(function.execution_count > 0), count: 1 };
    newline(xml)?;
    xml.create_element("method")
        .with_attribute(("name", name::text(&function.name)))
        .with_attribute(("signature", ""))
        .with_attributes(rates(&Summary { lines: ran, ..Summary::EMPTY }, has_branches))
        .write_inner_content(|xml| {
            xml.create_element("lines")
                .write_inner_content(|xml| write_hits(xml, function.line, function.execution_count))?;
            Ok(())
        })?;
    Ok(())
}

fn write_line(xml: &mut Xml<'_>, line: LineCoverage, branches: &[BranchLine]) -> Result<()> {
    newline(xml)?;
    let outcomes = |branch: &BranchLine| {
        let mut ratio = Ratio::EMPTY;
        for count in branch.outcomes.iter().flatten() {
            ratio += Ratio { covered: u64::from(*count > 0), count: 1 };
        }
        ratio
    };
    let mut all = Ratio::EMPTY;
    branches.iter().map(outcomes).for_each(|ratio| all += ratio);
    if all.count == 0 {
        return write_hits(xml, line.line, line.count);
    }
    let condition_coverage = Cow::Owned(format!("{} ({}/{})", percent(all), all.covered, all.count));
    xml.create_element("line")
        .with_attribute(("number", number(line.line.into())))
        .with_attribute(("hits", number(line.count.min(MAX_HITS))))
        .with_attribute(("branch", "true"))
        .with_attribute(("condition-coverage", condition_coverage))
        .write_inner_content(|xml| {
            xml.create_element("conditions").write_inner_content(|xml| {
                for (index, ratio) in (0..).zip(branches.iter().map(outcomes)) {
                    xml.create_element("condition")
                        .with_attribute(("number", number(index)))
                        .with_attribute(("type", "jump"))
                        .with_attribute(("coverage", percent(ratio)))
                        .write_empty()?;
                }
                Ok(())
            })?;
            Ok(())
        })?;
    Ok(())
}

fn write_hits(xml: &mut Xml<'_>, line: u32, count: u64) -> Result<()> {
    xml.create_element("line")
        .with_attribute(("number", number(line.into())))
        .with_attribute(("hits", number(count.min(MAX_HITS))))
        .write_empty()?;
    Ok(())
}

/// What every element with totals has. Of nothing all is covered; of branches that nobody recorded, nothing.
fn rates(summary: &Summary, has_branches: bool) -> [(&'static str, Cow<'static, str>); 3] {
    let branch_rate = if has_branches { rate(summary.branches) } else { Cow::Borrowed("0") };
    [
        ("line-rate", rate(summary.lines)),
        ("branch-rate", branch_rate),
        // Cyclomatic complexity, which nobody counted.
        ("complexity", Cow::Borrowed("0")),
    ]
}

/// A share from 0 to 1 with four decimals, rounded down, so that 1 is exact.
fn rate(ratio: Ratio) -> Cow<'static, str> {
    match ratio.hundredths() {
        None | Some(10_000) => Cow::Borrowed("1"),
        Some(share) => Cow::Owned(format!("0.{share:04}")),
    }
}

/// Whole percent, rounded down.
fn percent(ratio: Ratio) -> Cow<'static, str> {
    Cow::Owned(format!("{}%", ratio.hundredths().unwrap_or(10_000) / 100))
}

/// A path's directory and file name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        None => (b".", path),
        // The root directory itself.
        Some(0) => (b"/", &path[1..]),
        Some(slash) => (&path[..slash], &path[slash + 1..]),
    }
}

fn number(number: u64) -> Cow<'static, str> {
    Cow::Owned(number.to_string())
}

/// Line ends are all the white space that there is: GitLab takes no file above 10 MiB.
fn newline(xml: &mut Xml<'_>) -> Result<()> {
    xml.get_mut().write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::{rate, split};
    use crate::coverage::summary::Ratio;

    #[test]
    fn rates_round_down() {
        for (covered, count, expected) in [
            (0, 0, "1"),
            (0, 9, "0.0000"),
            (1, 3, "0.3333"),
            (1, 16, "0.0625"),
            (999_999, 1_000_000, "0.9999"),
            (5, 5, "1"),
        ] {
            assert_eq!(rate(Ratio { covered, count }), expected);
        }
    }

    #[test]
    fn directories_and_names() {
        let check = |path: &str, directory: &str, name: &str| {
            assert_eq!(split(path.as_bytes()), (directory.as_bytes(), name.as_bytes()));
        };
        check("a.rs", ".", "a.rs");
        check("a/b/c.rs", "a/b", "c.rs");
        check("/a.rs", "/", "a.rs");
    }
}
