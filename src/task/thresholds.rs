//! Which thresholds the totals miss, and how far.

use anyhow::anyhow;

use super::Outcome;
use super::config::Config;
use crate::coverage::Summary;
use crate::coverage::summary::Ratio;
use crate::ui::Ui;

/// Names every threshold that is missed, and how far.
pub(super) fn check(totals: &Summary, config: &Config, ui: &Ui) -> Outcome {
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
