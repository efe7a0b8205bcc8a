//! `--reuse`: a test binary that passed with all that it depends on being as it is now does not run again; its counts and its
//! result are those of then. What it depends on is its key.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::config::Config;
use super::{read_regular, sources, threads};
use crate::cache::results::{Entry, ResultCache};
use crate::cargo::build::{TestBinary, TestKind};
use crate::cargo::workspace::Workspace;
use crate::git::repository::Repository;
use crate::runner::harness::{Harness, TestCounts, TestOutcome};
use crate::runner::{BinaryResult, Earlier, Outcome, RunOptions};
use crate::source::{Options, tree};

/// Counted up whenever a key is made of other things, or an entry means something else.
const FORMAT: &str = "1";

/// Variables that differ from run to run, or from terminal to terminal. A test that depends on one of them must not be reused.
const VOLATILE: [&str; 11] = [
    "_",
    "COLUMNS",
    "HOSTNAME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LINES",
    "OLDPWD",
    "PWD",
    "RUST_RECURSION_COUNT",
    "SHLVL",
    "TERM",
];

/// What the names of more of them begin with: those of CI services, which number their runs, and of sessions.
const VOLATILE_PREFIXES: [&str; 13] = [
    "ACTIONS_",
    "BUILDKITE",
    "BUILD_",
    "CIRCLE_",
    "CI_",
    "DBUS_",
    "GITHUB_",
    "GITLAB_",
    "JENKINS_",
    "RUNNER_",
    "SSH_",
    "TRAVIS_",
    "XDG_SESSION",
];

/// What earlier runs have kept, and what keys are made of.
pub(super) struct Reuse<'a> {
    cache: ResultCache,
    config: &'a Config,
    /// What all keys begin with.
    common: md5::Context,
    /// Rust sources that git tracks, absolute, by path.
    sources: BTreeMap<PathBuf, String>,
    keys: Mutex<HashMap<String, String>>,
    /// Digests of programs and libraries, which are needed more than once.
    digests: Mutex<HashMap<PathBuf, Option<String>>>,
}

/// Where results are kept: in a directory of the workspace, so that a cache of CI finds it, but not below `target`, which is
/// another cache's matter.
pub(super) fn cache(workspace: &Workspace, config: &Config) -> (ResultCache, PathBuf) {
    let directory = config.cache_dir.clone().unwrap_or_else(|| workspace.root.join(".coverage-cache"));
    (ResultCache::new(&directory), directory)
}

