//! Fields of the JSON that cargo writes, with errors that name the field. Knows nothing of what the fields mean.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::PathBuf;

/// The string at `key`; an error if it is missing or something else.
pub(super) fn text(value: &Value, key: &str) -> Result<String> {
    let found = value.get(key).with_context(|| format!("cargo's JSON has no field `{key}`"))?;
    Ok(found.as_str().with_context(|| format!("field `{key}` of cargo's JSON is not a string"))?.to_owned())
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
