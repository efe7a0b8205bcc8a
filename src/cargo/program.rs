//! One program, built with counters, and how `cargo run` starts it.
//!
//! Cargo itself starts it, so that its environment and the user's runner are what cargo makes of them. First it is called to build
//! alone, to hear what comes out; then once more to run what is there already.

use crate::cargo::build::{Build, Builder, OnEvent};
use crate::cargo::environment::{DYLIB_PATH, Environment};
use crate::cargo::invocation::{BuildOptions, profile_setting, toml_string};
use crate::cargo::message::linked_directory;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind, Package, Workspace};
use anyhow::{Context, Result};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that `cargo run` runs.
#[derive(Clone, Debug)]
pub struct Program {
    /// The name of its package.
    pub package: String,
    /// What was compiled: a binary or an example.
    pub cargo_target: CargoTarget,
    /// The program.
    pub executable: PathBuf,
    /// What came out of the build.
    pub build: Build,
    environment: Environment,
    arguments: Vec<OsString>,
}

impl Program {
    /// Builds the program that the options of `builder` mean.
    ///
    /// # Errors
    /// [`crate::cargo::build::BuildFailed`] when cargo says so, also about the choice of the program; others when cargo cannot
    /// be run.
    pub fn build(workspace: &Workspace, builder: Builder<'_>, on_event: &mut OnEvent<'_>) -> Result<Program> {
        let (build, arguments) = builder.program(on_event)?;
        let is_program = |kind| matches!(kind, CargoTargetKind::Bin | CargoTargetKind::Example);
        let artifact =
            build.artifacts.iter().rfind(|it| it.executable.is_some() && is_program(it.target.kind));
        let artifact = artifact.context("cargo has built no program")?;
        let package = workspace.member(&artifact.package_id).context("the program belongs to no member")?;
        let mut environment = workspace.environment.clone();
        add_native_libraries(&mut environment, workspace, &build)?;
        Ok(Program {
            package: package.name.clone(),
            cargo_target: artifact.target.clone(),
            executable: artifact.executable.clone().context("the program has no path")?,
            environment,
            arguments,
            build,
        })
    }

    /// The command that runs it with `arguments`, in the current directory. `profiles` is the pattern of the files that its
    /// processes leave.
    ///
    /// # Errors
    /// When that is not valid UTF-8.
    pub fn command(&self, arguments: &[OsString], profiles: &Path) -> Result<Command> {
        let mut command = self.environment.command(self.environment.cargo());
        // A variable of ours would not do: the settings of the build say where build scripts count, and win over it. The later
        // of two settings wins.
        command.args(&self.arguments).arg("--config").arg(profile_setting(profiles)?);
        command.arg("--").args(arguments);
        Ok(command)
    }
}

/// Adds to the library path the directories of native libraries that build scripts made. Cargo does so for those below its target
/// directory alone, and ours is not where build scripts write. They come behind cargo's own directories instead of before them.
fn add_native_libraries(environment: &mut Environment, workspace: &Workspace, build: &Build) -> Result<()> {
    let Some(build_dir) = &workspace.build_dir else { return Ok(()) };
    let layout = workspace.layout();
    let linked = build.build_scripts.iter().flat_map(|script| &script.linked_paths);
    let mut path: Vec<PathBuf> = linked
        .map(|path| linked_directory(path).to_owned())
        .filter(|path| path.starts_with(build_dir) && !path.starts_with(layout.root()))
        .collect();
    path.sort();
    path.dedup();
    if path.is_empty() {
        return Ok(());
    }
    path.extend(environment.get(DYLIB_PATH).map(env::split_paths).into_iter().flatten());
    let joined = env::join_paths(&path).with_context(|| format!("failed to set `{DYLIB_PATH}`"))?;
    environment.insert(DYLIB_PATH, joined);
    Ok(())
}

