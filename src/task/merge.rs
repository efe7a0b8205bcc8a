//! `coverage merge`: several runs that `--partial` has written become one record, which is reported on like any other.
//!
//! Nothing is lost silently: a part that is missing, a test binary that ran in no part, and a source that is not the one that was
//! measured are errors that name it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use super::config::{Command, Config, Format, ReportRequest};
use super::durations::Durations;
use super::flags::Invocation;
use super::partial::{self, Content, File, Object};
use super::partition::PartitionKind;
use super::record::{ManifestRecord, Origin, PartitionRecord, RunRecord, TestRecord};
use super::{Outcome, discover, exclusion, manifests, measure, metadata, render, shown, sources, warnings};
use crate::cargo::workspace::Workspace;
use crate::coverage::Model;
use crate::coverage::portable::{self, ObjectOf, Portable};
use crate::filter::{Exclusion, PathFilter, SourceLayout};
use crate::load::Warning;
use crate::ui::Ui;
use crate::ui::message::Advised;

/// Merges files and reports.
///
/// # Errors
/// A file cannot be read; parts of a run are missing; sources are not those that were measured; a report cannot be written.
pub(super) fn merge(asked: &Invocation, config: &Config, ui: &Ui) -> Result<Outcome> {
    let workspace = find_workspace(config)?;
    let root = match &workspace {
        Some(workspace) => workspace.root.clone(),
        None => std::env::current_dir()?,
    };
    let layout = workspace.as_ref().map(Workspace::layout);
    let _lock = layout.as_ref().map(|layout| measure::lock(layout, ui)).transpose()?;
    let paths: Vec<PathBuf> =
        config.input.partials.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
    // A file has many names: through links, and with `..` in them.
    let mut known = HashSet::new();
    if let Some(twice) =
        paths.iter().find(|path| !known.insert(path.canonicalize().unwrap_or(path.to_path_buf())))
    {
        bail!(Advised::new(format!("`{}` is given twice", shown(twice)), "give each file once"));
    }
    if let Some(output) = &config.output.partial
        && paths.iter().map(|path| entry(path)).any(|path| path == entry(output))
    {
        let what = format!("`--partial {}` would replace a file that is merged", output.display());
        bail!(Advised::new(what, "give it another name"));
    }
    let roots = sources::with_real_path(&root);
    let files = read_all(&paths, &roots)?;
    check_parts(&files)?;
    refuse_empty_runs(&files)?;
    say_contributors(&files, ui);
    say_tested_twice(&files, ui);

    let manifests = workspace.as_ref().map(manifests::of).transpose()?;
    let mut record = record(&files, root, roots, manifests);
    let config = metadata::configure(asked, &record.manifests)?;
    let filter = exclusion::path_filter(record.sources.clone(), &config.exclusion)?;
    check_sources(&files, &record, &filter, false)?;
    if workspace.is_some() {
        check_workspace(&files, &record, &filter)?;
    }
    let shares_tests_out =
        files.iter().any(|file| file.run.partition.as_ref().is_some_and(|partition| partition.of_tests));
    drop(files);
    warnings::repeat(&record, ui);
    let usual_dir = layout.as_ref().map_or_else(|| record.workspace_root.clone(), |it| it.root().to_owned());
    let requests = config.output.requests(Command::Merge, &usual_dir);
    if let Some(layout) = &layout {
        measure::remove_other_reports(layout, requests.iter().map(|request| &request.destination))?;
        warnings::write_record(&layout.run_json(), &mut record, ui)?;
        // Part of its tests says nothing of how long a binary takes.
        if !shares_tests_out {
            write_durations(&record, &layout.durations());
        }
    }
    let outcome = render::report_on(&record, &requests, &config, ui)?;
    if let Some(layout) = &layout {
        warnings::update_record(&layout.run_json(), &record, ui)?;
    }
    Ok(warnings::judge(outcome, &config, ui))
}

/// A path without links in its directory: two that are the same name one entry, whatever that is.
fn entry(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or(path.to_path_buf());
    match (path.parent().and_then(|dir| dir.canonicalize().ok()), path.file_name()) {
        (Some(dir), Some(name)) => dir.join(name),
        _ => path,
    }
}

/// The workspace in which files are merged. Where there is none, their paths begin at the current directory.
fn find_workspace(config: &Config) -> Result<Option<Workspace>> {
    let current = std::env::current_dir()?;
    let has_manifest = current.ancestors().any(|directory| directory.join("Cargo.toml").is_file());
    match config.manifest.path.is_some() || has_manifest {
        true => discover(config).map(Some),
        false => Ok(None),
    }
}

