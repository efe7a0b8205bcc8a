//! Outputs: which are written where, and that they say the same.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::workspace::Workspace;
use crate::{lcov, read_lcov, xtask};

fn measured() -> Workspace {
    let workspace = Workspace::copy("killed");
    xtask(&workspace).args(["coverage", "--no-fail-fast"]).run().expect_success();
    workspace
}

#[test]
fn all_outputs_agree() {
    let workspace = measured();
    let report = |arguments: &[&str]| {
        xtask(&workspace).args(["coverage", "report"]).args(arguments).run().expect_success().stdout
    };
    let tracefile = lcov(&workspace);
    let json: Value = serde_json::from_str(&report(&["--json"])).expect("JSON");
    let summary: Value = serde_json::from_str(&report(&["--json", "--summary-only"])).expect("JSON");
    assert_eq!(json["data"][0]["totals"], summary["data"][0]["totals"]);

    // LCOV and JSON: the same files with the same totals.
    let mut sums = BTreeMap::new();
    let files = json["data"][0]["files"].as_array().expect("files");
    let names: Vec<&str> = files.iter().map(|file| file["filename"].as_str().expect("a name")).collect();
    assert_eq!(names, tracefile.paths());
    for file in files {
        let lines = &tracefile.file(file["filename"].as_str().expect("a name")).lines;
        let covered = lines.values().filter(|count| **count > 0).count();
        assert_eq!(file["summary"]["lines"]["count"], lines.len());
        assert_eq!(file["summary"]["lines"]["covered"], covered);
        for kind in ["lines", "functions", "regions"] {
            *sums.entry(kind).or_insert(0) += file["summary"][kind]["covered"].as_u64().expect("a number");
        }
    }
    for (kind, sum) in sums {
        assert_eq!(json["data"][0]["totals"][kind]["covered"], sum, "{kind}");
    }

    // The table's total, and the annotated source, line by line.
    let totals = &json["data"][0]["totals"]["lines"];
    let table = report(&[]);
    let total: Vec<&str> = table.lines().last().expect("a total").split_whitespace().collect();
    assert_eq!(total[3], totals["count"].to_string());
    let annotated = report(&["--text"]);
    let counts: Vec<&str> = annotated
        .lines()
        .filter(|line| line.split('|').next().is_some_and(|number| number.trim().parse::<u32>().is_ok()))
        .filter_map(|line| line.split('|').nth(1).map(str::trim).filter(|count| !count.is_empty()))
        .collect();
    let expected: Vec<String> = tracefile
        .paths()
        .iter()
        .flat_map(|path| tracefile.file(path).lines.values().map(u64::to_string))
        .collect();
    assert_eq!(counts, expected);
}

#[test]
fn a_report_is_the_same_again() {
    let workspace = measured();
    let first = fs::read(workspace.root().join("target/coverage/lcov.info")).expect("a report");
    let again = xtask(&workspace).args(["coverage", "report", "--lcov"]).run().expect_success();
    assert_eq!(again.stdout.as_bytes(), first);
    // From another directory of the workspace, too.
    let below = xtask(&workspace)
        .current_dir(workspace.root().join("src"))
        .args(["coverage", "report", "--lcov"])
        .run()
        .expect_success();
    assert_eq!(below.stdout.as_bytes(), first);
}

#[test]
fn objects_and_profiles_of_another_harness() {
    let workspace = measured();
    let record = fs::read(workspace.root().join("target/coverage/run.json")).expect("a record");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    let mut program = xtask(&workspace).args(["coverage", "report", "--lcov"]);
    for object in record["objects"].as_array().expect("objects") {
        program = program.arg("--object").arg(object.as_str().expect("a path"));
    }
    let foreign = program.args(["--profraw", "target/coverage/raw"]).run().expect_success();
    assert_eq!(foreign.stdout, workspace.read("target/coverage/lcov.info"));
}

#[test]
fn outputs_that_were_not_asked_for_are_removed() {
    let workspace = Workspace::copy("only-bin");
    let reports = || -> Vec<&str> {
        let all = ["lcov.info", "coverage.json", "run.json"];
        all.into_iter().filter(|name| workspace.root().join("target/coverage").join(name).exists()).collect()
    };
    xtask(&workspace).arg("coverage").run().expect_success();
    assert_eq!(reports(), ["lcov.info", "run.json"]);
    let both = ["coverage", "--json", "--lcov"];
    xtask(&workspace).args(both).run().expect_success();
    assert_eq!(reports(), ["lcov.info", "coverage.json", "run.json"]);
    let json = xtask(&workspace).args(["coverage", "--json"]).run().expect_success();
    assert!(json.stdout.starts_with("{\"data\":"), "one format goes to standard output");
    assert_eq!(reports(), ["run.json"]);
    xtask(&workspace).args(["coverage", "--no-report"]).run().expect_success();
    assert_eq!(reports(), ["run.json"]);
}

#[test]
fn exclusions_by_pattern() {
    let workspace = measured();
    let path = workspace.beside("output").join("x.info");
    xtask(&workspace)
        .args(["coverage", "report", "--lcov", "--ignore-filename-regex", "^src/bin/", "--output-path"])
        .arg(&path)
        .run()
        .expect_success();
    assert_eq!(read_lcov(&path).paths(), ["src/lib.rs"]);
    let nothing =
        xtask(&workspace).args(["coverage", "report", "--ignore-filename-regex", "."]).run().expect_code(1);
    assert!(nothing.stderr.contains("source files counts"), "{}", nothing.stderr);
    let broken =
        xtask(&workspace).args(["coverage", "report", "--ignore-filename-regex", "("]).run().expect_code(1);
    assert!(broken.stderr.contains("invalid value `(` for `--ignore-filename-regex`"), "{}", broken.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let workspace = measured();
    let full = std::path::Path::new("/dev/full");
    if full.exists() {
        let finished =
            xtask(&workspace).args(["coverage", "report", "--lcov", "--output-path", "/dev/full"]).run();
        finished.expect_code(1).expect_stderr("failed to write `/dev/full`: ");
    }
}
