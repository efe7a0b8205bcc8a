//! What cargo-nextest has to be told of a build, so that it runs the very programs that we know and builds none itself.
//!
//! It takes two files in place of a build (["reusing builds"](https://nexte.st/docs/ci-features/archiving/)): what `cargo metadata`
//! prints, and what `cargo nextest list --list-type binaries-only --message-format json` would print. The second is made here.
//! Paths in it are absolute where nextest writes them from a target or build directory, which it joins them to: that is the same.

use crate::cargo::build::{Build, TestBinary};
use crate::cargo::environment::Environment;
use crate::cargo::invocation::toml_string;
use crate::cargo::workspace::{CargoTargetKind, DiscoverOptions, Package, Workspace, call_metadata};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The program's name, without the system's ending for programs.
pub const PROGRAM: &str = "cargo-nextest";

/// The program, found as cargo finds its subcommands: in its own directory for programs, unless the path has that, then on the path.
pub fn find_program(environment: &Environment) -> Option<PathBuf> {
    let home =
        environment.get("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let path: Vec<PathBuf> =
        environment.get("PATH").map(|path| env::split_paths(path).collect()).unwrap_or_default();
    let own = home.map(|home| home.join("bin")).filter(|own| !path.contains(own));
    let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
    own.into_iter().chain(path).map(|directory| directory.join(&name)).find(|program| program.is_file())
}

/// What `cargo metadata` prints when nextest asks it: the whole graph of packages, since filters may speak of dependencies.
///
/// # Errors
/// When cargo cannot read the workspace.
pub fn cargo_metadata(
    workspace: &Workspace,
    options: &DiscoverOptions,
    target_triple: &str,
) -> Result<Vec<u8>> {
    let arguments = ["--all-features", "--filter-platform", target_triple];
    call_metadata(&workspace.environment, options, &arguments)
}

/// The list of test binaries, and what of the build matters when they are run.
///
/// # Errors
/// When a path is not valid UTF-8, which nextest cannot be told.
pub fn binaries_metadata(workspace: &Workspace, build: &Build) -> Result<Value> {
    let mut binaries = Map::new();
    let mut out_dirs = Map::new();
    let mut scripts = Map::new();
    for binary in &build.test_binaries {
        let member = workspace.members.iter().find(|member| member.name == binary.package);
        let member = member.context("a test belongs to no member")?;
        binaries.insert(binary.binary_id.clone(), test_binary(member, binary)?);
        let out_dir = binary.variables.get(OsStr::new("OUT_DIR")).map(Path::new);
        let script =
            build.build_scripts.iter().find(|it| it.package_id == member.id && Some(&*it.out_dir) == out_dir);
        if let Some(script) = script {
            let variables: Map<String, Value> =
                script.env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            out_dirs.insert(member.id.clone(), json!(utf8(&script.out_dir)?));
            scripts.insert(member.id.clone(), json!({"envs": variables}));
        }
    }
    let layout = workspace.layout();
    let toolchain = &workspace.toolchain;
    let is_foreign = build.target_triple != toolchain.host;
    // nextest itself adds the standard library's, behind them.
    let libdirs = [&toolchain.host, &build.target_triple].map(|triple| toolchain.target_libdir(triple));
    let library_dirs = build.library_dirs.iter().filter(|directory| !libdirs.contains(directory));
    let library_dirs = library_dirs.map(|directory| utf8(directory)).collect::<Result<Vec<_>>>()?;
    let targets = is_foreign.then(|| platform(workspace, &build.target_triple)).transpose()?;
    Ok(json!({
        "rust-build-meta": {
            "target-directory": utf8(&layout.build())?,
            "build-directory": utf8(&layout.build())?,
            // All that is said by these is the library path, for which the next field does as well.
            "base-output-directories": [],
            "linked-paths": library_dirs,
            "non-test-binaries": programs(workspace, build)?,
            "build-script-out-dirs": out_dirs,
            "build-script-info": scripts,
            "platforms": {
                "host": platform(workspace, &toolchain.host)?,
                "targets": targets.into_iter().collect::<Vec<_>>(),
            },
        },
        "rust-binaries": binaries,
    }))
}

/// How nextest is told of settings of cargo's: those that put `runner` before each test. Stronger than the user's own.
///
/// # Errors
/// When the path is not valid UTF-8.
pub fn runner_settings(workspace: &Workspace, target_triple: &str, runner: &Path) -> Result<Vec<String>> {
    let host = workspace.toolchain.host.as_str();
    let runner = toml_string(runner)?;
    // Tests of proc-macros run on the host, whatever the target is.
    let mut triples = vec![target_triple, host];
    triples.dedup();
    Ok(triples.into_iter().map(|triple| format!("target.\"{triple}\".runner=[{runner}]")).collect())
}

fn test_binary(member: &Package, binary: &TestBinary) -> Result<Value> {
    let kind = binary.cargo_target.kind;
    Ok(json!({
        "binary-id": binary.binary_id,
        "binary-name": binary.cargo_target.name,
        "package-id": member.id,
        "kind": kind_name(kind),
        "binary-path": utf8(&binary.executable)?,
        "build-platform": build_platform(kind),
    }))
}

/// The programs of members, by package: tests find them in `NEXTEST_BIN_EXE_<name>` and `CARGO_BIN_EXE_<name>`.
fn programs(workspace: &Workspace, build: &Build) -> Result<Value> {
    let mut programs = Map::new();
    for member in &workspace.members {
        let mut of_member = Vec::new();
        for artifact in build.artifacts.iter().filter(|artifact| artifact.package_id == member.id) {
            let (kind, executable) = (artifact.target.kind, &artifact.executable);
            if let (CargoTargetKind::Bin, false, Some(executable)) = (kind, artifact.test, executable) {
                of_member.push(json!({
                    "name": artifact.target.name,
                    "kind": "bin-exe",
                    "path": utf8(executable)?,
                    "build-platform": build_platform(kind),
                }));
            }
        }
        if !of_member.is_empty() {
            programs.insert(member.id.clone(), Value::Array(of_member));
        }
    }
    Ok(Value::Object(programs))
}

fn platform(workspace: &Workspace, triple: &str) -> Result<Value> {
    let libdir = workspace.toolchain.target_libdir(triple);
    Ok(json!({
        "platform": {"triple": triple, "target-features": "unknown"},
        "libdir": {"status": "available", "path": utf8(&libdir)?},
    }))
}

fn kind_name(kind: CargoTargetKind) -> &'static str {
    match kind {
        CargoTargetKind::Lib => "lib",
        CargoTargetKind::ProcMacro => "proc-macro",
        CargoTargetKind::Bin => "bin",
        CargoTargetKind::Test => "test",
        CargoTargetKind::Bench => "bench",
        CargoTargetKind::Example => "example",
        CargoTargetKind::BuildScript => "custom-build",
    }
}

