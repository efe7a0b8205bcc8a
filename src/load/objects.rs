//! Objects from disk: only the sections that hold coverage data are read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::Warning;
use super::files::{FileInput, Files};
use super::profiles::with_cure;
use crate::coverage::map::{CoverageMap, NewInObject};
use crate::format::covfun;
use crate::format::covmap;
use crate::format::error::Error;
use crate::format::prf_names::{self, NamesChunk};
use crate::format::profraw;
use crate::object::write::elf_object;
use crate::object::{Architecture, CoverageSections, PointerWidth, ReadError, coverage_sections};

/// What the threads share. Objects are added in the order of their paths, whoever has read them first.
struct Shared {
    map: CoverageMap,
    /// For each object in the map the position of its file.
    files: Vec<usize>,
    /// The position of the object that is added next.
    turn: usize,
    n_without_data: usize,
    warnings: Vec<(usize, Warning)>,
    failures: Vec<(usize, anyhow::Error)>,
}

/// Reads the coverage maps of all `paths`, of universal files the slice for `architecture`. Also returned is for each object in the
/// map the position of its path.
///
/// # Errors
/// None of the files has coverage data. A single file that cannot be read is a warning.
pub fn read_objects(
    paths: &[PathBuf],
    architecture: Option<Architecture>,
    threads: usize,
    warnings: &mut Vec<Warning>,
) -> Result<(CoverageMap, Vec<usize>)> {
    read(Files::OnDisk(paths), architecture, threads, warnings)
}

/// As [`read_objects`], from wherever the files are.
pub(super) fn read(
    objects: Files<'_>,
    architecture: Option<Architecture>,
    threads: usize,
    warnings: &mut Vec<Warning>,
) -> Result<(CoverageMap, Vec<usize>)> {
    ensure!(objects.len() > 0, "no object to read coverage maps from");
    let shared = Mutex::new(Shared {
        map: CoverageMap::default(),
        files: Vec::new(),
        turn: 0,
        n_without_data: 0,
        warnings: Vec::new(),
        failures: Vec::new(),
    });
    let turn_changed = Condvar::new();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            if position >= objects.len() {
                return;
            }
            read_object(position, objects, architecture, &shared, &turn_changed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(objects.len()) {
            scope.spawn(work);
        }
        work();
    });

    let shared = shared.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Shared { map, files, n_without_data, warnings: mut found, mut failures, .. } = shared;
    failures.sort_unstable_by_key(|(position, _)| *position);
    found.sort_by_key(|(position, _)| *position);
    if map.objects.is_empty() {
        if let Some((position, error)) = failures.into_iter().next() {
            return Err(error).with_context(|| message(&objects.name(position)));
        }
        let first = found.first().map_or(String::new(), |(_, warning)| format!(": {}", warning.message));
        bail!(
            "no coverage data in any of {n_without_data} objects, `{}` for one{first}; were they built with \
             `-C instrument-coverage`?",
            objects.name(0)
        );
    }
    warnings.extend(found.into_iter().map(|(_, warning)| warning));
    for (position, error) in failures {
        let message = format!("{}: {error:#}; its functions are missing", message(&objects.name(position)));
        warnings.push(Warning { slug: "unreadable-object", count: 1, message });
    }
    if map.n_records_without_table > 0 {
        let message = format!(
            "{} functions refer to file names that no object has; they are missing",
            map.n_records_without_table
        );
        warnings.push(Warning { slug: "unknown-file-names", count: map.n_records_without_table, message });
    }
    Ok((map, files))
}

/// Whether a program has counters, so that a process of it leaves a raw profile. A file that cannot be read has none.
///
/// A test binary of a crate without a single function is such a program. Asked for a continuous profile, it would complain
/// on its standard error.
pub fn is_instrumented(path: &Path) -> bool {
    let Ok(input) = FileInput::open(path) else { return false };
    coverage_sections(&input, Architecture::host()).is_ok_and(|file| {
        // MSVC's linker merges the data records away; function records are as good a sign.
        let has_counters = |object: &CoverageSections<'_>| {
            !object.prf_data.is_empty() || (cfg!(windows) && !object.covfun.is_empty())
        };
        file.objects.iter().any(has_counters)
    })
}

/// What is left of a program when all but its coverage data is taken away: an object file of its own, and 32 hexadecimal digits
/// that tell its content from others. `None` if it has no coverage data.
///
/// # Errors
/// When the file cannot be read or is no object.
pub fn coverage_only(path: &Path) -> Result<Option<(Vec<u8>, String)>> {
    let context = || message(&path.display().to_string());
    let input = FileInput::open(path).with_context(context)?;
    let file = coverage_sections(&input, Architecture::host()).map_err(|error| match error {
        ReadError::Io(error) => anyhow!(error).context(context()),
        ReadError::Format(error) => anyhow!(error).context(context()),
    })?;
    Ok(file.objects.first().map(|sections| {
        let bytes = elf_object(sections);
        let digest = format!("{:x}", md5::compute(&bytes));
        (bytes, digest)
    }))
}

