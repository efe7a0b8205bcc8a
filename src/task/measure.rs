//! `cargo xtask coverage`: the story from a workspace to its reports.

use std::fs::{self, File, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};

use super::config::{self, Command, Config, Destination};
use super::exclusion::{self, Sources};
use super::freshness::{self, SourceTimes};
use super::partition::Partition;
use super::record::{ManifestRecord, PartitionRecord, RunRecord, TestRecord};
use super::{
    Outcome, baseline, cache, cargo_config, ci, llvm_engine, nextest, output_file, partial, patch, render,
    sources, strays, testing, threads, warnings,
};
use crate::cargo::build::{self, Build, Builder};
use crate::cargo::invocation::BuildOptions;
use crate::cargo::workspace::{CargoTargetKind, Workspace};
use crate::cargo::wrapper::Instrumentation;
use crate::coverage::Model;
use crate::interrupt::Interrupt;
use crate::layout::{LOCK_FILE, Layout, REPORT_FILES, RUN_FILE};
use crate::load;
use crate::runner::{self, CutShort, TestRun};
use crate::ui::Ui;
use crate::ui::message::Advised;
use crate::ui::settings::Verbosity;

/// Builds with counters, runs the tests, reports.
///
/// # Errors
/// The build fails; there is nothing to run; a test binary leaves no counts; nothing can be read or written. Failing tests
/// are an outcome.
pub(super) fn coverage(
    workspace: &Workspace,
    manifests: &[ManifestRecord],
    config: &Config,
    ui: &Ui,
) -> Result<Outcome> {
    let layout = workspace.layout();
    let _lock = prepare(workspace, &layout, config, ui)?;
    let start = SystemTime::now();
    let (options, instrumentation) = build_options(config, ui);
    let builder = Builder::new(workspace, &options, &instrumentation)?;
    if !config.tests.run {
        return build_only(workspace, builder, config, ui);
    }
    let listening = Interrupt::listen()?;
    let interrupt = listening.interrupt();
    let (run, build) = match build_and_test(workspace, builder, config, interrupt, ui)? {
        ControlFlow::Continue(tested) => tested,
        ControlFlow::Break(outcome) => return Ok(outcome),
    };
    let strays = strays::collect(workspace, &layout, &build.target_triple, start);
    if interrupt.signal().is_none() {
        // Before it is recorded, or `coverage report` would show 0 %.
        refuse_empty_run(config, &build, &run)?;
    }
    let mut record = record(workspace, config, &build, &run, strays);
    record.manifests = manifests.to_vec();
    if let ControlFlow::Break(outcome) = keep(&mut record, &layout, &run, interrupt, ui)? {
        return Ok(outcome);
    }
    // A report can be interrupted without loss.
    drop(listening);
    let reported = report(&record, &layout, config, ui)?;
    let outcome = match run.failed {
        true if !config.tests.ignore_failures => Outcome::TestsFailed,
        _ => reported,
    };
    Ok(warnings::judge(outcome, config, ui))
}

/// Says at the beginning what is known to be missing at the end. Nobody else writes to the same place as long as the returned lock
/// is there.
fn prepare(workspace: &Workspace, layout: &Layout, config: &Config, ui: &Ui) -> Result<File> {
    // Of some of the tests, manifests demand nothing.
    let is_part = selects_tests(&config.tests) || partition(&config.tests).is_some();
    let compared = if is_part { &config.for_partial_run() } else { config };
    patch::prepare(&workspace.root, compared)?;
    baseline::prepare(compared)?;
    let lock = lock(layout, ui)?;
    check_markers(workspace, config, ui)?;
    llvm_engine::prepare(workspace, config)?;
    Ok(lock)
}

/// Says that the build begins, and makes unchanged sources as old as they were in the last one.
fn begin_build(
    workspace: &Workspace,
    builder: &Builder<'_>,
    config: &Config,
    ui: &Ui,
) -> Result<Option<SourceTimes>> {
    ui.status("Building", "the tests with coverage counters");
    let times = freshness::restore(workspace, config, ui)?;
    if let Some(why) = builder.own_build_dir() {
        ui.note(format_args!("dependencies are compiled apart from those of `cargo test`: {why}"));
    }
    Ok(times)
}

