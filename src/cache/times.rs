//! Times of source files between checkouts. Cargo compiles what is newer than its last build, and a fresh checkout is all new: so
//! a file gets the time back that it had, but only if it has the content that it had.
//!
//! A file that has other content must be newer than any build of the old one, whatever its own time says. So no restored cache,
//! and no tool that keeps the times of edited files, makes cargo take old artifacts for fresh ones.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// Counted up whenever the file's content changes its meaning.
const FORMAT: u64 = 1;

/// What files and directories were like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Relative paths with `/`, directories among them; the root itself is the empty path.
    entries: BTreeMap<String, Entry>,
    /// No artifact that was made of these files is newer.
    taken: Duration,
    /// Whether all artifacts of the last build were made of these files.
    is_built: bool,
}

/// Archives, in which caches travel, keep whole seconds: an artifact comes back as old as a source of the same second was.
const PRECISION: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// MD5 of a file's bytes, or of the names in a directory, in hexadecimal digits.
    digest: String,
    /// Since 1970.
    modified: Duration,
}

/// What restoring did.
#[derive(Debug, Default)]
pub struct Restored {
    /// Files with the content that they had, which have the time again that they had.
    pub unchanged: usize,
    /// Files with other content, and new ones. They are newer than every earlier build.
    pub changed: usize,
    /// What was given another time, with the one that it had in this checkout.
    originals: Vec<(PathBuf, SystemTime)>,
}

impl Restored {
    /// Gives unchanged files the times of this checkout back. Whoever else builds here, from artifacts that we know nothing of,
    /// shall find it as new as it is.
    pub fn put_back(self) {
        for (path, modified) in self.originals {
            // Where this fails the file is as old as the build that it was in.
            let _ = set_modified(&path, modified);
        }
    }
}

impl Snapshot {
    /// The snapshot in a file; an empty one where there is none that makes sense.
    pub fn read(file: &Path) -> Snapshot {
        let parse = || -> Option<Snapshot> {
            let text = fs::read_to_string(file).ok()?;
            let (digest, text) = text.split_once('\n')?;
            let value: Value =
                serde_json::from_str(text).ok().filter(|_| digest == digest_of(text.as_bytes()))?;
            let taken = duration(value.get("taken")?)?;
            let entry = |(path, entry): (&String, &Value)| {
                let entry = entry.as_array()?;
                let digest = entry.first()?.as_str()?.to_owned();
                Some((path.clone(), Entry { digest, modified: duration(entry.get(1)?)? }))
            };
            let is_built = value.get("is_built")?.as_bool()?;
            let is_ours = value.get("format")?.as_u64()? == FORMAT;
            let entries = value.get("entries")?.as_object()?.iter().map(entry).collect::<Option<_>>()?;
            is_ours.then_some(Snapshot { entries, taken, is_built })
        };
        parse().unwrap_or_default()
    }

    /// The snapshot as text for a file. Its first line is a digest of the rest: a time that was damaged would make a file older than
    /// it is.
    pub fn render(&self) -> String {
        let entry =
            |(path, entry): (&String, &Entry)| (path.clone(), json!([entry.digest, number(entry.modified)]));
        let entries: Map<String, Value> = self.entries.iter().map(entry).collect();
        let (taken, is_built) = (number(self.taken), self.is_built);
        let text =
            json!({"format": FORMAT, "taken": taken, "is_built": is_built, "entries": entries}).to_string();
        format!("{}\n{text}", digest_of(text.as_bytes()))
    }

    /// Gives `files` in a fresh checkout, relative to `root`, the times of this snapshot wherever nothing else has changed. Also
    /// returned is the snapshot of how they are now, which has to be written before anything is built of them. What cannot be read is
    /// not in it: it will count as changed.
    ///
    /// # Errors
    /// A changed file cannot be made newer than the last build, so that cargo might take it for unchanged.
    pub fn restore(&self, root: &Path, files: &[PathBuf]) -> io::Result<(Snapshot, Restored)> {
        let mut restored = Restored::default();
        // What was built of these files is at least so much newer than whatever was built of others.
        let slack = if self.is_built { PRECISION } else { Duration::ZERO };
        let mut now = state(root, files);
        // Machines need not agree on the time. Some file systems count whole seconds, or two.
        let built = UNIX_EPOCH + self.taken + Duration::from_secs(2);
        let newer = SystemTime::now().max(built);
        for (path, state) in now.iter_mut().filter(|_| !self.entries.is_empty()) {
            let absolute = root.join(path);
            let before = self.entries.get(path);
            let n_files = usize::from(!state.is_dir);
            if let Some(before) = before.filter(|before| before.digest == state.digest) {
                let modified = UNIX_EPOCH + before.modified;
                // Where this fails the file is new to cargo, which costs a build and nothing else.
                if modified.checked_sub(slack).is_some_and(|time| set_modified(&absolute, time).is_ok()) {
                    restored.originals.push((absolute, state.modified));
                    state.modified = modified;
                }
                restored.unchanged += n_files;
            } else {
                if state.modified <= built && !state.is_dir {
                    set_modified(&absolute, newer)?;
                    state.modified = newer;
                }
                restored.changed += n_files;
            }
        }
        let entry = |(path, state): (String, State)| {
            let modified = state.modified.duration_since(UNIX_EPOCH).ok()?;
            Some((path, Entry { digest: state.digest, modified }))
        };
        let entries = now.into_iter().filter_map(entry).collect();
        Ok((Snapshot { entries, taken: since_1970(SystemTime::now()), is_built: false }, restored))
    }

