//! What `llvm-cov export -format=text` prints, as a coverage model, so that every report can be made of it. Runs nothing.
//!
//! The export says less than LLVM knew: counts above 2^63-1, which only differences below zero reach, are 2^63-1; bytes of
//! names and paths that are not UTF-8 are U+FFFD; and of a condition with one impossible outcome it does not say which one.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, Result, ensure};
use serde_core::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::coverage::branch::branch_lines;
use crate::coverage::function::{CountedBranch, CountedRegion, FunctionRecord};
use crate::coverage::map::PathIndex;
use crate::coverage::mcdc::{DecisionCondition, McdcRecord, TestVector};
use crate::coverage::segment::{CountedKind, CountedRange, CoverageSegment};
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, DecisionIndex, Expansion, FileCoverage, Model, Omissions, Summary};
use crate::format::covfun::Position;

/// The coverage that an export describes, with all its files.
///
/// # Errors
/// The text is no JSON, or not of the form that LLVM documents in `CoverageExporterJson.cpp`, versions 2 and 3.
pub fn parse(json: &[u8]) -> Result<Coverage> {
    let export: RawExport = serde_json::from_slice(json).context("llvm-cov's JSON is not as expected")?;
    let version = export.version;
    ensure!(
        version.starts_with("2.") || version.starts_with("3."),
        "llvm-cov exports version {version} of its JSON (this build reads 2 and 3)"
    );
    let data = export.data.into_iter().next().context("llvm-cov's JSON holds no data")?;
    let mut paths = Paths::default();
    let functions: Vec<FunctionRecord> =
        data.functions.into_iter().map(|raw| function(raw, &mut paths)).collect::<Result<_>>()?;
    let of_files = OfFiles::new(&functions);
    let mut files = Vec::with_capacity(data.files.len());
    for raw in data.files {
        let path = paths.index(raw.filename.clone());
        files.push(file(raw, path, &functions, &of_files, &mut paths)?);
    }
    Ok(Coverage {
        model: Model::Llvm,
        paths: paths.list,
        files,
        functions,
        totals: data.totals.summary(),
        omissions: Omissions::default(),
    })
}

/// Paths, each once.
#[derive(Default)]
struct Paths {
    list: Vec<Box<[u8]>>,
    indices: HashMap<String, PathIndex>,
}

impl Paths {
    fn index(&mut self, path: String) -> PathIndex {
        *self.indices.entry(path).or_insert_with_key(|path| {
            self.list.push(path.as_bytes().into());
            (self.list.len() - 1) as PathIndex
        })
    }
}

/// What the list of functions says about each file.
struct OfFiles<'a> {
    /// The functions that begin in a file.
    functions: HashMap<PathIndex, Vec<u32>>,
    /// The functions whose main file it is, each with the index that it gives the file.
    mains: HashMap<PathIndex, Vec<(u32, u32)>>,
    /// How often a condition stands in the functions: they do not list those that the compiler folded away.
    branches: HashMap<(PathIndex, RawBranch), usize>,
    /// The decisions in a file, in the order of their functions: so LLVM lists them.
    decisions: HashMap<PathIndex, Vec<DecisionIndex>>,
    /// The functions by what an expansion tells of its own.
    by_content: HashMap<(&'a [PathIndex], &'a [CountedRegion]), u32>,
}

