//! How good a share is: the one scale for tables and badges.

use crate::coverage::summary::Ratio;

/// The bounds are those of lcov's `genhtml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// There was nothing to be covered, which is no fault.
    Nothing,
    /// Below 75 %.
    Low,
    /// From 75 %.
    Medium,
    /// From 90 %.
    High,
}

impl Grade {
    pub(super) fn of(ratio: Ratio) -> Grade {
        match ratio.hundredths() {
            None => Grade::Nothing,
            Some(9000..) => Grade::High,
            Some(7500..) => Grade::Medium,
            Some(_) => Grade::Low,
        }
    }
}
