//! The instrumented build, and what cargo's messages say came out of it. Runs no test.

use crate::cargo::doctests::{Recorder, RustdocCall};
use crate::cargo::environment::{Environment, TestProcess, Variables, test_variables};
use crate::cargo::invocation::{
    BuildDir, BuildOptions, CargoCommand, arguments, chained_wrapper, counted_code, own_settings, set_jobs,
    target_triple,
};
use crate::cargo::message::{self, Artifact, BuildScript, Message, linked_directory};
use crate::cargo::program;
use crate::cargo::target_runner::{self, TargetRunners};
use crate::cargo::unit::Unit;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind, Package, Workspace};
use crate::cargo::wrapper::{self, Instrumentation, Wrapper};
use crate::interrupt::Interrupt;
use crate::layout::Layout;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What a [`TestBinary`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestKind {
    /// A program that cargo built and that has tests in it.
    Program,
    /// rustdoc, which compiles the examples in a library's documentation and runs each as a process.
    Doctests,
}

/// A program that runs tests, and how `cargo test` would start it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestBinary {
    /// As cargo-nextest writes it: `app` for a library, `app::it` for an integration test, `app::bin/tool`,
    /// `app::example/demo`, `app::bench/speed`; and in the same manner `app::doc/app` for doctests.
    pub binary_id: String,
    /// What it is.
    pub kind: TestKind,
    /// The name of its package.
    pub package: String,
    /// What was compiled.
    pub cargo_target: CargoTarget,
    /// The program. In a shared build directory it has a second name below [`Layout::build`], and this is that one, so
    /// that a test that looks for its siblings from `current_exe()` finds the instrumented ones.
    pub executable: PathBuf,
    /// The user's target runner and its arguments: what starts the program, or for doctests each of them. Most often empty.
    pub runner: Vec<OsString>,
    /// The arguments that belong to it, before those of the user. Those for doctests hold the user's already.
    pub arguments: Vec<OsString>,
    /// The directory to start it in.
    pub current_dir: PathBuf,
    /// Its whole environment, save for what the runner adds: where profiles go, how many threads.
    pub variables: Variables,
}

impl TestBinary {
    /// The directory that its tests run in: rustdoc itself runs elsewhere.
    pub fn tested_in(&self) -> &Path {
        match self.kind {
            TestKind::Program => &self.current_dir,
            TestKind::Doctests => self
                .variables
                .get(OsStr::new("CARGO_MANIFEST_DIR"))
                .map_or(&self.current_dir, |directory| Path::new(directory)),
        }
    }
}

/// Something that happens while cargo builds.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A test binary can be started, perhaps while cargo still compiles others. Each is told of once. Native libraries of
    /// packages that are not built yet are missing from its library path.
    TestBinary(&'a TestBinary),
    /// A line that cargo printed on stdout and that is no message.
    Line(&'a str),
}

/// Takes the events of a build. An error ends the build.
pub type OnEvent<'a> = dyn FnMut(Event<'_>) -> Result<()> + 'a;

/// What an instrumented build left.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The programs to run, in the order in which cargo runs them.
    pub test_binaries: Vec<TestBinary>,
    /// The doctests of each library, in cargo's order.
    pub doctests: Vec<TestBinary>,
    /// What the tests were compiled for.
    pub target_triple: String,
    /// Every file with a coverage map in it, each once, in a fixed order: programs and dynamic libraries of members, then the
    /// libraries of which no test binary was built.
    pub objects: Vec<PathBuf>,
    /// What cargo said of each unit of a member, in cargo's order.
    pub artifacts: Vec<Artifact>,
    /// What the build scripts said, dependencies' too, in cargo's order.
    pub build_scripts: Vec<BuildScript>,
    /// The directories that cargo puts before the library path of these programs, taken together.
    pub library_dirs: BTreeSet<PathBuf>,
    /// Profiles that proc-macros of members left while these units were compiled, now or in an earlier build, sorted.
    pub compiler_profiles: Vec<PathBuf>,
    /// Names of libraries that a compiler cache supplied, sorted: no compiler ran for them, and so no proc-macro.
    pub libraries_from_cache: Vec<String>,
    /// Those of the objects that may have run during a build: proc-macros and instrumented build scripts.
    pub build_time_objects: Vec<PathBuf>,
    /// Profiles that they left where cargo itself started them, now or in an earlier build, sorted. Some may be of code that
    /// is not part of this build.
    pub build_time_profiles: Vec<PathBuf>,
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

/// How often a build looks whether it is to stop.
const WATCH_PAUSE: Duration = Duration::from_millis(100);

/// How long cargo may take to end after an interrupt.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);

/// What becomes of what cargo prints on its stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stderr {
    /// It goes to ours.
    Shown,
    /// It is told of as a line if cargo fails, and forgotten otherwise.
    OnFailure,
}

