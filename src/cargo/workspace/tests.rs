//! Workspaces from made-up metadata, here and for the tests of neighbouring files.

use super::{CargoTargetKind, Workspace, check_manifest_path};
use crate::cargo::environment::Environment;
use crate::cargo::toolchain::Toolchain;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Names and values of variables.
pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

/// The name of a package and its targets.
type Described<'a> = (&'a str, Value);

/// Metadata of a workspace at `/w` with these packages, each in a directory of its name.
pub(crate) fn metadata(packages: &[Described<'_>]) -> Value {
    let id = |name: &str| format!("path+file:///w/{name}#0.1.0");
    let described: Vec<Value> = packages
        .iter()
        .map(|(name, targets)| {
            json!({
                "name": name, "version": "1.2.3-beta.1+build.5", "id": id(name),
                "manifest_path": format!("/w/{name}/Cargo.toml"), "targets": targets,
                "authors": ["A <a@example.org>", "B"], "description": null, "readme": "README.md",
                "metadata": {"coverage": {"of": name}},
            })
        })
        .collect();
    json!({
        "packages": described, "workspace_members": packages.iter().map(|(name, _)| id(name)).collect::<Vec<_>>(),
        "workspace_root": "/w", "target_directory": "/w/target", "build_directory": "/b", "metadata": null,
    })
}

/// A target of a package, as cargo describes it.
pub(crate) fn target(kind: &str, name: &str) -> Value {
    let crate_type = if matches!(kind, "test" | "bench" | "example" | "custom-build") { "bin" } else { kind };
    json!({
        "kind": [kind], "crate_types": [crate_type], "name": name, "edition": "2024",
        "src_path": format!("/w/src/{kind}-{name}.rs"), "doc": true, "doctest": kind == "lib", "test": true,
    })
}

/// The workspace that `metadata` describes, on a Linux with rustc 1.95, in an environment of `variables`.
pub(crate) fn workspace(metadata: &Value, variables: Pairs<'_>) -> Workspace {
    let version = "release: 1.95.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";
    let toolchain = Toolchain::parse(PathBuf::from("rustc"), version, Path::new("/s")).expect("a version");
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    Workspace::from_metadata(metadata, toolchain, Environment::scrub(variables)).expect("metadata")
}

#[test]
fn reads_what_cargo_prints() {
    let data =
        metadata(&[("app", json!([target("lib", "my-app"), target("custom-build", "build-script-build")]))]);
    let workspace = workspace(&data, &[]);
    assert_eq!(workspace.target_dir, Path::new("/w/target"));
    assert_eq!(workspace.build_dir.as_deref(), Some(Path::new("/b")));
    let member = workspace.member("path+file:///w/app#0.1.0").expect("a member");
    assert_eq!(member.dir, Path::new("/w/app"));
    assert_eq!((member.readme.as_deref(), member.license.as_deref()), (Some("README.md"), None));
    assert_eq!(member.coverage["of"], "app");
    assert!(workspace.coverage.is_null());
    assert_eq!(member.targets[0].crate_name(), "my_app");
    assert!(member.targets[0].doctest);
    assert_eq!(member.targets[1].kind, CargoTargetKind::BuildScript);
}

#[test]
fn packages_that_are_not_members_are_left_out() {
    let mut data = metadata(&[("app", json!([])), ("dep", json!([]))]);
    data["workspace_members"].as_array_mut().expect("a list").pop();
    let names: Vec<String> = workspace(&data, &[]).members.into_iter().map(|member| member.name).collect();
    assert_eq!(names, ["app"]);
}

#[test]
fn an_old_cargo_has_no_build_directory() {
    let mut data = metadata(&[]);
    data.as_object_mut().expect("an object").remove("build_directory");
    assert_eq!(workspace(&data, &[]).build_dir, None);
}

#[test]
fn a_missing_field_is_named() {
    let mut data = metadata(&[]);
    data.as_object_mut().expect("an object").remove("workspace_root");
    let toolchain = workspace(&metadata(&[]), &[]).toolchain;
    let error = Workspace::from_metadata(&data, toolchain, Environment::scrub([])).expect_err("no root");
    assert!(error.to_string().contains("workspace_root"), "{error}");
}

#[test]
fn kinds_of_targets() {
    let rows = [
        ("lib", CargoTargetKind::Lib),
        ("rlib", CargoTargetKind::Lib),
        ("cdylib", CargoTargetKind::Lib),
        ("proc-macro", CargoTargetKind::ProcMacro),
        ("bin", CargoTargetKind::Bin),
        ("test", CargoTargetKind::Test),
        ("bench", CargoTargetKind::Bench),
        ("example", CargoTargetKind::Example),
        ("custom-build", CargoTargetKind::BuildScript),
    ];
    for (word, kind) in rows {
        assert_eq!(CargoTargetKind::of(&[word.to_owned()]), kind, "{word}");
    }
}

#[test]
fn which_member_runs_this_code() {
    let both = [("app", json!([])), ("xtask", json!([])), ("tasks", json!([]))];
    let rows: [(&[Described<'_>], Pairs<'_>, Option<&str>); 6] = [
        (&both, &[], Some("xtask")),
        (&both, &[("CARGO_MANIFEST_DIR", "/w/tasks"), ("CARGO_PKG_NAME", "tasks")], Some("tasks")),
        // Run from another workspace.
        (&both, &[("CARGO_MANIFEST_DIR", "/other/tasks"), ("CARGO_PKG_NAME", "tasks")], Some("xtask")),
        (&both[..1], &[], None),
        // Alone in its workspace: without it nothing would be left.
        (&both[1..2], &[], None),
        (&both[2..], &[("CARGO_MANIFEST_DIR", "/w/tasks"), ("CARGO_PKG_NAME", "tasks")], None),
    ];
    for (packages, variables, expected) in rows {
        let workspace = workspace(&metadata(packages), variables);
        assert_eq!(workspace.xtask_package().map(|it| it.name.as_str()), expected, "{variables:?}");
    }
}

#[test]
fn a_manifest_path_that_is_none_is_refused_with_a_cure() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    check_manifest_path(&here.join("Cargo.toml")).expect("it is there");
    let directory = check_manifest_path(here).expect_err("a directory").to_string();
    assert!(directory.contains("is a directory") && directory.contains("Cargo.toml"), "{directory}");
    let missing = check_manifest_path(&here.join("no/Cargo.toml")).expect_err("missing").to_string();
    assert!(missing.contains("does not exist"), "{missing}");
}
