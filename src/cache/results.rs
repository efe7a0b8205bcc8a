//! Results of test binaries that earlier runs have kept, by a key of all that they depend on. Knows nothing of tests: an entry is a
//! description and some files, which are data and are never executed.
//!
//! An entry is a file: a line that names the format, a line with the digest of its key and of what follows, and compressed bytes. One
//! that is damaged, under another key, or of another format is not there.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde_json::{Value, json};

/// The first line of an entry. The number is counted up whenever an entry changes its meaning.
const FORMAT: &str = "xtask-coverage result 1";

/// An entry is not larger, compressed or not.
const MAX_LEN: usize = 1 << 30;

/// A level that is fast, as most of it is zeros.
const COMPRESSION: u8 = 3;

/// A directory of entries.
#[derive(Clone, Debug)]
pub struct ResultCache {
    directory: PathBuf,
}

/// What is kept under a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// What there is to say.
    pub description: Value,
    /// Files by plain names: no separators, so that they go where the reader wants them.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What is in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Entries.
    pub entries: u64,
    /// Their sizes in bytes.
    pub bytes: u64,
}

impl ResultCache {
    /// The cache in a directory, which need not be there yet.
    pub fn new(directory: &Path) -> ResultCache {
        ResultCache { directory: directory.to_owned() }
    }

    /// What is kept under `key`, and from now on used a moment ago.
    pub fn get(&self, key: &str) -> Option<Entry> {
        let path = self.path(key);
        let mut bytes = Vec::new();
        let file = File::open(&path).ok()?;
        file.take(MAX_LEN as u64).read_to_end(&mut bytes).ok()?;
        let entry = Entry::parse(key, &bytes)?;
        // A cache that cannot be written can still be read.
        let _ = File::options().write(true).open(&path).and_then(|it| it.set_modified(SystemTime::now()));
        Some(entry)
    }

    /// Keeps an entry, whole or not at all.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn put(&self, key: &str, entry: &Entry) -> Result<()> {
        let path = self.path(key);
        let new = path.with_extension(format!("new-{}", std::process::id()));
        let write = || {
            fs::create_dir_all(&self.directory)?;
            // Nobody wants to commit it, wherever it is.
            let ignore = self.directory.join(".gitignore");
            if !ignore.exists() {
                fs::write(ignore, "*\n")?;
            }
            fs::write(&new, entry.render(key))?;
            fs::rename(&new, &path)
        };
        write()
            .inspect_err(|_| drop(fs::remove_file(&new)))
            .with_context(|| format!("failed to keep a result in `{}`", self.directory.display()))
    }

    /// What is in it.
    pub fn stored(&self) -> Stored {
        let mut stored = Stored::default();
        for (_, metadata) in self.entries() {
            stored.entries += 1;
            stored.bytes += metadata.len();
        }
        stored
    }

    /// Removes what was used before `time`; tells what.
    ///
    /// # Errors
    /// An entry cannot be removed.
    pub fn remove_older(&self, time: SystemTime) -> Result<Stored> {
        let mut removed = Stored::default();
        for (path, metadata) in self.entries() {
            if metadata.modified().is_ok_and(|modified| modified < time) {
                fs::remove_file(&path).with_context(|| format!("failed to remove `{}`", path.display()))?;
                removed.entries += 1;
                removed.bytes += metadata.len();
            }
        }
        Ok(removed)
    }

    /// Removes all entries, and nothing else that may lie there.
    ///
    /// # Errors
    /// An entry cannot be removed.
    pub fn clear(&self) -> Result<Stored> {
        // Clocks differ between machines.
        self.remove_older(SystemTime::now() + Duration::from_secs(100 * 365 * 86_400))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(format!("{key}.{EXTENSION}"))
    }

    fn entries(&self) -> Vec<(PathBuf, fs::Metadata)> {
        let Ok(entries) = fs::read_dir(&self.directory) else { return Vec::new() };
        let paths = entries.flatten().map(|entry| entry.path());
        let ours = paths.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        ours.filter_map(|path| fs::symlink_metadata(&path).ok().map(|metadata| (path, metadata))).collect()
    }
}

const EXTENSION: &str = "result";

