//! The summary that people read: one row for each file and a total, the totals alone, the lines that are missing.
//!
//! Pure text from numbers. Which files count was decided before; nothing here knows a terminal.

mod columns;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt::Write;

use super::grade::Grade;
use super::name;
use crate::coverage::summary::Ratio;

/// How much of one file, or of all, ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Mapped lines.
    pub lines: Ratio,
    /// Functions: generic copies count once.
    pub functions: Ratio,
    /// Source regions.
    pub regions: Ratio,
    /// Outcomes of conditions; `None` when the build did not record branches.
    pub branches: Option<Ratio>,
}

/// One file of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The path as people know it: relative to the workspace, with `/`.
    pub path: String,
    /// Its numbers.
    pub counts: Counts,
}

/// The lines of one file that never ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingLines {
    /// The path, as in [`Row::path`].
    pub path: String,
    /// Their numbers from 1, ascending, each once.
    pub lines: Vec<u32>,
}

/// The order of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Most missed lines first, so that the work that pays most is on top; equal ones by path.
    WorstFirst,
    /// By path, byte by byte.
    Path,
}

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the terminal that a line may take; `None` where nothing limits it, as in a file, so that every path
    /// stands there in full.
    pub width: Option<usize>,
    /// Whether to color with ANSI escape sequences.
    pub color: bool,
    /// The order of the rows.
    pub order: Order,
}

/// The table: a header, one line for each row in `layout.order`, a rule, the total.
///
/// The share of lines stands last, so the line that begins with `TOTAL` ends with the total line coverage, which is what
/// GitLab's `coverage:` patterns look for. Paths longer than their column lose directories from the middle and keep the
/// file name. Where even that leaves too little room for paths, columns go in this order: regions, functions, branches,
/// lines, missed lines. The share of lines always stays.
///
/// Characters that would move the cursor or change the direction of writing are shown as Rust escapes.
pub fn render(rows: &[Row], total: Counts, layout: Layout) -> String {
    let mut rows: Vec<&Row> = rows.iter().collect();
    match layout.order {
        Order::WorstFirst => rows.sort_by_key(|row| (Reverse(row.counts.lines.missed()), &row.path)),
        Order::Path => rows.sort_by_key(|row| &row.path),
    }
    let lines: Vec<Line<'_>> =
        rows.iter().map(|row| Line { name: name::text(row.path.as_bytes()), counts: row.counts }).collect();
    let total = Line { name: Cow::Borrowed("TOTAL"), counts: total };
    let grid = Grid::fit(&lines, &total, layout);

    let mut out = String::new();
    grid.header(&mut out);
    for line in &lines {
        grid.row(&mut out, line, false);
    }
    grid.rule(&mut out);
    grid.row(&mut out, &total, true);
    out
}

/// The totals alone: one line each for lines, functions, regions and, where recorded, branches.
pub fn render_totals(total: Counts, color: bool) -> String {
    let kinds = [
        ("Lines", Some(total.lines)),
        ("Functions", Some(total.functions)),
        ("Regions", Some(total.regions)),
        ("Branches", total.branches),
    ];
    let mut out = String::new();
    paint(
        &mut out,
        BOLD,
        &format!("{:9}  {:>9}  {:>9}  {:>9}  {:>7}", "", "Count", "Covered", "Missed", "Cover"),
        color,
    );
    out.push('\n');
    for (name, ratio) in kinds {
        let Some(ratio) = ratio else { continue };
        let (count, covered, missed) = (ratio.count, ratio.covered, ratio.missed());
        let _ = write!(out, "{name:9}  {count:>9}  {covered:>9}  {missed:>9}  ");
        paint(&mut out, grade(ratio), &format!("{ratio:>7}"), color);
        out.push('\n');
    }
    out
}

/// The share of lines on one line, for the patterns of CI services: `TOTAL 12000 of 12345 lines 97.20%`.
pub fn render_total_line(lines: Ratio) -> String {
    format!("TOTAL {} of {} lines {lines}\n", lines.covered, lines.count)
}

/// The missing lines of each file as `path:12,15-19`, which editors and terminals open at the first of them.
///
/// A range holds only lines that are missing: blank lines and comments end it. Files that miss nothing are left out.
pub fn render_missing_lines(files: &[MissingLines], order: Order) -> String {
    let mut files: Vec<&MissingLines> = files.iter().filter(|file| !file.lines.is_empty()).collect();
    match order {
        Order::WorstFirst => files.sort_by_key(|file| (Reverse(file.lines.len()), &file.path)),
        Order::Path => files.sort_by_key(|file| &file.path),
    }
    let mut out = String::new();
    for file in files {
        let _ = writeln!(out, "{}:{}", name::text(file.path.as_bytes()), ranges(&file.lines));
    }
    out
}

/// Ascending numbers as `12,15-19`.
pub(super) fn ranges(lines: &[u32]) -> String {
    let mut out = String::new();
    for run in lines.chunk_by(|line, next| line.checked_add(1) == Some(*next)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        if !out.is_empty() {
            out.push(',');
        }
        let _ = if first == last { write!(out, "{first}") } else { write!(out, "{first}-{last}") };
    }
    out
}

/// A line of the table before its cells are laid out.
struct Line<'a> {
    /// What stands in the first column, already safe to print.
    name: Cow<'a, str>,
    counts: Counts,
}

