//! The user's target runner, put before each test binary as `cargo test` does it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::build::{check_environments, without_hashes};
use crate::nextest::nextest;
use crate::support::env_dump::EnvDump;
use crate::support::program::Program;
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{lcov, xtask};

/// The fixture with its runner built and put into two places below the root, one of which has a blank in it.
struct Fixture {
    workspace: Workspace,
    /// Where the runner lies outside of the workspace.
    runner: PathBuf,
    /// The host's triple.
    host: String,
    /// `CARGO_TARGET_<TRIPLE>_RUNNER`.
    variable: String,
}

impl Fixture {
    fn new() -> Fixture {
        let workspace = Workspace::copy("target-runner");
        let target_dir = workspace.beside("logger");
        workspace
            .cargo()
            .args(["build", "--manifest-path", "logger/Cargo.toml", "--target-dir"])
            .arg(&target_dir)
            .run()
            .expect_success();
        let runner = target_dir.join(format!("debug/logger{}", std::env::consts::EXE_SUFFIX));
        for directory in ["tools", "more tools"] {
            let directory = workspace.root().join(directory);
            fs::create_dir(&directory).expect("a directory");
            fs::copy(&runner, directory.join("logger.exe")).expect("a copy");
        }
        let version = Program::new("rustc").arg("-vV").run().expect_success().stdout;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host").to_owned();
        let variable = format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace(['-', '.'], "_"));
        Fixture { workspace, runner, host, variable }
    }

    fn configure(&self, text: &str) {
        self.workspace.write(".cargo/config.toml", &text.replace("HOST", &self.host));
    }

    /// What the runner was started with for each test binary.
    fn log(&self, name: &str, program: Program) -> BTreeSet<String> {
        let directory = self.workspace.beside(name);
        program.env("LOGGER_DIR", &directory).run().expect_success();
        let files: Vec<PathBuf> = fs::read_dir(&directory)
            .expect("the directory is there")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        let log = files
            .iter()
            .map(|file| {
                let EnvDump { arguments, current_dir, .. } = EnvDump::read(file);
                // Each lies in a temporary directory with a name of its own.
                let is_doctest = |word: &str| word.contains("rustdoctest");
                let words = arguments.iter().map(|word| if is_doctest(word) { "a doctest" } else { word });
                let text = format!("{} in {current_dir}", words.collect::<Vec<_>>().join(" "));
                without_hashes(&text.replace("target/coverage/build/", "target/"))
            })
            .collect();
        fs::remove_dir_all(&directory).expect("it can be removed");
        log
    }

    /// That cargo and we start the runner with the same words, for both test binaries, and that `first` is the first of them
    /// but the program; `None`: that neither starts it.
    #[track_caller]
    fn check(&self, first: Option<&str>, arguments: &[&str], variables: &[(&str, &str)]) {
        let prepare = |program: Program| {
            let program = program.args(arguments).current_dir(self.workspace.root().join("app"));
            variables.iter().fold(program, |program, (name, value)| program.env(name, value))
        };
        let cargos = self.log("cargo", prepare(self.workspace.cargo().args(["test", "--tests"])));
        let ours = self.log("ours", prepare(xtask(&self.workspace).args(["coverage", "--tests"])));
        assert_eq!(ours, cargos);
        assert_eq!(ours.len(), if first.is_some() { 2 } else { 0 }, "{ours:?}");
        for line in &ours {
            let words = format!("{} -- ", first.expect("it is started"));
            assert!(line.starts_with(&words), "`{line}` does not begin with `{words}`");
        }
        check_lines(&lcov(&self.workspace), self.workspace.root(), Exclusions::Default);
    }
}

#[test]
fn a_runner_in_a_configuration_file() {
    let fixture = Fixture::new();
    // A list stands as it is, a path in it starts from the directory that holds `.cargo`.
    fixture.configure(
        "[target.'cfg(any(unix, windows))']\nrunner = ['more tools/logger.exe', 'by cfg', '--']\n\
         [target.'cfg(target_os = \"none\")']\nrunner = 'not here'\n",
    );
    fixture.check(Some("by cfg"), &[], &[]);
    // A string is split at whitespace. The triple is stronger than a `cfg`.
    fixture.configure(
        "[target.HOST]\nrunner = ' tools/logger.exe  by   triple --'\n\
         [target.'cfg(any(unix, windows))']\nrunner = 'not this'\n",
    );
    fixture.check(Some("by triple"), &[], &[]);
    // One for other systems is none.
    fixture.configure("[target.'cfg(target_os = \"none\")']\nrunner = 'not here'\n");
    fixture.check(None, &[], &[]);
    // A file on the command line.
    let included = "[target.'cfg(any(unix, windows))']\nrunner = ['tools/logger.exe', 'from a file', '--']\n";
    fixture.workspace.write("settings/given.toml", included);
    fixture.configure("");
    fixture.check(Some("from a file"), &["--config", "../settings/given.toml"], &[]);
}