impl Entry {
    fn render(&self, key: &str) -> Vec<u8> {
        let lens: Vec<Value> = self.files.iter().map(|(name, bytes)| json!([name, bytes.len()])).collect();
        let mut body = json!({"description": self.description, "files": lens}).to_string().into_bytes();
        body.push(b'\n');
        for (_, bytes) in &self.files {
            body.extend_from_slice(bytes);
        }
        let compressed = compress_to_vec_zlib(&body, COMPRESSION);
        let mut rendered = format!("{FORMAT}\n{}\n", digest(key, &compressed)).into_bytes();
        rendered.extend_from_slice(&compressed);
        rendered
    }

    fn parse(key: &str, bytes: &[u8]) -> Option<Entry> {
        let (stored, compressed) = split_line(bytes.strip_prefix(FORMAT.as_bytes())?.strip_prefix(b"\n")?)?;
        if digest(key, compressed).as_bytes() != stored {
            return None;
        }
        let body = decompress_to_vec_zlib_with_limit(compressed, MAX_LEN).ok()?;
        let (head, mut rest) = split_line(&body)?;
        let head: Value = serde_json::from_slice(head).ok()?;
        let mut files = Vec::new();
        for file in head.get("files")?.as_array()? {
            let name = file.get(0)?.as_str().filter(|name| is_plain(name))?;
            let len = usize::try_from(file.get(1)?.as_u64()?).ok()?;
            let (bytes, behind) = rest.split_at_checked(len)?;
            files.push((name.to_owned(), bytes.to_vec()));
            rest = behind;
        }
        rest.is_empty().then_some(Entry { description: head.get("description")?.clone(), files })
    }
}

fn digest(key: &str, compressed: &[u8]) -> String {
    let mut digest = md5::Context::new();
    digest.consume(key);
    digest.consume(b"\n");
    digest.consume(compressed);
    format!("{:x}", digest.finalize())
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

/// Whether a name is that of a file in the very directory that it is put into.
fn is_plain(name: &str) -> bool {
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_harmless)
}

#[cfg(test)]
mod tests {
    use super::{Entry, ResultCache, Stored};
    use serde_json::json;
    use std::fs::{self, File};
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xtask-coverage-results-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn entry() -> Entry {
        Entry {
            description: json!({"passed": 3, "name": "ä\n"}),
            files: vec![("0.profraw".to_owned(), vec![0, 10, 255]), ("1.o".to_owned(), Vec::new())],
        }
    }

    #[test]
    fn what_is_kept_is_found_again_until_it_is_old() {
        let directory = directory("kept");
        let cache = ResultCache::new(&directory);
        assert_eq!((cache.get("a"), cache.stored()), (None, Stored::default()));
        cache.put("a", &entry()).expect("writable");
        cache.put("b", &entry()).expect("writable");
        assert_eq!((cache.get("a"), cache.get("c")), (Some(entry()), None));
        assert_eq!(fs::read_to_string(directory.join(".gitignore")).expect("written"), "*\n");
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        for key in ["a", "b"] {
            let path = directory.join(format!("{key}.result"));
            File::options().write(true).open(path).and_then(|it| it.set_modified(hour_ago)).expect("ours");
        }
        // Using an entry keeps it.
        cache.get("a").expect("there");
        assert_eq!(cache.remove_older(hour_ago + Duration::from_secs(60)).expect("ours").entries, 1);
        assert_eq!((cache.get("a"), cache.get("b")), (Some(entry()), None));
        fs::write(directory.join("other"), "").expect("writable");
        assert_eq!(cache.clear().expect("ours").entries, 1);
        assert!(directory.join("other").exists());
        fs::remove_dir_all(&directory).expect("ours");
    }

    #[test]
    fn damaged_foreign_and_hostile_entries_are_not_there() {
        let directory = directory("damaged");
        let cache = ResultCache::new(&directory);
        cache.put("a", &entry()).expect("writable");
        let path = directory.join("a.result");
        let bytes = fs::read(&path).expect("written");
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1;
            fs::write(&path, &damaged).expect("writable");
            assert_eq!(cache.get("a"), None, "{position}");
            fs::write(&path, &bytes[..position]).expect("writable");
            assert_eq!(cache.get("a"), None, "{position}");
        }
        // That of another binary, or of another compiler.
        fs::write(directory.join("b.result"), &bytes).expect("writable");
        assert_eq!(cache.get("b"), None);
        for name in ["../a", "/etc/a", "..", "", ".hidden", "a\\b", "c:d"] {
            cache
                .put("a", &Entry { files: vec![(name.to_owned(), Vec::new())], ..entry() })
                .expect("writable");
            assert_eq!(cache.get("a"), None, "{name}");
        }
        fs::remove_dir_all(&directory).expect("ours");
    }
}
