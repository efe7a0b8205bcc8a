//! Lock files: what they say of versions, and how they are put back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::files;
use crate::ui::message::Advised;

/// A workspace's lock file, as it was before cargo read the workspace anew.
pub(super) struct LockFile {
    path: PathBuf,
    before: Option<Vec<u8>>,
}

impl LockFile {
    /// The one of the workspace at `root`, which may not be there.
    pub(super) fn read(root: &Path) -> LockFile {
        let path = root.join("Cargo.lock");
        LockFile { before: fs::read(&path).ok(), path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it what it was.
    ///
    /// # Errors
    /// It cannot be written, or removed.
    pub(super) fn put_back(&self) -> Result<()> {
        match &self.before {
            Some(content) => files::replace(&self.path, content),
            None => self.remove_new(),
        }
    }

    /// Removes it if it was not there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn remove_new(&self) -> Result<()> {
        if self.before.is_none() && self.path.exists() {
            fs::remove_file(&self.path)
                .with_context(|| format!("failed to remove `{}`", self.path.display()))?;
        }
        Ok(())
    }

    /// The format that it has now, if it was there and had another one.
    pub(super) fn new_format(&self) -> Option<String> {
        let format = |text: &[u8]| {
            let text = String::from_utf8_lossy(text).into_owned();
            text.lines().find_map(|line| line.strip_prefix("version = ").map(str::to_owned))
        };
        let before = format(self.before.as_ref()?);
        format(&fs::read(&self.path).ok()?).filter(|now| before.as_ref() != Some(now))
    }

    /// # Errors
    /// What was locked is no longer.
    pub(super) fn check(&self, is_offline: bool) -> Result<()> {
        let Some(before) = &self.before else { return Ok(()) };
        let after =
            fs::read(&self.path).with_context(|| format!("failed to read `{}`", self.path.display()))?;
        let locked = |text: &[u8]| locked(&String::from_utf8_lossy(text));
        let changed = changed(&locked(before), &locked(&after));
        if changed.is_empty() {
            return Ok(());
        }
        let (names, texts): (Vec<String>, Vec<String>) = changed.into_iter().unzip();
        // Without the network, cargo takes other versions where what is locked was never downloaded.
        let download = if is_offline { "leave out `--offline`; or " } else { "" };
        bail!(Advised::new(
            format!(
                "`Cargo.lock` would have other versions of what the workspace depends on ({}), because xtask-coverage needs newer \
                 ones or what was locked cannot be had; the changes were taken back",
                texts.join(", ")
            ),
            format!(
                "{download}update first, as in `cargo update {}`, or add `--allow-updates`",
                names.join(" ")
            )
        ))
    }
}

/// Versions by the names of packages.
type Locked = BTreeMap<String, BTreeSet<String>>;

/// The packages in the text of a `Cargo.lock`, as cargo writes it.
fn locked(text: &str) -> Locked {
    let mut found = Locked::new();
    let mut name = None;
    for line in text.lines().map(str::trim_end) {
        let value =
            |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned);
        if let Some(value) = value("name") {
            name = Some(value);
        } else if let Some(version) = value("version")
            && let Some(name) = name.take()
        {
            found.entry(name).or_default().insert(version);
        }
    }
    found
}

/// What was locked and is no longer, by name, each as in `glob 0.3.1 (then 0.3.4)`.
fn changed(before: &Locked, after: &Locked) -> Vec<(String, String)> {
    let mut changed = Vec::new();
    for (name, versions) in before {
        let now = after.get(name).cloned().unwrap_or_default();
        for gone in versions.difference(&now) {
            let new: Vec<&str> = now.difference(versions).map(String::as_str).collect();
            let then = if new.is_empty() { "gone".to_owned() } else { new.join(", ") };
            changed.push((name.clone(), format!("{name} {gone} (then {then})")));
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::{changed, locked};

    #[test]
    fn versions_that_change_are_named() {
        let before = "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n\n\
                      [[package]]\nname = \"b\"\nversion = \"0.1.0\"\ndependencies = [\n \"a 1.0.0\",\n]\n";
        let check = |after: &str, expected: &[&str]| {
            let changed = changed(&locked(before), &locked(after));
            assert_eq!(changed.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), expected);
        };
        check(before, &[]);
        check(&format!("{before}\n[[package]]\nname = \"c\"\nversion = \"1.0.0\"\n"), &[]);
        check(&before.replace("1.0.0\"\n", "1.0.1\"\r\n"), &["a 1.0.0 (then 1.0.1)"]);
        check("", &["a 1.0.0 (then gone)", "a 2.0.0 (then gone)", "b 0.1.0 (then gone)"]);
    }
}
