//! From a run's record to its reports. Used right after a run and by `coverage report`.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::ci::Log;
use super::config::{Command, Config, Destination, Format, ReportRequest};
use super::flags::Invocation;
use super::record::RunRecord;
use super::verdict::Verdict;
use super::{
    Outcome, evaluate, input, manifests, measure, metadata, on_disk, output_file, outside, partial,
    read_regular, shown, warnings,
};
use crate::coverage::{Coverage, FileCoverage, Model, Summary};
use crate::export::json::{self, JsonOptions};
use crate::export::lcov::{self, LcovOptions};
use crate::load::NothingCounted;
use crate::report::markdown::{self, MarkdownOptions};
use crate::report::{badge, cobertura, codecov, functions, name, table, text};
use crate::ui::Ui;

/// `coverage report`: renders the last run again, or what another harness produced.
///
/// # Errors
/// There is no run to report on; a manifest is wrong; nothing can be read or written.
pub(super) fn report(asked: &Invocation, config: &Config, ui: &Ui) -> Result<Outcome> {
    let lock;
    let (record, usual_dir) = if config.input.objects.is_empty() {
        let (mut record, path) = input::find_record(config)?;
        // A run that is under way replaces the profiles.
        lock = path.parent().map(|dir| measure::lock_dir(dir, ui)).transpose()?;
        outside::complete(&mut record, &path)?;
        warnings::repeat(&record, ui);
        (record, path.parent().map_or_else(PathBuf::new, Path::to_owned))
    } else {
        lock = None;
        input::foreign_record(config)?
    };
    let config = metadata::configure(asked, &manifests::current(&record, config)?)?;
    let requests = config.output.requests(Command::Report, &usual_dir);
    let outcome = report_on(&record, &requests, &config, ui);
    drop(lock);
    Ok(warnings::judge(outcome?, &config, ui))
}

/// Writes all that is asked for: the file for a merge, then reports.
///
/// # Errors
/// As for [`write_reports`].
pub(super) fn report_on(
    record: &RunRecord,
    requests: &[ReportRequest],
    config: &Config,
    ui: &Ui,
) -> Result<Outcome> {
    let reports = !requests.is_empty();
    if let Some(path) = &config.output.partial {
        partial::write(record, path, config, reports, ui)?;
        // What manifests demand, the merge has to reach.
        let asked = config.for_partial_run();
        if !reports && config.output.enabled && asked.demands_anything() {
            return write_reports(record, requests, &asked, ui);
        }
    }
    match reports {
        true => write_reports(record, requests, config, ui),
        false => Ok(Outcome::Fine),
    }
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
    let partial = record.is_of_some_tests().then(|| config.for_partial_run());
    if partial.as_ref().is_some_and(|partial| partial != config) {
        ui.note("not all tests ran, so the numbers are not held against what the manifests demand");
    }
    let config = partial.as_ref().unwrap_or(config);
    let coverage = match evaluate::evaluate(record, requests, config, ui) {
        Err(error) if record.partition.is_some() && error.is::<NothingCounted>() => {
            ui.note("no test binary of this part has counted anything, so there is nothing to report");
            return Ok(Outcome::Fine);
        }
        coverage => coverage?,
    };
    say_changed_sources(record, &coverage, ui);
    let log = Log::new(requests, config, ui);
    // That git or a baseline cannot be read is no reason to withhold the reports.
    let verdict = Verdict::reach(record, &coverage, config, &log, ui);
    let sections = verdict.as_ref().map_or_else(|_| Vec::new(), Verdict::sections);
    let write_report = |request: &ReportRequest, out: &mut dyn Write| {
        write_report(&coverage, &record.workspace_root, request, config, &sections, ui, out)
    };
    for request in requests {
        match &request.destination {
            Destination::Stdout if request.format == Format::Table => {
                let width = ui.settings().stdout_width;
                let table = render_table(&coverage, request, config, width, ui.settings().stdout_color);
                log.section("coverage_table", "Coverage by file", &table)?;
            }
            Destination::Stderr => {
                let (width, color) = (ui.settings().stderr_width, ui.settings().stderr_color);
                let table = render_table(&coverage, request, config, width, color);
                log.section("coverage_table", "Coverage by file", &table)?;
            }
            Destination::Stdout => {
                let mut stdout = ui.stdout();
                write_report(request, &mut stdout)
                    .and_then(|()| stdout.flush().map_err(anyhow::Error::from))
                    .context("failed to write to standard output")?;
            }
            Destination::File(path) => {
                output_file::replace(path, |out| write_report(request, out))?;
                ui.status("Wrote", shown(path));
            }
        }
    }
    let verdict = verdict?;
    verdict.say(config, &log, ui)?;
    verdict.save_baseline(record, config, ui)?;
    log.finish(&record.workspace_root, &coverage, &verdict, &sections)?;
    Ok(verdict.outcome())
}