/// Builds what would run.
fn build_only(workspace: &Workspace, mut builder: Builder<'_>, config: &Config, ui: &Ui) -> Result<Outcome> {
    let times = begin_build(workspace, &builder, config, ui)?;
    builder.programs(&mut |event| {
        if let build::Event::Line(line) = event {
            ui.relay(line.as_bytes());
        }
        Ok(())
    })?;
    times.map(SourceTimes::built).transpose()?;
    Ok(Outcome::Fine)
}

/// Builds with counters, and tests what is built: every process leaves a raw profile. An interrupted build is the end.
fn build_and_test(
    workspace: &Workspace,
    builder: Builder<'_>,
    config: &Config,
    interrupt: &Interrupt,
    ui: &Ui,
) -> Result<ControlFlow<Outcome, (TestRun, Build)>> {
    let times = begin_build(workspace, &builder, config, ui)?;
    let tested = match config.tests.nextest {
        true => nextest::build_and_test(workspace, builder, config, interrupt, ui),
        false => testing::build_and_test(workspace, builder, config, interrupt, ui),
    };
    let (run, build) = match (tested, interrupt.signal()) {
        (Ok(tested), _) => tested,
        (Err(_), Some(signal)) => {
            ui.error(&anyhow!("interrupted before all tests were built; nothing was kept"));
            return Ok(ControlFlow::Break(Outcome::Interrupted(signal)));
        }
        (Err(error), None) => return Err(error),
    };
    times.map(SourceTimes::built).transpose()?;
    if config.build.lean.holds(ci::is_ci(config))
        && let Err(error) = cache::remove_unused(workspace, config, ui)
    {
        // No reason to lose what was measured.
        ui.note(format_args!("what is not used any more stays: {error:#}"));
    }
    if !config.tests.nextest {
        testing::say_summary(&run, &build, config, ui);
    }
    say_cached_libraries(&build, ui);
    Ok(ControlFlow::Continue((run, build)))
}

/// Writes down what was measured, so that it can be reported on again. After an interrupt that is the end.
fn keep(
    record: &mut RunRecord,
    layout: &Layout,
    run: &TestRun,
    interrupt: &Interrupt,
    ui: &Ui,
) -> Result<ControlFlow<Outcome>> {
    // Counted before it is recorded: whoever reports on this run later has to know.
    let missing = match interrupt.signal() {
        None => say_missing_profiles(run, ui),
        Some(_) => Ok(()),
    };
    warnings::write_record(&layout.run_json(), record, ui)?;
    if let Some(signal) = interrupt.signal() {
        ui.error(&anyhow!(Advised::new(
            "interrupted; what was counted until then is kept",
            "`cargo xtask coverage report` reports on it"
        )));
        return Ok(ControlFlow::Break(Outcome::Interrupted(signal)));
    }
    missing.map(ControlFlow::Continue)
}

/// Writes all reports from one load of the data.
fn report(record: &RunRecord, layout: &Layout, config: &Config, ui: &Ui) -> Result<Outcome> {
    let requests = config.output.requests(Command::Coverage, layout.root());
    remove_other_reports(layout, requests.iter().map(|request| &request.destination))?;
    let reported = render::report_on(record, &requests, config, ui)?;
    warnings::update_record(&layout.run_json(), record, ui)?;
    Ok(reported)
}

/// Refuses markers that do not match before anybody has waited for the tests.
///
/// # Errors
/// There are some.
pub(super) fn check_markers(workspace: &Workspace, config: &Config, ui: &Ui) -> Result<()> {
    if !config.output.enabled || config.model() == Model::Llvm {
        return Ok(());
    }
    let layout = sources::source_layout(workspace, config);
    let filter = exclusion::path_filter(layout.clone(), &config.exclusion)?;
    let sources = Sources::read(&layout, &filter, &[], &config.exclusion, threads(config).get());
    sources.say_problems(&filter, false, ui)
}

/// Waits until no other run writes to the same place. The lock ends with the returned file.
///
/// # Errors
/// The lock file cannot be made.
pub(super) fn lock(layout: &Layout, ui: &Ui) -> Result<File> {
    let root = layout.root();
    output_file::create_dir(root)?;
    lock_dir(root, ui)
}

