//! A few settings of cargo's configuration files that no cargo command on stable tells: `build.jobs`, `build.target`,
//! `build.rustc-workspace-wrapper`. Reads lines, not TOML: enough for how people write these, harmless otherwise.

use crate::cargo::environment::Environment;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The value of `build.<key>` in cargo's configuration for `directory`, as written, and the directory that relative
/// paths in it start from. `settings` are the `--config` arguments; they win over the files, the nearest file over others.
pub fn find(
    environment: &Environment,
    directory: &Path,
    settings: &[String],
    key: &str,
) -> Option<(String, PathBuf)> {
    for setting in settings.iter().rev() {
        if let Some(value) = value_in(setting, key) {
            return Some((value, directory.to_owned()));
        }
    }
    let home =
        environment.get("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut folders: Vec<PathBuf> = directory.ancestors().map(|above| above.join(".cargo")).collect();
    folders.extend(home);
    for folder in folders {
        for name in ["config", "config.toml"] {
            let Ok(text) = fs::read_to_string(folder.join(name)) else { continue };
            if let Some(value) = value_in(&text, key) {
                let base = folder.parent().unwrap_or(&folder).to_owned();
                return Some((value, base));
            }
        }
    }
    None
}

/// The value of `build.<key>` in `text`: behind `key =` in a table `[build]`, behind `build.key =` outside of tables.
fn value_in(text: &str, key: &str) -> Option<String> {
    let mut table = String::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').trim().to_owned();
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        let name: String = name.chars().filter(|c| !c.is_whitespace() && !"\"'".contains(*c)).collect();
        let full = if table.is_empty() { name } else { format!("{table}.{name}") };
        if full == format!("build.{key}") {
            return Some(unquote(value.trim()));
        }
    }
    None
}

/// A string between its quotes, anything else up to a comment.
fn unquote(value: &str) -> String {
    let quote = value.chars().next().filter(|first| "\"'".contains(*first));
    match quote.and_then(|quote| value[1..].split_once(quote)) {
        // A path in double quotes has its backslashes doubled.
        Some((inner, _)) => inner.replace("\\\\", "\\"),
        None => value.split('#').next().unwrap_or("").trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::value_in;

    #[test]
    fn settings_as_people_write_them() {
        let rows = [
            ("[build]\njobs = 4\n", "jobs", Some("4")),
            ("[build]\njobs=4 # half\n", "jobs", Some("4")),
            ("build.jobs = 2", "jobs", Some("2")),
            ("[alias]\njobs = 1\n[build]\nrustflags = []\n", "jobs", None),
            ("# [build]\n#jobs = 3", "jobs", None),
            (
                "[ build ]\nrustc-workspace-wrapper = \"tools/w\" # c",
                "rustc-workspace-wrapper",
                Some("tools/w"),
            ),
            ("build.rustc-workspace-wrapper='C:\\w'", "rustc-workspace-wrapper", Some("C:\\w")),
            ("build.\"rustc-workspace-wrapper\" = \"C:\\\\w\"", "rustc-workspace-wrapper", Some("C:\\w")),
            ("[build]\nrustc-wrapper = \"sccache\"", "rustc-workspace-wrapper", None),
            ("", "jobs", None),
        ];
        for (text, key, expected) in rows {
            assert_eq!(value_in(text, key).as_deref(), expected, "{text}");
        }
    }
}
