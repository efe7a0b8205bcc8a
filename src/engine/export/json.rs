//! LLVM's JSON export, byte for byte as `llvm-cov export -format=text` of LLVM 22 writes it.
//!
//! One line, no spaces, the keys of each object in byte order.

use std::collections::BTreeMap;
use std::io::{Error, Result, Write};

use crate::coverage::function::{CountedBranch, CountedRegion, FunctionRecord};
use crate::coverage::mcdc::McdcRecord;
use crate::coverage::segment::{CountedKind, CoverageSegment};
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, DecisionIndex, Expansion, FileCoverage, Summary};

/// The version that LLVM 22 writes.
const EXPORT_VERSION: &str = "3.1.0";

/// What to leave out of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonOptions {
    /// Only file names and totals (`-summary-only`).
    pub summary_only: bool,
    /// No list of functions (`-skip-functions`).
    pub skip_functions: bool,
}

/// A function's regions are listed again for each expansion in it: not more often than this all in all, some gigabytes of text.
const MOST_EXPANDED_REGIONS: usize = 1 << 26;

/// Writes an export of all files and functions.
///
/// # Errors
/// Those of `out`. Macro expansions that make the export grow out of all proportion, which are damage.
pub fn write(coverage: &Coverage, options: JsonOptions, out: &mut dyn Write) -> Result<()> {
    write_keys(coverage, options, out)?;
    out.write_all(b"}")
}

/// The same with a key more behind those of LLVM, `warnings`: how many things of each kind are missing in the export, by the
/// name of the kind, in byte order.
///
/// # Errors
/// Those of `out`.
pub fn write_with_warnings(
    coverage: &Coverage,
    options: JsonOptions,
    warnings: &BTreeMap<&str, u64>,
    out: &mut dyn Write,
) -> Result<()> {
    write_keys(coverage, options, out)?;
    out.write_all(br#","warnings":{"#)?;
    for (index, (kind, count)) in warnings.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write_string(kind.as_bytes(), out)?;
        write!(out, ":{}", json_count(*count))?;
    }
    out.write_all(b"}}")
}

