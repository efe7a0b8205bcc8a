//! Runs test binaries as cargo would run them, several at a time, and says how each went. Neither builds nor reports.
//!
//! Stdin: under `no_capture` a test binary is in every respect started as cargo starts it, one after the other. Else
//! several run at once, each leading a process group of its own; they inherit stdin as under cargo, but get an empty one
//! if it is a terminal, because a background process that reads from the terminal is stopped for ever.

mod budget;
mod guard;
pub mod harness;
mod junit;
mod leftover;
pub mod nextest;
mod process;
pub mod profiles;
pub mod runtool;
mod timing;

use crate::cargo::build::{TestBinary, TestKind};
use crate::cargo::role::Role;
use crate::interrupt::Interrupt;
use crate::layout::Layout;
use crate::runner::budget::{Budget, Queued};
use crate::runner::guard::Guard;
use crate::runner::harness::Harness;
use crate::runner::process::{Ended, Watch};
use crate::runner::timing::TestClock;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use crate::runner::leftover::Leftover;
pub use crate::runner::process::CutShort;

/// A test binary to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// The program and how it is started.
    pub binary: TestBinary,
    /// Whether it has an instrumented function in it. If not, it leaves no profile, and must not be asked for a continuous
    /// one: the profile runtime would complain on its stderr.
    pub instrumented: bool,
    /// Whether nothing else may run at the same time.
    pub exclusive: bool,
    /// How long it took last time. The longest start first, the unknown before them.
    pub expected: Option<Duration>,
    /// What it left when it ran to success with all that it depends on being as it is now. It is not run then.
    pub earlier: Option<Earlier>,
}

/// What a test binary left in an earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// What its output said.
    pub harness: Harness,
    /// From start to end.
    pub duration: Duration,
    /// How long each test took.
    pub durations: BTreeMap<String, Duration>,
    /// Its raw profiles.
    pub profiles: Vec<Vec<u8>>,
    /// The coverage maps of doctests.
    pub objects: Vec<Vec<u8>>,
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
    /// How long a binary may run.
    pub timeout: Option<Duration>,
    /// Whether to stop altogether, asked again and again.
    pub interrupt: Interrupt,
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
            timeout: None,
            interrupt: Interrupt::default(),
        }
    }
}

impl RunOptions {
    /// What the user wants to pass to the harness: a name, then the arguments, among them the one against capturing.
    pub fn test_arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = self.filter.iter().chain(&self.harness_args).cloned().collect();
        if self.no_capture && !self.harness_args.iter().any(is_no_capture) {
            // The older of the two spellings, which every libtest knows.
            arguments.push("--nocapture".into());
        }
        arguments
    }

    /// Whether the binaries write to our own streams.
    fn is_inherited(&self) -> bool {
        self.no_capture || self.harness_args.iter().any(is_no_capture)
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
    /// A test binary runs for some minutes by now.
    StillRunning {
        /// Which.
        binary: &'a TestBinary,
        /// For how long.
        elapsed: Duration,
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
    /// We have ended it.
    CutShort(CutShort),
    /// It could not be started; the reason.
    NotStarted(String),
    /// It was not run, because another one had failed.
    NotRun,
    /// Somebody else ran it and did not tell how it ended.
    Unknown,
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
    /// For doctests, the coverage maps of the programs that rustdoc compiled, ran and removed, sorted.
    pub objects: Vec<PathBuf>,
    /// How long each test took, as far as its harness lets that be known.
    pub durations: BTreeMap<String, Duration>,
    /// Processes that it left behind and that still held its output.
    pub leftovers: Vec<Leftover>,
    /// Whether it was not run, but is known from an earlier run.
    pub reused: bool,
}

impl BinaryResult {
    /// Whether it ran and did not succeed, or could not be started.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::CutShort(_) | Outcome::NotStarted(_))
    }
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestRun {
    /// One result for each job, in the order in which the jobs were added.
    pub results: Vec<BinaryResult>,
    /// From the start of the first to the end of the last.
    pub duration: Duration,
    /// Whether tests failed.
    pub failed: bool,
    /// Profiles that belong to none of the binaries alone, sorted.
    pub profiles: Vec<PathBuf>,
}

impl TestRun {
    /// Whether every binary ran and succeeded.
    pub fn passed(&self) -> bool {
        self.results.iter().all(|result| result.outcome == Outcome::Passed)
    }
}

/// Takes the jobs of a run under way.
pub struct Queue<'a> {
    run: &'a Run<'a>,
}

