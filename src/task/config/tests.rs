//! What a configuration asks for: reports and their places, numbers of jobs.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use super::Format::{Json, Lcov, Table, Text};
use super::{Command, Config, Destination, Format, Jobs, Place};

/// `expected`: one word for each report, as in `lcov>dir/lcov.info`, with `!` behind the format for a summary.
fn check_requests(command: Command, formats: &[Format], place: Place, expected: &str) {
    for (summary_only, mark) in [(false, ""), (true, "!")] {
        let mut output = Config::new().output;
        output.formats = formats.to_vec();
        output.place = place.clone();
        output.summary_only = summary_only;
        let words: Vec<String> = output
            .requests(command, Path::new("usual"))
            .into_iter()
            .map(|request| {
                let destination = match request.destination {
                    Destination::Stdout => "stdout".to_owned(),
                    Destination::Stderr => "stderr".to_owned(),
                    Destination::File(path) => path.display().to_string().replace('\\', "/"),
                };
                let mark = if request.summary_only { "!" } else { "" };
                format!("{:?}{mark}>{destination}", request.format).to_lowercase()
            })
            .collect();
        let expected = expected.replace('!', mark);
        assert_eq!(words.join(" "), expected, "{command} {formats:?} {place:?} summary: {summary_only}");
    }
}

#[test]
fn reports_go_where_they_are_wanted() {
    let file = || Place::File(PathBuf::from("f"));
    let dir = || Place::Directory(PathBuf::from("d"));
    let check = check_requests;
    for command in [Command::Coverage, Command::Report] {
        check(command, &[Lcov], Place::Usual, "lcov!>stdout");
        check(command, &[Text], Place::File(PathBuf::from("-")), "text!>stdout");
        check(command, &[Lcov], file(), "lcov!>f table!>stdout");
        check(
            command,
            &[Lcov, Json],
            Place::Usual,
            "lcov!>usual/lcov.info json!>usual/coverage.json table!>stdout",
        );
        check(command, &[Text], dir(), "text!>d/coverage.txt table!>stdout");
        check(command, &[Text, Table], dir(), "text!>d/coverage.txt table!>d/summary.txt");
        check(command, &[Table], Place::Usual, "table!>stdout");
    }
    // The tracefile that nobody asked for is whole, even where only a summary is wanted.
    check(Command::Coverage, &[], Place::Usual, "lcov>usual/lcov.info table!>stdout");
    check(Command::Coverage, &[], dir(), "lcov>d/lcov.info table!>stdout");
    check(Command::Report, &[], Place::Usual, "table!>stdout");
    check(Command::Report, &[], dir(), "table!>stdout");
    // Standard output is the program's, unless it is asked for by name.
    check(Command::Run, &[], Place::Usual, "lcov>usual/lcov.info table!>stderr");
    check(Command::Run, &[Lcov], Place::Usual, "lcov!>usual/lcov.info table!>stderr");
    check(Command::Run, &[Lcov], Place::File(PathBuf::from("-")), "lcov!>stdout table!>stderr");
    check(Command::Run, &[Lcov], file(), "lcov!>f table!>stderr");
    check(Command::ShowEnv, &[Lcov], Place::Usual, "");
    check(Command::Clean, &[Lcov], Place::Usual, "");
    check(Command::Verify, &[Lcov], Place::Usual, "");
}

#[test]
fn no_report_means_none() {
    let mut output = Config::new().output;
    output.formats = vec![Lcov];
    output.enabled = false;
    assert_eq!(output.requests(Command::Coverage, Path::new("usual")), []);
}

#[test]
fn jobs_depend_on_the_machine() {
    let number = |n| NonZeroU32::new(n).expect("not zero");
    for (jobs, cores, expected) in [
        (Jobs::Count(number(3)), 8, 3),
        (Jobs::Count(number(9)), 2, 9),
        (Jobs::AllBut(number(2)), 8, 6),
        (Jobs::AllBut(number(8)), 8, 1),
        (Jobs::AllBut(number(9)), 8, 1),
    ] {
        let cores = NonZeroUsize::new(cores).expect("not zero");
        assert_eq!(jobs.resolve(cores).get(), expected, "{jobs:?} {cores}");
    }
}

#[test]
fn every_report_is_removed_when_nobody_asks_for_it() {
    let mut names: Vec<&str> = Format::ALL.iter().map(|format| format.file_name()).collect();
    for name in &names {
        assert!(crate::layout::REPORT_FILES.contains(name), "{name}");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Format::ALL.len());
}
