//! `coverage run`: one program, started as `cargo run` starts it, and the report on what it ran.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};

use super::config::{self, Config};
use super::freshness::{self, SourceTimes};
use super::record::{ManifestRecord, Origin, RunRecord};
use super::{
    Outcome, baseline, llvm_engine, measure, outside, partial, patch, render, shown, sources, strays,
    warnings,
};
use crate::cargo::build::{Builder, Event, binary_id};
use crate::cargo::program::Program;
use crate::cargo::workspace::Workspace;
use crate::cargo::wrapper::is_continuous;
use crate::interrupt::Interrupt;
use crate::layout::Layout;
use crate::load::is_instrumented;
use crate::runner::profiles;
use crate::ui::Ui;
use crate::ui::message::Advised;

/// Builds a program with counters, runs it, reports.
///
/// # Errors
/// The build fails; the program leaves no counts; nothing can be read or written. That the program fails is an outcome.
pub(super) fn run(
    workspace: &Workspace,
    manifests: &[ManifestRecord],
    config: &Config,
    ui: &Ui,
) -> Result<Outcome> {
    measure::check_markers(workspace, config, ui)?;
    llvm_engine::prepare(workspace, config)?;
    // Of one program, manifests demand nothing, unless its counts are added to those of a whole run.
    let compared = if config.tests.keep_profiles { config } else { &config.for_partial_run() };
    patch::prepare(&workspace.root, compared)?;
    baseline::prepare(compared)?;
    let layout = workspace.layout();
    let _lock = measure::lock(&layout, ui)?;

    let program = build(workspace, config, ui)?;
    let run_json = layout.run_json();
    let earlier = if config.tests.keep_profiles { earlier_record(workspace, &layout) } else { None };
    match &earlier {
        Some(earlier) => warnings::repeat(earlier, ui),
        None => profiles::empty(&layout.raw())?,
    }
    let directory = profile_dir(&program, &layout);
    // Written before the program runs: should we be gone when it ends, `coverage report` has what it needs.
    let origin = partial::origin(workspace, &program.build.target_triple, config);
    let mut record = record(workspace, &program, origin, directory.clone(), earlier);
    record.manifests = manifests.to_vec();
    warnings::write_record(&run_json, &mut record, ui)?;

    let continuous = config.tests.continuous
        && is_continuous(&program.build.target_triple)
        && is_instrumented(&program.executable);
    let pattern = profiles::pattern(&directory, continuous);
    let arguments: Vec<_> = config.tests.arguments.iter().map(|it| it.to_string_lossy()).collect();
    let name = shown(&program.executable);
    ui.status(
        "Running",
        format_args!("`{}`", [&[name.clone().into()], arguments.as_slice()].concat().join(" ")),
    );
    let start = SystemTime::now();
    let status = wait(program.command(&config.tests.arguments, &pattern)?)?;
    if !status.success() {
        ui.error(&anyhow!("`{name}` failed ({status})"));
    }

    let mut strays = strays::collect(workspace, &layout, &program.build.target_triple, start);
    let has_counts = !profiles::find(&directory).is_empty() || !strays.is_empty();
    strays.retain(|stray| !record.profiles.contains(stray));
    if !strays.is_empty() {
        record.profiles.append(&mut strays);
        warnings::write_record(&run_json, &mut record, ui)?;
    }
    if !has_counts {
        bail!(Advised::new(
            format!("no raw profile was written by `{name}`"),
            "does it clear its environment, end before `main` returns, or run where files cannot be mapped? The latter is \
             helped by `--no-continuous`"
        ));
    }
    outside::complete(&mut record, &run_json)?;
    let requests = config.output.requests(config::Command::Run, layout.root());
    measure::remove_other_reports(&layout, requests.iter().map(|request| &request.destination))?;
    let reported = render::report_on(&record, &requests, config, ui)?;
    warnings::update_record(&run_json, &record, ui)?;
    let outcome = match status.success() || config.tests.ignore_failures {
        true => reported,
        false => Outcome::TestsFailed,
    };
    Ok(warnings::judge(outcome, config, ui))
}

fn build(workspace: &Workspace, config: &Config, ui: &Ui) -> Result<Program> {
    let (options, instrumentation) = measure::build_options(config, ui);
    let builder = Builder::new(workspace, &options, &instrumentation)?;
    ui.status("Building", "the program with coverage counters");
    if let Some(why) = builder.own_build_dir() {
        ui.note(format_args!("dependencies are compiled apart from those of `cargo run`: {why}"));
    }
    let times = freshness::restore(workspace, config, ui)?;
    let program = Program::build(workspace, builder, &mut |event| {
        if let Event::Line(line) = event {
            ui.relay(line.as_bytes());
        }
        Ok(())
    })?;
    times.map(SourceTimes::built).transpose()?;
    Ok(program)
}

/// The record of the last run, to count on. Another workspace may have used the same target directory.
fn earlier_record(workspace: &Workspace, layout: &Layout) -> Option<RunRecord> {
    let mut record = RunRecord::read(&layout.run_json()).ok()?;
    record.objects.retain(|path| path.is_file());
    record.profiles.retain(|path| path.is_file());
    // A merge has no profiles that could be added to.
    let is_ours = record.workspace_root == workspace.root && record.partials.is_empty();
    is_ours.then_some(record)
}

/// A directory for the profiles of this run that no earlier one has used.
fn profile_dir(program: &Program, layout: &Layout) -> PathBuf {
    let first = layout.raw_of(&binary_id(&program.package, &program.cargo_target));
    profiles::numbered(&first).find(|directory| !directory.exists()).unwrap_or_default()
}

fn record(
    workspace: &Workspace,
    program: &Program,
    origin: Origin,
    directory: PathBuf,
    earlier: Option<RunRecord>,
) -> RunRecord {
    let everything = Config::new();
    let mut record = earlier.unwrap_or_else(|| RunRecord {
        is_partial: true,
        origin: Some(origin),
        ..RunRecord::new(workspace.root.clone(), sources::source_layout(workspace, &everything))
    });
    let build = &program.build;
    for (known, new) in
        [(&mut record.objects, &build.objects), (&mut record.profiles, &build.compiler_profiles)]
    {
        for path in new {
            if !known.contains(path) {
                known.push(path.clone());
            }
        }
    }
    record.profile_dirs.push(directory);
    record.recorded = None;
    record
}

/// Runs the program with our own streams until it ends. Ctrl-C is for the program; a polite request to end is passed on to it.
fn wait(mut command: Command) -> Result<ExitStatus> {
    let listening = Interrupt::listen()?;
    let shown = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("failed to run `{shown}`"))?;
    let mut was_told = false;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().with_context(|| format!("failed to wait for `{shown}`"))? {
            return Ok(status);
        }
        if !was_told && listening.interrupt().signal() == Some(SIGTERM) {
            terminate(&mut child);
            was_told = true;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The number of the signal that `kill` sends. Who sends it knows of this process alone, unlike a terminal.
const SIGTERM: usize = 15;

fn terminate(child: &mut Child) {
    let told = cfg!(unix)
        && Command::new("kill")
            .args(["-s", "TERM", &child.id().to_string()])
            .status()
            .is_ok_and(|it| it.success());
    if !told {
        // It may have ended a moment ago.
        drop(child.kill());
    }
}
