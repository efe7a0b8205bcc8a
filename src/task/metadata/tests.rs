//! Manifests with command lines and environments on top of them, and the configuration or the error that they make.

use std::ffi::OsString;
use std::num::NonZeroU32;

use anyhow::Result;
use serde_json::{Value, json};

use super::configure;
use crate::coverage::Model;
use crate::filter::DefaultSet;
use crate::task::config::{
    Config, Format, Jobs, PackageExclusion, Place, Scope, ScopedThresholds, Thresholds,
};
use crate::task::flags::{Request, parse};
use crate::task::record::ManifestRecord;
use crate::ui::message::cures;

/// The workspace's table, and those of the packages `app` and `lib`.
fn manifests(workspace: Value, app: Value) -> Vec<ManifestRecord> {
    let manifest = |path: &str, package: Option<&str>, coverage| ManifestRecord {
        path: path.into(),
        md5: String::new(),
        package: package.map(str::to_owned),
        coverage,
    };
    vec![
        manifest("/w/Cargo.toml", None, workspace),
        manifest("/w/app/Cargo.toml", Some("app"), app),
        manifest("/w/lib/Cargo.toml", Some("lib"), Value::Null),
    ]
}

/// The configuration of `line`: variables, then the words behind `cargo xtask`.
fn configured(line: &str, workspace: Value, app: Value) -> Result<Config> {
    let is_variable = |word: &&str| word.starts_with("COVERAGE_");
    let variables = line.split_whitespace().take_while(is_variable).filter_map(|word| word.split_once('='));
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let words = line.split_whitespace().skip_while(is_variable).map(OsString::from);
    match parse(words, variables)? {
        Request::Run(invocation) => configure(&invocation, &manifests(workspace, app)),
        other => panic!("{line}: {other:?}"),
    }
}

