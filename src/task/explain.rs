//! `--explain`: why a file or a line counts, or does not.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::config::Config;
use super::exclusion::{self, Sources};
use super::flags::Invocation;
use super::record::NothingRecorded;
use super::{Outcome, discover, evaluate, input, manifests, measure, metadata, outside, sources, threads};
use crate::coverage::{Coverage, FileCoverage, Model};
use crate::filter::PathFilter;
use crate::format::covfun::Position;
use crate::report::name;
use crate::source::{Excluded, Reason};
use crate::ui::Ui;
use crate::ui::message::Advised;

/// Says of each path, and of each line, whether it counts. Builds and runs nothing; the counts are those of the last run, if
/// there was one.
///
/// # Errors
/// There is no such file, or no workspace.
pub(super) fn explain(asked: &Invocation, config: &Config, ui: &Ui) -> Result<Outcome> {
    let lock;
    let last_run = match input::find_record(config) {
        Ok((mut record, path)) => {
            // A run that is under way replaces the profiles.
            lock = path.parent().map(|dir| measure::lock_dir(dir, ui)).transpose()?;
            outside::complete(&mut record, &path).map(|()| record)
        }
        Err(error) => {
            lock = None;
            Err(error)
        }
    };
    if let Err(error) = &last_run
        && !error.is::<NothingRecorded>()
    {
        ui.note(format_args!("the last run tells nothing: {error:#}"));
    }
    let (root, layout, manifests) = match &last_run {
        Ok(record) => {
            (record.workspace_root.clone(), record.sources.clone(), manifests::current(record, config)?)
        }
        Err(_) => {
            let workspace = discover(config)?;
            let layout = sources::source_layout(&workspace, config);
            let manifests = manifests::of(&workspace)?;
            (workspace.root, layout, manifests)
        }
    };
    let config = &metadata::configure(asked, &manifests)?;
    let filter = exclusion::path_filter(layout.clone(), &config.exclusion)?;
    let places: Vec<(PathBuf, Option<u32>)> =
        config.explain.iter().map(|text| place(text, &root)).collect::<Result<_>>()?;
    let files: Vec<PathBuf> = places.iter().map(|(path, _)| path.clone()).collect();
    let sources = match config.model() {
        Model::Union => Sources::read(&layout, &filter, &files, &config.exclusion, threads(config).get()),
        // LLVM knows files only.
        Model::Llvm => Sources::default(),
    };
    let coverage = match last_run {
        Ok(record) => match evaluate::evaluate(&record, &[], config, ui) {
            Ok(coverage) => Ok(coverage),
            // That no file counts is what people ask about; and what counts is known without profiles.
            Err(error) => {
                ui.note(format_args!("failed to evaluate the last run: {error:#}"));
                Err("how often it ran is not known")
            }
        },
        Err(_) => Err("it was not measured yet"),
    };
    let explanation = Explanation { filter, sources, coverage };
    for (path, line) in places {
        let mut text = String::new();
        match line {
            Some(line) => explanation.of_line(&path, line, &mut text),
            None => explanation.of_file(&path, &mut text),
        }
        ui.print(&text)?;
    }
    drop(lock);
    Ok(Outcome::Fine)
}

/// `PATH` or `PATH:LINE`, where the path is relative to the current directory or to the workspace.
fn place(text: &str, root: &Path) -> Result<(PathBuf, Option<u32>)> {
    let find = |path: &str| {
        let here = std::path::absolute(path).ok().filter(|path| path.is_file());
        here.or_else(|| Some(root.join(path)).filter(|path| path.is_file()))
    };
    if let Some(path) = find(text) {
        return Ok((path, None));
    }
    // What reports and compilers print is fine too: `12:5`, and the first line of `12-15` or `12,15-19`.
    for (position, _) in text.match_indices(':') {
        let (path, place) = (&text[..position], &text[position + 1..]);
        let digits = place.find(|c: char| !c.is_ascii_digit()).unwrap_or(place.len());
        let is_place = place[digits..].chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | ',' | '-'));
        if let (true, Ok(line), Some(path)) = (is_place, place[..digits].parse::<u32>(), find(path))
            && line > 0
        {
            return Ok((path, Some(line)));
        }
    }
    bail!(Advised::new(
        format!("no file `{text}`"),
        "`--explain` takes PATH or PATH:LINE, from the current directory or from the root of the workspace"
    ))
}

/// All that there is to know.
struct Explanation {
    filter: PathFilter,
    sources: Sources,
    /// What the last run counted, or why that is not known.
    coverage: Result<Coverage, &'static str>,
}

