//! What is to be done, and how it is shown. Touches no file.

use std::fmt;
use std::path::{Path, PathBuf};

use super::difference::added_and_removed;

/// All that there is to do.
pub(super) struct Plan {
    /// The directory from which paths are shown.
    root: PathBuf,
    /// Files to write.
    pub(super) changes: Vec<Change>,
    /// What to know besides, each fit after `note: `.
    pub(super) notes: Vec<String>,
    /// What no machine should do.
    pub(super) left: Vec<Left>,
    /// The root of the other workspace in which the tasks are, if they are in one.
    pub(super) apart: Option<PathBuf>,
    /// Whether cargo's configuration puts something else in the place of crates.io.
    pub(super) replaces_registry: bool,
    /// Whether locked versions may change.
    pub(super) allows_updates: bool,
    /// What may be taken over by hand, or not.
    pub(super) offers: Vec<Left>,
}

/// A file to write.
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// What is in it; `None` if it is not there.
    pub(super) before: Option<String>,
    pub(super) after: String,
}

/// Something for a person.
pub(super) struct Left {
    /// What to do, and where.
    pub(super) what: String,
    /// The lines to write there.
    pub(super) lines: String,
}

impl Plan {
    pub(super) fn new(root: &Path) -> Plan {
        let root = root.to_owned();
        Plan {
            root,
            changes: Vec::new(),
            notes: Vec::new(),
            left: Vec::new(),
            apart: None,
            replaces_registry: false,
            allows_updates: false,
            offers: Vec::new(),
        }
    }

    /// Has a file written, unless it is so already.
    pub(super) fn write(&mut self, path: PathBuf, before: Option<String>, after: String) {
        if before.as_deref() != Some(after.as_str()) {
            self.changes.push(Change { path, before, after });
        }
    }

    /// The files that are not there yet.
    pub(super) fn created(&self) -> impl Iterator<Item = &Path> {
        self.changes.iter().filter(|change| change.before.is_none()).map(|change| change.path.as_path())
    }

    fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

/// As people read it: each file with the lines that come and go.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            let path = self.relative(&change.path).display();
            match &change.before {
                Some(before) => {
                    writeln!(f, "{path}")?;
                    for line in added_and_removed(before, &change.after) {
                        writeln!(f, "{line}")?;
                    }
                }
                None => {
                    writeln!(f, "{path} (new)")?;
                    for line in added_and_removed("", &change.after) {
                        writeln!(f, "{line}")?;
                    }
                }
            }
            writeln!(f)?;
        }
        for (title, list) in
            [("Left to do by hand:", &self.left), ("To take over, if you like:", &self.offers)]
        {
            if list.is_empty() {
                continue;
            }
            writeln!(f, "{title}\n")?;
            for Left { what, lines } in list {
                writeln!(f, "- {what}\n")?;
                for line in lines.lines() {
                    writeln!(f, "{}", format!("      {line}").trim_end())?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
