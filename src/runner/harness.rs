//! What libtest prints about its tests, as far as a program can rely on it. Pure: text in, names and counts out.
//!
//! Stdout and stderr of a binary arrive mixed, and tests start programs that print. So the number of tests comes
//! from the first `running N tests`, before which nothing is read, the counts from the last `test result:`, and a name whose outcome was torn away from it
//! is found again in the list of failures or left out.

use std::collections::BTreeMap;
use std::fmt;

/// The outcome of one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestOutcome {
    /// `ok`
    Passed,
    /// `FAILED`
    Failed,
    /// `ignored`
    Ignored,
    /// A benchmark that was measured.
    Measured,
}

impl fmt::Display for TestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TestOutcome::Passed => "passed",
            TestOutcome::Failed => "failed",
            TestOutcome::Ignored => "ignored",
            TestOutcome::Measured => "measured",
        })
    }
}

/// The numbers of the `test result:` line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestCounts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that were not run because they are marked `#[ignore]`.
    pub ignored: usize,
    /// Benchmarks that were measured.
    pub measured: usize,
    /// Tests that the filter left out.
    pub filtered_out: usize,
}

impl TestCounts {
    /// The sums.
    pub fn plus(self, more: TestCounts) -> TestCounts {
        TestCounts {
            passed: self.passed + more.passed,
            failed: self.failed + more.failed,
            ignored: self.ignored + more.ignored,
            measured: self.measured + more.measured,
            filtered_out: self.filtered_out + more.filtered_out,
        }
    }
}

/// What the output of a test binary says about its tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harness {
    /// Tests by name.
    pub tests: BTreeMap<String, TestOutcome>,
    /// The numbers at the end; `None` for a harness that is not libtest's, or one that did not get to its end.
    pub counts: Option<TestCounts>,
}

impl Harness {
    /// Reads the whole output of rustdoc, which may run libtest several times: on the doctests that it compiles into one program, and
    /// on those that it compiles alone.
    pub fn parse_doctests(output: &str) -> Harness {
        let mut whole = Harness::default();
        let mut rest = output;
        while !rest.is_empty() {
            let is_end = |line: &&str| parse_counts(plain(line).trim_end()).is_some();
            let length: usize = match rest.split_inclusive('\n').position(|line| is_end(&line)) {
                Some(last) => rest.split_inclusive('\n').take(last + 1).map(str::len).sum(),
                None => rest.len(),
            };
            let (part, behind) = rest.split_at(length);
            let part = Harness::parse(part);
            whole.tests.extend(part.tests);
            whole.counts = match (whole.counts, part.counts) {
                (Some(so_far), Some(more)) => Some(so_far.plus(more)),
                (so_far, more) => so_far.or(more),
            };
            rest = behind;
        }
        whole
    }

    /// Reads the whole output of a test binary.
    pub fn parse(output: &str) -> Harness {
        let mut harness = Harness::default();
        let mut begun = false;
        let mut open: Option<String> = None;
        let mut in_failures = false;
        for line in output.lines() {
            let line = plain(line);
            let line = line.trim_end();
            if !begun {
                begun = announced(line).is_some();
            } else if let Some(counts) = parse_counts(line) {
                harness.counts = Some(counts);
                in_failures = false;
            } else if line == "failures:" {
                in_failures = true;
            } else if let Some((name, rest)) = test_line(line) {
                match parse_outcome(rest) {
                    Some(outcome) => {
                        harness.tests.insert(name.to_owned(), outcome);
                    }
                    // Something printed in between; with one thread the outcome then stands alone on a later line.
                    None => open = Some(name.to_owned()),
                }
            } else if let Some(outcome) = parse_outcome(line).filter(|_| open.is_some()) {
                harness.tests.extend(open.take().map(|name| (name, outcome)));
            } else if in_failures
                && let Some(name) = line.strip_prefix("    ").filter(|name| !name.starts_with(' '))
                && harness.tests.get(name).is_none_or(|outcome| *outcome != TestOutcome::Failed)
                && is_test_name(name)
            {
                harness.tests.insert(name.to_owned(), TestOutcome::Failed);
            }
        }
        harness
    }
}

/// The number of tests in a line `running N tests`, with which libtest begins.
pub fn announced(line: &str) -> Option<usize> {
    let number = line.trim_end().strip_prefix("running ")?;
    number.strip_suffix(" tests").or_else(|| number.strip_suffix(" test"))?.parse().ok()
}

/// Whether `line` says that one more test has ended.
pub fn ends_a_test(line: &str) -> bool {
    ended_test(line).is_some()
}

/// The name of the test that `line` says has ended.
pub fn ended_test(line: &str) -> Option<String> {
    let line = plain(line);
    let (name, rest) = test_line(line.trim_end())?;
    parse_outcome(rest).map(|_| name.to_owned())
}

/// Name and outcome of `test NAME ... OUTCOME`.
fn test_line(line: &str) -> Option<(&str, &str)> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    // libtest adds this to the name that it prints, not to the name.
    Some((name.strip_suffix(" - should panic").unwrap_or(name), outcome))
}

