//! `run.json`: what a run measured with, so that its reports can be rendered again without cargo.
//!
//! The file is for this program and for harnesses that feed LLVM's own tools. Paths in it are absolute, so a checkout that
//! was moved has to run again.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::partition::Partition;
use crate::filter::{AuxiliaryKind, PackageSources, SourceLayout};
use crate::ui::message::Advised;

/// Counted up whenever a field changes its meaning.
const FORMAT: u64 = 4;

/// What a run measured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// The workspace's root directory.
    pub workspace_root: PathBuf,
    /// Where the sources are, and whose they are.
    pub sources: SourceLayout,
    /// Executables and libraries, in the order in which they are read.
    pub objects: Vec<PathBuf>,
    /// The coverage maps of doctests, which are read behind the objects.
    pub doctest_objects: Vec<PathBuf>,
    /// Raw profiles.
    pub profiles: Vec<PathBuf>,
    /// Directories whose raw profiles count too: those that are there when the report is made.
    pub profile_dirs: Vec<PathBuf>,
    /// The hash of the wrapper with which another harness builds; its objects are looked for when the report is made.
    pub outside: Option<String>,
    /// The test binaries that ran.
    pub tests: Vec<TestRecord>,
    /// What the manifests said: first the workspace's, then those of its members.
    pub manifests: Vec<ManifestRecord>,
    /// How it was built, where that was recorded.
    pub origin: Option<Origin>,
    /// Which part of the test binaries ran, where others ran elsewhere.
    pub partition: Option<PartitionRecord>,
    /// The files with maps and counts of other runs, in place of objects and profiles: then this is the record of a merge.
    pub partials: Vec<PathBuf>,
    /// Of a merge, one object for each run: its `file`, how it was built, what it ran.
    pub contributors: Vec<Value>,
    /// Whether it is known that not all tests ran, those of other parts apart.
    pub is_partial: bool,
    /// How many things the run warned of, and the reports that were made with it, by the word behind the warning. Older records
    /// have none.
    pub warnings: BTreeMap<String, u64>,
    /// When the run had ended, if that is some time ago. Sources that are newer are not those that were measured.
    pub recorded: Option<SystemTime>,
}

/// How a run was built: what makes it another one than a run of the same tests elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The flags that select packages, features and the like, as they are typed.
    pub configuration: Vec<String>,
    /// What was built for.
    pub target_triple: String,
    /// The compiler's version: `1.95.0`.
    pub rustc: String,
}

/// A part of the test binaries, or of the tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionRecord {
    /// Which part.
    pub part: Partition,
    /// Whether cargo-nextest has shared out single tests, not whole binaries.
    pub of_tests: bool,
    /// The ids of all test binaries, also those of other parts, in cargo's order.
    pub binaries: Vec<String>,
}

/// There was no run yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingRecorded(String);

impl fmt::Display for NothingRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was recorded yet in `{}`; run `cargo xtask coverage` first", self.0)
    }
}

impl std::error::Error for NothingRecorded {}

/// What a manifest says about coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRecord {
    /// Its file.
    pub path: PathBuf,
    /// The MD5 of the file's bytes, in hexadecimal digits.
    pub md5: String,
    /// The package whose table it is; `None` for the workspace's.
    pub package: Option<String>,
    /// `metadata.coverage` as JSON; `null` when there is none.
    pub coverage: Value,
}

/// How a test binary fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRecord {
    /// The binary's identity: `app`, `app::it`, `app::bin/tool`.
    pub binary_id: String,
    /// The file that ran.
    pub executable: PathBuf,
    /// `passed`, `failed`, `timed out`, `interrupted`, `not run`, or `unknown` where another harness ran it and does not tell.
    pub outcome: String,
    /// How many of [`RunRecord::doctest_objects`] are of its doctests, behind those of the binaries before it.
    pub n_objects: u64,
    /// How long it ran.
    pub duration_ms: u64,
    /// Tests in it that passed, failed and were ignored, where its harness tells.
    pub counts: Option<[u64; 3]>,
    /// `passed`, `failed`, `ignored` or `measured` for each test in it by name, where its harness tells.
    pub tests: BTreeMap<String, String>,
}

