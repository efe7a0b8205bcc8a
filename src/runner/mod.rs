//! Runs test binaries as cargo would run them, several at a time, and says how each went. Neither builds nor reports.
//!
//! Stdin: under `no_capture` a test binary is in every respect started as cargo starts it, one after the other. Else
//! several run at once, each leading a process group of its own; they inherit stdin as under cargo, but get an empty one
//! if it is a terminal, because a background process that reads from the terminal is stopped for ever.

mod budget;
mod guard;
pub mod harness;
mod process;
mod profiles;

use crate::cargo::build::TestBinary;
use crate::layout::Layout;
use crate::runner::budget::Budget;
use crate::runner::guard::Guard;
use crate::runner::harness::Harness;
use crate::runner::process::Ended;
use anyhow::Result;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A test binary to run.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The program and how it is started.
    pub binary: &'a TestBinary,
    /// Whether it has an instrumented function in it. If not, it leaves no profile, and must not be asked for a continuous
    /// one: the profile runtime would complain on its stderr.
    pub instrumented: bool,
    /// Whether nothing else may run at the same time.
    pub exclusive: bool,
    /// How long it took last time. The longest start first, the unknown before them.
    pub expected: Option<Duration>,
}

impl<'a> Job<'a> {
    /// An instrumented binary about which nothing else is known.
    pub fn new(binary: &'a TestBinary) -> Job<'a> {
        Job { binary, instrumented: true, exclusive: false, expected: None }
    }
}

/// How to run test binaries.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The number of test threads to aim at over all binaries. `--test-threads` among the harness's arguments
    /// and `RUST_TEST_THREADS` in the tests' environment go before it: who sets one of them to 1 wants one test at a time.
    pub threads: usize,
    /// Only tests whose name contains this.
    pub filter: Option<OsString>,
    /// What the user wrote behind `--`.
    pub harness_args: Vec<OsString>,
    /// Let the binaries write to our own stdout and stderr, one binary after the other. `--nocapture` or
    /// `--no-capture` among the harness's arguments has the same effect.
    pub no_capture: bool,
    /// Go on after a binary has failed.
    pub no_fail_fast: bool,
    /// Whether profiles are kept up to date at all times (see [`crate::cargo::wrapper::is_continuous`]).
    pub continuous: bool,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            threads: num_cpus::get(),
            filter: None,
            harness_args: Vec::new(),
            no_capture: false,
            no_fail_fast: false,
            continuous: false,
        }
    }
}

/// Something that happens while tests run. Events come one at a time, from any thread.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A test binary starts.
    Started {
        /// Which.
        binary: &'a TestBinary,
        /// How many wait, and how many run, this one included.
        progress: Progress,
    },
    /// A test binary has ended, or could not be started.
    Finished {
        /// Which.
        binary: &'a TestBinary,
        /// How it went.
        result: &'a BinaryResult,
        /// How many wait and how many run now.
        progress: Progress,
    },
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Binaries that have not been started; 0 when none will be.
    pub waiting: usize,
    /// Binaries that run.
    pub running: usize,
}

/// How a test binary ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With success.
    Passed,
    /// With another exit code, or by a signal.
    Failed(ExitStatus),
    /// It could not be started; the reason.
    NotStarted(String),
    /// It was not run, because another one had failed.
    NotRun,
}

/// What is known of a test binary after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryResult {
    /// Which.
    pub binary_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// From start to end.
    pub duration: Duration,
    /// Its stdout and stderr together, as written; empty if they were not captured.
    pub output: Vec<u8>,
    /// What the output says about the tests.
    pub harness: Harness,
    /// The profiles that it and the programs that it started left, sorted.
    pub profiles: Vec<PathBuf>,
    /// Whether it should have left a profile and left none.
    pub profile_missing: bool,
    /// Whether it left a process behind that still held its output.
    pub leaked: bool,
}

impl BinaryResult {
    /// Whether it ran and did not succeed, or could not be started.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::NotStarted(_))
    }
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestRun {
    /// One result for each job, in the order in which the jobs were given.
    pub results: Vec<BinaryResult>,
    /// From the start of the first to the end of the last.
    pub duration: Duration,
}

