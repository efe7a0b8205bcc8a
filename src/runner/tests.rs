//! Runs of small shell programs that stand for test binaries.

use super::{Job, RunOptions, order, profile_directories, thread_budget};
use crate::cargo::build::TestBinary;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind};
use crate::layout::Layout;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A binary that is the shell, for running a script given as the harness's arguments.
fn binary(binary_id: &str, variables: &[(&str, &str)]) -> TestBinary {
    TestBinary {
        binary_id: binary_id.to_owned(),
        package: "app".to_owned(),
        cargo_target: CargoTarget {
            name: "app".to_owned(),
            kind: CargoTargetKind::Test,
            crate_types: vec!["bin".to_owned()],
            src_path: PathBuf::from("/w/src/lib.rs"),
            edition: "2024".to_owned(),
            test: true,
            doctest: false,
            required_features: Vec::new(),
        },
        executable: PathBuf::from("/bin/sh"),
        current_dir: std::env::temp_dir(),
        variables: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
    }
}

#[test]
fn whose_number_of_threads_counts() {
    let check = |arguments: &[&str], variables: &[(&str, &str)], expected: usize| {
        let options = RunOptions {
            threads: 8,
            harness_args: arguments.iter().map(|argument| (*argument).into()).collect(),
            ..RunOptions::default()
        };
        let binary = binary("app", variables);
        assert_eq!(thread_budget(&[Job::new(&binary)], &options), expected, "{arguments:?} {variables:?}");
    };
    let variable = [("RUST_TEST_THREADS", "3")];
    check(&[], &[], 8);
    check(&[], &variable, 3);
    check(&["--test-threads=1", "--ignored"], &variable, 1);
    check(&["--exact", "--test-threads", "2"], &[], 2);
    check(&["--test-threads", "x"], &[], 8);
    check(&["--test-threads=0"], &[], 8);
}

#[test]
fn the_unknown_start_first_then_the_longest() {
    let binary = binary("app", &[]);
    let seconds = [Some(1), Some(9), None, Some(9), None];
    let jobs =
        seconds.map(|expected| Job { expected: expected.map(Duration::from_secs), ..Job::new(&binary) });
    let found: Vec<usize> = order(&jobs).into_iter().map(|(index, _)| index).collect();
    assert_eq!(found, [2, 4, 1, 3, 0]);
}

#[test]
fn each_job_has_a_directory_even_under_one_name() {
    let (one, two) = (binary("app::it", &[]), binary("app", &[]));
    let jobs = [Job::new(&one), Job::new(&one), Job::new(&two), Job::new(&one)];
    let found = profile_directories(&jobs, &Layout::new(Path::new("/t")));
    let raw = Path::new("/t/coverage/raw");
    assert_eq!(found, ["app.it", "app.it.2", "app", "app.it.3"].map(|name| raw.join(name)));
}

#[cfg(unix)]
mod unix {
    use super::binary;
    use crate::layout::Layout;
    use crate::runner::harness::TestCounts;
    use crate::runner::{BinaryResult, Event, Job, Outcome, RunOptions, TestRun, run_tests};
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Mutex;
    use std::{env, process};

    /// Runs one shell for each of `scripts`, one after the other, and lists the events.
    fn run(name: &str, scripts: &[&str], options: &RunOptions) -> (TestRun, Vec<String>) {
        let directory: PathBuf = env::temp_dir().join(format!("xtask-coverage-{name}-{}", process::id()));
        let layout = Layout::new(&directory);
        let stale = layout.raw().join("old/1.profraw");
        fs::create_dir_all(stale.parent().expect("has a parent")).expect("can be made");
        fs::write(&stale, "").expect("can be written");
        let binaries: Vec<_> = scripts
            .iter()
            .enumerate()
            .map(|(index, script)| {
                let mut binary = binary(&format!("app::t{index}"), &[("SCRIPT", script)]);
                if script.is_empty() {
                    binary.executable = "/nonexistent/program".into();
                }
                binary
            })
            .collect();
        let jobs: Vec<Job<'_>> = binaries.iter().map(Job::new).collect();
        let options = RunOptions {
            threads: 1,
            filter: Some("-c".into()),
            harness_args: vec!["eval \"$SCRIPT\"".into()],
            ..options.clone()
        };
        let events = Mutex::new(Vec::new());
        let run = run_tests(&jobs, &layout, &options, &|event| {
            let line = match event {
                Event::Started { binary, progress } => {
                    format!("{} starts, {}", binary.binary_id, progress.waiting)
                }
                Event::Finished { result, .. } => format!("{} {}", result.binary_id, result.outcome),
            };
            events.lock().expect("no panic").push(line);
        });
        assert!(!stale.exists(), "what an earlier run left is gone");
        fs::remove_dir_all(&directory).expect("can be removed");
        (run.expect("directories can be made"), events.into_inner().expect("no panic"))
    }

