//! The record of a unit: one call of rustc for a member, or one run of its build script. The wrapper writes it; the
//! loading of proc-macro profiles and `clean` read it.

use crate::cargo::json::{flag, path, read_json, text, texts, write_json};
use crate::cargo::message::Artifact;
use crate::cargo::workspace::Package;
use crate::layout::Layout;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const UNIT_FILE: &str = "unit.json";

/// One call of rustc for a member, as `clean` and the loading of proc-macro profiles need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The directory below [`Layout::units`]: the crate's name and what tells its units apart.
    pub name: String,
    /// The name of the package.
    pub package: String,
    /// The manifest of the package.
    pub manifest_path: PathBuf,
    /// The name of the crate.
    pub crate_name: String,
    /// Its crate types.
    pub crate_types: Vec<String>,
    /// Whether it was compiled as a test.
    pub test: bool,
    /// Where rustc was told to write.
    pub out_dir: PathBuf,
    /// `-C extra-filename`: `-0123456789abcdef`, or nothing.
    pub extra_filename: String,
    /// The hash in the wrapper's path.
    pub wrapper: String,
    /// Whether flags were added.
    pub instrumented: bool,
}

impl Unit {
    /// Every unit that a wrapper has compiled for this target directory and that was not cleaned since, by name.
    ///
    /// # Errors
    /// When the directory of units is there but cannot be read. A single unreadable record is passed over.
    pub fn read_all(layout: &Layout) -> Result<Vec<Unit>> {
        let directory = layout.units();
        if !directory.is_dir() {
            return Ok(Vec::new());
        }
        let entries =
            fs::read_dir(&directory).with_context(|| format!("failed to list `{}`", directory.display()))?;
        let mut units: Vec<Unit> = entries
            .flatten()
            .filter_map(|entry| {
                let value = read_json(&entry.path().join(UNIT_FILE)).ok()?;
                Unit::from_json(entry.file_name().to_str()?, &value).ok()
            })
            .collect();
        units.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(units)
    }

    /// The run of a build script of `package` with this `OUT_DIR`: cargo keeps its output apart for our wrapper too.
    pub fn of_build_script_run(wrapper: &str, package: &Package, out_dir: &Path) -> Unit {
        let mut digits = format!("{:x}", md5::compute(out_dir.to_string_lossy().as_bytes()));
        digits.truncate(16);
        Unit {
            name: format!("{}-build-script-run-{digits}", package.name),
            package: package.name.clone(),
            manifest_path: package.manifest_path.clone(),
            crate_name: String::new(),
            crate_types: Vec::new(),
            test: false,
            out_dir: out_dir.to_owned(),
            extra_filename: String::new(),
            wrapper: wrapper.to_owned(),
            instrumented: false,
        }
    }

    /// Where rustc's proc-macros leave their counts while the unit is compiled, given [`Layout::units`].
    pub fn directory(&self, units: &Path) -> PathBuf {
        units.join(&self.name)
    }

    /// Writes the record into the unit's directory, given [`Layout::units`].
    ///
    /// # Errors
    /// When the directory or the file cannot be written.
    pub fn write(&self, units: &Path) -> Result<()> {
        let directory = self.directory(units);
        fs::create_dir_all(&directory)
            .with_context(|| format!("failed to create `{}`", directory.display()))?;
        write_json(&directory.join(UNIT_FILE), &self.to_json())
    }

    /// Tells that a build has used the unit, given [`Layout::units`]. A record that cannot be touched looks older than it is.
    pub fn mark_used(&self, units: &Path) {
        let file = fs::File::options().write(true).open(self.directory(units).join(UNIT_FILE));
        let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
    }

    /// When a build used or made the unit, given [`Layout::units`].
    pub fn last_used(&self, units: &Path) -> Option<SystemTime> {
        fs::metadata(self.directory(units).join(UNIT_FILE)).and_then(|metadata| metadata.modified()).ok()
    }

    /// Whether this is the unit that `artifact` names. Cargo may name a file by its second name, without the hash; it is
    /// the same file then, so size and time are equal.
    pub fn is_of(&self, artifact: &Artifact) -> bool {
        let identity =
            |path: &Path| fs::metadata(path).ok().and_then(|it| Some((it.len(), it.modified().ok()?)));
        let program = format!("{}{}{}", self.crate_name, self.extra_filename, env::consts::EXE_SUFFIX);
        let is_from_unit = |file: &PathBuf| {
            let Some(name) = file.file_name() else { return false };
            if file.parent() == Some(&self.out_dir) {
                // A build script has a directory to itself, which then carries the hash.
                return [Some(name), self.out_dir.file_name()]
                    .iter()
                    .flatten()
                    .any(|name| name.to_string_lossy().contains(&self.extra_filename));
            }
            let names = [name, OsStr::new(&program)];
            identity(file)
                .is_some_and(|file| names.iter().any(|name| identity(&self.out_dir.join(name)) == Some(file)))
        };
        self.manifest_path == artifact.manifest_path
            && self.crate_name == artifact.target.crate_name()
            // Without a harness, what cargo calls a test is no `--test` to rustc.
            && (artifact.test || !self.test)
            && artifact.filenames.iter().any(is_from_unit)
    }

    fn to_json(&self) -> Value {
        json!({
            "package": self.package,
            "manifest_path": self.manifest_path,
            "crate_name": self.crate_name,
            "crate_types": self.crate_types,
            "test": self.test,
            "out_dir": self.out_dir,
            "extra_filename": self.extra_filename,
            "wrapper": self.wrapper,
            "instrumented": self.instrumented,
        })
    }

    fn from_json(name: &str, value: &Value) -> Result<Unit> {
        Ok(Unit {
            name: name.to_owned(),
            package: text(value, "package")?,
            manifest_path: path(value, "manifest_path")?,
            crate_name: text(value, "crate_name")?,
            crate_types: texts(value, "crate_types"),
            test: flag(value, "test", false),
            out_dir: path(value, "out_dir")?,
            extra_filename: text(value, "extra_filename")?,
            wrapper: text(value, "wrapper")?,
            instrumented: flag(value, "instrumented", false),
        })
    }
}
