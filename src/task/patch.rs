//! Patch coverage: from a commit and the files that count to the changed lines that ran.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::ci::{Log, Service};
use super::config::Config;
use super::on_disk;
use super::thresholds::{decimal, needed};
use crate::coverage::Coverage;
use crate::git::repository::{Base, Changes, Problem, Repository, Wanted};
use crate::report::name;
use crate::report::patch::{PatchCoverage, PatchFile, render};
use crate::ui::Ui;
use crate::ui::message::Advised;

/// Finds the commit to compare with, so that a missing one is known before anything is built.
///
/// # Errors
/// Patch coverage is asked for and there is no such commit.
pub(super) fn prepare(root: &Path, config: &Config) -> Result<()> {
    if config.output.enabled && config.tests.run && config.comparison.wants_patch() {
        base(root, config, Service::of(config)).map_err(advised)?;
    }
    Ok(())
}

/// How much of the patch ran, if that is asked for, or known to be wanted: in the check of a pull request.
///
/// # Errors
/// It is asked for, and git does not tell.
pub(super) fn measure(
    root: &Path,
    coverage: &Coverage,
    config: &Config,
    log: &Log<'_>,
    ui: &Ui,
) -> Result<Option<PatchCoverage>> {
    let is_wanted = config.comparison.wants_patch();
    if !is_wanted && !log.service().is_pull_request() {
        return Ok(None);
    }
    let changed = base(root, config, log.service()).and_then(|(repository, base)| {
        let changes = repository.changes(&base)?;
        Ok((repository, base, changes))
    });
    match changed {
        Ok((repository, base, changes)) => {
            if let Some(note) = &base.note {
                ui.note(note);
            }
            Ok(Some(of_changes(root, coverage, &repository, &base, &changes, ui)))
        }
        Err(problem) if is_wanted => Err(advised(problem)),
        Err(Problem { what, cure }) => {
            ui.note(format_args!("no patch coverage: {what}; {cure}"));
            Ok(None)
        }
    }
}

fn base(root: &Path, config: &Config, service: Service) -> Result<(Repository, Base), Problem> {
    let repository = Repository::open(root)?;
    let wanted = match &config.comparison.patch_base {
        Some(revision) => Wanted::Revision(revision.clone()),
        None => service.usual_base(),
    };
    let base = repository.base(&wanted)?;
    Ok((repository, base))
}

fn advised(problem: Problem) -> anyhow::Error {
    anyhow!(Advised::new(problem.what, problem.cure)).context("failed to find out what changed")
}

fn of_changes(
    root: &Path,
    coverage: &Coverage,
    repository: &Repository,
    base: &Base,
    changes: &Changes,
    ui: &Ui,
) -> PatchCoverage {
    let mut files = Vec::new();
    for file in &coverage.files {
        let path = name::text(&file.path).into_owned();
        let Some(in_repository) = repository.path_of(&on_disk(root, &file.path)) else { continue };
        let Some(lines) = changes.of(&in_repository) else { continue };
        if changes.is_binary(&in_repository) {
            let message = format!("git takes `{path}` for binary: all of its lines count as changed");
            ui.warning("binary-source", message);
        }
        files.extend(PatchFile::new(path, file.lines(), lines));
    }
    PatchCoverage::new(base.to_string(), files)
}

/// What a patch misses of its threshold, as a sentence.
pub(super) fn failure(patch: &PatchCoverage, config: &Config) -> Option<String> {
    let ratio = patch.total;
    let hundredths = config.comparison.patch_lines.filter(|hundredths| !ratio.reaches(*hundredths))?;
    Some(format!(
        "patch coverage {ratio} ({} of {} changed lines) is below the threshold {}%: {}",
        ratio.covered,
        ratio.count,
        decimal(hundredths),
        needed("line", ratio.missing_to(hundredths))
    ))
}

/// Prints the patch's coverage.
///
/// # Errors
/// Standard output cannot be written.
pub(super) fn say(patch: &PatchCoverage, config: &Config, log: &Log<'_>, ui: &Ui) -> Result<()> {
    let text = render(patch, config.output.order);
    let (total, missing) = text.split_at(text.find('\n').map_or(text.len(), |end| end + 1));
    ui.status("Compared", format_args!("with {}", patch.base));
    log.print(total)?;
    if !missing.is_empty() {
        log.section("patch_missing_lines", "Changed lines that did not run", missing)?;
    }
    Ok(())
}
