//! The command that runs one test again as this run did: the same packages' features, profile and target, nothing about reports.

use super::config::{Command, Config};
use crate::cargo::build::{TestBinary, TestKind};
use crate::cargo::workspace::CargoTargetKind;

/// The command for a shell that runs `test_name` of `binary` again, or all of the binary.
pub(super) fn command(config: &Config, binary: &TestBinary, test_name: Option<&str>) -> String {
    let mut words = vec![Command::Coverage.to_string()];
    let mut flag = |name: &str, value: Option<String>| {
        words.push(name.to_owned());
        words.extend(value.map(|value| quoted(&value)));
    };
    if let Some(path) = &config.manifest.path {
        flag("--manifest-path", Some(path.display().to_string()));
    }
    if let Some(directory) = &config.build.target_dir {
        flag("--target-dir", Some(directory.display().to_string()));
    }
    for value in &config.manifest.cargo_config {
        flag("--config", Some(value.to_string_lossy().into_owned()));
    }
    flag("-p", Some(binary.package.clone()));
    for features in &config.features.select {
        flag("--features", Some(features.clone()));
    }
    let switches = [
        (config.features.all, "--all-features"),
        (config.features.no_default, "--no-default-features"),
        (config.build.branches, "--branch"),
        (config.build.build_scripts, "--include-build-script"),
        (config.manifest.ignore_rust_version, "--ignore-rust-version"),
        (!config.tests.continuous, "--no-continuous"),
    ];
    for (_, name) in switches.iter().filter(|(on, _)| *on) {
        flag(name, None);
    }
    if let Some(profile) = &config.build.cargo_profile {
        flag("--profile", Some(profile.clone()));
    }
    if let Some(triple) = &config.build.target_triple {
        flag("--target", Some(triple.clone()));
    }
    let (name, value) = target_flag(binary);
    flag(name, value);
    let tests = &config.tests;
    let mut behind_dashes: Vec<String> = Vec::new();
    // The name alone would not do for a test that is ignored.
    let takes_ignored = tests.arguments.iter().any(|it| it == "--ignored" || it == "--include-ignored");
    let ignored = takes_ignored.then(|| "--include-ignored".to_owned());
    match (binary.kind, test_name) {
        (_, None) => {
            words.extend(tests.filter.iter().map(|filter| quoted(filter)));
            behind_dashes.extend(tests.arguments.iter().map(|argument| quoted(&argument.to_string_lossy())));
        }
        (TestKind::Program, Some(test)) => {
            behind_dashes.extend(["--exact".to_owned(), quoted(test)].into_iter().chain(ignored));
        }
        // Rustdoc splits what it passes on at blanks, so that no exact name gets through.
        (TestKind::Doctests, Some(test)) => {
            words.push(quoted(doctest_filter(test)));
            behind_dashes.extend(ignored);
        }
    }
    if !behind_dashes.is_empty() {
        words.push("--".to_owned());
        words.append(&mut behind_dashes);
    }
    words.join(" ")
}

/// The flag that selects just the target of `binary`.
fn target_flag(binary: &TestBinary) -> (&'static str, Option<String>) {
    let name = Some(binary.cargo_target.name.clone());
    match (binary.kind, binary.cargo_target.kind) {
        (TestKind::Doctests, _) => ("--doc", None),
        (_, CargoTargetKind::Lib | CargoTargetKind::ProcMacro) => ("--lib", None),
        (_, CargoTargetKind::Bin | CargoTargetKind::BuildScript) => ("--bin", name),
        (_, CargoTargetKind::Test) => ("--test", name),
        (_, CargoTargetKind::Bench) => ("--bench", name),
        (_, CargoTargetKind::Example) => ("--example", name),
    }
}

/// The part of the name of a doctest, `src/lib.rs - item::path (line 3)`, that selects it or few others, without blanks.
fn doctest_filter(name: &str) -> &str {
    let (file, rest) = name.split_once(" - ").unwrap_or((name, ""));
    let item = rest.split(" (line ").next().unwrap_or("");
    if item.is_empty() || item.contains(' ') { file.split(' ').next().unwrap_or(file) } else { item }
}

/// `word` as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{command, doctest_filter, quoted};
    use crate::cargo::build::{TestBinary, TestKind};
    use crate::cargo::environment::Variables;
    use crate::cargo::workspace::{CargoTarget, CargoTargetKind};
    use crate::task::config::Config;

    #[test]
    fn the_arguments_that_a_test_needs_are_repeated() {
        let binary = |kind: TestKind| TestBinary {
            binary_id: "app::it".to_owned(),
            kind,
            package: "app".to_owned(),
            cargo_target: CargoTarget {
                name: "it".to_owned(),
                kind: CargoTargetKind::Test,
                crate_types: vec!["bin".to_owned()],
                src_path: "/w/tests/it.rs".into(),
                edition: "2024".to_owned(),
                test: true,
                doctest: false,
                required_features: Vec::new(),
            },
            executable: "/w/it".into(),
            runner: Vec::new(),
            arguments: Vec::new(),
            current_dir: "/w".into(),
            variables: Variables::new(),
        };
        let (program, doctests) = (binary(TestKind::Program), binary(TestKind::Doctests));
        let doctest = "src/lib.rs - item (line 3)";
        let rows = [
            (&program, None, "", "--test it"),
            (&program, None, "--skip b", "--test it -- --skip b"),
            (&program, Some("a"), "", "--test it -- --exact a"),
            (&program, Some("a"), "--skip b", "--test it -- --exact a"),
            (&program, Some("a"), "--ignored", "--test it -- --exact a --include-ignored"),
            (&doctests, Some(doctest), "", "--doc item"),
            (&doctests, Some(doctest), "--include-ignored", "--doc item -- --include-ignored"),
        ];
        for (binary, test_name, arguments, expected) in rows {
            let mut config = Config::new();
            config.tests.arguments = arguments.split_whitespace().map(Into::into).collect();
            let expected = format!("cargo xtask coverage -p app {expected}");
            assert_eq!(command(&config, binary, test_name), expected, "{arguments}");
        }
    }

    #[test]
    fn words_for_a_shell() {
        let rows = [
            ("tests::a", "tests::a"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("<u8 as T>::f", "'<u8 as T>::f'"),
        ];
        for (word, expected) in rows {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn what_selects_a_doctest() {
        let rows = [
            ("src/lib.rs - item::path (line 3)", "item::path"),
            ("src/lib.rs - (line 3)", "src/lib.rs"),
            ("src/my file.rs - Trait<'a, T>::f (line 3)", "src/my"),
            ("src/lib.rs - f (line 3) - compile", "f"),
        ];
        for (name, expected) in rows {
            assert_eq!(doctest_filter(name), expected, "{name}");
        }
    }
}