impl<'a> OfFiles<'a> {
    fn new(functions: &'a [FunctionRecord]) -> OfFiles<'a> {
        let mut of_files = OfFiles {
            functions: HashMap::new(),
            mains: HashMap::new(),
            branches: HashMap::new(),
            decisions: HashMap::new(),
            by_content: HashMap::new(),
        };
        for (index, function) in (0..).zip(functions) {
            if let Some(&path) = function.filenames.first() {
                of_files.functions.entry(path).or_default().push(index);
            }
            if let Some(main) = function.main_file_id()
                && let Some(&path) = function.filenames.get(main as usize)
            {
                of_files.mains.entry(path).or_default().push((index, main));
            }
            for branch in &function.branches {
                if let Some(&path) = function.filenames.get(branch.file_id as usize) {
                    *of_files.branches.entry((path, raw_branch(branch))).or_default() += 1;
                }
            }
            for (decision, record) in (0..).zip(&function.decisions) {
                if let Some(&path) = function.filenames.get(record.file_id as usize) {
                    of_files
                        .decisions
                        .entry(path)
                        .or_default()
                        .push(DecisionIndex { function: index, decision });
                }
            }
            if function.regions.iter().any(|region| region.range.kind == CountedKind::Expansion) {
                of_files.by_content.entry((&function.filenames, &function.regions)).or_insert(index);
            }
        }
        of_files
    }
}

fn file(
    raw: RawFile,
    path: PathIndex,
    functions: &[FunctionRecord],
    of_files: &OfFiles<'_>,
    paths: &mut Paths,
) -> Result<FileCoverage> {
    let mut possible: HashMap<RawBranch, usize> = HashMap::new();
    let mut is_possible = |branch: &CountedBranch| {
        let branch = raw_branch(branch);
        let left = possible
            .entry(branch)
            .or_insert_with(|| of_files.branches.get(&(path, branch)).copied().unwrap_or(0));
        let is_possible = *left > 0;
        *left = left.saturating_sub(1);
        is_possible
    };
    let mut branches = Vec::with_capacity(raw.branches.len());
    for branch in raw.branches {
        let mut branch = counted_branch(branch);
        let is_folded = !is_possible(&branch);
        (branch.true_folded, branch.false_folded) = (is_folded, is_folded);
        branches.push(branch);
    }
    let mut expansions = Vec::with_capacity(raw.expansions.len());
    for expansion in raw.expansions {
        let filenames: Vec<PathIndex> =
            expansion.filenames.into_iter().map(|name| paths.index(name)).collect();
        let regions: Vec<CountedRegion> =
            expansion.target_regions.into_iter().map(region).collect::<Result<_>>()?;
        let function = of_files.by_content.get(&(&filenames[..], &regions[..]));
        expansions.push(Expansion {
            region: region(expansion.source_region)?,
            function: *function.context("llvm-cov's JSON has an expansion of no function that it lists")?,
            branches: expansion.branches.into_iter().map(counted_branch).collect(),
        });
    }
    let mains = of_files.mains.get(&path).map_or(&[][..], Vec::as_slice);
    let mains = mains.iter().filter_map(|(function, main)| Some((functions.get(*function as usize)?, *main)));
    Ok(FileCoverage {
        path: raw.filename.into_bytes().into(),
        segments: raw.segments.into_iter().map(segment).collect(),
        decisions: of_files.decisions.get(&path).cloned().unwrap_or_default(),
        functions: of_files.functions.get(&path).cloned().unwrap_or_default(),
        branch_lines: branch_lines(&branches, mains),
        branches,
        expansions,
        summary: raw.summary.summary(),
    })
}

fn function(raw: RawFunction, paths: &mut Paths) -> Result<FunctionRecord> {
    Ok(FunctionRecord {
        name: raw.name.into_bytes().into(),
        filenames: raw.filenames.into_iter().map(|name| paths.index(name)).collect(),
        regions: raw.regions.into_iter().map(region).collect::<Result<_>>()?,
        branches: raw.branches.into_iter().map(counted_branch).collect(),
        decisions: decisions(raw.mcdc_records),
        execution_count: raw.count,
    })
}

/// First line and column, last line and the column behind it, count, file, expanded file, kind.
type RawRegion = (u32, u32, u32, u32, u64, u32, u32, u32);
/// The same with the counts of both outcomes.
type RawBranch = (u32, u32, u32, u32, u64, u64, u32, u32, u32);
/// Place as above, true and false vectors, file, expanded file, kind, whether each condition is covered, the vectors.
type RawDecision = (u32, u32, u32, u32, u64, u64, u32, u32, u32, Vec<bool>, Vec<RawVector>);
/// Line, column, count, whether it has a count, whether a region begins, whether it is a gap.
type RawSegment = (u32, u32, u64, bool, bool, bool);

/// The kind of a condition that takes part in an MC/DC decision, as the export numbers it.
const MCDC_BRANCH: u32 = 6;
const BRANCH: u32 = 4;

fn region(raw: RawRegion) -> Result<CountedRegion> {
    let (line, column, end_line, end_column, count, file_id, expanded_file_id, kind) = raw;
    let kind = match kind {
        0 => CountedKind::Code,
        1 => CountedKind::Expansion,
        2 => CountedKind::Skipped,
        3 => CountedKind::Gap,
        _ => anyhow::bail!("llvm-cov's JSON has a region of kind {kind}"),
    };
    let range = CountedRange {
        start: Position { line, column },
        end: Position { line: end_line, column: end_column },
        kind,
        count,
    };
    Ok(CountedRegion { range, file_id, expanded_file_id })
}

fn counted_branch(raw: RawBranch) -> CountedBranch {
    let (line, column, end_line, end_column, when_true, when_false, file_id, _, kind) = raw;
    CountedBranch {
        start: Position { line, column },
        end: Position { line: end_line, column: end_column },
        when_true,
        when_false,
        true_folded: false,
        false_folded: false,
        is_mcdc: kind == MCDC_BRANCH,
        file_id,
    }
}

fn raw_branch(branch: &CountedBranch) -> RawBranch {
    let CountedBranch { start, end, when_true, when_false, is_mcdc, file_id, .. } = *branch;
    let kind = if is_mcdc { MCDC_BRANCH } else { BRANCH };
    (start.line, start.column, end.line, end.column, when_true, when_false, file_id, 0, kind)
}

/// The decisions of an export of LLVM 22. Earlier versions have them in another form, which says less, and their numbers are in the
/// summary all the same.
fn decisions(records: Vec<Value>) -> Vec<McdcRecord> {
    let condition = |is_covered| DecisionCondition { is_covered, is_folded: false };
    let record = |record| {
        let (line, column, end_line, end_column, _, _, file_id, _, _, covered, vectors): RawDecision =
            serde_json::from_value(record).ok()?;
        let vector = |raw: RawVector| TestVector { conditions: raw.conditions.into(), outcome: raw.result };
        Some(McdcRecord {
            start: Position { line, column },
            end: Position { line: end_line, column: end_column },
            file_id,
            conditions: covered.into_iter().map(condition).collect(),
            vectors: vectors.into_iter().map(vector).collect(),
        })
    };
    records.into_iter().filter_map(record).collect()
}

fn segment((line, column, count, has_count, is_region_entry, is_gap_region): RawSegment) -> CoverageSegment {
    CoverageSegment { start: Position { line, column }, count, has_count, is_region_entry, is_gap_region }
}

/// Objects of the export with the keys that are wanted. All of them must be there; others are passed over.
macro_rules! objects {
    ($($name:ident { $($key:ident: $type:ty),* })*) => {$(
        struct $name { $($key: $type),* }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                struct Keys;

                impl<'de> Visitor<'de> for Keys {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an object with ", $("`", stringify!($key), "` "),*))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $(let mut $key: Option<$type> = None;)*
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $(stringify!($key) => $key = Some(map.next_value()?),)*
                                _ => {
                                    map.next_value::<IgnoredAny>()?;
                                }
                            }
                        }
                        $(let $key = $key.ok_or_else(|| A::Error::missing_field(stringify!($key)))?;)*
                        Ok($name { $($key),* })
                    }
                }

