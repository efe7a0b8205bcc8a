//! What cargo says while it builds, and what that makes of it: test binaries as soon as they can start, the objects at the end.

use super::objects::{build_time_objects, objects, untested_libraries};
use super::place::{Place, is_for_rustc, link_library, second_name};
use super::{Build, Event, OnEvent, TestBinary, TestKind, binary_id, profiles_in};
use crate::cargo::doctests::RustdocCall;
use crate::cargo::environment::{TestProcess, Variables, test_variables};
use crate::cargo::invocation::{BuildDir, BuildOptions, counted_code};
use crate::cargo::message::{self, Artifact, BuildScript, Message, linked_directory};
use crate::cargo::target_runner::TargetRunners;
use crate::cargo::unit::Unit;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind, Package, Workspace};
use crate::cargo::wrapper::{Instrumentation, Wrapper};
use crate::layout::Layout;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// What cargo has said so far.
pub(super) struct Outputs<'a> {
    workspace: &'a Workspace,
    pub(super) wrapper: Wrapper,
    build_dir: PathBuf,
    layout: Layout,
    cargo: OsString,
    options: &'a BuildOptions,
    with_build_scripts: bool,
    pub(super) runners: TargetRunners,
    /// What lay in [`Layout::build_time`] before the build.
    pub(super) earlier_profiles: Vec<PathBuf>,
    /// The artifact that each test binary comes from.
    tests: Vec<Artifact>,
    /// How many of `tests` were told of.
    n_released: usize,
    /// Programs and dynamic libraries that a test may look for and that are not there yet: package id, kind and name.
    pub(super) awaited: BTreeSet<(String, CargoTargetKind, String)>,
    /// What the compiler has warned of and nobody has printed yet.
    pub(super) warnings: Vec<String>,
    pub(super) build: Build,
}

