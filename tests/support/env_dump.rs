//! What the processes of the workspace `env-dump` have written: arguments, working directory, environment.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What one process was started with. Values are as Rust quotes them, without the quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvDump {
    /// With the program's own path first.
    pub(crate) arguments: Vec<String>,
    pub(crate) current_dir: String,
    pub(crate) variables: BTreeMap<String, String>,
}

impl EnvDump {
    /// Reads and parses a file. Panics when that fails.
    #[track_caller]
    pub(crate) fn read(path: &Path) -> EnvDump {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("failed to read `{}`: {error}", path.display()));
        EnvDump::parse(&text).unwrap_or_else(|message| panic!("`{}`: {message}", path.display()))
    }

    /// Parses a text.
    pub(crate) fn parse(text: &str) -> Result<EnvDump, String> {
        let mut dump = EnvDump::default();
        for line in text.lines() {
            let parsed = line.split_once(' ').and_then(|(kind, rest)| {
                let value = rest.strip_prefix('"')?.strip_suffix('"')?;
                match kind {
                    "arg" => dump.arguments.push(value.to_string()),
                    "cwd" => dump.current_dir = value.to_string(),
                    "env" => {
                        let (name, value) = value.split_once("\" \"")?;
                        dump.variables.insert(name.to_string(), value.to_string());
                    }
                    _ => return None,
                }
                Some(())
            });
            parsed.ok_or_else(|| format!("not a line of a dump: `{line}`"))?;
        }
        Ok(dump)
    }

    /// Each variable that the two have otherwise, save those that `ignore` is true of: `-` is here, `+` is there.
    pub(crate) fn differences(&self, other: &EnvDump, ignore: impl Fn(&str) -> bool) -> Vec<String> {
        let mut differences = Vec::new();
        let names = self
            .variables
            .keys()
            .chain(other.variables.keys().filter(|name| !self.variables.contains_key(*name)));
        for name in names.filter(|name| !ignore(name)) {
            let (here, there) = (self.variables.get(name), other.variables.get(name));
            if here != there {
                differences.extend(here.map(|value| format!("-{name}={value}")));
                differences.extend(there.map(|value| format!("+{name}={value}")));
            }
        }
        differences.sort_by(|a, b| a[1..].cmp(&b[1..]));
        differences
    }
}
