//! What counts: test code inside source files, markers in comments, patterns on paths, and the reasons for all of it.

use std::collections::BTreeMap;
use std::fs;

use crate::support::lcov::Lcov;
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{lcov, read_lcov, xtask};

fn measured(name: &str) -> Workspace {
    let workspace = Workspace::copy(name);
    xtask(&workspace).arg("coverage").run().expect_success();
    workspace
}

/// The tracefile of another report on the last run.
fn report(workspace: &Workspace, arguments: &[&str]) -> Lcov {
    let path = workspace.beside("output").join("report.info");
    xtask(workspace)
        .args(["coverage", "report", "--lcov", "--output-path"])
        .arg(&path)
        .args(arguments)
        .run()
        .expect_success();
    read_lcov(&path)
}

/// The lines of each file.
fn lines(lcov: &Lcov) -> BTreeMap<&str, &BTreeMap<u32, u64>> {
    lcov.files.iter().map(|file| (file.path.as_str(), &file.lines)).collect()
}

#[test]
fn test_code_and_markers_in_sources() {
    let workspace = measured("in-source");
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);

    // With all of it counted, the lines are LLVM's.
    let everything = report(&workspace, &["--include-tests", "--no-markers"]);
    let path = workspace.beside("output").join("llvm.info");
    let arguments = ["coverage", "report", "--model", "llvm", "--lcov", "--output-path"];
    xtask(&workspace).args(arguments).arg(&path).run().expect_success();
    // Its totals are not the sums of its records.
    let llvm = Lcov::read(&path);
    // There the paths are absolute.
    let root = format!("{}/", workspace.root().display());
    let llvm =
        lines(&llvm).into_iter().map(|(path, lines)| (path.strip_prefix(&root).unwrap_or(path), lines));
    assert_eq!(lines(&everything), llvm.collect());
    assert!(everything.paths().contains(&"src/checks/nested.rs"), "{:?}", everything.paths());
    assert!(
        everything.file("src/items.rs").functions.len()
            > lcov(&workspace).file("src/items.rs").functions.len()
    );

    // Each alone.
    let tests = report(&workspace, &["--include-tests"]);
    assert_eq!(tests.file("src/markers.rs"), lcov(&workspace).file("src/markers.rs"));
    let markers = report(&workspace, &["--no-markers"]);
    assert_eq!(markers.file("src/items.rs"), lcov(&workspace).file("src/items.rs"));
    assert_eq!(markers.file("src/markers.rs"), everything.file("src/markers.rs"));
}

#[test]
fn classes_of_code() {
    let workspace = measured("in-source");
    let missing = |arguments: &[&str]| -> Vec<u32> {
        let report = report(&workspace, arguments);
        let file = report.file("src/classes.rs");
        file.lines.iter().filter(|(_, count)| **count == 0).map(|(line, _)| *line).collect()
    };
    let all = missing(&[]);
    assert_eq!(all, [8, 9, 10, 14, 15, 16, 19, 20, 21, 33, 35]);
    assert_eq!(missing(&["--exclude-code", "debug"]), [14, 15, 16, 19, 20, 21, 33, 35]);
    assert_eq!(missing(&["--exclude-code", "const-fn"]), [8, 9, 10, 14, 15, 16, 33, 35]);
    assert_eq!(missing(&["--exclude-code", "unreachable"]), [8, 9, 10, 14, 15, 16, 19, 20, 21]);
    assert_eq!(missing(&["--exclude-code", "unreachable,debug", "--exclude-code=const-fn"]), [14, 15, 16]);
    let wrong = xtask(&workspace).args(["coverage", "--exclude-code", "panics"]).run().expect_code(1);
    assert!(wrong.stderr.contains("expected some of unreachable, debug, const-fn"), "{}", wrong.stderr);
}