/// The same for an existing `target/coverage`.
pub(super) fn lock_dir(root: &Path, ui: &Ui) -> Result<File> {
    let path = root.join(LOCK_FILE);
    let open = || File::options().create(true).truncate(false).write(true).open(&path);
    let file = open().with_context(|| format!("failed to open `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            ui.status("Blocking", format_args!("waiting for another run in `{}`", super::shown(root)));
        }
        Err(TryLockError::Error(error)) => {
            // File systems without locks exist; two runs at once are the user's to avoid there.
            ui.warning("no-lock", format_args!("failed to lock `{}`: {error}", path.display()));
            return Ok(file);
        }
    }
    file.lock().with_context(|| format!("failed to lock `{}`", path.display()))?;
    Ok(file)
}

/// The configuration in the words of the layer below.
pub(super) fn build_options(config: &Config, ui: &Ui) -> (BuildOptions, Instrumentation) {
    let (packages, targets, features) = (&config.packages, &config.targets, &config.features);
    let (build, manifest, settings) = (&config.build, &config.manifest, ui.settings());
    let options = BuildOptions {
        packages: packages.select.clone(),
        exclude: packages.exclude.clone(),
        workspace: packages.select.is_empty(),
        lib: targets.lib,
        bins: targets.bins,
        bin: targets.bin.clone(),
        tests: targets.tests,
        test: targets.test.clone(),
        examples: targets.examples,
        example: targets.example.clone(),
        benches: targets.benches,
        bench: targets.bench.clone(),
        all_targets: targets.all_targets,
        features: features.select.clone(),
        all_features: features.all,
        no_default_features: features.no_default,
        cargo_profile: build.cargo_profile.clone(),
        target_triple: build.target_triple.clone(),
        manifest_path: manifest.path.clone(),
        locked: manifest.locked,
        offline: manifest.offline,
        frozen: manifest.frozen,
        ignore_rust_version: manifest.ignore_rust_version,
        jobs: build.jobs.map(|_| threads(config).to_string()),
        keep_going: build.keep_going,
        config: [lean_settings(config), cargo_config(config)].concat(),
        verbose: match settings.verbosity {
            Verbosity::Quiet | Verbosity::Normal => 0,
            Verbosity::Verbose => 1,
            Verbosity::VeryVerbose => 2,
        },
        quiet: settings.verbosity == Verbosity::Quiet,
        color: Some(if settings.stderr_color { "always" } else { "never" }.to_owned()),
    };
    let instrumentation = Instrumentation {
        branches: build.branches,
        build_scripts: build.build_scripts,
        ..Instrumentation::default()
    };
    (options, instrumentation)
}

/// Cargo's settings for a build that nobody debugs or goes on with. What the user has set by variables, which are weaker, stays.
fn lean_settings(config: &Config) -> Vec<String> {
    if !config.build.lean.holds(ci::is_ci(config)) {
        return Vec::new();
    }
    let settings = [
        ("CARGO_PROFILE_DEV_DEBUG", "profile.dev.debug=false"),
        ("CARGO_INCREMENTAL", "build.incremental=false"),
    ];
    let is_free = |name: &str| std::env::var_os(name).is_none();
    settings.into_iter().filter(|(name, _)| is_free(name)).map(|(_, setting)| setting.to_owned()).collect()
}

/// A macro that did not run left no counts.
fn say_cached_libraries(build: &Build, ui: &Ui) {
    if let Some(first) = build.libraries_from_cache.first()
        && build.artifacts.iter().any(|artifact| artifact.target.kind == CargoTargetKind::ProcMacro)
    {
        let message = format!(
            "{} libraries came from a compiler cache, `{first}` for one, so that macros in them did not run; their counts are \
             missing",
            build.libraries_from_cache.len()
        );
        ui.warning_of(build.libraries_from_cache.len() as u64, "cached-library", message);
    }
}

