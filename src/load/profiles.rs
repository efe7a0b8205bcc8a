//! Raw profiles from disk, merged as they come.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock};

use anyhow::{Context, Result, anyhow, bail};

use super::files::{Files, read_file};
use super::{Warning, read_objects};
use crate::coverage::map::{Builds, CoverageMap};
use crate::coverage::profile::Profile;
use crate::format::error::{Error, ErrorKind};
use crate::format::profraw::{self, RawProfile};
use crate::object::Architecture;

/// No process has counted anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingCounted(String);

impl fmt::Display for NothingCounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NothingCounted {}

/// What the threads share. Profiles are merged in the order of their files, whoever has read them first: of two that disagree
/// about a function's counters, the first one counts.
struct Shared {
    profile: Profile,
    n_empty: usize,
    /// The position of the file that is merged next.
    turn: usize,
    /// The files that could not be read, with their positions.
    failures: Vec<(usize, anyhow::Error)>,
}

/// Reads and merges all `paths`. With `ignore_stale`, profiles of older builds of the objects in `map` are left out.
///
/// # Errors
/// None of the files has a profile in it; [`NothingCounted`] if there are no files, or none with a function. A single file that
/// cannot be read is a warning.
pub fn read_profiles(
    paths: &[PathBuf],
    map: &CoverageMap,
    threads: usize,
    ignore_stale: bool,
    warnings: &mut Vec<Warning>,
) -> Result<Profile> {
    read(Files::OnDisk(paths), map, threads, ignore_stale, warnings)
}

/// As [`read_profiles`], from wherever the files are.
pub(super) fn read(
    files: Files<'_>,
    map: &CoverageMap,
    threads: usize,
    ignore_stale: bool,
    warnings: &mut Vec<Warning>,
) -> Result<Profile> {
    let nothing = |why: String| Err(NothingCounted(why).into());
    if files.len() == 0 {
        return nothing("no raw profile to read; did any instrumented process run to write one?".to_owned());
    }
    let shared =
        Mutex::new(Shared { profile: Profile::default(), n_empty: 0, turn: 0, failures: Vec::new() });
    let turn_changed = Condvar::new();
    let next = AtomicUsize::new(0);
    let builds = OnceLock::new();
    let work = || {
        let mut buffer = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            if position >= files.len() {
                return;
            }
            let read = files.read(position, &mut buffer).map_err(anyhow::Error::from);
            let read = read.and_then(|bytes| profraw::parse(bytes).map_err(with_cure));
            let shared = shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let mut shared = turn_changed
                .wait_while(shared, |shared| shared.turn < position)
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            match read {
                Ok(profiles) => {
                    shared.n_empty += usize::from(profiles.is_empty());
                    for profile in &profiles {
                        shared.profile.merge(profile, &|profile| {
                            ignore_stale && is_stale(map, builds.get_or_init(|| map.builds()), profile)
                        });
                    }
                }
                Err(error) => shared.failures.push((position, error)),
            }
            shared.turn += 1;
            drop(shared);
            turn_changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(files.len()) {
            scope.spawn(work);
        }
        work();
    });

    let Shared { profile, n_empty, failures, .. } = shared.into_inner().unwrap_or_else(|e| e.into_inner());
    if profile.n_profiles == 0 {
        if let Some((position, error)) = failures.into_iter().next() {
            return Err(error).with_context(|| message(&files.name(position)));
        }
        bail!(
            "all {n_empty} raw profiles are empty, the first is `{}`; were the processes killed before they could write \
             their counts?",
            files.name(0)
        );
    }
    for (position, error) in failures {
        let message = format!("{}: {error:#}; its counts are missing", message(&files.name(position)));
        warnings.push(Warning { slug: "unreadable-profile", count: 1, message });
    }
    if n_empty > 0 {
        let message = format!(
            "{n_empty} of {} raw profiles are empty: the processes died early, or the disk was full",
            files.len()
        );
        warnings.push(Warning { slug: "empty-profile", count: n_empty as u64, message });
    }
    if profile.n_stale_profiles > 0 {
        let message = format!(
            "{} of {} raw profiles are of an older build and were ignored; remove them",
            profile.n_stale_profiles, profile.n_profiles
        );
        warnings.push(Warning { slug: "stale-profile", count: profile.n_stale_profiles, message });
    }
    if profile.n_mismatched_records > 0 {
        let message = format!(
            "{} records have another number of counters than an equal record before them; their counts are missing",
            profile.n_mismatched_records
        );
        warnings.push(Warning { slug: "counter-mismatch", count: profile.n_mismatched_records, message });
    }
    if profile.is_empty() {
        return nothing(format!(
            "the {} raw profiles hold no function that could be counted; were they written by older builds of these objects?",
            profile.n_profiles
        ));
    }
    Ok(profile)
}

/// Those of the raw profiles `paths` that count something in `objects` and are of no older build of them. What cannot be
/// read is left out.
pub fn profiles_of(paths: &[PathBuf], objects: &[PathBuf], threads: usize) -> Vec<PathBuf> {
    if paths.is_empty() || objects.is_empty() {
        return Vec::new();
    }
    let Ok((map, _)) = read_objects(objects, Architecture::host(), threads, &mut Vec::new()) else {
        return Vec::new();
    };
    let builds = map.builds();
    let mut buffer = Vec::new();
    let mut is_of_objects = |path: &&PathBuf| {
        let Ok(()) = read_file(path, &mut buffer) else { return false };
        let Ok(profiles) = profraw::parse(&buffer) else { return false };
        let is_known = |profile: &RawProfile<'_>| profile.records.iter().any(|it| map.knows(it.name_ref));
        profiles.iter().any(|profile| is_known(profile) && !is_stale(&map, &builds, profile))
    };
    paths.iter().filter(|path| is_of_objects(path)).cloned().collect()
}

fn message(name: &str) -> String {
    format!("failed to read profile `{name}`")
}

/// Whether a profile is of another build of an object in the map: no object has exactly its functions, and at least one
/// of its functions has only another structural hash there.
///
/// A profile of a program that merely shares code with the objects has no such function, and counts.
fn is_stale(map: &CoverageMap, builds: &Builds, profile: &RawProfile<'_>) -> bool {
    if map.has_fingerprint(profraw::fingerprint(&profile.records)) {
        return false;
    }
    profile.records.iter().any(|record| builds.has_only_others(record.name_ref, record.func_hash))
}

/// Adds what helps against an error in the bytes of a file, where something does.
pub(super) fn with_cure(error: Error) -> anyhow::Error {
    match error.kind {
        ErrorKind::UnsupportedVersion { found, newest, .. } if found > newest => {
            anyhow!(
                "{error}; update xtask-coverage, pin the toolchain, or let LLVM's own tools read it: `--engine llvm`"
            )
        }
        _ => error.into(),
    }
}