/// An instrumented build under way: cargo is called once for the programs, and once more for the doctests.
pub struct Builder<'a> {
    workspace: &'a Workspace,
    options: &'a BuildOptions,
    instrumentation: &'a Instrumentation,
    environment: Environment,
    build_dir: BuildDir,
    interrupt: Interrupt,
    outputs: Outputs<'a>,
}

impl<'a> Builder<'a> {
    /// Installs the wrapper and decides where to build.
    ///
    /// # Errors
    /// When the toolchain cannot instrument, or the wrapper cannot be installed.
    pub fn new(
        workspace: &'a Workspace,
        options: &'a BuildOptions,
        instrumentation: &'a Instrumentation,
    ) -> Result<Builder<'a>> {
        let current_dir = env::current_dir().context("failed to find the current directory")?;
        let mut environment = workspace.environment.clone();
        let target_triple = target_triple(workspace, &current_dir, options);
        let chained = chained_wrapper(&mut environment, &current_dir, &options.config);
        set_jobs(&mut environment, &current_dir, options);
        // Asked each time, so that the wrapper sees `[env]`; it costs some 50 ms. Also, two builds with different wrappers
        // would overwrite each other's answers in the one file that cargo keeps.
        environment.insert("CARGO_CACHE_RUSTC_INFO", "0");
        // Cargo would set it for everything but that first question. There sccache, as the wrapper of all compilers, looks for
        // it to find out that it is cargo that puts another wrapper before rustc, and refuses to work without.
        environment.insert("CARGO", workspace.cargo_program());
        let wrapper = wrapper::install(workspace, &environment, &target_triple, instrumentation, chained)?;
        let runners = target_runner::discover(workspace, &wrapper, &current_dir, options)?;
        let build_dir = BuildDir::choose(workspace, &target_triple);
        let mut outputs = Outputs::new(workspace, wrapper, &build_dir, options, instrumentation);
        outputs.runners = runners;
        outputs.build.target_triple = target_triple;
        outputs.earlier_profiles = profiles_in(&workspace.layout().build_time());
        let interrupt = Interrupt::default();
        Ok(Builder { workspace, options, instrumentation, environment, build_dir, interrupt, outputs })
    }

    /// Why this build shares nothing with ordinary ones, if that is so: a reason fit after a colon.
    pub fn own_build_dir(&self) -> Option<&str> {
        match &self.build_dir {
            BuildDir::Own { why } => Some(why),
            BuildDir::Shared(_) => None,
        }
    }

    /// Ends cargo when `interrupt` is set.
    pub fn stop_at(&mut self, interrupt: &Interrupt) {
        self.interrupt = interrupt.clone();
    }

    /// What is compiled for.
    pub fn target_triple(&self) -> &str {
        &self.outputs.build.target_triple
    }

    /// Builds the programs with tests in them, and tells of each as soon as it can be started.
    ///
    /// # Errors
    /// [`BuildFailed`] when cargo says so; others when cargo cannot be run.
    pub fn programs(&mut self, on_event: &mut OnEvent<'_>) -> Result<()> {
        let mut arguments = arguments(self.workspace, self.options, CargoCommand::Tests);
        arguments.extend(self.settings()?);
        self.call(&arguments, Stderr::Shown, on_event)?;
        self.outputs.release_all(on_event)
    }

    /// Whether a library with doctests is among what was built.
    pub fn has_doctests(&self) -> bool {
        self.outputs.build.artifacts.iter().any(|artifact| artifact.target.doctest && !artifact.test)
    }

    /// Builds the libraries and tells of the doctests of each. `test_arguments` are those of `cargo test --doc`: the name of a
    /// test, and what stands behind `--`.
    ///
    /// # Errors
    /// As for [`Builder::programs`].
    pub fn doctests(
        &mut self,
        test_arguments: &[OsString],
        stderr: Stderr,
        on_event: &mut OnEvent<'_>,
    ) -> Result<()> {
        let recorder = Recorder::install(
            &self.outputs.wrapper,
            &mut self.environment,
            &self.workspace.toolchain.sysroot,
            &self.options.config,
        )?;
        // Under `--quiet`, cargo would tell rustdoc to print dots in place of the names of tests.
        let options = BuildOptions { quiet: false, ..self.options.clone() };
        let mut arguments = arguments(self.workspace, &options, CargoCommand::Doctests);
        arguments.extend(self.settings()?);
        arguments.extend(["--config".into(), recorder.setting()?.into()]);
        arguments.extend(test_arguments.iter().cloned());
        self.call(&arguments, stderr, on_event)?;
        for call in recorder.calls()? {
            let doctests = self.outputs.doctests(call, recorder.rustdoc(), self.instrumentation)?;
            if let Some(doctests) = doctests {
                on_event(Event::TestBinary(&doctests))?;
                self.outputs.build.doctests.push(doctests);
            }
        }
        Ok(())
    }

    /// Builds the program that `cargo run` would run. The second value is what `cargo` has to be called with to run it.
    ///
    /// # Errors
    /// As for [`Builder::programs`]. Cargo also says so when there is no such program, or more than one.
    pub(super) fn program(mut self, on_event: &mut OnEvent<'_>) -> Result<(Build, Vec<OsString>)> {
        let chosen = program::choose(self.workspace, self.options);
        let options = chosen.as_ref().unwrap_or(self.options);
        let settings = self.settings()?;
        let mut to_run = arguments(self.workspace, options, CargoCommand::Run);
        to_run.extend(settings.clone());
        let to_build = if chosen.is_some() {
            [arguments(self.workspace, options, CargoCommand::Program), settings].concat()
        } else {
            // Cargo says what is wrong about the choice.
            let idle = program::idle_runner(self.workspace, self.target_triple())?;
            let asked = ["--message-format=json".into(), "--config".into(), idle.into()];
            [to_run.as_slice(), &asked].concat()
        };
        let built = self.call(&to_build, Stderr::Shown, on_event);
        if built.is_err() {
            for warning in &self.outputs.warnings {
                on_event(Event::Line(warning))?;
            }
        }
        built?;
        Ok((self.finish()?, to_run))
    }

    /// What came out of it all.
    ///
    /// # Errors
    /// When what was written down about units cannot be read.
    pub fn finish(self) -> Result<Build> {
        self.outputs.finish()
    }

    fn settings(&self) -> Result<Vec<OsString>> {
        let settings = own_settings(self.workspace, &self.build_dir, &self.outputs.wrapper)?;
        Ok(settings.into_iter().flat_map(|setting| ["--config".into(), setting.into()]).collect())
    }

    /// Runs cargo and takes in what it says.
    fn call(&mut self, arguments: &[OsString], stderr: Stderr, on_event: &mut OnEvent<'_>) -> Result<()> {
        let cargo = self.environment.cargo().to_owned();
        let (name, value) = self.outputs.wrapper.variable();
        let mut command = self.environment.command(&cargo);
        command.args(arguments).env(name, value).stdout(Stdio::piped());
        if stderr == Stderr::OnFailure {
            command.stderr(Stdio::piped());
        }
        let shown = Path::new(&cargo).display().to_string();
        let mut child = command.spawn().with_context(|| format!("failed to run `{shown}`"))?;
        let stdout = child.stdout.take().context("cargo has no stdout")?;
        let held_back = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut text = Vec::new();
                // What could not be read is lost; the exit code tells whether it mattered.
                drop(stderr.read_to_end(&mut text));
                text
            })
        });
        let (child, is_over) = (Mutex::new(child), AtomicBool::new(false));
        let kill = || drop(child.lock().unwrap_or_else(PoisonError::into_inner).kill());
        let read = thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    if self.interrupt.is_set() {
                        // A Ctrl-C reaches cargo too, and it ends more tidily than it is ended here.
                        thread::park_timeout(INTERRUPT_GRACE);
                        kill();
                        return;
                    }
                    thread::park_timeout(WATCH_PAUSE);
                }
            });
            let read = self.outputs.read(BufReader::new(stdout), on_event);
            if read.is_err() {
                kill();
            }
            is_over.store(true, Ordering::Relaxed);
            watcher.thread().unpark();
            read
        });
        let status = child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        let status = status.with_context(|| format!("failed to wait for `{shown}`"))?;
        read?;
        if status.success() {
            return Ok(());
        }
        if let Some(text) = held_back.and_then(|thread| thread.join().ok()) {
            on_event(Event::Line(&String::from_utf8_lossy(&text)))?;
        }
        Err(BuildFailed { status }.into())
    }
}