/// Reads files, with their paths below these roots.
///
/// # Errors
/// One cannot be read.
pub(super) fn read_all(paths: &[PathBuf], roots: &[String]) -> Result<Vec<File>> {
    paths.iter().map(|path| partial::read(path, roots)).collect()
}

/// The record of all runs together.
fn record(
    files: &[File],
    root: PathBuf,
    roots: Vec<String>,
    manifests: Option<Vec<ManifestRecord>>,
) -> RunRecord {
    let mut merged = RunRecord::new(root, SourceLayout { roots, ..SourceLayout::default() });
    let mut known_manifests: Vec<ManifestRecord> = Vec::new();
    for File { path, run, .. } in files {
        merge_layout(&mut merged.sources, &run.sources);
        let is_new = |it: &&ManifestRecord| known_manifests.iter().all(|known| known.path != it.path);
        let new: Vec<ManifestRecord> = run.manifests.iter().filter(is_new).cloned().collect();
        known_manifests.extend(new);
        merged.partials.push(path.clone());
        merged
            .contributors
            .extend(run.contributors.iter().cloned().map(|contributor| in_file(contributor, path)));
        merged.tests.extend(run.tests.iter().cloned());
        merged.is_partial |= run.is_partial;
        for (slug, count) in &run.warnings {
            let sum = merged.warnings.entry(slug.clone()).or_default();
            // Every part builds all of it.
            *sum = if slug == "cached-library" { *count.max(sum) } else { sum.saturating_add(*count) };
        }
    }
    merged.manifests = manifests.unwrap_or(known_manifests);
    merged
}

/// Adds the file in which a run came, unless it has come in another before.
fn in_file(mut contributor: Value, path: &Path) -> Value {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(object) = contributor.as_object_mut() {
        object.entry("file").or_insert_with(|| Value::from(name));
    }
    contributor
}

/// Adds what another run knows of the workspace. A package that any of them selected counts.
fn merge_layout(merged: &mut SourceLayout, layout: &SourceLayout) {
    fn add<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
        for item in more {
            if !all.contains(item) {
                all.push(item.clone());
            }
        }
    }
    add(&mut merged.build_dirs, &layout.build_dirs);
    for package in &layout.packages {
        let known =
            merged.packages.iter_mut().find(|known| known.name == package.name && known.dir == package.dir);
        match known {
            None => merged.packages.push(package.clone()),
            Some(known) => {
                known.is_selected |= package.is_selected;
                add(&mut known.crate_roots, &package.crate_roots);
                add(&mut known.auxiliary_targets, &package.auxiliary_targets);
            }
        }
    }
}

/// The maps and counts of all files, with objects in the order that they would have had in one run.
pub(super) fn content(files: &[File], roots: &[String]) -> Content {
    let runs: Vec<&Portable> = files.iter().map(|file| &file.data).collect();
    let order = object_order(files);
    let place = |path: &portable::PortablePath| partial::placed_path(path, roots);
    let (map, profile, kept) = portable::merge(&runs, &order, false, &place);
    let has_stale = runs.iter().any(|run| run.has_stale_counts());
    let with_stale = has_stale.then(|| portable::merge(&runs, &order, true, &place).1);
    let known = kept.iter().filter_map(|kept| files.get(kept.run)?.objects.get(kept.object));
    // Further merges go by the order that this one has found.
    let objects = (0..).zip(known).map(|(position, object)| Object {
        position: [position, 0],
        member: 0,
        ..object.clone()
    });
    let mut sources = BTreeMap::new();
    files.iter().for_each(|file| sources.extend(file.sources.clone()));
    let mut warnings = warnings_of(files);
    if profile.n_mismatched_records > 0 {
        let count = profile.n_mismatched_records;
        let message = format!(
            "{count} functions have another number of counters in one of the files than in another; the later counts are missing"
        );
        warnings.push(Warning { slug: "counter-mismatch", count, message });
    }
    let objects = objects.collect();
    Content { map, objects, profile, with_stale, sources, warnings }
}

