//! Which test binary starts when: one queue, and a budget of test threads near the number of processors. Starts nothing
//! itself.
//!
//! A test binary fixes its number of threads when it starts, before anybody can know whether it will be the last one
//! running or one of sixty. So each gets all of the budget, and is charged for what it can still use of it: everything until
//! it has said how many tests it runs, then no more than it has tests left. Another binary starts as soon as less than
//! the budget is in use. Sixty binaries with one test each thus run as many at a time as there are processors, one with
//! three hundred runs alone with all of them, and while its last tests end the next one already starts. The sum of
//! threads stays below twice the budget, and above the budget only for as long as the one that was started last overlaps
//! with the tails of others.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a binary may take to announce its tests before it is taken for a harness of another kind, which most often
/// runs one test after the other. libtest announces them first thing.
const GRACE: Duration = Duration::from_millis(200);

/// How long nothing must have been added before the first job starts. When nothing has to be compiled, cargo tells of all test
/// binaries within some milliseconds, and the longest of them shall start first, not the one that was told of first.
const SETTLE: Duration = Duration::from_millis(60);

/// A queue of jobs, to which more are added until it is closed, and the threads that the running ones use.
#[derive(Debug)]
pub(super) struct Budget {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    threads: usize,
    queue: Vec<Queued>,
    running: BTreeMap<usize, Running>,
    /// When the last job was added.
    added: Option<Instant>,
    closed: bool,
    stopped: bool,
}

/// A job that waits.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    /// What it is known by.
    pub(super) job: usize,
    /// Its name; equals go in the order of their names.
    pub(super) name: String,
    /// Whether it has to run alone. It does so behind all others.
    pub(super) exclusive: bool,
    /// How long it took last time. The unknown go first, then the longest.
    pub(super) expected: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    since: Instant,
    exclusive: bool,
    /// How many of its tests have not ended; `None` until it says how many there are.
    tests_left: Option<usize>,
}

impl Running {
    /// How many threads it uses at most.
    fn threads(&self, budget: usize, now: Instant) -> usize {
        match self.tests_left {
            _ if self.exclusive => budget,
            Some(left) => left.clamp(1, budget),
            None if now.duration_since(self.since) < GRACE => budget,
            None => 1,
        }
    }
}

