//! Running the tests with a person watching: what starts, what ends, what failed and how to run just that again.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::again;
use super::config::{Config, Doctests};
use super::durations::Durations;
use super::reuse::Reuse;
use crate::cargo::build::{self, Build, Builder, Stderr, TestBinary, TestKind};
use crate::cargo::workspace::Workspace;
use crate::cargo::wrapper::is_continuous;
use crate::interrupt::Interrupt;
use crate::load::is_instrumented;
use crate::runner::harness::{TestCounts, TestOutcome};
use crate::runner::{self, BinaryResult, CutShort, Event, Job, Outcome, Queue, RunOptions, TestRun};
use crate::ui::Ui;
use crate::ui::settings::Verbosity;

/// How often the clock in the progress line goes on.
const TICK: Duration = Duration::from_millis(100);

/// Builds the tests, runs each as soon as it can be run, and says how it went.
///
/// # Errors
/// The build fails; the places for profiles cannot be made. Failing tests are part of the result.
pub(super) fn build_and_test(
    workspace: &Workspace,
    mut builder: Builder<'_>,
    config: &Config,
    interrupt: &Interrupt,
    ui: &Ui,
) -> Result<(TestRun, Build)> {
    builder.stop_at(interrupt);
    let layout = workspace.layout();
    let options = run_options(&builder, config, interrupt);
    let durations = Durations::read(&layout.durations());
    let reuse = config.tests.reuse.then(|| Reuse::new(workspace, config, &options)).transpose()?;
    let job = |binary: &TestBinary| Job {
        binary: binary.clone(),
        // Rustdoc itself is none of ours; what it compiles is looked at when it is run.
        instrumented: binary.kind == TestKind::Program && is_instrumented(&binary.executable),
        exclusive: config.tests.exclusive.contains(&binary.package),
        expected: durations.of(&binary.binary_id),
        earlier: reuse.as_ref().and_then(|reuse| reuse.find(binary)),
    };
    let is_over = AtomicBool::new(false);
    // Cargo has a progress line of its own while it builds.
    ui.beside_another_program(true);
    let progress = ui.progress("Testing");
    let view = Mutex::new(View::default());
    let (mut run, build) = std::thread::scope(|scope| {
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
        let on_event = |event: Event<'_>| {
            let mut view = view.lock().unwrap_or_else(PoisonError::into_inner);
            view.show(event, &options, ui);
            let names: Vec<&String> = view.running.iter().collect();
            progress.set(view.done, view.done + view.left, &names);
        };
        runner::run_tests(&layout, &options, &on_event, |queue| {
            let built = feed(queue, workspace, builder, &options, &job, config, ui);
            ui.beside_another_program(false);
            built
        })
    })?;
    if let Some(reuse) = &reuse {
        // A cache is no reason to lose what was measured.
        if let Err(error) = reuse.keep(&run.results) {
            ui.note(format_args!("{error:#}"));
        }
    }
    // In cargo's order, whatever was ready first.
    let order: Vec<&str> = binaries(&build).map(|binary| binary.binary_id.as_str()).collect();
    run.results.sort_by_key(|result| order.iter().position(|id| *id == result.binary_id));
    // A part of the tests tells nothing of all of them. And all parts shall go by the same times: the merge writes them.
    let is_whole = config.tests.partition.is_none();
    if is_whole && config.tests.filter.is_none() && config.tests.arguments.is_empty() {
        durations.updated(&run).write(&layout.durations());
    }
    Ok((run, build))
}

/// All that ran, in cargo's order: the programs, then the doctests.
pub(super) fn binaries(build: &Build) -> impl Iterator<Item = &TestBinary> {
    build.test_binaries.iter().chain(&build.doctests)
}

/// What ran, each with how it went, in the same order. Binaries of other parts are left out.
pub(super) fn with_results<'a>(
    build: &'a Build,
    run: &'a TestRun,
) -> impl Iterator<Item = (&'a TestBinary, &'a BinaryResult)> {
    let mut results = run.results.iter().peekable();
    binaries(build)
        .filter_map(move |binary| Some((binary, results.next_if(|it| it.binary_id == binary.binary_id)?)))
}

