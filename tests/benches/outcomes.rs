//! The outcome of every test under `cargo test` and under us: `cargo bench --bench outcomes -- --manifest-path PATH [flags]`.
//!
//! Runs `cargo test --no-fail-fast` and `cargo xtask coverage --no-fail-fast --no-report`, both with the flags, and prints each
//! test that did not fare the same, and the totals. Exit code 1 if there is a difference. cargo names doctests by the library alone,
//! so `doc/NAME` is all libraries of that name.
//!
//! This reads what cargo prints for people (`Running … (path)`, `Doc-tests name`, `to rerun pass …`), which nothing else in this
//! repository does: there is no other way to know how a plain `cargo test` fared, and if cargo words it otherwise one day, no
//! binary is found any more and that is a difference.
#![expect(clippy::print_stdout, reason = "a comparison prints its findings")]

mod xtask;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use xtask_coverage::cargo::build::binary_id;
use xtask_coverage::cargo::environment::Environment;
use xtask_coverage::cargo::message::{self, Message};
use xtask_coverage::cargo::workspace::{CargoTarget, CargoTargetKind};
use xtask_coverage::runner::harness::Harness;

/// Stands among the names of tests for a test binary as a whole.
const WHOLE: &str = "(the whole)";

fn main() -> Result<ExitCode> {
    let mut manifest_path = PathBuf::from("Cargo.toml");
    let mut flags: Vec<OsString> = Vec::new();
    let mut arguments = std::env::args_os().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--manifest-path" {
            manifest_path = arguments.next().context("`--manifest-path` takes a value")?.into();
        } else {
            flags.push(argument);
        }
    }
    let manifest_path = std::fs::canonicalize(&manifest_path)
        .with_context(|| format!("no manifest `{}`", manifest_path.display()))?;
    let workspace = Workspace::find(&manifest_path, flags)?;
    let binaries = workspace.test_binaries()?;
    println!("cargo test …");
    let cargos = workspace.run_cargo(&binaries)?;
    println!("cargo xtask coverage …");
    let ours = workspace.run_ours(&xtask::build()?)?;
    let differences = print_comparison(&cargos, &ours);
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Outcomes by name of the test, by test binary.
type Outcomes = BTreeMap<String, BTreeMap<String, String>>;

/// A test binary that cargo builds.
struct TestBinary {
    executable: PathBuf,
    binary_id: String,
    /// The flags with which cargo names it, with the package and, where there is only one, without.
    selectors: [String; 2],
}

struct Workspace {
    environment: Environment,
    manifest_path: PathBuf,
    metadata: Value,
    flags: Vec<OsString>,
}