impl Explanation {
    /// Why the file as a whole does not count; `Ok` if it does, with the option that says so, if one does.
    fn verdict(&self, stored: &[u8], reported: &[u8]) -> Result<Option<String>, String> {
        let text = String::from_utf8_lossy(reported);
        if let Some(pattern) = self.filter.inclusion(&text) {
            return Ok(Some(format!("it matches {pattern}")));
        }
        if let Some(exclusion) = self.filter.exclusion(stored) {
            return Err(format!("it {exclusion}"));
        }
        match self.sources.whole(reported) {
            Some(reason) => Err(safe(reason)),
            None => Ok(None),
        }
    }

    fn of_file(&self, path: &Path, out: &mut String) {
        let (stored, reported) = self.names(path);
        let name = name::text(&reported);
        match self.verdict(stored, &reported) {
            Err(why) => {
                let _ = writeln!(out, "{name} does not count: {why}");
                let option = match self.sources.whole(&reported) {
                    Some(reason) if self.filter.exclusion(stored).is_none() && reason.is_test_code() => {
                        "--include-tests".to_owned()
                    }
                    _ => format!("--include-files '{}'", glob::Pattern::escape(&name)),
                };
                let _ = writeln!(out, "    `{option}` makes it count");
                return;
            }
            Ok(None) => {
                let _ = writeln!(out, "{name} counts");
            }
            Ok(Some(why)) => {
                let _ = writeln!(out, "{name} counts: {why}");
            }
        }
        let file = self.file(&reported);
        match (file, &self.coverage) {
            (Some(file), _) => {
                let lines = file.summary.lines;
                let _ = writeln!(out, "    {} of {} lines ran ({lines})", lines.covered, lines.count);
            }
            (None, Ok(_)) => {
                let _ = writeln!(out, "    the last run knows no code in it that counts");
            }
            (None, Err(unknown)) => {
                let _ = writeln!(out, "    {unknown}");
            }
        }
        for stretch in self.sources.stretches(&reported) {
            let counts = |line| file.is_some_and(|file| file.lines().any(|mapped| mapped.line == line));
            let _ = writeln!(out, "    {} not count: {}", lines_of(stretch, counts), reason(stretch));
        }
    }

    fn of_line(&self, path: &Path, line: u32, out: &mut String) {
        let (stored, reported) = self.names(path);
        let name = format!("{}:{line}", name::text(&reported));
        if let Err(why) = self.verdict(stored, &reported) {
            let _ = writeln!(out, "{name} does not count: {why}");
            return;
        }
        let file = self.file(&reported);
        let counted = file.and_then(|file| file.lines().find(|mapped| mapped.line == line));
        let stretches = self.sources.stretches(&reported).iter();
        let mut on_line =
            stretches.filter(|stretch| (first_line(stretch)..=last_line(stretch)).contains(&line));
        match (counted, on_line.next(), &self.coverage) {
            (Some(counted), ..) if counted.count > 0 => {
                let times =
                    if counted.count == 1 { "once".to_owned() } else { format!("{} times", counted.count) };
                let _ = writeln!(out, "{name} counts: it ran {times}");
            }
            (Some(_), ..) => {
                let _ = writeln!(out, "{name} counts: it never ran");
            }
            (None, Some(stretch), _) => {
                let _ = writeln!(out, "{name} does not count: {}", reason(stretch));
            }
            (None, None, Err(unknown)) => {
                let _ = writeln!(out, "{name} counts if there is code on it: {unknown}");
            }
            (None, None, Ok(_)) => {
                let _ = writeln!(out, "{name} does not count: there is no code on it");
            }
        }
    }

    /// The path as the compiler stores it, and as reports show it.
    fn names<'a>(&self, path: &'a Path) -> (&'a [u8], Vec<u8>) {
        let stored = path.as_os_str().as_encoded_bytes();
        (stored, self.filter.reported_path(stored))
    }

    fn file(&self, reported: &[u8]) -> Option<&FileCoverage> {
        self.coverage.as_ref().ok()?.files.iter().find(|file| *file.path == *reported)
    }
}

fn first_line(stretch: &Excluded) -> u32 {
    stretch.start.line
}

/// The last line that a stretch has a byte of.
fn last_line(stretch: &Excluded) -> u32 {
    let Position { line, column } = stretch.end;
    if column <= 1 { line.saturating_sub(1).max(stretch.start.line) } else { line }
}

/// The lines of a stretch. One line can count all the same, for the code beside the stretch.
fn lines_of(stretch: &Excluded, counts: impl Fn(u32) -> bool) -> String {
    match (first_line(stretch), last_line(stretch)) {
        (first, last) if first == last && counts(first) => format!("a part of line {first} does"),
        (first, last) if first == last => format!("line {first} does"),
        (first, last) => format!("lines {first}-{last} do"),
    }
}

fn reason(stretch: &Excluded) -> String {
    let unless = if stretch.unless_run { ", unless it ran" } else { "" };
    format!("{}{unless}", safe(&stretch.reason))
}

/// A reason can quote the source, which can hold anything.
fn safe(reason: &Reason) -> String {
    name::text(reason.to_string().as_bytes()).into_owned()
}
