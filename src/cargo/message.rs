//! The lines that `cargo … --message-format=json` prints, one message each. Pure: reads text, starts nothing.

use crate::cargo::json::{flag, list, path, text, texts};
use crate::cargo::workspace::CargoTarget;
use anyhow::Result;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A line of cargo's stdout.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A unit is there, compiled just now or before.
    Artifact(Box<Artifact>),
    /// A build script ran, just now or before.
    BuildScript(BuildScript),
    /// What the compiler has to say, where cargo was told not to print it.
    Diagnostic {
        /// As it is printed, with its line ends.
        rendered: String,
        /// Whether it keeps the build from succeeding.
        is_error: bool,
    },
    /// The last message of a build.
    Finished {
        /// Whether everything was built.
        success: bool,
    },
    /// A message that we have no use for: another reason, or one from a newer cargo.
    Other,
    /// Not a message at all: cargo passes on what compilers and build scripts print.
    NotJson,
}

/// What cargo says of a unit (`compiler-artifact`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Cargo's package id.
    pub package_id: String,
    /// The manifest of the package.
    pub manifest_path: PathBuf,
    /// The cargo target that was compiled.
    pub target: CargoTarget,
    /// Whether it was compiled as a test.
    pub test: bool,
    /// The features that it was compiled with.
    pub features: Vec<String>,
    /// Every file that it consists of, under the names that the user sees where they have such names.
    pub filenames: Vec<PathBuf>,
    /// The program, for what can be started.
    pub executable: Option<PathBuf>,
    /// Whether nothing had to be compiled.
    pub fresh: bool,
}

impl Artifact {
    /// Whether `other` is about the same unit, told of a second time.
    pub fn is_unit(&self, other: &Artifact) -> bool {
        self.package_id == other.package_id
            && self.test == other.test
            && self.target == other.target
            && self.filenames == other.filenames
    }
}

/// What a build script told cargo (`build-script-executed`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildScript {
    /// Cargo's package id.
    pub package_id: String,
    /// Where it has native libraries, as it said it: `/dir` or `native=/dir`.
    pub linked_paths: Vec<String>,
    /// The variables that it set with `cargo::rustc-env`, in order.
    pub env: Vec<(String, String)>,
    /// Its `OUT_DIR`.
    pub out_dir: PathBuf,
}

/// Reads one line. A message of a known reason that lacks a field is [`Message::Other`]: it cannot be used.
pub fn parse(line: &str) -> Message {
    if !line.trim_start().starts_with('{') {
        return Message::NotJson;
    }
    let Ok(value) = serde_json::from_str::<Value>(line) else { return Message::NotJson };
    match value.get("reason").and_then(Value::as_str) {
        Some("compiler-artifact") => {
            parse_artifact(&value).map_or(Message::Other, |it| Message::Artifact(Box::new(it)))
        }
        Some("build-script-executed") => {
            parse_build_script(&value).map_or(Message::Other, Message::BuildScript)
        }
        Some("compiler-message") => parse_diagnostic(&value).unwrap_or(Message::Other),
        Some("build-finished") => Message::Finished { success: flag(&value, "success", false) },
        Some(_) => Message::Other,
        // A program's own JSON, not cargo's.
        None => Message::NotJson,
    }
}

fn parse_artifact(value: &Value) -> Result<Artifact> {
    let profile = value.get("profile").unwrap_or(&Value::Null);
    Ok(Artifact {
        package_id: text(value, "package_id")?,
        manifest_path: path(value, "manifest_path")?,
        target: CargoTarget::parse(value.get("target").unwrap_or(&Value::Null))?,
        test: flag(profile, "test", false),
        features: texts(value, "features"),
        filenames: texts(value, "filenames").into_iter().map(PathBuf::from).collect(),
        executable: path(value, "executable").ok(),
        fresh: flag(value, "fresh", false),
    })
}

fn parse_diagnostic(value: &Value) -> Option<Message> {
    let message = value.get("message")?;
    // "error: internal compiler error" is a level too.
    let is_error = message.get("level")?.as_str()?.starts_with("error");
    Some(Message::Diagnostic { rendered: message.get("rendered")?.as_str()?.to_owned(), is_error })
}

fn parse_build_script(value: &Value) -> Result<BuildScript> {
    let env = list(value, "env")
        .iter()
        .filter_map(|pair| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned())));
    Ok(BuildScript {
        package_id: text(value, "package_id")?,
        linked_paths: texts(value, "linked_paths"),
        env: env.collect(),
        out_dir: path(value, "out_dir")?,
    })
}

