//! Markdown for a job summary or a comment: totals, the files that miss most, and their missing lines, folded. Pure text within
//! a number of bytes.
//!
//! It is GitHub's Markdown, which GitLab reads too.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::{Result, Write};

use super::patch::{self, PatchCoverage};
use super::table::Order;
use super::{name, table};
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, FileCoverage, Summary};

/// What goes into a summary.
#[derive(Clone, Copy, Debug)]
pub struct MarkdownOptions<'a> {
    /// Sections in Markdown that stand above the totals, such as failed thresholds. Each ends with a line break.
    pub sections: &'a [String],
    /// Files in the table.
    pub most_files: usize,
    /// Whether the missing lines are listed.
    pub missing_lines: bool,
    /// Bytes that the summary may have. Heading, sections and totals are there in any case; rows and missing lines are as many
    /// as fit.
    pub limit: usize,
}

impl MarkdownOptions<'_> {
    /// What fits a comment on GitHub, where 65536 characters are the most. A job's summary may have 1 MiB.
    pub const DEFAULT: MarkdownOptions<'static> =
        MarkdownOptions { sections: &[], most_files: 20, missing_lines: true, limit: 60_000 };
}

/// Bytes for what closes lists that were cut short.
const RESERVE: usize = 200;

/// Writes the summary.
///
/// # Errors
/// Those of `out`.
pub fn write(coverage: &Coverage, options: &MarkdownOptions<'_>, out: &mut dyn Write) -> Result<()> {
    let mut text = format!("## Coverage: {} of lines\n\n", coverage.totals.lines);
    for section in options.sections {
        text.push_str(section);
        text.push('\n');
    }
    push_totals(&mut text, &coverage.totals);

    let mut files: Vec<&FileCoverage> =
        coverage.files.iter().filter(|file| file.summary.lines.missed() > 0).collect();
    // A stable sort: equal ones stay in the order of their paths.
    files.sort_by_key(|file| Reverse(file.summary.lines.missed()));
    if files.is_empty() {
        text.push_str("\nEvery line ran.\n");
    } else {
        if options.most_files > 0 {
            push_files(&mut text, &files, options);
        }
        if options.missing_lines {
            push_missing_lines(&mut text, &files, options);
        }
    }
    out.write_all(text.as_bytes())
}

/// A section that says what is missed.
pub fn failures_section(failures: &[&str]) -> String {
    let mut section = String::new();
    for failure in failures {
        let _ = writeln!(section, "- **Failed:** {}", inline(failure));
    }
    section
}

/// A section on what changed.
pub fn patch_section(patch: &PatchCoverage) -> String {
    let text = patch::render(patch, Order::WorstFirst);
    let (total, missing) = text.split_at(text.find('\n').map_or(text.len(), |end| end + 1));
    let mut section = format!("{}\n\nCompared with {}.\n", inline(total.trim_end()), inline(&patch.base));
    if !missing.is_empty() {
        section.push_str(&text_section("Changed lines that did not run", missing));
    }
    section
}

/// A folded section with text as it is, of which the end is left out where it is long.
pub fn text_section(title: &str, text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        if shown.len() + line.len() > SECTION_LIMIT {
            shown.push_str("…\n");
            break;
        }
        shown.push_str(line);
        shown.push('\n');
    }
    let fence = fence(longest_backticks(&shown));
    format!("\n<details><summary>{}</summary>\n\n{fence}text\n{shown}{fence}\n\n</details>\n", inline(title))
}

/// Bytes of the text of a section.
const SECTION_LIMIT: usize = 8_000;

/// A sentence in which nothing has a meaning but code between backticks.
fn inline(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    for (index, part) in sentence.split('`').enumerate() {
        if index % 2 == 1 {
            text.push_str(&code(part));
        } else {
            for c in part.chars() {
                match c {
                    '<' => text.push_str("&lt;"),
                    '&' => text.push_str("&amp;"),
                    '|' | '*' | '_' | '[' | '~' | '\\' => text.extend(['\\', c]),
                    _ => text.push(c),
                }
            }
        }
    }
    text
}

/// The longest run of backticks.
fn longest_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// What opens and closes a block in which such a run has no meaning.
fn fence(longest_backticks: usize) -> String {
    "`".repeat(longest_backticks.max(2) + 1)
}

fn push_totals(text: &mut String, totals: &Summary) {
    text.push_str("| | Covered | Missed | Count | Cover |\n|:--|--:|--:|--:|--:|\n");
    let branches = Some(totals.branches).filter(|branches| branches.count > 0);
    for (name, ratio) in [
        ("Lines", Some(totals.lines)),
        ("Functions", Some(totals.functions)),
        ("Regions", Some(totals.regions)),
        ("Branches", branches),
    ] {
        let Some(ratio) = ratio else { continue };
        let Ratio { covered, count } = ratio;
        let _ = writeln!(text, "| {name} | {covered} | {} | {count} | {ratio} |", ratio.missed());
    }
}