/// All objects of all files: programs before doctests, as in one run; those of one build together.
fn object_order(files: &[File]) -> Vec<ObjectOf> {
    let mut builds: Vec<&Origin> = Vec::new();
    let mut keyed = Vec::new();
    for (run, file) in files.iter().enumerate() {
        let known = file.run.origin.as_ref().map(|origin| {
            builds.iter().position(|known| *known == origin).unwrap_or_else(|| {
                builds.push(origin);
                builds.len() - 1
            })
        });
        // What was merged before is a build of its own.
        let build = known.unwrap_or(files.len() + run);
        for (object, key) in file.objects.iter().enumerate() {
            keyed.push(((key.is_doctest, build, key.position, key.member, run), ObjectOf { run, object }));
        }
    }
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, object)| object).collect()
}

/// What reading the runs has warned of. All parts of a run read the same objects, and warn of them alike.
fn warnings_of(files: &[File]) -> Vec<Warning> {
    let mut said = HashSet::new();
    let all = files.iter().flat_map(|file| &file.warnings);
    all.filter(|warning| {
        let is_of_objects = warning.slug.ends_with("-object") || warning.slug == "unknown-file-names";
        !is_of_objects || said.insert((warning.slug, &warning.message))
    })
    .cloned()
    .collect()
}

/// Whether reports cannot be made without the sources.
pub(super) fn needs_sources(requests: &[ReportRequest], config: &Config) -> bool {
    requests.iter().any(|request| request.format == Format::Text)
        || config.model() == Model::Union && exclusion::needs_sources(&config.exclusion)
}

/// Refuses runs of different sources, and sources here that are not those of the runs. Where they are needed, they have to be here.
///
/// # Errors
/// There are such files, which it names.
pub(super) fn check_sources(
    files: &[File],
    record: &RunRecord,
    filter: &PathFilter,
    are_needed: bool,
) -> Result<()> {
    let mut known: BTreeMap<&str, (&str, &File)> = BTreeMap::new();
    let (mut differ, mut changed, mut missing) = (BTreeMap::new(), Vec::new(), Vec::new());
    for file in files {
        for (path, digest) in &file.sources {
            let (first_digest, first) = *known.entry(path).or_insert((digest, file));
            if first_digest != digest {
                differ.entry(path.as_str()).or_insert((first, file));
            }
        }
    }
    let here = |path: &str| partial::placed_name(path, &record.sources.roots);
    differ.retain(|path, (first, other)| match filter.exclusion(&here(path)) {
        None => true,
        // Parts of one run have run the same tests.
        Some(Exclusion::BuildOutput | Exclusion::Option(_)) => false,
        Some(_) => first.run.partition.is_some() && part_of(first) == part_of(other),
    });
    if let Some((first, other)) = differ.values().next() {
        let what = format!(
            "the runs are of different sources: {} {} in `{}` another than in `{}`",
            listed(&differ.keys().copied().collect::<Vec<_>>()),
            if differ.len() == 1 { "is" } else { "are" },
            shown(&first.path),
            shown(&other.path),
        );
        bail!(Advised::new(what, "merge runs of one commit"));
    }
    for (path, (digest, _)) in &known {
        let stored = here(path);
        if filter.exclusion(&stored).is_some() {
            continue;
        }
        match partial::digest(&super::on_disk(&record.workspace_root, &stored)) {
            Some(found) if found == *digest => {}
            Some(_) => changed.push(*path),
            None => missing.push(*path),
        }
    }
    if !changed.is_empty() {
        let what = format!("the sources here are not those of the runs: {} differ", listed(&changed));
        bail!(Advised::new(what, "check out the commit that was measured; `-v` names it"));
    }
    if are_needed && !missing.is_empty() {
        let what = format!("sources of the runs are not here: {}", listed(&missing));
        bail!(Advised::new(
            what,
            "check out the commit that was measured; without test code, markers and classes of code to look for \
             (`--no-default-exclude --no-markers`), or with `--model llvm`, nothing but `--text` needs them"
        ));
    }
    Ok(())
}

/// Refuses runs of another workspace than that in which they are merged.
///
/// # Errors
/// No source of a run is here.
fn check_workspace(files: &[File], record: &RunRecord, filter: &PathFilter) -> Result<()> {
    for file in files {
        let sources =
            file.sources.keys().map(|name| (name, partial::placed_name(name, &record.sources.roots)));
        let mut sources = sources.filter(|(_, stored)| filter.exclusion(stored).is_none()).peekable();
        let Some((first, _)) = sources.peek().cloned() else { continue };
        if !sources.any(|(_, stored)| super::on_disk(&record.workspace_root, &stored).exists()) {
            let what = format!(
                "`{}` is of another workspace: none of its sources is here, `{first}` for one",
                shown(&file.path)
            );
            bail!(Advised::new(what, "merge it in a checkout of the commit that was measured"));
        }
    }
    Ok(())
}