#[test]
fn a_runner_in_variables_and_arguments() {
    let fixture = Fixture::new();
    let variable = fixture.variable.as_str();
    // From the current directory, which is that of the package.
    fixture.check(Some("by variable"), &[], &[(variable, "../tools/logger.exe by  variable --")]);
    fixture.configure("[target.HOST]\nrunner = ['not', 'this']\n");
    fixture.check(Some("by variable"), &[], &[(variable, "../tools/logger.exe by variable --")]);
    let setting = format!("target.{}.runner=['../more tools/logger.exe', 'by argument', '--']", fixture.host);
    fixture.check(Some("by argument"), &["--config", &setting], &[(variable, "nor this")]);
    // What else may be set for rustdoc is for doctests.
    fixture.check(
        Some("by variable"),
        &[],
        &[
            (variable, "../tools/logger.exe by variable --"),
            ("RUSTDOC", "/nonexistent/rustdoc"),
            ("RUSTDOCFLAGS", "--test-runtool=elsewhere"),
        ],
    );
}

#[test]
fn a_runner_for_doctests() {
    let fixture = Fixture::new();
    fixture.configure("[target.HOST]\nrunner = ['more tools/logger.exe', 'for doctests', '--']\n");
    let cargos = fixture.log("cargo", fixture.workspace.cargo().args(["test", "--doc"]));
    let ours = fixture.log("ours", xtask(&fixture.workspace).args(["coverage", "--doc"]));
    assert_eq!(ours, cargos);
    assert_eq!(ours.len(), 1, "{ours:?}");
}

#[test]
fn the_environment_behind_a_runner() {
    let fixture = Fixture::new();
    let log = fixture.workspace.beside("log");
    let workspace = Workspace::copy_as("env-dump", "env dump");
    let setting = format!("\n[target.'cfg(any(unix, windows))']\nrunner = [{:?}, '--']\n", fixture.runner);
    workspace.write(".cargo/config.toml", &(workspace.read(".cargo/config.toml") + &setting));
    check_environments(&workspace, &[("LOGGER_DIR", log.as_os_str())]);
    let started = fs::read_dir(&log).expect("the directory is there").count();
    assert!(started >= 8, "the runner was started {started} times");
}

#[test]
fn runners_that_cannot_be() {
    let fixture = Fixture::new();
    fixture.configure(
        "[target.'cfg(any(unix, windows))']\nrunner = 'one'\n[target.'cfg(not(none))']\nrunner = 'two'\n",
    );
    let ours = |arguments: &[&str]| xtask(&fixture.workspace).arg("coverage").args(arguments).run();
    ours(&[])
        .expect_code(1)
        .expect_stderr("failed to find out the target runner")
        .expect_stderr("several matching instances of `target.'cfg(..)'.runner`");
    fixture.configure("[target.HOST]\nrunner = 'no such runner'\n");
    ours(&["--no-fail-fast"])
        .expect_code(1)
        .expect_stderr("app could not be started: the target runner `no`: ")
        .expect_stderr("app::it could not be started: the target runner `no`: ");
}

#[test]
fn without_a_runner_nobody_is_asked() {
    let workspace = Workspace::copy("target-runner");
    // Whoever runs this test may have configured one for everything.
    let home = workspace.beside("home");
    let is_asked = || {
        xtask(&workspace).arg("coverage").env("CARGO_HOME", &home).run().expect_success();
        workspace.root().join("target/coverage/probe").exists()
    };
    assert!(!is_asked());
    workspace.write(".cargo/config.toml", "# no runner\n");
    assert!(is_asked());
}

#[test]
fn cargo_nextest_starts_it_behind_our_own() {
    let fixture = Fixture::new();
    fixture.configure("[target.HOST]\nrunner = ['more tools/logger.exe', 'by file', '--']\n");
    let log = fixture.log("nextest", nextest(&fixture.workspace, &["--tests"]));
    // Listing, listing what is ignored, and a test, for each of two binaries.
    assert!(log.len() >= 6, "{log:?}");
    for line in &log {
        assert!(line.starts_with("by file -- "), "`{line}`");
    }
    check_lines(&lcov(&fixture.workspace), fixture.workspace.root(), Exclusions::Default);
}