    /// Tells that all that was to be built of these files has been built.
    pub fn built(&mut self) {
        self.taken = self.taken.max(since_1970(SystemTime::now()));
        self.is_built = true;
    }
}

struct State {
    digest: String,
    modified: SystemTime,
    is_dir: bool,
}

/// What the files and their directories are like now. Build scripts can ask cargo to watch a directory, so its time counts too; its
/// content is the names in it, those of files that nobody tracks included.
fn state(root: &Path, files: &[PathBuf]) -> BTreeMap<String, State> {
    let mut found = BTreeMap::new();
    let mut dirs: Vec<&Path> = files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
    dirs.sort_unstable();
    dirs.dedup();
    for dir in dirs {
        let Some(name) = portable(dir) else { continue };
        if let Some((digest, modified)) = listing(&root.join(dir)) {
            found.insert(name, State { digest, modified, is_dir: true });
        }
    }
    for file in files {
        let Some(name) = portable(file) else { continue };
        if let Some((digest, modified)) = content(&root.join(file)) {
            found.insert(name, State { digest, modified, is_dir: false });
        }
    }
    found
}

/// The digest and time of a regular file that nobody writes to just now.
fn content(path: &Path) -> Option<(String, SystemTime)> {
    let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let bytes = fs::read(path).ok()?;
    let modified = metadata.modified().ok()?;
    let is_settled = fs::symlink_metadata(path).ok()?.modified().ok()? == modified;
    is_settled.then(|| (digest_of(&bytes), modified))
}

fn listing(path: &Path) -> Option<(String, SystemTime)> {
    let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_dir)?;
    let names = fs::read_dir(path).ok()?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names: Vec<_> = names.collect::<io::Result<_>>().ok()?;
    names.sort_unstable();
    let mut listed = Vec::new();
    for name in &names {
        listed.extend_from_slice(name.as_encoded_bytes());
        listed.push(0);
    }
    Some((digest_of(&listed), metadata.modified().ok()?))
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn digest_of(bytes: &[u8]) -> String {
    format!("{:x}", md5::compute(bytes))
}

fn set_modified(path: &Path, modified: SystemTime) -> io::Result<()> {
    // Windows opens no directory like this, and changes no time of a file that it has opened for reading alone.
    let file = if cfg!(windows) { File::options().write(true).open(path)? } else { File::open(path)? };
    file.set_times(FileTimes::new().set_modified(modified))
}

/// A relative path as another system would write it. Names that are not UTF-8 have none.
fn portable(path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> =
        path.components().map(|component| component.as_os_str().to_str()).collect();
    Some(names?.join("/"))
}

fn number(duration: Duration) -> String {
    format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos())
}

