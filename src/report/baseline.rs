//! A run's numbers as a small file that one can commit, and what changed since such a file was written.
//!
//! ```text
//! {"format": "xtask-coverage baseline", "version": 1, "model": "union",
//! "lines": [5, 7], "functions": [2, 3], "regions": [6, 9],
//! "files": {
//! "src/a.rs": {"lines": [3, 4], "functions": [1, 1], "regions": [4, 5], "md5": "0c…", "missing": "12"},
//! "src/b.rs": {"lines": [2, 3], "functions": [1, 2], "regions": [2, 4], "md5": "9e…", "missing": "7"}
//! }}
//! ```
//!
//! A pair is how many ran and how many there are. A file has one line, so that its changes make a readable diff. Pure: who reads the
//! sources hands over their hashes.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::name;
use super::table::{MissingLines, Order, render_missing_lines};
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, FileCoverage, Model};

/// What says that a file is a baseline.
const FORMAT: &str = "xtask-coverage baseline";
/// The version of the format that is written, and the only one that is read.
const VERSION: u64 = 1;
/// So many files of a kind are named; the others are counted.
const NAMED: usize = 20;

/// The numbers of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The model that the numbers follow.
    pub model: Model,
    /// The sums over all files.
    pub totals: Numbers,
    /// The files by their paths, as reports show them.
    pub files: BTreeMap<String, FileNumbers>,
}

/// How much of something ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Mapped lines.
    pub lines: Ratio,
    /// Functions.
    pub functions: Ratio,
    /// Code regions.
    pub regions: Ratio,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNumbers {
    /// Its numbers.
    pub numbers: Numbers,
    /// What tells whether its text is still the same; `None` if it was not there.
    pub hash: Option<String>,
    /// The mapped lines that did not run, ascending and apart.
    pub missing: Vec<RangeInclusive<u32>>,
}

/// Why a file is no baseline for this run. Fit after the file's name and a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaselineError {
    /// It is not JSON.
    Json(String),
    /// It is JSON of somebody else.
    Foreign,
    /// It is a baseline in another version of the format.
    Version(String),
    /// It contradicts itself.
    Broken(String),
    /// Its numbers follow another model.
    Model(Model),
}

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BaselineError::Json(error) => write!(f, "not JSON: {error}"),
            BaselineError::Foreign => f.write_str("not a baseline of xtask-coverage"),
            BaselineError::Version(version) => {
                write!(f, "a baseline in version {version} of the format (this build reads {VERSION})")
            }
            BaselineError::Broken(what) => write!(f, "a broken baseline: {what}"),
            BaselineError::Model(model) => {
                write!(f, "a baseline of `--model {}`, whose numbers are others", model_name(*model))
            }
        }
    }
}

impl std::error::Error for BaselineError {}

impl Baseline {
    /// The numbers of a run. `hash` gives what tells whether a source is still the same.
    pub fn of(coverage: &Coverage, hash: impl Fn(&FileCoverage) -> Option<String>) -> Baseline {
        let mut files = BTreeMap::new();
        let mut totals = Numbers::EMPTY;
        for file in &coverage.files {
            let numbers = Numbers {
                lines: file.summary.lines,
                functions: file.summary.functions,
                regions: file.summary.regions,
            };
            totals.add(numbers);
            let mut missing: Vec<RangeInclusive<u32>> = Vec::new();
            for line in file.lines().filter(|line| line.count == 0).map(|line| line.line) {
                match missing.last_mut() {
                    Some(range) if range.end().checked_add(1) == Some(line) => *range = *range.start()..=line,
                    _ => missing.push(line..=line),
                }
            }
            let path = name::text(&file.path).into_owned();
            files.insert(path, FileNumbers { numbers, hash: hash(file), missing });
        }
        Baseline { model: coverage.model, totals, files }
    }