impl TestRun {
    /// Whether every binary ran and succeeded.
    pub fn passed(&self) -> bool {
        self.results.iter().all(|result| result.outcome == Outcome::Passed)
    }
}

/// Runs `jobs` and waits for all of them. What earlier runs left in [`Layout::raw`] is removed first.
///
/// # Errors
/// When the directories for profiles cannot be made. That a test fails or does not start is no error.
pub fn run_tests(
    jobs: &[Job<'_>],
    layout: &Layout,
    options: &RunOptions,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<TestRun> {
    profiles::empty(&layout.raw())?;
    let directories = profile_directories(jobs, layout);
    for directory in &directories {
        profiles::empty(directory)?;
    }
    let run = Run {
        jobs,
        options,
        directories,
        strays: jobs
            .iter()
            .map(|job| (&job.binary.current_dir, profiles::strays(&job.binary.current_dir)))
            .collect(),
        inherited: options.no_capture || options.harness_args.iter().any(is_no_capture),
        budget: Arc::new(Budget::new(thread_budget(jobs, options), &order(jobs))),
        guard: None,
        events: Mutex::new(on_event),
    };
    run.finish()
}

/// A run under way.
struct Run<'a> {
    jobs: &'a [Job<'a>],
    options: &'a RunOptions,
    /// Where the profiles of each job go.
    directories: Vec<PathBuf>,
    /// What lay in the working directories before the run and is none of ours.
    strays: BTreeMap<&'a PathBuf, BTreeSet<PathBuf>>,
    /// Whether the binaries write to our own streams.
    inherited: bool,
    budget: Arc<Budget>,
    guard: Option<Guard>,
    events: Mutex<&'a (dyn Fn(Event<'_>) + Sync)>,
}

impl Run<'_> {
    fn finish(mut self) -> Result<TestRun> {
        let start = Instant::now();
        let workers = if self.inherited { 1 } else { self.budget.threads().min(self.jobs.len()) };
        if !self.inherited && !self.jobs.is_empty() {
            self.guard = Guard::start();
        }
        let results: Mutex<BTreeMap<usize, BinaryResult>> = Mutex::default();
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(index) = self.budget.next() {
                        let result = self.run(index);
                        results.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let results = (0..self.jobs.len())
            .map(|index| results.remove(&index).unwrap_or_else(|| not_run(&self.jobs[index])))
            .collect();
        Ok(TestRun { results, duration: start.elapsed() })
    }

    fn run(&self, index: usize) -> BinaryResult {
        let job = &self.jobs[index];
        self.emit(&|progress| Event::Started { binary: job.binary, progress });
        let command = self.command(index);
        let ended = if self.inherited {
            process::run_inherited(command)
        } else {
            let budget = Arc::clone(&self.budget);
            let mut announced = false;
            process::run_captured(command, self.guard.as_ref(), move |line| {
                if announced {
                    if harness::ends_a_test(line) {
                        budget.test_ended(index);
                    }
                } else if let Some(tests) = harness::announced(line) {
                    announced = true;
                    budget.announce(index, tests);
                }
            })
        };
        let result = self.result(index, ended);
        if result.failed() && !self.options.no_fail_fast {
            self.budget.stop();
        }
        self.budget.finish(index);
        self.emit(&|progress| Event::Finished { binary: job.binary, result: &result, progress });
        result
    }

    fn command(&self, index: usize) -> Command {
        let job = &self.jobs[index];
        let mut command = Command::new(&job.binary.executable);
        command.current_dir(&job.binary.current_dir).env_clear().envs(&job.binary.variables);
        let continuous = self.options.continuous && job.instrumented;
        command.env("LLVM_PROFILE_FILE", profiles::pattern(&self.directories[index], continuous));
        if !job.binary.variables.contains_key(OsStr::new(THREADS_VARIABLE)) {
            command.env(THREADS_VARIABLE, self.budget.threads().to_string());
        }
        command.args(&self.options.filter).args(&self.options.harness_args);
        if self.options.no_capture && !self.options.harness_args.iter().any(is_no_capture) {
            // The older of the two spellings, which every libtest knows.
            command.arg("--nocapture");
        }
        command
    }

    fn result(&self, index: usize, ended: Ended) -> BinaryResult {
        let job = &self.jobs[index];
        let directory = &self.directories[index];
        if let Some(known) = self.strays.get(&job.binary.current_dir) {
            profiles::collect_strays(&job.binary.current_dir, known, directory);
        }
        let profiles = profiles::find(directory);
        let outcome = match ended.status {
            Ok(status) if status.success() => Outcome::Passed,
            Ok(status) => Outcome::Failed(status),
            Err(error) => Outcome::NotStarted(error.to_string()),
        };
        let started = !matches!(outcome, Outcome::NotStarted(_));
        BinaryResult {
            binary_id: job.binary.binary_id.clone(),
            profile_missing: started && job.instrumented && profiles.is_empty(),
            harness: Harness::parse(&String::from_utf8_lossy(&ended.output)),
            outcome,
            duration: ended.duration,
            output: ended.output,
            profiles,
            leaked: ended.leaked,
        }
    }

    /// Tells of an event; the lock keeps events apart, so that what is printed for one of them stays together.
    fn emit<'e>(&self, event: &dyn Fn(Progress) -> Event<'e>) {
        let on_event = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let (waiting, running) = self.budget.progress();
        on_event(event(Progress { waiting, running }));
    }
}

