//! From a run's record to reports: load, evaluate, write. Used right after a run and by `coverage report`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::config::{Command, Config, Destination, Format, ReportRequest};
use super::record::RunRecord;
use super::{Outcome, discover, measure, outside, shown, sources, threads};
use crate::coverage::summary::Ratio;
use crate::coverage::symbol::is_doctest_code;
use crate::coverage::union::UnionOptions;
use crate::coverage::{Coverage, FileCoverage, Model, Omissions, OmittedFunction, Summary, llvm, union};
use crate::export::json::{self, JsonOptions};
use crate::export::lcov::{self, LcovOptions};
use crate::filter::{PathFilter, SourceLayout};
use crate::load::{self, Inputs, Loaded};
use crate::report::{table, text};
use crate::ui::Ui;
use crate::ui::message::Advised;

/// `coverage report`: renders the last run again, or what another harness produced.
///
/// # Errors
/// There is no run to report on; nothing can be read or written.
pub(super) fn report(config: &Config, ui: &Ui) -> Result<Outcome> {
    let lock;
    let (record, usual_dir) = if config.input.objects.is_empty() {
        let (mut record, path) = find_record(config)?;
        // A run that is under way replaces the profiles.
        lock = path.parent().map(|dir| measure::lock_dir(dir, ui)).transpose()?;
        outside::complete(&mut record, &path)?;
        (record, path.parent().map_or_else(PathBuf::new, Path::to_owned))
    } else {
        lock = None;
        foreign_record(config)?
    };
    let requests = config.output.requests(Command::Report, &usual_dir);
    let outcome = write_reports(&record, &requests, config, ui);
    drop(lock);
    outcome
}

/// The record of the last run, and the path of its `run.json`.
///
/// The workspace's root is where its `Cargo.lock` is. Looking there first spares a call of cargo, which takes longer than
/// the report; where the record is not in the usual place, cargo is asked.
fn find_record(config: &Config) -> Result<(RunRecord, PathBuf)> {
    let target_dir = config.build.target_dir.clone().or_else(|| {
        let from_environment = std::env::var_os("CARGO_TARGET_DIR").filter(|dir: &OsString| !dir.is_empty());
        from_environment.map(PathBuf::from)
    });
    if target_dir.is_none() && !is_target_dir_configured(config) {
        let start = match config.manifest.path.as_deref().and_then(Path::parent) {
            Some(dir) => std::path::absolute(dir)?,
            None => std::env::current_dir()?,
        };
        if let Some(root) = start.ancestors().find(|dir| dir.join("Cargo.lock").is_file()) {
            let path = root.join("target/coverage/run.json");
            if let Ok(record) = RunRecord::read(&path)
                && record.workspace_root == root
            {
                return Ok((record, path));
            }
        }
    }
    let path = discover(config)?.layout().run_json();
    Ok((RunRecord::read(&path)?, path))
}

/// Whether cargo may have been told of another target directory than `target`. A guess that errs to the safe side: then
/// cargo is asked.
fn is_target_dir_configured(config: &Config) -> bool {
    if !config.manifest.cargo_config.is_empty() || std::env::var_os("CARGO_BUILD_TARGET_DIR").is_some() {
        return true;
    }
    let current = std::env::current_dir().unwrap_or_default();
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let files = ["config.toml", "config"];
    let in_ancestors = current.ancestors().flat_map(|dir| files.map(|name| dir.join(".cargo").join(name)));
    let in_home = cargo_home.iter().flat_map(|home| files.map(|name| home.join(name)));
    in_ancestors
        .chain(in_home)
        .any(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("target-dir")))
}

/// A record for `--object` and `--profraw`, and the directory for reports.
fn foreign_record(config: &Config) -> Result<(RunRecord, PathBuf)> {
    let mut profiles = Vec::new();
    for path in &config.input.profiles {
        if path.is_dir() {
            let pattern = glob::Pattern::escape(&path.to_string_lossy());
            let before = profiles.len();
            for entry in glob::glob(&format!("{pattern}/**/*.profraw"))? {
                profiles.push(entry.with_context(|| format!("failed to list `{}`", path.display()))?);
            }
            ensure!(
                profiles.len() > before,
                Advised::new(
                    format!("no `.profraw` file in `{}`", path.display()),
                    "set LLVM_PROFILE_FILE to a path in this directory for the processes that shall count"
                )
            );
        } else {
            profiles.push(path.clone());
        }
    }
    // Without a manifest the files need no workspace; one that was named has to be there.
    let workspace = match discover(config) {
        Err(error) if config.manifest.path.is_some() => return Err(error),
        workspace => workspace.ok(),
    };
    let current = std::env::current_dir()?;
    let sources = match &workspace {
        Some(workspace) => sources::source_layout(workspace, config),
        None => {
            SourceLayout { roots: vec![current.to_string_lossy().into_owned()], ..SourceLayout::default() }
        }
    };
    let usual_dir =
        workspace.as_ref().map_or_else(|| current.clone(), |workspace| workspace.layout().root().to_owned());
    let record = RunRecord {
        workspace_root: workspace.map_or(current, |workspace| workspace.root),
        sources,
        objects: config.input.objects.clone(),
        doctest_objects: Vec::new(),
        profiles,
        profile_dirs: Vec::new(),
        outside: None,
        tests: Vec::new(),
    };
    Ok((record, usual_dir))
}

