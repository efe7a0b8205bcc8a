//! The user's target runner: the program that cargo puts before each test binary (`target.<triple>.runner`,
//! `target.'cfg(…)'.runner`, `CARGO_TARGET_<TRIPLE>_RUNNER`, `--config`). Runs no test.
//!
//! No cargo command on stable prints its configuration, and which of several settings wins, what a relative path starts
//! from and where a string is split are rules of cargo's own. But it hands the runner to rustdoc, for doctests:
//!
//! ```text
//! rustdoc … --test lib.rs … --test-runtool /path/of/runner --test-runtool-arg first --test-runtool-arg second …
//! ```
//!
//! So cargo gets an empty library to test the documentation of, with what stands in for rustdoc elsewhere too
//! ([`crate::cargo::doctests`]). That takes some 30 ms, half a second the first time, and is done only when the
//! configuration can name a runner at all.

use crate::cargo::configuration;
use crate::cargo::doctests::{Recorder, RustdocCall};
use crate::cargo::environment::Environment;
use crate::cargo::invocation::{BuildOptions, toml_string};
use crate::cargo::workspace::Workspace;
use crate::cargo::wrapper::Wrapper;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// The package that cargo is asked with, by the names of its files. Needs nothing of the target, not even `std`.
const PACKAGE: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[lib]\npath = \"lib.rs\"\n\n[workspace]\n",
    ),
    ("lib.rs", "//! Nothing.\n#![no_std]\n"),
];

/// The runners of a build, by what is compiled for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetRunners(Vec<(Option<String>, Vec<OsString>)>);

impl TargetRunners {
    /// Program and arguments to put before the test binaries for `target_triple`; `None` for those that are compiled
    /// without `--target`. Empty: nothing.
    pub fn of(&self, target_triple: Option<&str>) -> &[OsString] {
        let found = self.0.iter().find(|(triple, _)| triple.as_deref() == target_triple);
        found.map_or(&[], |(_, runner)| runner)
    }

    /// What cargo's calls of rustdoc say.
    fn from_calls(calls: &[RustdocCall]) -> TargetRunners {
        let runner = |call: &RustdocCall| {
            let target = call.arguments.iter().skip_while(|argument| *argument != "--target").nth(1);
            let triple = target.map(|target| {
                // The path of a target specification stands for its name.
                let name = target.to_string_lossy();
                let name = name.rsplit(['/', '\\']).next().unwrap_or(&name);
                name.strip_suffix(".json").unwrap_or(name).to_owned()
            });
            (triple, call.split(Vec::new()).0)
        };
        TargetRunners(calls.iter().map(runner).collect())
    }
}

/// Asks cargo for the runner of the tests that it would build with `options` in `current_dir`.
///
/// # Errors
/// When the configuration can name a runner and cargo cannot be asked: tests that start without their runner would fail in
/// ways that nobody understands.
pub fn discover(
    workspace: &Workspace,
    wrapper: &Wrapper,
    current_dir: &Path,
    options: &BuildOptions,
) -> Result<TargetRunners> {
    let environment = &workspace.environment;
    if !is_conceivable(environment, current_dir, &options.config) {
        return Ok(TargetRunners::default());
    }
    ask_cargo(workspace, wrapper, options).with_context(|| {
        "failed to find out the target runner, which cargo's configuration seems to name (`target.*.runner`, \
         `CARGO_TARGET_*_RUNNER`)"
    })
}

/// Whether anything in cargo's configuration can name a runner.
fn is_conceivable(environment: &Environment, current_dir: &Path, settings: &[String]) -> bool {
    let is_runner = |name: &OsString| {
        let name = name.to_string_lossy().to_ascii_uppercase();
        name.starts_with("CARGO_TARGET_") && name.ends_with("_RUNNER")
    };
    environment.variables().keys().any(is_runner)
        || configuration::may_mention(environment, current_dir, settings, "runner")
}

