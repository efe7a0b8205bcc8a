//! Builds by another harness: the environment that makes its cargo build with our wrapper, and what the wrapper has written
//! down about them. Starts nothing.

use crate::cargo::build::profiles_in;
use crate::cargo::environment::Variables;
use crate::cargo::invocation::{BuildDir, BuildOptions, chained_wrapper, target_triple};
use crate::cargo::role::Role;
use crate::cargo::unit::Unit;
use crate::cargo::workspace::Workspace;
use crate::cargo::wrapper::{self, Instrumentation};
use crate::layout::Layout;
use anyhow::{Context, Result};
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
const TARGET_DIR: &str = "CARGO_TARGET_DIR";
const BUILD_DIR: &str = "CARGO_BUILD_BUILD_DIR";
const PROFILES: &str = "LLVM_PROFILE_FILE";

/// Before the name of a variable that we replace: what it was. [`undo`] puts it back.
const WAS: &str = "XTASK_COVERAGE_WAS_";

/// An installed wrapper and the environment that leads to it.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The hash in the wrapper's path.
    pub wrapper: String,
    /// What to set, in a fixed order.
    pub variables: Vec<(String, OsString)>,
    /// What will be compiled for, unless the harness says otherwise.
    pub target_triple: String,
    /// Why builds share nothing with ordinary ones, if that is so: a reason fit after a colon.
    pub own_build_dir: Option<String>,
}

/// Installs the wrapper for builds that another harness starts. `profiles` is the pattern of the files that processes leave,
/// `target_dir` the value of `--target-dir`.
///
/// Variables, not arguments of `--config`, which nobody but the caller of cargo can give. Their price is that a cargo which a
/// build script starts has them too.
///
/// # Errors
/// When the toolchain cannot instrument, or the wrapper cannot be installed.
pub fn prepare(
    workspace: &Workspace,
    settings: &[String],
    instrumentation: &Instrumentation,
    profiles: &Path,
    target_dir: Option<&Path>,
) -> Result<Outside> {
    let current_dir = env::current_dir().context("failed to find the current directory")?;
    let mut environment = workspace.environment.clone();
    let options = BuildOptions { config: settings.to_vec(), ..BuildOptions::default() };
    let target_triple = target_triple(workspace, &current_dir, &options);
    let chained = chained_wrapper(&mut environment, &current_dir, settings);
    let wrapper = wrapper::install(workspace, &environment, &target_triple, instrumentation, chained)?;
    let layout = workspace.layout();
    let build_dir = BuildDir::choose(workspace, &target_triple);

    let mut ours: Vec<(&str, OsString)> =
        vec![(WRAPPER, wrapper.program.into()), (TARGET_DIR, layout.build().into())];
    // A cargo before 1.91 does not know it, and another one might be called.
    if workspace.build_dir.is_some() {
        ours.push((BUILD_DIR, build_dir.path(&layout).into()));
    }
    ours.push((PROFILES, profiles.into()));
    let mut before = Vec::new();
    for (name, _) in &ours {
        let chosen = if *name == TARGET_DIR { target_dir } else { None };
        let value = match chosen {
            Some(directory) => Some(std::path::absolute(directory)?.into()),
            None => workspace.environment.get(name).map(OsStr::to_owned),
        };
        before.extend(value.map(|value| (format!("{WAS}{name}"), value)));
    }
    let variables = ours.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(before).collect();
    let own_build_dir = match build_dir {
        BuildDir::Own { why } => Some(why),
        BuildDir::Shared(_) => None,
    };
    Ok(Outside { wrapper: wrapper.hash, variables, target_triple, own_build_dir })
}

/// Takes what [`prepare`] made out of `variables`, if it is in there, and puts back what was there before: our own commands are
/// about the workspace as it is, wherever they are called.
pub(super) fn undo(variables: &mut Variables) {
    let is_ours = variables
        .get(OsStr::new(WRAPPER))
        .is_some_and(|wrapper| Role::of(Path::new(wrapper)) == Some(Role::Rustc));
    for name in [WRAPPER, TARGET_DIR, BUILD_DIR, PROFILES] {
        let before = variables.remove(OsStr::new(&format!("{WAS}{name}")));
        if is_ours {
            variables.remove(OsStr::new(name));
            variables.extend(before.map(|value| (name.into(), value)));
        }
    }
}

