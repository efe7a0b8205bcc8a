//! Two coverage models of one run against each other, number by number: what `llvm-cov` exports, and ours in LLVM's model. Pure.

use std::collections::BTreeMap;
use std::fmt;

use crate::coverage::demangle::demangle;
use crate::coverage::function::{CountedBranch, CountedRegion, FunctionRecord};
use crate::coverage::segment::CoverageSegment;
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, FileCoverage, Summary};
use crate::format::covfun::Position;

/// One kind of thing that was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What: `lines`.
    pub what: &'static str,
    /// How many of them LLVM has.
    pub count: usize,
    /// The place of each difference, with both sides.
    pub differences: Vec<String>,
}

/// Compares files, lines, segments, functions, branches and totals, in this order.
pub fn compare(ours: &Coverage, llvms: &Coverage) -> Vec<Comparison> {
    let mut compared = Compared::new();
    for (path, (ours, llvms)) in pair_up(&ours.files, &llvms.files, |file| text(&file.path)) {
        compared.files.count += llvms.len();
        match (&ours[..], &llvms[..]) {
            ([ours], [llvms]) => compared.file(&path, ours, llvms),
            (ours, llvms) => compared.files.differ(&path, Times(ours.len()), Times(llvms.len())),
        }
    }
    let identity = |coverage: &Coverage, function: &FunctionRecord| {
        let path = |&path: &u32| coverage.paths.get(path as usize).map(|path| text(path)).unwrap_or_default();
        (text(&function.name), function.filenames.iter().map(path).collect::<Vec<_>>())
    };
    let mut functions = pair_up(&ours.functions, &[], |function| identity(ours, function));
    for (key, (_, found)) in pair_up(&[], &llvms.functions, |function| identity(llvms, function)) {
        functions.entry(key).or_default().1 = found;
    }
    for ((name, paths), (ours, llvms)) in &functions {
        let path = paths.first().map_or("?", String::as_str);
        let place = format!("`{}` in {path}", text(&demangle(name.as_bytes())));
        compared.functions.count += llvms.len();
        if ours.len() == llvms.len() {
            for (ours, llvms) in ours.iter().zip(llvms) {
                compared.function(&place, ours, llvms);
            }
        } else {
            compared.functions.differ(&place, Times(ours.len()), Times(llvms.len()));
        }
    }
    compared.totals("all files", &ours.totals, &llvms.totals);
    let Compared { files, lines, segments, functions, branches, totals } = compared;
    vec![files, lines, segments, functions, branches, totals]
}

struct Compared {
    files: Comparison,
    lines: Comparison,
    segments: Comparison,
    functions: Comparison,
    branches: Comparison,
    totals: Comparison,
}

impl Compared {
    fn new() -> Compared {
        let of = |what| Comparison { what, count: 0, differences: Vec::new() };
        Compared {
            files: of("files"),
            lines: of("lines"),
            segments: of("segments"),
            functions: of("functions"),
            branches: of("branches"),
            totals: of("totals"),
        }
    }

    fn file(&mut self, path: &str, ours: &FileCoverage, llvms: &FileCoverage) {
        let lines = |file: &FileCoverage| {
            file.lines().map(|line| (line.line, signed(line.count))).collect::<Vec<_>>()
        };
        self.lines.each(
            path,
            lines(ours),
            lines(llvms),
            |(line, _)| (*line, 0),
            |(_, count)| count.to_string(),
        );
        let segments = |file: &FileCoverage| {
            let clamped =
                |segment: &CoverageSegment| CoverageSegment { count: signed(segment.count), ..*segment };
            file.segments.iter().map(clamped).collect::<Vec<_>>()
        };
        let place = |segment: &CoverageSegment| line_and_column(segment.start);
        self.segments.each(path, segments(ours), segments(llvms), place, show_segment);
        self.branches.each(
            path,
            branches(&ours.branches),
            branches(&llvms.branches),
            |branch| line_and_column(branch.start),
            show_branch,
        );
        self.totals(path, &ours.summary, &llvms.summary);
    }

    fn function(&mut self, place: &str, ours: &FunctionRecord, llvms: &FunctionRecord) {
        if signed(ours.execution_count) != signed(llvms.execution_count) {
            self.functions.differ(place, ours.execution_count, llvms.execution_count);
        }
        let regions = |function: &FunctionRecord| {
            let clamped = |region: &CountedRegion| {
                let mut region = *region;
                region.range.count = signed(region.range.count);
                region
            };
            function.regions.iter().map(clamped).collect::<Vec<_>>()
        };
        let count = self.functions.count;
        let start = |region: &CountedRegion| line_and_column(region.range.start);
        let show = |region: &CountedRegion| {
            let range = region.range;
            format!("{:?} {} to {}:{}", range.kind, range.count, range.end.line, range.end.column)
        };
        self.functions.each(place, regions(ours), regions(llvms), start, show);
        // These are parts of functions, which are counted themselves.
        self.functions.count = count;
        let possible = |function: &FunctionRecord| {
            branches(&function.branches).into_iter().filter(|branch| !branch.is_folded()).collect::<Vec<_>>()
        };
        self.branches.each(
            place,
            possible(ours),
            possible(llvms),
            |branch| line_and_column(branch.start),
            show_branch,
        );
    }

