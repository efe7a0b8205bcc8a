//! LCOV tracefiles, record for record as `llvm-cov export -format=lcov` writes them.

use std::io::{Result, Write};

use crate::coverage::branch::BranchLine;
use crate::coverage::{Coverage, FileCoverage, Model};

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
    // Collected in memory: a tracefile is hundreds of thousands of short records.
    let mut records = Vec::new();
    for file in &coverage.files {
        write_file(&mut records, coverage, file, options, out)?;
        out.write_all(&records)?;
        records.clear();
    }
    Ok(())
}

/// So many bytes of a file are in memory at most, as a damaged map can claim millions of lines.
const MOST_COLLECTED: usize = 1 << 20;

/// Adds a file to `records`, and hands these on to `out` if they are many.
fn write_file(
    records: &mut Vec<u8>,
    coverage: &Coverage,
    file: &FileCoverage,
    options: LcovOptions,
    out: &mut dyn Write,
) -> Result<()> {
    records.extend_from_slice(b"SF:");
    push_single_line(records, &file.path);
    let push_name = match coverage.model {
        Model::Union => push_function_name,
        Model::Llvm => push_single_line,
    };
    let functions = || file.functions.iter().map(|&function| &coverage.functions[function as usize]);
    if !options.summary_only && !options.skip_functions {
        for function in functions() {
            push_numbers(records, b"\nFN:", &[function.start_line().into()]);
            records.push(b',');
            push_name(records, &function.name);
        }
        for function in functions() {
            push_numbers(records, b"\nFNDA:", &[function.execution_count]);
            records.push(b',');
            push_name(records, &function.name);
        }
    }
    let summary = &file.summary;
    push_numbers(records, b"\nFNF:", &[summary.functions.count]);
    push_numbers(records, b"\nFNH:", &[summary.functions.covered]);
    if !options.summary_only {
        for line in file.lines() {
            push_numbers(records, b"\nDA:", &[line.line.into(), line.count]);
            if records.len() > MOST_COLLECTED {
                out.write_all(records)?;
                records.clear();
            }
        }
        push_branches(records, &file.branch_lines);
    }
    push_numbers(records, b"\nBRF:", &[summary.branches.count]);
    push_numbers(records, b"\nBRH:", &[summary.branches.covered]);
    push_numbers(records, b"\nLF:", &[summary.lines.count]);
    push_numbers(records, b"\nLH:", &[summary.lines.covered]);
    records.extend_from_slice(b"\nend_of_record\n");
    Ok(())
}

/// One `BRDA` record for each outcome of a condition; a line's conditions and outcomes are numbered from 0. Where no outcome
/// has a count, LLVM takes the condition for one that was never evaluated.
fn push_branches(records: &mut Vec<u8>, branches: &[BranchLine]) {
    for on_line in branches.chunk_by(|a, b| a.line == b.line) {
        for (pair, branch) in (0_u64..).zip(on_line) {
            let is_evaluated = branch.outcomes.iter().flatten().any(|&count| count > 0);
            for (side, count) in (0_u64..).zip(branch.outcomes) {
                let Some(count) = count else { continue };
                push_numbers(records, b"\nBRDA:", &[branch.line.into(), pair, 2 * pair + side]);
                if is_evaluated {
                    push_numbers(records, b",", &[count]);
                } else {
                    records.extend_from_slice(b",-");
                }
            }
        }
    }
}

/// Adds a tag and numbers with commas between them.
fn push_numbers(records: &mut Vec<u8>, tag: &[u8], numbers: &[u64]) {
    records.extend_from_slice(tag);
    for (index, &number) in numbers.iter().enumerate() {
        if index > 0 {
            records.push(b',');
        }
        let mut digits = [0; 20];
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        records.extend_from_slice(&digits[start..]);
    }
}

/// To lcov 1.x a name ends at its first comma, so that functions of several types would become one.
fn push_function_name(records: &mut Vec<u8>, name: &[u8]) {
    let start = records.len();
    push_single_line(records, name);
    for byte in &mut records[start..] {
        if *byte == b',' {
            *byte = b';';
        }
    }
}

/// A record is a line, so a line break in a name would begin another record.
fn push_single_line(records: &mut Vec<u8>, text: &[u8]) {
    let start = records.len();
    records.extend_from_slice(text);
    if text.contains(&b'\n') || text.contains(&b'\r') {
        for byte in &mut records[start..] {
            if *byte == b'\n' || *byte == b'\r' {
                *byte = b' ';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{push_branches, push_function_name, push_numbers, push_single_line};
    use crate::coverage::branch::BranchLine;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut records = Vec::new();
        push(&mut records);
        String::from_utf8(records).expect("text")
    }

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(text(|records| push_numbers(records, b"DA:", &[0, 7])), "DA:0,7");
        assert_eq!(
            text(|records| push_numbers(records, b"", &[u64::MAX, 1000])),
            "18446744073709551615,1000"
        );
    }

    #[test]
    fn names_stay_on_their_line() {
        assert_eq!(text(|records| push_single_line(records, b"a\nend_of_record\r\nb")), "a end_of_record  b");
    }

    #[test]
    fn names_of_functions_have_no_comma() {
        let name = b"<a::B<u8, [u8; 2]>>::f";
        assert_eq!(text(|records| push_function_name(records, name)), "<a::B<u8; [u8; 2]>>::f");
    }

    #[test]
    fn conditions_are_numbered_by_line() {
        let branch = |line, outcomes| BranchLine { line, outcomes };
        let branches =
            [branch(3, [Some(1), Some(0)]), branch(3, [Some(0), Some(0)]), branch(9, [None, Some(5)])];
        let expected = "\nBRDA:3,0,0,1\nBRDA:3,0,1,0\nBRDA:3,1,2,-\nBRDA:3,1,3,-\nBRDA:9,0,1,5";
        assert_eq!(text(|records| push_branches(records, &branches)), expected);
    }
}