/// As many names as a person reads.
const MOST_NAMES: usize = 10;

/// Names, the first of them.
fn listed(names: &[&str]) -> String {
    listed_of(names, names.len())
}

/// The same where there are `count` names, of which at least the first are given.
fn listed_of(names: &[&str], count: usize) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match count.checked_sub(shown.len()) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The run of which a file is a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PartOf<'a> {
    origin: Option<&'a Origin>,
    of_tests: bool,
    kind: PartitionKind,
    count: u32,
}

fn part_of(file: &File) -> Option<PartOf<'_>> {
    let PartitionRecord { part, of_tests, .. } = file.run.partition.as_ref()?;
    let (kind, count) = (part.kind, part.count.get());
    Some(PartOf { origin: file.run.origin.as_ref(), of_tests: *of_tests, kind, count })
}

/// Refuses parts of a run without the other parts, and parts in which a test binary got lost.
///
/// # Errors
/// What is missing.
fn check_parts(files: &[File]) -> Result<()> {
    let mut runs: BTreeMap<PartOf<'_>, Vec<&File>> = BTreeMap::new();
    for file in files {
        if let Some(run) = part_of(file) {
            runs.entry(run).or_default().push(file);
        }
    }
    for (PartOf { of_tests, kind, count, .. }, parts) in runs {
        let given: BTreeSet<u32> =
            parts.iter().filter_map(|file| Some(file.run.partition.as_ref()?.part.index.get())).collect();
        // There may be billions of them, so only those that are shown are made.
        let missing = (1..=count).filter(|index| !given.contains(index)).take(MOST_NAMES);
        let missing: Vec<String> = missing.map(|index| format!("{kind}:{index}/{count}")).collect();
        if !missing.is_empty() {
            let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
            let what =
                format!("parts of a run are missing: {}", listed_of(&missing, count as usize - given.len()));
            bail!(Advised::new(what, "give the files of all parts that ran with the same flags"));
        }
        check_binaries(&parts)?;
        // Where single tests are shared out, a binary that ran in no part has none.
        if !of_tests {
            check_tests(&parts)?;
        }
    }
    Ok(())
}

/// Refuses parts of runs that have not built the same test binaries.
fn check_binaries(parts: &[&File]) -> Result<()> {
    let all = |file: &File| -> BTreeSet<String> {
        file.run.partition.iter().flat_map(|partition| partition.binaries.iter().cloned()).collect()
    };
    let Some((first, others)) = parts.split_first() else { return Ok(()) };
    let binaries = all(first);
    for other in others {
        if let Some(id) = binaries.symmetric_difference(&all(other)).next() {
            let what = format!(
                "`{}` and `{}` are no parts of one run: only one of them knows the test binary `{id}`",
                shown(&first.path),
                shown(&other.path)
            );
            bail!(Advised::new(what, "run all parts on one commit, with the same flags"));
        }
    }
    Ok(())
}

/// Refuses parts of which none has run a test binary to its end.
fn check_tests(parts: &[&File]) -> Result<()> {
    let tests = |id: &str| -> Vec<(&File, &TestRecord)> {
        parts
            .iter()
            .flat_map(|file| file.run.tests.iter().map(move |test| (*file, test)))
            .filter(|(_, test)| test.binary_id == id)
            .collect()
    };
    let binaries = parts.iter().filter_map(|file| file.run.partition.as_ref()).flat_map(|it| &it.binaries);
    for id in binaries.collect::<BTreeSet<_>>() {
        let tests = tests(id);
        if tests.iter().any(|(_, test)| !matches!(&*test.outcome, "not run" | "interrupted")) {
            continue;
        }
        match tests.first() {
            Some((file, _)) => bail!(Advised::new(
                format!("test binary `{id}` was not run to its end in `{}`", shown(&file.path)),
                "run that part again, with `--no-fail-fast` if other tests fail"
            )),
            None => bail!(Advised::new(
                format!("test binary `{id}` ran in no part"),
                "under `slice:M/N`, all parts need the same `target/coverage/durations.json`, or none; `hash:M/N` needs no such file"
            )),
        }
    }
    Ok(())
}