#[track_caller]
fn check(line: &str, workspace: Value, change: impl FnOnce(&mut Config)) {
    let mut expected = Config::new();
    change(&mut expected);
    assert_eq!(configured(line, workspace, Value::Null).expect("right"), expected, "{line}");
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn nothing_is_said() {
    check("coverage", Value::Null, |_| {});
    check("coverage", json!({}), |_| {});
    check("coverage", json!({"no-fail-fast": false, "lcov": false, "features": []}), |_| {});
}

#[test]
fn a_program_s_own_configuration_is_the_base() {
    let mut base = Config::new();
    base.thresholds.lines = Some(8_000);
    base.tests.fail_fast = false;
    base.exclusion.exclude_files = strings(&["ffi"]);
    let words = ["coverage", "--fail-under-lines", "90"].map(OsString::from);
    let Request::Run(mut invocation) = parse(words, []).expect("right") else { panic!("it is a command") };
    invocation.base = base.clone();
    let workspace = json!({"fail-under-lines": 85, "exclude-files": ["generated"]});
    let config = configure(&invocation, &manifests(workspace, Value::Null)).expect("right");
    assert_eq!(config.thresholds.lines, Some(9_000));
    assert!(!config.tests.fail_fast, "nobody says otherwise");
    assert_eq!(config.exclusion.exclude_files, strings(&["ffi", "generated"]));
    assert_eq!(
        config.partial_run.thresholds.lines,
        Some(9_000),
        "a program's own hold for whole runs, as a manifest's do"
    );
}

#[test]
fn keys_of_every_type() {
    check(
        "coverage",
        json!({
            "no-fail-fast": true,
            "model": "llvm",
            "jobs": -2,
            "timeout": 1.5,
            "profile": "dist",
            "features": ["a", "b/c"],
            "default-exclude": ["tests", "build"],
            "output-dir": "reports",
            "fail-under-lines": 79.5,
            "fail-uncovered-functions": 3,
        }),
        |config| {
            config.tests.fail_fast = false;
            config.model = Some(Model::Llvm);
            config.build.jobs = NonZeroU32::new(2).map(Jobs::AllBut);
            config.tests.timeout = Some(std::time::Duration::from_millis(1500));
            config.build.cargo_profile = Some("dist".to_owned());
            config.features.select = strings(&["a", "b/c"]);
            config.exclusion.defaults = vec![DefaultSet::Tests, DefaultSet::Build];
            // Paths start from the manifest, whatever the current directory.
            config.output.place = Place::Directory("/w/reports".into());
            config.thresholds.lines = Some(7950);
            config.thresholds.uncovered_functions = Some(3);
        },
    );
    // Keys that a command has no flag for do nothing there.
    check("coverage report", json!({"jobs": 2, "release": true, "fail-under-lines": 80}), |config| {
        config.thresholds.lines = Some(8000);
    });
}

#[test]
fn the_command_line_and_the_environment_overrule_a_manifest() {
    let manifest = json!({"fail-under-lines": 80, "no-fail-fast": true, "release": true, "jobs": 4});
    check(
        "COVERAGE_NO_FAIL_FAST=0 COVERAGE_JOBS=3 coverage --fail-under-lines 0.5 --profile dev",
        manifest,
        |config| {
            config.thresholds.lines = Some(50);
            // That was asked for now, and holds for some of the tests, too.
            config.partial_run.thresholds.lines = Some(50);
            config.build.cargo_profile = Some("dev".to_owned());
            config.build.jobs = NonZeroU32::new(3).map(Jobs::Count);
        },
    );
    check("COVERAGE_JOBS=3 coverage -j default", json!({"jobs": 4}), |_| {});
    check("COVERAGE_FAIL_UNDER_LINES=70 coverage report", json!({"fail-under-lines": 80}), |config| {
        config.thresholds.lines = Some(7000);
        config.partial_run.thresholds.lines = Some(7000);
    });
}

#[test]
fn the_ratchet_and_its_baseline_may_stand_in_two_places() {
    for (line, manifest) in [
        ("coverage --ratchet 0.5", json!({"baseline": "b.json"})),
        ("coverage report --baseline /w/b.json", json!({"ratchet": 0.5})),
        ("coverage", json!({"ratchet": 0.5, "baseline": "b.json"})),
    ] {
        let comparison = configured(line, manifest, Value::Null).expect(line).comparison;
        assert_eq!(comparison.ratchet, Some(50), "{line}");
        assert_eq!(comparison.baseline.as_deref(), Some("/w/b.json".as_ref()), "{line}");
    }
    check_error(
        json!({"ratchet": 0.5}),
        Value::Null,
        "`--ratchet` needs `--baseline`: a fall is one from somewhere",
        "add `--baseline <FILE>`; `--save-baseline <FILE>` makes such a file",
    );
    let alone = configured("coverage --ratchet 0", Value::Null, Value::Null).expect_err("no baseline");
    assert!(alone.to_string().starts_with("`--ratchet` needs `--baseline`"), "{alone}");
    configured("coverage --no-report", json!({"ratchet": 0.5}), Value::Null).expect("nothing is compared");
}

#[test]
fn lists_are_replaced_as_a_whole() {
    let excluded = json!({"exclude-files": ["a", "b"], "features": ["x"]});
    check("coverage --exclude-files c", excluded, |config| {
        config.exclusion.exclude_files = strings(&["c"]);
        config.features.select = strings(&["x"]);
    });
    let packages = json!({"exclude": ["lib"]});
    check("coverage", packages.clone(), |config| config.packages.exclude = strings(&["lib"]));
    check("coverage --workspace", packages.clone(), |_| {});
    check("coverage -p app", packages, |config| config.packages.select = strings(&["app"]));
    let targets = json!({"all-targets": true, "no-doctests": true});
    check("coverage --lib", targets, |config| {
        config.targets.lib = true;
        config.tests.doctests = crate::task::config::Doctests::Without;
    });
    check("coverage --test it", json!({"doc": true}), |config| config.targets.test = strings(&["it"]));
    // Which program is run is another question than which programs are tested.
    check("coverage run", json!({"bin": ["tool"]}), |_| {});
}

#[test]
fn formats_of_a_manifest_go_to_files() {
    let manifest = json!({"lcov": true});
    for line in ["coverage", "coverage report"] {
        check(line, manifest.clone(), |config| {
            config.output.formats = vec![Format::Lcov];
            config.output.to_files = true;
        });
    }
    check("coverage --json", manifest.clone(), |config| config.output.formats = vec![Format::Json]);
    check("coverage --no-report", manifest.clone(), |config| {
        config.output.formats = vec![Format::Lcov];
        config.output.to_files = true;
        config.output.enabled = false;
    });
    check("coverage report --object a --profraw b", manifest, |config| {
        config.input.objects = vec!["a".into()];
        config.input.profiles = vec!["b".into()];
    });
}

#[test]
fn parts_of_the_workspace() {
    let thresholds = |lines| Thresholds { lines: Some(lines), ..Thresholds::NONE };
    let of = |scope, thresholds| ScopedThresholds { scope, thresholds };
    let workspace = json!({
        "fail-under-lines": 80,
        "paths": {"src/parser/**": {"fail-under-lines": 95}, "src/z.rs": {"fail-uncovered-lines": 0}},
        "packages": {"lib": {"fail-under-lines": 90}},
    });
    let config = configured("coverage --fail-under-lines 70", workspace, json!({"fail-under-lines": 60}));
    let config = config.expect("right");
    assert_eq!(config.thresholds, thresholds(7000));
    assert_eq!(
        config.scoped_thresholds,
        [
            of(Scope::Package("lib".to_owned()), thresholds(9000)),
            of(Scope::Paths("src/parser/**".to_owned()), thresholds(9500)),
            of(
                Scope::Paths("src/z.rs".to_owned()),
                Thresholds { uncovered_lines: Some(0), ..Thresholds::NONE }
            ),
            of(Scope::Package("app".to_owned()), thresholds(6000)),
        ]
    );
}

#[test]
fn values_of_a_package() {
    let check = |app: Value, change: &dyn Fn(&mut Config)| {
        let mut expected = Config::new();
        change(&mut expected);
        assert_eq!(configured("coverage", Value::Null, app.clone()).expect("right"), expected, "{app}");
    };
    check(Value::Null, &|_| {});
    check(json!({}), &|_| {});
    check(json!({"exclusive": false}), &|_| {});
    check(json!({"exclusive": true}), &|config| _ = config.tests.exclusive.insert("app".to_owned()));
    check(json!({"exclude-files": ["src/gen", "src/a.rs"], "include-files": ["src/gen/b.rs"]}), &|config| {
        config.exclusion.packages = vec![PackageExclusion {
            package: "app".to_owned(),
            exclude_files: strings(&["src/gen", "src/a.rs"]),
            include_files: strings(&["src/gen/b.rs"]),
        }];
    });
}

#[track_caller]
fn check_error(workspace: Value, app: Value, what: &str, cure: &str) {
    let error = configured("coverage", workspace, app).expect_err(what);
    assert_eq!((format!("{error:#}").as_str(), cures(&error).join("; ").as_str()), (what, cure));
}

#[test]
fn mistakes_in_a_package_name_the_manifest_the_key_and_the_cure() {
    let check = |app: Value, what: &str, cure: &str| check_error(Value::Null, app, what, cure);
    check(
        json!({"exclusiv": true}),
        "unknown key `exclusiv` in `[package.metadata.coverage]` of `/w/app/Cargo.toml`",
        "did you mean `exclusive`?",
    );
    check(
        json!({"zzz": true}),
        "unknown key `zzz` in `[package.metadata.coverage]` of `/w/app/Cargo.toml`",
        "this table has: exclusive, flaky, exclude-files, include-files, fail-under-lines, fail-under-functions, \
         fail-under-regions, fail-under-file-lines, fail-uncovered-lines, fail-uncovered-functions, \
         fail-uncovered-regions",
    );
    check(
        json!({"exclusive": "yes"}),
        "`exclusive` is \"yes\" in `[package.metadata.coverage]` of `/w/app/Cargo.toml`",
        "`exclusive` takes `true` or `false`",
    );
    check(
        json!({"exclude-files": "src/gen"}),
        "`exclude-files` is \"src/gen\" in `[package.metadata.coverage]` of `/w/app/Cargo.toml`",
        "`exclude-files` takes a list of strings, as in `[\"one\", \"two\"]`",
    );
    check(
        json!(true),
        "`package.metadata.coverage` in `/w/app/Cargo.toml` is true, expected a table",
        "write the header `[package.metadata.coverage]` above its keys",
    );
    check(
        json!({"no-fail-fast": true}),
        "unknown key `no-fail-fast` in `[package.metadata.coverage]` of `/w/app/Cargo.toml`",
        "it belongs to `[workspace.metadata.coverage]`",
    );
}

#[test]
fn mistakes_in_the_workspace_name_the_manifest_the_key_and_the_cure() {
    let place = "`[workspace.metadata.coverage]` of `/w/Cargo.toml`";
    for (found, cure) in [
        (json!({"exclusive": true}), "it belongs to `[package.metadata.coverage]`"),
        (json!({"fail_under_lines": 80}), "did you mean `fail-under-lines`?"),
        (json!({"x": 1}), "it has the names of flags, which `cargo xtask coverage --help` lists"),
        (
            json!({"verbose": true}),
            "`--verbose` is for the command line alone: how much is said, and in which colors, is up to who reads it",
        ),
        (
            json!({"target-dir": "t"}),
            "`--target-dir` is for the command line alone: cargo has to know it before it reads a manifest",
        ),
    ] {
        let name = found.as_object().and_then(|table| table.keys().next()).expect("a key").clone();
        check_error(found, Value::Null, &format!("unknown key `{name}` in {place}"), cure);
    }
    for (found, shown, takes) in [
        (json!({"release": "yes"}), "\"yes\"", "`true` or `false`"),
        (json!({"release": 1}), "1", "`true` or `false`"),
        (json!({"fail-under-lines": "80"}), "\"80\"", "a number, without quotes"),
        (json!({"fail-under-lines": 101}), "101", "a percentage from 0 to 100 with at most two decimals"),
        (json!({"fail-uncovered-lines": -1}), "-1", "a whole number from 0 on"),
        (json!({"profile": 3}), "3", "a string, in quotes"),
        (json!({"profile": ""}), "\"\"", "a string, in quotes"),
        (json!({"model": "lvm"}), "\"lvm\"", "`\"union\"` or `\"llvm\"`"),
        (json!({"model": true}), "true", "`\"union\"` or `\"llvm\"`"),
        (json!({"features": "a"}), "\"a\"", "a list of strings, as in `[\"one\", \"two\"]`"),
        (json!({"features": ["a", 1]}), "[\"a\",1]", "a list of strings, as in `[\"one\", \"two\"]`"),
        (
            json!({"default-exclude": ["test"]}),
            "[\"test\"]",
            "some of tests, generated, build, migrations, dependencies",
        ),
    ] {
        let name = found.as_object().and_then(|table| table.keys().next()).expect("a key").clone();
        let what = format!("`{name}` is {shown} in {place}");
        check_error(found, Value::Null, &what, &format!("`{name}` takes {takes}"));
    }
    check_error(
        json!({"release": true, "profile": "dev"}),
        Value::Null,
        &format!("`release` and `profile` cannot be combined in {place}"),
        "`--release` is `--profile release`; drop one of the two",
    );
}

#[test]
fn mistakes_in_tables_within() {
    let check = |found: Value, what: &str, cure: &str| check_error(found, Value::Null, what, cure);
    check(
        json!({"packages": {"ap": {}}}),
        "`[workspace.metadata.coverage.packages]` of `/w/Cargo.toml` names `ap`, which is no package of the workspace",
        "did you mean `app`?",
    );
    // `patch` is as near, but a key of another kind.
    check(
        json!({"path": {"src/**": {}}}),
        "unknown key `path` in `[workspace.metadata.coverage]` of `/w/Cargo.toml`",
        "did you mean `paths`?",
    );
    check(
        json!({"packages": {"other": {}}}),
        "`[workspace.metadata.coverage.packages]` of `/w/Cargo.toml` names `other`, which is no package of the \
         workspace",
        "its packages are app, lib",
    );
    check(
        json!({"packages": {"app": {"fail-under-line": 80}}}),
        "unknown key `fail-under-line` in `[workspace.metadata.coverage.packages.app]` of `/w/Cargo.toml`",
        "did you mean `fail-under-lines`?",
    );
    check(
        json!({"packages": {"app": 80}}),
        "`workspace.metadata.coverage.packages.app` in `/w/Cargo.toml` is 80, expected a table",
        "write the header `[workspace.metadata.coverage.packages.app]` above its keys",
    );
    check(
        json!({"paths": {"src/**": {"no-fail-fast": true}}}),
        "unknown key `no-fail-fast` in `[workspace.metadata.coverage.paths.\"src/**\"]` of `/w/Cargo.toml`",
        "it belongs to `[workspace.metadata.coverage]`",
    );
    check(
        json!({"paths": {"src/**": {"fail-under-lines": true}}}),
        "`fail-under-lines` is true in `[workspace.metadata.coverage.paths.\"src/**\"]` of `/w/Cargo.toml`",
        "`fail-under-lines` takes a number, without quotes",
    );
    check(
        json!({"paths": ["src"]}),
        "`workspace.metadata.coverage.paths` in `/w/Cargo.toml` is [\"src\"], expected a table",
        "write the header `[workspace.metadata.coverage.paths]` above its keys",
    );
    let error = configured("coverage", json!({"paths": {"a**": {}}}), Value::Null).expect_err("no glob");
    assert!(error.to_string().starts_with("`a**` in `[workspace.metadata.coverage.paths]` of"), "{error}");
}
