//! The instrumented build, and what cargo's messages say came out of it. Runs no test.

use crate::cargo::environment::{TestProcess, Variables, test_variables};
use crate::cargo::invocation::{
    BuildDir, BuildOptions, arguments, chained_wrapper, own_settings, set_jobs, target_triple,
};
use crate::cargo::message::{self, Artifact, BuildScript, Message, linked_directory};
use crate::cargo::unit::Unit;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind, Package, Workspace};
use crate::cargo::wrapper::{self, Instrumentation, Wrapper};
use crate::layout::Layout;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Component, Path, PathBuf};
use std::process::{ExitStatus, Stdio};

/// A program with tests in it, and how `cargo test` would start it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestBinary {
    /// As cargo-nextest writes it: `app` for a library, `app::it` for an integration test, `app::bin/tool`,
    /// `app::example/demo`, `app::bench/speed`.
    pub binary_id: String,
    /// The name of its package.
    pub package: String,
    /// What was compiled.
    pub cargo_target: CargoTarget,
    /// The program. In a shared build directory it has a second name below [`Layout::build`], and this is that one, so
    /// that a test that looks for its siblings from `current_exe()` finds the instrumented ones.
    pub executable: PathBuf,
    /// The directory to start it in.
    pub current_dir: PathBuf,
    /// Its whole environment, save for what the runner adds: where profiles go, how many threads.
    pub variables: Variables,
}

/// Something that happens while cargo builds.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// This build shares nothing with ordinary ones, and why.
    OwnBuildDir {
        /// The reason, fit after a colon.
        why: &'a str,
    },
    /// A test binary is there and can be started, while cargo still compiles others. Native libraries of packages that
    /// are not built yet are missing from its library path; [`Build::test_binaries`] has them.
    TestBinary(&'a TestBinary),
    /// A line that cargo printed on stdout and that is no message.
    Line(&'a str),
}

/// What an instrumented build left.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The programs to run, in the order in which cargo runs them.
    pub test_binaries: Vec<TestBinary>,
    /// What the tests were compiled for.
    pub target_triple: String,
    /// Every file with a coverage map in it: programs and dynamic libraries of members, each once, in a fixed order.
    pub objects: Vec<PathBuf>,
    /// What cargo said of each unit of a member, in cargo's order.
    pub artifacts: Vec<Artifact>,
    /// What the build scripts said, dependencies' too, in cargo's order.
    pub build_scripts: Vec<BuildScript>,
    /// Profiles that proc-macros of members left while these units were compiled, now or in an earlier build, sorted.
    pub compiler_profiles: Vec<PathBuf>,
    /// Units of members that had to be compiled.
    pub members_compiled: usize,
    /// Units of other packages that had to be compiled.
    pub dependencies_compiled: usize,
    /// `[env]` of cargo's configuration; `None` if cargo did not ask our wrapper, so that it is unknown.
    pub configured: Option<Variables>,
}

/// The build did not succeed. Cargo has already printed why.
#[derive(Clone, Debug)]
pub struct BuildFailed {
    /// How cargo ended.
    pub status: ExitStatus,
}

impl fmt::Display for BuildFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the build failed ({})", self.status)
    }
}

impl std::error::Error for BuildFailed {}

/// Builds the tests of `workspace`, instrumented, and reports each test binary as soon as it is there.
///
/// # Errors
/// [`BuildFailed`] when cargo says so; others when the wrapper cannot be installed or cargo cannot be run.
pub fn build(
    workspace: &Workspace,
    options: &BuildOptions,
    instrumentation: &Instrumentation,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Build> {
    let current_dir = env::current_dir().context("failed to find the current directory")?;
    let mut environment = workspace.environment.clone();
    let target_triple = target_triple(workspace, &current_dir, options);
    let chained = chained_wrapper(&mut environment, &current_dir, &options.config);
    set_jobs(&mut environment, &current_dir, options);
    // Asked each time, so that the wrapper sees `[env]`; it costs some 50 ms. Also, two builds with different wrappers
    // would overwrite each other's answers in the one file that cargo keeps.
    environment.insert("CARGO_CACHE_RUSTC_INFO", "0");
    let wrapper = wrapper::install(workspace, &environment, &target_triple, instrumentation, chained)?;
    let build_dir = BuildDir::choose(workspace, &target_triple);
    if let BuildDir::Own { why } = &build_dir {
        on_event(Event::OwnBuildDir { why });
    }

    let cargo = environment.cargo().to_owned();
    let mut command = environment.command(&cargo);
    let (name, value) = wrapper.variable();
    command.args(arguments(workspace, options)).env(name, value);
    for setting in own_settings(workspace, &build_dir, &wrapper, instrumentation)? {
        command.arg("--config").arg(setting);
    }
    let shown = Path::new(&cargo).display().to_string();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to run `{shown} test --no-run`"))?;
    let stdout = child.stdout.take().context("cargo has no stdout")?;
    let mut outputs = Outputs::new(workspace, &wrapper, &build_dir, instrumentation);
    outputs.build.target_triple = target_triple;
    let read = outputs.read(BufReader::new(stdout), on_event);
    let status = child.wait().with_context(|| format!("failed to wait for `{shown}`"))?;
    read?;
    if !status.success() {
        return Err(BuildFailed { status }.into());
    }
    outputs.finish()
}

/// What cargo has said so far.
struct Outputs<'a> {
    workspace: &'a Workspace,
    wrapper: &'a Wrapper,
    build_dir: PathBuf,
    layout: Layout,
    cargo: OsString,
    with_build_scripts: bool,
    /// The artifact that each test binary comes from.
    tests: Vec<Artifact>,
    build: Build,
}

