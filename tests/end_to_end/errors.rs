//! What goes wrong, what is said about it, and the exit code.

use std::fs;

use crate::support::program::Finished;
use crate::support::workspace::Workspace;
use crate::{lcov, xtask};

/// That a command fails with an exit code and says exactly one `error:` line, which holds `error`; and `help`, if that is
/// not empty, in a `help:` line.
#[track_caller]
fn check(finished: Finished, code: i32, error: &str, help: &str) {
    let finished = finished.expect_code(code);
    let errors: Vec<&str> = finished.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{}", finished.stderr);
    assert!(errors[0].contains(error), "`{error}` is not in `{}`", errors[0]);
    let helps: Vec<&str> = finished.stderr.lines().filter(|line| line.starts_with("help: ")).collect();
    assert!(help.is_empty() || helps.iter().any(|line| line.contains(help)), "`{help}` is not in {helps:?}");
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}

#[test]
fn nothing_to_test() {
    let workspace = Workspace::copy("no-tests");
    check(xtask(&workspace).arg("coverage").run(), 1, "no test ran", "write a test");
    let workspace = Workspace::copy("no-targets");
    check(xtask(&workspace).arg("coverage").run(), 1, "no test binary was built", "write a test");
    let workspace = Workspace::copy("only-bin");
    check(
        xtask(&workspace).args(["coverage", "no_such_test"]).run(),
        1,
        "none has `no_such_test` in its name",
        "--list",
    );
    // Nor is a report on it one of 0 %.
    check(xtask(&workspace).args(["coverage", "report"]).run(), 1, "nothing was recorded yet", "");
}

#[test]
fn failing_tests_are_reported_and_do_not_hide_the_rest() {
    let workspace = Workspace::copy("failing");
    // One at a time and by name, since all are there: so something comes behind the failure.
    xtask(&workspace).args(["coverage", "--no-run"]).run().expect_success();
    let finished = xtask(&workspace).args(["coverage", "--test-threads", "1"]).run().expect_code(100);
    assert!(
        finished.stderr.contains(
            "failed: failing::b_fails fails; again: cargo xtask coverage -p failing --test b_fails"
        )
    );
    assert!(finished.stderr.contains(" not run; `--no-fail-fast` runs"), "{}", finished.stderr);
    assert!(!lcov(&workspace).paths().is_empty(), "reports are written all the same");
    // The command that it names does run that test alone.
    let again = ["coverage", "-p", "failing", "--test", "b_fails", "--", "--exact", "fails"];
    let finished = xtask(&workspace).args(again).run().expect_code(100);
    assert!(finished.stderr.contains("0 passed, 1 failed"), "{}", finished.stderr);

    let finished = xtask(&workspace).args(["coverage", "--no-fail-fast"]).run().expect_code(100);
    assert!(!finished.stderr.contains("not run"), "{}", finished.stderr);
    xtask(&workspace).args(["coverage", "--no-fail-fast", "--ignore-run-fail"]).run().expect_success();
}

#[test]
fn thresholds_that_are_missed() {
    let (workspace, _) = measured();
    let report = |arguments: &[&str]| xtask(&workspace).args(["coverage", "report"]).args(arguments).run();
    report(&["--fail-under-lines", "100", "--fail-under-functions", "100"]).expect_success();
    let source = workspace.read("src/answer.rs");
    workspace.write("src/answer.rs", &format!("{source}\npub fn never_called() -> u32 {{\n    7\n}}\n"));
    let below = xtask(&workspace).args(["coverage", "--fail-under-lines", "90.5"]).run().expect_code(2);
    let error = below.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert_eq!(
        error,
        "error: line coverage 81.25% (13 of 16) is below the threshold 90.50%: 2 more lines are needed; all are \
         missing in `src/answer.rs` (3)"
    );
    assert!(workspace.root().join("target/coverage/lcov.info").exists(), "reports are written all the same");
    let both =
        report(&["--fail-under-lines", "100", "--fail-under-functions", "100", "--fail-under-regions", "1"]);
    let both = both.expect_code(2);
    assert_eq!(both.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 2, "{}", both.stderr);
    check(
        report(&["--fail-uncovered-functions", "0"]),
        2,
        "1 function is uncovered, none is allowed: 1 more function is needed; it is missing in `src/answer.rs`",
        "",
    );
    check(
        report(&["--fail-under-file-lines", "80"]),
        2,
        "line coverage of `src/answer.rs` 66.66% (6 of 9) is below the threshold 80% for each file: 2 more lines are needed",
        "",
    );
    report(&["--fail-uncovered-lines", "3", "--fail-under-file-lines", "66.66"]).expect_success();
    check(report(&["--fail-under-lines", "101"]), 1, "expected a percentage from 0 to 100", "");
}

