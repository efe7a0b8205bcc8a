//! Times of source files between checkouts. Cargo compiles what is newer than its last build, and a fresh checkout is all new: so
//! a file gets the time back that it had, but only if it has the content that it had.
//!
//! A file that has other content must be newer than any build of the old one, whatever its own time says. So no restored cache,
//! and no tool that keeps the times of edited files, makes cargo take old artifacts for fresh ones.
//!
//! All times that are given are whole seconds, and no build starts before they have passed. Archives, in which caches travel, keep
//! no fractions, so an artifact comes back as old as the second that it was made in; and of a build script that does not say what
//! it reads, cargo keeps the time of the package's youngest file, and runs it again unless that is the very same.

use std::collections::BTreeMap;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use filetime::FileTime;
use serde_json::{Map, Value, json};

/// Counted up whenever the file's content changes its meaning.
const FORMAT: u64 = 2;

/// What files, symbolic links, and directories were like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Relative paths with `/`, directories among them; the root itself is the empty path.
    entries: BTreeMap<String, Entry>,
    /// No artifact that was made of these files is newer.
    taken: Duration,
}

/// By how much a time that was read may be wrong.
const PRECISION: Duration = Duration::from_secs(2);

/// For how long a build waits until the times of its sources have passed. Where a clock was further ahead it does not: what has
/// changed is then compiled once more than needed.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// MD5 of a file's bytes, a link's target, or the names in a directory, in hexadecimal digits.
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
    /// What was given another time.
    adjusted: Vec<Adjusted>,
}

/// A file that was given another time.
#[derive(Debug)]
struct Adjusted {
    path: PathBuf,
    /// The one that it had in this checkout.
    original: SystemTime,
    /// The one that it was given, as the file system keeps it.
    given: SystemTime,
}

impl Restored {
    /// Gives a file that has the time `original` another one. If it has got another one meanwhile, it keeps that.
    fn adjust(&mut self, path: PathBuf, original: SystemTime, wanted: SystemTime) -> io::Result<()> {
        if wanted != original && modified(&path) == Some(original) {
            set_modified(&path, wanted)?;
            let given = modified(&path).unwrap_or(wanted);
            self.adjusted.push(Adjusted { path, original, given });
        }
        Ok(())
    }

    /// Gives all files the times of this checkout back. Whoever else builds here, from artifacts that we know nothing of, shall find
    /// them as new as they are.
    pub fn put_back(self) {
        for Adjusted { path, original, given } in self.adjusted {
            // Somebody may have edited it since.
            if modified(&path) == Some(given) {
                // Where this fails the file is as old as the build that it was in.
                let _ = set_modified(&path, original);
            }
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
            let is_ours = value.get("format")?.as_u64()? == FORMAT;
            let entries = value.get("entries")?.as_object()?.iter().map(entry).collect::<Option<_>>()?;
            is_ours.then_some(Snapshot { entries, taken })
        };
        parse().unwrap_or_default()
    }

    /// The snapshot as text for a file. Its first line is a digest of the rest: a time that was damaged would make a file older than
    /// it is.
    pub fn render(&self) -> String {
        let entry =
            |(path, entry): (&String, &Entry)| (path.clone(), json!([entry.digest, number(entry.modified)]));
        let entries: Map<String, Value> = self.entries.iter().map(entry).collect();
        let text = json!({"format": FORMAT, "taken": number(self.taken), "entries": entries}).to_string();
        format!("{}\n{text}", digest_of(text.as_bytes()))
    }

    /// Gives `files` in a fresh checkout, relative to `root`, the times of this snapshot wherever nothing else has changed, and waits
    /// until all of their times have passed. Also returned is the snapshot of how they are now, which has to be written before
    /// anything is built of them. What cannot be read is not in it: it will count as changed.
    ///
    /// # Errors
    /// A changed file cannot be made newer than the last build, so that cargo might take it for unchanged.
    pub fn restore(&self, root: &Path, files: &[PathBuf]) -> io::Result<(Snapshot, Restored)> {
        let mut restored = Restored::default();
        let mut entries = BTreeMap::new();
        // Machines need not agree on the time, and some file systems count every other second.
        let built = self.taken + PRECISION;
        // This second has begun already, so that there is nothing to wait for.
        let newer = Duration::from_secs(since_1970(SystemTime::now()).as_secs()).max(whole(built));
        for (path, State { digest, modified, is_dir }) in state(root, files) {
            let n_files = usize::from(!is_dir && !self.entries.is_empty());
            let own = since_1970(modified);
            let before = self.entries.get(&path).filter(|before| before.digest == digest);
            let wanted = match before {
                Some(before) => before.modified,
                // Nobody knows what the artifacts are made of, so it may only grow younger.
                None if self.entries.is_empty() => whole(own),
                None => newer.max(whole(own)),
            };
            let adjusted = restored.adjust(root.join(&path), modified, UNIX_EPOCH + wanted);
            let modified = match adjusted {
                Ok(()) => wanted,
                Err(error) if before.is_none() && own <= built => return Err(error),
                // It is new to cargo, which costs a build and nothing else.
                Err(_) => own,
            };
            if before.is_some() {
                restored.unchanged += n_files;
            } else {
                restored.changed += n_files;
            }
            entries.insert(path, Entry { digest, modified });
        }
        wait_until_past(&entries);
        Ok((Snapshot { entries, taken: since_1970(SystemTime::now()) }, restored))
    }