/// The directory in one of [`BuildScript::linked_paths`] (`get_dynamic_search_path` in cargo).
pub fn linked_directory(linked_path: &str) -> &Path {
    match linked_path.split_once('=') {
        Some(("native" | "crate" | "dependency" | "framework" | "all", directory)) => Path::new(directory),
        _ => Path::new(linked_path),
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, linked_directory, parse};
    use crate::cargo::workspace::CargoTargetKind;
    use std::path::{Path, PathBuf};

    const TEST: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/app#0.1.0","manifest_path":"/w/app/Cargo.toml",
        "target":{"kind":["test"],"crate_types":["bin"],"name":"my-it","src_path":"/w/app/tests/it.rs","edition":"2024",
        "doc":false,"doctest":false,"test":true},"profile":{"opt_level":"0","test":true},"features":["a"],
        "filenames":["/w/target/debug/deps/my_it-1"],"executable":"/w/target/debug/deps/my_it-1","fresh":true,"new":1}"#;

    #[test]
    fn a_test_executable() {
        let Message::Artifact(artifact) = parse(&TEST.replace('\n', "")) else { panic!("not an artifact") };
        assert_eq!(artifact.package_id, "path+file:///w/app#0.1.0");
        assert_eq!(artifact.target.kind, CargoTargetKind::Test);
        assert_eq!(artifact.target.crate_name(), "my_it");
        assert!(artifact.test && artifact.fresh);
        assert_eq!(artifact.executable.as_deref(), Some(Path::new("/w/target/debug/deps/my_it-1")));
        assert_eq!(artifact.features, ["a"]);
    }

    #[test]
    fn a_proc_macro_has_files_and_no_executable() {
        let line = TEST
            .replace('\n', "")
            .replace(r#"["test"]"#, r#"["proc-macro"]"#)
            .replace(r#""executable":"/w/target/debug/deps/my_it-1""#, r#""executable":null"#);
        let Message::Artifact(artifact) = parse(&line) else { panic!("not an artifact") };
        assert_eq!(artifact.target.kind, CargoTargetKind::ProcMacro);
        assert_eq!(artifact.executable, None);
        assert_eq!(artifact.filenames, [PathBuf::from("/w/target/debug/deps/my_it-1")]);
    }

    #[test]
    fn a_build_script() {
        let line = r#"{"reason":"build-script-executed","package_id":"p","linked_libs":["static=z"],
            "linked_paths":["native=/o/lib","/plain","dependency=/d","odd=/x"],"cfgs":[],
            "env":[["A","1"],["B","x=y"]],"out_dir":"/o"}"#;
        let Message::BuildScript(script) = parse(&line.replace('\n', "")) else {
            panic!("not a build script")
        };
        let directories: Vec<&Path> = script.linked_paths.iter().map(|path| linked_directory(path)).collect();
        assert_eq!(directories, ["/o/lib", "/plain", "/d", "odd=/x"].map(Path::new));
        assert_eq!(script.env, [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "x=y".to_owned())]);
        assert_eq!(script.out_dir, Path::new("/o"));
    }

    #[test]
    fn other_lines() {
        let rows = [
            (r#"{"reason":"build-finished","success":true}"#, Message::Finished { success: true }),
            (r#"{"reason":"build-finished","success":false}"#, Message::Finished { success: false }),
            (r#"{"reason":"build-started","run_id":"x"}"#, Message::Other),
            (r#"{"reason":"compiler-message","message":{}}"#, Message::Other),
            (
                r#"{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: w\n"}}"#,
                Message::Diagnostic { rendered: "warning: w\n".to_owned(), is_error: false },
            ),
            (
                r#"{"reason":"compiler-message","message":{"level":"error: internal compiler error","rendered":"e"}}"#,
                Message::Diagnostic { rendered: "e".to_owned(), is_error: true },
            ),
            (r#"{"reason":"compiler-artifact","package_id":"p"}"#, Message::Other),
            (r#"{"reason":"build-script-executed"}"#, Message::Other),
            (r#"{"event":"started"}"#, Message::NotJson),
            ("{ not json", Message::NotJson),
            ("warning: from a build script", Message::NotJson),
            ("", Message::NotJson),
        ];
        for (line, expected) in rows {
            assert_eq!(parse(line), expected, "{line}");
        }
    }
}
