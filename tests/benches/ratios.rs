//! Whole processes side by side with the peers, as ratios: `cargo bench --bench ratios -- WHAT --manifest-path PATH`.
//!
//! | what | ours | the peer's |
//! |---|---|---|
//! | `report` | `coverage report --lcov` | `llvm-profdata merge` and `llvm-cov export` on the same files |
//! | `report-per-process` | the same on one raw profile for each process | the same |
//! | `whole` | `coverage` after `cargo test`, then again | `cargo llvm-cov` on a copy, then again |
//! | `tests` | `coverage`, everything compiled | `cargo test`, and `cargo llvm-cov` |
//! | `many` | the same on a made workspace of 60 small test binaries | the same |
//! | `install` | `cargo xtask coverage --help` from nothing | `cargo install cargo-llvm-cov --locked` |
//!
//! `--runs N` says how often. What stands behind a further `--` goes to all commands of `tests`, `many` and `whole`: as long as
//! only `cargo test` runs doctests, `-- --lib --bins --tests --examples` keeps them out.
//!
//! The sides run in turn, and the ratio is that of each pair, so a machine whose speed drifts drifts for both. Our
//! side is the program that users of the alias get: a debug build of `xtask`. Peak memory is that of the largest process.
//! Needs GNU time as `/usr/bin/time`, and the peer.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod xtask;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};
use xtask_coverage::cargo::environment::Environment;

/// The tools' names end in LLVM's version on Debian; `LLVM_PROFDATA` and `LLVM_COV` name others.
const LLVM_SUFFIX: &str = "-22";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let what = arguments.next().unwrap_or_default();
    let mut manifest_path = PathBuf::from("Cargo.toml");
    let mut runs = 5;
    let mut flags = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            flags.extend(arguments.by_ref().map(OsString::from));
            break;
        }
        let value = arguments.next().with_context(|| format!("`{argument}` takes a value"))?;
        match argument.as_str() {
            "--manifest-path" => manifest_path = PathBuf::from(value),
            "--runs" => runs = value.parse().context("`--runs` takes a number")?,
            _ => bail!("unknown argument `{argument}`"),
        }
    }
    let bench = Bench::new(&manifest_path, runs, flags)?;
    match what.as_str() {
        "report" => bench.report(&[]),
        "report-per-process" => bench.report(&["--no-continuous"]),
        "whole" => bench.whole(),
        "tests" => bench.tests(&bench.manifest_path),
        "many" => bench.tests(&make_many_tests(&bench.scratch.join("many"))?),
        "install" => bench.install(),
        _ => bail!("what to measure: `report`, `report-per-process`, `whole`, `tests`, `many` or `install`"),
    }
}

struct Bench {
    sh: Shell,
    /// Our program as the alias builds it.
    xtask: PathBuf,
    manifest_path: PathBuf,
    runs: usize,
    /// The user's, for ours and theirs.
    flags: Vec<OsString>,
    /// For everything that is thrown away.
    scratch: PathBuf,
}

/// What one process took.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    peak_kib: f64,
}

impl std::ops::Add for Cost {
    type Output = Cost;

    /// One after the other.
    fn add(self, other: Cost) -> Cost {
        Cost { seconds: self.seconds + other.seconds, peak_kib: self.peak_kib.max(other.peak_kib) }
    }
}

