//! Every kind of cargo target: what runs, what counts, what is left behind.

use std::fs::File;
use std::time::{Duration, SystemTime};

use crate::counts::{check, check_with};
use crate::support::program::Finished;
use crate::support::workspace::Workspace;
use crate::{lcov, xtask};

#[test]
fn what_the_linker_leaves_out_of_a_test_counts_as_missed() {
    let workspace = Workspace::copy("untested-lib");
    check(&workspace);
    xtask(&workspace).args(["coverage", "--test", "it"]).run().expect_success();
    let report = lcov(&workspace);
    assert_eq!(report.file("tested/src/unlinked.rs").lines.values().sum::<u64>(), 0);
    assert_eq!(report.file("app/src/unlinked.rs").lines.len(), 9);
    // A package that is not selected does not count, whatever is known of it.
    xtask(&workspace).args(["coverage", "-p", "app"]).run().expect_success();
    assert!(lcov(&workspace).paths().iter().all(|path| path.starts_with("app/")));
}

#[test]
fn proc_macros_count_as_often_as_the_compiler_ran_them() {
    let workspace = Workspace::copy("proc-macros");
    check(&workspace);
    // Now everything is compiled, and no compiler runs.
    let second = lcov(&workspace);
    check(&workspace);
    assert_eq!(lcov(&workspace), second);
    // A plain build in between leaves no trace, and a package compiled again replaces its own counts only.
    workspace.cargo().arg("test").run().expect_success();
    workspace.replace("app/src/lib.rs", "//! Uses the macros.", "//! Uses the macros, and was edited.");
    check(&workspace);
    // An edit of the macros makes all earlier counts obsolete.
    workspace.replace("macros/src/text.rs", "\"Unknown\"", "\"Nothing\"");
    check(&workspace);
}

#[test]
fn build_scripts_count_when_asked_for() {
    let workspace = Workspace::copy("build-scripts");
    let with = ["--include-build-script"];
    check_with(&workspace, &with);
    check_with(&workspace, &with);
    // Another input, another run of the same script: the earlier one no longer counts.
    workspace.write("app/input.txt", "two\n");
    xtask(&workspace).arg("coverage").args(with).run().expect_success();
    let report = lcov(&workspace);
    let names = &report.file("app/build/names.rs").lines;
    assert_eq!((names[&4], names[&8]), (0, 1));
    assert_eq!(report.file("app/build/main.rs").lines[&5], 1);
    workspace.write("app/input.txt", "one\n");
    check_with(&workspace, &with);

    let before = workspace.files();
    xtask(&workspace).arg("coverage").run().expect_success();
    assert_eq!(lcov(&workspace).paths(), ["app/src/lib.rs", "support/src/lib.rs"]);
    let doubled = lcov(&workspace).file("support/src/lib.rs").lines[&3];
    assert_eq!(doubled, 1, "what a build script calls is a build script's");
    let new: Vec<_> = workspace.files().difference(&before).cloned().collect();
    assert!(new.is_empty(), "left in the tree: {new:?}");
    // The script did not run again for the other kind of build.
    check_with(&workspace, &with);
}

#[test]
fn targets_with_and_without_a_harness() {
    let workspace = Workspace::copy("harnesses");
    check_with(&workspace, &["--all-targets"]);

    let unit = ["harnesses"];
    let tests = ["harnesses::custom", "harnesses::plain"];
    let examples = ["harnesses::example/demo", "harnesses::example/whole"];
    let benches = ["harnesses::bench/speed", "harnesses::bench/tested"];
    let rows: [(&[&str], Vec<&str>); 6] = [
        (&[], [&unit[..], &tests, &examples[1..]].concat()),
        (&["--examples"], examples.to_vec()),
        (&["--benches"], benches.to_vec()),
        (&["--all-targets"], [&unit[..], &benches, &tests, &examples].concat()),
        (&["--test", "custom", "--example", "demo"], vec![tests[0], examples[0]]),
        (&["--bench", "speed"], vec![benches[0]]),
    ];
    for (arguments, mut expected) in rows {
        let cargos = workspace.cargo().arg("test").args(arguments).run().expect_success();
        let n_run = cargos.stderr.lines().filter(|line| line.trim_start().starts_with("Running ")).count();
        let ours = xtask(&workspace).arg("coverage").args(arguments).run().expect_success();
        expected.sort_unstable();
        assert_eq!(passed(&ours), expected, "{arguments:?}");
        assert_eq!(n_run, expected.len(), "{}", cargos.stderr);
    }
}

#[test]
fn failures_without_a_harness_are_seen() {
    let workspace = Workspace::copy("harnesses");
    let failed = xtask(&workspace)
        .args(["coverage", "--no-fail-fast", "--tests"])
        .env("PLAIN_EXITS_WITH", "7")
        .run()
        .expect_code(100)
        .expect_stderr("; again: cargo xtask coverage -p harnesses --test plain\n");
    assert_eq!(passed(&failed), ["harnesses", "harnesses::custom", "harnesses::example/whole"]);
    assert_eq!(lcov(&workspace).file("src/lib.rs").lines[&8], 1, "it counts up to its end");
    // A flag that only libtest knows fails where `cargo test` fails.
    let arguments = ["--test", "custom", "--", "--test-threads=1"];
    let cargos = workspace.cargo().arg("test").args(arguments).run();
    assert_ne!(cargos.code(), Some(0));
    xtask(&workspace).arg("coverage").args(arguments).run().expect_code(100);
}

/// The test binaries that passed, sorted.
fn passed(finished: &Finished) -> Vec<&str> {
    let id = |line| {
        let (id, _) = str::strip_prefix(str::trim_start(line), "Passed ")?.split_once(" in ")?;
        // Behind a harness that counts stand its numbers: `app: 3 passed`.
        Some(id.split(": ").next().unwrap_or(id))
    };
    let mut ids: Vec<&str> = finished.stderr.lines().filter_map(id).collect();
    ids.sort_unstable();
    ids
}

#[test]
#[cfg(unix)]
fn libraries_that_are_loaded_by_path() {
    check(&Workspace::copy("libraries"));
}

#[test]
fn a_dylib_and_the_shared_standard_library() {
    check(&Workspace::copy("dynamic"));
}

#[test]
fn programs_that_tests_start_in_every_way() {
    let workspace = Workspace::copy("clear-env");
    // What somebody else left is none of ours.
    workspace.write("sub/default_1_0_2.profraw", "old");
    let old = workspace.root().join("sub/default_1_0_2.profraw");
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&old).and_then(|file| file.set_modified(an_hour_ago)).expect("ours");
    check(&workspace);
    check(&workspace);
    assert!(old.is_file());
    // Also when profiles are written at the end, one for each process.
    check_with(&workspace, &["--no-continuous"]);
}

#[test]
fn tests_that_compile_other_files() {
    let workspace = Workspace::copy("ui-tests");
    check(&workspace);
    check(&workspace);
    // What they left in the target directory does not disturb `cargo test`, nor the other way round.
    workspace.cargo().arg("test").run().expect_success();
    check(&workspace);
}