fn push_files(text: &mut String, files: &[&FileCoverage], options: &MarkdownOptions<'_>) {
    let mut rows =
        "\n| File | Missed lines | Lines | Functions | Regions | Cover |\n|:--|--:|--:|--:|--:|--:|\n"
            .to_owned();
    let mut shown = 0;
    for file in files.iter().take(options.most_files) {
        let Summary { lines, functions, regions, .. } = file.summary;
        let path = name::text(&file.path);
        let row = format!(
            "| {} | {} | {} | {functions} | {regions} | {lines} |\n",
            code(&path),
            lines.missed(),
            lines.count
        );
        if text.len() + rows.len() + row.len() + RESERVE > options.limit {
            break;
        }
        rows.push_str(&row);
        shown += 1;
    }
    if shown > 0 {
        text.push_str(&rows);
    }
    push_rest(text, files.len() - shown);
}

fn push_missing_lines(text: &mut String, files: &[&FileCoverage], options: &MarkdownOptions<'_>) {
    let mut list = String::new();
    let mut shown = 0;
    let mut most_backticks = 0;
    for file in files {
        let missing: Vec<u32> = file.lines().filter(|line| line.count == 0).map(|line| line.line).collect();
        let item = format!("{}:{}\n", name::text(&file.path), table::ranges(&missing));
        let backticks = most_backticks.max(longest_backticks(&item));
        // Twice, for what opens and what closes the block.
        if text.len() + list.len() + item.len() + 2 * backticks + RESERVE > options.limit {
            continue;
        }
        list.push_str(&item);
        most_backticks = backticks;
        shown += 1;
    }
    if shown == 0 {
        return;
    }
    let fence = fence(most_backticks);
    let _ = write!(text, "\n<details><summary>Missing lines</summary>\n\n{fence}text\n{list}{fence}\n");
    push_rest(text, files.len() - shown);
    text.push_str("\n</details>\n");
}

fn push_rest(text: &mut String, n_files: usize) {
    if n_files > 0 {
        let plural = if n_files == 1 { "" } else { "s" };
        let _ = writeln!(text, "\nand {n_files} more file{plural}");
    }
}

/// `text`, which is one line, as code in a cell of a table.
///
/// Between backticks nothing has a meaning but a backtick, and in a table the bar; text with these is written with character
/// references instead, and nothing in it is left that Markdown knows.
pub fn code(text: &str) -> String {
    let is_plain = !text.contains(['`', '|']) && !text.starts_with(' ') && !text.ends_with(' ');
    if is_plain && !text.is_empty() {
        return format!("`{text}`");
    }
    let mut escaped = "<code>".to_owned();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, '/' | '.') {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "&#{};", u32::from(c));
        }
    }
    escaped.push_str("</code>");
    escaped
}

#[cfg(test)]
mod tests {
    use super::{MarkdownOptions, code, failures_section, text_section, write};
    use crate::coverage::Coverage;
    use crate::report::sample;

    fn render(coverage: &Coverage, options: MarkdownOptions<'_>) -> String {
        let mut text = Vec::new();
        write(coverage, &options, &mut text).expect("memory");
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn the_limit_holds() {
        let mut coverage = sample::coverage();
        let whole = render(&coverage, MarkdownOptions::DEFAULT).len();
        for limit in 600..whole + 300 {
            let text = render(&coverage, MarkdownOptions { limit, ..MarkdownOptions::DEFAULT });
            assert!(text.len() <= limit, "{limit}: {text}");
            assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        }
        let short = render(
            &coverage,
            MarkdownOptions { most_files: 0, missing_lines: false, ..MarkdownOptions::DEFAULT },
        );
        assert!(short.ends_with("% |\n"), "{short}");
        coverage.files.truncate(2);
        assert!(render(&coverage, MarkdownOptions::DEFAULT).ends_with("\nEvery line ran.\n"));
    }

    #[test]
    fn a_fence_is_longer_than_what_is_in_it() {
        let mut coverage = sample::coverage();
        coverage.files[2].path = (*b"````/<x>/|.rs").into();
        let text = render(&coverage, MarkdownOptions::DEFAULT);
        assert!(text.contains("\n`````text\n````/<x>/|.rs:9-11,13\n`````\n"), "{text}");
    }

    #[test]
    fn sections_have_no_meaning_of_their_own() {
        let failures = failures_section(&["line coverage of `a|b<c>.rs` is <low> & 7*6"]);
        assert_eq!(
            failures,
            "- **Failed:** line coverage of <code>a&#124;b&#60;c&#62;.rs</code> is &lt;low> &amp; 7\\*6\n"
        );
        let section = text_section("a < b", "````\n</details>\n");
        assert!(
            section.contains("<summary>a &lt; b</summary>\n\n`````text\n````\n</details>\n`````\n"),
            "{section}"
        );
        let long = text_section("long", &"0123456789\n".repeat(10_000));
        assert!(long.len() < 9_000 && long.contains("\n…\n```\n"), "{} bytes", long.len());
    }

    #[test]
    fn code_has_no_meaning() {
        for (text, expected) in [
            ("src/__init__.rs", "`src/__init__.rs`"),
            ("<b>&amp;*x*.rs", "`<b>&amp;*x*.rs`"),
            ("a|b", "<code>a&#124;b</code>"),
            ("größe/`<b>` @x.rs", "<code>größe/&#96;&#60;b&#62;&#96;&#32;&#64;x.rs</code>"),
            (" x", "<code>&#32;x</code>"),
        ] {
            assert_eq!(code(text), expected);
        }
    }
}
