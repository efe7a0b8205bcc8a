//! `cargo xtask verify`: our numbers against those of the real `llvm-profdata` and `llvm-cov`, on the same files.

pub mod compare;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use xshell::Shell;

use self::compare::Comparison;
use super::llvm_engine;
use super::record::RunRecord;
use crate::coverage::cut::Cuts;
use crate::coverage::demangle::demangle;
use crate::coverage::union::UnionOptions;
use crate::coverage::{Coverage, Omissions, OmittedFunction, llvm, union};
use crate::export::json::{self, JsonOptions};
use crate::export::lcov::{self, LcovOptions};
use crate::filter::PathFilter;
use crate::llvm_tools::{DamagedProfiles, ExportFormat, ExportOptions, LlvmTools, export};
use crate::load::{self, Architecture, Inputs};

/// What was compared, and what differed.
#[derive(Debug, Default)]
pub struct Verification {
    /// Version of LLVM's tools.
    pub llvm: String,
    /// Number by number: what `llvm-cov` exports, and ours in LLVM's model.
    pub comparisons: Vec<Comparison>,
    /// Exports that were compared byte for byte, with their sizes.
    pub exports: Vec<(String, usize)>,
    /// Exports that differ: their names, and where and how first.
    pub differing_exports: Vec<(String, String)>,
    /// Source files that do not count, and how many of them LLVM left out by the regular expressions that it was given.
    pub excluded_files: (usize, usize),
    /// Mapped lines of the union, or of LLVM where that has more.
    pub n_union_lines: usize,
    /// Lines of the union that differ from LLVM's because LLVM drops a function whose counts are known.
    pub explained_lines: Vec<DifferingLine>,
    /// Lines of the union that differ for no such reason.
    pub unexplained_lines: Vec<DifferingLine>,
}

/// A line whose count differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferingLine {
    /// The file, as the compiler stored its path.
    pub path: String,
    /// 1-based.
    pub line: u32,
    /// The count of the union; `None` where the line is not mapped.
    pub ours: Option<u64>,
    /// The count of LLVM; `None` where the line is not mapped.
    pub llvms: Option<u64>,
    /// The dropped function that explains the difference.
    pub reason: Option<String>,
}

/// The place, our count, LLVM's.
impl fmt::Display for DifferingLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: Option<u64>| count.map_or("no code".to_owned(), |count| count.to_string());
        write!(f, "{}:{}: {}, LLVM {}", self.path, self.line, count(self.ours), count(self.llvms))
    }
}

impl Verification {
    /// Whether nothing differs that is not explained.
    pub fn is_equal(&self) -> bool {
        self.differing_exports.is_empty()
            && self.unexplained_lines.is_empty()
            && self.comparisons.iter().all(|comparison| comparison.differences.is_empty())
    }

    fn compare_bytes(&mut self, name: &str, llvms: &[u8], ours: &[u8]) {
        match first_difference(llvms, ours) {
            None => self.exports.push((name.to_owned(), llvms.len())),
            Some(difference) => self.differing_exports.push((name.to_owned(), difference)),
        }
    }
}