impl RunRecord {
    /// The record of nothing yet.
    pub fn new(workspace_root: PathBuf, sources: SourceLayout) -> RunRecord {
        RunRecord {
            workspace_root,
            sources,
            objects: Vec::new(),
            doctest_objects: Vec::new(),
            profiles: Vec::new(),
            profile_dirs: Vec::new(),
            outside: None,
            tests: Vec::new(),
            manifests: Vec::new(),
            origin: None,
            partition: None,
            partials: Vec::new(),
            contributors: Vec::new(),
            is_partial: false,
            warnings: BTreeMap::new(),
            recorded: None,
        }
    }

    /// Whether some of the tests did not run here, so that the numbers are not those of the workspace.
    pub fn is_of_some_tests(&self) -> bool {
        self.is_partial || self.partition.is_some()
    }

    /// All files to read coverage maps from, in the order in which they are read.
    pub fn all_objects(&self) -> Vec<PathBuf> {
        self.objects.iter().chain(&self.doctest_objects).cloned().collect()
    }

    /// Refuses the record of a merge where programs and profiles are needed.
    ///
    /// # Errors
    /// It is one.
    pub fn refuse_merge(&self) -> Result<()> {
        ensure!(
            self.partials.is_empty(),
            Advised::new(
                "the last thing that was recorded is a merge, which has neither programs nor profiles for LLVM's tools",
                "run `cargo xtask coverage` first"
            )
        );
        Ok(())
    }

    /// The record as text.
    pub fn render(&self) -> String {
        format!("{:#}\n", self.to_json())
    }

    /// The record as JSON.
    pub fn to_json(&self) -> Value {
        let packages = self.sources.packages.iter().map(|package| {
            let auxiliary =
                package.auxiliary_targets.iter().map(|(kind, path)| json!([kind_name(*kind), path]));
            json!({
                "name": package.name,
                "dir": package.dir,
                "is_selected": package.is_selected,
                "crate_roots": package.crate_roots,
                "auxiliary_targets": auxiliary.collect::<Vec<_>>(),
            })
        });
        let tests = self.tests.iter().map(|test| {
            json!({
                "binary_id": test.binary_id,
                "executable": text(&test.executable),
                "outcome": test.outcome,
                "n_objects": test.n_objects,
                "duration_ms": test.duration_ms,
                "passed_failed_ignored": test.counts,
                "tests": test.tests,
            })
        });
        let manifests = self.manifests.iter().map(|manifest| {
            json!({
                "path": text(&manifest.path),
                "md5": manifest.md5,
                "package": manifest.package,
                "coverage": manifest.coverage,
            })
        });
        let origin = self.origin.as_ref().map(|origin| {
            json!({
                "configuration": origin.configuration,
                "target": origin.target_triple,
                "rustc": origin.rustc,
            })
        });
        let partition = self.partition.as_ref().map(
            |it| json!({ "part": it.part.to_string(), "of_tests": it.of_tests, "binaries": it.binaries }),
        );
        json!({
            "format": FORMAT,
            "workspace_root": text(&self.workspace_root),
            "sources": {
                "roots": self.sources.roots,
                "build_dirs": self.sources.build_dirs,
                "packages": packages.collect::<Vec<_>>(),
            },
            "objects": self.objects.iter().map(|path| text(path)).collect::<Vec<_>>(),
            "doctest_objects": self.doctest_objects.iter().map(|path| text(path)).collect::<Vec<_>>(),
            "profiles": self.profiles.iter().map(|path| text(path)).collect::<Vec<_>>(),
            "profile_dirs": self.profile_dirs.iter().map(|path| text(path)).collect::<Vec<_>>(),
            "outside": self.outside,
            "tests": tests.collect::<Vec<_>>(),
            "manifests": manifests.collect::<Vec<_>>(),
            "origin": origin,
            "partition": partition,
            "partials": self.partials.iter().map(|path| text(path)).collect::<Vec<_>>(),
            "contributors": self.contributors,
            "is_partial": self.is_partial,
            "warnings": self.warnings,
        })
    }