/// Nothing found is an error here too: of a part, only all parts together can say that no test ran.
fn refuse_empty_runs(files: &[File]) -> Result<()> {
    let ran_some = |test: &TestRecord| match test.counts {
        Some([passed, failed, _]) => {
            passed > 0 || failed > 0 || test.tests.values().any(|outcome| outcome == "measured")
        }
        None => test.outcome != "not run",
    };
    // What another harness or a single program has run is no test that we know of.
    let is_empty = |file: &File| {
        let is_of_tests = file.run.partition.is_some() || !file.run.tests.is_empty();
        is_of_tests && !file.run.tests.iter().any(ran_some)
    };
    if files.iter().all(is_empty) {
        bail!(Advised::new(
            "no test ran in any of the runs, so there is nothing to report",
            "write a test for what shall count, or select other tests"
        ));
    }
    Ok(())
}

/// Says whose counts are merged.
fn say_contributors(files: &[File], ui: &Ui) {
    let names: Vec<String> = files.iter().map(|file| format!("`{}`", shown(&file.path))).collect();
    ui.status("Merging", format_args!("{} of {}", runs(files), names.join(", ")));
    for file in files {
        let failed = file.run.tests.iter().filter(|test| matches!(&*test.outcome, "failed" | "timed out"));
        let failed: Vec<&str> = failed.map(|test| test.binary_id.as_str()).collect();
        if !failed.is_empty() {
            ui.note(format_args!("tests failed in the run of `{}`: {}", shown(&file.path), listed(&failed)));
        }
        for contributor in &file.run.contributors {
            ui.detail("Merging", format_args!("{}: {}", shown(&file.path), described(contributor)));
        }
    }
}

fn runs(files: &[File]) -> String {
    match files.iter().map(|file| file.run.contributors.len()).sum() {
        1 => "1 run".to_owned(),
        number => format!("{number} runs"),
    }
}

/// A run in a line.
fn described(contributor: &Value) -> String {
    let text = |key: &str| contributor.get(key).and_then(Value::as_str);
    let words = |key: &str| contributor.get(key).and_then(Value::as_array).into_iter().flatten();
    let mut parts: Vec<String> =
        ["partition", "target"].iter().filter_map(|key| text(key)).map(str::to_owned).collect();
    parts.extend(text("rustc").map(|rustc| format!("rustc {rustc}")));
    parts.extend(text("commit").map(|commit| format!("commit {commit}")));
    let flags: Vec<&str> = words("configuration").filter_map(Value::as_str).collect();
    parts.extend((!flags.is_empty()).then(|| flags.join(" ")));
    let binaries: Vec<&str> = words("binaries").filter_map(Value::as_str).collect();
    parts.push(match binaries.is_empty() {
        true => "no test binary".to_owned(),
        false => binaries.join(" "),
    });
    parts.join(", ")
}

/// Warns of tests of one build whose counts are added up although they may have been meant to count once.
fn say_tested_twice(files: &[File], ui: &Ui) {
    for (number, file) in files.iter().enumerate() {
        let Some(origin) = &file.run.origin else { continue };
        for other in files.iter().skip(number + 1).filter(|other| other.run.origin.as_ref() == Some(origin)) {
            for test in &file.run.tests {
                if other.run.tests.iter().any(|again| is_same_test(test, again)) {
                    let (first, second) = (shown(&file.path), shown(&other.path));
                    ui.warning(
                        "tested-twice",
                        format_args!(
                            "test binary `{}` ran in both `{first}` and `{second}`; its counts are added up",
                            test.binary_id
                        ),
                    );
                }
            }
        }
    }
}

/// Whether both are of one binary and ran the same tests. cargo-nextest shares out single tests.
fn is_same_test(a: &TestRecord, b: &TestRecord) -> bool {
    let ran = |test: &TestRecord| -> BTreeSet<String> {
        let tests = test.tests.iter().filter(|(_, outcome)| *outcome != "ignored");
        tests.map(|(name, _)| name.clone()).collect()
    };
    let has_run = |test: &TestRecord| test.outcome != "not run";
    let (tests_a, tests_b) = (ran(a), ran(b));
    let is_unknown = a.tests.is_empty() || b.tests.is_empty();
    a.binary_id == b.binary_id
        && has_run(a)
        && has_run(b)
        && (!tests_a.is_disjoint(&tests_b) || is_unknown && a.counts.is_none() && b.counts.is_none())
}

/// Keeps how long binaries took, so that the next run can be shared out by that.
fn write_durations(record: &RunRecord, path: &Path) {
    if record.is_partial {
        return;
    }
    let ended = record.tests.iter().filter(|test| matches!(&*test.outcome, "passed" | "failed"));
    let ended = ended.map(|test| (test.binary_id.clone(), Duration::from_millis(test.duration_ms)));
    Durations::read(path).with(ended).write(path);
}
