//! Which thresholds the numbers miss, how far, and in which files the rest is to be found. Pure.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;

use super::config::{Config, Scope, Thresholds};
use crate::coverage::summary::Ratio;
use crate::coverage::{Coverage, FileCoverage, Summary};
use crate::filter::{PathPattern, SourceLayout};
use crate::report::name;

/// What the thresholds say about a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// A sentence for each threshold that is missed: totals first, then the workspace's parts in the configuration's order.
    pub(super) failures: Vec<String>,
    /// A remark for each part of the workspace that has thresholds and no file that counts.
    pub(super) unused: Vec<String>,
}

/// Holds the files that count against all thresholds.
///
/// # Errors
/// A scope that is no pattern.
pub(super) fn judge(coverage: &Coverage, sources: &SourceLayout, config: &Config) -> Result<Judgement> {
    let numbers = |file: &FileCoverage| FileNumbers {
        path: String::from_utf8_lossy(&file.path).into_owned(),
        summary: file.summary,
    };
    judge_files(&coverage.files.iter().map(numbers).collect::<Vec<_>>(), sources, config)
}

/// What thresholds know of a file that counts.
#[derive(Clone, Debug)]
struct FileNumbers {
    /// The path as reports show it.
    path: String,
    summary: Summary,
}

fn judge_files(files: &[FileNumbers], sources: &SourceLayout, config: &Config) -> Result<Judgement> {
    let all: Vec<&FileNumbers> = files.iter().collect();
    let mut judgement = Judgement { failures: failures(None, &all, &config.thresholds), unused: Vec::new() };
    let has_packages = config.scoped_thresholds.iter().any(|part| matches!(part.scope, Scope::Package(_)));
    let owners: HashMap<&str, &str> = files
        .iter()
        .filter(|_| has_packages)
        .filter_map(|file| Some((file.path.as_str(), package_of(&file.path, sources)?)))
        .collect();
    for part in &config.scoped_thresholds {
        let members = members(&part.scope, &all, &owners)?;
        if !members.is_empty() {
            judgement.failures.extend(failures(Some(&part.scope), &members, &part.thresholds));
        } else if !may_be_unselected(&part.scope, sources) {
            let name = part.scope.name();
            judgement.unused.push(format!("no file that counts is of {name}, which has thresholds"));
        }
    }
    Ok(judgement)
}

/// The files of a part of the workspace, given the package of each.
fn members<'a>(
    scope: &Scope,
    files: &[&'a FileNumbers],
    owners: &HashMap<&str, &str>,
) -> Result<Vec<&'a FileNumbers>> {
    let mut files = files.to_vec();
    match scope {
        Scope::Package(name) => files.retain(|file| owners.get(file.path.as_str()) == Some(&name.as_str())),
        Scope::Paths(pattern) => {
            let pattern = PathPattern::glob(pattern, "paths")?;
            files.retain(|file| pattern.matches(&file.path));
        }
    }
    Ok(files)
}

/// The name of the innermost package that a reported path is in.
fn package_of<'a>(path: &str, sources: &'a SourceLayout) -> Option<&'a str> {
    let path = Path::new(path);
    let packages = sources.packages.iter().filter_map(|package| {
        let dir = if path.is_absolute() { Path::new(&package.dir) } else { relative(&package.dir, sources)? };
        path.starts_with(dir).then_some((dir.components().count(), package.name.as_str()))
    });
    packages.max_by_key(|(depth, _)| *depth).map(|(_, name)| name)
}

/// A directory of the workspace as reported paths begin: empty for the root.
fn relative<'a>(dir: &'a str, sources: &SourceLayout) -> Option<&'a Path> {
    sources.roots.iter().find_map(|root| Path::new(dir).strip_prefix(root).ok())
}

/// Whether a scope without files can have some in a package that this run was not to measure.
fn may_be_unselected(scope: &Scope, sources: &SourceLayout) -> bool {
    let mut unselected = sources.packages.iter().filter(|package| !package.is_selected);
    match scope {
        Scope::Package(name) => unselected.any(|package| package.name == *name),
        Scope::Paths(pattern) => {
            let is_plain = |part: &&str| !part.contains(['*', '?', '[']);
            let parts: Vec<&str> = pattern.split('/').take_while(is_plain).collect();
            let front = parts.join("/");
            unselected.filter_map(|package| relative(&package.dir, sources)).any(|dir| {
                let front = Path::new(&front);
                front.starts_with(dir) || dir.starts_with(front)
            })
        }
    }
}

impl Scope {
    /// As messages call it.
    fn name(&self) -> String {
        match self {
            Scope::Package(name) => format!("package `{name}`"),
            Scope::Paths(pattern) => format!("`{pattern}`"),
        }
    }
}