impl<'a> Outputs<'a> {
    pub(super) fn new(
        workspace: &'a Workspace,
        wrapper: Wrapper,
        build_dir: &BuildDir,
        options: &'a BuildOptions,
        instrumentation: &Instrumentation,
    ) -> Outputs<'a> {
        let layout = workspace.layout();
        Outputs {
            workspace,
            wrapper,
            build_dir: build_dir.path(&layout),
            layout,
            cargo: workspace.cargo_program(),
            options,
            with_build_scripts: instrumentation.build_scripts,
            runners: TargetRunners::default(),
            earlier_profiles: Vec::new(),
            tests: Vec::new(),
            n_released: 0,
            awaited: awaited(workspace, options),
            warnings: Vec::new(),
            build: Build::default(),
        }
    }

    /// Takes cargo's stdout line by line, to its end.
    pub(super) fn read(&mut self, mut stdout: impl BufRead, on_event: &mut OnEvent<'_>) -> Result<()> {
        let mut line = Vec::new();
        let mut is_finished = false;
        while stdout.read_until(b'\n', &mut line).context("failed to read what cargo prints")? > 0 {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            match message::parse(text) {
                // Behind the end of the build it is a runner that prints, no longer cargo.
                Message::NotJson if is_finished => {}
                Message::NotJson => on_event(Event::Line(text))?,
                Message::Diagnostic { rendered, is_error: true } => on_event(Event::Line(&rendered))?,
                Message::Diagnostic { rendered, is_error: false } => self.warnings.push(rendered),
                Message::BuildScript(script) => self.add_build_script(script)?,
                Message::Artifact(artifact) => {
                    self.add_artifact(*artifact);
                    if self.awaited.is_empty() {
                        self.release_all(on_event)?;
                    }
                }
                Message::Finished { .. } => is_finished = true,
                Message::Other => {}
            }
            line.clear();
        }
        Ok(())
    }

    fn add_build_script(&mut self, script: BuildScript) -> Result<()> {
        if let Some(member) = self.workspace.member(&script.package_id) {
            Unit::of_build_script_run(&self.wrapper.hash, member, &script.out_dir)
                .write(&self.layout.units())?;
        }
        self.build.build_scripts.push(script);
        Ok(())
    }

    fn add_artifact(&mut self, mut artifact: Artifact) {
        for file in artifact.filenames.iter().filter(|file| is_for_rustc(file)) {
            link_library(file, &self.build_dir, &self.layout.build());
        }
        if self.workspace.member(&artifact.package_id).is_none() {
            self.build.dependencies_compiled += usize::from(!artifact.fresh);
            return;
        }
        // A second call of cargo tells of the same units again.
        if self.build.artifacts.iter().any(|known| known.is_unit(&artifact)) {
            return;
        }
        self.build.members_compiled += usize::from(!artifact.fresh);
        if !artifact.test {
            let target = &artifact.target;
            self.awaited.remove(&(artifact.package_id.clone(), target.kind, target.name.clone()));
        } else if let Some(executable) = &artifact.executable {
            artifact.executable = Some(second_name(executable, &self.build_dir, &self.layout.build()));
            self.tests.push(artifact.clone());
        }
        self.build.artifacts.push(artifact);
    }

    /// Tells of the test binaries that were not told of yet.
    pub(super) fn release_all(&mut self, on_event: &mut OnEvent<'_>) -> Result<()> {
        while let Some(artifact) = self.tests.get(self.n_released).cloned() {
            let member =
                self.workspace.member(&artifact.package_id).context("a test belongs to no member")?;
            on_event(Event::TestBinary(&self.test_binary(member, &artifact)?))?;
            self.n_released += 1;
        }
        Ok(())
    }

    /// The doctests of the library that `call` is about; `None` if it belongs to no member.
    pub(super) fn doctests(
        &self,
        call: RustdocCall,
        rustdoc: &Path,
        instrumentation: &Instrumentation,
    ) -> Result<Option<TestBinary>> {
        let member =
            self.workspace.members.iter().find(|member| Some(&member.dir) == call.package_dir().as_ref());
        let is_documented =
            |target: &&CargoTarget| target.doctest && Some(target.crate_name()) == call.crate_name();
        let Some((member, cargo_target)) =
            member.and_then(|member| Some((member, member.targets.iter().find(is_documented)?)))
        else {
            return Ok(None);
        };
        let mut variables = self.workspace.environment.variables().clone();
        variables.extend(call.variables.clone());
        let nightly = self.workspace.toolchain.nightly;
        let instrument = instrumentation.arguments(nightly, &self.build.target_triple);
        let (runner, arguments) = call.split(instrument);
        Ok(Some(TestBinary {
            binary_id: format!("{}::doc/{}", member.name, cargo_target.name),
            kind: TestKind::Doctests,
            package: member.name.clone(),
            cargo_target: cargo_target.clone(),
            executable: rustdoc.to_owned(),
            runner,
            arguments,
            current_dir: call.directory,
            variables,
        }))
    }

    fn test_binary(&mut self, member: &Package, artifact: &Artifact) -> Result<TestBinary> {
        if self.build.configured.is_none() {
            self.build.configured = self.wrapper.configured_variables()?;
        }
        let executable = artifact.executable.clone().context("a test artifact has no executable")?;
        let place = Place::of(&executable, &[&self.layout.build(), &self.build_dir]);
        let programs = self.programs_for(member, artifact, &place);
        let library_path = self.library_path(&place);
        self.build.library_dirs.extend(library_path.iter().cloned());
        let none = Variables::new();
        let process = TestProcess {
            cargo: &self.cargo,
            build_script: self.build_script_of(member, &place),
            programs: &programs,
            library_path: &library_path,
            configured: self.build.configured.as_ref().unwrap_or(&none),
        };
        Ok(TestBinary {
            binary_id: binary_id(&member.name, &artifact.target),
            kind: TestKind::Program,
            package: member.name.clone(),
            cargo_target: artifact.target.clone(),
            executable,
            runner: self.runners.of(place.target_triple.as_deref()).to_vec(),
            arguments: Vec::new(),
            current_dir: member.dir.clone(),
            variables: test_variables(&self.workspace.environment, member, &process)?,
        })
    }

    /// The programs of the package, for an integration test or a benchmark (`get_env` in cargo's `artifact.rs`): also
    /// those that are not built because they require a feature.
    fn programs_for(&self, member: &Package, artifact: &Artifact, place: &Place) -> Vec<(String, PathBuf)> {
        if !matches!(artifact.target.kind, CargoTargetKind::Test | CargoTargetKind::Bench) {
            return Vec::new();
        }
        let folder = self.layout.build().join(&place.profile_dir);
        let programs = member.targets.iter().filter(|target| target.kind == CargoTargetKind::Bin);
        programs
            .map(|target| {
                let built = self.build.artifacts.iter().find(|other| {
                    other.package_id == member.id
                        && !other.test
                        && other.target.src_path == target.src_path
                        && other.target.name == target.name
                });
                let path = built.and_then(|built| built.executable.clone());
                let name = format!("{}{}", target.name, env::consts::EXE_SUFFIX);
                (target.name.clone(), path.unwrap_or_else(|| folder.join(name)))
            })
            .collect()
    }

    /// The latest run of the member's build script for the platform that `place` belongs to.
    fn build_script_of(&self, member: &Package, place: &Place) -> Option<&BuildScript> {
        let profile_dir = self.build_dir.join(&place.profile_dir);
        let mut scripts =
            self.build.build_scripts.iter().rev().filter(|script| script.package_id == member.id);
        scripts.clone().find(|script| script.out_dir.starts_with(&profile_dir)).or_else(|| scripts.next())
    }

    /// The directories that cargo puts before the user's library path: native libraries that build scripts made, the
    /// directories of finished programs and of compiled crates, the standard library (`fill_env` in `compilation.rs`).
    fn library_path(&self, place: &Place) -> Vec<PathBuf> {
        let profile_dir = self.build_dir.join(&place.profile_dir);
        let linked: BTreeSet<&str> =
            self.build.build_scripts.iter().flat_map(|it| &it.linked_paths).map(String::as_str).collect();
        let mut path: Vec<PathBuf> = linked
            .into_iter()
            .map(linked_directory)
            .filter(|directory| directory.starts_with(&profile_dir))
            .map(Path::to_owned)
            .collect();
        path.push(self.layout.build().join(&place.profile_dir));
        if place.in_deps {
            path.push(profile_dir.join("deps"));
        } else {
            let dynamic =
                |it: &&Artifact| it.target.crate_types.iter().any(|crate_type| crate_type == "dylib");
            let files = self.build.artifacts.iter().filter(dynamic).flat_map(|it| &it.filenames);
            let directories: BTreeSet<&Path> = files.filter_map(|file| file.parent()).collect();
            path.extend(
                directories.into_iter().filter(|it| it.starts_with(&profile_dir)).map(Path::to_owned),
            );
        }
        let triple = place.target_triple.as_deref().unwrap_or(&self.workspace.toolchain.host);
        path.push(self.workspace.toolchain.target_libdir(triple));
        path
    }

    pub(super) fn finish(mut self) -> Result<Build> {
        // Once more: now every program and every build script is known.
        let mut test_binaries = Vec::new();
        for artifact in std::mem::take(&mut self.tests) {
            let member =
                self.workspace.member(&artifact.package_id).context("a test belongs to no member")?;
            test_binaries.push((member.version.clone(), self.test_binary(member, &artifact)?));
        }
        // `compile_tests` in cargo's `cargo_test.rs` sorts by package, then by target.
        test_binaries.sort_by(|(a_version, a), (b_version, b)| {
            let key = |it: &'_ TestBinary| {
                (it.cargo_target.kind, it.cargo_target.name.clone(), it.executable.clone())
            };
            (&a.package, a_version, key(a)).cmp(&(&b.package, b_version, key(b)))
        });
        self.build.test_binaries = test_binaries.into_iter().map(|(_, it)| it).collect();
        self.build.objects = objects(self.workspace, &self.build.artifacts, self.with_build_scripts);
        let untested = untested_libraries(self.workspace, self.options, &self.build.artifacts);
        self.build.objects.extend(untested);
        self.build.build_time_objects = build_time_objects(&self.build.artifacts, self.with_build_scripts);
        drop_replaced_profiles(&self.earlier_profiles, &self.layout.build_time());
        self.build.build_time_profiles = profiles_in(&self.layout.build_time());
        self.find_units()?;
        Ok(self.build)
    }

    /// Finds what instrumented proc-macros left when rustc compiled the units of this build, and the libraries for which our
    /// wrapper was never called.
    fn find_units(&mut self) -> Result<()> {
        let mut units = Unit::read_all(&self.layout)?;
        units.retain(|unit| unit.wrapper == self.wrapper.hash);
        let of_build = units.iter().filter(|unit| self.build.artifacts.iter().any(|it| unit.is_of(it)));
        let directory = self.layout.units();
        let of_build = of_build.inspect(|unit| unit.mark_used(&directory));
        self.build.compiler_profiles =
            of_build.flat_map(|unit| profiles_in(&unit.directory(&directory))).collect();
        // Caches keep libraries; what a linker made they leave alone.
        let is_library =
            |artifact: &&Artifact| artifact.target.kind == CargoTargetKind::Lib && !artifact.test;
        let is_unknown = |artifact: &&Artifact| !units.iter().any(|unit| unit.is_of(artifact));
        let libraries = self.build.artifacts.iter().filter(is_library).filter(is_unknown);
        let names: BTreeSet<String> = libraries.map(|it| it.target.crate_name()).collect();
        self.build.libraries_from_cache = names.into_iter().collect();
        Ok(())
    }
}