                deserializer.deserialize_map(Keys)
            }
        }
    )*};
}

objects! {
    RawExport { data: Vec<RawData>, version: String }
    RawData { files: Vec<RawFile>, functions: Vec<RawFunction>, totals: RawSummary }
    RawFile {
        filename: String,
        branches: Vec<RawBranch>,
        expansions: Vec<RawExpansion>,
        segments: Vec<RawSegment>,
        summary: RawSummary
    }
    RawFunction {
        name: String,
        count: u64,
        filenames: Vec<String>,
        regions: Vec<RawRegion>,
        branches: Vec<RawBranch>,
        mcdc_records: Vec<Value>
    }
    RawExpansion {
        filenames: Vec<String>,
        source_region: RawRegion,
        target_regions: Vec<RawRegion>,
        branches: Vec<RawBranch>
    }
    RawSummary {
        branches: RawRatio,
        functions: RawRatio,
        instantiations: RawRatio,
        lines: RawRatio,
        mcdc: RawRatio,
        regions: RawRatio
    }
    RawRatio { count: u64, covered: u64 }
    RawVector { conditions: Vec<Option<bool>>, result: bool }
}

impl RawSummary {
    fn summary(&self) -> Summary {
        let ratio = |raw: &RawRatio| Ratio { covered: raw.covered, count: raw.count };
        Summary {
            lines: ratio(&self.lines),
            functions: ratio(&self.functions),
            instantiations: ratio(&self.instantiations),
            regions: ratio(&self.regions),
            branches: ratio(&self.branches),
            mcdc: ratio(&self.mcdc),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::coverage::segment::CountedKind;
    use crate::coverage::summary::Ratio;

    const SUMMARY: &str = r#"{"branches":{"count":2,"covered":1,"notcovered":1,"percent":50},"functions":{"count":1,"covered":1,
        "percent":100},"instantiations":{"count":1,"covered":1,"percent":100},"lines":{"count":3,"covered":2,"percent":66},
        "mcdc":{"count":0,"covered":0,"notcovered":0,"percent":0},"regions":{"count":4,"covered":3,"notcovered":1,"percent":75}}"#;