/// What thresholds are about: its name, its numbers, the share of it that has to run, and how much of it may be missed.
type Kind =
    (&'static str, fn(&Summary) -> Ratio, fn(&Thresholds) -> Option<u16>, fn(&Thresholds) -> Option<u64>);

const KINDS: [Kind; 3] = [
    ("line", |summary| summary.lines, |it| it.lines, |it| it.uncovered_lines),
    ("function", |summary| summary.functions, |it| it.functions, |it| it.uncovered_functions),
    ("region", |summary| summary.regions, |it| it.regions, |it| it.uncovered_regions),
];

/// Files that are named one by one where each has a threshold.
const FILES_NAMED: usize = 20;

/// Files that are named where something is missing.
const PLACES_NAMED: usize = 3;

/// What `files`, all or those of `scope`, miss of `thresholds`.
fn failures(scope: Option<&Scope>, files: &[&FileNumbers], thresholds: &Thresholds) -> Vec<String> {
    let mut failures = Vec::new();
    let of_scope = scope.map_or_else(String::new, |scope| format!(" of {}", scope.name()));
    for (kind, numbers, share, _) in KINDS {
        let total = total(files, numbers);
        if let Some(share) = share(thresholds).filter(|share| !total.reaches(*share)) {
            let needed = needed(kind, total.missing_to(share));
            let places = places(scope, files, numbers);
            failures.push(format!("{}: {needed}{places}", below(kind, &of_scope, total, share)));
        }
    }
    for (kind, numbers, _, most) in KINDS {
        let missed = total(files, numbers).missed();
        if let Some(most) = most(thresholds).filter(|most| missed > *most) {
            let uncovered = match missed {
                1 => format!("1 {kind}{of_scope} is uncovered"),
                _ => format!("{missed} {kind}s{of_scope} are uncovered"),
            };
            let allowed = match most {
                0 => Cow::Borrowed("none is allowed"),
                1 => "1 is allowed".into(),
                _ => format!("{most} are allowed").into(),
            };
            let needed = needed(kind, missed - most);
            failures.push(format!("{uncovered}, {allowed}: {needed}{}", places(scope, files, numbers)));
        }
    }
    if let Some(share) = thresholds.file_lines {
        failures.extend(failing_files(&of_scope, files, share));
    }
    failures
}

/// One sentence for each file of which less than `share` ran, worst first; the last one stands for those behind it.
fn failing_files(of_scope: &str, files: &[&FileNumbers], share: u16) -> Vec<String> {
    let mut failing: Vec<&FileNumbers> =
        files.iter().copied().filter(|file| !file.summary.lines.reaches(share)).collect();
    failing.sort_by_key(|file| (Reverse(file.summary.lines.missing_to(share)), &file.path));
    let named = failing.iter().take(FILES_NAMED).map(|file| {
        let lines = file.summary.lines;
        let below = below("line", &format!(" of `{}`", shown(&file.path)), lines, share);
        format!("{below} for each file{of_scope}: {}", needed("line", lines.missing_to(share)))
    });
    let mut sentences: Vec<String> = named.collect();
    let (files, are) = match failing.len().saturating_sub(FILES_NAMED) {
        0 => return sentences,
        1 => ("file", "is"),
        _ => ("files", "are"),
    };
    let more = failing.len() - FILES_NAMED;
    let share = decimal(share);
    sentences
        .push(format!("and {more} more {files} {are} below the threshold {share}% for each file{of_scope}"));
    sentences
}

fn total(files: &[&FileNumbers], numbers: fn(&Summary) -> Ratio) -> Ratio {
    let mut total = Ratio::EMPTY;
    for file in files {
        total += numbers(&file.summary);
    }
    total
}

/// `line coverage of … 79.93% (1203 of 1505) is below the threshold 80%`
fn below(kind: &str, of: &str, ratio: Ratio, share: u16) -> String {
    let Ratio { covered, count } = ratio;
    let share = decimal(share);
    format!("{kind} coverage{of} {ratio} ({covered} of {count}) is below the threshold {share}%")
}

/// Hundredths as people write them: `80`, `79.50`.
pub(super) fn decimal(hundredths: u16) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, decimals) => format!("{whole}.{decimals:02}"),
    }
}

/// `1 more line is needed`
pub(super) fn needed(kind: &str, count: u64) -> String {
    let (plural, are) = if count == 1 { ("", "is") } else { ("s", "are") };
    format!("{count} more {kind}{plural} {are} needed")
}

/// The files in which most is missing, as the end of a sentence. Nothing where the scope is but one file.
fn places(scope: Option<&Scope>, files: &[&FileNumbers], numbers: fn(&Summary) -> Ratio) -> String {
    let mut missing: Vec<(u64, &str)> =
        files.iter().map(|file| (numbers(&file.summary).missed(), file.path.as_str())).collect();
    missing.retain(|(missed, _)| *missed > 0);
    missing.sort_by_key(|(missed, path)| (Reverse(*missed), *path));
    let is_scope = |path: &str| matches!(scope, Some(Scope::Paths(pattern)) if pattern == path);
    let share = match missing.as_slice() {
        [] => return String::new(),
        [(_, path)] if is_scope(path) => return String::new(),
        [(1, path)] => return format!("; it is missing in `{}`", shown(path)),
        few if few.len() <= PLACES_NAMED => "all",
        many => {
            let (all, named) = (sum(many), sum(&many[..PLACES_NAMED]));
            if named > all / 2 { "most" } else { "many" }
        }
    };
    let named =
        missing.iter().take(PLACES_NAMED).map(|(missed, path)| format!("`{}` ({missed})", shown(path)));
    format!("; {share} are missing in {}", named.collect::<Vec<_>>().join(", "))
}

/// A path as reports write it: these sentences stand in them too.
fn shown(path: &str) -> Cow<'_, str> {
    name::text(path.as_bytes())
}

fn sum(missing: &[(u64, &str)]) -> u64 {
    missing.iter().fold(0, |sum, (missed, _)| sum.saturating_add(*missed))
}