fn duration(value: &Value) -> Option<Duration> {
    let (seconds, nanoseconds) = value.as_str()?.split_once('.')?;
    let nanoseconds: u32 = nanoseconds.parse().ok().filter(|it| *it < 1_000_000_000)?;
    // Some systems have no time that is much later.
    let seconds: u64 = seconds.parse().ok().filter(|it| *it < 1 << 33)?;
    Some(Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::{Restored, Snapshot};
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime};

    struct Tree(PathBuf);

    impl Tree {
        /// Two files in two directories, changed and built an hour ago.
        fn new(name: &str) -> Tree {
            let root =
                std::env::temp_dir().join(format!("xtask-coverage-times-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(root.join("src")).expect("temporary directory");
            let tree = Tree(root);
            for file in FILES {
                fs::write(tree.0.join(file), file).expect("writable");
                tree.set(file, hours_ago(2));
            }
            for dir in ["", "src"] {
                tree.set(dir, hours_ago(3));
            }
            tree
        }

        fn set(&self, path: &str, time: SystemTime) {
            File::open(self.0.join(path)).expect("there").set_modified(time).expect("ours");
        }

        fn time(&self, path: &str) -> SystemTime {
            fs::metadata(self.0.join(path)).and_then(|metadata| metadata.modified()).expect("there")
        }

        /// What a fresh checkout does.
        fn check_out(&self) {
            for path in ["", "src"].iter().chain(&FILES) {
                self.set(path, SystemTime::now());
            }
        }

        fn restore(&self, snapshot: &Snapshot) -> Restored {
            snapshot.restore(&self.0, &files()).expect("writable").1
        }

        /// The numbers of unchanged and changed files.
        fn check(&self, snapshot: &Snapshot, unchanged: usize, changed: usize) {
            let restored = self.restore(snapshot);
            assert_eq!((restored.unchanged, restored.changed), (unchanged, changed));
        }

        fn snapshot(&self) -> Snapshot {
            Snapshot::default().restore(&self.0, &files()).expect("readable").0
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).expect("ours");
        }
    }

    const FILES: [&str; 2] = ["Cargo.toml", "src/lib.rs"];

    fn files() -> Vec<PathBuf> {
        FILES.map(PathBuf::from).to_vec()
    }

    fn hours_ago(hours: u64) -> SystemTime {
        SystemTime::now() - Duration::from_secs(hours * 3600)
    }

    #[test]
    #[cfg(unix)]
    fn unchanged_files_and_directories_get_their_times_back() {
        let tree = Tree::new("unchanged");
        let (lib, dir) = (tree.time("src/lib.rs"), tree.time("src"));
        let snapshot = tree.snapshot();
        tree.check_out();
        let restored = tree.restore(&snapshot);
        assert_eq!((restored.unchanged, restored.changed), (2, 0));
        assert_eq!((tree.time("src/lib.rs"), tree.time("src")), (lib, dir));
        // Another build in this checkout has artifacts that we know nothing of.
        restored.put_back();
        assert!(tree.time("src/lib.rs") > hours_ago(1) && tree.time("src") > hours_ago(1));
        // Once built, a source is older than an artifact that has lost the fraction of its second.
        let mut built = snapshot.clone();
        built.built();
        tree.check_out();
        tree.check(&built, 2, 0);
        assert_eq!(tree.time("src/lib.rs"), lib - Duration::from_secs(1));
        let (again, _) = built.restore(&tree.0, &files()).expect("writable");
        assert_eq!(again.entries, snapshot.entries, "it does not grow older with every run");
        // A directory with a new name in it is another one, whoever brought the name.
        tree.check_out();
        fs::write(tree.0.join("src/new"), "").expect("writable");
        tree.check(&snapshot, 2, 0);
        assert!(tree.time("src") > hours_ago(1));
    }

    #[test]
    #[cfg(unix)]
    fn changed_files_are_newer_than_any_build_whatever_their_times_say() {
        let tree = Tree::new("changed");
        let snapshot = tree.snapshot();
        // Neither the same size nor the same time, nor an older one, makes an edited file an old one.
        for time in [tree.time("src/lib.rs"), hours_ago(9)] {
            fs::write(tree.0.join("src/lib.rs"), "src/lob.rs").expect("writable");
            tree.set("src/lib.rs", time);
            tree.check(&snapshot, 1, 1);
            assert!(
                tree.time("src/lib.rs").duration_since(SystemTime::UNIX_EPOCH).expect("now") > snapshot.taken
            );
        }
        // A file that was not there then is no older than the last build either.
        let mut less = snapshot.clone();
        less.entries.remove("Cargo.toml");
        tree.set("Cargo.toml", hours_ago(9));
        assert_eq!(tree.restore(&less).changed, 2);
        assert!(tree.time("Cargo.toml") > hours_ago(1));
        // On a machine whose clock was ahead.
        let mut ahead = snapshot.clone();
        ahead.taken += Duration::from_secs(7200);
        tree.restore(&ahead);
        assert!(tree.time("src/lib.rs") > SystemTime::now() + Duration::from_secs(7000));
    }

    #[test]
    fn a_snapshot_is_read_back_and_damage_makes_it_none() {
        let tree = Tree::new("damage");
        let snapshot = tree.snapshot();
        assert_eq!(snapshot.entries.keys().collect::<Vec<_>>(), ["", "Cargo.toml", "src", "src/lib.rs"]);
        let file = tree.0.join("times");
        let text = snapshot.render();
        fs::write(&file, &text).expect("writable");
        assert_eq!(Snapshot::read(&file), snapshot);
        assert_eq!(Snapshot::read(Path::new("/no/such/file")), Snapshot::default());
        for position in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[position] ^= 1;
            fs::write(&file, &damaged).expect("writable");
            assert_eq!(Snapshot::read(&file), Snapshot::default(), "{position}");
            fs::write(&file, &text[..position]).expect("writable");
            assert_eq!(Snapshot::read(&file), Snapshot::default(), "{position}");
        }
        tree.check(&Snapshot::default(), 0, 0);
    }
}
