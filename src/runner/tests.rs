//! Runs of small shell programs that stand for test binaries.

use super::{Job, Jobs, RunOptions, thread_budget};
use crate::cargo::build::{TestBinary, TestKind};
use crate::cargo::workspace::{CargoTarget, CargoTargetKind};
use std::path::{Path, PathBuf};

/// A binary that is the shell, for running a script given as the harness's arguments.
fn binary(binary_id: &str, variables: &[(&str, &str)]) -> TestBinary {
    TestBinary {
        binary_id: binary_id.to_owned(),
        kind: TestKind::Program,
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
        runner: Vec::new(),
        arguments: Vec::new(),
        current_dir: std::env::temp_dir(),
        variables: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
    }
}

fn job(binary: TestBinary) -> Job {
    Job { binary, instrumented: true, exclusive: false, expected: None, earlier: None }
}

#[test]
fn whose_number_of_threads_counts() {
    let check = |arguments: &[&str], variables: &[(&str, &str)], expected: usize| {
        let options = RunOptions {
            threads: 8,
            harness_args: arguments.iter().map(|argument| (*argument).into()).collect(),
            ..RunOptions::default()
        };
        let job = job(binary("app", variables));
        assert_eq!(thread_budget(&[job], &options), expected, "{arguments:?} {variables:?}");
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
fn each_job_has_a_directory_even_under_one_name() {
    let mut jobs = Jobs::default();
    let raw = Path::new("/t/coverage/raw");
    let found = ["app.it", "app.it", "app", "app.it"].map(|name| jobs.directory_for(&raw.join(name)));
    assert_eq!(found, ["app.it", "app.it.2", "app", "app.it.3"].map(|name| raw.join(name)));
}

#[cfg(unix)]
mod unix {
    use super::{binary, job};
    use crate::interrupt::Interrupt;
    use crate::layout::Layout;
    use crate::runner::harness::TestCounts;
    use crate::runner::{BinaryResult, CutShort, Event, Outcome, RunOptions, TestRun, run_tests};
    use anyhow::bail;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Mutex;
    use std::time::Duration;
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
        let options = RunOptions {
            threads: 1,
            filter: Some("-c".into()),
            harness_args: vec!["eval \"$SCRIPT\"".into()],
            ..options.clone()
        };
        let events = Mutex::new(Vec::new());
        let on_event = |event: Event<'_>| {
            let line = match event {
                Event::Started { binary, progress } => {
                    format!("{} starts, {}", binary.binary_id, progress.waiting)
                }
                Event::StillRunning { .. } => return,
                Event::Finished { result, .. } => format!("{} {}", result.binary_id, result.outcome),
            };
            events.lock().expect("no panic").push(line);
        };
        let run = run_tests(&layout, &options, &on_event, |queue| {
            binaries.into_iter().try_for_each(|binary| queue.add(job(binary)))
        });
        assert!(!stale.exists(), "what an earlier run left is gone");
        fs::remove_dir_all(&directory).expect("can be removed");
        (run.expect("directories can be made").0, events.into_inner().expect("no panic"))
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
        assert!(run.passed() && !result.profile_missing && result.leftovers.is_empty());
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

    #[test]
    fn a_timeout_is_a_failure_that_keeps_its_counts() {
        let options = RunOptions { timeout: Some(Duration::from_millis(200)), ..RunOptions::default() };
        let (run, _) = run("times out", &[&format!("{PROFILE} sleep 60"), PROFILE], &options);
        assert_eq!(run.results[0].outcome, Outcome::CutShort(CutShort::TimedOut(Duration::from_millis(200))));
        assert_eq!(run.results[0].outcome.to_string(), "did not end within 0.2 s");
        assert_eq!(run.results[0].profiles.len(), 1);
        assert_eq!(run.results[1].outcome, Outcome::NotRun);
    }

    #[test]
    fn an_interrupt_ends_what_runs_and_starts_no_more() {
        let interrupt = Interrupt::default();
        interrupt.set();
        let options = RunOptions { interrupt, no_fail_fast: true, ..RunOptions::default() };
        let (run, _) = run("interrupted", &[&format!("{PROFILE} sleep 60"), PROFILE], &options);
        assert_eq!(run.results[0].outcome, Outcome::CutShort(CutShort::Interrupted));
        assert_eq!(run.results[1].outcome, Outcome::NotRun);
    }

    #[test]
    fn a_panic_while_jobs_are_added_ends_the_run() {
        let directory = env::temp_dir().join(format!("xtask-coverage-panics-{}", process::id()));
        let layout = Layout::new(&directory);
        let run = std::panic::catch_unwind(|| {
            run_tests(&layout, &RunOptions::default(), &|_| {}, |_| -> anyhow::Result<()> {
                panic!("a defect")
            })
        });
        let panic = run.expect_err("it is not hidden");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a defect"));
    }

    #[test]
    fn when_the_build_fails_what_runs_is_ended() {
        let directory = env::temp_dir().join(format!("xtask-coverage-abandoned-{}", process::id()));
        let layout = Layout::new(&directory);
        let mut sleeper = binary("app", &[]);
        sleeper.current_dir = env::temp_dir();
        let options = RunOptions {
            filter: Some("-c".into()),
            harness_args: vec!["sleep 60".into()],
            ..RunOptions::default()
        };
        let (started, is_started) = std::sync::mpsc::channel();
        let ended = Mutex::new(None);
        let on_event = |event: Event<'_>| match event {
            Event::Started { .. } => started.send(()).expect("somebody waits"),
            Event::Finished { result, .. } => *ended.lock().expect("no panic") = Some(result.outcome.clone()),
            Event::StillRunning { .. } => {}
        };
        let run = run_tests(&layout, &options, &on_event, |queue| -> anyhow::Result<()> {
            queue.add(job(sleeper))?;
            is_started.recv()?;
            bail!("the build failed")
        });
        fs::remove_dir_all(&directory).expect("can be removed");
        assert_eq!(run.expect_err("nothing was built").to_string(), "the build failed");
        let ended = ended.into_inner().expect("no panic");
        assert_eq!(ended, Some(Outcome::CutShort(CutShort::Interrupted)));
    }
}