impl Queue<'_> {
    /// Adds a job, which may start at once.
    ///
    /// # Errors
    /// When the directory for its profiles cannot be made.
    pub fn add(&self, job: Job) -> Result<()> {
        self.run.add(job)
    }
}

/// Runs the jobs that `feed` adds, from the first one on, and waits for all of them. What earlier runs left in
/// [`Layout::raw`] is removed when the first one is added.
///
/// # Errors
/// When the directories for profiles cannot be made, or `feed` fails: then what runs is ended. That a test fails or does not start
/// is no error.
pub fn run_tests<T>(
    layout: &Layout,
    options: &RunOptions,
    on_event: &(dyn Fn(Event<'_>) + Sync),
    feed: impl FnOnce(&Queue<'_>) -> Result<T>,
) -> Result<(TestRun, T)> {
    let run = Run {
        layout,
        options,
        inherited: options.is_inherited(),
        budget: Arc::new(Budget::new(thread_budget(&[], options))),
        guard: Guard::start(),
        jobs: Mutex::default(),
        abandoned: Interrupt::default(),
        events: Mutex::new(on_event),
    };
    let results: Mutex<BTreeMap<usize, BinaryResult>> = Mutex::default();
    let first = Mutex::new(None);
    let fed = thread::scope(|scope| {
        scope.spawn(|| {
            thread::scope(|binaries| {
                while let Some(index) = run.budget.next() {
                    lock(&first).get_or_insert_with(Instant::now);
                    let (run, results) = (&run, &results);
                    binaries.spawn(move || {
                        let result = run.run(index);
                        lock(results).insert(index, result);
                    });
                }
            });
        });
        let mut feeding = Feeding { run: &run, is_complete: false };
        let fed = feed(&Queue { run: &run });
        feeding.is_complete = fed.is_ok();
        fed
    })?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let jobs = std::mem::take(&mut lock(&run.jobs).list);
    let results = (0..).zip(&jobs).map(|(index, planned)| {
        results.remove(&index).unwrap_or_else(|| BinaryResult::not_run(&planned.job.binary))
    });
    let results: Vec<BinaryResult> = results.collect();
    let duration = lock(&first).map_or(Duration::ZERO, |first| first.elapsed());
    let failed = results.iter().any(BinaryResult::failed);
    Ok((TestRun { results, duration, failed, profiles: Vec::new() }, fed))
}

/// A run under way.
struct Run<'a> {
    layout: &'a Layout,
    options: &'a RunOptions,
    /// Whether the binaries write to our own streams.
    inherited: bool,
    budget: Arc<Budget>,
    guard: Option<Guard>,
    jobs: Mutex<Jobs>,
    /// Set when nobody wants the results any more.
    abandoned: Interrupt,
    events: Mutex<&'a (dyn Fn(Event<'_>) + Sync)>,
}

/// While jobs are added. However that ends, by a panic too, the thread that starts them has to hear of it: it would wait for more
/// of them for ever.
struct Feeding<'a> {
    run: &'a Run<'a>,
    /// Whether all of them were added; if not, nobody wants what runs.
    is_complete: bool,
}

impl Drop for Feeding<'_> {
    fn drop(&mut self) {
        if !self.is_complete {
            self.run.budget.stop();
            self.run.abandoned.set();
        }
        self.run.budget.close();
    }
}

/// The jobs so far.
#[derive(Default)]
struct Jobs {
    list: Vec<Arc<Planned>>,
    /// The directories for profiles that are in use.
    directories: BTreeSet<PathBuf>,
    /// What lay in a working directory before the first job in it started, and is none of ours.
    strays: BTreeMap<PathBuf, Arc<BTreeSet<PathBuf>>>,
}

/// A job and where its counts go.
struct Planned {
    job: Job,
    directory: PathBuf,
    /// What lay in its working directory before.
    strays: Arc<BTreeSet<PathBuf>>,
}