fn message(name: &str) -> String {
    format!("failed to read object `{name}`")
}

/// Reads one object and adds it when it is its turn.
fn read_object(
    position: usize,
    files: Files<'_>,
    architecture: Option<Architecture>,
    shared: &Mutex<Shared>,
    turn_changed: &Condvar,
) {
    let input = files.open(position);
    let file = input.as_ref().map_err(|error| anyhow!("{error}")).and_then(|input| {
        coverage_sections(&**input, architecture).map_err(|error| match error {
            ReadError::Io(error) => anyhow!(error),
            ReadError::Format(error) => anyhow!(error),
        })
    });
    let framed = file.as_ref().map_err(|error| anyhow!("{error:#}")).and_then(|file| {
        let objects: Result<Vec<_>, _> = file.objects.iter().map(FramedObject::new).collect();
        Ok((file, objects?))
    });

    let mut guard = wait_for_turn(position, shared, turn_changed);
    match framed {
        Ok((file, objects)) => {
            let new: Vec<_> = objects.iter().map(|object| object.add_to(&mut guard.map)).collect();
            guard.files.extend(objects.iter().map(|_| position));
            guard.n_without_data += usize::from(objects.is_empty());
            for skipped in &file.skipped {
                let member = skipped.member.as_ref().map_or(String::new(), |member| format!("({member})"));
                let message = format!("object `{}{member}` has {}", files.name(position), skipped.reason);
                guard.warnings.push((position, Warning { slug: "incomplete-object", count: 1, message }));
            }
            end_turn(guard, turn_changed);
            for (object, new) in objects.iter().zip(&new) {
                object.decode_new(
                    new,
                    |error| {
                        let message = message(&files.name(position));
                        let message = format!("{message}: {error}; some of its functions are missing");
                        let warning = Warning { slug: "damaged-object", count: 1, message };
                        lock(shared).warnings.push((position, warning));
                    },
                    shared,
                );
            }
        }
        Err(error) => {
            guard.failures.push((position, error));
            end_turn(guard, turn_changed);
        }
    }
}

/// Waits until all objects before `position` are added.
fn wait_for_turn<'a>(
    position: usize,
    shared: &'a Mutex<Shared>,
    turn_changed: &Condvar,
) -> MutexGuard<'a, Shared> {
    let guard = lock(shared);
    turn_changed
        .wait_while(guard, |shared| shared.turn < position)
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn end_turn(mut guard: MutexGuard<'_, Shared>, turn_changed: &Condvar) {
    guard.turn += 1;
    drop(guard);
    turn_changed.notify_all();
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// An object whose sections are taken apart into what they hold, but not decoded.
struct FramedObject<'a> {
    tables: Vec<covmap::FilenameTable<'a>>,
    records: Vec<covfun::CovfunRecord<'a>>,
    names: Vec<NamesChunk<'a>>,
    fingerprints: Vec<u64>,
}

impl<'a> FramedObject<'a> {
    fn new(sections: &'a CoverageSections<'_>) -> Result<FramedObject<'a>> {
        let endian = sections.endian;
        let pointer_len = match sections.pointer_width {
            PointerWidth::Bits32 => 4,
            PointerWidth::Bits64 => 8,
        };
        Ok(FramedObject {
            tables: covmap::tables(&sections.covmap, endian).map_err(with_cure).context("coverage map")?,
            records: covfun::records(&sections.covfun, endian).context("function records")?,
            names: prf_names::chunks(&sections.names).context("function names")?,
            fingerprints: profraw::data_fingerprints(&sections.prf_data, endian, pointer_len),
        })
    }

    fn add_to(&self, map: &mut CoverageMap) -> NewInObject {
        let filenames_refs: Vec<u64> = self.tables.iter().map(|table| table.filenames_ref).collect();
        let names: Vec<&[u8]> = self.names.iter().map(|chunk| chunk.bytes).collect();
        map.add_object(&filenames_refs, &self.records, &names, &self.fingerprints)
    }

    /// Decodes what no object before had, while other threads go on, and adds it to the map.
    fn decode_new(&self, new: &NewInObject, mut report: impl FnMut(Error), shared: &Mutex<Shared>) {
        for &(position, table) in &new.tables {
            match self.tables[position].resolve() {
                Ok(paths) => lock(shared).map.insert_table(table, paths),
                Err(error) => report(error),
            }
        }
        for &position in &new.names_chunks {
            match self.names[position].decode() {
                Ok(decoded) => {
                    let names = prf_names::names_with_refs(&decoded);
                    lock(shared).map.insert_names(&names);
                }
                Err(error) => report(error),
            }
        }
    }
}
