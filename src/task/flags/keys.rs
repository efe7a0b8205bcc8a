//! Flags as keys of `[workspace.metadata.coverage]`: which there are, what each takes, and the settings that values make.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::flag::KeyType;
use super::{Flag, Given, Invocation, Layer, Setting, Takes, flags, suggest};
use crate::task::config::{Config, Thresholds};

/// The name of the table whose keys these are.
pub(crate) const WORKSPACE_TABLE: &str = "[workspace.metadata.coverage]";

/// Values of keys, each of which [`read`] has accepted, and where they stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    /// By name.
    pub(crate) values: BTreeMap<String, Value>,
    /// The table and its file, for messages.
    pub(crate) place: String,
    /// The directory of the manifest, from which paths in it start.
    pub(crate) dir: PathBuf,
}

/// The flags that are keys, one of each name, in the order of the help.
pub(crate) fn keys() -> impl Iterator<Item = &'static Flag> {
    let first = |name: &str| flags().position(|other| other.long == name && other.key().is_ok());
    flags().enumerate().filter(move |(index, flag)| first(flag.long) == Some(*index)).map(|(_, flag)| flag)
}

/// The names of the keys that parts of the workspace can have too.
pub(crate) fn threshold_keys() -> Vec<&'static str> {
    keys().filter(|flag| flag.is_threshold).map(|flag| flag.long).collect()
}

/// Why there is a flag of this name and no key.
pub(crate) fn why_no_key(name: &str) -> Option<&'static str> {
    flags().find(|flag| flag.is_called(name)).and_then(|flag| flag.key().err())
}

/// Tries a value on `config`.
///
/// # Errors
/// There is no key of this name: `None`. Its value is of another kind: what it takes.
pub(crate) fn read(name: &str, value: &Value, config: &mut Config) -> Result<(), Option<String>> {
    let flag = keys().find(|flag| flag.long == name).ok_or(None)?;
    let key_type = flag.key().map_err(|_| None)?;
    let given = givens(key_type, value, Path::new("")).ok_or_else(|| Some(key_type.to_string()))?;
    for given in given {
        let tried = match (&flag.takes, &given) {
            (Takes::One(set) | Takes::Many(set), Given::Value(value)) => set(config, value),
            _ => Setting { flag, given, layer: Layer::Manifest, spelled: name.to_owned() }
                .apply(config)
                .map_err(|error| error.to_string()),
        };
        tried.map_err(|expected| Some(expected.strip_prefix("expected ").unwrap_or(&expected).to_owned()))?;
    }
    Ok(())
}

/// What the threshold `name` adds to those of a part of the workspace.
///
/// # Errors
/// As for [`read`].
pub(crate) fn read_threshold(
    name: &str,
    value: &Value,
    thresholds: &mut Thresholds,
) -> Result<(), Option<String>> {
    if !threshold_keys().contains(&name) {
        return Err(None);
    }
    let mut config = Config { thresholds: thresholds.clone(), ..Config::new() };
    read(name, value, &mut config)?;
    *thresholds = config.thresholds;
    Ok(())
}

impl Invocation {
    /// The same with the keys of a manifest, which hold where neither the command line nor the environment says anything.
    pub(crate) fn with_keys(&self, keys: &Keys) -> Invocation {
        let mut settings = Vec::new();
        for (name, value) in &keys.values {
            let is_meant = |flag: &&Flag| flag.long == *name && flag.commands.contains(&self.command);
            let Some(flag) = flags().find(is_meant) else { continue };
            let Ok(key_type) = flag.key() else { continue };
            let given = givens(key_type, value, &keys.dir).unwrap_or_default();
            let setting = |given| Setting { flag, given, layer: Layer::Manifest, spelled: name.clone() };
            settings.extend(given.into_iter().map(setting));
        }
        settings.extend(self.settings.iter().cloned());
        Invocation { settings, manifest: keys.place.clone(), ..self.clone() }
    }
}

/// What a value says; `None` if it is of another kind. Paths in it start from `dir`.
fn givens(key_type: KeyType, value: &Value, dir: &Path) -> Option<Vec<Given>> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let texts = |value: &Value| value.as_array()?.iter().map(text).collect::<Option<Vec<String>>>();
    let given = |value: String| Given::Value(OsString::from(value));
    Some(match key_type {
        KeyType::Switch => vec![if value.as_bool()? { Given::On } else { Given::Off }],
        KeyType::Choice(choices) => {
            let word = text(value)?;
            vec![given(choices.iter().find(|choice| choice.name == word)?.name.to_owned())]
        }
        KeyType::Number => vec![given(value.is_number().then(|| value.to_string())?)],
        KeyType::Text => vec![given(text(value)?)],
        KeyType::Path => vec![Given::Value(dir.join(text(value)?).into_os_string())],
        KeyType::Words => vec![given(texts(value)?.join(","))],
        KeyType::List => texts(value)?.into_iter().map(given).collect(),
    })
}

/// As in "takes …".
impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyType::Switch => "`true` or `false`",
            KeyType::Choice(choices) => {
                let names: Vec<String> =
                    choices.iter().map(|choice| format!("\"{}\"", choice.name)).collect();
                return f.write_str(&suggest::one_of(&names.iter().map(String::as_str).collect::<Vec<_>>()));
            }
            KeyType::Number => "a number, without quotes",
            KeyType::Text | KeyType::Path => "a string, in quotes",
            KeyType::Words | KeyType::List => "a list of strings, as in `[\"one\", \"two\"]`",
        })
    }
}
