//! A small coverage for the tests of the writers: odd names, a line of which a part ran, a condition, a file without code.

use crate::coverage::branch::BranchLine;
use crate::coverage::function::{CountedRegion, FunctionRecord};
use crate::coverage::segment::{CountedRange, segments, sort_and_combine};
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, FileCoverage, Model, Omissions, Summary};

/// First line and column, last line and column behind the end, count.
type Region = (u32, u32, u32, u32, u64);

/// Three files: `src/lib.rs` with a function that ran in part and one that did not, one with a name that is none anywhere, one
/// without code.
pub(super) fn coverage() -> Coverage {
    let mut coverage = Coverage {
        model: Model::Union,
        paths: Vec::new(),
        files: Vec::new(),
        functions: Vec::new(),
        totals: Summary::EMPTY,
        omissions: Omissions::default(),
    };
    add(&mut coverage, b"build.rs", &[]);
    add(
        &mut coverage,
        b"odd/\"<&>'|`]]>\n\x1b\xff\xef\xbf\xbf.rs",
        &[("<a::B<C, D> as E>::f", &[(7, 1, 8, 2, u64::MAX)])],
    );
    add(
        &mut coverage,
        b"src/lib.rs",
        &[
            ("a::ran", &[(1, 1, 5, 2, 3), (2, 8, 2, 20, 0), (3, 5, 3, 9, 3)]),
            ("a::never::<_>", &[(9, 1, 11, 2, 0)]),
            ("a::short", &[(13, 1, 13, 9, 0)]),
        ],
    );
    let branches = [(2, [Some(3), Some(0)]), (2, [Some(1), None])];
    let file = coverage.files.last_mut().expect("a file");
    file.branch_lines = branches.into_iter().map(|(line, outcomes)| BranchLine { line, outcomes }).collect();
    file.summary.branches = Ratio { covered: 2, count: 3 };
    coverage.totals.branches = Ratio { covered: 2, count: 3 };
    coverage
}

fn add(coverage: &mut Coverage, path: &[u8], functions: &[(&str, &[Region])]) {
    let index = coverage.paths.len() as u32;
    coverage.paths.push(path.into());
    let mut file = FileCoverage {
        path: path.into(),
        segments: Vec::new(),
        functions: Vec::new(),
        branches: Vec::new(),
        branch_lines: Vec::new(),
        decisions: Vec::new(),
        expansions: Vec::new(),
        summary: Summary::EMPTY,
    };
    let mut ranges = Vec::new();
    for (name, regions) in functions {
        let regions: Vec<CountedRegion> = regions.iter().map(|region| counted(*region)).collect();
        let execution_count = regions.first().map_or(0, |region| region.range.count);
        ranges.extend(regions.iter().map(|region| region.range));
        file.functions.push(coverage.functions.len() as u32);
        file.summary.functions += Ratio { covered: u64::from(execution_count > 0), count: 1 };
        coverage.functions.push(FunctionRecord {
            name: name.as_bytes().into(),
            filenames: [index].into(),
            regions,
            branches: Vec::new(),
            decisions: Vec::new(),
            execution_count,
        });
    }
    sort_and_combine(&mut ranges);
    for range in &ranges {
        file.summary.regions += Ratio { covered: u64::from(range.count > 0), count: 1 };
    }
    file.segments = segments(&ranges);
    for line in crate::coverage::line::lines(&file.segments) {
        file.summary.lines += Ratio { covered: u64::from(line.count > 0), count: 1 };
    }
    coverage.totals += file.summary;
    coverage.files.push(file);
}

fn counted((line, column, end_line, end_column, count): Region) -> CountedRegion {
    let range = CountedRange::code((line, column), (end_line, end_column), count);
    CountedRegion { range, file_id: 0, expanded_file_id: 0 }
}
