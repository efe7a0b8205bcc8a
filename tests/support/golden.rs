//! Golden files: outputs that were looked at once and must stay as they are. A test never writes one unless told to by
//! `UPDATE_EXPECT=1`, and never in CI.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::workspace::{data, files_below};

/// Compares `actual` with the golden `tests/data/<name>`. Panics when they differ, and when there is no such golden.
#[track_caller]
pub(crate) fn check(name: &str, actual: &str) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden").join(name);
    if let Err(message) = compare(&data().join(name), actual.as_bytes(), mode_of_this_run(), &kept) {
        panic!("{message}");
    }
}

/// Compares files with the goldens in the directory `tests/data/<name>`. Panics when one differs, is missing, or is there
/// without having been made.
#[track_caller]
pub(crate) fn check_directory(name: &str, actual: &BTreeMap<String, Vec<u8>>) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden").join(name);
    if let Err(message) = compare_directory(&data().join(name), actual, mode_of_this_run(), &kept) {
        panic!("{message}");
    }
}

/// What to do about a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Report it.
    Compare,
    /// Take the output as the new golden.
    Update,
}

impl Mode {
    /// From the values of `UPDATE_EXPECT` and `CI`.
    pub(crate) fn from_variables(update: Option<&OsStr>, ci: Option<&OsStr>) -> Result<Mode, String> {
        let is_set = |value: Option<&OsStr>| {
            value.is_some_and(|value| !value.is_empty() && value != "0" && value != "false")
        };
        match (is_set(update), is_set(ci)) {
            (false, _) => Ok(Mode::Compare),
            (true, false) => Ok(Mode::Update),
            (true, true) => {
                Err("`UPDATE_EXPECT` is refused where `CI` is set: goldens are accepted by a person"
                    .to_string())
            }
        }
    }
}

#[track_caller]
fn mode_of_this_run() -> Mode {
    let (update, ci) = (std::env::var_os("UPDATE_EXPECT"), std::env::var_os("CI"));
    Mode::from_variables(update.as_deref(), ci.as_deref()).unwrap_or_else(|message| panic!("{message}"))
}

/// Compares, or updates the golden. When they differ, writes the output to `kept` and says how to look at the difference.
pub(crate) fn compare(golden: &Path, actual: &[u8], mode: Mode, kept: &Path) -> Result<(), String> {
    let expected = fs::read(golden).ok();
    if expected.as_deref() == Some(actual) {
        return Ok(());
    }
    if mode == Mode::Update {
        write(golden, actual);
        return Ok(());
    }
    write(kept, actual);
    let (golden, kept) = (golden.display(), kept.display());
    Err(match expected {
        None => format!("there is no golden `{golden}`; look at `{kept}` and accept it with UPDATE_EXPECT=1"),
        Some(expected) => format!(
            "not as in the golden `{golden}`: {}\n  to see all:  git diff --no-index '{golden}' '{kept}'\n  to accept:   UPDATE_EXPECT=1",
            first_difference(&expected, actual)
        ),
    })
}

/// The same for all files of a directory. An update removes the goldens that no output belongs to.
pub(crate) fn compare_directory(
    goldens: &Path,
    actual: &BTreeMap<String, Vec<u8>>,
    mode: Mode,
    kept: &Path,
) -> Result<(), String> {
    let mut messages = Vec::new();
    for (name, bytes) in actual {
        messages.extend(compare(&goldens.join(name), bytes, mode, &kept.join(name)).err());
    }
    if goldens.is_dir() {
        for name in files_below(goldens).into_iter().filter(|name| !actual.contains_key(name)) {
            let golden = goldens.join(&name);
            match mode {
                Mode::Update => fs::remove_file(&golden)
                    .unwrap_or_else(|error| panic!("failed to remove `{}`: {error}", golden.display())),
                Mode::Compare => {
                    messages.push(format!("nothing was made for the golden `{}`", golden.display()))
                }
            }
        }
    }
    if messages.is_empty() { Ok(()) } else { Err(messages.join("\n")) }
}

fn first_difference(expected: &[u8], actual: &[u8]) -> String {
    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(bytes).split('\n').map(str::to_string).collect()
    };
    let (expected, actual) = (lines(expected), lines(actual));
    let length = expected.len().max(actual.len());
    for index in 0..length {
        let (expected, actual) = (expected.get(index), actual.get(index));
        if expected != actual {
            let show =
                |line: Option<&String>| line.map_or("no such line".to_string(), |line| format!("{line:?}"));
            return format!("line {}: expected {}, found {}", index + 1, show(expected), show(actual));
        }
    }
    "bytes that are no text differ".to_string()
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file is in a directory"))
        .and_then(|()| fs::write(path, bytes))
        .unwrap_or_else(|error| panic!("failed to write `{}`: {error}", path.display()));
}