fn run_options(builder: &Builder<'_>, config: &Config, interrupt: &Interrupt) -> RunOptions {
    let tests = &config.tests;
    let mut harness_args = tests.arguments.clone();
    if let Some(threads) = tests.threads {
        harness_args.insert(0, OsString::from(format!("--test-threads={threads}")));
    }
    RunOptions {
        filter: tests.filter.clone().map(OsString::from),
        harness_args,
        no_capture: !tests.capture,
        no_fail_fast: !tests.fail_fast,
        continuous: tests.continuous && is_continuous(builder.target_triple()),
        timeout: tests.timeout,
        interrupt: interrupt.clone(),
        ..RunOptions::default()
    }
}

/// Has cargo build, and queues what it builds.
fn feed(
    queue: &Queue<'_>,
    workspace: &Workspace,
    mut builder: Builder<'_>,
    options: &RunOptions,
    job: &dyn Fn(&TestBinary) -> Job,
    config: &Config,
    ui: &Ui,
) -> Result<Build> {
    let layout = workspace.layout();
    let (mut n_binaries, mut n_ours, mut waiting) = (0_usize, 0_usize, Vec::new());
    let mut on_event = |event: build::Event<'_>| match event {
        build::Event::TestBinary(binary) => {
            // From here on the profiles of the last run are gone, and its record would describe a mixture.
            super::measure::remove_if_there(&layout.run_json())?;
            n_binaries += 1;
            match config.tests.partition.map_or(Some(true), |part| part.takes(&binary.binary_id)) {
                Some(true) => {
                    n_ours += 1;
                    queue.add(job(binary))
                }
                Some(false) => Ok(()),
                // All of them have to be known first.
                None => {
                    waiting.push(job(binary));
                    Ok(())
                }
            }
        }
        build::Event::Line(line) => {
            ui.relay(line.as_bytes());
            Ok(())
        }
    };
    if config.tests.doctests != Doctests::Only {
        builder.programs(&mut on_event)?;
    }
    let wants_doctests = match config.tests.doctests {
        Doctests::Usual => !config.targets.any() && builder.has_doctests(),
        Doctests::Only => true,
        Doctests::Without => false,
    };
    if wants_doctests {
        let mut arguments: Vec<OsString> = options.filter.iter().cloned().collect();
        let harness_args = RunOptions { filter: None, ..options.clone() }.test_arguments();
        if !harness_args.is_empty() {
            arguments.push("--".into());
            arguments.extend(harness_args);
        }
        // After the programs, cargo has nothing to say but that everything is there already.
        let is_told = config.tests.doctests == Doctests::Only && ui.settings().verbosity > Verbosity::Quiet;
        let stderr = if is_told { Stderr::Shown } else { Stderr::OnFailure };
        builder.doctests(&arguments, stderr, &mut on_event)?;
    }
    let build = builder.finish()?;
    if let Some(part) = config.tests.partition {
        let timed = |job: &Job| (job.binary.binary_id.clone(), job.expected);
        let selected = part.select(&waiting.iter().map(timed).collect::<Vec<_>>());
        for (job, _) in waiting.into_iter().zip(selected).filter(|(_, is_ours)| *is_ours) {
            n_ours += 1;
            queue.add(job)?;
        }
        let plural = if n_binaries == 1 { "binary" } else { "binaries" };
        ui.status("Partition", format_args!("{part}: {n_ours} of {n_binaries} test {plural}"));
    }
    Ok(build)
}

/// What the progress line says.
#[derive(Default)]
struct View {
    running: BTreeSet<String>,
    done: usize,
    left: usize,
}