impl Run<'_> {
    fn add(&self, job: Job) -> Result<()> {
        let binary = &job.binary;
        self.budget.set_threads(thread_budget(std::slice::from_ref(&job), self.options));
        let mut jobs = lock(&self.jobs);
        if jobs.list.is_empty() {
            profiles::empty(&self.layout.raw())?;
        }
        let directory = jobs.directory_for(&self.layout.raw_of(&binary.binary_id));
        profiles::empty(&directory)?;
        let tested_in = binary.tested_in().to_owned();
        let strays = jobs.strays.entry(tested_in.clone());
        let strays = Arc::clone(strays.or_insert_with(|| Arc::new(profiles::strays(&tested_in))));
        // With our own streams there is no telling apart what two of them print, or what one of them and cargo print.
        let (exclusive, expected) = match self.inherited {
            true => (true, None),
            false => (job.exclusive, job.expected),
        };
        let (number, name) = (jobs.list.len(), binary.binary_id.clone());
        jobs.list.push(Arc::new(Planned { job, directory, strays }));
        drop(jobs);
        self.budget.add(Queued { job: number, name, exclusive, expected });
        Ok(())
    }

    fn run(&self, index: usize) -> BinaryResult {
        let planned = Arc::clone(&lock(&self.jobs).list[index]);
        let binary = &planned.job.binary;
        self.emit(&|progress| Event::Started { binary, progress });
        if let Some(result) = planned.reuse() {
            self.budget.finish(index);
            self.emit(&|progress| Event::Finished { binary, result: &result, progress });
            return result;
        }
        let clock = Arc::new(Mutex::new(TestClock::default()));
        let on_notice = |elapsed| self.emit(&|_| Event::StillRunning { binary, elapsed });
        let watch = Watch {
            guard: self.guard.as_ref(),
            timeout: self.options.timeout,
            interrupts: [&self.options.interrupt, &self.abandoned],
            on_notice: &on_notice,
        };
        let ended = match self.command(&planned) {
            Err(error) => Ended::not_started(error),
            Ok(command) if self.inherited => process::run_inherited(command, &watch),
            Ok(command) => {
                let (budget, clock) = (Arc::clone(&self.budget), Arc::clone(&clock));
                process::run_captured(command, &watch, move |line, at| {
                    listen(line, at, index, &budget, &mut lock(&clock));
                })
            }
        };
        let durations = lock(&clock).durations(self.budget.threads());
        let result = planned.result(ended, durations);
        if result.failed() && !self.options.no_fail_fast || self.options.interrupt.is_set() {
            self.budget.stop();
        }
        self.budget.finish(index);
        self.emit(&|progress| Event::Finished { binary, result: &result, progress });
        result
    }

    fn command(&self, planned: &Planned) -> Result<Command> {
        let binary = &planned.job.binary;
        let directory = &planned.directory;
        let mut line: Vec<OsString> = Vec::new();
        let pattern = match binary.kind {
            TestKind::Program => {
                line.extend(binary.runner.iter().cloned());
                line.push(binary.executable.clone().into());
                line.extend(binary.arguments.iter().cloned());
                line.extend(self.options.test_arguments());
                profiles::pattern(directory, self.options.continuous && planned.job.instrumented)
            }
            TestKind::Doctests => {
                let options = runtool::Options {
                    directory: directory.clone(),
                    continuous: self.options.continuous,
                    keep: true,
                    runner: binary.runner.clone(),
                };
                let runtool = Role::Runtool.install(&self.layout.raw())?;
                line.push(binary.executable.clone().into());
                line.extend(binary.arguments.iter().cloned());
                line.extend(["--test-runtool".into(), runtool.into()]);
                for word in options.arguments() {
                    line.extend(["--test-runtool-arg".into(), word]);
                }
                // What proc-macros of the workspace count while the doctests are compiled.
                profiles::compiler_pattern(directory)
            }
        };
        let mut line = line.into_iter();
        let mut command = Command::new(line.next().unwrap_or_default());
        command.args(line).current_dir(&binary.current_dir).env_clear().envs(&binary.variables);
        command.env("LLVM_PROFILE_FILE", pattern);
        if !binary.variables.contains_key(OsStr::new(THREADS_VARIABLE)) {
            command.env(THREADS_VARIABLE, self.budget.threads().to_string());
        }
        Ok(command)
    }

    /// Tells of an event; the lock keeps events apart, so that what is printed for one of them stays together.
    fn emit<'e>(&self, event: &dyn Fn(Progress) -> Event<'e>) {
        let on_event = lock(&self.events);
        let (waiting, running) = self.budget.progress();
        on_event(event(Progress { waiting, running }));
    }
}

