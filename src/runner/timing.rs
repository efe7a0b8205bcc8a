//! How long each test took, as far as it can be told from the outside. Pure: lines and times in, durations out.
//!
//! libtest says when a test ends, not when it begins. But it begins tests in the order of their names, each as soon as one
//! of its threads is free: with N threads the first N at once, and the one at position i when the (i - N)th has ended.

use super::harness;
use std::collections::BTreeMap;
use std::time::Duration;

/// The lines of one test binary that matter, with the time since its start.
#[derive(Clone, Debug, Default)]
pub(super) struct TestClock {
    /// When it announced its tests, and the tests that ended after that, in that order. rustdoc announces several times.
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    began: Duration,
    ends: Vec<(String, Duration)>,
}

impl TestClock {
    /// The binary announced tests.
    pub(super) fn announced(&mut self, at: Duration) {
        self.groups.push(Group { began: at, ends: Vec::new() });
    }

    /// A line that says how a test ended.
    pub(super) fn ended(&mut self, line: &str, at: Duration) {
        if let (Some(group), Some(name)) = (self.groups.last_mut(), harness::ended_test(line)) {
            group.ends.push((name, at));
        }
    }

    /// How long each test took, given the number of threads.
    pub(super) fn durations(&self, threads: usize) -> BTreeMap<String, Duration> {
        let mut durations = BTreeMap::new();
        for group in &self.groups {
            let mut by_name: Vec<&(String, Duration)> = group.ends.iter().collect();
            by_name.sort();
            for (position, (name, end)) in by_name.into_iter().enumerate() {
                let freed = position.checked_sub(threads.max(1)).and_then(|it| group.ends.get(it));
                let start = freed.map_or(group.began, |(_, freed)| *freed);
                durations.insert(name.clone(), end.saturating_sub(start));
            }
        }
        durations
    }
}

#[cfg(test)]
mod tests {
    use super::TestClock;
    use std::time::Duration;

    fn check(threads: usize, ends: &[(&str, u64)], expected: &[(&str, u64)]) {
        let mut clock = TestClock::default();
        clock.announced(Duration::from_millis(10));
        for (name, at) in ends {
            clock.ended(&format!("test {name} ... ok"), Duration::from_millis(*at));
        }
        let found = clock.durations(threads);
        let found: Vec<(&str, u64)> =
            found.iter().map(|(name, took)| (name.as_str(), took.as_millis() as u64)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn one_thread_runs_one_test_after_the_other() {
        check(1, &[("a", 15), ("b", 115), ("c", 120)], &[("a", 5), ("b", 100), ("c", 5)]);
    }

    #[test]
    fn a_test_begins_when_a_thread_is_free() {
        // `a` and `b` begin at 10, `c` when `b` ends at 20, `d` when `c` ends at 50.
        check(
            2,
            &[("b", 20), ("c", 50), ("a", 110), ("d", 140)],
            &[("a", 100), ("b", 10), ("c", 30), ("d", 90)],
        );
    }

    #[test]
    fn nothing_is_said_of_other_lines() {
        let mut clock = TestClock::default();
        clock.ended("test early ... ok", Duration::from_millis(1));
        clock.announced(Duration::from_millis(2));
        clock.ended("hello", Duration::from_millis(3));
        assert!(clock.durations(2).is_empty());
    }
}