impl Workspace {
    fn find(manifest_path: &Path, flags: Vec<OsString>) -> Result<Workspace> {
        let environment = Environment::inherited();
        let mut command = environment.command(environment.cargo());
        command
            .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
            .arg(manifest_path);
        let output = command.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "`cargo metadata` failed");
        let metadata = serde_json::from_slice(&output.stdout)?;
        Ok(Workspace { environment, manifest_path: manifest_path.to_owned(), metadata, flags })
    }

    /// Where both run: cargo's configuration depends on it.
    fn dir(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// The names of the packages.
    fn packages(&self) -> BTreeMap<&str, &str> {
        let packages = self.metadata["packages"].as_array().into_iter().flatten();
        packages.filter_map(|it| Some((it["id"].as_str()?, it["name"].as_str()?))).collect()
    }

    /// The arguments of `cargo test` that select what we select.
    fn cargo_arguments(&self, own: &[&str]) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["test".into(), "--manifest-path".into()];
        arguments.push(self.manifest_path.clone().into());
        arguments.extend(own.iter().map(OsString::from));
        let given = |name: &str| self.flags.iter().any(|flag| flag == name);
        if !given("-p") && !given("--package") {
            if !given("--workspace") {
                arguments.push("--workspace".into());
            }
            // We leave out the crate that runs us.
            let packages = self.packages();
            if packages.len() > 1 && packages.values().any(|name| *name == "xtask") {
                arguments.extend(["--exclude", "xtask"].map(OsString::from));
            }
        }
        arguments.extend(self.flags.iter().cloned());
        arguments
    }

    /// The test binaries that cargo builds with these flags.
    fn test_binaries(&self) -> Result<Vec<TestBinary>> {
        let packages = self.packages();
        let mut command = self.environment.command(self.environment.cargo());
        let own = ["--no-run", "--message-format=json-render-diagnostics"];
        let output = command
            .args(self.cargo_arguments(&own))
            .current_dir(self.dir())
            .stderr(Stdio::inherit())
            .output()
            .context("failed to run `cargo test --no-run`")?;
        ensure!(output.status.success(), "`cargo test --no-run` failed");
        let mut binaries = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            if let Message::Artifact(artifact) = message::parse(line)
                && artifact.test
                && let Some(executable) = artifact.executable
            {
                let package = packages.get(artifact.package_id.as_str()).context("a test of no package")?;
                let selector = selector(&artifact.target);
                let selectors = [format!("-p {package} {selector}"), selector];
                let binary_id = binary_id(package, &artifact.target);
                binaries.push(TestBinary { executable, binary_id, selectors });
            }
        }
        Ok(binaries)
    }

    /// What `cargo test` makes of the tests.
    fn run_cargo(&self, binaries: &[TestBinary]) -> Result<Outcomes> {
        let mut command = self.environment.command(self.environment.cargo());
        command.args(self.cargo_arguments(&["--no-fail-fast", "--color=never"])).current_dir(self.dir());
        // Cargo says on one stream what runs, the tests say on the other how it went.
        let (mut reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn().context("failed to run `cargo test`")?;
        drop(command);
        let mut output = Vec::new();
        reader.read_to_end(&mut output)?;
        child.wait()?;
        let output = String::from_utf8_lossy(&output);

        // Text before the first section is the build's.
        let mut sections: Vec<(String, String)> = Vec::new();
        let mut failed = BTreeSet::new();
        for line in output.lines() {
            let words = line.trim_start();
            let path =
                words.strip_prefix("Running ").and_then(|rest| rest.strip_suffix(')')?.rsplit_once(" ("));
            let binary = path.and_then(|(_, path)| {
                let path = self.dir().join(path);
                binaries.iter().find(|binary| binary.executable == path)
            });
            if let Some(binary) = binary {
                sections.push((binary.binary_id.clone(), String::new()));
            } else if let Some(library) = line.strip_prefix("   Doc-tests ") {
                sections.push((format!("doc/{library}"), String::new()));
            } else if let Some(flags) = line.strip_prefix("error: test failed, to rerun pass `") {
                let flags = flags.trim_end_matches('`');
                let named = binaries.iter().filter(|binary| binary.selectors.iter().any(|it| it == flags));
                failed.extend(named.map(|binary| &binary.binary_id));
            } else if let Some((_, text)) = sections.last_mut() {
                text.push_str(line);
                text.push('\n');
            }
        }
        let mut outcomes = Outcomes::new();
        for (id, text) in sections {
            let is_doctests = id.starts_with("doc/");
            let harness = if is_doctests { Harness::parse_doctests(&text) } else { Harness::parse(&text) };
            let counts = harness.counts.map(|counts| [counts.passed, counts.failed, counts.ignored]);
            let has_failed = match is_doctests {
                true => counts.is_none_or(|[_, failed, _]| failed > 0),
                false => failed.contains(&id),
            };
            let tests = outcomes.entry(id).or_default();
            tests.extend(harness.tests.iter().map(|(name, outcome)| (name.clone(), outcome.to_string())));
            tests.insert(WHOLE.to_owned(), whole(if has_failed { "failed" } else { "passed" }, counts));
        }
        if outcomes.is_empty() {
            bail!("`cargo test` ran nothing, or its output reads otherwise than this tool knows:\n{output}");
        }
        Ok(outcomes)
    }

    /// What we make of them.
    fn run_ours(&self, program: &Path) -> Result<Outcomes> {
        let target_dir = self.metadata["target_directory"].as_str().context("no target directory")?;
        let record = Path::new(target_dir).join("coverage/run.json");
        if record.exists() {
            std::fs::remove_file(&record)?;
        }
        let mut command = self.environment.command(program.as_os_str());
        command
            .args(["coverage", "--no-fail-fast", "--no-report", "--manifest-path"])
            .arg(&self.manifest_path);
        command.args(&self.flags).current_dir(self.dir());
        let output = command.stdin(Stdio::null()).output().context("failed to run our program")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let record = std::fs::read(&record)
            .with_context(|| format!("our program left no record ({}), it said:\n{said}", output.status))?;
        // 100 is for failed tests, which cargo may have too.
        if !matches!(output.status.code(), Some(0 | 100)) {
            println!("our program ended with {}, it said:\n{said}", output.status);
        }
        let record: Value = serde_json::from_slice(&record)?;
        let mut outcomes = Outcomes::new();
        for binary in record["tests"].as_array().into_iter().flatten() {
            let id = binary["binary_id"].as_str().context("no id")?;
            let section = id.rsplit_once("::").filter(|(_, target)| target.starts_with("doc/"));
            let section = section.map_or(id, |(_, target)| target);
            let tests = outcomes.entry(section.to_owned()).or_default();
            for (name, outcome) in binary["tests"].as_object().into_iter().flatten() {
                tests.insert(name.clone(), outcome.as_str().unwrap_or_default().to_owned());
            }
            let count = |index: usize| usize::try_from(binary["passed_failed_ignored"][index].as_u64()?).ok();
            let counts = count(0).zip(count(1)).zip(count(2));
            let counts = counts.map(|((passed, failed), ignored)| [passed, failed, ignored]);
            tests.insert(WHOLE.to_owned(), whole(binary["outcome"].as_str().unwrap_or_default(), counts));
        }
        Ok(outcomes)
    }
}