/// Writes all requested reports from one load of the data, and holds the totals against the thresholds.
///
/// # Errors
/// No data, no source file that counts, or a report that cannot be written.
pub(super) fn write_reports(
    record: &RunRecord,
    requests: &[ReportRequest],
    config: &Config,
    ui: &Ui,
) -> Result<Outcome> {
    let exclusion = &config.exclusion;
    let filter =
        PathFilter::new(record.sources.clone(), &exclusion.ignore_filename_regex, exclusion.defaults)?;
    let coverage = evaluate(record, requests, &filter, config, ui)?;
    for request in requests {
        let root = &record.workspace_root;
        match &request.destination {
            Destination::Stdout if request.format == Format::Table => {
                let width = ui.settings().stdout_width;
                ui.print(&render_table(&coverage, request, config, width, ui.settings().stdout_color))?;
            }
            Destination::Stderr => {
                let (width, color) = (ui.settings().stderr_width, ui.settings().stderr_color);
                ui.relay(render_table(&coverage, request, config, width, color).as_bytes());
            }
            Destination::Stdout => {
                let mut stdout = ui.stdout();
                write_report(&coverage, root, request, config, &mut stdout)
                    .and_then(|()| stdout.flush().map_err(anyhow::Error::from))
                    .context("failed to write to standard output")?;
            }
            Destination::File(path) => {
                replace_file(path, |out| write_report(&coverage, root, request, config, out))?;
                ui.status("Wrote", shown(path));
            }
        }
    }
    Ok(check_thresholds(&coverage.totals, config, ui))
}

/// Names every threshold that is missed, and how far.
fn check_thresholds(totals: &Summary, config: &Config, ui: &Ui) -> Outcome {
    let thresholds = &config.thresholds;
    let mut outcome = Outcome::Fine;
    for (kind, ratio, threshold) in [
        ("line", totals.lines, thresholds.lines),
        ("function", totals.functions, thresholds.functions),
        ("region", totals.regions, thresholds.regions),
    ] {
        let Some(hundredths) = threshold.filter(|threshold| !ratio.reaches(*threshold)) else { continue };
        let missing = ratio.missing_to(hundredths);
        let (plural, are) = if missing == 1 { ("", "is") } else { ("s", "are") };
        let threshold = match (hundredths / 100, hundredths % 100) {
            (whole, 0) => format!("{whole}%"),
            (whole, decimals) => format!("{whole}.{decimals:02}%"),
        };
        let Ratio { covered, count } = ratio;
        ui.error(&anyhow!(
            "{kind} coverage {ratio} ({covered} of {count}) is below the threshold {threshold}: {missing} more \
             {kind}{plural} {are} needed"
        ));
        outcome = Outcome::BelowThreshold;
    }
    outcome
}

/// Loads a run's data and evaluates it, with a warning for everything that had to be left out.
fn evaluate(
    record: &RunRecord,
    requests: &[ReportRequest],
    filter: &PathFilter,
    config: &Config,
    ui: &Ui,
) -> Result<Coverage> {
    let threads = threads(config).get();
    let objects = record.all_objects();
    let inputs = Inputs {
        objects: objects.clone(),
        profiles: record.profiles.clone(),
        threads,
        ignore_stale: config.model == Model::Union,
    };
    let Loaded { map, files, profile, warnings } = load::load(&inputs)?;
    for warning in warnings {
        ui.warning(warning.slug, warning.message);
    }
    let is_known = profile.knows_any_of(&map);
    if !is_known {
        bail!(Advised::new(
            "no function of the objects is in any raw profile",
            "give the objects that the processes were started from, built as they were then"
        ));
    }
    let n_unmatched = profile.n_unmatched_functions(&map);
    if n_unmatched > 0 {
        let message =
            format!("{n_unmatched} functions have counts but no coverage map; is an object missing?");
        ui.warning("unmatched-functions", message);
    }
    let lists_functions =
        requests.iter().any(|request| request.format == Format::Json && !request.summary_only);
    let options = UnionOptions {
        threads,
        function_regions: lists_functions && !config.output.skip_functions,
        without_doctest_code: !record.doctest_objects.is_empty(),
    };
    let coverage = match config.model {
        Model::Union => union::evaluate(&map, &profile, options, &|stored| {
            filter.exclusion(stored).is_none().then(|| filter.reported_path(stored))
        }),
        Model::Llvm => llvm::evaluate(&map, &profile, &|stored| filter.exclusion(stored).is_none()),
    };
    let n_paths = map.paths.len();
    // Giving back what held the input takes longer than some reports do; nobody has to wait for it.
    std::thread::spawn(move || drop((map, profile)));
    let object_paths: Vec<&Path> =
        files.iter().filter_map(|position| objects.get(*position)).map(PathBuf::as_path).collect();
    say_omissions(&coverage.omissions, &object_paths, ui);
    if coverage.files.is_empty() {
        let cure = "`--no-default-exclude` counts test and generated code too";
        bail!(Advised::new(format!("none of {n_paths} source files counts"), cure));
    }
    Ok(coverage)
}

