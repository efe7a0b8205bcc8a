//! A few settings of cargo's configuration files that no cargo command on stable tells: `build.jobs`, `build.target`,
//! `build.rustc-workspace-wrapper`. Reads lines, not TOML: enough for how people write these, harmless otherwise. What has
//! to be exact is asked of cargo itself (see [`crate::cargo::target_runner`]); here is whether it needs asking.

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
    for file in files(environment, directory) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        if let Some(value) = value_in(&text, key) {
            let folder = file.parent().unwrap_or(&file);
            return Some((value, folder.parent().unwrap_or(folder).to_owned()));
        }
    }
    None
}

/// Whether cargo's configuration for `directory` can hold a key with `word` in it. Errs to the safe side: a comment will do,
/// and so will an `include`, because included files are not read.
pub fn may_mention(environment: &Environment, directory: &Path, settings: &[String], word: &str) -> bool {
    let mentions = |text: &str| text.contains(word) || text.contains("include");
    let file_mentions = |file: PathBuf| fs::read_to_string(file).is_ok_and(|text| mentions(&text));
    settings.iter().any(|setting| mentions(setting) || file_mentions(directory.join(setting)))
        || files(environment, directory).any(file_mentions)
}

/// Where cargo looks for its configuration, the nearest place first. Most of these files do not exist.
fn files(environment: &Environment, directory: &Path) -> impl Iterator<Item = PathBuf> {
    let home =
        environment.get("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut folders: Vec<PathBuf> = directory.ancestors().map(|above| above.join(".cargo")).collect();
    folders.extend(home);
    folders.into_iter().flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)))
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
    use super::{may_mention, value_in};
    use crate::cargo::environment::Environment;
    use std::{env, fs, process};

    #[test]
    fn where_a_word_may_stand() {
        let scratch = env::temp_dir().join(format!("xtask-coverage-mention-{}", process::id()));
        let (home, project) = (scratch.join("home"), scratch.join("project"));
        fs::create_dir_all(project.join("below/.cargo")).expect("can be made");
        fs::create_dir_all(project.join(".cargo")).expect("can be made");
        fs::create_dir_all(&home).expect("can be made");
        fs::write(project.join("given.toml"), "target.x.runner = 'x'").expect("can be written");
        let environment = Environment::scrub([("CARGO_HOME".into(), home.clone().into())]);
        let check = |settings: &[&str]| {
            let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
            may_mention(&environment, &project, &settings, "runner")
        };
        assert!(!check(&[]));
        assert!(!check(&["build.jobs = 1", "none.toml"]));
        assert!(check(&["build.jobs = 1", "target.'cfg(unix)'.runner = 'x'"]));
        assert!(check(&["given.toml"]));
        assert!(check(&["include = 'other.toml'"]));
        // Only upwards.
        fs::write(project.join("below/.cargo/config.toml"), "runner").expect("can be written");
        assert!(!check(&[]));
        for file in [project.join(".cargo/config"), home.join("config.toml")] {
            fs::write(&file, "[target.x]\nrunner = ['x']\n").expect("can be written");
            assert!(check(&[]), "{}", file.display());
            fs::write(&file, "[build]\njobs = 1\n").expect("can be written");
            assert!(!check(&[]), "{}", file.display());
        }
        fs::remove_dir_all(&scratch).expect("can be removed");
    }

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