/// What distinguishes the things that a workspace is compiled to. Units that differ in features or profile alone are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The manifest of the package.
    pub manifest_path: PathBuf,
    /// The name of the crate.
    pub crate_name: String,
    /// Its crate types; none for a test.
    pub crate_types: Vec<String>,
    /// Whether it was compiled as a test.
    pub test: bool,
}

impl Identity {
    /// Whether this is a program as such, no test.
    pub fn is_program(&self) -> bool {
        self.crate_types.iter().any(|crate_type| crate_type == "bin")
    }
}

/// What a recorded unit has come out as, as far as that is still there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitOutput {
    /// What was compiled.
    pub identity: Identity,
    /// The program or dynamic library.
    pub object: Option<PathBuf>,
    /// The static library: code that may have ended up in programs of which nothing is recorded.
    pub archive: Option<PathBuf>,
    /// The counts of the proc-macros that ran while it was compiled.
    pub compiler_profiles: Vec<PathBuf>,
}

/// What is left of the units that the wrapper with this hash has instrumented, sorted.
///
/// # Errors
/// When the directory of units cannot be read.
pub fn outputs(layout: &Layout, wrapper: &str) -> Result<Vec<UnitOutput>> {
    let units = Unit::read_all(layout)?;
    let units = units.iter().filter(|unit| unit.wrapper == wrapper && unit.instrumented);
    let mut outputs: Vec<UnitOutput> = units.filter_map(|unit| output(unit, layout)).collect();
    outputs.sort();
    Ok(outputs)
}

/// The files of a unit; `None` if they are gone, or its package is.
fn output(unit: &Unit, layout: &Layout) -> Option<UnitOutput> {
    if !unit.manifest_path.is_file() {
        return None;
    }
    let is_type = |names: &[&str]| names.iter().any(|name| unit.crate_types.iter().any(|it| it == name));
    let find = |prefix: &str, suffixes: &[&str]| {
        let stem = format!("{prefix}{}{}", unit.crate_name, unit.extra_filename);
        let paths = suffixes.iter().map(|suffix| unit.out_dir.join(format!("{stem}{suffix}")));
        paths.into_iter().find(|path| path.is_file())
    };
    // A test without a harness is told neither to be a test nor to be a program.
    let object = if unit.test || unit.crate_types.is_empty() || is_type(&["bin"]) {
        find("", &["", ".exe"])
    } else if is_type(&["dylib", "cdylib", "proc-macro"]) {
        find("lib", &[".so", ".dylib"]).or_else(|| find("", &[".dll"]))
    } else {
        None
    };
    let archive =
        if unit.test { None } else { find("lib", &[".rlib", ".a"]).or_else(|| find("", &[".lib"])) };
    if object.is_none() && archive.is_none() {
        return None;
    }
    Some(UnitOutput {
        identity: Identity {
            manifest_path: unit.manifest_path.clone(),
            crate_name: unit.crate_name.clone(),
            crate_types: if unit.test { Vec::new() } else { unit.crate_types.clone() },
            test: unit.test,
        },
        object,
        archive,
        compiler_profiles: profiles_in(&unit.directory(&layout.units())),
    })
}

#[cfg(test)]
mod tests {
    use super::{Variables, undo};

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn our_own_environment_is_taken_back() {
        let ours = [
            ("RUSTC_WORKSPACE_WRAPPER", "/w/target/coverage/wrapper/0/xtask-coverage-rustc"),
            ("CARGO_TARGET_DIR", "/w/target/coverage/build"),
            ("CARGO_BUILD_BUILD_DIR", "/w/target"),
            ("LLVM_PROFILE_FILE", "/w/target/coverage/outside/%p.profraw"),
        ];
        let mut seen = variables(&ours);
        seen.extend(variables(&[("HOME", "/home"), ("XTASK_COVERAGE_WAS_CARGO_TARGET_DIR", "t")]));
        undo(&mut seen);
        assert_eq!(seen, variables(&[("CARGO_TARGET_DIR", "t"), ("HOME", "/home")]));
    }

    #[test]
    fn the_user_s_own_environment_stays() {
        let theirs = variables(&[
            ("RUSTC_WORKSPACE_WRAPPER", "clippy-driver"),
            ("CARGO_TARGET_DIR", "/t"),
            ("CARGO_BUILD_BUILD_DIR", "/b"),
            ("LLVM_PROFILE_FILE", "/p"),
        ]);
        let mut seen = theirs.clone();
        undo(&mut seen);
        assert_eq!(seen, theirs);
    }
}