impl Bench {
    fn new(manifest_path: &Path, runs: usize, flags: Vec<OsString>) -> Result<Bench> {
        let sh = Shell::new()?;
        let xtask = xtask::build()?;
        let scratch = std::env::temp_dir().join(format!("xtask-coverage-ratios-{}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        let manifest_path = std::fs::canonicalize(manifest_path)
            .with_context(|| format!("no manifest `{}`", manifest_path.display()))?;
        Ok(Bench { sh, xtask, manifest_path, runs, flags, scratch })
    }

    /// Runs a command with its output thrown away and measures it. Peak memory is measured in a run of its own: what
    /// measures it would take part of the time.
    fn cost(&self, program: &str, arguments: &[OsString], variables: &[(&str, &str)]) -> Result<Cost> {
        let seconds = self.seconds(program, arguments, variables)?;
        Ok(Cost { seconds, peak_kib: f64::NAN })
    }

    fn seconds(&self, program: &str, arguments: &[OsString], variables: &[(&str, &str)]) -> Result<f64> {
        // What `cargo bench` has set for us would make build scripts run again.
        let environment = Environment::inherited();
        let mut command = environment.command(OsStr::new(program));
        // Under `cargo xtask` this variable names the cargo that runs it, past rustup's proxy.
        command.env("CARGO", environment.cargo());
        command.args(arguments).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().with_context(|| format!("failed to run `{program}`"))?;
        let seconds = start.elapsed().as_secs_f64();
        ensure!(status.success(), "`{program}` failed ({status})");
        Ok(seconds)
    }

    /// The same with the peak memory, and with no time.
    fn peak(&self, program: &str, arguments: &[OsString]) -> Result<Cost> {
        let figures = self.scratch.join("figures");
        let command = cmd!(self.sh, "/usr/bin/time --quiet -o {figures} -f %M {program} {arguments...}");
        let output = command.quiet().ignore_status().output().context("failed to run /usr/bin/time")?;
        ensure!(output.status.success(), "`{program}` failed ({})", output.status);
        let text = std::fs::read_to_string(&figures)?;
        let peak_kib = text.trim().parse().with_context(|| format!("/usr/bin/time printed {text:?}"))?;
        Ok(Cost { seconds: 0.0, peak_kib })
    }

    fn our_arguments(&self, arguments: &[&str]) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        arguments.extend(["--manifest-path".into(), self.manifest_path.clone().into()]);
        arguments
    }

    /// A command for the workspace of `manifest_path`, with the user's flags.
    fn arguments(&self, words: &[&str], manifest_path: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
        arguments.extend(["--manifest-path".into(), manifest_path.into()]);
        arguments.extend(self.flags.iter().cloned());
        arguments
    }

    fn llvm_cov_arguments(&self, manifest_path: &Path) -> Vec<OsString> {
        let output = self.scratch.join("theirs.info");
        let words = ["llvm-cov", "--workspace", "--lcov", "--output-path", &output.to_string_lossy()];
        self.arguments(&words, manifest_path)
    }

    fn report(&self, flags: &[&str]) -> Result<()> {
        println!("preparing: one run of the tests");
        let program = self.xtask.to_string_lossy().into_owned();
        let prepare = [&["coverage", "--no-report", "--no-fail-fast", "--ignore-run-fail"], flags].concat();
        self.cost(&program, &self.our_arguments(&prepare), &[])?;
        let record = self.last_run()?;
        let paths = |key: &str| -> Vec<String> {
            let list = record[key].as_array().cloned().unwrap_or_default();
            list.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
        };
        let (objects, profiles) = (paths("objects"), paths("profiles"));
        let bytes: u64 = profiles.iter().filter_map(|path| Some(std::fs::metadata(path).ok()?.len())).sum();
        println!("{} objects, {} raw profiles of {} kB", objects.len(), profiles.len(), bytes / 1000);

        let list = self.scratch.join("profiles");
        std::fs::write(&list, profiles.join("\n"))?;
        let merged = self.scratch.join("merged.profdata");
        let output = self.scratch.join("lcov.info");
        let profdata = tool("LLVM_PROFDATA", "llvm-profdata");
        let cov = tool("LLVM_COV", "llvm-cov");
        let merge: Vec<OsString> = vec![
            "merge".into(),
            "-sparse".into(),
            "-f".into(),
            list.into(),
            "-o".into(),
            merged.clone().into(),
        ];
        let mut export: Vec<OsString> =
            vec!["export".into(), "-format=lcov".into(), "-instr-profile".into(), merged.into()];
        for (index, object) in objects.iter().enumerate() {
            if index > 0 {
                export.push("-object".into());
            }
            export.push(object.into());
        }
        let output = output.to_string_lossy().into_owned();
        let report = self.our_arguments(&[
            "coverage",
            "report",
            "--lcov",
            "--no-default-exclude",
            "--output-path",
            &output,
        ]);
        self.compare(
            "report",
            || self.cost(&program, &report, &[]),
            || Ok(self.cost(&profdata, &merge, &[])? + self.cost(&cov, &export, &[])?),
        )?;
        let ours = self.peak(&program, &report)?;
        let theirs = self.peak(&profdata, &merge)? + self.peak(&cov, &export)?;
        Pairs(vec![(ours, theirs)]).print_memory("report");
        Ok(())
    }

    /// The `run.json` of the measured workspace.
    fn last_run(&self) -> Result<serde_json::Value> {
        let manifest_path = &self.manifest_path;
        let metadata =
            cmd!(self.sh, "cargo metadata --no-deps --format-version 1 --manifest-path {manifest_path}")
                .quiet()
                .read()?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let target_dir = metadata["target_directory"].as_str().context("no target directory")?;
        Ok(serde_json::from_slice(&std::fs::read(Path::new(target_dir).join("coverage/run.json"))?)?)
    }

    /// Both tools on copies of the workspace, which both have seen `cargo test --no-run`.
    fn whole(&self) -> Result<()> {
        let source = self.manifest_path.parent().context("no directory")?;
        let variables = llvm_tools();
        let variables = borrowed(&variables);
        let mut first = Pairs::default();
        let mut second = Pairs::default();
        for run in 0..self.runs {
            let (ours, theirs) = (self.scratch.join("ours"), self.scratch.join("theirs"));
            for copy in [&ours, &theirs] {
                if copy.exists() {
                    std::fs::remove_dir_all(copy)?;
                }
                cmd!(self.sh, "git clone --quiet {source} {copy}").quiet().run()?;
                // Changes that are not committed belong to what is measured.
                let diff = cmd!(self.sh, "git -C {source} diff HEAD --binary").quiet().output()?.stdout;
                if !diff.is_empty() {
                    cmd!(self.sh, "git -C {copy} apply").stdin(diff).quiet().run()?;
                }
                let manifest = copy.join("Cargo.toml");
                self.cost("cargo", &self.arguments(&["test", "--workspace", "--no-run"], &manifest), &[])?;
            }
            let program = self.xtask.to_string_lossy().into_owned();
            let our_arguments = self.arguments(&["coverage"], &ours.join("Cargo.toml"));
            let their_arguments = self.llvm_cov_arguments(&theirs.join("Cargo.toml"));
            for (which, pairs) in [("first", &mut first), ("second", &mut second)] {
                let our = self.cost(&program, &our_arguments, &[])?;
                let their = self.cost("cargo", &their_arguments, &variables)?;
                println!("{} {which}: {:.2} s, {:.2} s", run + 1, our.seconds, their.seconds);
                pairs.0.push((our, their));
            }
        }
        first.print("first run after `cargo test`");
        second.print("second run, nothing changed");
        Ok(())
    }

    /// Runs of the tests when everything is compiled. cargo-llvm-cov by itself compiles the workspace's own packages again each
    /// time; with `--no-clean` it does not, and its raw profiles of the last run are removed outside of the measured time.
    fn tests(&self, manifest_path: &Path) -> Result<()> {
        let variables = llvm_tools();
        let program = self.xtask.to_string_lossy().into_owned();
        let plain_arguments = self.arguments(&["test", "--workspace"], manifest_path);
        let our_arguments = self.arguments(&["coverage"], manifest_path);
        let unreported_arguments = self.arguments(&["coverage", "--no-report"], manifest_path);
        let mut their_arguments = self.llvm_cov_arguments(manifest_path);
        their_arguments.insert(1, "--no-clean".into());
        let clean = ["llvm-cov", "clean", "--workspace", "--profraw-only", "--manifest-path"];
        let mut clean_arguments: Vec<OsString> = clean.iter().map(OsString::from).collect();
        clean_arguments.push(manifest_path.into());
        let plain = || self.cost("cargo", &plain_arguments, &[]);
        let ours = || self.cost(&program, &our_arguments, &[]);
        let unreported = || self.cost(&program, &unreported_arguments, &[]);
        let theirs = || {
            self.cost("cargo", &clean_arguments, &[])?;
            self.cost("cargo", &their_arguments, &borrowed(&variables))
        };
        println!("preparing: one run of each that does not count");
        for run in [&plain as &dyn Fn() -> Result<Cost>, &ours, &unreported, &theirs] {
            run()?;
        }
        let (mut to_plain, mut to_plain_unreported) = (Pairs::default(), Pairs::default());
        let mut to_llvm_cov = Pairs::default();
        for run in 0..self.runs {
            let (plain, ours, unreported, theirs) = (plain()?, ours()?, unreported()?, theirs()?);
            println!(
                "{}: cargo test {:.2} s, ours {:.2} s, without a report {:.2} s, cargo llvm-cov {:.2} s",
                run + 1,
                plain.seconds,
                ours.seconds,
                unreported.seconds,
                theirs.seconds
            );
            to_plain.0.push((ours, plain));
            to_plain_unreported.0.push((unreported, plain));
            to_llvm_cov.0.push((ours, theirs));
        }
        to_plain.print("against `cargo test`");
        to_plain_unreported.print("without a report, against `cargo test`");
        to_llvm_cov.print("against `cargo llvm-cov`");
        Ok(())
    }

    /// From sources that are there already to the first line of help, with an empty target directory.
    fn install(&self) -> Result<()> {
        let ours = self.scratch.join("cold-target");
        let theirs = self.scratch.join("cold-root");
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let our_arguments: Vec<OsString> = ["run", "--package", "xtask", "--manifest-path"]
            .iter()
            .map(OsString::from)
            .chain([manifest.into(), "--target-dir".into(), ours.clone().into()])
            .chain(["--", "coverage", "--help"].iter().map(OsString::from))
            .collect();
        let their_arguments: Vec<OsString> = ["install", "cargo-llvm-cov", "--locked", "--force", "--root"]
            .iter()
            .map(OsString::from)
            .chain([theirs.clone().into()])
            .collect();
        let cold = |directory: &Path, arguments: &[OsString]| {
            if directory.exists() {
                std::fs::remove_dir_all(directory)?;
            }
            self.cost("cargo", arguments, &[])
        };
        self.compare("install", || cold(&ours, &our_arguments), || cold(&theirs, &their_arguments))
    }

    /// Measures both in turn, after one run each that does not count.
    fn compare(
        &self,
        name: &str,
        ours: impl Fn() -> Result<Cost>,
        theirs: impl Fn() -> Result<Cost>,
    ) -> Result<()> {
        ours()?;
        theirs()?;
        let mut pairs = Pairs::default();
        for _ in 0..self.runs {
            pairs.0.push((ours()?, theirs()?));
        }
        pairs.print(name);
        Ok(())
    }
}

/// Ours and theirs, run by run.
#[derive(Default)]
struct Pairs(Vec<(Cost, Cost)>);

impl Pairs {
    fn print(&self, name: &str) {
        let of = |figure: fn(&Cost) -> f64| {
            let ours = median(self.0.iter().map(|(ours, _)| figure(ours)));
            let theirs = median(self.0.iter().map(|(_, theirs)| figure(theirs)));
            let ratio = median(self.0.iter().map(|(ours, theirs)| figure(ours) / figure(theirs)));
            (ours, theirs, ratio)
        };
        let (ours, theirs, ratio) = of(|cost| cost.seconds);
        println!(
            "{name}: {ours:.3} s, theirs {theirs:.3} s, ratio {ratio:.3} ({:.1} times faster), median of {} pairs",
            1.0 / ratio,
            self.0.len()
        );
    }