#[test]
#[cfg(unix)]
fn a_comparison_without_llvms_tools() {
    let workspace = Workspace::copy("only-bin");
    let verify = |variable: &str, value: &str| xtask(&workspace).arg("verify").env(variable, value).run();
    check(
        verify("LLVM_PROFDATA", "/bin/echo"),
        1,
        "`/bin/echo`, as LLVM_PROFDATA names it, is no llvm-profdata",
        "",
    );
    check(verify("LLVM_PROFDATA", "/no/such/tool"), 1, "as LLVM_PROFDATA names it, is no llvm-profdata", "");
    let old = workspace.beside("tools").join("old");
    fs::write(&old, "#!/bin/sh\necho 'LLVM version 3.1.4'\n").expect("writable");
    let mut permissions = fs::metadata(&old).expect("there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&old, permissions).expect("ours");
    check(verify("LLVM_PROFDATA", &old.to_string_lossy()), 1, "is of LLVM 3, but rustc is built on LLVM", "");
    assert!(
        !workspace.root().join("target/coverage/run.json").exists(),
        "missing tools are known before the tests run"
    );
}

#[test]
fn a_build_that_fails() {
    let workspace = Workspace::copy("build-error");
    let finished = xtask(&workspace).arg("coverage").run().expect_code(101);
    assert!(finished.stderr.contains("mismatched types"), "cargo's own words are there: {}", finished.stderr);
    assert!(finished.stderr.ends_with("error: the build failed (exit status: 101)\n"), "{}", finished.stderr);
}

#[test]
fn a_test_binary_without_a_profile() {
    let workspace = Workspace::copy("no-profile");
    let error = "no raw profile was written by test binary `no-profile::leaves_none`";
    check(xtask(&workspace).arg("coverage").run(), 1, error, "--no-continuous");
    assert!(
        !workspace.root().join("target/coverage/lcov.info").exists(),
        "no report that shows misses which are none"
    );
}

#[test]
fn a_path_that_the_profile_runtime_would_expand() {
    let workspace = Workspace::copy_as("only-bin", "100%m");
    check(xtask(&workspace).arg("coverage").run(), 1, "would expand the `%`", "");
    let elsewhere = workspace.beside("target");
    if !elsewhere.to_string_lossy().contains('%') {
        xtask(&workspace).args(["coverage", "--target-dir"]).arg(&elsewhere).run().expect_success();
        assert!(elsewhere.join("coverage/lcov.info").is_file());
    }
}

#[test]
fn a_missing_manifest_and_unknown_words() {
    let workspace = Workspace::empty("nothing");
    check(xtask(&workspace).arg("coverage").run(), 1, "Cargo.toml", "");
    let path = ["coverage", "--manifest-path", "no/Cargo.toml"];
    check(xtask(&workspace).args(path).run(), 1, "no manifest at `no/Cargo.toml`", "--manifest-path");
    check(xtask(&workspace).args(["coverage", "--lcvo"]).run(), 1, "--lcvo", "--lcov");
    check(xtask(&workspace).arg("coverag").run(), 1, "coverag", "coverage");
    check(xtask(&workspace).args(["coverage", "report"]).run(), 1, "Cargo.toml", "");
}

#[test]
fn a_report_before_any_run() {
    let workspace = Workspace::copy("only-bin");
    check(xtask(&workspace).args(["coverage", "report"]).run(), 1, "run `cargo xtask coverage` first", "");
}

/// A workspace that was measured, and the path of one of its raw profiles.
fn measured() -> (Workspace, std::path::PathBuf) {
    let workspace = Workspace::copy("only-bin");
    xtask(&workspace).arg("coverage").run().expect_success();
    let profile = profiles(&workspace).swap_remove(0);
    (workspace, profile)
}

fn profiles(workspace: &Workspace) -> Vec<std::path::PathBuf> {
    let pattern = workspace.root().join("target/coverage/raw/**/*.profraw");
    let found = glob::glob(&pattern.to_string_lossy()).expect("a pattern");
    let profiles: Vec<_> = found.map(|entry| entry.expect("an entry")).collect();
    assert!(!profiles.is_empty());
    profiles
}

#[test]
fn a_damaged_profile_among_good_ones_costs_itself() {
    let (workspace, profile) = measured();
    let bytes = fs::read(&profile).expect("readable");
    fs::write(&profile, &bytes[..200]).expect("writable");
    let finished = xtask(&workspace).args(["coverage", "report"]).run().expect_success();
    let warning =
        finished.stderr.lines().find(|line| line.ends_with("[unreadable-profile]")).expect("a warning");
    assert!(warning.contains("truncated: data records need"), "{warning}");
    assert!(warning.contains("its counts are missing"), "{warning}");
}

#[test]
fn profiles_that_are_none() {
    let (workspace, _) = measured();
    let objects = test_binary(&workspace);
    let report = |content: &[u8]| {
        let path = workspace.beside("foreign").join("a.profraw");
        fs::write(&path, content).expect("writable");
        xtask(&workspace)
            .args(["coverage", "report", "--object"])
            .arg(&objects)
            .arg("--profraw")
            .arg(&path)
            .run()
    };
    let original = fs::read(&profiles(&workspace)[0]).expect("readable");
    let mut newer = original.clone();
    newer[8] = 99;
    check(
        report(&newer),
        1,
        "unsupported raw profile version 99 (this build reads 8 to 10); update xtask-coverage",
        "",
    );
    check(report(b""), 1, "all 1 raw profiles are empty", "");
    check(report(b"#!/bin/sh\necho not a profile\n"), 1, "a.profraw`: not a raw profile", "");
    check(report(&original[..original.len() - 20]), 1, "a.profraw`: truncated: ", "");
}

#[test]
fn objects_that_hold_nothing() {
    let (workspace, profile) = measured();
    let report = |object: &std::path::Path| {
        xtask(&workspace)
            .args(["coverage", "report", "--object"])
            .arg(object)
            .arg("--profraw")
            .arg(&profile)
            .run()
    };
    // This very test is an object too, instrumented or not; a text is none.
    let text = workspace.root().join("Cargo.toml");
    check(report(&text), 1, "not an object file", "");
    check(report(&workspace.root().join("missing")), 1, "failed to read object `", "");
    workspace.cargo().arg("build").run().expect_success();
    let plain = workspace.root().join(format!("target/debug/only-bin{}", std::env::consts::EXE_SUFFIX));
    check(report(&plain), 1, "no coverage data in any of 1 objects", "");
}

/// The executable of the workspace's test binary.
fn test_binary(workspace: &Workspace) -> std::path::PathBuf {
    let record = fs::read(workspace.root().join("target/coverage/run.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    record["tests"][0]["executable"].as_str().expect("a path").into()
}

#[test]
fn mistakes_in_the_metadata() {
    let workspace = Workspace::copy("exclusive");
    let manifest = workspace.root().join("alone").join("Cargo.toml");
    workspace.replace("alone/Cargo.toml", "exclusive = true", "exclusiv = true");
    let what = format!("unknown key `exclusiv` in `[package.metadata.coverage]` of `{}`", manifest.display());
    check(xtask(&workspace).arg("coverage").run(), 1, &what, "did you mean `exclusive`?");
    workspace.replace("alone/Cargo.toml", "exclusiv = true", "exclusive = 1");
    check(
        xtask(&workspace).arg("coverage").run(),
        1,
        "`exclusive` is 1 in `[package.metadata.coverage]`",
        "`exclusive` takes `true` or `false`",
    );
}

#[test]
fn a_run_of_another_workspace_is_not_reported_on() {
    let measured = Workspace::copy("in-source");
    xtask(&measured).arg("coverage").run().expect_success();
    let target = measured.root().join("target");
    let other = Workspace::copy("only-bin");
    check(
        xtask(&other).args(["coverage", "report", "--target-dir"]).arg(&target).run(),
        1,
        "was of the workspace in",
        "run `cargo xtask coverage` for this one first",
    );
    xtask(&measured).args(["coverage", "report", "--target-dir"]).arg(&target).run().expect_success();
}

#[test]
fn a_package_that_is_not_there_cannot_be_left_out() {
    let workspace = Workspace::copy("only-bin");
    check(
        xtask(&workspace).args(["coverage", "--exclude-from-report", "only-bim"]).run(),
        1,
        "`--exclude-from-report` names `only-bim`, which is no package of the workspace",
        "did you mean `only-bin`?",
    );
    assert!(!workspace.root().join("target/coverage/run.json").exists(), "nothing is run");
}
