//! JSON: its fields, with errors that name them, and files of it. Knows nothing of what the fields mean.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;

/// The string at `key`; an error if it is missing or something else.
pub(super) fn text(value: &Value, key: &str) -> Result<String> {
    let found = value.get(key).with_context(|| format!("there is no field `{key}`"))?;
    Ok(found.as_str().with_context(|| format!("field `{key}` is not a string"))?.to_owned())
}

/// The string at `key`; `None` if it is missing or `null`.
pub(super) fn optional_text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The path at `key`; an error if it is missing or something else.
pub(super) fn path(value: &Value, key: &str) -> Result<PathBuf> {
    text(value, key).map(PathBuf::from)
}

/// The strings of the array at `key`; nothing if it is missing.
pub(super) fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The elements of the array at `key`; nothing if it is missing.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The boolean at `key`; `default` if it is missing.
pub(super) fn flag(value: &Value, key: &str, default: bool) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(default)
}

/// The JSON in the file `path`.
pub(super) fn read_json(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("failed to read `{}`", path.display()))
}

/// Writes beside and renames, so that a reader sees the old file or the new one.
pub(super) fn write_json(path: &Path, value: &Value) -> Result<()> {
    let beside = path.with_extension(format!("{}.tmp", process::id()));
    fs::write(&beside, value.to_string())
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("failed to write `{}`", path.display()))
}
