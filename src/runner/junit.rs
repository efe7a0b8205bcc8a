//! JUnit's XML as cargo-nextest writes it: which tests of which binary passed. Pure: text in, outcomes out.
//!
//! | element | what is read of it |
//! |---|---|
//! | `<testsuite name="app::it">` | the binary |
//! | `<testcase name="a::b" time="0.013">` | a test, and how many seconds it took |
//! | `<failure>`, `<error>`, `<skipped>` in it | how it went; a test without any passed, if at a later attempt |

use super::harness::{Harness, TestCounts, TestOutcome};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is said of one test binary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Suite {
    /// Its tests.
    pub(super) harness: Harness,
    /// How long each took.
    pub(super) durations: BTreeMap<String, Duration>,
}

/// The suites by name.
pub(super) fn parse(text: &str) -> BTreeMap<String, Suite> {
    let mut suites: BTreeMap<String, Suite> = BTreeMap::new();
    let mut suite = String::new();
    let mut test = String::new();
    // Text holds no `<` of its own, so that each begins an element or ends one.
    for element in text.split('<').skip(1) {
        let name = element.split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or("");
        match name {
            "testsuite" => {
                suite = attribute(element, "name").unwrap_or_default();
                suites.entry(suite.clone()).or_default();
            }
            "testcase" => {
                test = attribute(element, "name").unwrap_or_default();
                let seconds = attribute(element, "time").and_then(|seconds| seconds.parse().ok());
                let took = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                let suite = suites.entry(suite.clone()).or_default();
                suite.harness.tests.insert(test.clone(), TestOutcome::Passed);
                suite.durations.extend(took.map(|took| (test.clone(), took)));
            }
            "failure" | "error" => set(&mut suites, &suite, &test, TestOutcome::Failed),
            "skipped" => set(&mut suites, &suite, &test, TestOutcome::Ignored),
            _ => {}
        }
    }
    for suite in suites.values_mut() {
        let count = |outcome| suite.harness.tests.values().filter(|it| **it == outcome).count();
        suite.harness.counts = Some(TestCounts {
            passed: count(TestOutcome::Passed),
            failed: count(TestOutcome::Failed),
            ignored: count(TestOutcome::Ignored),
            ..TestCounts::default()
        });
    }
    suites
}

fn set(suites: &mut BTreeMap<String, Suite>, suite: &str, test: &str, outcome: TestOutcome) {
    if let Some(found) = suites.get_mut(suite).and_then(|suite| suite.harness.tests.get_mut(test)) {
        *found = outcome;
    }
}

/// The value of an attribute in `element`, which begins with the element's name.
fn attribute(element: &str, name: &str) -> Option<String> {
    let mut rest = element;
    loop {
        let (front, behind) = rest.split_once('=')?;
        let quote = behind.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
        let (value, behind) = behind.get(1..)?.split_once(quote)?;
        if front.split_whitespace().next_back() == Some(name) {
            return Some(unescape(value));
        }
        rest = behind;
    }
}

/// `text` with what stands for other characters replaced; anything unknown stays.
fn unescape(text: &str) -> String {
    const NAMED: [(&str, char); 5] =
        [("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("apos;", '\''), ("amp;", '&')];
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match NAMED.iter().find_map(|(name, character)| Some((character, part.strip_prefix(name)?))) {
            Some((character, rest)) => {
                plain.push(*character);
                plain.push_str(rest);
            }
            None => {
                plain.push('&');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{attribute, parse, unescape};
    use crate::runner::harness::{TestCounts, TestOutcome};
    use std::time::Duration;

    /// As cargo-nextest 0.9.143 wrote it, with the tests' output shortened.
    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="5" skipped="0" failures="2" errors="0" time="0.036">
    <testsuite name="@setup-script:db" tests="1" skipped="0" errors="0" failures="0">
        <testcase name="db" classname="@setup-script:db" time="0.002"/>
    </testsuite>
    <testsuite name="app::it" tests="4" skipped="0" errors="0" failures="2">
        <testcase name="first" classname="app::it" timestamp="2026-11-23T00:19:56.365+00:00" time="0.013"/>
        <testcase name="&lt;T as &quot;U&quot;&gt;::last" classname="app::it" time="1.5">
            <failure message="thread &apos;main&apos; panicked" type="test failure">a &lt;failure&gt; b</failure>
            <system-out>running 1 test</system-out>
        </testcase>
        <testcase name="at_the_second_attempt" classname="app::it" time="0.001">
            <flakyFailure time="0.001" message="m" type="test failure with exit code 101"/>
        </testcase>
        <testcase name="aborts" classname="app::it" time="0.001">
            <error type="test abort"/>
        </testcase>
        <testcase name="left_out" classname="app::it"><skipped/></testcase>
    </testsuite>
    <testsuite name="app" tests="0" skipped="0" errors="0" failures="0">
    </testsuite>
</testsuites>
"#;

    #[test]
    fn a_report_of_nextest() {
        let suites = parse(REPORT);
        assert_eq!(suites.keys().collect::<Vec<_>>(), ["@setup-script:db", "app", "app::it"]);
        let suite = &suites["app::it"];
        let expected = [
            ("<T as \"U\">::last", TestOutcome::Failed),
            ("aborts", TestOutcome::Failed),
            ("at_the_second_attempt", TestOutcome::Passed),
            ("first", TestOutcome::Passed),
            ("left_out", TestOutcome::Ignored),
        ];
        let found: Vec<_> =
            suite.harness.tests.iter().map(|(name, outcome)| (name.as_str(), *outcome)).collect();
        assert_eq!(found, expected);
        let counts = TestCounts { passed: 2, failed: 2, ignored: 1, ..TestCounts::default() };
        assert_eq!(suite.harness.counts, Some(counts));
        assert_eq!(suite.durations["first"], Duration::from_millis(13));
        assert!(!suite.durations.contains_key("left_out"));
        assert_eq!(suites["app"].harness.counts, Some(TestCounts::default()));
    }

    #[test]
    fn a_report_that_is_none_or_cut_short() {
        assert!(parse("").is_empty());
        assert!(parse("not XML").is_empty());
        for (end, _) in REPORT.char_indices() {
            parse(&REPORT[..end]);
        }
    }

    #[test]
    fn attributes_and_what_stands_for_characters() {
        let element = "testcase classname=\"name\"\n name='a=\"b\"' time=\"1\"/>";
        assert_eq!(attribute(element, "name").as_deref(), Some("a=\"b\""));
        assert_eq!(attribute(element, "time").as_deref(), Some("1"));
        assert_eq!(attribute(element, "type"), None);
        assert_eq!(unescape("a &amp;lt; b &lt;&gt; &#10; &"), "a &lt; b <> &#10; &");
    }
}