fn parse_outcome(text: &str) -> Option<TestOutcome> {
    // Behind the word there may be a reason (`ignored, needs a network`) or a time (`ok <0.012s>`).
    let word = text.split([',', ' ']).next().unwrap_or("");
    let rest = &text[word.len()..];
    if !(rest.is_empty() || rest.starts_with(',') || rest.starts_with(" <") || word == "bench:") {
        return None;
    }
    match word {
        "ok" => Some(TestOutcome::Passed),
        "FAILED" => Some(TestOutcome::Failed),
        "ignored" => Some(TestOutcome::Ignored),
        "bench:" => Some(TestOutcome::Measured),
        _ => None,
    }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s`
fn parse_counts(line: &str) -> Option<TestCounts> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = TestCounts::default();
    for part in numbers.split("; ") {
        let Some((number, what)) = part.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.ignored = number,
            "measured" => counts.measured = number,
            "filtered out" => counts.filtered_out = number,
            _ => {}
        }
    }
    Some(counts)
}

/// Whether a line in the list of failures can be the name of a test, rather than output of one.
fn is_test_name(text: &str) -> bool {
    !text.is_empty() && (!text.contains(' ') || text.contains(" - ") || text.contains("(line "))
}

/// `line` without the sequences that colour it.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        if character != '\u{1b}' {
            plain.push(character);
            continue;
        }
        match rest.next() {
            // `ESC [ … letter` and, for terminals of old, `ESC ( letter`.
            Some('[') => while rest.next().is_some_and(|it| !it.is_ascii_alphabetic()) {},
            Some('(') => drop(rest.next()),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Harness, TestCounts, TestOutcome, announced, ends_a_test};

    fn check(output: &str, tests: &[(&str, TestOutcome)], counts: Option<TestCounts>) {
        let harness = Harness::parse(output);
        let found: Vec<(&str, TestOutcome)> =
            harness.tests.iter().map(|(name, outcome)| (name.as_str(), *outcome)).collect();
        assert_eq!(found, tests, "{output}");
        assert_eq!(harness.counts, counts, "{output}");
    }

    #[test]
    fn an_ordinary_run() {
        check(
            "\nrunning 5 tests\n\
             test a::one ... ok\n\
             test a::panics - should panic ... ok\n\
             test skipped ... ignored, needs a network\n\
             test src/lib.rs - f (line 3) ... ok <0.012s>\n\
             test b ... bench:         12 ns/iter (+/- 3)\n\
             \n\
             test result: ok. 3 passed; 0 failed; 1 ignored; 1 measured; 7 filtered out; finished in 0.01s\n\n",
            &[
                ("a::one", TestOutcome::Passed),
                ("a::panics", TestOutcome::Passed),
                ("b", TestOutcome::Measured),
                ("skipped", TestOutcome::Ignored),
                ("src/lib.rs - f (line 3)", TestOutcome::Passed),
            ],
            Some(TestCounts { passed: 3, failed: 0, ignored: 1, measured: 1, filtered_out: 7 }),
        );
    }

    #[test]
    fn failures_and_torn_lines() {
        check(
            "running 3 tests\r\n\
             test torn ... child says hello\r\n\
             ok\r\n\
             test lost ... child says more\r\n\
             test bad ... \u{1b}[31mFAILED\u{1b}(B\u{1b}[m\r\n\
             failures:\r\n\
             \r\n\
             ---- bad stdout ----\r\n    \
                 some indented text of the test\r\n\
             \r\n\
             failures:\r\n    \
                 bad\r\n    \
                 lost\r\n\
             \r\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\r\n",
            &[("bad", TestOutcome::Failed), ("lost", TestOutcome::Failed), ("torn", TestOutcome::Passed)],
            Some(TestCounts { passed: 1, failed: 2, ..TestCounts::default() }),
        );
    }

    #[test]
    fn other_output_says_nothing() {
        check("all good\ntest of strength ... maybe\nok\n", &[], None);
        check("running 1 test\nhello\nok\nignored\n", &[], None);
        check("", &[], None);
        // Killed in the middle: the names so far, no counts.
        check("running 2 tests\ntest a ... ok\n", &[("a", TestOutcome::Passed)], None);
    }

    #[test]
    fn the_last_result_counts() {
        let inner =
            "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        let outer =
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        check(
            &format!("running 1 test\n{inner}{outer}"),
            &[],
            Some(TestCounts { passed: 1, ..TestCounts::default() }),
        );
    }

    #[test]
    fn rustdoc_runs_twice() {
        let once = |name: &str| {
            format!(
                "\nrunning 1 test\ntest {name} ... ok\n\n\
                 test result: ok. 1 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n"
            )
        };
        let output = format!("{}{}all doctests ran in 0.66s\n", once("src/lib.rs - a (line 1)"), once("b"));
        let harness = Harness::parse_doctests(&output);
        assert_eq!(harness.counts, Some(TestCounts { passed: 2, ignored: 4, ..TestCounts::default() }));
        let names: Vec<&str> = harness.tests.keys().map(String::as_str).collect();
        assert_eq!(names, ["b", "src/lib.rs - a (line 1)"]);
        assert_eq!(Harness::parse_doctests("error: it does not compile\n"), Harness::default());
    }

    #[test]
    fn progress_lines() {
        let rows = [
            ("running 0 tests", Some(0)),
            ("running 1 test", Some(1)),
            ("running 312 tests\r", Some(312)),
            ("running late", None),
            ("running x tests", None),
            (" running 1 test", None),
        ];
        for (line, expected) in rows {
            assert_eq!(announced(line), expected, "{line}");
        }
        assert!(ends_a_test("test a ... ok"));
        assert!(ends_a_test("test a ... \u{1b}[33mignored\u{1b}(B\u{1b}[m"));
        assert!(!ends_a_test("test a ... "));
        assert!(!ends_a_test("test a ... okay"));
    }
}
