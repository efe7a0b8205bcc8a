//! cargo-nextest as the one who runs the tests: it is given our build, and a runner that it puts before each test.
//!
//! Both halves are here: the caller, which starts nextest and sees what it left, and the callee, which nextest starts in place of a
//! test. The callee is a link to this program; beside it lies a file that says where the counts of each program go.
//!
//! nextest starts a process for each test, many at once. Those of one binary count into the same file, in place, or where that
//! cannot be, into a file each.

use super::{BinaryResult, Outcome, TestRun, junit, profiles};
use crate::cargo::build::TestBinary;
use crate::cargo::nextest::{PROGRAM, runner_settings};
use crate::cargo::role::{Role, become_command, directory_of};
use crate::cargo::workspace::Workspace;
use crate::interrupt::Interrupt;
use crate::layout::Layout;
use crate::load::is_instrumented;
use crate::runner::guard::{Guard, Signal};
use crate::runner::junit::Suite;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// The file beside the callee's link: an object for each program, by its path.
const PROGRAMS_FILE: &str = "programs.json";

/// The directory beside the callee's link with a file for each program of which a test was run, not only listed.
const RAN: &str = "ran";

/// Where a profile goes that nobody wants.
const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

// ---------------------------------------------------------------------------------------------------------------------
// The caller

/// How to run nextest.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program.
    pub program: PathBuf,
    /// Arguments of `cargo nextest run` besides those about the build.
    pub arguments: Vec<OsString>,
    /// Whether profiles are kept up to date at all times (see [`crate::cargo::wrapper::is_continuous`]).
    pub continuous: bool,
    /// Whether what programs run while they are asked for their tests counts elsewhere: in the first of several parts, since
    /// every part asks all programs.
    pub listing_counts_elsewhere: bool,
    /// Whether to stop altogether, asked again and again.
    pub interrupt: Interrupt,
}

/// What nextest is told of a build.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// The test binaries.
    pub test_binaries: &'a [TestBinary],
    /// What they were compiled for.
    pub target_triple: &'a str,
    /// What [`crate::cargo::nextest::cargo_metadata`] returns.
    pub cargo_metadata: Vec<u8>,
    /// What [`crate::cargo::nextest::binaries_metadata`] returns.
    pub binaries_metadata: Value,
}

/// A run of nextest, ready to start.
pub struct Prepared<'a> {
    told: &'a Told<'a>,
    layout: Layout,
    command: Command,
    report: PathBuf,
    /// Where each binary's counts go.
    directories: Vec<PathBuf>,
    /// Whether each binary leaves any.
    instrumented: Vec<bool>,
    interrupt: Interrupt,
}

/// Writes down what nextest and our runner have to know. What earlier runs left in [`Layout::raw`] is removed.
///
/// # Errors
/// When files cannot be written, or a path is not valid UTF-8.
pub fn prepare<'a>(workspace: &Workspace, told: &'a Told<'a>, options: &Options) -> Result<Prepared<'a>> {
    let layout = workspace.layout();
    profiles::empty(&layout.raw())?;
    let place = layout.nextest();
    profiles::empty(&place)?;
    profiles::empty(&place.join(RAN))?;
    let scripts = layout.raw_of_scripts();
    profiles::empty(&scripts)?;
    let runner = Role::Nextest.install(&place)?;
    let directories: Vec<PathBuf> =
        told.test_binaries.iter().map(|binary| layout.raw_of(&binary.binary_id)).collect();
    let instrumented: Vec<bool> =
        told.test_binaries.iter().map(|binary| is_instrumented(&binary.executable)).collect();
    let programs = told.test_binaries.iter().zip(&directories).zip(&instrumented);
    let programs = programs.map(|((binary, directory), instrumented)| {
        let continuous = options.continuous && *instrumented;
        let planned = planned(binary, directory, continuous, options.listing_counts_elsewhere)?;
        Ok((text(binary.executable.as_os_str())?.to_owned(), planned))
    });
    let programs: BTreeMap<String, Value> = programs.collect::<Result<_>>()?;
    let report = place.join("junit.xml");
    let file = |name: &str, content: &[u8]| {
        let path = place.join(name);
        fs::write(&path, content).with_context(|| format!("failed to write `{}`", path.display()))?;
        anyhow::Ok(path)
    };
    file(PROGRAMS_FILE, json!(programs).to_string().as_bytes())?;
    let cargo_metadata = file("cargo-metadata.json", &told.cargo_metadata)?;
    let binaries_metadata = file("binaries-metadata.json", told.binaries_metadata.to_string().as_bytes())?;
    // The weakest of all settings: where the repository has a report of its own, ours is not written.
    let settings = format!("[profile.default.junit]\npath = {}\n", json!(text(report.as_os_str())?));
    let settings = file("settings.toml", settings.as_bytes())?;

    let mut command = workspace.environment.command(options.program.as_os_str());
    // As cargo calls its subcommands.
    command.env("CARGO", workspace.cargo_program()).args(["nextest", "run", "--cargo-metadata"]);
    command.arg(cargo_metadata).arg("--binaries-metadata").arg(binaries_metadata);
    let mut tool = OsString::from("xtask-coverage:");
    tool.push(settings);
    command.arg("--tool-config-file").arg(tool);
    for setting in runner_settings(workspace, told.target_triple, &runner)? {
        command.args(["--config", &setting]);
    }
    command.args(&options.arguments);
    // For the scripts that it runs before tests, and what they start.
    command.env("LLVM_PROFILE_FILE", profiles::pattern(&scripts, false));
    let interrupt = options.interrupt.clone();
    Ok(Prepared { told, layout, command, report, directories, instrumented, interrupt })
}