#[test]
fn markers_that_do_not_match_are_named_before_anything_is_built() {
    let workspace = Workspace::copy("in-source");
    workspace.replace("src/markers.rs", "// coverage:on\n    sum += 2;", "sum += 2;");
    workspace
        .write("src/shared.rs", "// LCOV_EXCL_STOP\npub fn twice(number: u32) -> u32 {\n    number * 2\n}\n");
    let refused = xtask(&workspace).arg("coverage").run().expect_code(1);
    for expected in ["error: src/markers.rs:54: ", "error: src/shared.rs:1: ", "help: "] {
        assert!(refused.stderr.contains(expected), "{expected}: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("Compiling"), "{}", refused.stderr);
    // Who does not want markers is not bothered by them.
    xtask(&workspace).args(["coverage", "--no-markers"]).run().expect_success();
    xtask(&workspace).args(["coverage", "report"]).run().expect_code(1);
}

#[test]
fn a_marker_that_is_unknown_is_said() {
    let workspace = Workspace::copy("in-source");
    workspace.replace("src/shared.rs", "pub fn", "// coverage:ignored\npub fn");
    let finished = xtask(&workspace).arg("coverage").run().expect_success();
    let expected = "warning: src/shared.rs:3: ";
    assert_eq!(finished.stderr.matches(expected).count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("[unknown-marker]"), "{}", finished.stderr);
}

#[test]
fn files_by_patterns_and_sets() {
    let workspace = measured("excludes");
    let paths = |arguments: &[&str]| -> Vec<String> {
        report(&workspace, arguments).files.into_iter().map(|file| file.path).collect()
    };
    let usual = paths(&[]);
    let all = paths(&["--no-default-exclude"]);
    assert!(all.len() > usual.len());
    assert_eq!(paths(&["--default-exclude", "tests,generated,build,migrations,dependencies"]), usual);

    let (kept, gone): (Vec<String>, Vec<String>) =
        all.iter().cloned().partition(|path| !path.split('/').any(|part| part == "migrations"));
    assert!(!gone.is_empty());
    assert_eq!(paths(&["--default-exclude", "migrations"]), kept);

    // One file comes back, one goes; what is included wins.
    let mut expected = usual.clone();
    let first = expected.remove(0);
    expected.push(gone[0].clone());
    expected.sort();
    assert_eq!(paths(&["--include-files", &gone[0], "--exclude-files", &first]), expected);
    assert_eq!(paths(&["--include-files", &gone[0], "--ignore-filename-regex", "."]), [gone[0].clone()]);
    assert_eq!(paths(&["--include-filename-regex", "/migrations", "--exclude-files", "**"]), gone);

    let wrong = xtask(&workspace).args(["coverage", "--default-exclude", "test"]).run().expect_code(1);
    assert!(wrong.stderr.contains("expected some of tests, generated"), "{}", wrong.stderr);
    xtask(&workspace).args(["coverage", "--exclude-files", "a**"]).run().expect_code(1);
}

#[test]
fn a_package_can_be_tested_and_not_counted() {
    let workspace = Workspace::copy("excludes");
    let finished =
        xtask(&workspace).args(["coverage", "--exclude-from-report", "suit?"]).run().expect_success();
    assert!(finished.stderr.contains("Passed suite"), "{}", finished.stderr);
    let report = lcov(&workspace);
    assert!(report.paths().iter().all(|path| !path.starts_with("tests/suite/")), "{:?}", report.paths());
    assert!(report.paths().iter().any(|path| path.starts_with("food/")), "{:?}", report.paths());
}

#[test]
fn generated_files_say_so() {
    let workspace = Workspace::copy("in-source");
    let text = workspace.read("src/shared.rs");
    workspace.write("src/shared.rs", &format!("// @generated by a tool\n{text}"));
    xtask(&workspace).arg("coverage").run().expect_success();
    let has = |lcov: Lcov| lcov.paths().contains(&"src/shared.rs");
    assert!(!has(lcov(&workspace)));
    assert!(has(report(&workspace, &["--default-exclude", "tests"])));
    assert!(has(report(&workspace, &["--include-files", "src/shared.rs"])));
}

#[test]
fn explanations() {
    let workspace = Workspace::copy("in-source");
    let explain = |asked: &[&str]| {
        let mut program = xtask(&workspace).arg("coverage");
        for asked in asked {
            program = program.args(["--explain", asked]);
        }
        program.run()
    };
    let before = explain(&["src/shared.rs", "src/shared.rs:4"]).expect_success();
    assert_eq!(
        before.stdout,
        "src/shared.rs counts\n    it was not measured yet\n\
         src/shared.rs:4 counts if there is code on it: it was not measured yet\n"
    );
    assert!(!workspace.root().join("target/coverage/lcov.info").exists(), "nothing is run");

    xtask(&workspace).arg("coverage").run().expect_success();
    let after = explain(&[
        "src/shared.rs:4",
        "src/shared.rs:2",
        "src/items.rs:31",
        "src/items.rs:28",
        "src/checks/nested.rs",
        "src/checks.rs:1",
        "src/markers.rs:6",
        "src/markers.rs:12",
        "src/markers.rs",
    ])
    .expect_success();
    assert_eq!(
        after.stdout,
        "\
src/shared.rs:4 counts: it ran once
src/shared.rs:2 does not count: there is no code on it
src/items.rs:31 does not count: test code: `#[cfg(test)]` on line 31
src/items.rs:28 does not count: there is no code on it
src/checks/nested.rs does not count: test code: `#[cfg(test)]` on line 8 of src/lib.rs
    `--include-tests` makes it count
src/checks.rs:1 does not count: test code: `#[cfg(test)]` on line 8 of src/lib.rs
src/markers.rs:6 does not count: `coverage:off` on line 5: a stretch of a function
src/markers.rs:12 counts: it never ran
src/markers.rs counts
    10 of 15 lines ran (66.66%)
    lines 5-8 do not count: `coverage:off` on line 5: a stretch of a function
    lines 15-21 do not count: `coverage:ignore` on line 14: a whole chain
    line 22 does not count: `coverage:ignore` on line 22: // cov: -
    line 24 does not count: `LCOV_EXCL_LINE` on line 24: reason // cov: -
    lines 27-29 do not count: `coverage:ignore` on line 26: never
    lines 36-39 do not count: `LCOV_EXCL_START` on line 36
    lines 44-49 do not count: `coverage:ignore` on line 42: an item
    lines 55-58 do not count: `coverage:off` on line 55: to the end of a module
"
    );

    // From a directory below.
    let below = xtask(&workspace)
        .current_dir(workspace.root().join("src"))
        .args(["coverage", "report", "--explain", "shared.rs:4"])
        .run()
        .expect_success();
    assert_eq!(below.stdout, "src/shared.rs:4 counts: it ran once\n");
    // As it is printed by compilers and in lists of missing lines.
    let printed =
        explain(&["src/shared.rs:4:9", "src/shared.rs:4-5", "src/shared.rs:4,7-8"]).expect_success();
    assert_eq!(printed.stdout, "src/shared.rs:4 counts: it ran once\n".repeat(3));
    // Where nothing counts any more, or the counts are gone, the question still has an answer.
    let report = |arguments: &[&str]| {
        xtask(&workspace).args(["coverage", "report", "--explain", "src/shared.rs:4"]).args(arguments).run()
    };
    let none = report(&["--exclude-files", "**/*.rs"]).expect_success();
    assert_eq!(none.stdout, "src/shared.rs:4 does not count: it matches --exclude-files `**/*.rs`\n");
    none.expect_stderr("note: failed to evaluate the last run: none of ");
    fs::remove_dir_all(workspace.root().join("target/coverage/raw")).expect("there are profiles");
    let gone = report(&[]).expect_success();
    assert_eq!(gone.stdout, "src/shared.rs:4 counts if there is code on it: how often it ran is not known\n");
    gone.expect_stderr("note: failed to evaluate the last run: failed to read profile ");
    let nothing = explain(&["src/nothing.rs:3"]).expect_code(1);
    assert!(nothing.stderr.contains("no file `src/nothing.rs:3`"), "{}", nothing.stderr);
}

#[test]
fn sources_that_changed_after_the_run_are_named() {
    let workspace = measured("in-source");
    let warns = || {
        let finished = xtask(&workspace).args(["coverage", "report"]).run().expect_success();
        finished.stderr.contains("[changed-source]")
    };
    assert!(!warns());
    let path = workspace.root().join("src/items.rs");
    let later = fs::metadata(workspace.root().join("target/coverage/run.json"))
        .and_then(|metadata| metadata.modified())
        .expect("a time")
        + std::time::Duration::from_secs(5);
    fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(later))
        .expect("a new time");
    assert!(warns());
}

#[test]
fn sources_that_were_removed_after_the_run_are_named() {
    let workspace = measured("in-source");
    fs::remove_file(workspace.root().join("src/markers.rs")).expect("a file");
    let finished = xtask(&workspace).args(["coverage", "report"]).run().expect_success();
    let warning = "`src/markers.rs` was changed or removed after the run";
    assert!(finished.stderr.contains(warning), "{}", finished.stderr);
}

#[test]
fn a_line_that_counts_is_not_said_to_be_left_out() {
    let workspace = Workspace::copy("in-source");
    let path = workspace.root().join("src/shared.rs");
    let before = fs::read_to_string(&path).expect("a source");
    let line = before.lines().count() + 1;
    fs::write(&path, format!("{before}pub fn numbers() -> Vec<u32> {{ vec![1, #[cfg(test)] 2] }}\n"))
        .expect("written");
    xtask(&workspace).arg("coverage").run().expect_success();
    let of_line = format!("src/shared.rs:{line}");
    let finished = xtask(&workspace)
        .args(["coverage", "--explain", "src/shared.rs", "--explain", &of_line])
        .run()
        .expect_success();
    let part =
        format!("    a part of line {line} does not count: test code: `#[cfg(test)]` on line {line}\n");
    assert!(finished.stdout.contains(&part), "{}", finished.stdout);
    assert!(finished.stdout.contains(&format!("{of_line} counts: it never ran\n")), "{}", finished.stdout);
}
