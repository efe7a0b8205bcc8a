//! From files in memory to every report of both models, and what must hold of them.

use std::collections::HashMap;

use xtask_coverage::coverage::cut::{Cut, Cuts};
use xtask_coverage::coverage::map::CoverageMap;
use xtask_coverage::coverage::profile::Profile;
use xtask_coverage::coverage::summary::Ratio;
use xtask_coverage::coverage::union::UnionOptions;
use xtask_coverage::coverage::{Coverage, Model, Summary, llvm, union};
use xtask_coverage::export::json::{self, JsonOptions};
use xtask_coverage::export::lcov::{self, LcovOptions};
use xtask_coverage::format::covfun::Position;
use xtask_coverage::load::{Loaded, load_bytes};
use xtask_coverage::report::baseline::Baseline;
use xtask_coverage::report::markdown::{self, MarkdownOptions};
use xtask_coverage::report::table::{self, Counts, Layout, MissingLines, Order, Row};
use xtask_coverage::report::{annotations, badge, cobertura, codecov, functions, name, patch, text};

use super::lcov::read;

/// More lines than this are counted, but not written out: a few bytes can claim ten million, and each output lists them all.
const MOST_LINES: u64 = 2000;

/// Loads files that are in memory. `None` where nothing of them can be read.
pub fn load(objects: &[Vec<u8>], profiles: &[Vec<u8>]) -> Option<Loaded> {
    fn slices(files: &[Vec<u8>]) -> Vec<&[u8]> {
        files.iter().map(Vec::as_slice).collect()
    }
    load_bytes(&slices(objects), &slices(profiles), true).ok()
}

/// The coverage in both models, in the union also with cuts.
pub fn evaluate_all(map: &CoverageMap, profile: &Profile) -> Vec<Coverage> {
    let options = UnionOptions { threads: 1, function_regions: true, without_doctest_code: false };
    let whole = |path: &[u8]| Some(path.to_vec());
    let united = union::evaluate(map, profile, options, &whole, &Cuts::new());
    let mut cuts: Cuts = HashMap::new();
    let cut = |start: u32, unless_run| Cut {
        start: Position { line: start, column: 3 },
        end: Position { line: start + 3, column: 5 },
        unless_run,
    };
    for file in &united.files {
        cuts.insert(file.path.to_vec(), vec![cut(2, false), cut(6, true), cut(12, false)]);
    }
    let lean = UnionOptions { threads: 1, function_regions: false, without_doctest_code: true };
    let cut = union::evaluate(map, profile, lean, &whole, &cuts);
    vec![united, cut, llvm::evaluate(map, profile, &|_| true)]
}

/// Renders every report and checks that they agree with the model, and the model with itself.
pub fn check_coverage(coverage: &Coverage) {
    let mut totals = Summary::EMPTY;
    for file in &coverage.files {
        totals += file.summary;
        let Summary { lines, functions, instantiations, regions, branches, mcdc } = file.summary;
        for ratio in [lines, functions, instantiations, regions, branches, mcdc] {
            assert!(ratio.covered <= ratio.count, "{ratio:?}");
        }
        assert!(file.functions.iter().all(|&function| (function as usize) < coverage.functions.len()));
        // LLVM's totals are those of groups of instantiations, not of the file's own lines.
        if coverage.model == Model::Union && lines.count <= MOST_LINES {
            let mut counted = Ratio::EMPTY;
            for line in file.lines() {
                counted += Ratio { covered: u64::from(line.count > 0), count: 1 };
            }
            assert_eq!(lines, counted);
        }
    }
    assert_eq!(totals, coverage.totals);
    let n_lines = |file: &xtask_coverage::coverage::FileCoverage| {
        file.lines().take(1 + MOST_LINES as usize).count() as u64
    };
    if coverage.files.iter().map(n_lines).sum::<u64>() > MOST_LINES {
        return;
    }
    check_lcov(coverage);
    check_others(coverage);
}