    /// Reads the record of the last run.
    ///
    /// # Errors
    /// There is none, or another version of this program wrote it; the cure is to run again.
    pub fn read(path: &Path) -> Result<RunRecord> {
        let shown = path.display();
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(NothingRecorded(shown.to_string()).into());
            }
            Err(error) => return Err(error).with_context(|| format!("failed to read `{shown}`")),
        };
        let mut record = RunRecord::parse(&text)
            .with_context(|| format!("failed to read `{shown}`; run `cargo xtask coverage` again"))?;
        // What another harness builds, it builds later.
        if record.outside.is_none() {
            record.recorded = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        }
        Ok(record)
    }

    /// Reads what [`RunRecord::render`] has written.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &[u8]) -> Result<RunRecord> {
        RunRecord::from_json(&serde_json::from_slice(text)?)
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// Something is missing, or another version of this program wrote it.
    pub fn from_json(value: &Value) -> Result<RunRecord> {
        let format = value.get("format").and_then(Value::as_u64);
        ensure!(format == Some(FORMAT), "another version of xtask-coverage wrote it");
        let sources = value.get("sources").context("no `sources`")?;
        let packages = list(sources, "packages")?.iter().map(parse_package).collect::<Result<_>>()?;
        Ok(RunRecord {
            workspace_root: string(value, "workspace_root")?.into(),
            sources: SourceLayout {
                roots: strings(sources, "roots")?,
                build_dirs: strings(sources, "build_dirs")?,
                packages,
            },
            objects: strings(value, "objects")?.into_iter().map(PathBuf::from).collect(),
            doctest_objects: strings(value, "doctest_objects")?.into_iter().map(PathBuf::from).collect(),
            profiles: strings(value, "profiles")?.into_iter().map(PathBuf::from).collect(),
            profile_dirs: strings(value, "profile_dirs")?.into_iter().map(PathBuf::from).collect(),
            outside: value.get("outside").and_then(Value::as_str).map(str::to_owned),
            tests: list(value, "tests")?.iter().map(parse_test).collect::<Result<_>>()?,
            manifests: list(value, "manifests")?.iter().map(parse_manifest).collect::<Result<_>>()?,
            origin: given(value, "origin").map(parse_origin).transpose()?,
            partition: given(value, "partition").map(parse_partition).transpose()?,
            partials: match given(value, "partials") {
                Some(_) => strings(value, "partials")?.into_iter().map(PathBuf::from).collect(),
                None => Vec::new(),
            },
            contributors: match given(value, "contributors") {
                Some(_) => list(value, "contributors")?.to_vec(),
                None => Vec::new(),
            },
            is_partial: value.get("is_partial").and_then(Value::as_bool).context("no `is_partial`")?,
            warnings: parse_warnings(value).context("`warnings` holds something that is no number")?,
            recorded: None,
        })
    }
}

/// What older records do not have, and newer ones may have.
fn given<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|value| !value.is_null())
}

fn parse_origin(value: &Value) -> Result<Origin> {
    Ok(Origin {
        configuration: strings(value, "configuration")?,
        target_triple: string(value, "target")?,
        rustc: string(value, "rustc")?,
    })
}

fn parse_partition(value: &Value) -> Result<PartitionRecord> {
    let part = Partition::parse_nextest(&string(value, "part")?).context("`part` is none")?;
    let of_tests = value.get("of_tests").and_then(Value::as_bool).unwrap_or(false);
    Ok(PartitionRecord { part, of_tests, binaries: strings(value, "binaries")? })
}

