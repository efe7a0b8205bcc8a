//! How much of something ran: the one place where a percentage is computed. No floating point.

use std::fmt;
use std::ops::AddAssign;

/// How many of `count` things (lines, functions, regions, branches) ran at least once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Things that ran. At most `count`.
    pub covered: u64,
    /// Things that there are.
    pub count: u64,
}

impl Ratio {
    /// Nothing of nothing: what a sum begins with, and what a file without code has.
    pub const EMPTY: Ratio = Ratio { covered: 0, count: 0 };

    /// Things that did not run.
    pub fn missed(self) -> u64 {
        self.count.saturating_sub(self.covered)
    }

    /// The share that ran in hundredths of a percent, rounded down: 0 to 10000. `None` for nothing of nothing.
    ///
    /// So 10000 is exact. Zero is not: one line of a million is 0 here, and [`Display`](fmt::Display) shows 0.01 %.
    pub fn hundredths(self) -> Option<u16> {
        let covered = u128::from(self.covered.min(self.count));
        let share = (covered * 10_000).checked_div(u128::from(self.count))?;
        u16::try_from(share).ok()
    }

    /// Whether at least `hundredths` of a percent ran; nothing of nothing reaches everything. Exact: no rounding.
    pub fn reaches(self, hundredths: u16) -> bool {
        self.missing_to(hundredths) == 0
    }

    /// How many more things have to run until `hundredths` of a percent do.
    pub fn missing_to(self, hundredths: u16) -> u64 {
        let needed = (u128::from(self.count) * u128::from(hundredths)).div_ceil(10_000);
        let missing = needed.saturating_sub(u128::from(self.covered));
        u64::try_from(missing).unwrap_or(u64::MAX)
    }
}

/// Sums saturate: a wrong total is better noticed as an absurd one than as a plausible one.
impl AddAssign for Ratio {
    fn add_assign(&mut self, other: Ratio) {
        self.covered = self.covered.saturating_add(other.covered);
        self.count = self.count.saturating_add(other.count);
    }
}

/// A percentage with two decimals for people: `100.00%` and `0.00%` only when they are exact, `-` for nothing of
/// nothing.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(share) = self.hundredths() else { return f.pad("-") };
        let shown = if share == 0 && self.covered > 0 { 1 } else { share };
        f.pad(&format!("{}.{:02}%", shown / 100, shown % 100))
    }
}

#[cfg(test)]
mod tests {
    use super::Ratio;

    fn check(covered: u64, count: u64, hundredths: Option<u16>, shown: &str) {
        let ratio = Ratio { covered, count };
        assert_eq!(ratio.hundredths(), hundredths, "{ratio:?}");
        assert_eq!(ratio.to_string(), shown, "{ratio:?}");
    }

    #[test]
    fn percentages_round_down_and_are_exact_at_both_ends() {
        check(0, 0, None, "-");
        check(0, 7, Some(0), "0.00%");
        check(7, 7, Some(10_000), "100.00%");
        check(1203, 1505, Some(7993), "79.93%");
        check(2, 3, Some(6666), "66.66%");
        check(1, 16, Some(625), "6.25%");
        check(99_999, 100_000, Some(9999), "99.99%");
        check(1, 1_000_000, Some(0), "0.01%");
        check(u64::MAX - 1, u64::MAX, Some(9999), "99.99%");
        check(u64::MAX, u64::MAX, Some(10_000), "100.00%");
        check(9, 7, Some(10_000), "100.00%");
    }

    #[test]
    fn thresholds_are_exact() {
        for (covered, count, hundredths, missing) in [
            (1203, 1505, 8000, 1),
            (1204, 1505, 8000, 0),
            (999_999, 1_000_000, 10_000, 1),
            (0, 0, 10_000, 0),
            (0, 3, 0, 0),
            (0, 3, 1, 1),
            (2, 3, 6666, 0),
            (2, 3, 6667, 1),
            (u64::MAX - 1, u64::MAX, 10_000, 1),
        ] {
            let ratio = Ratio { covered, count };
            assert_eq!(ratio.missing_to(hundredths), missing, "{ratio:?} {hundredths}");
            assert_eq!(ratio.reaches(hundredths), missing == 0);
        }
    }

    #[test]
    fn a_percentage_can_be_aligned() {
        assert_eq!(format!("[{:>8}]", Ratio { covered: 1, count: 2 }), "[  50.00%]");
        assert_eq!(format!("[{:>8}]", Ratio::EMPTY), "[       -]");
    }

    #[test]
    fn sums_saturate() {
        let mut sum = Ratio { covered: u64::MAX - 1, count: u64::MAX };
        sum += Ratio { covered: 3, count: 5 };
        assert_eq!(sum, Ratio { covered: u64::MAX, count: u64::MAX });
        assert_eq!(Ratio { covered: 9, count: 7 }.missed(), 0);
        assert_eq!(Ratio { covered: 3, count: 7 }.missed(), 4);
    }
}