impl Prepared<'_> {
    /// The command line, for people.
    pub fn command_line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    /// Runs nextest on our own streams, and returns how it ended and what the tests left: one result for each binary, in order.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(mut self) -> Result<(ExitStatus, TestRun)> {
        let guard = Guard::start();
        let start = Instant::now();
        let program = self.command.get_program().to_owned();
        let failed = || format!("failed to run `{}`", program.display());
        let mut child = self.command.spawn().with_context(failed)?;
        let status = wait(&mut child, guard.as_ref(), &self.interrupt).with_context(failed)?;
        let duration = start.elapsed();
        let scripts = self.layout.raw_of_scripts();
        let suites = fs::read_to_string(&self.report).ok().map(|text| junit::parse(&text));
        let results = (0..).zip(self.told.test_binaries);
        let results = results.map(|(index, binary)| self.result(index, binary, status, suites.as_ref()));
        let results: Vec<BinaryResult> = results.collect();
        let failed = results.iter().any(BinaryResult::failed);
        Ok((status, TestRun { results, duration, failed, profiles: profiles::find(&scripts) }))
    }

    fn result(
        &self,
        index: usize,
        binary: &TestBinary,
        status: ExitStatus,
        suites: Option<&BTreeMap<String, Suite>>,
    ) -> BinaryResult {
        let directory = &self.directories[index];
        let has_run = ran(&self.layout.nextest(), directory).exists();
        let suite = suites.and_then(|suites| suites.get(&binary.binary_id)).cloned();
        let profiles = profiles::find(directory);
        let outcome = match &suite {
            Some(suite) if suite.harness.counts.is_some_and(|counts| counts.failed > 0) => {
                Outcome::Failed(status)
            }
            Some(_) => Outcome::Passed,
            None if !has_run => Outcome::NotRun,
            None if status.success() => Outcome::Passed,
            None => Outcome::Unknown,
        };
        let Suite { harness, durations } = suite.unwrap_or_default();
        BinaryResult {
            binary_id: binary.binary_id.clone(),
            outcome,
            duration: durations.values().sum(),
            output: Vec::new(),
            harness,
            profile_missing: has_run && self.instrumented[index] && profiles.is_empty(),
            profiles,
            objects: Vec::new(),
            durations,
            leftovers: Vec::new(),
            reused: false,
        }
    }
}