/// A whole test binary: how it ended, and what it says of its tests. A name may have been torn apart by the output of a test.
fn whole(outcome: &str, counts: Option<[usize; 3]>) -> String {
    match counts {
        Some([passed, failed, ignored]) => format!("{outcome}, {passed} + {failed} + {ignored}"),
        None => outcome.to_owned(),
    }
}

/// The flag by which cargo names a target.
fn selector(target: &CargoTarget) -> String {
    let name = &target.name;
    match target.kind {
        CargoTargetKind::Lib | CargoTargetKind::ProcMacro => "--lib".to_owned(),
        CargoTargetKind::Bin | CargoTargetKind::BuildScript => format!("--bin {name}"),
        CargoTargetKind::Test => format!("--test {name}"),
        CargoTargetKind::Bench => format!("--bench {name}"),
        CargoTargetKind::Example => format!("--example {name}"),
    }
}

/// Prints each difference and the totals of both sides; returns the number of differences.
fn print_comparison(cargos: &Outcomes, ours: &Outcomes) -> usize {
    let names = |cargos: Option<&BTreeMap<String, String>>, ours: Option<&BTreeMap<String, String>>| {
        let names = [cargos, ours].into_iter().flatten().flat_map(BTreeMap::keys);
        names.cloned().collect::<BTreeSet<String>>()
    };
    let mut differences = 0;
    let sections: BTreeSet<&String> = cargos.keys().chain(ours.keys()).collect();
    for section in sections {
        let (cargos, ours) = (cargos.get(section), ours.get(section));
        if cargos.is_none() || ours.is_none() {
            println!("{section}: run only by {}", if ours.is_some() { "us" } else { "cargo" });
            differences += 1;
        }
        for name in names(cargos, ours) {
            let outcome =
                |of: Option<&BTreeMap<String, String>>| of.and_then(|tests| tests.get(&name)).cloned();
            let (cargo, our) = (outcome(cargos), outcome(ours));
            if cargo != our {
                let missing = || "missing".to_owned();
                let (cargo, our) = (cargo.unwrap_or_else(missing), our.unwrap_or_else(missing));
                println!("{section} {name}: cargo {cargo}, ours {our}");
                differences += 1;
            }
        }
    }
    for (who, outcomes) in [("cargo", cargos), ("ours", ours)] {
        let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
        let tests = outcomes.values().flatten().filter(|(name, _)| *name != WHOLE);
        for (_, outcome) in tests {
            *totals.entry(outcome).or_default() += 1;
        }
        let totals: Vec<String> =
            totals.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        println!("{who}: {} sections, {}", outcomes.len(), totals.join(", "));
    }
    println!("{differences} differences");
    differences
}