    /// A function in `a.c` that expands a macro of `b.h`, with a condition that is folded away.
    fn export(version: &str) -> String {
        let regions = "[[1,1,3,2,5,0,0,0],[2,3,2,9,5,0,1,1],[7,1,7,4,5,1,0,0]]";
        let branch = "[7,1,7,4,5,0,1,0,4]";
        let file = |name: &str, branches: &str, expansions: &str| {
            format!(
                r#"{{"branches":{branches},"expansions":{expansions},"filename":"{name}","mcdc_records":[],
                "segments":[[1,1,5,true,true,false],[3,2,0,false,false,false]],"summary":{SUMMARY}}}"#
            )
        };
        let expansion = format!(
            r#"[{{"branches":[{branch}],"filenames":["a.c","b.h"],"source_region":[2,3,2,9,5,0,1,1],
            "target_regions":{regions}}}]"#
        );
        format!(
            r#"{{"data":[{{"files":[{},{}],"functions":[{{"branches":[{branch}],"count":5,"filenames":["a.c","b.h"],
            "mcdc_records":[],"name":"f","regions":{regions}}}],"totals":{SUMMARY}}}],"type":"llvm.coverage.json.export",
            "version":"{version}"}}"#,
            file("a.c", "[]", &expansion),
            file("b.h", &format!("[{branch},[8,1,8,4,0,0,1,0,4]]"), "[]"),
        )
    }

    #[test]
    fn an_export_becomes_a_model() {
        let coverage = parse(export("3.1.0").as_bytes()).expect("an export");
        let [a, b] = &coverage.files[..] else { panic!("{} files", coverage.files.len()) };
        assert_eq!((&*a.path, &*b.path), (&b"a.c"[..], &b"b.h"[..]));
        assert_eq!(
            a.lines().map(|line| (line.line, line.count)).collect::<Vec<_>>(),
            [(1, 5), (2, 5), (3, 5)]
        );
        assert_eq!((&a.functions[..], &b.functions[..]), (&[0][..], &[][..]));
        assert_eq!(a.expansions[0].function, 0);
        assert_eq!(a.expansions[0].region.range.kind, CountedKind::Expansion);
        // The condition counts where the macro stands that it comes from.
        assert_eq!((a.branch_lines[0].line, a.branch_lines[0].outcomes), (2, [Some(5), Some(0)]));
        assert_eq!(b.branches.iter().map(|branch| branch.is_folded()).collect::<Vec<_>>(), [false, true]);
        assert_eq!(coverage.totals.regions, Ratio { covered: 3, count: 4 });
        assert_eq!(coverage.functions[0].execution_count, 5);
    }

    #[test]
    fn what_is_no_export_is_refused() {
        let whole = export("3.1.0");
        for (json, expected) in [
            (export("4.0.0"), "llvm-cov exports version 4.0.0 of its JSON (this build reads 2 and 3)"),
            (whole.replace("\"totals\"", "\"total\""), "missing field `totals`"),
            (
                whole.replace("[2,3,2,9,5,0,1,1]", "[2,3,2,9,5,0,1,9]"),
                "llvm-cov's JSON has a region of kind 9",
            ),
            (
                whole.replace("[[1,1,3,2,5,0,0,0],[2,3,2,9,5,0,1,1],[7,1,7,4,5,1,0,0]]}]", "[]}]"),
                "expansion of no function",
            ),
            ("{".to_owned(), "llvm-cov's JSON is not as expected"),
        ] {
            let error = format!("{:#}", parse(json.as_bytes()).expect_err(&json));
            assert!(error.contains(expected), "{error}");
        }
        for len in 0..whole.len() {
            assert!(parse(&whole.as_bytes()[..len]).is_err(), "{len}");
        }
    }
}