impl Budget {
    /// A budget of `threads`, with nothing to do yet.
    pub(super) fn new(threads: usize) -> Budget {
        let state = State {
            threads: threads.max(1),
            queue: Vec::new(),
            running: BTreeMap::new(),
            added: None,
            closed: false,
            stopped: false,
        };
        Budget { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The number of threads that each job may use.
    pub(super) fn threads(&self) -> usize {
        self.lock().threads
    }

    /// Changes that number for the jobs that start from now on.
    pub(super) fn set_threads(&self, threads: usize) {
        self.lock().threads = threads.max(1);
    }

    /// One more job.
    pub(super) fn add(&self, queued: Queued) {
        let mut state = self.lock();
        state.queue.push(queued);
        state.added = Some(Instant::now());
        drop(state);
        self.changed.notify_all();
    }

    /// No job will be added any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The next job, once there is one and room for it; `None` when no more are to be started.
    pub(super) fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            match state.take(Instant::now()) {
                Next::Start(job) => return Some(job),
                Next::Nothing => return None,
                // Without an event, only the end of somebody's grace can make room, or quiet in the queue.
                Next::Wait => {
                    let waited = self.changed.wait_timeout(state, SETTLE);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// `job` has said that it runs `tests` tests. rustdoc says so twice, for doctests that it compiles together and alone.
    pub(super) fn announce(&self, job: usize, tests: usize) {
        if let Some(running) = self.lock().running.get_mut(&job) {
            running.tests_left = Some(tests);
        }
        self.changed.notify_all();
    }

    /// One more test of `job` has ended.
    pub(super) fn test_ended(&self, job: usize) {
        if let Some(Running { tests_left: Some(left), .. }) = self.lock().running.get_mut(&job) {
            *left = left.saturating_sub(1);
        }
        self.changed.notify_all();
    }

    /// `job` has ended.
    pub(super) fn finish(&self, job: usize) {
        self.lock().running.remove(&job);
        self.changed.notify_all();
    }

    /// No further job is to be started.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// How many jobs wait, and how many run.
    pub(super) fn progress(&self) -> (usize, usize) {
        let state = self.lock();
        (if state.stopped { 0 } else { state.queue.len() }, state.running.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to do about the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// This job starts.
    Start(usize),
    /// There is no room for the first one.
    Wait,
    /// No more jobs start.
    Nothing,
}

impl State {
    fn take(&mut self, now: Instant) -> Next {
        if self.stopped || (self.closed && self.queue.is_empty()) {
            return Next::Nothing;
        }
        let is_quiet = self.added.is_some_and(|added| now.duration_since(added) >= SETTLE);
        if !self.closed && !is_quiet {
            return Next::Wait;
        }
        let order = |queued: &Queued| {
            (
                queued.exclusive,
                Reverse(queued.expected.unwrap_or(Duration::MAX)),
                queued.name.clone(),
                queued.job,
            )
        };
        let Some(first) = (0..self.queue.len()).min_by_key(|index| order(&self.queue[*index])) else {
            return Next::Wait;
        };
        let used: usize = self.running.values().map(|running| running.threads(self.threads, now)).sum();
        let has_room = match self.queue[first].exclusive {
            // Neither tests nor the compiler run beside it.
            true => self.running.is_empty() && self.closed,
            false => used < self.threads && !self.running.values().any(|running| running.exclusive),
        };
        if !has_room {
            return Next::Wait;
        }
        let Queued { job, exclusive, .. } = self.queue.swap_remove(first);
        self.running.insert(job, Running { since: now, exclusive, tests_left: None });
        Next::Start(job)
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, GRACE, Next, Queued};
    use std::time::{Duration, Instant};

    /// What happens to the queue when `later` has passed since the latest job started.
    fn take(budget: &Budget, later: Duration) -> Next {
        let mut state = budget.lock();
        let latest = state.running.values().map(|running| running.since).max();
        state.take(latest.unwrap_or_else(Instant::now) + later)
    }

    fn at_once(budget: &Budget) -> Next {
        take(budget, Duration::ZERO)
    }

    fn at_last(budget: &Budget) -> Next {
        take(budget, GRACE * 9)
    }

    fn job(job: usize) -> Queued {
        Queued { job, name: String::new(), exclusive: false, expected: None }
    }

    fn budget(threads: usize, jobs: &[Queued]) -> Budget {
        let budget = Budget::new(threads);
        jobs.iter().for_each(|job| budget.add(job.clone()));
        budget.close();
        budget
    }

    #[test]
    fn small_binaries_run_side_by_side() {
        let budget = budget(4, &[0, 1, 2, 3, 4, 5, 6].map(job));
        for job in 0..4 {
            assert_eq!(at_once(&budget), Next::Start(job));
            assert_eq!(
                at_once(&budget),
                Next::Wait,
                "job {job} may use everything until it says how many tests it has"
            );
            budget.announce(job, 1);
        }
        assert_eq!(at_last(&budget), Next::Wait, "four tests on four threads");
        budget.finish(2);
        assert_eq!(at_once(&budget), Next::Start(4));
    }

    #[test]
    fn a_large_binary_has_everything_until_its_last_tests() {
        let budget = budget(4, &[0, 1].map(job));
        assert_eq!(at_once(&budget), Next::Start(0));
        budget.announce(0, 300);
        assert_eq!(at_last(&budget), Next::Wait);
        for _ in 0..296 {
            budget.test_ended(0);
        }
        assert_eq!(at_last(&budget), Next::Wait, "four are left for four threads");
        budget.test_ended(0);
        assert_eq!(at_once(&budget), Next::Start(1));
    }

    #[test]
    fn a_harness_of_another_kind_is_charged_one_thread_after_a_while() {
        let budget = budget(2, &[0, 1].map(job));
        assert_eq!(at_once(&budget), Next::Start(0));
        assert_eq!(at_once(&budget), Next::Wait);
        assert_eq!(take(&budget, GRACE), Next::Start(1));
    }

    #[test]
    fn a_binary_without_tests_still_runs() {
        let budget = budget(1, &[0, 1].map(job));
        assert_eq!(at_once(&budget), Next::Start(0));
        budget.announce(0, 0);
        assert_eq!(at_last(&budget), Next::Wait, "its process is still there");
    }

    #[test]
    fn exclusive_jobs_run_last_and_alone() {
        let alone = |number| Queued { exclusive: true, ..job(number) };
        let budget = budget(8, &[alone(0), job(1), alone(2)]);
        for job in [1, 0, 2] {
            assert_eq!(at_once(&budget), Next::Start(job));
            budget.announce(job, 1);
            assert_eq!(at_last(&budget), if job == 2 { Next::Nothing } else { Next::Wait });
            budget.finish(job);
        }
        assert_eq!(budget.next(), None);
    }

    #[test]
    fn the_unknown_start_first_then_the_longest() {
        let seconds = [Some(1), Some(9), None, Some(9), None];
        let jobs: Vec<Queued> = seconds
            .iter()
            .zip(0..)
            .map(|(seconds, number)| Queued { expected: seconds.map(Duration::from_secs), ..job(number) })
            .collect();
        let budget = budget(9, &jobs);
        for expected in [2, 4, 1, 3, 0] {
            assert_eq!(at_once(&budget), Next::Start(expected));
            budget.announce(expected, 1);
        }
        assert_eq!(at_once(&budget), Next::Nothing);
    }

    #[test]
    fn equal_ones_start_by_name() {
        let named = |number, name: &str| Queued { name: name.to_owned(), ..job(number) };
        let budget = budget(9, &[named(0, "c"), named(1, "a"), named(2, "b")]);
        for expected in [1, 2, 0] {
            assert_eq!(at_once(&budget), Next::Start(expected));
            budget.announce(expected, 1);
        }
    }

    #[test]
    fn jobs_start_before_all_are_known_but_not_the_exclusive_ones() {
        let budget = Budget::new(4);
        assert_eq!(at_last(&budget), Next::Wait, "nothing is there yet");
        budget.add(Queued { exclusive: true, ..job(0) });
        budget.add(job(1));
        assert_eq!(at_once(&budget), Next::Wait, "more may come at any moment");
        assert_eq!(at_last(&budget), Next::Start(1));
        budget.finish(1);
        assert_eq!(at_last(&budget), Next::Wait, "the compiler may still run");
        budget.close();
        assert_eq!(at_once(&budget), Next::Start(0));
        budget.finish(0);
        assert_eq!(at_once(&budget), Next::Nothing);
    }

    #[test]
    fn nothing_starts_after_a_stop() {
        let budget = budget(4, &[0, 1, 2].map(job));
        assert_eq!(budget.next(), Some(0));
        assert_eq!(budget.progress(), (2, 1));
        budget.stop();
        assert_eq!(budget.next(), None);
        assert_eq!(budget.progress(), (0, 1));
    }
}
