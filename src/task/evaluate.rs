//! From a run's record to one model of its coverage: load, evaluate, and say what had to be left out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::config::{Config, Engine, Format, ReportRequest};
use super::exclusion::{self, Sources};
use super::record::RunRecord;
use super::{llvm_engine, merge, on_disk, shown, threads, warnings};
use crate::coverage::map::CoverageMap;
use crate::coverage::profile::Profile;
use crate::coverage::symbol::is_doctest_code;
use crate::coverage::union::UnionOptions;
use crate::coverage::{Coverage, Model, Omissions, OmittedFunction, llvm, union};
use crate::filter::PathFilter;
use crate::load::{self, Architecture, Inputs, Loaded, Warning};
use crate::report::name;
use crate::ui::Ui;
use crate::ui::message::Advised;

/// Evaluates a run's data, with a warning for everything that had to be left out.
///
/// # Errors
/// No data, nothing that fits together, no source file that counts; or LLVM's tools are wanted and fail.
pub(super) fn evaluate(
    record: &RunRecord,
    requests: &[ReportRequest],
    config: &Config,
    ui: &Ui,
) -> Result<Coverage> {
    let filter = exclusion::path_filter(record.sources.clone(), &config.exclusion)?;
    let coverage = match config.engine {
        Engine::Embedded => embedded(record, &filter, requests, config, ui)?,
        Engine::Llvm => {
            record.refuse_merge()?;
            llvm_engine::evaluate(record, &filter, ui)?
        }
    };
    if coverage.files.is_empty() {
        let what = format!("none of {} source files counts", coverage.paths.len());
        bail!(Advised::new(what, "`--no-default-exclude` counts test and generated code too"));
    }
    Ok(coverage)
}

/// What our own reading makes of a run.
fn embedded(
    record: &RunRecord,
    filter: &PathFilter,
    requests: &[ReportRequest],
    config: &Config,
    ui: &Ui,
) -> Result<Coverage> {
    let threads = threads(config).get();
    let Data { map, profile, objects, has_doctests, warnings } = match record.partials.is_empty() {
        true => of_run(record, config.model(), threads)?,
        false => of_partials(record, filter, requests, config)?,
    };
    warnings::say(warnings, ui);
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
        ui.warning_of(n_unmatched as u64, "unmatched-functions", message);
    }
    let lists_functions =
        requests.iter().any(|request| request.format == Format::Json && !request.summary_only);
    let lists_missing = config.output.show_missing_functions
        && requests.iter().any(|request| request.format == Format::Table);
    let options = UnionOptions {
        threads,
        function_regions: lists_missing || lists_functions && !config.output.skip_functions,
        without_doctest_code: has_doctests,
    };
    let coverage = match config.model() {
        Model::Union => {
            let counts = |stored: &[u8]| filter.exclusion(stored).is_none();
            let others: Vec<PathBuf> = map
                .paths
                .iter()
                .filter(|path| counts(path))
                .map(|path| on_disk(&record.workspace_root, path))
                .collect();
            let sources = Sources::read(&record.sources, filter, &others, &config.exclusion, threads);
            sources.say_problems(filter, true, ui)?;
            let place = |stored: &[u8]| {
                let reported = counts(stored).then(|| filter.reported_path(stored))?;
                let is_included = || filter.inclusion(&String::from_utf8_lossy(&reported)).is_some();
                (sources.whole(&reported).is_none() || is_included()).then_some(reported)
            };
            union::evaluate(&map, &profile, options, &place, &sources.cuts())
        }
        Model::Llvm => llvm::evaluate(&map, &profile, &|stored| filter.exclusion(stored).is_none()),
    };
    // Giving back what held the input takes longer than some reports do; nobody has to wait for it.
    std::thread::spawn(move || drop((map, profile)));
    say_omissions(&coverage.omissions, &objects.iter().map(PathBuf::as_path).collect::<Vec<_>>(), ui);
    Ok(coverage)
}

/// What is evaluated.
struct Data {
    map: CoverageMap,
    profile: Profile,
    /// For each object of the map, its path for messages.
    objects: Vec<PathBuf>,
    has_doctests: bool,
    warnings: Vec<Warning>,
}

/// What a run left on this machine.
fn of_run(record: &RunRecord, model: Model, threads: usize) -> Result<Data> {
    let paths = record.all_objects();
    let inputs = Inputs {
        objects: paths.clone(),
        profiles: record.profiles.clone(),
        architecture: Architecture::host(),
        threads,
        ignore_stale: model == Model::Union,
    };
    let Loaded { map, files, profile, warnings } = load::load(&inputs)?;
    let objects = files.iter().filter_map(|position| paths.get(*position).cloned()).collect();
    Ok(Data { map, profile, objects, has_doctests: !record.doctest_objects.is_empty(), warnings })
}

/// What others have written into files.
fn of_partials(
    record: &RunRecord,
    filter: &PathFilter,
    requests: &[ReportRequest],
    config: &Config,
) -> Result<Data> {
    let files = merge::read_all(&record.partials, &record.sources.roots)?;
    merge::check_sources(&files, record, filter, merge::needs_sources(requests, config))?;
    let content = merge::content(&files, &record.sources.roots);
    let profile = match config.model() {
        Model::Union => content.profile,
        Model::Llvm => content.with_stale.unwrap_or(content.profile),
    };
    Ok(Data {
        map: content.map,
        profile,
        has_doctests: content.objects.iter().any(|object| object.is_doctest),
        objects: content.objects.into_iter().map(|object| object.path).collect(),
        warnings: content.warnings,
    })
}

/// One warning for each object and reason, with an example: a broken compiler can damage thousands of functions.
fn say_omissions(omissions: &Omissions, objects: &[&Path], ui: &Ui) {
    if let Some(first) = omissions.oversized.first() {
        let message = format!(
            "{} source files have more lines than their coverage maps can mean and are left out, `{}` for one",
            omissions.oversized.len(),
            name::text(first)
        );
        ui.warning("oversized-file", message);
    }
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
            ui.warning_of(functions.len() as u64, slug, message);
        }
    }
}