/// The options with the name of the program in them: the one that they name already, else what `cargo run` takes (`exec` in
/// cargo's `commands/run.rs`, `run` in its `cargo_run.rs`): `default-run`, or the only binary there is. The package that runs this
/// code is passed over. `None` when that is not one program.
pub(super) fn choose(workspace: &Workspace, options: &BuildOptions) -> Option<BuildOptions> {
    if !options.bin.is_empty() || !options.example.is_empty() {
        return Some(options.clone());
    }
    let is_meant = |member: &&Package| {
        let by_default =
            workspace.default_members.is_empty() || workspace.default_members.contains(&member.id);
        options.selects(workspace, member) && (by_default || !options.packages.is_empty())
    };
    let members: Vec<&Package> = workspace.members.iter().filter(is_meant).collect();
    let only = |names: Vec<&String>| match names.as_slice() {
        [name] => Some((*name).clone()),
        _ => None,
    };
    let by_default = only(members.iter().filter_map(|member| member.default_run.as_ref()).collect());
    let is_bin = |target: &&CargoTarget| target.kind == CargoTargetKind::Bin;
    let bins = members.iter().flat_map(|member| member.targets.iter().filter(is_bin));
    let name = by_default.or_else(|| only(bins.map(|target| &target.name).collect()))?;
    Some(BuildOptions { bin: vec![name], ..options.clone() })
}

/// The setting with which `cargo run` builds and runs nothing: the compiler takes the place of the user's runner, and says which
/// version it is.
pub(super) fn idle_runner(workspace: &Workspace, target_triple: &str) -> Result<String> {
    let rustc = toml_string(&workspace.toolchain.rustc)?;
    Ok(format!("target.{}.runner=[{rustc},\"--version\"]", toml_string(Path::new(target_triple))?))
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::cargo::environment::Environment;
    use crate::cargo::invocation::BuildOptions;
    use crate::cargo::toolchain::Toolchain;
    use crate::cargo::workspace::Workspace;
    use serde_json::{Value, json};

    /// `packages`: name, names of its binaries, `default-run`.
    fn workspace(packages: &[(&str, &[&str], Option<&str>)], default_members: &[&str]) -> Workspace {
        let described = packages.iter().map(|(name, bins, default_run)| {
            let target = |bin: &&str| {
                json!({"name": bin, "kind": ["bin"], "crate_types": ["bin"], "src_path": "/w/main.rs", "edition": "2024"})
            };
            json!({
                "id": name, "name": name, "version": "0.0.0", "manifest_path": format!("/w/{name}/Cargo.toml"),
                "targets": bins.iter().map(target).collect::<Vec<_>>(), "default_run": default_run,
            })
        });
        let metadata: Value = json!({
            "packages": described.collect::<Vec<_>>(), "workspace_root": "/w", "target_directory": "/w/target",
            "workspace_members": packages.iter().map(|(name, ..)| name).collect::<Vec<_>>(),
            "workspace_default_members": default_members,
        });
        let version = "release: 1.95.0\nhost: x86_64-unknown-linux-gnu\n";
        let toolchain = Toolchain::parse("rustc".into(), version, "/sysroot".as_ref()).expect("complete");
        Workspace::from_metadata(&metadata, toolchain, Environment::scrub([])).expect("complete")
    }

    #[test]
    fn the_program_is_the_one_that_cargo_run_takes() {
        let two = ("two", &["b", "c"][..], None);
        for (packages, default_members, package, expected) in [
            (&[("one", &["a"][..], None)][..], &["one"][..], None, Some("a")),
            (&[two], &["two"], None, None),
            (&[("two", &["b", "c"], Some("c"))], &["two"], None, Some("c")),
            (&[("lib", &[], None)], &["lib"], None, None),
            (&[("one", &["a"], None), two], &["one", "two"], None, None),
            (&[("one", &["a"], None), two], &["one", "two"], Some("one"), Some("a")),
            (&[("one", &["a"], None), two], &["one"], None, Some("a")),
            (&[("one", &["a"], None), two], &["two"], Some("one"), Some("a")),
            (&[("one", &["a"], None), ("xtask", &["xtask"], None)], &["one", "xtask"], None, Some("a")),
            (&[("one", &["a"], None), ("xtask", &["xtask"], None)], &["one"], Some("xtask"), Some("xtask")),
        ] {
            let workspace = workspace(packages, default_members);
            let packages = package.map(str::to_owned).into_iter().collect();
            let options = BuildOptions { packages, ..BuildOptions::default() };
            let chosen = choose(&workspace, &options).map(|options| options.bin);
            let expected = expected.map(|name| vec![name.to_owned()]);
            assert_eq!(chosen, expected, "{default_members:?} {package:?}");
        }
    }

    #[test]
    fn a_name_that_was_given_holds() {
        let workspace = workspace(&[("one", &["a"], Some("a"))], &["one"]);
        let options = BuildOptions { example: vec!["demo".to_owned()], ..BuildOptions::default() };
        let chosen = choose(&workspace, &options).expect("it is chosen");
        assert_eq!((chosen.bin, chosen.example), (Vec::<String>::new(), vec!["demo".to_owned()]));
    }
}