fn parse_package(value: &Value) -> Result<PackageSources> {
    let auxiliary = |pair: &Value| {
        let name = pair.get(0)?.as_str()?;
        let kind = AUXILIARY_KINDS.into_iter().find(|kind| kind_name(*kind) == name)?;
        Some((kind, pair.get(1)?.as_str()?.to_owned()))
    };
    Ok(PackageSources {
        name: string(value, "name")?,
        dir: string(value, "dir")?,
        is_selected: value.get("is_selected").and_then(Value::as_bool).context("no `is_selected`")?,
        crate_roots: strings(value, "crate_roots")?,
        auxiliary_targets: list(value, "auxiliary_targets")?
            .iter()
            .map(auxiliary)
            .collect::<Option<_>>()
            .context("an auxiliary target is of no known kind")?,
    })
}

fn parse_test(value: &Value) -> Result<TestRecord> {
    let counts = value.get("passed_failed_ignored").and_then(Value::as_array).and_then(|counts| {
        let counts: Vec<u64> = counts.iter().filter_map(Value::as_u64).collect();
        <[u64; 3]>::try_from(counts).ok()
    });
    let tests = value.get("tests").and_then(Value::as_object).context("no `tests` of a test binary")?;
    let outcome = |(name, outcome): (&String, &Value)| Some((name.clone(), outcome.as_str()?.to_owned()));
    Ok(TestRecord {
        binary_id: string(value, "binary_id")?,
        executable: string(value, "executable")?.into(),
        outcome: string(value, "outcome")?,
        n_objects: given(value, "n_objects").and_then(Value::as_u64).unwrap_or(0),
        duration_ms: value.get("duration_ms").and_then(Value::as_u64).context("no `duration_ms`")?,
        counts,
        tests: tests.iter().map(outcome).collect::<Option<_>>().context("an outcome is no text")?,
    })
}

fn parse_warnings(value: &Value) -> Option<BTreeMap<String, u64>> {
    let Some(warnings) = value.get("warnings") else { return Some(BTreeMap::new()) };
    warnings.as_object()?.iter().map(|(slug, count)| Some((slug.clone(), count.as_u64()?))).collect()
}

fn parse_manifest(value: &Value) -> Result<ManifestRecord> {
    Ok(ManifestRecord {
        path: string(value, "path")?.into(),
        md5: string(value, "md5")?,
        package: value.get("package").and_then(Value::as_str).map(str::to_owned),
        coverage: value.get("coverage").cloned().context("no `coverage`")?,
    })
}

const AUXILIARY_KINDS: [AuxiliaryKind; 4] =
    [AuxiliaryKind::Test, AuxiliaryKind::Bench, AuxiliaryKind::Example, AuxiliaryKind::BuildScript];

