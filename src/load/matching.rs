//! Which raw profiles come from which objects, told from the content of each, before anything is merged.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::files::{FileInput, read_file};
use super::objects::read_objects;
use crate::format::profraw;
use crate::object::{Architecture, CoverageSections, PointerWidth, coverage_sections};

/// Stands for the functions of an object, in the order in which its raw profiles have them.
pub type Fingerprint = u64;

/// The fingerprints that raw profiles of an object can have. None for what cannot be read or has no counters.
pub fn object_fingerprints(path: &Path) -> Vec<Fingerprint> {
    let Ok(input) = FileInput::open(path) else { return Vec::new() };
    let Ok(file) = coverage_sections(&input, Architecture::host()) else { return Vec::new() };
    let of_part = |object: &CoverageSections<'_>| {
        let pointer_len = match object.pointer_width {
            PointerWidth::Bits32 => 4,
            PointerWidth::Bits64 => 8,
        };
        match object.prf_data.is_empty() {
            true => Vec::new(),
            false => profraw::data_fingerprints(&object.prf_data, object.endian, pointer_len),
        }
    };
    file.objects.iter().flat_map(of_part).collect()
}

/// Raw profiles of one module, as their file names say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileGroup {
    /// The files.
    pub paths: Vec<PathBuf>,
    /// The fingerprints of what is in them. None if nothing can be read.
    pub fingerprints: BTreeSet<Fingerprint>,
    /// Names and structural hashes of the functions in them.
    pub functions: BTreeSet<(u64, u64)>,
}

/// Puts raw profiles together that `%p-%m` has given the same `%m`, which stands for the module. A harness may start thousands
/// of processes; one profile of a group is read.
pub fn profile_groups(paths: &[PathBuf]) -> Vec<ProfileGroup> {
    let mut groups: BTreeMap<&OsStr, ProfileGroup> = BTreeMap::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        let module =
            name.to_str().and_then(|name| name.split_once('-')).map(|(_, module)| OsStr::new(module));
        let group = groups.entry(module.unwrap_or(name)).or_default();
        group.paths.push(path.clone());
        // A process that died early leaves an empty one.
        if group.fingerprints.is_empty() {
            group.read(path);
        }
    }
    groups.into_values().collect()
}

impl ProfileGroup {
    fn read(&mut self, path: &Path) {
        let mut bytes = Vec::new();
        let Ok(()) = read_file(path, &mut bytes) else { return };
        for profile in profraw::parse(&bytes).unwrap_or_default() {
            // A program without an instrumented function leaves a profile without one, which is like that of any other.
            if !profile.records.is_empty() {
                self.fingerprints.insert(profraw::fingerprint(&profile.records));
                self.functions
                    .extend(profile.records.iter().map(|record| (record.name_ref, record.func_hash)));
            }
        }
    }
}

/// What the coverage map of an object names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectContent {
    /// The source files, as the compiler stored them.
    pub source_files: Vec<PathBuf>,
    /// Names and structural hashes of the functions, as raw profiles have them.
    pub functions: BTreeSet<(u64, u64)>,
}

/// Reads the coverage map of one object. One that cannot be read names nothing.
pub fn object_content(path: &Path) -> ObjectContent {
    let Ok((map, _)) = read_objects(&[path.to_owned()], Architecture::host(), 1, &mut Vec::new()) else {
        return ObjectContent::default();
    };
    let source_file = |path: &[u8]| PathBuf::from(String::from_utf8_lossy(path).into_owned());
    ObjectContent {
        source_files: map.paths.iter().map(|path| source_file(path)).collect(),
        functions: map.mappings.iter().map(|record| (record.name_ref, record.func_hash)).collect(),
    }
}