fn record(
    workspace: &Workspace,
    config: &Config,
    build: &Build,
    run: &TestRun,
    strays: Vec<PathBuf>,
) -> RunRecord {
    let mut profiles = Vec::new();
    let part = partition(&config.tests);
    // Every machine builds all of it, and what compilers ran shall count once.
    if part.is_none_or(Partition::is_first) {
        profiles.extend(build.compiler_profiles.iter().cloned());
        let threads = threads(config).get();
        profiles.extend(load::profiles_of(&build.build_time_profiles, &build.build_time_objects, threads));
    }
    profiles.extend(run.results.iter().flat_map(|result| result.profiles.iter().cloned()));
    profiles.extend(run.profiles.iter().cloned());
    profiles.extend(strays);
    let results = testing::with_results(build, run);
    let tests = results.map(|(binary, result)| TestRecord {
        binary_id: result.binary_id.clone(),
        executable: binary.executable.clone(),
        outcome: match result.outcome {
            runner::Outcome::Passed => "passed",
            runner::Outcome::Failed(_) | runner::Outcome::NotStarted(_) => "failed",
            runner::Outcome::CutShort(CutShort::TimedOut(_)) => "timed out",
            runner::Outcome::CutShort(CutShort::Interrupted) => "interrupted",
            runner::Outcome::NotRun => "not run",
            runner::Outcome::Unknown => "unknown",
        }
        .to_owned(),
        n_objects: result.objects.len() as u64,
        duration_ms: u64::try_from(result.duration.as_millis()).unwrap_or(u64::MAX),
        counts: result.harness.counts.map(|counts| {
            [counts.passed, counts.failed, counts.ignored]
                .map(|count| u64::try_from(count).unwrap_or(u64::MAX))
        }),
        tests: result
            .harness
            .tests
            .iter()
            .map(|(name, outcome)| (name.clone(), outcome.to_string()))
            .collect(),
    });
    let did_not_run = |result: &runner::BinaryResult| {
        matches!(result.outcome, runner::Outcome::NotRun | runner::Outcome::CutShort(CutShort::Interrupted))
    };
    // A binary of which nextest has run nothing has no test to run, unless failing ones have ended the run.
    let is_cut_short = (run.failed || !config.tests.nextest) && run.results.iter().any(did_not_run);
    let is_partial = selects_tests(&config.tests) || is_cut_short;
    let partition = part.map(|part| PartitionRecord {
        part,
        of_tests: config.tests.nextest,
        binaries: testing::binaries(build).map(|binary| binary.binary_id.clone()).collect(),
    });
    RunRecord {
        objects: build.objects.clone(),
        doctest_objects: run.results.iter().flat_map(|result| result.objects.iter().cloned()).collect(),
        profiles,
        tests: tests.collect(),
        origin: Some(partial::origin(workspace, &build.target_triple, config)),
        partition,
        is_partial,
        ..RunRecord::new(workspace.root.clone(), sources::source_layout(workspace, config))
    }
}

/// Which part of the tests runs here, where others run elsewhere: of whole binaries, or under cargo-nextest of single tests.
pub(super) fn partition(tests: &config::Tests) -> Option<Partition> {
    match tests.nextest {
        true => Partition::of_nextest(&tests.arguments),
        false => tests.partition,
    }
}

/// Whether tests are chosen by name, by a filter of ours or by what goes to libtest or cargo-nextest.
fn selects_tests(tests: &config::Tests) -> bool {
    // Those of libtest that take a word of their own; other words are names.
    const WITH_VALUE: [&str; 6] =
        ["--color", "--format", "--logfile", "--shuffle-seed", "--test-threads", "-Z"];
    const NAMED_FILTERS: [&str; 5] = ["--exact", "--ignored", "--skip", "--filter-expr", "--filterset"];
    let mut arguments = tests.arguments.iter().map(|argument| argument.to_string_lossy());
    let mut selects = tests.filter.is_some();
    while let Some(argument) = arguments.next() {
        let name = argument.split('=').next().unwrap_or_default();
        selects |= if tests.nextest {
            // Which of its flags take a word, only nextest knows.
            NAMED_FILTERS.contains(&name) || name.starts_with("-E")
        } else if WITH_VALUE.contains(&&*argument) {
            arguments.next();
            false
        } else {
            NAMED_FILTERS.contains(&name) || !name.starts_with('-')
        };
    }
    selects
}