impl<'a> Reuse<'a> {
    /// Reads what tests may read: every file that git tracks in the workspace and that is no source of a crate.
    ///
    /// # Errors
    /// Without git nobody knows which files these are.
    pub(super) fn new(workspace: &Workspace, config: &'a Config, options: &RunOptions) -> Result<Reuse<'a>> {
        let repository =
            Repository::open(&workspace.root).context("`--reuse` needs to know what git tracks")?;
        let tracked = repository.tracked()?;
        let root = workspace.root.canonicalize().unwrap_or_else(|_| workspace.root.clone());
        let compiled = compiled_sources(workspace, config);
        let has_dynamic_libraries =
            workspace.members.iter().flat_map(|member| &member.targets).any(|target| {
                target.crate_types.iter().any(|crate_type| crate_type == "dylib" || crate_type == "cdylib")
            });
        let mut common = md5::Context::new();
        let toolchain = &workspace.toolchain;
        for text in [FORMAT, env!("CARGO_PKG_VERSION"), &toolchain.release, &toolchain.host] {
            field(&mut common, text.as_bytes());
        }
        for argument in options.test_arguments() {
            field(&mut common, argument.as_encoded_bytes());
        }
        field(&mut common, format!("{:?} {}", options.timeout, options.continuous).as_bytes());
        let mut sources = BTreeMap::new();
        for path in tracked {
            let absolute = repository.top().join(&path);
            if !absolute.starts_with(&root) {
                continue;
            }
            let digest = read_regular(&absolute).map(|bytes| format!("{:x}", md5::compute(bytes)));
            let digest = digest.unwrap_or_default();
            let is_source = compiled.contains(&absolute);
            // Which tests load which library at run time is not known.
            if !is_source || has_dynamic_libraries {
                field(&mut common, path.as_os_str().as_encoded_bytes());
                field(&mut common, digest.as_bytes());
                // One that leads to a directory has no content of its own.
                let target = fs::read_link(&absolute).unwrap_or_default();
                field(&mut common, target.as_os_str().as_encoded_bytes());
            }
            if is_source {
                sources.insert(absolute, digest);
            }
        }
        Ok(Reuse {
            cache: cache(workspace, config).0,
            config,
            common,
            sources,
            keys: Mutex::default(),
            digests: Mutex::default(),
        })
    }

    /// What an earlier run has kept of a binary that depends on nothing else than it does now.
    pub(super) fn find(&self, binary: &TestBinary) -> Option<Earlier> {
        if self.is_flaky(binary) {
            return None;
        }
        let key = self.key(binary)?;
        let earlier = self.cache.get(&key).and_then(|entry| read(&entry));
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(binary.binary_id.clone(), key);
        earlier
    }

    /// Keeps the results of what has run to success.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub(super) fn keep(&self, results: &[BinaryResult]) -> Result<()> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        for result in results {
            let is_whole = result.outcome == Outcome::Passed
                && result.leftovers.is_empty()
                && !result.profile_missing
                && !result.reused;
            if let Some(key) = keys.get(&result.binary_id).filter(|_| is_whole)
                && let Some(entry) = write(result)
            {
                self.cache.put(key, &entry)?;
            }
        }
        Ok(())
    }

    /// Whether its manifest says that its results are not to be trusted twice.
    fn is_flaky(&self, binary: &TestBinary) -> bool {
        let flaky = self.config.tests.flaky.get(&binary.package);
        flaky.is_some_and(|targets| targets.contains(&binary.cargo_target.name))
    }

    /// A digest of all that a binary depends on; `None` if a part of that cannot be read.
    fn key(&self, binary: &TestBinary) -> Option<String> {
        let mut key = self.common.clone();
        field(&mut key, binary.binary_id.as_bytes());
        field(&mut key, binary.current_dir.as_os_str().as_encoded_bytes());
        field(&mut key, self.digest(&binary.executable)?.as_bytes());
        for word in binary.runner.iter().chain(&binary.arguments) {
            field(&mut key, word.as_encoded_bytes());
            // Libraries that doctests are linked with, a runner's own files.
            if let Some(digest) = self.digest(&named_file(word)) {
                field(&mut key, digest.as_bytes());
            }
        }
        for (name, value) in &binary.variables {
            if is_volatile(name) {
                continue;
            }
            field(&mut key, name.as_encoded_bytes());
            field(&mut key, value.as_encoded_bytes());
            if name.as_encoded_bytes().starts_with(b"CARGO_BIN_EXE_") {
                field(&mut key, self.digest(Path::new(value))?.as_bytes());
            }
        }
        if binary.kind == TestKind::Doctests {
            let package = fs::canonicalize(binary.tested_in()).ok()?;
            for (path, digest) in self.sources.iter().filter(|(path, _)| path.starts_with(&package)) {
                field(&mut key, path.as_os_str().as_encoded_bytes());
                field(&mut key, digest.as_bytes());
            }
        }
        Some(format!("{:x}", key.finalize()))
    }

    fn digest(&self, path: &Path) -> Option<String> {
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = || read_regular(path).map(|bytes| format!("{:x}", md5::compute(bytes)));
        digests.entry(path.to_owned()).or_insert_with(digest).clone()
    }
}

