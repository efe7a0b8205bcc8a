//! Temporary copies of the workspaces under `tests/data/workspaces`. Knows their places, not what is in them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::program::Program;

/// A copy of a workspace in a temporary directory of its own, outside this repository so that neither its configuration
/// nor its git history is found from there. Removed when dropped, kept when the test fails.
pub(crate) struct Workspace {
    directory: PathBuf,
    root: PathBuf,
}

impl Workspace {
    /// A copy of `tests/data/workspaces/<name>`.
    pub(crate) fn copy(name: &str) -> Workspace {
        Workspace::copy_as(name, name)
    }

    /// A copy of `tests/data/workspaces/<name>` in a directory that is called `directory_name`: with spaces, quotes, and so on.
    pub(crate) fn copy_as(name: &str, directory_name: &str) -> Workspace {
        let source = workspaces().join(name);
        assert!(source.join("Cargo.toml").is_file(), "no workspace `{}`", source.display());
        let workspace = Workspace::empty(directory_name);
        copy_tree(&source, &workspace.root);
        workspace
    }

    /// A new directory with nothing in it.
    pub(crate) fn empty(directory_name: &str) -> Workspace {
        let directory = new_temporary_directory();
        let root = directory.join(directory_name);
        fs::create_dir(&root)
            .unwrap_or_else(|error| panic!("failed to create `{}`: {error}", root.display()));
        Workspace { directory, root }
    }

    /// The directory of the workspace's `Cargo.toml`, absolute, without symbolic links in it on Unix.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A directory beside the workspace, for what is no part of it. Removed together with it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        let path = self.directory.join(format!("beside {name}"));
        fs::create_dir_all(&path)
            .unwrap_or_else(|error| panic!("failed to create `{}`: {error}", path.display()));
        path
    }

    /// Cargo in the workspace's root.
    pub(crate) fn cargo(&self) -> Program {
        Program::cargo().current_dir(&self.root)
    }

    /// The text of a file, by its path from the root.
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.root.join(path);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("failed to read `{}`: {error}", path.display()))
    }

    /// Writes a file, by its path from the root, and the directories above it.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .and_then(|()| fs::write(&path, content))
            .unwrap_or_else(|error| panic!("failed to write `{}`: {error}", path.display()));
    }

    /// Replaces the only occurrence of `from` in a file.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "occurrences of `{from}` in `{path}`");
        self.write(path, &text.replace(from, to));
    }

    /// Every file but those below a `target` directory, from the root, with `/`. Taken before and after a run, it shows what the
    /// run left in the source tree.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        files_below(&self.root)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "belongs to the message of the test that fails")]
            {
                eprintln!("kept: {}", self.root.display());
            }
        } else {
            // What cannot be removed is left to whoever empties the temporary directory.
            _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// The directory `tests/data` of this repository, from whichever of its packages a test belongs to.
pub(crate) fn data() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = package.ancestors().map(|directory| directory.join("tests").join("data"));
    data.into_iter()
        .find(|data| data.join("workspaces").is_dir())
        .expect("this repository has `tests/data/workspaces`")
}

/// The directory `tests/data/workspaces`.
pub(crate) fn workspaces() -> PathBuf {
    data().join("workspaces")
}

/// Every file below a directory but those below a directory `target`, as paths from there with `/`.
pub(crate) fn files_below(root: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for path in entries(&directory) {
            if path.is_dir() {
                directories.push(path);
            } else {
                let path = path.strip_prefix(root).expect("it is below the root");
                files.insert(path.display().to_string().replace('\\', "/"));
            }
        }
    }
    files
}

fn copy_tree(from: &Path, to: &Path) {
    for source in entries(from) {
        let target = to.join(source.file_name().expect("an entry has a name"));
        if source.is_dir() {
            fs::create_dir(&target)
                .unwrap_or_else(|error| panic!("failed to create `{}`: {error}", target.display()));
            copy_tree(&source, &target);
        } else {
            fs::copy(&source, &target)
                .unwrap_or_else(|error| panic!("failed to copy `{}`: {error}", source.display()));
        }
    }
}

/// The paths in a directory, without the `target` that somebody made by running cargo in it.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.unwrap_or_else(|error| panic!("failed to list `{}`: {error}", directory.display()));
    entries.into_iter().filter(|entry| entry.file_name() != "target").map(|entry| entry.path()).collect()
}

fn new_temporary_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let parent = std::env::temp_dir();
    // Reports name a file as the compiler sees it, and that is without the symbolic link that `/tmp` is on a Mac. On Windows
    // the canonical form is one that neither cargo nor rustc ever writes.
    let parent = if cfg!(windows) { parent } else { parent.canonicalize().unwrap_or(parent) };
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = parent.join(format!("xtask-coverage-{}-{number}", std::process::id()));
        match fs::create_dir(&directory) {
            Ok(()) => return directory,
            // Left by an earlier process of the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("failed to create `{}`: {error}", directory.display()),
        }
    }
}
