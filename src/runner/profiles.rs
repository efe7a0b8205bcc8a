//! Raw profiles as files: where a process is told to leave them, what it left, and what it left elsewhere. Reads none of them.

use super::runtool;
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Makes `directory` an empty directory.
///
/// # Errors
/// When what is in it cannot be removed: it would count again.
pub fn empty(directory: &Path) -> Result<()> {
    let removed = match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(directory),
    };
    removed.with_context(|| format!("failed to empty `{}`", directory.display()))
}

/// `first` and names for more directories beside it.
pub fn numbered(first: &Path) -> impl Iterator<Item = PathBuf> {
    let others = (2..).map(|number| PathBuf::from(format!("{}.{number}", first.display())));
    std::iter::once(first.to_owned()).chain(others)
}

/// The value of `LLVM_PROFILE_FILE` for a process and what it starts.
///
/// `%m` is one file for each program, into which all its processes count; with `%c` the counters are the file, so that
/// they survive a kill. Without it the file is written at the end, one for each process.
pub fn pattern(directory: &Path, continuous: bool) -> PathBuf {
    directory.join(if continuous { "%m%c.profraw" } else { "%p-%m.profraw" })
}

/// The same for a compiler, into which the proc-macros of the workspace are loaded, and for all that it starts. Not continuous:
/// a macro library with no instrumented function in it would complain.
pub(super) fn compiler_pattern(directory: &Path) -> PathBuf {
    directory.join("compiler").join("%m.profraw")
}

/// The raw profiles below `directory`, sorted. What cannot be listed holds none.
pub fn find(directory: &Path) -> Vec<PathBuf> {
    below(directory, is_profile, &mut |_, _| {})
}

/// The same for a directory that somebody has named.
///
/// # Errors
/// It, or a directory in it, cannot be listed.
pub fn find_all(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut failure = None;
    let found = below(directory, is_profile, &mut |directory, error| {
        failure.get_or_insert_with(|| {
            anyhow!(error).context(format!("failed to list `{}`", directory.display()))
        });
    });
    failure.map_or(Ok(found), Err)
}

fn is_profile(name: &OsStr) -> bool {
    name.as_encoded_bytes().ends_with(b".profraw")
}

/// The coverage maps that were kept below `directory`, sorted.
pub(super) fn kept_objects(directory: &Path) -> Vec<PathBuf> {
    below(directory, |name| name == runtool::KEPT, &mut |_, _| {})
}

/// Writes raw profiles and coverage maps of an earlier run into `directory`, under names by which they are found there.
///
/// # Errors
/// When a file cannot be written; some may be there then.
pub(super) fn write_earlier(directory: &Path, profiles: &[Vec<u8>], objects: &[Vec<u8>]) -> io::Result<()> {
    for (number, profile) in profiles.iter().enumerate() {
        fs::write(directory.join(format!("{number:04}.profraw")), profile)?;
    }
    for (number, object) in objects.iter().enumerate() {
        let own = directory.join(format!("{number:04}"));
        fs::create_dir_all(&own)?;
        fs::write(own.join(runtool::KEPT), object)?;
    }
    Ok(())
}

/// The files below `directory` whose names are wanted, sorted. Names need not be UTF-8, so this is no pattern; and links to
/// directories are not followed, so this has an end.
fn below(
    directory: &Path,
    is_wanted: impl Fn(&OsStr) -> bool,
    on_failure: &mut dyn FnMut(&Path, io::Error),
) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        let listed = fs::read_dir(&directory).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    pending.push(entry.path());
                } else if is_wanted(&entry.file_name()) {
                    found.push(entry.path());
                }
            }
            Ok(())
        });
        if let Err(error) = listed {
            on_failure(&directory, error);
        }
    }
    found.sort();
    found
}

/// Whether a file is called as `-C instrument-coverage` has it called by default, `default_%m_%p.profraw`: a process that was
/// started with a cleared environment leaves it where it stands.
pub fn is_stray(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.starts_with(b"default_") && name.ends_with(b".profraw")
}

/// Moves a profile into a directory, which may be on another disk, and returns its new path.
///
/// # Errors
/// When it is gone, or cannot be moved.
pub fn take(profile: &Path, directory: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let target = directory.join(profile.file_name().unwrap_or_default());
    fs::rename(profile, &target).or_else(|error| match error.kind() {
        io::ErrorKind::CrossesDevices => fs::copy(profile, &target).and_then(|_| fs::remove_file(profile)),
        _ => Err(error),
    })?;
    Ok(target)
}

/// The strays directly in `directory`.
pub(super) fn strays(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| is_stray(path)).collect()
}

/// Moves the strays in `from` that are not among `known` to `to`.
pub(super) fn collect_strays(from: &Path, known: &BTreeSet<PathBuf>, to: &Path) {
    for stray in strays(from).difference(known) {
        // Another test binary of the package may take it first.
        drop(take(stray, to));
    }
}

#[cfg(test)]
mod tests {
    use super::{collect_strays, empty, find, strays};
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::{env, process};

    /// A directory that is gone at the end of the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = env::temp_dir().join(format!("xtask-coverage-{name}-{}", process::id()));
            empty(&path).expect("can be made");
            Scratch(path)
        }

        fn file(&self, name: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().expect("has a parent")).expect("can be made");
            fs::write(&path, name).expect("can be written");
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn finds_profiles_at_any_depth_and_nothing_else() {
        let scratch = Scratch::new("find [a*b]");
        let expected = [scratch.file("1_0.profraw"), scratch.file("deep/er/2_0.profraw")];
        scratch.file("notes.txt");
        assert_eq!(find(&scratch.0), expected);
        assert_eq!(find(Path::new("/nonexistent")), [] as [PathBuf; 0]);
        empty(&scratch.0).expect("can be emptied");
        assert_eq!(find(&scratch.0), [] as [PathBuf; 0]);
    }

    #[test]
    fn moves_strays_but_not_the_user_s_own_files() {
        let scratch = Scratch::new("strays");
        let kept = scratch.file("pkg/default_1_0_1.profraw");
        let package = scratch.0.join("pkg");
        let known = strays(&package);
        let stray = scratch.file("pkg/default_1_0_2.profraw");
        let other = scratch.file("pkg/other.profraw");
        let to = scratch.0.join("raw/app");
        empty(&to).expect("can be made");
        collect_strays(&package, &known, &to);
        assert!(kept.exists() && other.exists() && !stray.exists());
        assert_eq!(find(&to), [to.join("default_1_0_2.profraw")]);
    }
}
