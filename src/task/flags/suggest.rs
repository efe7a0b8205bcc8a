//! What may have been meant: the errors about words that nothing knows.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::{Flag, flags, runs_tests, subcommands};
use crate::task::config::Command;
use crate::ui::message::Advised;

/// Arguments of the test binaries that people give to `cargo test` without the `--` in front.
const LIBTEST: &[&str] = &[
    "exact",
    "exclude-should-panic",
    "force-run-in-process",
    "format",
    "ignored",
    "include-ignored",
    "list",
    "logfile",
    "report-time",
    "show-output",
    "shuffle",
    "shuffle-seed",
    "skip",
];

/// The first word behind `cargo xtask` is no task.
pub(super) fn unknown_task(word: &str) -> anyhow::Error {
    if word.starts_with('-') {
        let what = format!("`{word}` stands where the name of a task is expected");
        return Advised::new(what, format!("put the task first: `{} {word}`", Command::Coverage)).into();
    }
    // `report` alone is understood as `coverage report`.
    let meant =
        Command::ALL.into_iter().find(|command| command.words().last() == Some(&word)).or_else(|| {
            let names: Vec<String> = Command::ALL.iter().map(|command| command.words().join(" ")).collect();
            let nearest = nearest(word, &names.iter().map(String::as_str).collect::<Vec<_>>())?.to_owned();
            Command::ALL.into_iter().find(|command| command.words().join(" ") == nearest)
        });
    let cure = match meant {
        Some(command) => format!("did you mean `{command}`?"),
        None => "`cargo xtask --help` lists all tasks".to_owned(),
    };
    Advised::new(format!("unknown task `{word}`"), cure).into()
}

/// The first word behind `command` would be the name of a test, but is nearly that of a subcommand.
///
/// One slip of a finger is enough to doubt: the other way round costs a build and a run of no tests at all. `unit` is what many
/// tests are called.
pub(super) fn misspelled_subcommand(command: Command, word: &str) -> Option<anyhow::Error> {
    let names = subcommands(command).filter_map(|sub| sub.words().last().copied()).chain(["help"]);
    let meant = names.into_iter().find(|name| distance(name, word) == 1 && word != "unit")?;
    subcommands(command).next()?;
    let cure = format!("for tests with that name, write `{command} -- {word}`");
    Some(Advised::new(format!("unknown command `{word}`; did you mean `{command} {meant}`?"), cure).into())
}

/// `spelled` is no flag of `command`; `known` is what it is for other commands, and `word` the whole word it stands in.
pub(super) fn unknown_flag(
    command: Command,
    known: Option<&Flag>,
    spelled: &str,
    word: &OsStr,
) -> anyhow::Error {
    if let Some(flag) = known {
        let mut owners: Vec<Command> = flags()
            .filter(|other| other.long == flag.long)
            .flat_map(|other| other.commands)
            .copied()
            .collect();
        owners.sort_by_key(|owner| Command::ALL.iter().position(|command| command == owner));
        let owners: Vec<String> = owners.iter().map(|command| format!("`{command}`")).collect();
        let what = format!("`{command}` has no flag `{spelled}`");
        return Advised::new(what, format!("it belongs to {}", list(&owners, "and"))).into();
    }
    let word = word.to_string_lossy();
    let name = word.trim_start_matches('-');
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    // `-lib` reads as `-l -i -b`, but someone who writes it means a long flag.
    let is_long = spelled.starts_with("--");
    let what = if is_long || word.chars().count() == 2 {
        format!("unknown flag `{spelled}`")
    } else {
        format!("unknown flag `{spelled}` in `{word}`")
    };
    let names = flags()
        .filter(|flag| flag.commands.contains(&command))
        .flat_map(|flag| [flag.long].into_iter().chain(flag.aliases.iter().copied()));
    let names: Vec<&str> = names.collect();
    let cure = if is_long && runs_tests(command) && LIBTEST.contains(&name) {
        format!("test binaries have it: `{command} -- {word}`")
    } else if let Some(nearest) = nearest(name, &names).filter(|_| is_long || name.chars().count() > 2) {
        format!("did you mean `--{nearest}`?")
    } else {
        format!("`{command} --help` lists all flags")
    };
    Advised::new(what, cure).into()
}

/// Remarks on variables that look as if they should do something and do not.
///
/// Variables that are near no flag belong to someone else: coverage.py has names with the same beginning.
pub(super) fn unknown_variables(variables: &BTreeMap<String, OsString>) -> Vec<String> {
    let variables_of_flags: Vec<String> = flags().filter_map(Flag::variable).collect();
    let known: Vec<&str> = variables_of_flags.iter().map(String::as_str).collect();
    let mut remarks = Vec::new();
    for name in variables.keys().filter(|name| !known.contains(&name.as_str())) {
        if let Some(flag) = flags().find(|flag| flag.variable_name() == *name) {
            remarks
                .push(format!("environment variable `{name}` does nothing: use the flag `--{}`", flag.long));
        } else if let Some(meant) = within(name, &known, if name.len() < 20 { 1 } else { 2 }) {
            remarks.push(format!("environment variable `{name}` does nothing; did you mean `{meant}`?"));
        }
    }
    remarks
}

/// `names` as in "`a`, `b` or `c`".
pub(super) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    list(&quoted, "or")
}

/// `words` as in "a, b and c".
fn list(words: &[String], joint: &str) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, front)) => format!("{} {joint} {last}", front.join(", ")),
        None => String::new(),
    }
}

/// The candidate that `word` most probably stands for: the nearest, if at most a third of the letters are wrong, else the
/// only one that begins with it.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let letters = word.chars().count();
    let mut longer = candidates.iter().filter(|candidate| letters >= 3 && candidate.starts_with(word));
    within(word, candidates, (letters / 3).clamp(1, 3))
        .or_else(|| longer.next().filter(|_| longer.next().is_none()).copied())
}

/// The nearest candidate, if it takes at most so many slips to make `word` of it.
fn within<'a>(word: &str, candidates: &[&'a str], slips: usize) -> Option<&'a str> {
    let nearest = candidates.iter().min_by_key(|candidate| distance(word, candidate))?;
    (distance(word, nearest) <= slips).then_some(*nearest)
}

/// How many letters must be added, removed, replaced or swapped with their neighbour to turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Rows of the table of distances between beginnings of `a` and beginnings of `b`.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before_last[j - 2] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest, one_of};

    #[test]
    fn distance_counts_slips() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("lcov", "lcov", 0),
            ("lcvo", "lcov", 1),
            ("lcv", "lcov", 1),
            ("lcoov", "lcov", 1),
            ("lcav", "lcov", 1),
            ("report", "reprot", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn nearest_is_near() {
        let candidates = ["lib", "lcov", "ignore-filename-regex", "no-fail-fast", "bins", "bin"];
        for (word, expected) in [
            ("lcvo", Some("lcov")),
            ("no-failfast", Some("no-fail-fast")),
            ("ignore-filename", Some("ignore-filename-regex")),
            ("ignore", Some("ignore-filename-regex")),
            ("bin", Some("bin")),
            ("html", None),
            ("l", None),
            ("xyz", None),
        ] {
            assert_eq!(nearest(word, &candidates), expected, "{word}");
        }
    }

    #[test]
    fn words_are_listed() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b"]), "`a` or `b`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