impl View {
    /// Takes in an event, and says what is worth a line.
    fn show(&mut self, event: Event<'_>, options: &RunOptions, ui: &Ui) {
        match event {
            Event::Started { binary, progress } => {
                self.running.insert(binary.binary_id.clone());
                self.left = progress.waiting + progress.running;
                if options.no_capture {
                    ui.status("Running", &binary.binary_id);
                } else {
                    ui.detail(
                        "Running",
                        format_args!("{} ({})", binary.binary_id, super::shown(&binary.executable)),
                    );
                }
            }
            Event::StillRunning { binary, elapsed } => {
                let minutes = elapsed.as_secs() / 60;
                let plural = if minutes == 1 { "" } else { "s" };
                ui.status("Waiting", format_args!("{} runs for {minutes} minute{plural}", binary.binary_id));
            }
            Event::Finished { binary, result, progress } => {
                self.running.remove(&binary.binary_id);
                self.done += 1;
                self.left = progress.waiting + progress.running;
                say_result(result, ui);
            }
        }
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn say_result(result: &BinaryResult, ui: &Ui) {
    let counts = result.harness.counts.map_or(String::new(), |counts| format!(": {}", describe(counts)));
    let took = match result.reused {
        true => "(reused)".to_owned(),
        false => format!("in {:.2} s", result.duration.as_secs_f64()),
    };
    let id = &result.binary_id;
    match &result.outcome {
        Outcome::Passed => ui.status("Passed", format_args!("{id}{counts} {took}")),
        Outcome::Failed(status) => {
            ui.relay(&result.output);
            ui.status("Failed", format_args!("{id}{counts} {took} ({status})"));
        }
        Outcome::CutShort(_) => {
            ui.relay(&result.output);
            ui.status("Ended", format_args!("{id} {}{counts}", result.outcome));
        }
        Outcome::NotStarted(_) => ui.status("Failed", format_args!("{id} {}", result.outcome)),
        Outcome::NotRun | Outcome::Unknown => {}
    }
    for leftover in &result.leftovers {
        ui.warning(
            "leaked-process",
            format!("`{id}` ended but left {leftover} behind, which holds its output"),
        );
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
pub(super) fn say_summary(run: &TestRun, build: &Build, config: &Config, ui: &Ui) {
    let mut total = TestCounts::default();
    for counts in run.results.iter().filter_map(|result| result.harness.counts) {
        total = total.plus(counts);
    }
    let ran = run.results.iter().filter(|result| result.outcome != Outcome::NotRun).count();
    let plural = if ran == 1 { "binary" } else { "binaries" };
    let took = run.duration.as_secs_f64();
    let reused = run.results.iter().filter(|result| result.reused).count();
    let reused = if reused > 0 { format!(", {reused} of them reused") } else { String::new() };
    ui.status("Tested", format_args!("{ran} {plural}{reused}: {} in {took:.2} s", describe(total)));
    if let Some(number) = config.tests.slowest {
        say_slowest(run, usize::try_from(number.get()).unwrap_or(usize::MAX), ui);
    }
    for (binary, result) in with_results(build, run) {
        // What the user wanted to stop needs no explanation.
        if result.failed() && result.outcome != Outcome::CutShort(CutShort::Interrupted) {
            say_failure(binary, result, config, ui);
        }
    }
    let not_run = run.results.len() - ran;
    let is_interrupted = |it: &BinaryResult| it.outcome == Outcome::CutShort(CutShort::Interrupted);
    if not_run > 0 && !run.results.iter().any(is_interrupted) {
        let were = if not_run == 1 { "binary was" } else { "binaries were" };
        ui.note(format_args!("{not_run} test {were} not run; `--no-fail-fast` runs them all"));
    }
}

/// Lists the tests that took longest. Where a harness does not tell of single tests, the binary stands for all of them.
fn say_slowest(run: &TestRun, number: usize, ui: &Ui) {
    let mut slowest: Vec<(Duration, String)> = Vec::new();
    for result in run.results.iter().filter(|result| result.outcome != Outcome::NotRun) {
        let id = &result.binary_id;
        match result.durations.is_empty() {
            true => slowest.push((result.duration, id.clone())),
            false => {
                slowest.extend(result.durations.iter().map(|(name, took)| (*took, format!("{id} {name}"))))
            }
        }
    }
    slowest.sort_by(|(a, a_name), (b, b_name)| b.cmp(a).then_with(|| a_name.cmp(b_name)));
    for (took, name) in slowest.into_iter().take(number) {
        ui.status("Slow", format_args!("{:8.3} s {name}", took.as_secs_f64()));
    }
}

fn say_failure(binary: &TestBinary, result: &BinaryResult, config: &Config, ui: &Ui) {
    let id = &binary.binary_id;
    let mut failed = result
        .harness
        .tests
        .iter()
        .filter(|(_, outcome)| **outcome == TestOutcome::Failed)
        .map(|(name, _)| name.as_str())
        .peekable();
    if failed.peek().is_none() {
        ui.failure(format_args!("{id} {}; again: {}", result.outcome, again::command(config, binary, None)));
    }
    for name in failed {
        ui.failure(format_args!("{id} {name}; again: {}", again::command(config, binary, Some(name))));
    }
}
