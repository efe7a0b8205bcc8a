//! How long test binaries took in earlier runs, so that the longest start first. What cannot be read or written is no loss.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::runner::{Outcome, TestRun};

/// Durations by [binary id](crate::runner::BinaryResult::binary_id).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Durations(BTreeMap<String, Duration>);

impl Durations {
    /// What earlier runs left in `file`; nothing if there is none.
    pub(super) fn read(file: &Path) -> Durations {
        let text = fs::read(file).unwrap_or_default();
        let object: Map<String, Value> = serde_json::from_slice(&text).unwrap_or_default();
        let durations = object
            .into_iter()
            .filter_map(|(id, milliseconds)| Some((id, Duration::from_millis(milliseconds.as_u64()?))));
        Durations(durations.collect())
    }

    /// Writes them for later runs.
    pub(super) fn write(&self, file: &Path) {
        let entries = self
            .0
            .iter()
            .map(|(id, took)| (id.clone(), Value::from(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))));
        drop(super::output_file::write(file, Value::Object(entries.collect()).to_string().as_bytes()));
    }

    /// How long `binary_id` took last time.
    pub(super) fn of(&self, binary_id: &str) -> Option<Duration> {
        self.0.get(binary_id).copied()
    }

    /// With these durations of what ran to its end elsewhere.
    pub(super) fn with(&self, ended: impl Iterator<Item = (String, Duration)>) -> Durations {
        let mut updated = self.clone();
        updated.0.extend(ended);
        updated
    }

    /// With the durations of `run` for what ran to its end in it; the others stay, because they may only not have been
    /// selected this time.
    pub(super) fn updated(&self, run: &TestRun) -> Durations {
        let ended = run
            .results
            .iter()
            .filter(|result| matches!(result.outcome, Outcome::Passed | Outcome::Failed(_)))
            .map(|result| (result.binary_id.clone(), result.duration));
        self.with(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::Durations;
    use std::time::Duration;
    use std::{env, fs, process};

    #[test]
    fn what_is_written_is_read_back_and_damage_is_no_error() {
        let file = env::temp_dir().join(format!("xtask-coverage-durations-{}.json", process::id()));
        assert_eq!(Durations::read(&file), Durations::default());
        let durations = Durations(
            [("app::it", 1500), ("app", 2)].map(|(id, ms)| (id.to_owned(), Duration::from_millis(ms))).into(),
        );
        durations.write(&file);
        assert_eq!(Durations::read(&file), durations);
        assert_eq!(durations.of("app::it"), Some(Duration::from_millis(1500)));
        assert_eq!(durations.of("other"), None);
        fs::write(&file, r#"{"app": 2, "bad": "x""#).expect("can be written");
        assert_eq!(Durations::read(&file), Durations::default());
        fs::remove_file(&file).expect("can be removed");
    }
}
