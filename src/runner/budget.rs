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

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a binary may take to announce its tests before it is taken for a harness of another kind, which most often
/// runs one test after the other. libtest announces them first thing.
const GRACE: Duration = Duration::from_millis(200);

/// A queue of jobs and the threads that the running ones use.
#[derive(Debug)]
pub(super) struct Budget {
    threads: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Queued>,
    running: BTreeMap<usize, Running>,
    stopped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    job: usize,
    exclusive: bool,
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
    /// A budget of `threads` for `jobs`: pairs of a number, which stands for the job, and whether it has to run alone.
    /// They start in this order, those that run alone last.
    pub(super) fn new(threads: usize, jobs: &[(usize, bool)]) -> Budget {
        let mut queue: Vec<Queued> =
            jobs.iter().map(|(job, exclusive)| Queued { job: *job, exclusive: *exclusive }).collect();
        queue.sort_by_key(|queued| queued.exclusive);
        let state = State { queue: queue.into(), ..State::default() };
        Budget { threads: threads.max(1), state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The number of threads that each job may use.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// The next job, once there is room for it; `None` when no more are to be started.
    pub(super) fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            match state.take(self.threads, Instant::now()) {
                Next::Start(job) => return Some(job),
                Next::Nothing => return None,
                // Without an event, only the end of somebody's grace can make room.
                Next::Wait => {
                    let waited = self.changed.wait_timeout(state, GRACE);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// `job` has said that it runs `tests` tests.
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
    fn take(&mut self, budget: usize, now: Instant) -> Next {
        let Some(first) = self.queue.front().copied().filter(|_| !self.stopped) else { return Next::Nothing };
        let used: usize = self.running.values().map(|running| running.threads(budget, now)).sum();
        let has_room = if first.exclusive { self.running.is_empty() } else { used < budget };
        if !has_room {
            return Next::Wait;
        }
        self.queue.pop_front();
        self.running.insert(first.job, Running { since: now, exclusive: first.exclusive, tests_left: None });
        Next::Start(first.job)
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, GRACE, Next};
    use std::time::{Duration, Instant};

    /// What happens to the queue when `later` has passed since the latest job started.
    fn take(budget: &Budget, later: Duration) -> Next {
        let mut state = budget.lock();
        let latest = state.running.values().map(|running| running.since).max();
        state.take(budget.threads, latest.unwrap_or_else(Instant::now) + later)
    }

    fn at_once(budget: &Budget) -> Next {
        take(budget, Duration::ZERO)
    }

    fn at_last(budget: &Budget) -> Next {
        take(budget, GRACE * 9)
    }

    fn budget(threads: usize, jobs: usize) -> Budget {
        Budget::new(threads, &(0..jobs).map(|job| (job, false)).collect::<Vec<_>>())
    }

    #[test]
    fn small_binaries_run_side_by_side() {
        let budget = budget(4, 9);
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
        let budget = budget(4, 2);
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
        let budget = budget(2, 2);
        assert_eq!(at_once(&budget), Next::Start(0));
        assert_eq!(at_once(&budget), Next::Wait);
        assert_eq!(take(&budget, GRACE), Next::Start(1));
    }

    #[test]
    fn a_binary_without_tests_still_runs() {
        let budget = budget(1, 2);
        assert_eq!(at_once(&budget), Next::Start(0));
        budget.announce(0, 0);
        assert_eq!(at_last(&budget), Next::Wait, "its process is still there");
    }

    #[test]
    fn exclusive_jobs_run_last_and_alone() {
        let budget = Budget::new(8, &[(0, true), (1, false), (2, true)]);
        for job in [1, 0, 2] {
            assert_eq!(at_once(&budget), Next::Start(job));
            budget.announce(job, 1);
            assert_eq!(at_last(&budget), if job == 2 { Next::Nothing } else { Next::Wait });
            budget.finish(job);
        }
        assert_eq!(budget.next(), None);
    }

    #[test]
    fn nothing_starts_after_a_stop() {
        let budget = budget(4, 3);
        assert_eq!(budget.next(), Some(0));
        assert_eq!(budget.progress(), (2, 1));
        budget.stop();
        assert_eq!(budget.next(), None);
        assert_eq!(budget.progress(), (0, 1));
    }
}