impl Jobs {
    /// A directory of its own, even if another binary has the same id.
    fn directory_for(&mut self, first: &Path) -> PathBuf {
        profiles::numbered(first)
            .find(|candidate| self.directories.insert(candidate.clone()))
            .unwrap_or_default()
    }
}

impl Planned {
    /// The result of an earlier run, if there is one and its counts can be written.
    fn reuse(&self) -> Option<BinaryResult> {
        let Earlier { harness, duration, durations, profiles, objects } = self.job.earlier.clone()?;
        profiles::write_earlier(&self.directory, &profiles, &objects).ok()?;
        Some(BinaryResult {
            outcome: Outcome::Passed,
            duration,
            harness,
            profiles: profiles::find(&self.directory),
            objects: profiles::kept_objects(&self.directory),
            durations,
            reused: true,
            ..BinaryResult::not_run(&self.job.binary)
        })
    }

    fn result(&self, ended: Ended, durations: BTreeMap<String, Duration>) -> BinaryResult {
        let binary = &self.job.binary;
        profiles::collect_strays(binary.tested_in(), &self.strays, &self.directory);
        let profiles = profiles::find(&self.directory);
        let outcome = match (ended.status, ended.cut_short) {
            (Err(error), _) => Outcome::NotStarted(match (binary.kind, binary.runner.first()) {
                (TestKind::Program, Some(runner)) => {
                    format!("the target runner `{}`: {error}", runner.display())
                }
                _ => error.to_string(),
            }),
            (Ok(_), Some(cut_short)) => Outcome::CutShort(cut_short),
            (Ok(status), None) if status.success() => Outcome::Passed,
            (Ok(status), None) => Outcome::Failed(status),
        };
        let started = !matches!(outcome, Outcome::NotStarted(_));
        BinaryResult {
            binary_id: binary.binary_id.clone(),
            profile_missing: started && self.job.instrumented && profiles.is_empty(),
            harness: match binary.kind {
                TestKind::Program => Harness::parse(&String::from_utf8_lossy(&ended.output)),
                TestKind::Doctests => Harness::parse_doctests(&String::from_utf8_lossy(&ended.output)),
            },
            outcome,
            duration: ended.duration,
            output: ended.output,
            profiles,
            objects: profiles::kept_objects(&self.directory),
            durations,
            leftovers: ended.leftovers,
            reused: false,
        }
    }
}

impl BinaryResult {
    fn not_run(binary: &TestBinary) -> BinaryResult {
        BinaryResult {
            binary_id: binary.binary_id.clone(),
            outcome: Outcome::NotRun,
            duration: Duration::ZERO,
            output: Vec::new(),
            harness: Harness::default(),
            profiles: Vec::new(),
            profile_missing: false,
            objects: Vec::new(),
            durations: BTreeMap::new(),
            leftovers: Vec::new(),
            reused: false,
        }
    }
}

/// Takes from a line of a test binary what others wait for: how many tests there are, and that one more has ended.
fn listen(line: &str, at: Duration, job: usize, budget: &Budget, clock: &mut TestClock) {
    if let Some(tests) = harness::announced(line) {
        budget.announce(job, tests);
        clock.announced(at);
    } else if harness::ends_a_test(line) {
        budget.test_ended(job);
        clock.ended(line, at);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The variable that libtest takes its number of threads from.
const THREADS_VARIABLE: &str = "RUST_TEST_THREADS";

/// The number of test threads to aim at: the user's, else that of the options.
fn thread_budget(jobs: &[Job], options: &RunOptions) -> usize {
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

fn is_no_capture(argument: &OsString) -> bool {
    argument == "--nocapture" || argument == "--no-capture"
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed => f.write_str("passed"),
            // "exit status: 101", "signal: 6 (SIGABRT)"
            Outcome::Failed(status) => write!(f, "failed with {status}"),
            Outcome::CutShort(CutShort::TimedOut(timeout)) => {
                write!(f, "did not end within {} s", timeout.as_secs_f64())
            }
            Outcome::CutShort(CutShort::Interrupted) => f.write_str("was interrupted"),
            Outcome::NotStarted(reason) => write!(f, "could not be started: {reason}"),
            Outcome::NotRun => f.write_str("was not run"),
            Outcome::Unknown => f.write_str("ended somehow"),
        }
    }
}

#[cfg(test)]
mod tests;