/// Compares all that LLVM's tools export of a run with ours, number by number and byte by byte; the same with what `filter`
/// leaves out; and the lines of the union with LLVM's. `work_dir` is for the merged profile.
///
/// # Errors
/// Files that cannot be read, tools that fail. A difference is no error but part of the result.
pub fn verify(
    record: &RunRecord,
    filter: &PathFilter,
    tools: &LlvmTools,
    work_dir: &Path,
    threads: usize,
) -> Result<Verification> {
    let sh = Shell::new()?;
    fs::create_dir_all(work_dir).with_context(|| format!("failed to create `{}`", work_dir.display()))?;
    let merged = work_dir.join("merged.profdata");
    tools.merge(&sh, &record.profiles, &merged, DamagedProfiles::Refuse)?;

    let objects = record.all_objects();
    let inputs = |ignore_stale| Inputs {
        objects: objects.clone(),
        profiles: record.profiles.clone(),
        architecture: Architecture::host(),
        threads,
        ignore_stale,
    };
    let loaded = load::load(&inputs(false))?;
    let ours = llvm::evaluate(&loaded.map, &loaded.profile, &|_| true);
    let mut verification = Verification { llvm: tools.version.clone(), ..Verification::default() };
    let members = load::unpack_archives(&objects, &work_dir.join("members"))?;
    let mut llvms_lines = HashMap::new();
    for (name, format, flags) in EXPORTS {
        let options = ExportOptions { format, flags, ignore_filename_regexes: &[] };
        let (exported, _) = tools.export(&sh, &merged, &members, &options)?;
        verification.compare_bytes(name, &exported, &render(&ours, format, flags)?);
        match format {
            ExportFormat::Lcov if flags.is_empty() => llvms_lines = line_counts(&exported),
            ExportFormat::Json if flags.is_empty() => {
                verification.comparisons = compare::compare(&ours, &export::parse(&exported)?);
            }
            _ => {}
        }
    }
    let dropped = ours.omissions.clone();
    drop(ours);

    // `--engine llvm` and `--model llvm` are to be the same, also where something does not count.
    let counts = |stored: &[u8]| filter.exclusion(stored).is_none();
    let filtered = llvm_engine::export_filtered(tools, record, filter)?;
    let json = |coverage: &Coverage| render(coverage, ExportFormat::Json, &[]);
    let ours = llvm::evaluate(&loaded.map, &loaded.profile, &counts);
    verification.compare_bytes("json of --engine llvm", &json(&filtered.coverage)?, &json(&ours)?);
    let n_files = llvms_lines.len();
    verification.excluded_files =
        (n_files.saturating_sub(ours.files.len()), n_files.saturating_sub(filtered.n_exported_files));
    drop((loaded, ours, filtered));

    let loaded = load::load(&inputs(true))?;
    let united = union::evaluate(
        &loaded.map,
        &loaded.profile,
        UnionOptions { threads, function_regions: false, without_doctest_code: false },
        &|path| Some(path.to_vec()),
        // LLVM knows nothing of what does not count within a file.
        &Cuts::new(),
    );
    compare_lines(&united, &llvms_lines, &dropped_functions(&dropped), &mut verification);
    fs::remove_dir_all(work_dir).with_context(|| format!("failed to remove `{}`", work_dir.display()))?;
    Ok(verification)
}

/// The exports that are compared: name, format, flags.
const EXPORTS: [(&str, ExportFormat, &[&str]); 6] = [
    ("lcov", ExportFormat::Lcov, &[]),
    ("lcov -summary-only", ExportFormat::Lcov, &["-summary-only"]),
    ("lcov -skip-functions", ExportFormat::Lcov, &["-skip-functions"]),
    ("json", ExportFormat::Json, &[]),
    ("json -summary-only", ExportFormat::Json, &["-summary-only"]),
    ("json -skip-functions", ExportFormat::Json, &["-skip-functions"]),
];

fn render(coverage: &Coverage, format: ExportFormat, flags: &[&str]) -> Result<Vec<u8>> {
    let summary_only = flags.contains(&"-summary-only");
    let skip_functions = flags.contains(&"-skip-functions");
    let mut out = Vec::new();
    match format {
        ExportFormat::Lcov => lcov::write(coverage, LcovOptions { summary_only, skip_functions }, &mut out)?,
        ExportFormat::Json => json::write(coverage, JsonOptions { summary_only, skip_functions }, &mut out)?,
    }
    Ok(out)
}

