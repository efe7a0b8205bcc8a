//! That the table of flags makes sound keys, and that `src/configuration.md` lists them all.

use serde_json::{Value, json};

use super::{keys, read, threshold_keys};
use crate::golden;
use crate::task::config::Config;
use crate::task::flags::flag::KeyType;
use crate::task::flags::{Flag, Takes, flags};
use crate::task::help::first_sentence;
use crate::task::metadata::PACKAGE_KEYS;

#[test]
fn keys_are_sound() {
    let mut findings = Vec::new();
    for flag in keys() {
        let name = flag.long;
        let Ok(key_type) = flag.key() else { continue };
        for other in flags().filter(|other| other.long == name) {
            let same =
                other.key().map(|other| std::mem::discriminant(&other) == std::mem::discriminant(&key_type));
            if same == Ok(false) {
                findings.push(format!("`--{name}` is of two types"));
            }
        }
        let accepts = |value: Value| read(name, &value, &mut Config::new()).is_ok();
        match key_type {
            KeyType::Number if !accepts(json!(1)) => findings.push(format!("`{name}` takes no number")),
            KeyType::Text if !accepts(json!("word")) => {
                findings.push(format!("`{name}` takes no string; is it a number? then call its value so"));
            }
            // The words of the command line for one format are its user's; a list of several flags has no variable.
            KeyType::Switch if flag.variable().is_none() && flag.list().is_none() => {
                findings.push(format!(
                    "`--{name}` has no variable: say `.part_of(…)` which list, or `.not_a_key(…)` why"
                ));
            }
            _ => {}
        }
    }
    for flag in flags() {
        if flag.is_threshold && flag.key().is_err() {
            findings.push(format!("`--{}` is a threshold and no key", flag.long));
        }
        // A list that no manifest can give is not replaced by anything.
        if matches!(flag.takes, Takes::Many(_)) && flag.list().is_none() {
            findings.push(format!("`--{}` is in no list", flag.long));
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn the_documentation_lists_all_keys() {
    let thresholds: String = threshold_keys().iter().map(|name| format!("- `{name}`\n")).collect();
    let tables = [
        ("keys", key_table()),
        ("thresholds", thresholds),
        ("package", package_table()),
        ("flags", flag_table()),
    ];
    golden::check_tables("src/configuration.md", &tables);
}

fn key_table() -> String {
    let mut table = "| key | type | default | variable | what it does |\n|---|---|---|---|---|\n".to_owned();
    for flag in keys() {
        let Ok(key_type) = flag.key() else { continue };
        let (takes, default) = match key_type {
            KeyType::Switch => ("`true` or `false`".to_owned(), "`false`".to_owned()),
            KeyType::Choice(choices) => {
                let default = choices.iter().find(|choice| choice.help.ends_with("(default)"));
                (key_type.to_string(), default.map_or_else(String::new, |it| format!("`\"{}\"`", it.name)))
            }
            KeyType::Number => ("number".to_owned(), String::new()),
            KeyType::Text => ("string".to_owned(), String::new()),
            KeyType::Path => ("path".to_owned(), String::new()),
            KeyType::Words => ("list".to_owned(), "all".to_owned()),
            KeyType::List => ("list".to_owned(), "`[]`".to_owned()),
        };
        table.push_str(&row(&[
            &format!("`{}`", flag.long),
            &takes,
            &default,
            &variable(flag),
            first_sentence(flag.help),
        ]));
    }
    table
}

fn package_table() -> String {
    let mut table = "| key | type | what it does |\n|---|---|---|\n".to_owned();
    for (name, takes, does) in PACKAGE_KEYS {
        table.push_str(&row(&[&format!("`{name}`"), takes, does]));
    }
    table
}

fn flag_table() -> String {
    let mut table = "| flag | variable | why |\n|---|---|---|\n".to_owned();
    let mut rows: Vec<String> = Vec::new();
    for flag in flags() {
        // `--package` of `coverage run` is another flag than the key.
        if let Err(why) = flag.key()
            && !keys().any(|key| key.long == flag.long)
        {
            let row = row(&[&format!("`--{}`", flag.long), &variable(flag), why]);
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    table.extend(rows);
    table
}

fn variable(flag: &Flag) -> String {
    flag.variable().map_or_else(String::new, |variable| format!("`{variable}`"))
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}
