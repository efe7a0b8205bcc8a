//! Doctests: how cargo would call rustdoc for each library. Runs no doctest.
//!
//! Cargo is given a link to this program as its rustdoc. Called under that name, we write down arguments, directory and
//! environment and succeed. So cargo decides which libraries have doctests and with what they are compiled, and the
//! runner can start rustdoc like any other test binary: in parallel with others, with a timeout, its output in one piece.
//!
//! The flags that instrument are added to rustdoc's arguments, which it passes on to the compiler of each doctest: generic
//! and inline functions of the library are compiled there, not in the library.

use crate::cargo::configuration;
use crate::cargo::environment::{Environment, Variables};
use crate::cargo::invocation::toml_string;
use crate::cargo::json::{list, path, texts};
use crate::cargo::role::{self, Role};
use crate::cargo::wrapper::{self, Wrapper};
use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// One line of JSON for each call, in the directory of the link.
const CALLS_FILE: &str = "rustdoc-calls.json";

// ---------------------------------------------------------------------------------------------------------------------
// The caller

/// What stands in for rustdoc while cargo is asked.
pub struct Recorder {
    link: PathBuf,
    calls: PathBuf,
    rustdoc: PathBuf,
}

impl Recorder {
    /// Puts the link beside that of `wrapper`, and takes the user's own choice of a rustdoc, which would win over the
    /// setting, out of `environment`.
    ///
    /// # Errors
    /// When the link cannot be made.
    pub fn install(
        wrapper: &Wrapper,
        environment: &mut Environment,
        sysroot: &Path,
        config: &[String],
    ) -> Result<Recorder> {
        let directory = wrapper.program.parent().context("the wrapper has no directory")?;
        let calls = directory.join(CALLS_FILE);
        match fs::remove_file(&calls) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("failed to remove `{}`", calls.display()));
            }
            _ => {}
        }
        let rustdoc = find_rustdoc(environment, sysroot, config)?;
        Ok(Recorder { link: Role::Rustdoc.install(directory)?, calls, rustdoc })
    }

    /// The argument of cargo's `--config` that makes it call us.
    ///
    /// # Errors
    /// When the path is not valid UTF-8.
    pub fn setting(&self) -> Result<String> {
        Ok(format!("build.rustdoc={}", toml_string(&self.link)?))
    }

    /// The rustdoc that cargo would have called.
    pub fn rustdoc(&self) -> &Path {
        &self.rustdoc
    }

    /// The calls that cargo made, in its order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn calls(&self) -> Result<Vec<RustdocCall>> {
        let text = match fs::read_to_string(&self.calls) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            text => text,
        };
        let parse = |line: &str| RustdocCall::from_json(&serde_json::from_str(line)?);
        text.map_err(anyhow::Error::from)
            .and_then(|text| text.lines().map(parse).collect())
            .with_context(|| format!("failed to read `{}`", self.calls.display()))
    }
}

/// The user's rustdoc: `RUSTDOC`, `CARGO_BUILD_RUSTDOC`, `build.rustdoc`, else the toolchain's.
fn find_rustdoc(environment: &mut Environment, sysroot: &Path, config: &[String]) -> Result<PathBuf> {
    let variable = environment.remove("RUSTDOC").or_else(|| environment.remove("CARGO_BUILD_RUSTDOC"));
    if let Some(program) = variable.filter(|it| !it.is_empty()) {
        return Ok(program.into());
    }
    let current_dir = env::current_dir().context("failed to find the current directory")?;
    if let Some((program, base)) = configuration::find(environment, &current_dir, config, "rustdoc") {
        // A bare name is looked up on the path, anything else starts from where the file is.
        return Ok(if program.contains(['/', '\\']) { base.join(program) } else { program.into() });
    }
    let own = sysroot.join("bin").join(format!("rustdoc{}", env::consts::EXE_SUFFIX));
    Ok(if own.is_file() { own } else { "rustdoc".into() })
}

/// A call of rustdoc for the doctests of one library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RustdocCall {
    /// All arguments.
    pub arguments: Vec<OsString>,
    /// The directory that it would have run in: the workspace's root.
    pub directory: PathBuf,
    /// What cargo put into its environment.
    pub variables: Variables,
}