/// Lines are those of the sources that were compiled: what was edited since is counted on other lines. Of what was removed,
/// nobody knows any more what in it does not count.
fn say_changed_sources(record: &RunRecord, coverage: &Coverage, ui: &Ui) {
    let Some(recorded) = record.recorded else { return };
    let is_changed = |path: &Path| match fs::metadata(path).and_then(|metadata| metadata.modified()) {
        Ok(modified) => modified > recorded,
        // Paths from outside of the workspace may be those of another machine, as the standard library's are.
        Err(error) => error.kind() == ErrorKind::NotFound && path.starts_with(&record.workspace_root),
    };
    let paths = coverage.files.iter().map(|file| &*file.path);
    let changed: Vec<_> =
        paths.filter(|path| is_changed(&on_disk(&record.workspace_root, path))).map(name::text).collect();
    if let Some(first) = changed.first() {
        let message = match changed.len() {
            1 => format!("`{first}` was changed or removed after the run; its lines may be others by now"),
            count => format!(
                "{count} source files were changed or removed after the run, `{first}` for one; their lines may be \
                 others by now"
            ),
        };
        ui.warning_of(changed.len() as u64, "changed-source", message);
    }
}

fn write_report(
    coverage: &Coverage,
    workspace_root: &Path,
    request: &ReportRequest,
    config: &Config,
    sections: &[String],
    ui: &Ui,
    out: &mut dyn Write,
) -> Result<()> {
    let (summary_only, skip_functions) = (request.summary_only, config.output.skip_functions);
    match request.format {
        Format::Table => out.write_all(render_table(coverage, request, config, None, false).as_bytes())?,
        Format::Lcov => lcov::write(coverage, LcovOptions { summary_only, skip_functions }, out)?,
        Format::Json => {
            let options = JsonOptions { summary_only, skip_functions };
            match config.model() {
                Model::Union => json::write_with_warnings(coverage, options, &ui.warning_counts(), out)?,
                // Byte for byte as LLVM's, which has no such key.
                Model::Llvm => json::write(coverage, options, out)?,
            }
        }
        Format::Text => {
            let source = |path: &[u8]| read_regular(&on_disk(workspace_root, path));
            text::write(coverage, source, out)?;
        }
        Format::Cobertura => cobertura::write(coverage, &workspace_root.to_string_lossy(), out)?,
        Format::Codecov => codecov::write(coverage, out)?,
        Format::Markdown => {
            let options = match summary_only {
                true => MarkdownOptions {
                    most_files: 0,
                    missing_lines: false,
                    sections,
                    ..MarkdownOptions::DEFAULT
                },
                false => MarkdownOptions { sections, ..MarkdownOptions::DEFAULT },
            };
            markdown::write(coverage, &options, out)?;
        }
        Format::Badge => badge::write_endpoint(coverage.totals.lines, out)?,
        Format::BadgeSvg => badge::write_svg(coverage.totals.lines, out)?,
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
    let path = |file: &FileCoverage| name::text(&file.path).into_owned();
    let total = counts(&coverage.totals);
    let mut rendered = if config.output.total_line {
        table::render_total_line(total.lines)
    } else if request.summary_only {
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
    if config.output.show_missing_functions {
        let listed = functions::render_missing(coverage);
        if !listed.is_empty() {
            rendered.push_str("\nMissing functions:\n");
            rendered.push_str(&listed);
        }
    }
    rendered
}
