//! What manifests say, and which of manifest, environment and command line holds.

use crate::counts::check as check_counts;
use crate::support::program::Finished;
use crate::support::workspace::Workspace;
use crate::xtask;

fn measured() -> Workspace {
    let workspace = Workspace::copy("configured");
    xtask(&workspace).arg("coverage").run().expect_success();
    workspace
}

fn report(workspace: &Workspace, arguments: &[&str]) -> Finished {
    xtask(workspace).args(["coverage", "report"]).args(arguments).run()
}

/// That a command ends with `code` and these lines that begin with `error: ` or `warning: `, without that word.
#[track_caller]
fn check(finished: Finished, code: i32, expected: &[&str]) {
    let finished = finished.expect_code(code);
    let said = finished.stderr.lines();
    let said =
        said.filter_map(|line| line.strip_prefix("error: ").or_else(|| line.strip_prefix("warning: ")));
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

#[test]
fn what_the_sources_say_holds() {
    check_counts(&Workspace::copy("configured"));
}

#[test]
fn thresholds_of_the_whole_and_of_parts() {
    let workspace = measured();
    check(report(&workspace, &[]), 0, &[]);
    workspace.replace(
        "Cargo.toml",
        "fail-under-lines = 50\n",
        "fail-under-lines = 72.5\nfail-under-file-lines = 60\n",
    );
    workspace.replace("Cargo.toml", "fail-uncovered-functions = 2", "fail-uncovered-functions = 1");
    workspace.replace("Cargo.toml", "fail-under-lines = 80", "fail-under-lines = 95");
    workspace.replace("Cargo.toml", "fail-under-functions = 60", "fail-under-functions = 100");
    workspace.replace("store/Cargo.toml", "fail-under-lines = 50", "fail-uncovered-lines = 1");
    let parts = [
        "function coverage of package `app` 66.66% (2 of 3) is below the threshold 100%: 1 more function is needed; it is \
         missing in `app/src/lib.rs`",
        "line coverage of `app/src/parser/**` 83.33% (5 of 6) is below the threshold 95%: 1 more line is needed; it is \
         missing in `app/src/parser/mod.rs`",
        "2 lines of package `store` are uncovered, 1 is allowed: 1 more line is needed; all are missing in \
         `store/src/lib.rs` (2)",
    ];
    let each_file = "line coverage of `app/src/lib.rs` 50.00% (3 of 6) is below the threshold 60% for each file: 1 more line \
                     is needed";
    let whole = [
        "line coverage 64.70% (11 of 17) is below the threshold 72.50%: 2 more lines are needed; all are missing in \
         `app/src/lib.rs` (3), `store/src/lib.rs` (2), `app/src/parser/mod.rs` (1)",
        "2 functions are uncovered, 1 is allowed: 1 more function is needed; all are missing in `app/src/lib.rs` (1), \
         `store/src/lib.rs` (1)",
    ];
    check(report(&workspace, &[]), 2, &[&whole[..], &[each_file], &parts].concat());
    // What the command line says holds, also where it asks for less; parts are not its matter.
    let less = ["--fail-under-lines", "0", "--fail-uncovered-functions", "9", "--fail-under-file-lines", "0"];
    check(report(&workspace, &less), 2, &parts);
    let environment = xtask(&workspace)
        .args(["coverage", "report", "--fail-uncovered-functions", "9"])
        .env("COVERAGE_FAIL_UNDER_LINES", "64.7")
        .env("COVERAGE_FAIL_UNDER_FILE_LINES", "50")
        .env("COVERAGE_FAIL_UNCOVERED_FUNCTIONS", "0");
    check(environment.run(), 2, &parts);
    // What a run leaves out cannot fail it: `app` has thresholds that it misses, and so has a path in it.
    let one = xtask(&workspace).args(["coverage", "-p", "store"]).args(less).run();
    check(one, 2, &parts[2..]);
}

#[test]
fn a_part_without_files_is_mentioned() {
    let workspace = measured();
    workspace.replace("Cargo.toml", "\"app/src/parser/**\"", "\"app/src/lexer/**\"");
    let warning = "no file that counts is of `app/src/lexer/**`, which has thresholds [unused-threshold]";
    check(report(&workspace, &[]), 0, &[warning]);
    let without = ["--ignore-filename-regex", "^store/", "--fail-under-lines", "0"];
    let of_package = "no file that counts is of package `store`, which has thresholds [unused-threshold]";
    check(report(&workspace, &without), 0, &[warning, of_package]);
}

#[test]
fn a_report_asks_cargo_only_when_a_manifest_has_changed() {
    let workspace = measured();
    let without_cargo =
        || xtask(&workspace).args(["coverage", "report"]).env("CARGO", "/no/such/cargo").run();
    without_cargo().expect_success();
    let manifest = workspace.read("store/Cargo.toml");
    workspace.write("store/Cargo.toml", &format!("{manifest}\n# A remark.\n"));
    without_cargo().expect_code(1).expect_stderr("/no/such/cargo");
    check(report(&workspace, &[]), 0, &[]);
    workspace.write("store/Cargo.toml", &manifest);
    without_cargo().expect_success();
}

#[test]
fn formats_and_lists() {
    let workspace = Workspace::copy("configured");
    workspace.replace(
        "Cargo.toml",
        "fail-under-lines = 50\n",
        "json = true\noutput-dir = \"reports\"\npackage = [\"app\"]\nno-fail-fast = true\n",
    );
    let below = workspace.root().join("app/src");
    let finished = xtask(&workspace).current_dir(below).arg("coverage").run().expect_success();
    assert!(finished.stdout.contains("TOTAL"), "the table is printed besides: {}", finished.stdout);
    let json = workspace.read("reports/coverage.json");
    assert!(json.contains("app/src/parser/mod.rs") && !json.contains("store/src"), "{json}");

    // The command line's list and formats replace those of the manifest.
    let lcov = xtask(&workspace)
        .args(["coverage", "-p", "store", "--lcov", "--output-path", "-"])
        .run()
        .expect_success();
    assert!(
        lcov.stdout.contains("SF:store/src/lib.rs") && !lcov.stdout.contains("SF:app"),
        "{}",
        lcov.stdout
    );
    let both = xtask(&workspace).args(["coverage", "--workspace"]).run().expect_success();
    assert!(
        both.stdout.contains("app/src/lib.rs") && both.stdout.contains("store/src/lib.rs"),
        "{}",
        both.stdout
    );
}

#[test]
fn mistakes_are_refused_by_every_command() {
    let workspace = measured();
    let valid = workspace.read("Cargo.toml");
    let check = |from: &str, to: &str, what: &str, cure: &str| {
        workspace.write("Cargo.toml", &valid.replacen(from, to, 1));
        for command in
            [&["coverage"][..], &["coverage", "report"], &["coverage", "run"], &["coverage", "show-env"]]
        {
            let finished = xtask(&workspace).args(command).run().expect_code(1);
            for expected in [format!("error: {what}"), format!("help: {cure}")] {
                assert!(finished.stderr.contains(&expected), "{command:?}: {expected}\n{}", finished.stderr);
            }
        }
    };
    check(
        "fail-under-lines = 50",
        "fail-under-line = 50",
        "unknown key `fail-under-line` in `[workspace.metadata.coverage]` of ",
        "did you mean `fail-under-lines`?",
    );
    check(
        "fail-under-lines = 50",
        "fail-under-lines = \"50\"",
        "`fail-under-lines` is \"50\" in `[workspace.metadata.coverage]` of ",
        "`fail-under-lines` takes a number, without quotes",
    );
    check(
        "fail-under-functions = 60",
        "exclusive = true",
        "unknown key `exclusive` in `[workspace.metadata.coverage.packages.app]` of ",
        "it belongs to `[package.metadata.coverage]`",
    );
    check(
        "coverage.packages.app]",
        "coverage.packages.ap]",
        "`[workspace.metadata.coverage.packages]` of ",
        "did you mean `app`?",
    );
    // What removes things needs no configuration.
    xtask(&workspace).args(["coverage", "clean"]).run().expect_success();
}

#[test]
fn manifests_demand_of_whole_runs() {
    let workspace = measured();
    workspace.replace("Cargo.toml", "fail-under-lines = 50\n", "fail-under-lines = 60\n");
    let note = "note: not all tests ran, so the numbers are not held against what the manifests demand\n";
    let run = |arguments: &[&str]| xtask(&workspace).arg("coverage").args(arguments).run();
    let whole = run(&[]).expect_success();
    assert!(!whole.stderr.contains(note), "{}", whole.stderr);
    // The same numbers, if the name were not there.
    let some = run(&["parse"]).expect_success();
    assert!(some.stderr.contains(note), "{}", some.stderr);
    let again = report(&workspace, &[]).expect_success();
    assert!(again.stderr.contains(note), "{}", again.stderr);
    // What is asked for now is meant for now.
    let error = "is below the threshold 99%";
    let asked = run(&["parse", "--fail-under-lines", "99"]).expect_code(2);
    assert!(asked.stderr.contains(error), "{}", asked.stderr);
    let whole = run(&["--fail-under-lines", "99"]).expect_code(2);
    assert!(whole.stderr.contains(error) && !whole.stderr.contains(note), "{}", whole.stderr);
    // What only whole runs are compared with may be missing before some of the tests run.
    let valid = workspace.read("Cargo.toml");
    workspace.write(
        "Cargo.toml",
        &valid.replacen("fail-under-lines", "baseline = \"b.json\"\nfail-under-lines", 1),
    );
    run(&[]).expect_code(1).expect_stderr("failed to read the baseline");
    run(&["parse"]).expect_success().expect_stderr(note);
}