impl RustdocCall {
    /// The directory of the library's manifest.
    pub fn package_dir(&self) -> Option<PathBuf> {
        self.variables.get(OsStr::new("CARGO_MANIFEST_DIR")).map(PathBuf::from)
    }

    /// The name of the crate.
    pub fn crate_name(&self) -> Option<String> {
        let position = self.arguments.iter().position(|argument| argument == "--crate-name")?;
        Some(self.arguments.get(position + 1)?.to_string_lossy().into_owned())
    }

    /// Takes the call apart into the user's target runner, which cargo passes on as rustdoc's runtool, and all other
    /// arguments with `more` behind them. Rustdoc takes one runtool only, and that is to be ours.
    pub fn split(&self, more: Vec<String>) -> (Vec<OsString>, Vec<OsString>) {
        let (mut runner, mut arguments) = (Vec::new(), Vec::new());
        let mut rest = self.arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--test-runtool" || argument == "--test-runtool-arg" {
                runner.extend(rest.next().cloned());
            } else {
                arguments.push(argument.clone());
            }
        }
        arguments.extend(more.into_iter().map(OsString::from));
        (runner, arguments)
    }

    fn from_json(value: &Value) -> Result<RustdocCall> {
        let pair = |it: &Value| Some((it.get(0)?.as_str()?.into(), it.get(1)?.as_str()?.into()));
        Ok(RustdocCall {
            arguments: texts(value, "arguments").into_iter().map(OsString::from).collect(),
            directory: path(value, "directory")?,
            variables: list(value, "variables").iter().filter_map(pair).collect(),
        })
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The callee: in place of rustdoc

/// Writes down how this process was called. `own` is the link under which it was started.
///
/// # Errors
/// When an argument is not valid UTF-8, or the file cannot be written.
pub fn record(own: &Path, arguments: &[OsString]) -> Result<u8> {
    let directory = role::directory_of(own)?;
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|argument| argument.to_str().ok_or_else(|| anyhow!("`{argument:?}` is not valid UTF-8")))
        .collect::<Result<_>>()?;
    let call = json!({
        "arguments": arguments,
        "directory": env::current_dir().context("failed to find the current directory")?,
        "variables": wrapper::variables_of_cargo(directory)?,
    });
    let file = directory.join(CALLS_FILE);
    File::options()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut file| writeln!(file, "{call}"))
        .with_context(|| format!("failed to write `{}`", file.display()))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::RustdocCall;
    use crate::cargo::environment::Variables;
    use serde_json::json;
    use std::ffi::OsString;
    use std::path::PathBuf;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    fn call(arguments: &str) -> RustdocCall {
        RustdocCall {
            arguments: words(arguments),
            directory: PathBuf::from("/w"),
            variables: Variables::from([("CARGO_MANIFEST_DIR".into(), "/w/app".into())]),
        }
    }

    #[test]
    fn the_runner_is_taken_out_and_flags_are_added() {
        let call = call(
            "--edition=2024 --crate-name my_app --test src/lib.rs --test-runtool /bin/qemu --test-runtool-arg -L \
             --test-runtool-arg --test-runtool --test-args --nocapture",
        );
        assert_eq!(call.crate_name().as_deref(), Some("my_app"));
        assert_eq!(call.package_dir(), Some(PathBuf::from("/w/app")));
        let (runner, arguments) = call.split(vec!["-C".to_owned(), "instrument-coverage".to_owned()]);
        assert_eq!(runner, words("/bin/qemu -L --test-runtool"));
        let rest = "--edition=2024 --crate-name my_app --test src/lib.rs --test-args --nocapture -C instrument-coverage";
        assert_eq!(arguments, words(rest));
    }

    #[test]
    fn what_was_written_is_read_back() {
        let value = json!({"arguments": ["--test", "src/lib.rs"], "directory": "/w", "variables": [["A", "1"], ["B"]]});
        let call = RustdocCall::from_json(&value).expect("complete");
        assert_eq!(call.arguments, words("--test src/lib.rs"));
        assert_eq!(call.variables, Variables::from([("A".into(), "1".into())]));
        assert!(RustdocCall::from_json(&json!({})).is_err());
    }
}