/// Nothing found is an error, never 0 % and never 100 %.
fn refuse_empty_run(config: &Config, build: &Build, run: &TestRun) -> Result<()> {
    // All tests may be those of other parts.
    if partition(&config.tests).is_some() && testing::binaries(build).next().is_some() {
        return Ok(());
    }
    if run.results.is_empty() {
        let cure = "write a test, or select targets that have some: `--lib`, `--tests`, `--all-targets`, …";
        bail!(Advised::new("no test binary was built, so there is nothing to measure", cure));
    }
    // Without libtest's numbers a binary counts as having run something.
    let ran_some = run.results.iter().any(|result| match result.harness.counts {
        Some(counts) => counts.passed + counts.failed + counts.measured > 0,
        None => result.outcome != runner::Outcome::NotRun,
    });
    if ran_some {
        return Ok(());
    }
    match &config.tests.filter {
        Some(filter) => bail!(Advised::new(
            format!("no test ran: none has `{filter}` in its name"),
            "`cargo test -- --list` shows the names"
        )),
        None => bail!(Advised::new(
            "no test ran, so there is nothing to measure",
            "write a test for what shall count"
        )),
    }
}

/// A test binary that leaves no counts would silently turn what it covers into misses.
///
/// # Errors
/// There is one that did not fail.
fn say_missing_profiles(run: &TestRun, ui: &Ui) -> Result<()> {
    let mut missing = Vec::new();
    for result in run.results.iter().filter(|result| result.profile_missing) {
        let what = format!("no raw profile was written by test binary `{}`", result.binary_id);
        if result.failed() {
            ui.warning("missing-profile", format_args!("{what}, which failed"));
        } else {
            ui.count_warning("missing-profile");
            missing.push(what);
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(first) => bail!(Advised::new(
            match missing.len() {
                1 => first.clone(),
                count => format!("{first}, nor by {} others", count - 1),
            },
            "does it clear its environment, remove its profiles, or run where files cannot be mapped? The latter is helped by \
             `--no-continuous`"
        )),
    }
}

/// Removes reports of earlier runs that this one does not write: editors and services merge every file that they find.
pub(super) fn remove_other_reports<'a>(
    layout: &Layout,
    kept: impl Iterator<Item = &'a Destination> + Clone,
) -> Result<()> {
    remove_abandoned(layout)?;
    for name in REPORT_FILES {
        let path = layout.report(name);
        if kept.clone().any(|destination| *destination == Destination::File(path.clone())) {
            continue;
        }
        remove_if_there(&path)?;
    }
    Ok(())
}

/// Removes what runs that were killed while they wrote have left beside their outputs.
fn remove_abandoned(layout: &Layout) -> Result<()> {
    for entry in fs::read_dir(layout.root()).into_iter().flatten().flatten() {
        let names = REPORT_FILES.into_iter().chain([RUN_FILE]);
        let file_name = entry.file_name();
        if names.into_iter().any(|name| output_file::is_abandoned(&file_name.to_string_lossy(), name)) {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

pub(super) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::selects_tests;
    use crate::task::config::Config;

    #[test]
    fn tests_can_be_chosen_behind_the_dashes() {
        for (nextest, arguments, expected) in [
            (false, &[][..], false),
            (false, &["--test-threads", "1", "--format=pretty", "--include-ignored"], false),
            (false, &["--color", "always", "login"], true),
            (false, &["--skip", "slow"], true),
            (false, &["--skip=slow"], true),
            (false, &["--exact", "a::b"], true),
            (false, &["--ignored"], true),
            (true, &["--profile", "ci", "--retries=2"], false),
            (true, &["-E", "package(app)"], true),
            (true, &["--filterset=test(a)"], true),
            // Others run the other parts.
            (true, &["--partition", "hash:1/2"], false),
            (true, &["--partition", "hash:1/2", "-E", "package(app)"], true),
        ] {
            let mut tests = Config::new().tests;
            tests.nextest = nextest;
            tests.arguments = arguments.iter().map(Into::into).collect();
            assert_eq!(selects_tests(&tests), expected, "{arguments:?}");
        }
        let filtered = crate::task::config::Tests { filter: Some("a".to_owned()), ..Config::new().tests };
        assert!(selects_tests(&filtered));
    }
}