    fn output(result: &BinaryResult) -> String {
        String::from_utf8_lossy(&result.output).into_owned()
    }

    /// What a shell has to do to leave a profile as an instrumented program would.
    const PROFILE: &str = "echo x > \"$(dirname \"$LLVM_PROFILE_FILE\")/1_0.profraw\";";

    #[test]
    fn a_binary_that_passes() {
        let script = format!(
            "{PROFILE} echo \"$RUST_TEST_THREADS $(basename \"$LLVM_PROFILE_FILE\") ${{HOME-none}}\"; pwd; \
             echo 'running 1 test'; echo 'test a ... ok' >&2; \
             echo 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s'"
        );
        let continuous = RunOptions { continuous: true, ..RunOptions::default() };
        let (run, events) = run("passes", &[&script], &continuous);
        let [result] = run.results.as_slice() else { panic!("one result") };
        let temporary = env::temp_dir().canonicalize().expect("exists");
        let expected = format!("1 %m%c.profraw none\n{}\n", temporary.display());
        assert!(output(result).starts_with(&expected), "{}", output(result));
        assert_eq!(result.harness.counts, Some(TestCounts { passed: 1, ..TestCounts::default() }));
        assert!(result.harness.tests.contains_key("a"));
        assert_eq!(result.profiles.len(), 1);
        assert!(run.passed() && !result.profile_missing && !result.leaked);
        assert_eq!(events, ["app::t0 starts, 0", "app::t0 passed"]);
    }

    #[test]
    fn a_binary_without_a_profile_is_said_to_be_one() {
        let (run, _) = run("missing", &["basename \"$LLVM_PROFILE_FILE\""], &RunOptions::default());
        assert!(run.passed() && run.results[0].profile_missing);
        assert_eq!(output(&run.results[0]), "%p-%m.profraw\n");
    }

    #[test]
    fn after_a_failure_nothing_starts() {
        let scripts = [PROFILE, "kill -s ABRT $$", PROFILE];
        let (run, events) = run("fails", &scripts, &RunOptions::default());
        let outcomes: Vec<String> = run.results.iter().map(|result| result.outcome.to_string()).collect();
        assert_eq!(outcomes[0], "passed");
        assert!(outcomes[1].starts_with("failed with signal: 6"), "{outcomes:?}");
        assert_eq!(run.results[2].outcome, Outcome::NotRun);
        assert!(run.results[1].profile_missing && !run.results[2].profile_missing);
        assert!(!run.passed());
        assert_eq!(events.len(), 4, "{events:?}");
    }

    #[test]
    fn unless_the_user_wants_to_go_on() {
        let scripts = ["exit 3", "", PROFILE];
        let (run, _) = run("goes on", &scripts, &RunOptions { no_fail_fast: true, ..RunOptions::default() });
        assert_eq!(run.results[0].outcome.to_string(), "failed with exit status: 3");
        assert!(matches!(run.results[1].outcome, Outcome::NotStarted(_)), "{:?}", run.results[1].outcome);
        assert!(!run.results[1].profile_missing, "it could not leave one");
        assert_eq!(run.results[2].outcome, Outcome::Passed);
    }
}