/// The sources that cargo compiles: those that the main files of crates lead to. Any other `.rs` file is read by tests, if at all.
fn compiled_sources(workspace: &Workspace, config: &Config) -> BTreeSet<PathBuf> {
    let layout = sources::source_layout(workspace, config);
    let roots = layout.packages.iter().flat_map(|package| {
        let auxiliary = package.auxiliary_targets.iter().map(|(_, path)| path);
        package.crate_roots.iter().chain(auxiliary).map(PathBuf::from)
    });
    let roots: Vec<PathBuf> = roots.collect();
    let found = tree::walk(&roots, &[], &Options::default(), threads(config).get(), &read_regular);
    found.into_keys().map(|path| path.canonicalize().unwrap_or(path)).collect()
}

/// Adds a part whose end cannot be mistaken.
fn field(key: &mut md5::Context, bytes: &[u8]) {
    key.consume((bytes.len() as u64).to_le_bytes());
    key.consume(bytes);
}

/// The file in `--extern name=path`, `path`, or no file at all.
fn named_file(word: &OsStr) -> PathBuf {
    let text = word.to_string_lossy();
    PathBuf::from(text.rsplit_once('=').map_or(&*text, |(_, path)| path))
}

fn is_volatile(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    VOLATILE.contains(&&*name) || VOLATILE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn write(result: &BinaryResult) -> Option<Entry> {
    let milliseconds = |duration: &Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let counts = result.harness.counts.map(|counts| {
        let TestCounts { passed, failed, ignored, measured, filtered_out } = counts;
        [passed, failed, ignored, measured, filtered_out]
    });
    let tests = result.harness.tests.iter().map(|(name, outcome)| (name.clone(), outcome.to_string().into()));
    let durations = result.durations.iter().map(|(name, took)| (name.clone(), milliseconds(took).into()));
    let mut files = Vec::new();
    for (paths, extension) in [(&result.profiles, PROFILE), (&result.objects, OBJECT)] {
        for (number, path) in paths.iter().enumerate() {
            files.push((format!("{number:04}{extension}"), fs::read(path).ok()?));
        }
    }
    let description = json!({
        "binary_id": result.binary_id,
        "duration_ms": milliseconds(&result.duration),
        "counts": counts,
        "tests": tests.collect::<Map<String, Value>>(),
        "durations_ms": durations.collect::<Map<String, Value>>(),
    });
    Some(Entry { description, files })
}

const PROFILE: &str = ".profraw";
const OBJECT: &str = ".o";

fn read(entry: &Entry) -> Option<Earlier> {
    let description = &entry.description;
    let duration = |value: &Value| value.as_u64().map(Duration::from_millis);
    let counts = match description.get("counts")? {
        Value::Null => None,
        counts => {
            let numbers = counts.as_array()?.iter().map(|count| usize::try_from(count.as_u64()?).ok());
            let [passed, failed, ignored, measured, filtered_out] =
                numbers.collect::<Option<Vec<usize>>>()?.try_into().ok()?;
            Some(TestCounts { passed, failed, ignored, measured, filtered_out })
        }
    };
    let outcome = |name: &str| {
        use TestOutcome::{Failed, Ignored, Measured, Passed};
        [Passed, Failed, Ignored, Measured].into_iter().find(|outcome| outcome.to_string() == name)
    };
    let tests = description.get("tests")?.as_object()?.iter();
    let tests = tests.map(|(name, value)| Some((name.clone(), outcome(value.as_str()?)?)));
    let durations = description.get("durations_ms")?.as_object()?.iter();
    let files = |extension: &str| {
        let wanted = entry.files.iter().filter(move |(name, _)| name.ends_with(extension));
        wanted.map(|(_, bytes)| bytes.clone()).collect()
    };
    Some(Earlier {
        harness: Harness { tests: tests.collect::<Option<_>>()?, counts },
        duration: duration(description.get("duration_ms")?)?,
        durations: durations
            .map(|(name, took)| Some((name.clone(), duration(took)?)))
            .collect::<Option<_>>()?,
        profiles: files(PROFILE),
        objects: files(OBJECT),
    })
}