/// Where two exports part, with what stands there in both.
fn first_difference(reference: &[u8], ours: &[u8]) -> Option<String> {
    if reference == ours {
        return None;
    }
    let offset = reference.iter().zip(ours).take_while(|(a, b)| a == b).count();
    let excerpt = |bytes: &[u8]| {
        let end = bytes.len().min(offset + 60);
        String::from_utf8_lossy(&bytes[offset.saturating_sub(60).min(end)..end]).into_owned()
    };
    let line = reference[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1;
    Some(format!(
        "line {line}, byte {offset}: LLVM has {:?}, we have {:?}",
        excerpt(reference),
        excerpt(ours)
    ))
}

/// The `DA` records of a tracefile by file and line.
fn line_counts(lcov: &[u8]) -> HashMap<Vec<u8>, HashMap<u32, u64>> {
    let mut files: HashMap<Vec<u8>, HashMap<u32, u64>> = HashMap::new();
    let mut path = Vec::new();
    for record in lcov.split(|&byte| byte == b'\n') {
        if let Some(file) = record.strip_prefix(b"SF:") {
            path = file.to_vec();
            files.entry(path.clone()).or_default();
        } else if let Some(line) = record.strip_prefix(b"DA:") {
            let numbers = std::str::from_utf8(line).ok().and_then(|line| line.split_once(','));
            let parsed = numbers.and_then(|(line, count)| Some((line.parse().ok()?, count.parse().ok()?)));
            if let Some((line, count)) = parsed {
                files.entry(path.clone()).or_default().insert(line, count);
            }
        }
    }
    files
}

/// The functions that LLVM drops, with the reason.
fn dropped_functions(omissions: &Omissions) -> Vec<&OmittedFunction> {
    omissions.mismatched.iter().chain(&omissions.shadowed).collect()
}

fn compare_lines(
    united: &Coverage,
    reference: &HashMap<Vec<u8>, HashMap<u32, u64>>,
    dropped: &[&OmittedFunction],
    verification: &mut Verification,
) {
    let nothing = HashMap::new();
    let ours: HashMap<&[u8], HashMap<u32, u64>> = united
        .files
        .iter()
        .map(|file| (&file.path[..], file.lines().map(|line| (line.line, line.count)).collect()))
        .collect();
    let mut paths: Vec<&[u8]> = ours.keys().copied().chain(reference.keys().map(Vec::as_slice)).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let ours = ours.get(path).unwrap_or(&nothing);
        let llvms = reference.get(path).unwrap_or(&nothing);
        let mut lines: Vec<u32> = ours.keys().chain(llvms.keys()).copied().collect();
        lines.sort_unstable();
        lines.dedup();
        verification.n_union_lines += lines.len();
        for line in lines {
            let (ours, llvms) = (ours.get(&line).copied(), llvms.get(&line).copied());
            if ours == llvms {
                continue;
            }
            // A function that LLVM drops can only make its lines fewer and its counts lower.
            let is_lower = llvms.is_none_or(|llvms| ours.is_some_and(|ours| ours >= llvms));
            let covers = |function: &&&OmittedFunction| {
                function
                    .place
                    .as_ref()
                    .is_some_and(|(file, first, last)| file[..] == *path && (*first..=*last).contains(&line))
            };
            let reason = dropped.iter().find(covers).filter(|_| is_lower).map(|function| {
                format!(
                    "LLVM drops `{}`: {}",
                    String::from_utf8_lossy(&demangle(&function.name)),
                    function.reason
                )
            });
            let path = String::from_utf8_lossy(path).into_owned();
            let differing = DifferingLine { path, line, ours, llvms, reason };
            if differing.reason.is_some() {
                verification.explained_lines.push(differing);
            } else {
                verification.unexplained_lines.push(differing);
            }
        }
    }
}