/// A tracefile that is read back has the lines, functions and branches of the model.
fn check_lcov(coverage: &Coverage) {
    let mut bytes = Vec::new();
    lcov::write(coverage, LcovOptions::default(), &mut bytes).expect("memory");
    let sections = read(&bytes);
    assert_eq!(sections.len(), coverage.files.len());
    for (file, section) in coverage.files.iter().zip(&sections) {
        let single_line = |text: &[u8]| -> Vec<u8> {
            text.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }).collect()
        };
        assert_eq!(section.path, single_line(&file.path));
        let lines: Vec<_> = file.lines().map(|line| (u64::from(line.line), line.count)).collect();
        assert_eq!(section.lines, lines);
        assert!(lines.windows(2).all(|pair| pair[0].0 < pair[1].0), "{lines:?}");
        assert_eq!(section.functions.len(), file.functions.len());
        if coverage.model == Model::Union {
            for (read, &index) in section.functions.iter().zip(&file.functions) {
                let function = &coverage.functions[index as usize];
                assert_eq!(read.0, u64::from(function.start_line()));
                assert_eq!(read.2, function.execution_count, "{:?}", String::from_utf8_lossy(&read.1));
            }
        }
        let outcomes: usize =
            file.branch_lines.iter().map(|branch| branch.outcomes.iter().flatten().count()).sum();
        assert_eq!(section.branches.len(), outcomes);
        let Summary { lines, functions, branches, .. } = file.summary;
        for (name, expected) in [
            ("LF", lines.count),
            ("LH", lines.covered),
            ("FNF", functions.count),
            ("FNH", functions.covered),
            ("BRF", branches.count),
            ("BRH", branches.covered),
        ] {
            assert_eq!(section.totals.get(name), Some(&expected), "{name}");
        }
    }
}

/// The other outputs are what they claim to be.
fn check_others(coverage: &Coverage) {
    let written = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut bytes = Vec::new();
        write(&mut bytes).expect("memory");
        bytes
    };
    for (summary_only, skip_functions) in [(false, false), (true, false), (false, true)] {
        let options = JsonOptions { summary_only, skip_functions };
        let bytes = written(&|out| json::write(coverage, options, out));
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(value["data"][0]["files"].as_array().map(Vec::len), Some(coverage.files.len()));
    }
    let bytes = written(&|out| codecov::write(coverage, out));
    let _: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let bytes = written(&|out| cobertura::write(coverage, "/w", out));
    let xml = std::str::from_utf8(&bytes).expect("UTF-8");
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    roxmltree::Document::parse_with_options(xml, options).expect("XML");
    written(&|out| markdown::write(coverage, &MarkdownOptions::DEFAULT, out));
    written(&|out| badge::write_endpoint(coverage.totals.lines, out));
    let svg = written(&|out| badge::write_svg(coverage.totals.lines, out));
    roxmltree::Document::parse(std::str::from_utf8(&svg).expect("UTF-8")).expect("SVG");
    let source = |path: &[u8]| path.first().map(|_| b"fn a() {\n\tb(\"\xff\");\r\n}\n".repeat(12));
    written(&|out| text::write(coverage, source, out));

    let counts = |summary: &Summary| Counts {
        lines: summary.lines,
        functions: summary.functions,
        regions: summary.regions,
        branches: Some(summary.branches),
    };
    let path = |path: &[u8]| name::text(path).into_owned();
    let rows: Vec<Row> = coverage
        .files
        .iter()
        .map(|file| Row { path: path(&file.path), counts: counts(&file.summary) })
        .collect();
    for width in [None, Some(0), Some(40)] {
        let layout = Layout { width, color: width.is_some(), order: Order::WorstFirst };
        table::render(&rows, counts(&coverage.totals), layout);
    }
    table::render_totals(counts(&coverage.totals), true);
    let missing = |file: &xtask_coverage::coverage::FileCoverage| MissingLines {
        path: path(&file.path),
        lines: file.lines().filter(|line| line.count == 0).map(|line| line.line).collect(),
    };
    let missing: Vec<MissingLines> = coverage.files.iter().map(missing).collect();
    table::render_missing_lines(&missing, Order::WorstFirst);
    functions::render_missing(coverage);
    let mut changed = Vec::new();
    for file in &coverage.files {
        let path = path(&file.path);
        let stretches = annotations::stretches(&path, file.lines(), |line| line % 3 != 0);
        annotations::warnings(stretches, "missed");
        changed.extend(patch::PatchFile::new(path, file.lines(), &[2..=3, 7..=9]));
    }
    let patch = patch::PatchCoverage::new("main".to_owned(), changed);
    assert!(patch.total.covered <= patch.total.count);
    patch::render(&patch, Order::WorstFirst);
    if coverage.model == Model::Union {
        let baseline = Baseline::of(coverage, |_| None);
        let again = Baseline::parse(baseline.render().as_bytes()).expect("what was rendered");
        assert_eq!(again, baseline);
    }
}