    fn totals(&mut self, place: &str, ours: &Summary, llvms: &Summary) {
        self.totals.count += 1;
        let numbers = |summary: &Summary| {
            let Summary { lines, functions, instantiations, regions, branches, mcdc } = *summary;
            [lines, functions, instantiations, regions, branches, mcdc]
        };
        let names = ["lines", "functions", "instantiations", "regions", "branches", "conditions"];
        for (name, (ours, llvms)) in names.into_iter().zip(numbers(ours).into_iter().zip(numbers(llvms))) {
            if ours != llvms {
                let show = |ratio: Ratio| format!("{} of {} {name}", ratio.covered, ratio.count);
                self.totals.differ(place, show(ours), show(llvms));
            }
        }
    }
}

impl Comparison {
    fn differ(&mut self, place: &str, ours: impl fmt::Display, llvms: impl fmt::Display) {
        self.differences.push(format!("{place}: {ours}, LLVM {llvms}"));
    }

    /// Compares what stands at each line and column, several things at one place perhaps.
    fn each<T: PartialEq>(
        &mut self,
        path: &str,
        ours: Vec<T>,
        llvms: Vec<T>,
        place: impl Fn(&T) -> (u32, u32),
        show: impl Fn(&T) -> String,
    ) {
        self.count += llvms.len();
        if ours == llvms {
            return;
        }
        let before = self.differences.len();
        for ((line, column), (ours, llvms)) in pair_up(&ours, &llvms, place) {
            if ours == llvms {
                continue;
            }
            let show = |all: &[&T]| match all {
                [] => "nothing".to_owned(),
                all => all.iter().map(|it| show(it)).collect::<Vec<_>>().join(" and "),
            };
            let column = if column == 0 { String::new() } else { format!(":{column}") };
            self.differ(&format!("{path}:{line}{column}"), show(&ours), show(&llvms));
        }
        if self.differences.len() == before {
            self.differ(path, "the same in another order", "its own order");
        }
    }
}

/// How often a thing is there that should be there once.
struct Times(usize);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("not there"),
            1 => f.write_str("there"),
            times => write!(f, "there {times} times"),
        }
    }
}

/// Text as LLVM's JSON has it.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What two lists have under each key, in the order of the keys.
fn pair_up<'a, T, K: Ord>(
    ours: &'a [T],
    llvms: &'a [T],
    key: impl Fn(&T) -> K,
) -> BTreeMap<K, (Vec<&'a T>, Vec<&'a T>)> {
    let mut pairs: BTreeMap<K, (Vec<&T>, Vec<&T>)> = BTreeMap::new();
    for item in ours {
        pairs.entry(key(item)).or_default().0.push(item);
    }
    for item in llvms {
        pairs.entry(key(item)).or_default().1.push(item);
    }
    pairs
}

/// A count as LLVM's JSON has it: greater ones, which only differences below zero reach, become the greatest.
fn signed(count: u64) -> u64 {
    count.min(i64::MAX.unsigned_abs())
}

/// Branches with what the export says of them: not which single outcome is impossible.
fn branches(branches: &[CountedBranch]) -> Vec<CountedBranch> {
    let exported = |branch: &CountedBranch| {
        let is_folded = branch.is_folded();
        CountedBranch {
            when_true: signed(branch.when_true),
            when_false: signed(branch.when_false),
            true_folded: is_folded,
            false_folded: is_folded,
            ..*branch
        }
    };
    branches.iter().map(exported).collect()
}

fn line_and_column(position: Position) -> (u32, u32) {
    (position.line, position.column)
}

fn show_segment(segment: &CoverageSegment) -> String {
    let count = if segment.has_count { segment.count.to_string() } else { "no code".to_owned() };
    let entry = if segment.is_region_entry { " at an entry" } else { "" };
    let gap = if segment.is_gap_region { " in a gap" } else { "" };
    format!("{count}{entry}{gap}")
}