/// One warning for each object and reason, with an example: a broken compiler can damage thousands of functions.
fn say_omissions(omissions: &Omissions, objects: &[&Path], ui: &Ui) {
    let kinds = [
        ("malformed-function", "cannot be counted", &omissions.malformed),
        ("mismatched-function", "have mismatched data", &omissions.mismatched),
        ("shadowed-function", "are hidden by an older copy", &omissions.shadowed),
    ];
    for (slug, what, functions) in kinds {
        // The code of doctests is none that anybody wants to see. Threads find the others in any order.
        let is_wanted = |function: &&OmittedFunction| !is_doctest_code(&function.name);
        let mut functions: Vec<&OmittedFunction> = functions.iter().filter(is_wanted).collect();
        functions.sort_by_key(|function| (function.object, &function.name));
        let mut by_object: Vec<(&Path, Vec<&OmittedFunction>)> = Vec::new();
        let mut positions: HashMap<usize, usize> = HashMap::new();
        for function in functions {
            let object = objects.get(function.object).copied().unwrap_or(Path::new("?"));
            let position = *positions.entry(function.object).or_insert_with(|| {
                by_object.push((object, Vec::new()));
                by_object.len() - 1
            });
            by_object[position].1.push(function);
        }
        for (object, functions) in by_object {
            let first = &functions[0];
            let message = format!(
                "{} functions of `{}` {what}, `{}` for one: {}",
                functions.len(),
                shown(object),
                String::from_utf8_lossy(&crate::coverage::demangle::demangle(&first.name)),
                first.reason
            );
            ui.warning(slug, message);
        }
    }
}

fn write_report(
    coverage: &Coverage,
    workspace_root: &Path,
    request: &ReportRequest,
    config: &Config,
    out: &mut dyn Write,
) -> Result<()> {
    let (summary_only, skip_functions) = (request.summary_only, config.output.skip_functions);
    match request.format {
        Format::Table => out.write_all(render_table(coverage, request, config, None, false).as_bytes())?,
        Format::Lcov => lcov::write(coverage, LcovOptions { summary_only, skip_functions }, out)?,
        Format::Json => json::write(coverage, JsonOptions { summary_only, skip_functions }, out)?,
        Format::Text => {
            let source = |path: &[u8]| fs::read(workspace_root.join(&*String::from_utf8_lossy(path))).ok();
            text::write(coverage, source, out)?;
        }
    }
    Ok(())
}

fn render_table(
    coverage: &Coverage,
    request: &ReportRequest,
    config: &Config,
    width: Option<usize>,
    color: bool,
) -> String {
    let has_branches = coverage.totals.branches.count > 0;
    let counts = |summary: &Summary| table::Counts {
        lines: summary.lines,
        functions: summary.functions,
        regions: summary.regions,
        branches: has_branches.then_some(summary.branches),
    };
    let path = |file: &FileCoverage| String::from_utf8_lossy(&file.path).into_owned();
    let total = counts(&coverage.totals);
    let mut rendered = if request.summary_only {
        table::render_totals(total, color)
    } else {
        let row = |file: &FileCoverage| table::Row { path: path(file), counts: counts(&file.summary) };
        let rows: Vec<table::Row> = coverage.files.iter().map(row).collect();
        table::render(&rows, total, table::Layout { width, color, order: config.output.order })
    };
    if config.output.show_missing_lines {
        let missing = |file: &FileCoverage| table::MissingLines {
            path: path(file),
            lines: file.lines().filter(|line| line.count == 0).map(|line| line.line).collect(),
        };
        let files: Vec<table::MissingLines> = coverage.files.iter().map(missing).collect();
        let listed = table::render_missing_lines(&files, config.output.order);
        if !listed.is_empty() {
            rendered.push_str("\nMissing lines:\n");
            rendered.push_str(&listed);
        }
    }
    rendered
}

/// Replaces a file by `content`, whole or not at all.
///
/// # Errors
/// The directory or the file cannot be written.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    replace_file(path, |out| Ok(out.write_all(content)?))
}

/// Writes beside the file and renames, so that no reader ever sees half a report and a failure leaves the old one.
fn replace_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let context = || format!("failed to write `{}`", path.display());
    // What is no file of its own, like `/dev/stdout` or a named pipe, is written to directly.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let file = File::options().write(true).open(path).with_context(context)?;
        let mut out = BufWriter::new(file);
        return write(&mut out).and_then(|()| Ok(out.flush()?)).with_context(context);
    }
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)
            .with_context(|| format!("failed to create `{}`", directory.display()))?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).map_err(anyhow::Error::from).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 18, file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        Ok(fs::rename(&beside, path)?)
    });
    written.inspect_err(|_| drop(fs::remove_file(&beside))).with_context(context)
}