/// Cargo's word for the kind of a target.
fn kind_name(kind: AuxiliaryKind) -> &'static str {
    match kind {
        AuxiliaryKind::Test => "test",
        AuxiliaryKind::Bench => "bench",
        AuxiliaryKind::Example => "example",
        AuxiliaryKind::BuildScript => "custom-build",
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn string(value: &Value, key: &str) -> Result<String> {
    let found = value.get(key).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no `{key}`"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).with_context(|| format!("no `{key}`"))
}

fn strings(value: &Value, key: &str) -> Result<Vec<String>> {
    let strings = list(value, key)?.iter().map(|item| item.as_str().map(str::to_owned));
    strings.collect::<Option<_>>().with_context(|| format!("`{key}` holds something that is no text"))
}

#[cfg(test)]
mod tests {
    use super::{ManifestRecord, Origin, PartitionRecord, RunRecord, TestRecord};
    use crate::filter::{AuxiliaryKind, PackageSources, SourceLayout};
    use crate::task::partition::Partition;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    #[test]
    fn a_record_is_read_back_as_it_was() {
        let record = RunRecord {
            workspace_root: "/w".into(),
            sources: SourceLayout {
                roots: vec!["/w".to_owned()],
                build_dirs: vec!["/w/target".to_owned()],
                packages: vec![PackageSources {
                    name: "app".to_owned(),
                    dir: "/w/app \"quoted\"".to_owned(),
                    is_selected: true,
                    crate_roots: vec!["/w/src/lib.rs".to_owned()],
                    auxiliary_targets: super::AUXILIARY_KINDS
                        .map(|kind| (kind, format!("/w/{kind:?}.rs")))
                        .to_vec(),
                }],
            },
            objects: vec!["/w/target/a".into(), "/w/target/b".into()],
            doctest_objects: vec!["/w/target/doctest".into()],
            profiles: vec!["/w/target/p.profraw".into()],
            profile_dirs: vec!["/w/target/outside".into()],
            outside: Some("0123".to_owned()),
            tests: vec![
                TestRecord {
                    binary_id: "app::it".to_owned(),
                    executable: "/w/target/a".into(),
                    outcome: "failed".to_owned(),
                    n_objects: 1,
                    duration_ms: 12,
                    counts: Some([1, 2, 3]),
                    tests: [("a::b", "failed"), ("c \"d\"", "ignored")]
                        .map(|(name, outcome)| (name.to_owned(), outcome.to_owned()))
                        .into(),
                },
                TestRecord {
                    binary_id: "app::custom".to_owned(),
                    executable: "/w/target/b".into(),
                    outcome: "passed".to_owned(),
                    n_objects: 0,
                    duration_ms: 0,
                    counts: None,
                    tests: BTreeMap::new(),
                },
            ],
            manifests: vec![
                ManifestRecord {
                    path: "/w/Cargo.toml".into(),
                    md5: "0123".to_owned(),
                    package: None,
                    coverage: json!({"paths": {"src/**": {"fail-under-lines": 79.5}}}),
                },
                ManifestRecord {
                    path: "/w/app/Cargo.toml".into(),
                    md5: "4567".to_owned(),
                    package: Some("app".to_owned()),
                    coverage: Value::Null,
                },
            ],
            origin: Some(Origin {
                configuration: vec!["--features".to_owned(), "a b".to_owned()],
                target_triple: "x86_64-unknown-linux-gnu".to_owned(),
                rustc: "1.95.0".to_owned(),
            }),
            partition: Some(PartitionRecord {
                of_tests: true,
                part: Partition::parse("slice:2/3").expect("a partition"),
                binaries: vec!["app".to_owned(), "app::it".to_owned()],
            }),
            partials: vec!["/w/part-1.cov".into()],
            contributors: vec![json!({"file": "part-1.cov"})],
            is_partial: true,
            warnings: [("missing-profile", 1), ("empty-profile", u64::MAX)]
                .map(|(slug, count)| (slug.to_owned(), count))
                .into(),
            recorded: None,
        };
        assert_eq!(RunRecord::parse(record.render().as_bytes()).expect("complete"), record);
        assert_eq!(record.sources.packages[0].auxiliary_targets[0].0, AuxiliaryKind::Test);
    }

    #[test]
    fn a_foreign_record_is_refused_with_the_cure() {
        let dir = std::env::temp_dir().join(format!("xtask-coverage-record-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("temporary directory");
        let path = dir.join("run.json");
        let error = |content: Option<&str>| {
            if let Some(content) = content {
                std::fs::write(&path, content).expect("write");
            }
            format!("{:#}", RunRecord::read(&path).expect_err("no record"))
        };
        assert!(error(None).ends_with("run `cargo xtask coverage` first"));
        assert!(error(Some("{}")).contains("run `cargo xtask coverage` again: another version"));
        assert!(error(Some("{")).contains("run `cargo xtask coverage` again: EOF"));
        std::fs::remove_dir_all(&dir).expect("clean up");
    }
}