impl<'a> Outputs<'a> {
    fn new(
        workspace: &'a Workspace,
        wrapper: &'a Wrapper,
        build_dir: &BuildDir,
        instrumentation: &Instrumentation,
    ) -> Outputs<'a> {
        let layout = workspace.layout();
        Outputs {
            workspace,
            wrapper,
            build_dir: build_dir.path(&layout),
            layout,
            cargo: workspace.cargo_program(),
            with_build_scripts: instrumentation.build_scripts,
            tests: Vec::new(),
            build: Build::default(),
        }
    }

    /// Takes cargo's stdout line by line, to its end.
    fn read(&mut self, mut stdout: impl BufRead, on_event: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        let mut line = Vec::new();
        while stdout.read_until(b'\n', &mut line).context("failed to read what cargo prints")? > 0 {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            match message::parse(text) {
                Message::NotJson => on_event(Event::Line(text)),
                Message::BuildScript(script) => self.add_build_script(script)?,
                Message::Artifact(artifact) => {
                    if let Some(test_binary) = self.add_artifact(*artifact)? {
                        on_event(Event::TestBinary(&test_binary));
                    }
                }
                Message::Finished { .. } | Message::Other => {}
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

    fn add_artifact(&mut self, mut artifact: Artifact) -> Result<Option<TestBinary>> {
        let Some(member) = self.workspace.member(&artifact.package_id) else {
            self.build.dependencies_compiled += usize::from(!artifact.fresh);
            return Ok(None);
        };
        self.build.members_compiled += usize::from(!artifact.fresh);
        let mut test_binary = None;
        if artifact.test
            && let Some(executable) = &artifact.executable
        {
            artifact.executable = Some(second_name(executable, &self.build_dir, &self.layout.build()));
            test_binary = Some(self.test_binary(member, &artifact)?);
            self.tests.push(artifact.clone());
        }
        self.build.artifacts.push(artifact);
        Ok(test_binary)
    }

    fn test_binary(&mut self, member: &Package, artifact: &Artifact) -> Result<TestBinary> {
        if self.build.configured.is_none() {
            self.build.configured = self.wrapper.configured_variables()?;
        }
        let executable = artifact.executable.clone().context("a test artifact has no executable")?;
        let place = Place::of(&executable, &[&self.layout.build(), &self.build_dir]);
        let programs = self.programs_for(member, artifact, &place);
        let none = Variables::new();
        let process = TestProcess {
            cargo: &self.cargo,
            build_script: self.build_script_of(member, &place),
            programs: &programs,
            library_path: &self.library_path(&place),
            configured: self.build.configured.as_ref().unwrap_or(&none),
        };
        Ok(TestBinary {
            binary_id: binary_id(&member.name, &artifact.target),
            package: member.name.clone(),
            cargo_target: artifact.target.clone(),
            executable,
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

    fn finish(mut self) -> Result<Build> {
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
        self.build.compiler_profiles = self.compiler_profiles()?;
        if self.with_build_scripts {
            self.build.compiler_profiles.extend(profiles_in(&self.layout.build_scripts()));
        }
        Ok(self.build)
    }

    /// What instrumented proc-macros left when rustc compiled the units of this build.
    fn compiler_profiles(&self) -> Result<Vec<PathBuf>> {
        let units = Unit::read_all(&self.layout)?;
        let units = units.iter().filter(|unit| unit.wrapper == self.wrapper.hash);
        let units = units.filter(|unit| self.build.artifacts.iter().any(|artifact| unit.is_of(artifact)));
        Ok(units.flat_map(|unit| profiles_in(&unit.directory(&self.layout.units()))).collect())
    }
}

/// The raw profiles directly in `directory`, sorted.
fn profiles_in(directory: &Path) -> Vec<PathBuf> {
    let pattern = format!("{}/*.profraw", glob::Pattern::escape(&directory.to_string_lossy()));
    glob::glob(&pattern).map(|paths| paths.flatten().collect()).unwrap_or_default()
}

/// The name of a test binary among all of a workspace.
pub fn binary_id(package: &str, target: &CargoTarget) -> String {
    let name = &target.name;
    match target.kind {
        CargoTargetKind::Lib | CargoTargetKind::ProcMacro => package.to_owned(),
        CargoTargetKind::Test => format!("{package}::{name}"),
        CargoTargetKind::Bin => format!("{package}::bin/{name}"),
        CargoTargetKind::Bench => format!("{package}::bench/{name}"),
        CargoTargetKind::Example => format!("{package}::example/{name}"),
        CargoTargetKind::BuildScript => format!("{package}::custom-build/{name}"),
    }
}

/// The files with a coverage map in them, each once, ordered by member, kind and name.
fn objects(workspace: &Workspace, artifacts: &[Artifact], with_build_scripts: bool) -> Vec<PathBuf> {
    let mut objects = Vec::new();
    for artifact in artifacts {
        let member = workspace.members.iter().position(|member| member.id == artifact.package_id);
        let files: Vec<&PathBuf> = match (&artifact.executable, artifact.target.kind) {
            (Some(executable), _) => vec![executable],
            (None, CargoTargetKind::BuildScript) if with_build_scripts => artifact.filenames.iter().collect(),
            (None, CargoTargetKind::BuildScript) => Vec::new(),
            (None, _) => artifact.filenames.iter().filter(|file| is_dynamic_library(file)).collect(),
        };
        for file in files {
            objects.push((member, artifact.target.kind, &artifact.target.name, artifact.test, file));
        }
    }
    objects.sort();
    let mut seen = BTreeSet::new();
    objects.into_iter().map(|(.., file)| file).filter(|file| seen.insert(*file)).cloned().collect()
}

/// Whether a file of a library artifact is one that a process loads, rather than one for the linker or the debugger.
fn is_dynamic_library(file: &Path) -> bool {
    file.extension().is_some_and(|extension| ["so", "dylib", "dll"].iter().any(|it| extension == *it))
}

/// Where in a target or build directory a program lies.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// `debug`, or `<triple>/debug` when cargo was called for a target.
    profile_dir: PathBuf,
    /// That triple.
    target_triple: Option<String>,
    /// Whether crates lie together in `deps`, as they do up to cargo 1.99.
    in_deps: bool,
}

impl Place {
    /// The place of `executable` below the first of `roots` that it lies in.
    fn of(executable: &Path, roots: &[&Path]) -> Place {
        let below = roots.iter().find_map(|root| executable.strip_prefix(root).ok()).unwrap_or(executable);
        let folders: Vec<&OsStr> = below
            .parent()
            .map(|folder| {
                folder
                    .components()
                    .filter_map(|it| match it {
                        Component::Normal(name) => Some(name),
                        _ => None,
                    })
                    .collect()
            })
            .unwrap_or_default();
        let is_inner = |name: &&OsStr| ["deps", "examples", "build"].iter().any(|it| *name == *it);
        // A profile of the name `build` or `deps` is one that cargo refuses.
        let inner = folders.iter().position(is_inner).unwrap_or(folders.len());
        let profile = &folders[..inner];
        Place {
            profile_dir: profile.iter().collect(),
            target_triple: match profile {
                [triple, _] => Some(triple.to_string_lossy().into_owned()),
                _ => None,
            },
            in_deps: folders.get(inner) != Some(&OsStr::new("build")),
        }
    }
}

/// Gives a program in the shared build directory the same place below our own, as a second name of the same file, and
/// returns that. Where the file system does not offer this, the program keeps the one name it has.
fn second_name(executable: &Path, build_dir: &Path, own: &Path) -> PathBuf {
    if executable.starts_with(own) {
        return executable.to_owned();
    }
    let Ok(below) = executable.strip_prefix(build_dir) else { return executable.to_owned() };
    let name = own.join(below);
    let linked = || {
        fs::create_dir_all(name.parent()?).ok()?;
        if name.exists() {
            fs::remove_file(&name).ok()?;
        }
        fs::hard_link(executable, &name).ok()?;
        link_fingerprints(below, build_dir, own);
        Some(())
    };
    linked().map_or_else(|| executable.to_owned(), |()| name.clone())
}

/// Puts cargo's `.fingerprint` beside the second names, where it is beside the first ones: trybuild finds out from there
/// with which features a test was built. Where there are no symbolic links it does without.
fn link_fingerprints(below: &Path, build_dir: &Path, own: &Path) {
    let Some(profile_dir) = below.parent().filter(|dir| dir.ends_with("deps")).and_then(Path::parent) else {
        return;
    };
    let fingerprints = build_dir.join(profile_dir).join(".fingerprint");
    let link = own.join(profile_dir).join(".fingerprint");
    if fingerprints.is_dir() && !link.exists() {
        #[cfg(unix)]
        drop(std::os::unix::fs::symlink(fingerprints, link));
    }
}

#[cfg(test)]
mod tests;