/// A column of numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Regions,
    Functions,
    Branches,
    Lines,
    Missed,
    Cover,
}

/// From left to right.
const COLUMNS: [Column; 6] =
    [Column::Regions, Column::Functions, Column::Branches, Column::Lines, Column::Missed, Column::Cover];

/// What goes first where the table is too wide. The share of lines is not here: it stays.
const DROP_ORDER: [Column; 5] =
    [Column::Regions, Column::Functions, Column::Branches, Column::Lines, Column::Missed];

/// Blanks in front of each column of numbers.
const GAP: usize = 2;

/// Columns of numbers go until paths have this much room, unless they need less.
const COMFORTABLE_PATH: usize = 28;

/// A path longer than this is shortened in any terminal: one outlier would move all numbers far away from their paths.
const LONGEST_PATH: usize = 72;

/// Even a hopelessly narrow terminal leaves paths this much; lines are then longer than it.
const LEAST_PATH: usize = 8;

impl Column {
    fn title(self) -> &'static str {
        match self {
            Column::Regions => "Regions",
            Column::Functions => "Functions",
            Column::Branches => "Branches",
            Column::Lines => "Lines",
            Column::Missed => "Missed",
            Column::Cover => "Cover",
        }
    }

    /// The text of a cell and its color.
    fn cell(self, counts: &Counts) -> (String, &'static str) {
        let share = |ratio: Ratio| (ratio.to_string(), grade(ratio));
        match self {
            Column::Regions => share(counts.regions),
            Column::Functions => share(counts.functions),
            Column::Branches => share(counts.branches.unwrap_or(Ratio::EMPTY)),
            Column::Lines => (counts.lines.count.to_string(), ""),
            Column::Missed => {
                let missed = counts.lines.missed();
                (missed.to_string(), if missed == 0 { DIM } else { "" })
            }
            Column::Cover => share(counts.lines),
        }
    }
}

/// Which columns there are and how wide they are.
struct Grid {
    name_width: usize,
    columns: Vec<(Column, usize)>,
    color: bool,
}

impl Grid {
    fn fit(lines: &[Line<'_>], total: &Line<'_>, layout: Layout) -> Grid {
        let all = || lines.iter().chain([total]);
        let widest = |column: Column| {
            let cells = all().map(|line| column.cell(&line.counts).0.len());
            cells.max().unwrap_or(0).max(column.title().len())
        };
        let has_branches = all().any(|line| line.counts.branches.is_some());
        let mut columns: Vec<(Column, usize)> = COLUMNS
            .into_iter()
            .filter(|&column| column != Column::Branches || has_branches)
            .map(|column| (column, widest(column)))
            .collect();

        let longest = all().map(|line| columns::width(&line.name)).max().unwrap_or(0);
        let Some(width) = layout.width else {
            return Grid { name_width: longest, columns, color: layout.color };
        };
        let room = |columns: &[(Column, usize)]| {
            width.saturating_sub(columns.iter().map(|(_, width)| width + GAP).sum::<usize>())
        };
        for dropped in DROP_ORDER {
            if room(&columns) >= longest.min(COMFORTABLE_PATH) {
                break;
            }
            columns.retain(|(column, _)| *column != dropped);
        }
        let name_width = longest.min(room(&columns).clamp(LEAST_PATH, LONGEST_PATH));
        Grid { name_width, columns, color: layout.color }
    }

    fn header(&self, out: &mut String) {
        let mut text = format!("{:1$}", "File", self.name_width);
        for (column, width) in &self.columns {
            let _ = write!(text, "  {:>width$}", column.title());
        }
        paint(out, BOLD, &text, self.color);
        out.push('\n');
        self.rule(out);
    }

    fn rule(&self, out: &mut String) {
        let width = self.name_width + self.columns.iter().map(|(_, width)| width + GAP).sum::<usize>();
        paint(out, DIM, &"─".repeat(width), self.color);
        out.push('\n');
    }

    fn row(&self, out: &mut String, line: &Line<'_>, emphasis: bool) {
        let name = columns::shorten(&line.name, self.name_width);
        let styled = |style: &str| match (emphasis, style) {
            (false, style) => style.to_owned(),
            (true, "") => BOLD.to_owned(),
            (true, style) => format!("{BOLD};{style}"),
        };
        paint(out, &styled(""), &name, self.color);
        out.push_str(&" ".repeat(self.name_width.saturating_sub(columns::width(&name))));
        for (column, width) in &self.columns {
            let (text, style) = column.cell(&line.counts);
            out.push_str("  ");
            paint(out, &styled(style), &format!("{text:>width$}"), self.color);
        }
        out.push('\n');
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";

/// The color of a share: green, yellow or red; dim where nothing was to be covered.
fn grade(ratio: Ratio) -> &'static str {
    match Grade::of(ratio) {
        Grade::Nothing => DIM,
        Grade::High => "32",
        Grade::Medium => "33",
        Grade::Low => "31",
    }
}

/// Appends `text` in the ANSI style `style`, of which the empty one is plain.
fn paint(out: &mut String, style: &str, text: &str, color: bool) {
    if color && !style.is_empty() {
        let _ = write!(out, "\x1b[{style}m{text}\x1b[0m");
    } else {
        out.push_str(text);
    }
}