fn build_platform(kind: CargoTargetKind) -> &'static str {
    if kind == CargoTargetKind::ProcMacro { "host" } else { "target" }
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| {
        format!("cargo-nextest cannot be told of `{}`, because it is not valid UTF-8", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::{binaries_metadata, find_program, runner_settings};
    use crate::cargo::build::{Build, TestBinary, TestKind};
    use crate::cargo::environment::Environment;
    use crate::cargo::message::{self, BuildScript, Message};
    use crate::cargo::workspace::CargoTarget;
    use crate::cargo::workspace::tests::{metadata, target, workspace};
    use serde_json::{Value, json};
    use std::path::{Path, PathBuf};
    use std::{env, fs, process};

    const OWN: &str = "/w/target/coverage/build/debug";
    const APP: &str = "path+file:///w/app#0.1.0";

    fn binary(package: &str, kind: &str, binary_id: &str) -> TestBinary {
        TestBinary {
            binary_id: binary_id.to_owned(),
            kind: TestKind::Program,
            package: package.to_owned(),
            cargo_target: CargoTarget::parse(&target(kind, "it")).expect("complete"),
            executable: format!("{OWN}/deps/it-1").into(),
            runner: Vec::new(),
            arguments: Vec::new(),
            current_dir: Path::new("/w").join(package),
            variables: [("OUT_DIR".into(), format!("/b/debug/build/{package}-1/out").into())].into(),
        }
    }

    fn build() -> Build {
        let script = |out_dir: &str, value: &str| BuildScript {
            package_id: APP.to_owned(),
            linked_paths: Vec::new(),
            env: vec![("SAID".to_owned(), value.to_owned())],
            out_dir: out_dir.into(),
        };
        let program = json!({
            "reason": "compiler-artifact", "package_id": APP, "manifest_path": "/w/app/Cargo.toml",
            "target": target("bin", "my-tool"), "profile": {"test": false}, "features": [], "fresh": true,
            "filenames": [format!("{OWN}/my-tool")], "executable": format!("{OWN}/my-tool"),
        });
        let Message::Artifact(program) = message::parse(&program.to_string()) else { panic!("an artifact") };
        let as_test = message::Artifact { test: true, ..(*program).clone() };
        Build {
            test_binaries: vec![binary("app", "test", "app::it"), binary("derive", "proc-macro", "derive")],
            target_triple: "x86_64-unknown-linux-musl".to_owned(),
            artifacts: vec![*program, as_test],
            build_scripts: vec![
                script("/b/debug/build/app-0/out", "old"),
                script("/b/debug/build/app-1/out", "new"),
            ],
            library_dirs: [
                "/b/debug/deps",
                OWN,
                "/s/lib/rustlib/x86_64-unknown-linux-gnu/lib",
                "/s/lib/rustlib/x86_64-unknown-linux-musl/lib",
            ]
            .map(PathBuf::from)
            .into(),
            ..Build::default()
        }
    }

    #[test]
    fn what_nextest_is_told_of_a_build() {
        let workspace = workspace(&metadata(&[("app", json!([])), ("derive", json!([]))]), &[]);
        let told = binaries_metadata(&workspace, &build()).expect("UTF-8");
        let platform = |triple: &str| {
            json!({
                "platform": {"triple": triple, "target-features": "unknown"},
                "libdir": {"status": "available", "path": format!("/s/lib/rustlib/{triple}/lib")},
            })
        };
        let binary = |binary_id: &str, package_id: &str, kind: &str, build_platform: &str| {
            json!({
                "binary-id": binary_id, "binary-name": "it", "package-id": package_id, "kind": kind,
                "binary-path": format!("{OWN}/deps/it-1"), "build-platform": build_platform,
            })
        };
        let expected = json!({
            "rust-build-meta": {
                "target-directory": "/w/target/coverage/build",
                "build-directory": "/w/target/coverage/build",
                "base-output-directories": [],
                "linked-paths": ["/b/debug/deps", OWN],
                "non-test-binaries": {
                    APP: [{
                        "name": "my-tool", "kind": "bin-exe", "path": format!("{OWN}/my-tool"),
                        "build-platform": "target",
                    }],
                },
                "build-script-out-dirs": {APP: "/b/debug/build/app-1/out"},
                "build-script-info": {APP: {"envs": {"SAID": "new"}}},
                "platforms": {
                    "host": platform("x86_64-unknown-linux-gnu"),
                    "targets": [platform("x86_64-unknown-linux-musl")],
                },
            },
            "rust-binaries": {
                "app::it": binary("app::it", APP, "test", "target"),
                "derive": binary("derive", "path+file:///w/derive#0.1.0", "proc-macro", "host"),
            },
        });
        assert_eq!(told, expected);

        let native = Build { target_triple: workspace.toolchain.host.clone(), ..build() };
        let told = binaries_metadata(&workspace, &native).expect("UTF-8");
        assert_eq!(told["rust-build-meta"]["platforms"]["targets"], Value::Array(Vec::new()));
    }

    #[test]
    fn a_runner_for_host_and_target() {
        let workspace = workspace(&metadata(&[]), &[]);
        let settings = |triple| runner_settings(&workspace, triple, Path::new("/w/a \"b\"")).expect("UTF-8");
        let host = r#"target."x86_64-unknown-linux-gnu".runner=["/w/a \"b\""]"#;
        assert_eq!(settings("x86_64-unknown-linux-gnu"), [host]);
        let target = r#"target."thumbv8m.main-none-eabi".runner=["/w/a \"b\""]"#;
        assert_eq!(settings("thumbv8m.main-none-eabi"), [target, host]);
    }

    #[test]
    fn the_program_is_found_as_cargo_finds_it() {
        let scratch = env::temp_dir().join(format!("xtask-coverage-nextest-{}", process::id()));
        let program = |directory: &str| {
            scratch.join(directory).join(format!("cargo-nextest{}", env::consts::EXE_SUFFIX))
        };
        for directory in ["home/bin", "second", "empty"] {
            fs::create_dir_all(scratch.join(directory)).expect("can be made");
        }
        let found = |path: &[&str]| {
            let path = env::join_paths(path.iter().map(|it| scratch.join(it))).expect("a path");
            let home = scratch.join("home").into_os_string();
            find_program(&Environment::scrub([("PATH".into(), path), ("CARGO_HOME".into(), home)]))
        };
        assert_eq!(found(&["empty", "second"]), None);
        fs::write(program("second"), "").expect("can be written");
        assert_eq!(found(&["empty", "second"]), Some(program("second")));
        fs::write(program("home/bin"), "").expect("can be written");
        assert_eq!(found(&["empty", "second"]), Some(program("home/bin")));
        assert_eq!(found(&["second", "home/bin"]), Some(program("second")));
        fs::remove_dir_all(&scratch).expect("can be removed");
    }
}