    /// Tells that all that was to be built of these files has been built.
    pub fn built(&mut self) {
        self.taken = self.taken.max(since_1970(SystemTime::now()));
    }
}

/// Waits for the times of files that were changed just now. What was built of a file shall be no older than the file.
fn wait_until_past(entries: &BTreeMap<String, Entry>) {
    let now = since_1970(SystemTime::now());
    let missing = entries.values().map(|entry| entry.modified.saturating_sub(now));
    if let Some(longest) = missing.filter(|missing| *missing <= LONGEST_WAIT).max() {
        thread::sleep(longest);
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
        // Cargo takes the younger of a link and what it leads to.
        let path = root.join(file);
        if let Some((digest, modified)) = content(&path).or_else(|| link(&path)) {
            found.insert(name, State { digest, modified, is_dir: false });
        }
    }
    found
}

/// The digest and time of a regular file that nobody writes to just now.
fn content(path: &Path) -> Option<(String, SystemTime)> {
    let before = modified_if(path, FileType::is_file)?;
    let bytes = fs::read(path).ok()?;
    let is_settled = modified(path)? == before;
    is_settled.then(|| (digest_of(&bytes), before))
}

fn link(path: &Path) -> Option<(String, SystemTime)> {
    let modified = modified_if(path, FileType::is_symlink)?;
    // One that was there in a file's place is another one, should both have the same bytes.
    let target = [b"link to ", fs::read_link(path).ok()?.as_os_str().as_encoded_bytes()].concat();
    Some((digest_of(&target), modified))
}

fn listing(path: &Path) -> Option<(String, SystemTime)> {
    let modified = modified_if(path, FileType::is_dir)?;
    let names = fs::read_dir(path).ok()?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names: Vec<_> = names.collect::<io::Result<_>>().ok()?;
    names.sort_unstable();
    let mut listed = Vec::new();
    for name in &names {
        listed.extend_from_slice(name.as_encoded_bytes());
        listed.push(0);
    }
    Some((digest_of(&listed), modified))
}

/// The time of what is at a path itself, be it a symbolic link.
fn modified(path: &Path) -> Option<SystemTime> {
    modified_if(path, |_| true)
}

fn modified_if(path: &Path, is_wanted: impl Fn(&FileType) -> bool) -> Option<SystemTime> {
    let metadata = fs::symlink_metadata(path).ok()?;
    metadata.modified().ok().filter(|_| is_wanted(&metadata.file_type()))
}

/// The next whole second.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn digest_of(bytes: &[u8]) -> String {
    format!("{:x}", md5::compute(bytes))
}

fn set_modified(path: &Path, modified: SystemTime) -> io::Result<()> {
    let modified = FileTime::from_system_time(modified);
    if fs::symlink_metadata(path)?.is_symlink() {
        return filetime::set_symlink_file_times(path, FileTime::now(), modified);
    }
    filetime::set_file_mtime(path, modified)
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
    use super::{Restored, Snapshot, modified, since_1970};
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
        let snapshot = tree.snapshot();
        // In whole seconds.
        let (lib, dir) = (tree.time("src/lib.rs"), tree.time("src"));
        for (time, hours) in [(lib, 2), (dir, 3)] {
            let later = time.duration_since(hours_ago(hours)).expect("not older than it was");
            assert!(later <= Duration::from_secs(1) && since_1970(time).subsec_nanos() == 0);
        }
        tree.check_out();
        let restored = tree.restore(&snapshot);
        assert_eq!((restored.unchanged, restored.changed), (2, 0));
        assert_eq!((tree.time("src/lib.rs"), tree.time("src")), (lib, dir));
        // Another build in this checkout has artifacts that we know nothing of. What was edited meanwhile keeps its time.
        let edited = SystemTime::now() + Duration::from_secs(7200);
        tree.set("Cargo.toml", edited);
        restored.put_back();
        assert!(tree.time("src/lib.rs") > hours_ago(1) && tree.time("src") > hours_ago(1));
        assert_eq!(tree.time("Cargo.toml"), edited);
        // What a build script made of the package's youngest file is fresh for just the same time.
        tree.check_out();
        let (again, _) = snapshot.restore(&tree.0, &files()).expect("writable");
        assert_eq!(again.entries, snapshot.entries);
        // A directory with a new name in it is another one, whoever brought the name.
        tree.check_out();
        fs::write(tree.0.join("src/new"), "").expect("writable");
        tree.check(&snapshot, 2, 0);
        assert!(tree.time("src") > hours_ago(1));
    }

    #[test]
    #[cfg(unix)]
    fn links_have_times_of_their_own() {
        let tree = Tree::new("links");
        let (link, files) = (tree.0.join("link"), ["src/lib.rs", "link"].map(PathBuf::from));
        let restore = |snapshot: &Snapshot| snapshot.restore(&tree.0, &files).expect("writable");
        let to = |target: &str| {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(target, &link).expect("writable");
        };
        // Into a directory, as a build script may be told to watch it, and into nowhere.
        for (target, other) in [("src", "src/lib.rs"), ("nowhere", "src")] {
            to(target);
            let (snapshot, _) = restore(&Snapshot::default());
            let before = modified(&link).expect("there");
            std::thread::sleep(Duration::from_millis(1100));
            to(target);
            assert_eq!(restore(&snapshot).1.unchanged, 2);
            assert_eq!(modified(&link), Some(before));
            to(other);
            assert_eq!(restore(&snapshot).1.changed, 1);
            assert!(modified(&link) > Some(before));
        }
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