fn ask_cargo(workspace: &Workspace, wrapper: &Wrapper, options: &BuildOptions) -> Result<TargetRunners> {
    let directory = workspace.layout().probe();
    fs::create_dir_all(&directory).with_context(|| format!("failed to create `{}`", directory.display()))?;
    for (name, content) in PACKAGE {
        let path = directory.join(name);
        // What is written again, cargo compiles again.
        if !fs::read_to_string(&path).is_ok_and(|found| found == content) {
            fs::write(&path, content).with_context(|| format!("failed to write `{}`", path.display()))?;
        }
    }
    let mut environment = workspace.environment.clone();
    let recorder =
        Recorder::install(wrapper, &mut environment, &workspace.toolchain.sysroot, &options.config)?;
    let target_dir = directory.join("target");
    let mut command = environment.command(environment.cargo());
    let (name, value) = wrapper.variable();
    command
        .args(["test", "--doc", "--quiet", "--offline", "--color", "never", "--manifest-path"])
        .arg(directory.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target_dir)
        .env(name, value)
        // The user's flags for rustdoc may name a runner too, which is one for doctests alone.
        .env("CARGO_ENCODED_RUSTDOCFLAGS", "");
    let mut settings = options.config.clone();
    settings.push(recorder.setting()?);
    if workspace.build_dir.is_some() {
        settings.push(format!("build.build-dir={}", toml_string(&target_dir)?));
    }
    for setting in settings {
        command.arg("--config").arg(setting);
    }
    if let Some(target_triple) = &options.target_triple {
        command.arg("--target").arg(target_triple);
    }
    let shown = Path::new(environment.cargo()).display();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to run `{shown} test --doc`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{shown} test --doc` on the empty package `{}` said: {}",
            directory.display(),
            said.trim().strip_prefix("error: ").unwrap_or(said.trim())
        );
    }
    let calls = recorder.calls()?;
    if calls.is_empty() {
        bail!("`{shown} test --doc` did not call rustdoc; cargo 1.89 and later do, for every target");
    }
    Ok(TargetRunners::from_calls(&calls))
}

#[cfg(test)]
mod tests {
    use super::{TargetRunners, is_conceivable};
    use crate::cargo::doctests::RustdocCall;
    use crate::cargo::environment::{Environment, Variables};
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    #[test]
    fn calls_of_rustdoc() {
        let check = |calls: &[&[&str]], target_triple: Option<&str>, expected: &[&str]| {
            let call = |arguments: &&[&str]| RustdocCall {
                arguments: arguments.iter().map(OsString::from).collect(),
                directory: PathBuf::new(),
                variables: Variables::new(),
            };
            let runners = TargetRunners::from_calls(&calls.iter().map(call).collect::<Vec<_>>());
            assert_eq!(runners.of(target_triple), expected, "{target_triple:?} of {calls:?}");
        };
        check(&[&["--test", "lib.rs", "--extern", "probe=/p"]], None, &[]);
        let words = ["--test-runtool", "/a b/run", "--test-runtool-arg", "-L", "--test-runtool-arg", "/x y"];
        let runner = [&["--test", "lib.rs"][..], &words, &["-C", "linker=c"]].concat();
        check(&[&runner], None, &["/a b/run", "-L", "/x y"]);
        check(&[&runner], Some("t"), &[]);
        let both: [&[&str]; 2] = [
            &["--test", "--target", "t", "--test-runtool", "one"],
            &["--test", "--target", "/specs/s.json", "--test-runtool", "two"],
        ];
        check(&both, Some("t"), &["one"]);
        check(&both, Some("s"), &["two"]);
        check(&both, None, &[]);
    }

    #[test]
    fn when_to_ask() {
        let check = |name: &str, settings: &[&str], expected: bool| {
            let environment =
                Environment::scrub([(name.into(), "x".into()), ("CARGO_HOME".into(), "/nonexistent".into())]);
            let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
            let found = is_conceivable(&environment, Path::new("/nonexistent"), &settings);
            assert_eq!(found, expected, "{name} {settings:?}");
        };
        check("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", &[], true);
        check("CARGO_TARGET_DIR", &[], false);
        check("RUNNER", &["build.jobs=1"], false);
        check("RUNNER", &["target.'cfg(unix)'.runner='x'"], true);
    }
}
