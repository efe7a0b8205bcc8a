//! Baselines on disk: read, compared with, saved. What is in them is the business of [`crate::report::baseline`].

use std::fs;
use std::io;
use std::path::{Path, absolute};

use anyhow::{Result, anyhow};

use super::config::{self, Config};
use super::record::RunRecord;
use super::thresholds::{decimal, needed};
use super::{on_disk, output_file, read_regular, shown};
use crate::coverage::{Coverage, FileCoverage};
use crate::report::baseline::{Baseline, BaselineError, Comparison, compare, shortfall};
use crate::ui::Ui;
use crate::ui::message::Advised;

/// Reads the baseline, so that one that is missing or broken is known before anything is built.
///
/// # Errors
/// A baseline is asked for and cannot be read.
pub(super) fn prepare(config: &Config) -> Result<()> {
    if let Some(path) = &config.comparison.baseline
        && config.output.enabled
        && config.tests.run
    {
        let baseline = read(path, &config.comparison)?;
        if let Some(baseline) = baseline.filter(|baseline| baseline.model != config.model()) {
            return Err(unfit(path, BaselineError::Model(baseline.model)));
        }
    }
    Ok(())
}

/// The numbers of a run, beside those of the baseline.
pub(super) struct Compared {
    now: Baseline,
    /// What changed since the baseline, if there is one.
    pub(super) comparison: Option<Comparison>,
    /// How far line coverage fell below what is tolerated, as a sentence.
    pub(super) failure: Option<String>,
}

/// Compares with the baseline that was asked for, and holds the fall against what is tolerated. `None` where nobody asks for
/// a baseline.
///
/// # Errors
/// A file cannot be read, or is no baseline.
pub(super) fn measure(
    root: &Path,
    coverage: &Coverage,
    wanted: &config::Comparison,
    ui: &Ui,
) -> Result<Option<Compared>> {
    if wanted.baseline.is_none() && wanted.save_baseline.is_none() {
        return Ok(None);
    }
    let now = Baseline::of(coverage, |file| hash(root, file));
    let mut comparison = None;
    if let Some(path) = &wanted.baseline {
        match read(path, wanted)? {
            None => ui.note(format_args!("there is no baseline `{}` yet to compare with", shown(path))),
            Some(then) => {
                comparison = Some(compare(&then, &now).map_err(|error| unfit(path, error))?);
            }
        }
    }
    let failure = comparison.as_ref().and_then(|comparison| failure(comparison, wanted.ratchet?));
    Ok(Some(Compared { now, comparison, failure }))
}

/// How far lines fell beyond so many hundredths of a percentage point.
fn failure(comparison: &Comparison, tolerance: u16) -> Option<String> {
    let (then, now) = (comparison.then.lines, comparison.now.lines);
    let shortfall = shortfall(then, now, tolerance);
    (shortfall > 0).then(|| {
        format!(
            "line coverage fell from {then} ({} of {}) to {now} ({} of {}), by more than the {} points that `--ratchet` \
             allows: {}",
            then.covered,
            then.count,
            now.covered,
            now.count,
            decimal(tolerance),
            needed("line", shortfall)
        )
    })
}

impl Compared {
    /// Saves the run's numbers where that was asked for, unless they fell or tests failed: then they are not what later runs
    /// shall be compared with.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save(&self, record: &RunRecord, config: &Config, ui: &Ui) -> Result<()> {
        let Some(path) = &config.comparison.save_baseline else { return Ok(()) };
        let did_not_pass = |outcome| matches!(outcome, "failed" | "timed out" | "interrupted" | "not run");
        let has_failures = record.tests.iter().any(|test| did_not_pass(&*test.outcome));
        if self.failure.is_some() {
            ui.note(format_args!("`{}` stays as it is", shown(path)));
        } else if has_failures && !config.tests.ignore_failures {
            let path = shown(path);
            ui.warning(
                "baseline-not-saved",
                format_args!("not all tests passed, so `{path}` stays as it is"),
            );
        } else if config.deny_warnings && !ui.warning_counts().is_empty() {
            let path = shown(path);
            ui.warning("baseline-not-saved", format_args!("warnings are denied, so `{path}` stays as it is"));
        } else {
            output_file::write(path, self.now.render().as_bytes())?;
            ui.status("Saved", shown(path));
        }
        Ok(())
    }
}

/// The baseline in a file; `None` if this run makes the first one there.
fn read(path: &Path, wanted: &config::Comparison) -> Result<Option<Baseline>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let same = |other: &Path| {
                let (path, other) = (absolute(path), absolute(other));
                path.is_ok() && path.ok() == other.ok()
            };
            return match &wanted.save_baseline {
                Some(saved) if same(saved) => Ok(None),
                _ => Err(anyhow!(error).context(Advised::new(
                    format!("failed to read the baseline `{}`", shown(path)),
                    "a run with `--save-baseline <FILE>` makes one",
                ))),
            };
        }
        Err(error) => {
            return Err(anyhow!(error).context(format!("failed to read the baseline `{}`", shown(path))));
        }
    };
    Baseline::parse(&bytes).map(Some).map_err(|error| unfit(path, error))
}

fn unfit(path: &Path, error: BaselineError) -> anyhow::Error {
    let cure = match error {
        BaselineError::Model(_) => "give the same `--model`, or save the baseline again",
        _ => "save it again: `--save-baseline <FILE>`",
    };
    let what = format!("failed to compare with `{}`: {error}", shown(path));
    anyhow!(Advised::new(what, cure))
}

/// What tells whether a source is still the same, also where git has changed its line ends.
fn hash(root: &Path, file: &FileCoverage) -> Option<String> {
    let mut source = read_regular(&on_disk(root, &file.path))?;
    source.retain(|byte| *byte != b'\r');
    Some(format!("{:x}", md5::compute(source)))
}