    /// The text of the file.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let _ = write!(
            text,
            "{{\"format\": \"{FORMAT}\", \"version\": {VERSION}, \"model\": \"{}\",\n{},\n\"files\": {{",
            model_name(self.model),
            self.totals
        );
        for (index, (path, file)) in self.files.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let path = Value::String(path.clone());
            let _ = write!(text, "{comma}\n{path}: {{{}", file.numbers);
            if let Some(hash) = &file.hash {
                let _ = write!(text, ", \"md5\": {}", Value::String(hash.clone()));
            }
            let _ = write!(text, ", \"missing\": \"{}\"}}", ranges(&file.missing));
        }
        text.push_str("\n}}\n");
        text
    }

    /// Reads what [`Baseline::render`] has written, perhaps with other white space and in another order.
    ///
    /// # Errors
    /// Anything else, also numbers that contradict each other, as after a merge by hand.
    pub fn parse(bytes: &[u8]) -> Result<Baseline, BaselineError> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| BaselineError::Json(error.to_string()))?;
        let map = value.as_object().ok_or(BaselineError::Foreign)?;
        if map.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(BaselineError::Foreign);
        }
        match map.get("version") {
            Some(version) if version.as_u64() == Some(VERSION) => {}
            Some(version) => return Err(BaselineError::Version(version.to_string())),
            None => return Err(broken("`version` is missing")),
        }
        let model = match map.get("model").and_then(Value::as_str) {
            Some("union") => Model::Union,
            Some("llvm") => Model::Llvm,
            _ => return Err(broken("`model` is neither \"union\" nor \"llvm\"")),
        };
        let totals = Numbers::parse(map, "the totals")?;
        let mut sums = Numbers::EMPTY;
        let mut files = BTreeMap::new();
        let of_files =
            map.get("files").and_then(Value::as_object).ok_or_else(|| broken("`files` is missing"))?;
        for (path, value) in of_files {
            let file = FileNumbers::parse(path, value, model)?;
            sums.add(file.numbers);
            files.insert(path.clone(), file);
        }
        if sums != totals {
            return Err(broken("its totals are not the sums over its files; was it merged by hand?"));
        }
        Ok(Baseline { model, totals, files })
    }
}

fn broken(what: impl Into<String>) -> BaselineError {
    BaselineError::Broken(what.into())
}

fn model_name(model: Model) -> &'static str {
    match model {
        Model::Union => "union",
        Model::Llvm => "llvm",
    }
}

impl Numbers {
    const EMPTY: Numbers = Numbers { lines: Ratio::EMPTY, functions: Ratio::EMPTY, regions: Ratio::EMPTY };

    fn add(&mut self, other: Numbers) {
        self.lines += other.lines;
        self.functions += other.functions;
        self.regions += other.regions;
    }

    fn parse(map: &Map<String, Value>, of: &str) -> Result<Numbers, BaselineError> {
        let ratio = |name: &str| {
            let error = || broken(format!("`{name}` of {of} is not a pair of numbers"));
            let pair = map.get(name).and_then(Value::as_array).ok_or_else(error)?;
            // Far more than there can be, and little enough to calculate with.
            let number = |value: &Value| value.as_u64().filter(|number| *number <= u64::from(u32::MAX));
            match pair.as_slice() {
                [covered, count] => match (number(covered), number(count)) {
                    (Some(covered), Some(count)) if covered <= count => Ok(Ratio { covered, count }),
                    _ => Err(error()),
                },
                _ => Err(error()),
            }
        };
        Ok(Numbers { lines: ratio("lines")?, functions: ratio("functions")?, regions: ratio("regions")? })
    }
}

/// As in the file, without braces.
impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lines, functions, regions] = [self.lines, self.functions, self.regions]
            .map(|Ratio { covered, count }| format!("[{covered}, {count}]"));
        write!(f, "\"lines\": {lines}, \"functions\": {functions}, \"regions\": {regions}")
    }
}