/// What cargo has said so far.
struct Outputs<'a> {
    workspace: &'a Workspace,
    wrapper: Wrapper,
    build_dir: PathBuf,
    layout: Layout,
    cargo: OsString,
    options: &'a BuildOptions,
    with_build_scripts: bool,
    runners: TargetRunners,
    /// What lay in [`Layout::build_time`] before the build.
    earlier_profiles: Vec<PathBuf>,
    /// The artifact that each test binary comes from.
    tests: Vec<Artifact>,
    /// How many of `tests` were told of.
    n_released: usize,
    /// Programs and dynamic libraries that a test may look for and that are not there yet: package id, kind and name.
    awaited: BTreeSet<(String, CargoTargetKind, String)>,
    /// What the compiler has warned of and nobody has printed yet.
    warnings: Vec<String>,
    build: Build,
}

impl<'a> Outputs<'a> {
    fn new(
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
    fn read(&mut self, mut stdout: impl BufRead, on_event: &mut OnEvent<'_>) -> Result<()> {
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
    fn release_all(&mut self, on_event: &mut OnEvent<'_>) -> Result<()> {
        while let Some(artifact) = self.tests.get(self.n_released).cloned() {
            let member =
                self.workspace.member(&artifact.package_id).context("a test belongs to no member")?;
            on_event(Event::TestBinary(&self.test_binary(member, &artifact)?))?;
            self.n_released += 1;
        }
        Ok(())
    }

    /// The doctests of the library that `call` is about; `None` if it belongs to no member.
    fn doctests(
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
        self.build.compiler_profiles =
            of_build.flat_map(|unit| profiles_in(&unit.directory(&self.layout.units()))).collect();
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

/// The raw profiles directly in `directory`, sorted.
pub(super) fn profiles_in(directory: &Path) -> Vec<PathBuf> {
    let pattern = format!("{}/*.profraw", glob::Pattern::escape(&directory.to_string_lossy()));
    glob::glob(&pattern).map(|paths| paths.flatten().collect()).unwrap_or_default()
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

/// The files of `artifacts` that may run while cargo builds and that count.
fn build_time_objects(artifacts: &[Artifact], with_build_scripts: bool) -> Vec<PathBuf> {
    let files = |artifact: &Artifact| -> Vec<PathBuf> {
        let files = artifact.filenames.iter();
        match artifact.target.kind {
            CargoTargetKind::BuildScript if with_build_scripts => files.cloned().collect(),
            CargoTargetKind::ProcMacro if !artifact.test => {
                files.filter(|file| is_dynamic_library(file)).cloned().collect()
            }
            _ => Vec::new(),
        }
    };
    artifacts.iter().flat_map(files).collect()
}

/// The libraries of selected members without a test binary among the artifacts, ordered by member and file. A package has one
/// library at most, and cargo may have compiled that for several platforms or features.
///
/// A program holds those functions of a library that it needs, or that lie beside them; only the library's own test binary has
/// all of them.
fn untested_libraries(workspace: &Workspace, options: &BuildOptions, artifacts: &[Artifact]) -> Vec<PathBuf> {
    let mut libraries = Vec::new();
    for member in workspace.members.iter().filter(|member| options.selects(workspace, member)) {
        let of_library =
            |it: &&Artifact| it.package_id == member.id && it.target.kind == CargoTargetKind::Lib;
        if artifacts.iter().filter(of_library).any(|artifact| artifact.test) {
            continue;
        }
        let files: BTreeSet<&PathBuf> = artifacts
            .iter()
            .filter(of_library)
            .flat_map(|artifact| &artifact.filenames)
            .filter(|file| file.extension() == Some(OsStr::new("rlib")))
            .collect();
        libraries.extend(files.into_iter().cloned());
    }
    libraries
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

/// Whether rustc takes a file for a crate: a test that calls rustc looks for these beside itself.
fn is_for_rustc(file: &Path) -> bool {
    let extension = file.extension().unwrap_or_default();
    extension == "rlib" || extension == "rmeta" || is_dynamic_library(file)
}

/// Gives a library in the shared build directory the same place below our own, if it does not have it yet. Nothing but such
/// a test needs it there, so what cannot be linked is left out.
fn link_library(file: &Path, build_dir: &Path, own: &Path) {
    let Some(below) = file.strip_prefix(build_dir).ok().filter(|_| !file.starts_with(own)) else { return };
    let name = own.join(below);
    let identity = |path: &Path| fs::metadata(path).ok().map(|it| (it.len(), it.modified().ok()));
    if identity(&name).is_some_and(|known| Some(known) == identity(file)) {
        return;
    }
    _ = name.parent().map(fs::create_dir_all);
    _ = fs::remove_file(&name);
    _ = fs::hard_link(file, &name);
}

/// Puts cargo's `.fingerprint` beside the second names, where it is beside the first ones: trybuild finds out from there
/// with which features a test was built. Where there are no symbolic links it does without.
fn link_fingerprints(below: &Path, build_dir: &Path, own: &Path) {
    let Some(profile_dir) = below.parent().filter(|dir| dir.ends_with("deps")).and_then(Path::parent) else {
        return;
    };
    let fingerprints = build_dir.join(profile_dir).join(".fingerprint");
    let link = own.join(profile_dir).join(".fingerprint");
    // A checkout that was copied or moved has a link to where it was.
    let leads_there = fs::read_link(&link).is_ok_and(|leads_to| leads_to == fingerprints);
    if fingerprints.is_dir() && !leads_there {
        _ = fs::remove_file(&link);
        #[cfg(unix)]
        drop(std::os::unix::fs::symlink(fingerprints, link));
    }
}

#[cfg(test)]
mod tests;