fn show_branch(branch: &CountedBranch) -> String {
    let folded = if branch.is_folded() { " (folded)" } else { "" };
    format!("{}/{}{folded}", branch.when_true, branch.when_false)
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::coverage::function::{CountedBranch, CountedRegion, FunctionRecord};
    use crate::coverage::segment::{CountedRange, segments};
    use crate::coverage::summary::Ratio;
    use crate::coverage::{Coverage, FileCoverage, Model, Omissions, Summary};
    use crate::format::covfun::Position;

    /// One function on one line of one file, with a condition.
    fn coverage(path: &str, line: u32, count: u64) -> Coverage {
        let range = CountedRange::code((line, 1), (line, 9), count);
        let branch = CountedBranch {
            start: Position { line, column: 3 },
            end: Position { line, column: 5 },
            when_true: count,
            when_false: 0,
            true_folded: false,
            false_folded: false,
            is_mcdc: false,
            file_id: 0,
        };
        let summary = Summary { lines: Ratio { covered: 1, count: 1 }, ..Summary::EMPTY };
        Coverage {
            model: Model::Llvm,
            paths: vec![path.as_bytes().into()],
            files: vec![FileCoverage {
                path: path.as_bytes().into(),
                segments: segments(&[range]),
                functions: vec![0],
                branches: vec![branch],
                branch_lines: Vec::new(),
                decisions: Vec::new(),
                expansions: Vec::new(),
                summary,
            }],
            functions: vec![FunctionRecord {
                name: (*b"f").into(),
                filenames: [0].into(),
                regions: vec![CountedRegion { range, file_id: 0, expanded_file_id: 0 }],
                branches: vec![branch],
                decisions: Vec::new(),
                execution_count: count,
            }],
            totals: summary,
            omissions: Omissions::default(),
        }
    }

    /// `(what, count, differences)` of each comparison.
    fn check(ours: &Coverage, llvms: &Coverage, expected: &[(&str, usize, &[&str])]) {
        let found = compare(ours, llvms);
        let found: Vec<_> = found.iter().map(|it| (it.what, it.count, &it.differences)).collect();
        for (found, (what, count, differences)) in found.iter().zip(expected) {
            assert_eq!((found.0, found.1), (*what, *count));
            assert_eq!(found.2, differences, "{what}");
        }
        assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn equal_coverage_has_no_differences_and_is_counted() {
        let none: &[&str] = &[];
        // A count below zero is as great as LLVM's JSON can say.
        for (ours, llvms) in [(5, 5), (u64::MAX, i64::MAX.unsigned_abs())] {
            check(
                &coverage("a", 7, ours),
                &coverage("a", 7, llvms),
                &[
                    ("files", 1, none),
                    ("lines", 1, none),
                    ("segments", 2, none),
                    ("functions", 1, none),
                    ("branches", 2, none),
                    ("totals", 2, none),
                ],
            );
        }
    }

    #[test]
    fn each_difference_is_named_with_its_place() {
        check(
            &coverage("a", 7, 5),
            &coverage("a", 7, 6),
            &[
                ("files", 1, &[]),
                ("lines", 1, &["a:7: 5, LLVM 6"]),
                ("segments", 2, &["a:7:1: 5 at an entry, LLVM 6 at an entry"]),
                ("functions", 1, &["`f` in a: 5, LLVM 6", "`f` in a:7:1: Code 5 to 7:9, LLVM Code 6 to 7:9"]),
                ("branches", 2, &["a:7:3: 5/0, LLVM 6/0", "`f` in a:7:3: 5/0, LLVM 6/0"]),
                ("totals", 2, &[]),
            ],
        );
        let mut less = coverage("a", 7, 5);
        less.totals.lines.covered = 0;
        less.files[0].summary.regions.count = 2;
        less.functions.clear();
        check(
            &less,
            &coverage("a", 7, 5),
            &[
                ("files", 1, &[]),
                ("lines", 1, &[]),
                ("segments", 2, &[]),
                ("functions", 1, &["`f` in a: not there, LLVM there"]),
                ("branches", 1, &[]),
                (
                    "totals",
                    2,
                    &["a: 0 of 2 regions, LLVM 0 of 0 regions", "all files: 0 of 1 lines, LLVM 1 of 1 lines"],
                ),
            ],
        );
        let (files, functions) = (
            ["a: there, LLVM not there", "b: not there, LLVM there"],
            ["`f` in a: there, LLVM not there", "`f` in b: not there, LLVM there"],
        );
        check(
            &coverage("a", 7, 5),
            &coverage("b", 7, 5),
            &[
                ("files", 1, &files),
                ("lines", 0, &[]),
                ("segments", 0, &[]),
                ("functions", 1, &functions),
                ("branches", 0, &[]),
                ("totals", 1, &[]),
            ],
        );
    }

    #[test]
    fn the_same_in_another_order_is_a_difference() {
        let mut ours = coverage("a", 7, 5);
        let mut llvms = coverage("a", 7, 5);
        let other =
            CountedRegion { range: CountedRange::code((8, 1), (8, 2), 1), file_id: 0, expanded_file_id: 0 };
        ours.functions[0].regions.push(other);
        llvms.functions[0].regions.insert(0, other);
        let found = compare(&ours, &llvms);
        assert_eq!(found[3].differences, ["`f` in a: the same in another order, LLVM its own order"]);
    }
}
