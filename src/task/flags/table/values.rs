//! From the value of a flag to data, or what was expected instead.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::filter::PathPattern;
use crate::task::config::Jobs;
use crate::task::partition::Partition;

pub(super) fn text(value: &OsStr) -> Result<String, String> {
    value.to_str().map(str::to_owned).ok_or_else(|| "expected UTF-8 text".to_owned())
}

pub(super) fn positive(value: &OsStr) -> Result<NonZeroU32, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| "expected a whole number from 1 on".to_owned())
}

pub(super) fn partition(value: &OsStr) -> Result<Partition, String> {
    let partition = value.to_str().and_then(Partition::parse);
    partition.ok_or_else(|| "expected `slice:M/N` or `hash:M/N` with M from 1 to N".to_owned())
}

pub(super) fn count(value: &OsStr) -> Result<u64, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| "expected a whole number from 0 on".to_owned())
}

pub(super) fn seconds(value: &OsStr) -> Result<Duration, String> {
    let number: Option<f64> = value.to_str().and_then(|text| text.parse().ok());
    let duration = number.filter(|number| *number > 0.0).and_then(|it| Duration::try_from_secs_f64(it).ok());
    duration.ok_or_else(|| "expected a number of seconds above 0".to_owned())
}

pub(super) fn jobs(value: &OsStr) -> Result<Option<Jobs>, String> {
    if value == OsStr::new("default") {
        return Ok(None);
    }
    let number: Option<i32> = value.to_str().and_then(|text| text.parse().ok());
    let expected = "expected a whole number other than 0, or `default`";
    let number = number.ok_or_else(|| expected.to_owned())?;
    let size = NonZeroU32::new(number.unsigned_abs()).ok_or_else(|| expected.to_owned())?;
    Ok(Some(if number > 0 { Jobs::Count(size) } else { Jobs::AllBut(size) }))
}

/// A glob on paths.
pub(super) fn path_glob(value: &OsStr) -> Result<String, String> {
    let glob = text(value)?;
    PathPattern::glob(&glob, "").map_err(|error| format!("expected a glob: {}", error.root_cause()))?;
    Ok(glob)
}

/// Words with commas between them, each the name of one of `all`.
pub(super) fn named<T: Copy>(
    value: &OsStr,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Vec<T>, String> {
    let words = text(value)?;
    let find = |word: &str| all.iter().copied().find(|item| name(*item) == word);
    words
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| {
            let names: Vec<&str> = all.iter().map(|item| name(*item)).collect();
            find(word).ok_or_else(|| format!("expected some of {}", names.join(", ")))
        })
        .collect()
}

/// A percentage in hundredths: `80`, `79.5` and `79.95` are fine, `101` and `79.955` are not.
pub(super) fn percent(value: &OsStr) -> Result<u16, String> {
    let parse = || {
        let text = value.to_str()?;
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > 2 {
            return None;
        }
        let hundredths: u16 = format!("{whole}{decimals:0<2}").parse().ok()?;
        (hundredths <= 10_000).then_some(hundredths)
    };
    parse().ok_or_else(|| "expected a percentage from 0 to 100 with at most two decimals".to_owned())
}