/// The result in words, one fact a line.
impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "compared with LLVM {}", self.llvm)?;
        for Comparison { what, count, differences } in &self.comparisons {
            match differences.len() {
                0 => writeln!(f, "  {what}: {count}, identical")?,
                differing => writeln!(f, "  {what}: {count}, {differing} DIFFER")?,
            }
            for difference in differences {
                writeln!(f, "    {difference}")?;
            }
        }
        for (name, len) in &self.exports {
            writeln!(f, "  {name}: {len} bytes, identical")?;
        }
        for (name, difference) in &self.differing_exports {
            writeln!(f, "  {name}: DIFFERS at {difference}")?;
        }
        let (excluded, by_llvm) = self.excluded_files;
        writeln!(f, "  files that do not count: {excluded}, {by_llvm} of them left out by LLVM itself")?;
        let differing = self.unexplained_lines.len() + self.explained_lines.len();
        writeln!(
            f,
            "  lines of the union: {differing} of {} differ, {} of them because LLVM drops a function",
            self.n_union_lines,
            self.explained_lines.len()
        )?;
        for line in &self.unexplained_lines {
            writeln!(f, "    NOT EXPLAINED: {line}")?;
        }
        // The lines of one function stand together: they come in the order of files.
        for lines in self.explained_lines.chunk_by(|a, b| a.path == b.path && a.reason == b.reason) {
            writeln!(f, "    {}", lines.first().and_then(|line| line.reason.as_deref()).unwrap_or_default())?;
            for line in lines {
                writeln!(f, "      {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{DifferingLine, Verification, compare_lines, first_difference, line_counts};
    use crate::coverage::segment::CoverageSegment;
    use crate::coverage::{Coverage, FileCoverage, Model, Omissions, OmittedFunction, Summary};
    use crate::format::covfun::Position;

    #[test]
    fn the_first_difference_is_located() {
        assert_eq!(first_difference(b"a\nb\n", b"a\nb\n"), None);
        let difference = first_difference(b"a\nb\n", b"a\nc\n").expect("they differ");
        assert!(difference.starts_with("line 2, byte 2: "), "{difference}");
        let shorter = first_difference(b"a\nb\n", b"a\n").expect("they differ");
        assert!(shorter.ends_with(r#"we have "a\n""#), "{shorter}");
        assert!(first_difference(b"", b"x").is_some());
    }

    /// A file with one region on one line.
    fn file(path: &str, line: u32, count: u64) -> FileCoverage {
        let segment = |column, count, has_count, is_region_entry| CoverageSegment {
            start: Position { line, column },
            count,
            has_count,
            is_region_entry,
            is_gap_region: false,
        };
        FileCoverage {
            path: path.as_bytes().into(),
            segments: vec![segment(1, count, true, true), segment(9, 0, false, false)],
            functions: Vec::new(),
            branches: Vec::new(),
            branch_lines: Vec::new(),
            decisions: Vec::new(),
            expansions: Vec::new(),
            summary: Summary::EMPTY,
        }
    }

    #[test]
    fn only_a_function_that_llvm_drops_explains_a_difference() {
        let files = vec![file("/a", 3, 5), file("/b", 7, 0), file("/c", 1, 2), file("/d", 2, 1)];
        let united = Coverage {
            model: Model::Union,
            paths: Vec::new(),
            files,
            functions: Vec::new(),
            totals: Summary::EMPTY,
            omissions: Omissions::default(),
        };
        let dropped = |path: &str| OmittedFunction {
            name: (*b"f").into(),
            object: 0,
            reason: "why".to_owned(),
            place: Some((path.as_bytes().into(), 1, 9)),
        };
        let (a, b, d) = (dropped("/a"), dropped("/b"), dropped("/d"));
        // LLVM has less on /a, nothing on /b, another count on /c, and more on /d, which no dropped function explains.
        let reference = line_counts(b"SF:/a\nDA:3,1\nSF:/c\nDA:1,3\nSF:/d\nDA:2,4\n");
        let mut verification = Verification::default();
        compare_lines(&united, &reference, &[&a, &b, &d], &mut verification);
        let places = |lines: &[DifferingLine]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(places(&verification.explained_lines), ["/a:3: 5, LLVM 1", "/b:7: 0, LLVM no code"]);
        assert_eq!(places(&verification.unexplained_lines), ["/c:1: 2, LLVM 3", "/d:2: 1, LLVM 4"]);
        assert!(!verification.is_equal());
        let shown = verification.to_string();
        assert!(shown.contains("    NOT EXPLAINED: /c:1: 2, LLVM 3\n"), "{shown}");
        assert!(shown.contains("    LLVM drops `f`: why\n      /a:3: 5, LLVM 1\n"), "{shown}");
    }

    #[test]
    fn line_records_are_read_back() {
        let files = line_counts(b"SF:/a\nFN:1,f\nDA:1,5\nDA:2,0\nend_of_record\nSF:/b\nend_of_record\n");
        assert_eq!(files.len(), 2);
        assert_eq!(files[&b"/a"[..]], [(1, 5), (2, 0)].into_iter().collect());
        assert!(files[&b"/b"[..]].is_empty());
    }
}
