//! Whole processes side by side with the peers, as ratios: `cargo bench --bench ratios -- WHAT --manifest-path PATH`.
//!
//! | what | ours | the peer's |
//! |---|---|---|
//! | `report` | `coverage report --lcov` | `llvm-profdata merge` and `llvm-cov export` on the same files |
//! | `report-per-process` | the same on one raw profile for each process | the same |
//! | `whole` | `coverage` after `cargo test`, then again | `cargo llvm-cov` on a copy, then again |
//! | `install` | `cargo xtask coverage --help` from nothing | `cargo install cargo-llvm-cov --locked` |
//!
//! The two sides run in turn, and the ratio is that of each pair, so a machine whose speed drifts drifts for both. Our
//! side is the program that users of the alias get: a debug build of `xtask`. Peak memory is that of the largest process.
//! Needs GNU time as `/usr/bin/time`, and the peer.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod xtask;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

/// The tools' names end in LLVM's version on Debian; `LLVM_PROFDATA` and `LLVM_COV` name others.
const LLVM_SUFFIX: &str = "-22";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let what = arguments.next().unwrap_or_default();
    let mut manifest_path = PathBuf::from("Cargo.toml");
    let mut runs = 5;
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("`{argument}` takes a value"))?;
        match argument.as_str() {
            "--manifest-path" => manifest_path = PathBuf::from(value),
            "--runs" => runs = value.parse().context("`--runs` takes a number")?,
            _ => bail!("unknown argument `{argument}`"),
        }
    }
    let bench = Bench::new(&manifest_path, runs)?;
    match what.as_str() {
        "report" => bench.report(&[]),
        "report-per-process" => bench.report(&["--no-continuous"]),
        "whole" => bench.whole(),
        "install" => bench.install(),
        _ => bail!("what to measure: `report`, `report-per-process`, `whole` or `install`"),
    }
}

struct Bench {
    sh: Shell,
    /// Our program as the alias builds it.
    xtask: PathBuf,
    manifest_path: PathBuf,
    runs: usize,
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
    fn new(manifest_path: &Path, runs: usize) -> Result<Bench> {
        let sh = Shell::new()?;
        let xtask = xtask::build()?;
        let scratch = std::env::temp_dir().join(format!("xtask-coverage-ratios-{}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        let manifest_path = std::fs::canonicalize(manifest_path)
            .with_context(|| format!("no manifest `{}`", manifest_path.display()))?;
        Ok(Bench { sh, xtask, manifest_path, runs, scratch })
    }

    /// Runs a command with its output thrown away and measures it. Peak memory is measured in a run of its own: what
    /// measures it would take part of the time.
    fn cost(&self, program: &str, arguments: &[OsString], variables: &[(&str, &str)]) -> Result<Cost> {
        let seconds = self.seconds(program, arguments, variables)?;
        Ok(Cost { seconds, peak_kib: f64::NAN })
    }

    fn seconds(&self, program: &str, arguments: &[OsString], variables: &[(&str, &str)]) -> Result<f64> {
        let mut command = Command::new(program);
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
        let variables = [
            ("LLVM_PROFDATA", tool("LLVM_PROFDATA", "llvm-profdata")),
            ("LLVM_COV", tool("LLVM_COV", "llvm-cov")),
        ];
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
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
                let arguments: Vec<OsString> = vec![
                    "test".into(),
                    "--workspace".into(),
                    "--no-run".into(),
                    "--manifest-path".into(),
                    manifest.into(),
                ];
                self.cost("cargo", &arguments, &[])?;
            }
            let program = self.xtask.to_string_lossy().into_owned();
            let our_arguments: Vec<OsString> =
                vec!["coverage".into(), "--manifest-path".into(), ours.join("Cargo.toml").into()];
            let their_arguments: Vec<OsString> = vec![
                "llvm-cov".into(),
                "--workspace".into(),
                "--lcov".into(),
                "--output-path".into(),
                self.scratch.join("theirs.info").into(),
                "--manifest-path".into(),
                theirs.join("Cargo.toml").into(),
            ];
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

fn tool(variable: &str, name: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| format!("{name}{LLVM_SUFFIX}"))
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What is left in the temporary directory does no harm.
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}