/// All but the closing brace.
fn write_keys(coverage: &Coverage, options: JsonOptions, out: &mut dyn Write) -> Result<()> {
    let expansions = coverage.files.iter().flat_map(|file| &file.expansions);
    let n_regions = |expansion: &Expansion| coverage.functions[expansion.function as usize].regions.len();
    let n_expanded_regions = expansions.map(n_regions).fold(0, usize::saturating_add);
    if n_expanded_regions > MOST_EXPANDED_REGIONS && !options.summary_only {
        let limit = MOST_EXPANDED_REGIONS;
        return Err(Error::other(format!(
            "macro expansions have {n_expanded_regions} regions, more than {limit}; is an object damaged?"
        )));
    }
    out.write_all(br#"{"data":[{"files":"#)?;
    write_list(out, &coverage.files, |out, file| write_file(coverage, file, options, out))?;
    if !options.summary_only && !options.skip_functions {
        out.write_all(br#","functions":"#)?;
        write_list(out, &coverage.functions, |out, function| write_function(coverage, function, out))?;
    }
    out.write_all(br#","totals":"#)?;
    write_summary(&coverage.totals, out)?;
    write!(out, r#"}}],"type":"llvm.coverage.json.export","version":"{EXPORT_VERSION}""#)
}

fn write_file(
    coverage: &Coverage,
    file: &FileCoverage,
    options: JsonOptions,
    out: &mut dyn Write,
) -> Result<()> {
    out.write_all(b"{")?;
    if !options.summary_only {
        out.write_all(br#""branches":"#)?;
        write_list(out, &file.branches, |out, branch| write_branch(branch, out))?;
        out.write_all(br#","expansions":"#)?;
        write_list(out, &file.expansions, |out, expansion| write_expansion(coverage, expansion, out))?;
        out.write_all(b",")?;
    }
    out.write_all(br#""filename":"#)?;
    write_string(&file.path, out)?;
    if !options.summary_only {
        out.write_all(br#","mcdc_records":"#)?;
        let decision = |index: &DecisionIndex| {
            &coverage.functions[index.function as usize].decisions[index.decision as usize]
        };
        write_list(out, file.decisions.iter().map(decision), |out, decision| write_decision(decision, out))?;
        out.write_all(br#","segments":"#)?;
        write_list(out, &file.segments, |out, segment| write_segment(segment, out))?;
    }
    out.write_all(br#","summary":"#)?;
    write_summary(&file.summary, out)?;
    out.write_all(b"}")
}

fn write_function(coverage: &Coverage, function: &FunctionRecord, out: &mut dyn Write) -> Result<()> {
    out.write_all(br#"{"branches":"#)?;
    write_list(out, function.branches.iter().filter(|branch| !branch.is_folded()), |out, branch| {
        write_branch(branch, out)
    })?;
    write!(out, r#","count":{},"filenames":"#, json_count(function.execution_count))?;
    write_filenames(coverage, function, out)?;
    out.write_all(br#","mcdc_records":"#)?;
    write_list(out, &function.decisions, |out, decision| write_decision(decision, out))?;
    out.write_all(br#","name":"#)?;
    write_string(&function.name, out)?;
    out.write_all(br#","regions":"#)?;
    write_list(out, &function.regions, |out, region| write_region(region, out))?;
    out.write_all(b"}")
}

fn write_filenames(coverage: &Coverage, function: &FunctionRecord, out: &mut dyn Write) -> Result<()> {
    write_list(out, function.filenames.iter(), |out, &path| write_string(&coverage.paths[path as usize], out))
}

fn write_expansion(coverage: &Coverage, expansion: &Expansion, out: &mut dyn Write) -> Result<()> {
    let function = &coverage.functions[expansion.function as usize];
    out.write_all(br#"{"branches":"#)?;
    write_list(out, expansion.branches.iter().filter(|branch| !branch.is_folded()), |out, branch| {
        write_branch(branch, out)
    })?;
    out.write_all(br#","filenames":"#)?;
    write_filenames(coverage, function, out)?;
    out.write_all(br#","source_region":"#)?;
    write_region(&expansion.region, out)?;
    out.write_all(br#","target_regions":"#)?;
    write_list(out, &function.regions, |out, region| write_region(region, out))?;
    out.write_all(b"}")
}

fn write_segment(segment: &CoverageSegment, out: &mut dyn Write) -> Result<()> {
    let CoverageSegment { start, count, has_count, is_region_entry, is_gap_region } = *segment;
    let count = json_count(count);
    write!(out, "[{},{},{count},{has_count},{is_region_entry},{is_gap_region}]", start.line, start.column)
}

/// Region kinds have numbers in the export: code 0, expansion 1, skipped 2, gap 3, branch 4, MC/DC decision 5, MC/DC branch 6.
fn write_region(region: &CountedRegion, out: &mut dyn Write) -> Result<()> {
    let CountedRegion { range, file_id, expanded_file_id } = region;
    let kind = match range.kind {
        CountedKind::Code => 0,
        CountedKind::Expansion => 1,
        CountedKind::Skipped => 2,
        CountedKind::Gap => 3,
    };
    let (start, end) = (range.start, range.end);
    write!(out, "[{},{},{},{},", start.line, start.column, end.line, end.column)?;
    write!(out, "{},{file_id},{expanded_file_id},{kind}]", json_count(range.count))
}

fn write_branch(branch: &CountedBranch, out: &mut dyn Write) -> Result<()> {
    let CountedBranch { start, end, when_true, when_false, file_id, .. } = *branch;
    let kind = if branch.is_mcdc { 6 } else { 4 };
    write!(out, "[{},{},{},{},", start.line, start.column, end.line, end.column)?;
    write!(out, "{},{},{file_id},0,{kind}]", json_count(when_true), json_count(when_false))
}

fn write_decision(decision: &McdcRecord, out: &mut dyn Write) -> Result<()> {
    let McdcRecord { start, end, file_id, conditions, vectors } = decision;
    let n_true = vectors.iter().filter(|vector| vector.outcome).count();
    let n_false = vectors.len() - n_true;
    write!(out, "[{},{},{},{},", start.line, start.column, end.line, end.column)?;
    write!(out, "{n_true},{n_false},{file_id},0,5,")?;
    write_list(out, conditions, |out, condition| write!(out, "{}", condition.is_covered))?;
    out.write_all(b",")?;
    write_list(out, vectors, |out, vector| {
        out.write_all(br#"{"conditions":"#)?;
        write_list(out, &vector.conditions[..], |out, condition| match condition {
            Some(value) => write!(out, "{value}"),
            None => out.write_all(b"null"),
        })?;
        write!(out, r#","executed":true,"result":{}}}"#, vector.outcome)
    })?;
    out.write_all(b"]")
}

fn write_summary(summary: &Summary, out: &mut dyn Write) -> Result<()> {
    let pair = |out: &mut dyn Write, name: &str, ratio: Ratio, with_missed: bool| -> Result<()> {
        let Ratio { covered, count } = ratio;
        write!(out, r#""{name}":{{"count":{count},"covered":{covered},"#)?;
        if with_missed {
            write!(out, r#""notcovered":{},"#, ratio.missed())?;
        }
        write!(out, r#""percent":{}}}"#, percent(ratio))
    };
    out.write_all(b"{")?;
    pair(out, "branches", summary.branches, true)?;
    out.write_all(b",")?;
    pair(out, "functions", summary.functions, false)?;
    out.write_all(b",")?;
    pair(out, "instantiations", summary.instantiations, false)?;
    out.write_all(b",")?;
    pair(out, "lines", summary.lines, false)?;
    out.write_all(b",")?;
    pair(out, "mcdc", summary.mcdc, true)?;
    out.write_all(b",")?;
    pair(out, "regions", summary.regions, true)?;
    out.write_all(b"}")
}

fn write_list<T>(
    out: &mut dyn Write,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut dyn Write, T) -> Result<()>,
) -> Result<()> {
    out.write_all(b"[")?;
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write(out, item)?;
    }
    out.write_all(b"]")
}

/// JSON numbers of LLVM are signed: greater counts, which only differences below zero reach, become the greatest.
fn json_count(count: u64) -> u64 {
    count.min(i64::MAX.unsigned_abs())
}

/// The percentage as C's `%.17g` prints it: 17 significant digits without trailing zeros.
///
/// This number is for other programs, which expect LLVM's digits; what people see is [`Ratio`]'s `Display`.
fn percent(ratio: Ratio) -> String {
    if ratio.count == 0 || ratio.covered == 0 {
        return "0".to_owned();
    }
    let percent = ratio.covered as f64 / ratio.count as f64 * 100.0;
    let scientific = format!("{percent:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let padded = |len: usize| format!("{digits:0<len$}");
    match usize::try_from(exponent) {
        Ok(exponent) => {
            let padded = padded(exponent + 1);
            let (whole, fraction) = padded.split_at(exponent + 1);
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        Err(_) if exponent >= -4 => {
            let zeros = "0".repeat((-exponent - 1) as usize);
            format!("0.{zeros}{digits}")
        }
        Err(_) => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            format!("{first}{point}{rest}e-{:02}", -exponent)
        }
    }
}

/// Bytes that are not UTF-8 become U+FFFD; only quotes, backslashes and control characters are escaped.
fn write_string(text: &[u8], out: &mut dyn Write) -> Result<()> {
    out.write_all(b"\"")?;
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' => out.write_all(br#"\""#)?,
            '\\' => out.write_all(br"\\")?,
            '\t' => out.write_all(br"\t")?,
            '\n' => out.write_all(br"\n")?,
            '\r' => out.write_all(br"\r")?,
            '\0'..='\x1f' => write!(out, r"\u{:04x}", u32::from(character))?,
            _ => write!(out, "{character}")?,
        }
    }
    out.write_all(b"\"")
}

#[cfg(test)]
mod tests {
    use super::{JsonOptions, json_count, percent, write, write_string};
    use crate::coverage::function::{CountedRegion, FunctionRecord};
    use crate::coverage::segment::{CountedKind, CountedRange};
    use crate::coverage::summary::Ratio;
    use crate::coverage::{Coverage, Expansion, FileCoverage, Model, Omissions, Summary};

    /// 60 bytes of a map for each expansion would become megabytes.
    #[test]
    fn expansions_out_of_proportion_are_refused() {
        let range = CountedRange { kind: CountedKind::Expansion, ..CountedRange::code((1, 1), (1, 2), 1) };
        let region = CountedRegion { range, file_id: 0, expanded_file_id: 1 };
        let coverage = |n_expansions: usize| Coverage {
            model: Model::Llvm,
            paths: Vec::new(),
            files: vec![FileCoverage {
                path: (*b"a.c").into(),
                segments: Vec::new(),
                functions: vec![0],
                branches: Vec::new(),
                branch_lines: Vec::new(),
                decisions: Vec::new(),
                expansions: (0..n_expansions)
                    .map(|_| Expansion { region, function: 0, branches: Vec::new() })
                    .collect(),
                summary: Summary::EMPTY,
            }],
            functions: vec![FunctionRecord {
                name: (*b"f").into(),
                filenames: [].into(),
                regions: vec![region; n_expansions],
                branches: Vec::new(),
                decisions: Vec::new(),
                execution_count: 1,
            }],
            totals: Summary::EMPTY,
            omissions: Omissions::default(),
        };
        let mut bytes = Vec::new();
        let error = write(&coverage(10_000), JsonOptions::default(), &mut bytes).expect_err("too many");
        assert!(error.to_string().starts_with("macro expansions have 100000000 regions"), "{error}");
        assert!(bytes.is_empty());
        write(&coverage(10), JsonOptions::default(), &mut bytes).expect("memory");
        let summary_only = JsonOptions { summary_only: true, ..JsonOptions::default() };
        write(&coverage(10_000), summary_only, &mut bytes).expect("memory");
    }

    #[test]
    fn percentages_are_printed_as_c_does() {
        for (covered, count, expected) in [
            (0, 0, "0"),
            (0, 5, "0"),
            (5, 5, "100"),
            (1, 2, "50"),
            (2, 3, "66.666666666666657"),
            (34, 43, "79.069767441860463"),
            (1, 3, "33.333333333333329"),
            (1, 1000, "0.10000000000000001"),
            (1, 100_000, "0.001"),
            (1, 10_000_000, "9.9999999999999991e-06"),
            (999_999, 1_000_000, "99.999899999999997"),
        ] {
            assert_eq!(percent(Ratio { covered, count }), expected, "{covered} of {count}");
        }
    }

    #[test]
    fn strings_are_escaped_as_llvm_does() {
        let mut out = Vec::new();
        write_string(b"a\"b\\c\td\n\r\x01\x7f\xff\xc3\xa9", &mut out).expect("memory");
        assert_eq!(String::from_utf8_lossy(&out), "\"a\\\"b\\\\c\\td\\n\\r\\u0001\u{7f}\u{fffd}\u{e9}\"");
    }

    #[test]
    fn counts_fit_a_signed_number() {
        assert_eq!(json_count(7), 7);
        assert_eq!(json_count(u64::MAX), 9_223_372_036_854_775_807);
    }
}