    fn print_memory(&self, name: &str) {
        for (ours, theirs) in &self.0 {
            let (ours, theirs) = (ours.peak_kib / 1024.0, theirs.peak_kib / 1024.0);
            println!("{name}: peak memory {ours:.1} MiB, theirs {theirs:.1} MiB, ratio {:.3}", ours / theirs);
        }
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Makes a workspace of ten packages with six integration tests each, in which every test computes a little and waits a little,
/// as tests of services do. Returns its manifest.
fn make_many_tests(root: &Path) -> Result<PathBuf> {
    const LIB: &str = "//! Something to compute.

pub fn collatz(limit: u64) -> u64 {
    (1..limit)
        .map(|start| {
            let (mut number, mut steps) = (start, 0);
            while number != 1 {
                number = if number % 2 == 0 { number / 2 } else { 3 * number + 1 };
                steps += 1;
            }
            steps
        })
        .max()
        .unwrap_or(0)
}
";
    const TEST: &str = "use std::{thread, time::Duration};

fn work(limit: u64) {
    assert!(NAME::collatz(limit) > 0);
    thread::sleep(Duration::from_millis(10));
}

#[test]
fn one() {
    work(1000);
}

#[test]
fn two() {
    work(2000);
}

#[test]
fn three() {
    work(3000);
}
";
    let write = |path: PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap_or(root)).and_then(|()| std::fs::write(path, text))
    };
    for package in (0..10).map(|number| format!("many{number}")) {
        let directory = root.join(&package);
        let manifest = format!(
            "[package]\nname = \"{package}\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[lib]\ndoctest = false\n"
        );
        write(directory.join("Cargo.toml"), &manifest)?;
        write(directory.join("src/lib.rs"), LIB)?;
        for test in 0..6 {
            write(directory.join(format!("tests/it{test}.rs")), &TEST.replace("NAME", &package))?;
        }
    }
    let manifest = root.join("Cargo.toml");
    write(manifest.clone(), "[workspace]\nresolver = \"2\"\nmembers = [\"many*\"]\n")?;
    Ok(manifest)
}

/// The variables that tell cargo-llvm-cov of LLVM's tools.
fn llvm_tools() -> [(&'static str, String); 2] {
    [("LLVM_PROFDATA", "llvm-profdata"), ("LLVM_COV", "llvm-cov")]
        .map(|(variable, name)| (variable, tool(variable, name)))
}

fn borrowed<'a>(variables: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn tool(variable: &str, name: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| format!("{name}{LLVM_SUFFIX}"))
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What is left in the temporary directory does no harm.
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}
