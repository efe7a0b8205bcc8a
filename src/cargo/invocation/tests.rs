//! Cargo's arguments, and whether the build directory can be shared.

use super::{
    BuildDir, BuildOptions, CargoCommand, arguments, chained_wrapper, set_jobs, target_triple, toml_string,
};
use crate::cargo::workspace::Workspace;
use crate::cargo::workspace::tests::{metadata, target, workspace};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const LINUX: &str = "x86_64-unknown-linux-gnu";
/// A directory above which no configuration file of cargo can lie, and a home without one.
const NOWHERE: &str = "/nonexistent/directory";
const NO_HOME: (&str, &str) = ("CARGO_HOME", "/nonexistent/home");

fn with(targets: Value) -> Workspace {
    workspace(&metadata(&[("app", targets), ("xtask", json!([]))]), &[NO_HOME])
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn cargo_s_arguments() {
    let default = BuildOptions::default;
    let rows = [
        (default(), "--workspace --exclude xtask"),
        (BuildOptions { workspace: true, ..default() }, "--workspace --exclude xtask"),
        (BuildOptions { exclude: strings(&["a"]), ..default() }, "--workspace --exclude a --exclude xtask"),
        (BuildOptions { exclude: strings(&["xtask"]), ..default() }, "--workspace --exclude xtask"),
        (BuildOptions { packages: strings(&["app", "b"]), ..default() }, "--package app --package b"),
        (BuildOptions { packages: strings(&["xtask"]), ..default() }, "--package xtask"),
        (
            BuildOptions {
                packages: strings(&["app"]),
                lib: true,
                bins: true,
                tests: true,
                examples: true,
                benches: true,
                all_targets: true,
                all_features: true,
                no_default_features: true,
                locked: true,
                offline: true,
                frozen: true,
                ignore_rust_version: true,
                keep_going: true,
                quiet: true,
                verbose: 2,
                ..default()
            },
            "--lib --bins --tests --examples --benches --all-targets --all-features --no-default-features --locked \
             --offline --frozen --ignore-rust-version --keep-going --quiet -v -v --package app",
        ),
        (
            BuildOptions {
                packages: strings(&["app"]),
                bin: strings(&["a"]),
                test: strings(&["b", "c"]),
                example: strings(&["d"]),
                bench: strings(&["e"]),
                features: strings(&["f,g"]),
                config: strings(&["net.offline=true"]),
                cargo_profile: Some("fast".to_owned()),
                target_triple: Some("t".to_owned()),
                jobs: Some("3".to_owned()),
                color: Some("never".to_owned()),
                manifest_path: Some("/w/Cargo.toml".into()),
                ..default()
            },
            "--package app --bin a --test b --test c --example d --bench e --features f,g --config net.offline=true \
             --profile fast --target t --jobs 3 --color never --manifest-path /w/Cargo.toml",
        ),
    ];
    let workspace = with(json!([]));
    for (options, expected) in rows {
        let found: Vec<String> = arguments(&workspace, &options, CargoCommand::Tests)
            .into_iter()
            .map(|it| it.into_string().expect("text"))
            .collect();
        let build = workspace.layout().build();
        let expected = format!(
            "test --no-run --message-format=json-render-diagnostics {expected} --target-dir {}",
            build.display()
        );
        assert_eq!(found.join(" "), expected);
    }
}

#[test]
fn which_builds_share_the_build_directory() {
    let shared = || BuildDir::Shared(PathBuf::from("/b"));
    let cdylib = || {
        json!([{"kind": ["cdylib", "rlib"], "crate_types": ["cdylib", "rlib"], "name": "app",
        "edition": "2024", "src_path": "/w/app/src/lib.rs"}])
    };
    let check =
        |workspace: &Workspace, triple: &str, reason: Option<&str>| match BuildDir::choose(workspace, triple)
        {
            BuildDir::Own { why } => assert!(reason.is_some_and(|reason| why.contains(reason)), "{why}"),
            found @ BuildDir::Shared(_) => assert_eq!((found, reason), (shared(), None)),
        };
    check(&with(json!([target("lib", "app"), target("bin", "app"), target("proc-macro", "m")])), LINUX, None);
    check(&with(cdylib()), LINUX, Some("dynamic library of `app`"));
    check(&with(json!([])), "x86_64-pc-windows-msvc", Some("x86_64-pc-windows-msvc"));
    check(&with(json!([])), "wasm32-wasip1", Some("wasm32-wasip1"));

    let mut newer = with(cdylib());
    newer.toolchain.version = (1, 100);
    check(&newer, LINUX, None);
    check(&newer, "x86_64-pc-windows-msvc", None);

    let mut older = with(json!([]));
    older.build_dir = None;
    check(&older, LINUX, Some("before 1.91"));
}

#[test]
fn paths_in_toml() {
    let rows = [
        ("/a b/c", r#""/a b/c""#),
        (r"C:\a", r#""C:\\a""#),
        ("/a\"b", r#""/a\"b""#),
        ("/a\nb", r#""/a\u000Ab""#),
        ("/grün", r#""/grün""#),
    ];
    for (path, expected) in rows {
        assert_eq!(toml_string(Path::new(path)).expect("UTF-8"), expected);
    }
}

#[test]
fn the_user_s_own_wrapper_is_taken_out_and_called() {
    let check = |variables: &[(&str, &str)], settings: &[&str], expected: Option<&str>| {
        let mut environment = workspace(&metadata(&[]), &[&[NO_HOME], variables].concat()).environment;
        let found = chained_wrapper(&mut environment, Path::new(NOWHERE), &strings(settings));
        assert_eq!(found.as_deref(), expected.map(Path::new), "{variables:?} {settings:?}");
        assert_eq!(environment.get("RUSTC_WORKSPACE_WRAPPER"), None);
    };
    check(&[], &[], None);
    check(&[("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")], &[], Some("clippy-driver"));
    check(&[("RUSTC_WORKSPACE_WRAPPER", "")], &[], None);
    check(&[("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER", "/bin/w")], &[], Some("/bin/w"));
    // Ours, when a measured test calls us.
    check(&[("RUSTC_WORKSPACE_WRAPPER", "/t/wrapper/0/xtask-coverage-rustc")], &[], None);
    check(&[], &["build.rustc-workspace-wrapper=\"/bin/w\""], Some("/bin/w"));
    check(&[], &["build.rustc-workspace-wrapper=\"tool\""], Some("tool"));
    check(&[], &["build.rustc-workspace-wrapper=\"./tool\""], Some("/nonexistent/directory/./tool"));
}

#[test]
fn jobs_are_set_unless_the_user_has_chosen() {
    let check = |variables: &[(&str, &str)], options: BuildOptions, expected: Option<&str>| {
        let mut environment = workspace(&metadata(&[]), &[&[NO_HOME], variables].concat()).environment;
        set_jobs(&mut environment, Path::new(NOWHERE), &options);
        let found = environment.get("CARGO_BUILD_JOBS").and_then(|it| it.to_str());
        assert_eq!(found, expected, "{variables:?} {options:?}");
    };
    let default = BuildOptions::default;
    check(&[], default(), Some(num_cpus::get().to_string().as_str()));
    check(&[("CARGO_BUILD_JOBS", "7")], default(), Some("7"));
    check(&[], BuildOptions { jobs: Some("3".to_owned()), ..default() }, None);
    check(&[], BuildOptions { config: strings(&["build.jobs=3"]), ..default() }, None);
}

#[test]
fn what_is_compiled_for() {
    let check = |variables: &[(&str, &str)], options: BuildOptions, expected: &str| {
        let workspace = workspace(&metadata(&[]), &[&[NO_HOME], variables].concat());
        assert_eq!(
            target_triple(&workspace, Path::new(NOWHERE), &options),
            expected,
            "{variables:?} {options:?}"
        );
    };
    let default = BuildOptions::default;
    let given = || BuildOptions { target_triple: Some("a-b".to_owned()), ..default() };
    check(&[], default(), LINUX);
    check(&[("CARGO_BUILD_TARGET", "c-d")], default(), "c-d");
    check(&[("CARGO_BUILD_TARGET", "c-d")], given(), "a-b");
    check(&[], BuildOptions { config: strings(&["build.target = \"e-f\""]), ..default() }, "e-f");
    check(&[], BuildOptions { config: strings(&["build.target = [\"e-f\"]"]), ..default() }, "e-f");
    check(&[], BuildOptions { config: strings(&["build.target = ['e-f', 'g-h']"]), ..default() }, LINUX);
    check(&[("CARGO_BUILD_TARGET", "host-tuple")], default(), LINUX);
    check(&[("CARGO_BUILD_TARGET", "targets/own.json")], default(), LINUX);
    check(&[("CARGO_BUILD_TARGET", "own.json")], default(), LINUX);
}

#[test]
fn doctests_are_built_without_any_selection_of_targets() {
    let options = BuildOptions {
        packages: strings(&["app"]),
        lib: true,
        test: strings(&["it"]),
        all_features: true,
        ..BuildOptions::default()
    };
    let found = arguments(&with(json!([])), &options, CargoCommand::Doctests);
    let found: Vec<String> = found.into_iter().map(|it| it.into_string().expect("text")).collect();
    let expected =
        "test --doc --message-format=json-render-diagnostics --all-features --package app --target-dir";
    assert_eq!(found[..found.len() - 1].join(" "), expected);
}
