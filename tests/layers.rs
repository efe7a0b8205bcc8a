//! The layers of the library, as a table: what a module may name. rustc does not stop circles between the modules of one
//! crate, so this does. Every line that breaks the table is reported, not the first alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A top-level module and those that it may name besides itself.
const LAYERS: [(&str, &[&str]); 20] = [
    ("cache", &[]),
    ("format", &[]),
    ("filter", &[]),
    ("git", &[]),
    ("interrupt", &[]),
    ("layout", &[]),
    ("parallel", &[]),
    ("toml", &[]),
    ("ui", &[]),
    ("coverage", &["format", "parallel"]),
    ("export", &["coverage"]),
    ("report", &["coverage"]),
    ("source", &["format", "parallel"]),
    ("llvm_tools", &["coverage", "format"]),
    ("cargo", &["interrupt", "layout"]),
    ("runner", &["cargo", "interrupt", "layout", "load"]),
    ("object", &["format"]),
    ("load", &["format", "object", "coverage"]),
    (
        "task",
        &[
            "cache",
            "cargo",
            "coverage",
            "export",
            "filter",
            "format",
            "git",
            "interrupt",
            "layout",
            "llvm_tools",
            "load",
            "report",
            "runner",
            "source",
            "toml",
            "ui",
        ],
    ),
    // Only for tests: compares text with files.
    ("golden", &[]),
];

/// What only one part of the library may do, with that part and the reason.
const RESERVED: [(&str, &[&str], &str); 4] = [
    ("eprintln!", &[], "messages go through `ui`"),
    ("println!", &[], "reports go through `ui`"),
    ("std::process::exit", &[], "exit codes are returned to `main`"),
    ("unsafe ", &[], "there is no unsafe code"),
];

#[test]
fn every_module_names_only_what_is_below_it() {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.into_iter().collect();
    let mut findings = Vec::new();
    for (module, path, text) in sources() {
        let Some(allowed) = allowed.get(module.as_str()) else {
            findings.push(format!("{}: module `{module}` is not in the table", path.display()));
            continue;
        };
        for (number, line) in (1..).zip(text.lines()) {
            for named in modules_named(line) {
                let is_test_support = named == "golden";
                if named != module && !allowed.contains(&named) && !is_test_support {
                    findings.push(format!("{}:{number}: `{module}` names `{named}`", path.display()));
                }
            }
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn what_is_reserved_is_done_nowhere_else() {
    let mut findings = Vec::new();
    for (module, path, text) in sources() {
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for (word, by, reason) in RESERVED {
                if line.contains(word) && !by.contains(&module.as_str()) {
                    findings.push(format!("{}:{number}: `{word}`: {reason}", path.display()));
                }
            }
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn every_file_says_what_lives_in_it() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, text)| !text.starts_with("//! "))
        .map(|(_, path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no `//!` line at the start of:\n{}", silent.join("\n"));
}

#[test]
fn the_table_knows_no_module_that_is_gone() {
    let modules: Vec<String> = sources().into_iter().map(|(module, _, _)| module).collect();
    for (module, _) in LAYERS {
        assert!(modules.iter().any(|found| found == module), "no module `{module}`");
    }
}

#[test]
fn the_changelog_has_this_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).expect("there is a changelog");
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        changelog.lines().any(|line| line.starts_with(&format!("## {version}"))),
        "no heading for {version}"
    );
}

/// The top-level modules that a line names through `crate::`, also several in braces.
fn modules_named(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for (start, _) in line.match_indices("crate::") {
        // `xtask_coverage::` is not `crate::`, and a comment may link where code may not go.
        let rest = &line[start + "crate::".len()..];
        if line.trim_start().starts_with("//") {
            continue;
        }
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or(list),
            None => rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(rest),
        };
        named.extend(list.split(',').filter_map(|path| {
            path.trim()
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .next()
                .filter(|word| !word.is_empty())
        }));
    }
    named
}

/// Every source of the library but its roots: top-level module, path, text.
fn sources() -> Vec<(String, PathBuf, String)> {
    let directory = root().join("src");
    let mut sources = Vec::new();
    let mut pending = vec![directory.clone()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the directory can be listed");
            pending.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(&directory).expect("below the sources");
            // The engine's modules are layers as the others are.
            let relative = relative.strip_prefix("engine").unwrap_or(relative);
            let module =
                relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
            let module = module.trim_end_matches(".rs").to_owned();
            if relative != Path::new("lib.rs") && relative != Path::new("main.rs") {
                let text = fs::read_to_string(&path).expect("the file can be read");
                sources.push((module, relative.to_owned(), text));
            }
        }
    }
    sources.sort();
    sources
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn names_are_found_in_every_form() {
    assert_eq!(modules_named("use crate::format::cursor::Cursor;"), ["format"]);
    assert_eq!(modules_named("use crate::{coverage, ui::Ui};"), ["coverage", "ui"]);
    assert_eq!(modules_named("    let x = crate::load::load(crate::report::lcov());"), ["load", "report"]);
    assert!(modules_named("//! See [`crate::coverage`].").is_empty());
    assert!(modules_named("use xtask_coverage::task;").is_empty());
}