impl FileNumbers {
    fn parse(path: &str, value: &Value, model: Model) -> Result<FileNumbers, BaselineError> {
        let map = value.as_object().ok_or_else(|| broken(format!("`{path}` has no numbers")))?;
        let numbers = Numbers::parse(map, &format!("`{path}`"))?;
        let hash = map.get("md5").and_then(Value::as_str).map(str::to_owned);
        let error = || broken(format!("`missing` of `{path}` is no list of lines"));
        let text = map.get("missing").and_then(Value::as_str).ok_or_else(error)?;
        let missing = parse_ranges(text).ok_or_else(error)?;
        let missed: u64 =
            missing.iter().map(|range| u64::from(*range.end()) - u64::from(*range.start()) + 1).sum();
        // LLVM's numbers of a file are sums over its functions, where nested ones count the lines that they share again.
        if model == Model::Union && missed != numbers.lines.missed() {
            return Err(broken(format!("`missing` of `{path}` has {missed} lines, `lines` says otherwise")));
        }
        Ok(FileNumbers { numbers, hash, missing })
    }
}

/// `12,15-19`
fn ranges(ranges: &[RangeInclusive<u32>]) -> String {
    let range = |range: &RangeInclusive<u32>| match (range.start(), range.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start}-{end}"),
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}

fn parse_ranges(text: &str) -> Option<Vec<RangeInclusive<u32>>> {
    let mut ranges = Vec::new();
    let mut last = 0;
    for range in text.split(',').filter(|_| !text.is_empty()) {
        let (start, end) = range.split_once('-').unwrap_or((range, range));
        let (start, end): (u32, u32) = (start.parse().ok()?, end.parse().ok()?);
        if start <= last || end < start {
            return None;
        }
        last = end;
        ranges.push(start..=end);
    }
    Some(ranges)
}

/// What changed between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The numbers of the baseline.
    pub then: Numbers,
    /// Those of this run.
    pub now: Numbers,
    /// Files of which a smaller share of the lines ran, and those that did not change and miss lines which they did not miss.
    /// Those that miss most lines more come first.
    pub fallen: Vec<Fallen>,
    /// Files that only this run has, with their lines.
    pub new: Vec<(String, Ratio)>,
    /// Files that only the baseline has, with their lines.
    pub gone: Vec<(String, Ratio)>,
}

/// A file that has fallen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// The path, as reports show it.
    pub path: String,
    /// Its lines in the baseline.
    pub then: Ratio,
    /// Its lines in this run.
    pub now: Ratio,
    /// Where its text is the same in both: the lines that are missed now and were not. Otherwise their numbers mean nothing.
    pub newly_missed: Option<Vec<u32>>,
}

/// Compares a run with a baseline.
///
/// # Errors
/// The models differ.
pub fn compare(then: &Baseline, now: &Baseline) -> Result<Comparison, BaselineError> {
    if then.model != now.model {
        return Err(BaselineError::Model(then.model));
    }
    let only_in = |these: &Baseline, others: &Baseline| {
        let only = these.files.iter().filter(|(path, _)| !others.files.contains_key(*path));
        only.map(|(path, file)| (path.clone(), file.numbers.lines)).collect::<Vec<_>>()
    };
    let mut fallen = Vec::new();
    for (path, file) in &now.files {
        let Some(before) = then.files.get(path) else { continue };
        let is_unchanged = file.hash.is_some() && file.hash == before.hash;
        let newly_missed = is_unchanged.then(|| newly_missed(&before.missing, &file.missing));
        let (then, now) = (before.numbers.lines, file.numbers.lines);
        if shortfall(then, now, 0) > 0 || newly_missed.as_ref().is_some_and(|lines| !lines.is_empty()) {
            fallen.push(Fallen { path: path.clone(), then, now, newly_missed });
        }
    }
    fallen.sort_by_key(|file| {
        (Reverse(file.now.missed().saturating_sub(file.then.missed())), file.path.clone())
    });
    let (new, gone) = (only_in(now, then), only_in(then, now));
    Ok(Comparison { then: then.totals, now: now.totals, fallen, new, gone })
}

