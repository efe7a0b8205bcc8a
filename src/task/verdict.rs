//! What a report is held against: thresholds, the patch, a baseline. Reached before anything is written, so that every output
//! can say it.

use anyhow::{Result, anyhow};

use super::baseline::{self, Compared};
use super::ci::Log;
use super::config::Config;
use super::record::RunRecord;
use super::thresholds::{self, Judgement};
use super::{Outcome, patch};
use crate::coverage::Coverage;
use crate::report::markdown;
use crate::report::patch::PatchCoverage;
use crate::ui::Ui;

/// All that is said about a report besides its numbers.
pub(super) struct Verdict {
    judgement: Judgement,
    /// How much of the patch ran, where that is wanted.
    pub(super) patch: Option<PatchCoverage>,
    patch_failure: Option<String>,
    compared: Option<Compared>,
}

impl Verdict {
    /// Holds the numbers against all that was asked for.
    ///
    /// # Errors
    /// git does not tell what changed; a baseline cannot be read; a scope of thresholds is no pattern.
    pub(super) fn reach(
        record: &RunRecord,
        coverage: &Coverage,
        config: &Config,
        log: &Log<'_>,
        ui: &Ui,
    ) -> Result<Verdict> {
        let root = &record.workspace_root;
        let judgement = thresholds::judge(coverage, &record.sources, config)?;
        for remark in &judgement.unused {
            ui.warning("unused-threshold", remark);
        }
        let patch = patch::measure(root, coverage, config, log, ui)?;
        let patch_failure = patch.as_ref().and_then(|patch| patch::failure(patch, config));
        let compared = baseline::measure(root, coverage, &config.comparison, ui)?;
        Ok(Verdict { judgement, patch, patch_failure, compared })
    }

    /// A sentence for everything that is missed.
    pub(super) fn failures(&self) -> impl Iterator<Item = &String> {
        let fall = self.compared.as_ref().and_then(|compared| compared.failure.as_ref());
        self.judgement.failures.iter().chain(fall).chain(&self.patch_failure)
    }

    /// What it means for the exit code. Less than a threshold demands in the whole outweighs the patch.
    pub(super) fn outcome(&self) -> Outcome {
        match self.failures().count() {
            0 => Outcome::Fine,
            1 if self.patch_failure.is_some() => Outcome::BelowPatchThreshold,
            _ => Outcome::BelowThreshold,
        }
    }

    /// Sections for a summary in Markdown.
    pub(super) fn sections(&self) -> Vec<String> {
        let failures: Vec<&str> = self.failures().map(String::as_str).collect();
        let failed = (!failures.is_empty()).then(|| markdown::failures_section(&failures));
        let patch = self.patch.as_ref().map(markdown::patch_section);
        let comparison = self.compared.as_ref().and_then(|compared| compared.comparison.as_ref());
        let baseline = comparison.map(|comparison| markdown::text_section("Baseline", &comparison.render()));
        failed.into_iter().chain(patch).chain(baseline).collect()
    }

    /// Prints everything, what is missed last.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn say(&self, config: &Config, log: &Log<'_>, ui: &Ui) -> Result<()> {
        if let Some(comparison) = self.compared.as_ref().and_then(|compared| compared.comparison.as_ref()) {
            log.section("baseline", "Comparison with the baseline", &comparison.render())?;
        }
        if let Some(patch) = &self.patch {
            patch::say(patch, config, log, ui)?;
        }
        for failure in self.failures() {
            ui.error(&anyhow!("{failure}"));
        }
        Ok(())
    }

    /// Saves a new baseline where that was asked for.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save_baseline(&self, record: &RunRecord, config: &Config, ui: &Ui) -> Result<()> {
        match &self.compared {
            Some(compared) => compared.save(record, config, ui),
            None => Ok(()),
        }
    }
}
