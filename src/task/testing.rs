//! Running the tests with a person watching: what starts, what ends, what failed and how to run just that again.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::config::Config;
use crate::cargo::build::{Build, TestBinary};
use crate::cargo::workspace::CargoTargetKind;
use crate::layout::Layout;
use crate::load::is_instrumented;
use crate::runner::harness::{TestCounts, TestOutcome};
use crate::runner::{self, BinaryResult, Event, Job, Outcome, RunOptions, TestRun};
use crate::ui::Ui;

/// How often the clock in the progress line goes on.
const TICK: Duration = Duration::from_millis(100);

/// Runs the test binaries of a build and says how each went.
///
/// # Errors
/// The places for profiles cannot be made. Failing tests are part of the result.
pub(super) fn run_tests(
    build: &Build,
    layout: &Layout,
    config: &Config,
    continuous: bool,
    ui: &Ui,
) -> Result<TestRun> {
    let tests = &config.tests;
    let mut harness_args = tests.arguments.clone();
    if let Some(threads) = tests.threads {
        harness_args.insert(0, OsString::from(format!("--test-threads={threads}")));
    }
    let options = RunOptions {
        threads: super::threads(config).get(),
        filter: tests.filter.clone().map(OsString::from),
        harness_args,
        no_capture: !tests.capture,
        no_fail_fast: !tests.fail_fast,
        continuous,
    };
    let jobs: Vec<Job<'_>> = build
        .test_binaries
        .iter()
        .map(|binary| Job { instrumented: is_instrumented(&binary.executable), ..Job::new(binary) })
        .collect();

    let progress = ui.progress("Testing");
    let running: Mutex<BTreeSet<String>> = Mutex::default();
    let total = jobs.len();
    let on_event = |event: Event<'_>| {
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        let (waiting, at_once) = match event {
            Event::Started { binary, progress } => {
                running.insert(binary.binary_id.clone());
                if options.no_capture {
                    ui.status("Running", &binary.binary_id);
                } else {
                    ui.detail(
                        "Running",
                        format_args!("{} ({})", binary.binary_id, super::shown(&binary.executable)),
                    );
                }
                (progress.waiting, progress.running)
            }
            Event::Finished { binary, result, progress } => {
                running.remove(&binary.binary_id);
                say_result(result, ui);
                (progress.waiting, progress.running)
            }
        };
        let names: Vec<&String> = running.iter().collect();
        progress.set(total.saturating_sub(waiting + at_once), total, &names);
    };
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if ui.settings().progress {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    progress.tick();
                    std::thread::sleep(TICK);
                }
            });
        }
        // However the run ends, the clock has to stop, or this scope would wait for it for ever.
        let _stop = SetOnDrop(&is_over);
        runner::run_tests(&jobs, layout, &options, &on_event)
    })
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn say_result(result: &BinaryResult, ui: &Ui) {
    let counts = result.harness.counts.map_or(String::new(), |counts| format!(": {}", describe(counts)));
    let took = format!("in {:.2} s", result.duration.as_secs_f64());
    let id = &result.binary_id;
    match &result.outcome {
        Outcome::Passed => ui.status("Passed", format_args!("{id}{counts} {took}")),
        Outcome::Failed(status) => {
            ui.relay(&result.output);
            ui.status("Failed", format_args!("{id}{counts} {took} ({status})"));
        }
        Outcome::NotStarted(reason) => {
            ui.status("Failed", format_args!("{id} could not be started: {reason}"))
        }
        Outcome::NotRun => {}
    }
    if result.leaked {
        let message = format!("`{id}` ended but left a process behind that still holds its output");
        ui.warning("leaked-process", message);
    }
}

fn describe(counts: TestCounts) -> String {
    let TestCounts { passed, failed, ignored, measured, filtered_out } = counts;
    let kinds =
        [(failed, "failed"), (ignored, "ignored"), (measured, "measured"), (filtered_out, "filtered out")];
    let mut text = format!("{passed} passed");
    for (count, kind) in kinds.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {kind}"));
    }
    text
}

/// Sums up a run: the numbers of all binaries, what failed, and the commands that run just that again.
pub(super) fn say_summary(run: &TestRun, build: &Build, ui: &Ui) {
    let mut total = TestCounts::default();
    for counts in run.results.iter().filter_map(|result| result.harness.counts) {
        total.passed += counts.passed;
        total.failed += counts.failed;
        total.ignored += counts.ignored;
        total.measured += counts.measured;
        total.filtered_out += counts.filtered_out;
    }
    let ran = run.results.iter().filter(|result| result.outcome != Outcome::NotRun).count();
    let binaries = if ran == 1 { "binary" } else { "binaries" };
    let took = run.duration.as_secs_f64();
    ui.status("Tested", format_args!("{ran} {binaries}: {} in {took:.2} s", describe(total)));
    for (binary, result) in build.test_binaries.iter().zip(&run.results) {
        if result.failed() {
            say_failure(binary, result, ui);
        }
    }
    let not_run = run.results.len() - ran;
    if not_run > 0 {
        let were = if not_run == 1 { "binary was" } else { "binaries were" };
        ui.note(format_args!("{not_run} test {were} not run; `--no-fail-fast` runs them all"));
    }
}

fn say_failure(binary: &TestBinary, result: &BinaryResult, ui: &Ui) {
    let failed: Vec<&str> = result
        .harness
        .tests
        .iter()
        .filter(|(_, outcome)| **outcome == TestOutcome::Failed)
        .map(|(name, _)| name.as_str())
        .collect();
    let command = format!("cargo xtask coverage -p {} {}", binary.package, target_flag(binary));
    let mut lines = Vec::new();
    if failed.is_empty() {
        lines.push(format!("{}; again: {command}", binary.binary_id));
    }
    for name in failed {
        lines.push(format!("{} {name}; again: {command} -- --exact {name}", binary.binary_id));
    }
    for line in lines {
        ui.failure(line);
    }
}

/// The flag that selects just this target.
fn target_flag(binary: &TestBinary) -> String {
    let name = &binary.cargo_target.name;
    match binary.cargo_target.kind {
        CargoTargetKind::Lib | CargoTargetKind::ProcMacro => "--lib".to_owned(),
        CargoTargetKind::Bin | CargoTargetKind::BuildScript => format!("--bin {name}"),
        CargoTargetKind::Test => format!("--test {name}"),
        CargoTargetKind::Bench => format!("--bench {name}"),
        CargoTargetKind::Example => format!("--example {name}"),
    }
}
