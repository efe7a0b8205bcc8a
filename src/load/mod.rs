//! Disk to data: reads raw profiles and objects on all cores, adds paths to errors. No parsing, no meaning.
//!
//! Profiles are merged one at a time as they are read, so memory does not grow with their number.

mod archives;
mod files;
pub mod matching;
mod objects;
mod profiles;

use std::path::PathBuf;

use anyhow::Result;

use crate::coverage::map::CoverageMap;
use crate::coverage::profile::Profile;
use files::Files;

pub use crate::object::Architecture;
pub use archives::unpack_archives;
pub use objects::{coverage_only, is_instrumented, read_objects};
pub use profiles::{NothingCounted, profiles_of, read_profiles};

/// Something that was passed over. The slug names the paragraph of the documentation that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A word for the kind of warning, as in `[unreadable-profile]`.
    pub slug: &'static str,
    /// How many things it speaks of: files, functions, records.
    pub count: u64,
    /// What happened, to which file, and what it costs.
    pub message: String,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Executables, shared and static libraries, in the order in which LLVM would be given them.
    pub objects: Vec<PathBuf>,
    /// Raw profiles.
    pub profiles: Vec<PathBuf>,
    /// Which slice of universal files to read.
    pub architecture: Option<Architecture>,
    /// Threads to read with.
    pub threads: usize,
    /// Leave out profiles of older builds of the objects, as opposed to taking from them whatever still fits.
    pub ignore_stale: bool,
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The functions of all objects.
    pub map: CoverageMap,
    /// For each of [`CoverageMap::objects`] the position of its file in [`Inputs::objects`]: a file may hold none or several.
    pub files: Vec<usize>,
    /// The counts of all processes.
    pub profile: Profile,
    /// What was passed over.
    pub warnings: Vec<Warning>,
}

/// Reads all objects and profiles.
///
/// A file that cannot be read costs that file, with a warning.
///
/// # Errors
/// No object with coverage data, no profile with counts.
pub fn load(inputs: &Inputs) -> Result<Loaded> {
    let Inputs { objects, profiles, architecture, threads, ignore_stale } = inputs;
    load_files(Files::OnDisk(objects), Files::OnDisk(profiles), *architecture, *threads, *ignore_stale)
}

/// As [`load`], for objects and raw profiles that are in memory, on this thread alone. Messages know the files by their positions.
///
/// # Errors
/// As for [`load`].
pub fn load_bytes(objects: &[&[u8]], profiles: &[&[u8]], ignore_stale: bool) -> Result<Loaded> {
    load_files(Files::InMemory(objects), Files::InMemory(profiles), Architecture::host(), 1, ignore_stale)
}

fn load_files(
    objects: Files<'_>,
    profiles: Files<'_>,
    architecture: Option<Architecture>,
    threads: usize,
    ignore_stale: bool,
) -> Result<Loaded> {
    let mut warnings = Vec::new();
    let (map, files) = objects::read(objects, architecture, threads, &mut warnings)?;
    let profile = profiles::read(profiles, &map, threads, ignore_stale, &mut warnings)?;
    Ok(Loaded { map, files, profile, warnings })
}