/// Waits for nextest, which ends its tests by itself when it is asked to end.
fn wait(child: &mut Child, guard: Option<&Guard>, interrupt: &Interrupt) -> io::Result<ExitStatus> {
    const LONGEST_PAUSE: Duration = Duration::from_millis(20);
    let mut pause = Duration::from_millis(1);
    let mut asked = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupt.is_set() && !asked {
            asked = true;
            if let Some(guard) = guard.filter(|_| !reached_all(interrupt)) {
                guard.signal(Signal::Term, child.id());
            }
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether nextest has had the signal too: Ctrl-C in a terminal goes to all that run there. A second one would mean haste.
fn reached_all(interrupt: &Interrupt) -> bool {
    const SIGINT: usize = 2;
    interrupt.signal() == Some(SIGINT) && (io::stdin().is_terminal() || io::stderr().is_terminal())
}

// ---------------------------------------------------------------------------------------------------------------------
// What both halves know

/// What the callee has to know of a program.
fn planned(
    binary: &TestBinary,
    directory: &Path,
    continuous: bool,
    listing_counts_elsewhere: bool,
) -> Result<Value> {
    let runner = binary.runner.iter().map(|word| text(word)).collect::<Result<Vec<_>>>()?;
    Ok(json!({
        "directory": text(directory.as_os_str())?,
        "continuous": continuous,
        "listing_counts_elsewhere": listing_counts_elsewhere,
        "runner": runner,
    }))
}

/// The file that says that a program whose counts go to `directory` has run a test. Not in there: tests may do what they like with
/// a directory that a variable of theirs names.
fn ran(place: &Path, directory: &Path) -> PathBuf {
    place.join(RAN).join(directory.file_name().unwrap_or_default())
}

fn text(text: &OsStr) -> Result<&str> {
    text.to_str().with_context(|| {
        format!("{PROGRAM} cannot be told of `{}`, because it is not valid UTF-8", text.display())
    })
}

// ---------------------------------------------------------------------------------------------------------------------
// The callee

/// Starts the test that stands in `words`, a program and its arguments, so that its counts are kept. On Unix it takes this
/// process's place.
///
/// `own` is the link under which this process was started.
///
/// # Errors
/// When the file beside the link cannot be read, or the program cannot be started.
pub fn start(own: &Path, words: Vec<OsString>) -> Result<u8> {
    let file = directory_of(own)?.join(PROGRAMS_FILE);
    let programs =
        fs::read(&file).map_err(anyhow::Error::from).and_then(|text| Ok(serde_json::from_slice(&text)?));
    let programs: Value = programs.with_context(|| format!("failed to read `{}`", file.display()))?;
    let program = words.first().context("no program to run")?;
    let planned = program.to_str().and_then(|program| programs.get(program));
    let runner = planned.and_then(|it| it.get("runner")).and_then(Value::as_array).into_iter().flatten();
    let runner = runner.filter_map(Value::as_str).map(OsString::from);
    let mut line = runner.chain(words.iter().cloned());
    let mut command = Command::new(line.next().unwrap_or_default());
    command.args(line);
    if let Some(planned) = planned {
        let pattern = pattern(directory_of(own)?, planned, Phase::of(&words[1..]))?;
        command.env("LLVM_PROFILE_FILE", pattern);
    }
    // Any other program counts where nextest's scripts do.
    become_command(command)
}

/// What nextest starts a program for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// To find out which tests it has. A program that does not know the question runs all that it has instead, so this counts.
    List,
    /// To find out which of them are ignored. Then it would be the second time.
    ListIgnored,
    /// To run a test.
    Run,
}

impl Phase {
    fn of(arguments: &[OsString]) -> Phase {
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        match (has("--list"), has("--ignored")) {
            (true, false) => Phase::List,
            (true, true) => Phase::ListIgnored,
            (false, _) => Phase::Run,
        }
    }
}

/// Makes a place for the counts of a program, and returns what the profile runtime is told. `place` is the link's directory.
fn pattern(place: &Path, planned: &Value, phase: Phase) -> Result<PathBuf> {
    let is = |key: &str| planned.get(key) == Some(&Value::Bool(true));
    if phase == Phase::ListIgnored || phase == Phase::List && is("listing_counts_elsewhere") {
        return Ok(NOWHERE.into());
    }
    let directory = planned.get("directory").and_then(Value::as_str).map(Path::new);
    let directory = directory.context("there is no directory for the program's counts")?;
    fs::create_dir_all(directory).with_context(|| format!("failed to create `{}`", directory.display()))?;
    let ran = ran(place, directory);
    if phase == Phase::Run && !ran.exists() {
        fs::write(&ran, "").with_context(|| format!("failed to write `{}`", ran.display()))?;
    }
    Ok(profiles::pattern(directory, is("continuous")))
}

#[cfg(test)]
mod tests {
    use super::Phase;
    use std::ffi::OsString;

    #[test]
    fn what_nextest_starts_a_program_for() {
        let rows = [
            ("--list --format terse", Phase::List),
            ("--list --format terse --ignored", Phase::ListIgnored),
            ("--exact a::b --nocapture", Phase::Run),
            ("--exact a::b --nocapture --ignored", Phase::Run),
            ("", Phase::Run),
        ];
        for (arguments, expected) in rows {
            let arguments: Vec<OsString> = arguments.split_whitespace().map(OsString::from).collect();
            assert_eq!(Phase::of(&arguments), expected, "{arguments:?}");
        }
    }
}
