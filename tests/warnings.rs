//! Each kind of warning has a row in the README's table, and each row is of a warning that the code gives.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A word as it names a kind of warning: lowercase letters and dashes.
fn is_kind(word: &str) -> bool {
    word.contains('-') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// The words in the first column of the table below `## Warnings`.
fn documented(readme: &str) -> BTreeSet<String> {
    let section = readme.split("\n## Warnings\n").nth(1).expect("a section on warnings");
    let section = section.split("\n## ").next().unwrap_or_default();
    let first_column = |line: &str| line.strip_prefix("| `")?.split(" | ").next().map(str::to_owned);
    section
        .lines()
        .filter_map(first_column)
        .flat_map(|cell| cell.split('`').map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| is_kind(word))
        .collect()
}

/// The words in quotes that a piece of code gives as kinds: as the argument of a call that warns or counts, as `slug: "…"`, in the
/// table of what is left out of a model, and as a constant.
fn given(code: &str) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    let mut take = |text: &str, n_strings: usize| {
        let words = text.split('"').skip(1).step_by(2).take(n_strings);
        kinds.extend(words.filter(|word| is_kind(word)).map(str::to_owned));
    };
    for call in [".warning(", ".warning_of(", ".count_warning(", " warn("] {
        for arguments in code.split(call).skip(1) {
            // Behind a number, if there is one; a message has blanks.
            take(arguments.split_once(';').map_or(arguments, |(arguments, _)| arguments), 1);
        }
    }
    for field in code.split("slug: ").skip(1).filter(|field| field.starts_with('"')) {
        take(field, 1);
    }
    for row in code.split("(\"").skip(1).filter(|row| row.contains("&omissions.")) {
        take(&format!("\"{row}"), 1);
    }
    for constant in code.split("UNKNOWN_VARIABLE: &str = ").skip(1) {
        take(constant, 1);
    }
    kinds
}

fn code_below(directory: &Path, code: &mut String) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() {
            code_below(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            let text = fs::read_to_string(&path).expect("a source");
            code.push_str(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default());
        }
    }
}

#[test]
fn the_table_of_warnings_is_complete() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    code_below(&root.join("src"), &mut code);
    let (given, documented) =
        (given(&code), documented(&fs::read_to_string(root.join("README.md")).expect("the README")));
    assert!(given.contains("unreadable-profile") && given.contains("leaked-process"), "{given:?}");
    let missing: Vec<_> = given.difference(&documented).collect();
    let unknown: Vec<_> = documented.difference(&given).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in the README: {missing:?}; in the README alone: {unknown:?}"
    );
}