/// The lines of `now` that are not in `then`; both are ascending ranges that lie apart.
fn newly_missed(then: &[RangeInclusive<u32>], now: &[RangeInclusive<u32>]) -> Vec<u32> {
    let mut then = then.iter().peekable();
    let mut lines = Vec::new();
    for line in now.iter().cloned().flatten() {
        while then.next_if(|range| *range.end() < line).is_some() {}
        if !then.peek().is_some_and(|range| range.contains(&line)) {
            lines.push(line);
        }
    }
    lines
}

/// How many more of `now` have to run so that its share is at most so many hundredths of a percentage point below that of `then`.
/// Exact. Nothing of nothing neither falls nor is fallen to.
pub fn shortfall(then: Ratio, now: Ratio, hundredths: u16) -> u64 {
    let [covered, then_count, now_count] = [then.covered, then.count, now.count].map(u128::from);
    // Shares in parts of ten thousand times the number of things then.
    let wanted =
        covered.saturating_mul(10_000).saturating_sub(then_count.saturating_mul(u128::from(hundredths)));
    let whole = then_count.saturating_mul(10_000);
    if whole == 0 {
        return 0;
    }
    let needed = wanted.saturating_mul(now_count).div_ceil(whole);
    u64::try_from(needed.saturating_sub(u128::from(now.covered))).unwrap_or(u64::MAX)
}

impl Comparison {
    /// What people read.
    pub fn render(&self) -> String {
        let mut text = "Compared with the baseline:\n".to_owned();
        for (name, then, now) in [
            ("lines", self.then.lines, self.now.lines),
            ("functions", self.then.functions, self.now.functions),
            ("regions", self.then.regions, self.now.regions),
        ] {
            let _ = writeln!(text, "  {name:9}  {}", Step { then, now });
        }
        if !self.fallen.is_empty() {
            text.push_str("Files that have fallen:\n");
        }
        for Fallen { path, then, now, newly_missed } in self.fallen.iter().take(NAMED) {
            let _ = write!(text, "  {}  {}", name::text(path.as_bytes()), Step { then: *then, now: *now });
            let more = now.missed().saturating_sub(then.missed());
            if more > 0 {
                let _ = write!(text, ", {more} more missed");
            }
            text.push_str(if newly_missed.is_some() { ", though nobody touched it\n" } else { "\n" });
        }
        more(&mut text, self.fallen.len());
        let missing =
            |file: &Fallen| Some(MissingLines { path: file.path.clone(), lines: file.newly_missed.clone()? });
        let missing: Vec<MissingLines> = self.fallen.iter().filter_map(missing).collect();
        let missing = render_missing_lines(&missing, Order::WorstFirst);
        if !missing.is_empty() {
            text.push_str("Missed now and not then, in files that nobody touched:\n");
            text.push_str(&missing);
        }
        for (what, files) in [("New", &self.new), ("Gone", &self.gone)] {
            if !files.is_empty() {
                let _ = writeln!(text, "{what} files:");
            }
            for (path, lines) in files.iter().take(NAMED) {
                let _ = writeln!(text, "  {}  {}", name::text(path.as_bytes()), Share(*lines));
            }
            more(&mut text, files.len());
        }
        text
    }
}

/// Says how many are not named.
fn more(text: &mut String, files: usize) {
    if files > NAMED {
        let _ = writeln!(text, "  … and {} more", files - NAMED);
    }
}

/// `97.20% (12000 of 12345)`
struct Share(Ratio);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ratio { covered, count } = self.0;
        write!(f, "{} ({covered} of {count})", self.0)
    }
}

/// From one share to another.
struct Step {
    then: Ratio,
    now: Ratio,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.then == self.now {
            true => write!(f, "{}, as before", Share(self.now)),
            false => write!(f, "{} -> {}", Share(self.then), Share(self.now)),
        }
    }
}
