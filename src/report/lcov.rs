//! LCOV tracefiles, record for record as `llvm-cov export -format=lcov` writes them.

use std::io::{Result, Write};

use crate::coverage::branch::BranchLine;
use crate::coverage::{Coverage, FileCoverage};

/// What to leave out of a tracefile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LcovOptions {
    /// Only totals for each file (`-summary-only`).
    pub summary_only: bool,
    /// No `FN` and `FNDA` records (`-skip-functions`).
    pub skip_functions: bool,
}

/// Writes a tracefile: for each file its functions, lines and branches with their counts, then the totals.
///
/// # Errors
/// Those of `out`.
pub fn write(coverage: &Coverage, options: LcovOptions, out: &mut dyn Write) -> Result<()> {
    for file in &coverage.files {
        out.write_all(b"SF:")?;
        out.write_all(&single_line(&file.path))?;
        out.write_all(b"\n")?;
        write_functions(coverage, file, options, out)?;
        if !options.summary_only {
            for line in file.lines() {
                writeln!(out, "DA:{},{}", line.line, line.count)?;
            }
            write_branches(&file.branch_lines, out)?;
        }
        let summary = &file.summary;
        writeln!(out, "BRF:{}\nBRH:{}", summary.branches.count, summary.branches.covered)?;
        writeln!(out, "LF:{}\nLH:{}", summary.lines.count, summary.lines.covered)?;
        out.write_all(b"end_of_record\n")?;
    }
    Ok(())
}

fn write_functions(
    coverage: &Coverage,
    file: &FileCoverage,
    options: LcovOptions,
    out: &mut dyn Write,
) -> Result<()> {
    if !options.summary_only && !options.skip_functions {
        let functions = || file.functions.iter().map(|&function| &coverage.functions[function as usize]);
        for function in functions() {
            write!(out, "FN:{},", function.start_line())?;
            out.write_all(&single_line(&function.name))?;
            out.write_all(b"\n")?;
        }
        for function in functions() {
            write!(out, "FNDA:{},", function.execution_count)?;
            out.write_all(&single_line(&function.name))?;
            out.write_all(b"\n")?;
        }
    }
    writeln!(out, "FNF:{}\nFNH:{}", file.summary.functions.count, file.summary.functions.covered)
}

/// One pair of `BRDA` records for each condition; a line's conditions are numbered from 0. LLVM cuts the counts to 32
/// bits and takes two zeros for "never evaluated".
fn write_branches(branches: &[BranchLine], out: &mut dyn Write) -> Result<()> {
    for on_line in branches.chunk_by(|a, b| a.line == b.line) {
        for (pair, branch) in on_line.iter().enumerate() {
            let counts = [branch.when_true as u32, branch.when_false as u32];
            let is_evaluated = counts != [0, 0];
            for (side, count) in counts.into_iter().enumerate() {
                write!(out, "BRDA:{},{pair},{},", branch.line, 2 * pair + side)?;
                if is_evaluated { writeln!(out, "{count}")? } else { writeln!(out, "-")? }
            }
        }
    }
    Ok(())
}

/// A record is a line, so a line break in a name would begin another record.
fn single_line(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if text.iter().any(|&byte| byte == b'\n' || byte == b'\r') {
        text.iter().map(|&byte| if byte == b'\n' || byte == b'\r' { b' ' } else { byte }).collect()
    } else {
        text.into()
    }
}
