//! What did not run, as the few remarks that a service shows beside the source: GitHub's workflow commands.
//!
//! Pure text. GitHub shows ten warnings of a step and drops the others.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::coverage::line::LineCoverage;

/// So many warnings of one step are shown.
pub const MOST: usize = 10;

/// A stretch of lines that did not run, perhaps with lines without code between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The file's path from the root of the repository.
    pub path: String,
    /// Its first line that did not run.
    pub first: u32,
    /// Its last.
    pub last: u32,
    /// How many lines with code it has; none of them ran.
    pub lines: u32,
}

/// The stretches of a file: of its mapped lines, which ascend, those that did not run and are `wanted`. Any other mapped line ends
/// a stretch, a line without code does not.
pub fn stretches(
    path: &str,
    mapped: impl Iterator<Item = LineCoverage>,
    wanted: impl Fn(u32) -> bool,
) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut goes_on = false;
    for LineCoverage { line, count, .. } in mapped {
        let is_missing = count == 0 && wanted(line);
        match stretches.last_mut() {
            Some(stretch) if is_missing && goes_on => {
                stretch.last = line;
                stretch.lines = stretch.lines.saturating_add(1);
            }
            _ if is_missing => {
                stretches.push(Stretch { path: path.to_owned(), first: line, last: line, lines: 1 });
            }
            _ => {}
        }
        goes_on = is_missing;
    }
    stretches
}

/// A warning for each of the longest stretches, at most [`MOST`], under this title. The last says how many there are besides.
pub fn warnings(mut stretches: Vec<Stretch>, title: &str) -> Vec<String> {
    stretches.sort_by_key(|it| (Reverse(it.lines), it.path.clone(), it.first));
    let (shown, others) = stretches.split_at(stretches.len().min(MOST));
    let mut warnings = Vec::new();
    for (index, Stretch { path, first, last, lines }) in shown.iter().enumerate() {
        let mut message = match (first == last, lines) {
            (true, _) => format!("Line {first} did not run."),
            (false, lines) => format!("Lines {first} to {last} did not run, {lines} of them with code."),
        };
        if index + 1 == shown.len() && !others.is_empty() {
            let lines: u64 = others.iter().map(|it| u64::from(it.lines)).sum();
            let (place, line) = (plural(others.len() == 1), plural(lines == 1));
            message.push_str(&format!(
                " {} more place{place} with {lines} line{line} did not run.",
                others.len()
            ));
        }
        let (first, last) = (first.to_string(), last.to_string());
        let properties = [("file", path.as_str()), ("line", &first), ("endLine", &last), ("title", title)];
        warnings.push(command("warning", &properties, &message));
    }
    warnings
}

fn plural(is_one: bool) -> &'static str {
    if is_one { "" } else { "s" }
}

/// A workflow command on a line of its own, escaped as GitHub's own toolkit does.
pub fn command(name: &str, properties: &[(&str, &str)], message: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |(key, value): &(&str, &str)| {
        format!("{key}={}", data(value).replace(':', "%3A").replace(',', "%2C"))
    };
    let properties: Vec<String> = properties.iter().map(property).collect();
    let blank = if properties.is_empty() { "" } else { " " };
    format!("::{name}{blank}{}::{}\n", properties.join(","), data(message))
}

/// `text` with nothing in it that GitHub's runner takes for a command: a line that begins with `::`, as that of a file could that is
/// called so, or `##[` anywhere.
pub fn disarmed(text: &str) -> Cow<'_, str> {
    let is_command = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##[") && !text.lines().any(is_command) {
        return Cow::Borrowed(text);
    }
    let line =
        |line: &str| format!("{}{}", if is_command(line) { "./" } else { "" }, line.replace("##[", "## ["));
    Cow::Owned(text.split_inclusive('\n').map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::{Stretch, command, disarmed, stretches, warnings};
    use crate::coverage::line::LineCoverage;
    use crate::coverage::summary::Ratio;

    fn check(lines: &[(u32, u64)], wanted: &[u32], expected: &[(u32, u32, u32)]) {
        let lines = lines.iter().map(|&(line, count)| LineCoverage { line, count, regions: Ratio::EMPTY });
        let found: Vec<(u32, u32, u32)> =
            stretches("a.rs", lines, |line| wanted.is_empty() || wanted.contains(&line))
                .into_iter()
                .map(|it| (it.first, it.last, it.lines))
                .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_of_files_are_no_commands() {
        for (text, expected) in [
            ("src/a.rs  1\nsrc/b::c.rs  2\n", "src/a.rs  1\nsrc/b::c.rs  2\n"),
            ("File\n::error::x.rs  1\n", "File\n./::error::x.rs  1\n"),
            ("  ::stop-commands::x", "./  ::stop-commands::x"),
            ("a##[group]b\n", "a## [group]b\n"),
        ] {
            assert_eq!(disarmed(text), expected);
        }
    }

    #[test]
    fn lines_without_code_do_not_part_what_is_missing() {
        check(&[], &[], &[]);
        check(&[(1, 3)], &[], &[]);
        check(&[(1, 0), (2, 0), (3, 1), (4, 0)], &[], &[(1, 2, 2), (4, 4, 1)]);
        check(&[(1, 0), (5, 0), (9, 0)], &[], &[(1, 9, 3)]);
        // What is missing, too, but not part of the patch, is none of its business.
        check(&[(1, 0), (2, 0), (3, 0), (7, 0), (8, 0)], &[1, 3, 7], &[(1, 1, 1), (3, 7, 2)]);
    }

    fn stretch(path: &str, first: u32, last: u32, lines: u32) -> Stretch {
        Stretch { path: path.to_owned(), first, last, lines }
    }

    #[test]
    fn the_longest_come_first() {
        let some = vec![stretch("b.rs", 4, 4, 1), stretch("b.rs", 1, 1, 1), stretch("a,b:c.rs", 7, 19, 6)];
        assert_eq!(
            warnings(some, "Not covered"),
            [
                "::warning file=a%2Cb%3Ac.rs,line=7,endLine=19,title=Not covered::Lines 7 to 19 did not run, 6 of them with \
                 code.\n",
                "::warning file=b.rs,line=1,endLine=1,title=Not covered::Line 1 did not run.\n",
                "::warning file=b.rs,line=4,endLine=4,title=Not covered::Line 4 did not run.\n",
            ]
        );
        assert_eq!(warnings(Vec::new(), "Not covered"), [""; 0]);
    }

    #[test]
    fn the_last_says_how_many_more_there_are() {
        let many = |count| (1..=count).map(|line| stretch("a.rs", 3 * line, 3 * line, 1)).collect::<Vec<_>>();
        let last = |count| {
            let warnings = warnings(many(count), "T");
            assert_eq!(warnings.len(), 10);
            warnings[9].split("::").last().expect("a message").to_owned()
        };
        assert_eq!(last(10), "Line 30 did not run.\n");
        assert_eq!(last(11), "Line 30 did not run. 1 more place with 1 line did not run.\n");
        assert_eq!(last(12), "Line 30 did not run. 2 more places with 2 lines did not run.\n");
    }

    #[test]
    fn what_would_end_a_part_is_escaped() {
        assert_eq!(command("endgroup", &[], ""), "::endgroup::\n");
        assert_eq!(
            command("error", &[("title", "50%, a:b\r\nc")], "50%25, a:b\r\nc"),
            "::error title=50%25%2C a%3Ab%0D%0Ac::50%2525, a:b%0D%0Ac\n"
        );
    }
}
