//! The instrumented build: how cargo is called, and what comes out. Runs no test.

mod objects;
mod outputs;
mod place;

use self::outputs::Outputs;
use crate::cargo::doctests::Recorder;
use crate::cargo::environment::{Environment, Variables};
use crate::cargo::invocation::{
    BuildDir, BuildOptions, CargoCommand, arguments, chained_wrapper, own_settings, set_jobs, target_triple,
};
use crate::cargo::message::{Artifact, BuildScript};
use crate::cargo::program;
use crate::cargo::target_runner;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind, Workspace};
use crate::cargo::wrapper::{self, Instrumentation};
use crate::interrupt::Interrupt;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
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
    /// The program. In a shared build directory it has a second name below [`crate::layout::Layout::build`], and this is that one, so
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

/// The raw profiles directly in `directory`, sorted.
pub(super) fn profiles_in(directory: &Path) -> Vec<PathBuf> {
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

#[cfg(test)]
mod tests;