/// Removes those of the `earlier` profiles whose code ran once more: a build script's latest run is the one that holds.
fn drop_replaced_profiles(earlier: &[PathBuf], directory: &Path) {
    let now = profiles_in(directory);
    let ran: BTreeSet<&str> =
        now.iter().filter(|profile| !earlier.contains(profile)).filter_map(|it| counted_code(it)).collect();
    for profile in earlier.iter().filter(|profile| counted_code(profile).is_some_and(|it| ran.contains(it))) {
        // One that cannot be removed makes counts too high, which is no reason to fail.
        _ = fs::remove_file(profile);
    }
}

/// What a test may look for at run time: the programs, examples and dynamic libraries of the selected packages. Cargo runs no
/// test before all of them are there, so none is started before, even where it could be.
fn awaited(workspace: &Workspace, options: &BuildOptions) -> BTreeSet<(String, CargoTargetKind, String)> {
    let mut awaited = BTreeSet::new();
    for member in workspace.members.iter().filter(|member| options.selects(workspace, member)) {
        let has_integration_tests = member.targets.iter().any(|it| it.kind == CargoTargetKind::Test);
        for target in &member.targets {
            let is_awaited = match target.kind {
                CargoTargetKind::Bin => has_integration_tests,
                CargoTargetKind::Example => !target.test,
                CargoTargetKind::Lib => target.crate_types.iter().any(|it| it == "cdylib" || it == "dylib"),
                _ => false,
            };
            if is_awaited {
                awaited.insert((member.id.clone(), target.kind, target.name.clone()));
            }
        }
    }
    awaited
}
