//! What was warned of: said in a few lines, however many files are damaged; kept in `run.json`; refused where that was asked for.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow};

use super::config::Config;
use super::record::RunRecord;
use super::{Outcome, output_file};
use crate::load;
use crate::ui::Ui;
use crate::ui::message::Advised;

/// What is known only while tests run. Whatever else is missing, a report sees for itself, however late it is made.
const OF_THE_RUN: [&str; 3] = ["cached-library", "leaked-process", "missing-profile"];

/// So many warnings of a kind are said one by one: behind them, nobody looks for the few of another kind.
const MOST_OF_A_KIND: u64 = 10;

/// Says what was passed over while files were read. All of it is counted.
pub(super) fn say(warnings: Vec<load::Warning>, ui: &Ui) {
    let mut said: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut unsaid: BTreeMap<&'static str, u64> = BTreeMap::new();
    for load::Warning { slug, count, message } in warnings {
        let lines = said.entry(slug).or_insert(0);
        *lines += 1;
        match *lines > MOST_OF_A_KIND {
            true => *unsaid.entry(slug).or_insert(0) += count,
            false => ui.warning_of(count, slug, message),
        }
    }
    for (slug, count) in unsaid {
        ui.warning_of(count, slug, format_args!("the same is so of {count} more"));
    }
}

/// Warns again of what a recorded run has lost: a report that is made later misses it, too.
pub(super) fn repeat(record: &RunRecord, ui: &Ui) {
    for slug in OF_THE_RUN {
        if let Some(count) = record.warnings.get(slug).filter(|count| **count > 0) {
            let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
            ui.warning_of(*count, slug, format_args!("the run that is reported on warned of this {times}"));
        }
    }
}

/// Writes a record with all that was warned of until now.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_record(path: &Path, record: &mut RunRecord, ui: &Ui) -> Result<()> {
    record.warnings = owned(ui.warning_counts());
    output_file::write(path, record.render().as_bytes())
}

/// Adds to the file that was written with `record` what reports have warned of since.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn update_record(path: &Path, record: &RunRecord, ui: &Ui) -> Result<()> {
    let warnings = owned(ui.warning_counts());
    if record.warnings == warnings {
        return Ok(());
    }
    // For its reports, `record` may have been completed by what is not to be written down.
    let mut written = RunRecord::read(path)?;
    written.warnings = warnings;
    output_file::write(path, written.render().as_bytes())
}

fn owned(counts: BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(slug, count)| (slug.to_owned(), count)).collect()
}

/// What warnings mean for the outcome of a command that ends with `outcome`, and an error that counts them where they are denied.
/// Failing tests outweigh them.
pub(super) fn judge(outcome: Outcome, config: &Config, ui: &Ui) -> Outcome {
    let counts = ui.warning_counts();
    if !config.deny_warnings || counts.is_empty() {
        return outcome;
    }
    let kinds: Vec<String> = counts.iter().map(|(slug, count)| format!("{count} {slug}")).collect();
    ui.error(&anyhow!(Advised::new(
        format!("there were warnings, and `--deny-warnings` allows none: {}", kinds.join(", ")),
        "the README of xtask-coverage says for each kind what it means and what helps"
    )));
    match outcome {
        Outcome::Fine | Outcome::Unmeasured | Outcome::BelowThreshold | Outcome::BelowPatchThreshold => {
            Outcome::Unmeasured
        }
        Outcome::LeftToDo | Outcome::TestsFailed | Outcome::BuildFailed | Outcome::Interrupted(_) => outcome,
    }
}