/// The variable that libtest takes its number of threads from.
const THREADS_VARIABLE: &str = "RUST_TEST_THREADS";

/// The number of test threads to aim at: the user's, else that of the options.
fn thread_budget(jobs: &[Job<'_>], options: &RunOptions) -> usize {
    let mut arguments = options.harness_args.iter().filter_map(|argument| argument.to_str());
    let mut from_arguments = None;
    while let Some(argument) = arguments.next() {
        if argument == "--test-threads" {
            from_arguments = arguments.next();
        } else if let Some(value) = argument.strip_prefix("--test-threads=") {
            from_arguments = Some(value);
        }
    }
    let variable = || jobs.first()?.binary.variables.get(OsStr::new(THREADS_VARIABLE))?.to_str();
    let chosen = from_arguments.or_else(variable).and_then(|value| value.parse().ok());
    chosen.filter(|threads| *threads > 0).unwrap_or(options.threads)
}

/// The jobs in the order in which they start: the unknown first, then the longest. Equal ones keep their order.
fn order(jobs: &[Job<'_>]) -> Vec<(usize, bool)> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|index| Reverse(jobs[*index].expected.unwrap_or(Duration::MAX)));
    order.into_iter().map(|index| (index, jobs[index].exclusive)).collect()
}

/// A directory for each job. Should two binaries have the same id, the later ones get a number.
fn profile_directories(jobs: &[Job<'_>], layout: &Layout) -> Vec<PathBuf> {
    let mut used = BTreeSet::new();
    jobs.iter()
        .map(|job| {
            let first = layout.raw_of(&job.binary.binary_id);
            let numbered = (2..).map(|number| PathBuf::from(format!("{}.{number}", first.display())));
            let mut candidates = std::iter::once(first.clone()).chain(numbered);
            candidates.find(|candidate| used.insert(candidate.clone())).unwrap_or(first)
        })
        .collect()
}

fn is_no_capture(argument: &OsString) -> bool {
    argument == "--nocapture" || argument == "--no-capture"
}

fn not_run(job: &Job<'_>) -> BinaryResult {
    BinaryResult {
        binary_id: job.binary.binary_id.clone(),
        outcome: Outcome::NotRun,
        duration: Duration::ZERO,
        output: Vec::new(),
        harness: Harness::default(),
        profiles: Vec::new(),
        profile_missing: false,
        leaked: false,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed => f.write_str("passed"),
            // "exit status: 101", "signal: 6 (SIGABRT)"
            Outcome::Failed(status) => write!(f, "failed with {status}"),
            Outcome::NotStarted(reason) => write!(f, "could not be started: {reason}"),
            Outcome::NotRun => f.write_str("was not run"),
        }
    }
}

#[cfg(test)]
mod tests;
