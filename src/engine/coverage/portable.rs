//! A run as one small file that any machine can read: coverage maps and merged counts before anything is evaluated. No I/O.
//!
//! Several of them become one map and one profile, from which the models derive what they would have from the whole. Objects and
//! raw profiles are not in it; nor is anything that is not needed to evaluate.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 8 | `XCOVPART` |
//! | 8 | 4 | version of the format, little endian |
//! | 12 | 16 | MD5 of all that follows |
//! | 28 | | sections: kind (4 bytes), length (8), length as stored (8), zlib stream |
//!
//! Section 1 is a header for the caller, of which nothing is known here. Section 2 holds paths, tables of paths, distinct mappings
//! with their structural hashes, the function records that have them, by name, and the objects that have these. Section 3 holds the counts without those of older builds of the objects, and section 4, which
//! is rare, those with them, as LLVM counts. Numbers are ULEB128; what is a digest has 8 bytes, little endian.
//!
//! A path is the number of the root that it lies below, from 1 on, and the rest with `/` between its parts; or 0 and the path as
//! the compiler stored it. `/w/src/a.rs` below the only root `/w` becomes `01 08 src/a.rs`.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::map::{CoverageMap, MappingIndex};
use super::profile::{BitOrder, Bitmap, FunctionCounts, Profile};
use crate::format::covfun::CovfunRecord;
use crate::format::cursor::{Cursor, Endian, wide};
use crate::format::error::{Error, ErrorKind, Result};
use crate::format::prf_names::md5_64;
use crate::format::zlib;

const MAGIC: &[u8; 8] = b"XCOVPART";
const VERSION: u32 = 1;

/// No section of a real run comes near this size; a larger one is hostile. What is read from it takes some times more.
const MAX_SECTION: u64 = 1 << 28;

const HEADER: u32 = 1;
const MAP: u32 = 2;
const COUNTS: u32 = 3;
const COUNTS_WITH_STALE: u32 = 4;

/// A path that holds on other machines too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortablePath {
    /// Which of the roots it lies below, from 1 on; 0 if below none.
    pub root: u32,
    /// The path from there, with `/` between its parts; the whole of it where there is no root.
    pub path: Box<[u8]>,
}

/// What a run is written from.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What the caller wants to know when it reads the file.
    pub header: &'a [u8],
    /// What the objects say.
    pub map: &'a CoverageMap,
    /// The counts, without those of older builds of the objects.
    pub profile: &'a Profile,
    /// The counts with those of older builds, where there are any.
    pub with_stale: Option<&'a Profile>,
}

/// A run that was read.
#[derive(Clone, Debug)]
pub struct Portable {
    /// What the caller wrote.
    pub header: Vec<u8>,
    /// The paths that tables of file names hold.
    pub paths: Vec<PortablePath>,
    tables: Vec<Table>,
    records: Vec<Record>,
    bytes: Vec<u8>,
    names: HashMap<u64, Box<[u8]>>,
    /// For each object, its records.
    objects: Vec<Vec<u32>>,
    counts: Vec<Counted>,
    with_stale: Option<Vec<Counted>>,
}

#[derive(Clone, Debug)]
struct Table {
    filenames_ref: u64,
    /// `None` if it was damaged.
    paths: Option<Vec<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    name_ref: u64,
    func_hash: u64,
    table: u32,
    start: usize,
    len: usize,
}

#[derive(Clone, Debug)]
struct Counted {
    name_ref: u64,
    func_hash: u64,
    counts: Box<[u64]>,
    bitmap: Box<[u8]>,
    bit_order: BitOrder,
}

/// Writes a run. `shorten` makes paths portable.
pub fn encode(parts: &Parts<'_>, shorten: &dyn Fn(&[u8]) -> PortablePath) -> Vec<u8> {
    let mut sections = Vec::new();
    push_section(&mut sections, HEADER, parts.header);
    push_section(&mut sections, MAP, &encode_map(parts.map, shorten));
    push_section(&mut sections, COUNTS, &encode_counts(parts.map, parts.profile));
    if let Some(profile) = parts.with_stale {
        push_section(&mut sections, COUNTS_WITH_STALE, &encode_counts(parts.map, profile));
    }
    let mut file = MAGIC.to_vec();
    file.extend(VERSION.to_le_bytes());
    file.extend(md5::compute(&sections).0);
    file.append(&mut sections);
    file
}

fn push_section(out: &mut Vec<u8>, kind: u32, content: &[u8]) {
    let stored = zlib::compress(content);
    out.extend(kind.to_le_bytes());
    out.extend(wide(content.len()).to_le_bytes());
    out.extend(wide(stored.len()).to_le_bytes());
    out.extend(stored);
}

fn encode_map(map: &CoverageMap, shorten: &dyn Fn(&[u8]) -> PortablePath) -> Vec<u8> {
    let mut out = Vec::new();
    push_uleb(&mut out, wide(map.paths.len()));
    for path in &map.paths {
        let PortablePath { root, path } = shorten(path);
        push_uleb(&mut out, u64::from(root));
        push_bytes(&mut out, &path);
    }
    let tables = map.tables();
    push_uleb(&mut out, wide(tables.len()));
    for (filenames_ref, paths) in tables {
        out.extend(filenames_ref.to_le_bytes());
        // One more than there are, so that a damaged table is told from an empty one.
        push_uleb(&mut out, paths.map_or(0, |paths| wide(paths.len()) + 1));
        for &path in paths.into_iter().flatten() {
            push_uleb(&mut out, u64::from(path));
        }
    }
    // Every test binary has copies of generic functions under names of its own, with the same mapping.
    let mut bodies: Vec<(u64, &[u8])> = Vec::new();
    let mut body_indices: HashMap<(u64, &[u8]), u64> = HashMap::new();
    let body_of: Vec<u64> = map
        .mappings
        .iter()
        .map(|record| {
            let body = (record.func_hash, map.bytes_of(record));
            *body_indices.entry(body).or_insert_with(|| {
                bodies.push(body);
                wide(bodies.len()) - 1
            })
        })
        .collect();
    push_uleb(&mut out, wide(bodies.len()));
    for (func_hash, mapping) in bodies {
        out.extend(func_hash.to_le_bytes());
        push_bytes(&mut out, mapping);
    }
    push_uleb(&mut out, wide(map.mappings.len()));
    for (record, body) in map.mappings.iter().zip(body_of) {
        push_uleb(&mut out, body);
        push_uleb(&mut out, wide(record.table()));
        match map.name(record.name_ref) {
            // The identity is the digest of the name, and digests do not compress.
            Some(name) if md5_64(name) == record.name_ref => {
                push_uleb(&mut out, wide(name.len()) + 1);
                out.extend_from_slice(name);
            }
            _ => {
                push_uleb(&mut out, 0);
                out.extend(record.name_ref.to_le_bytes());
            }
        }
    }
    push_uleb(&mut out, wide(map.objects.len()));
    for object in &map.objects {
        push_uleb(&mut out, wide(object.len()));
        let mut expected = 0;
        for &index in object {
            // Most objects have what the one before has, in its order: that is a row of zeros.
            push_uleb(&mut out, zigzag(i64::from(index) - expected));
            expected = i64::from(index) + 1;
        }
    }
    out
}

/// The counts of the functions that have records come first, in the order of these.
fn encode_counts(map: &CoverageMap, profile: &Profile) -> Vec<u8> {
    let mut out = Vec::new();
    let push = |out: &mut Vec<u8>, counts: &[u64], bitmap: Bitmap<'_>| {
        push_uleb(out, wide(counts.len()) + 1);
        counts.iter().for_each(|&count| push_uleb(out, count));
        push_bytes(out, bitmap.bytes);
        if !bitmap.bytes.is_empty() {
            out.push(match bitmap.bit_order {
                BitOrder::ByWay => 0,
                BitOrder::ByConditions => 1,
            });
        }
    };
    let none = Bitmap { bytes: &[], bit_order: BitOrder::ByWay };
    let mut known = HashSet::new();
    for record in map.mappings.iter().filter(|record| known.insert((record.name_ref, record.func_hash))) {
        match profile.counts(record.name_ref, record.func_hash) {
            None => push_uleb(&mut out, 0),
            Some(counts) => {
                let bitmap = profile.bitmap(record.name_ref, record.func_hash);
                push(&mut out, counts, bitmap.unwrap_or(none));
            }
        }
    }
    let mut others = profile.sorted();
    others.retain(|function| !known.contains(&(function.name_ref, function.func_hash)));
    push_uleb(&mut out, wide(others.len()));
    for FunctionCounts { name_ref, func_hash, counts, bitmap } in others {
        out.extend(name_ref.to_le_bytes());
        out.extend(func_hash.to_le_bytes());
        push(&mut out, counts, bitmap);
    }
    out
}

/// Reads a file.
///
/// # Errors
/// The bytes are none of such a file, are damaged, or are of a version that is newer than this program. Any change of a byte is
/// noticed. What is allocated is bounded by the growth that zlib allows.
pub fn decode(file: &[u8]) -> Result<Portable> {
    let mut cursor = Cursor::new(file, Endian::Little);
    let expected = "a partial coverage file";
    match cursor.take("magic number", 8) {
        Ok(magic) if magic == MAGIC => {}
        _ => return Err(Error::new(ErrorKind::NotRecognized { expected }, 0)),
    }
    let version = cursor.u32("version")?;
    if version != VERSION {
        let (found, newest) = (u64::from(version), u64::from(VERSION));
        let what = "partial coverage file";
        return Err(Error::new(ErrorKind::UnsupportedVersion { what, found, oldest: newest, newest }, 8));
    }
    let checksum = cursor.take("checksum", 16)?;
    if checksum != md5::compute(cursor.rest()).0 {
        return Err(Error::malformed("the checksum is that of another content", cursor.offset()));
    }
    let header = section(&mut cursor, HEADER)?;
    let mut portable = decode_map(&section(&mut cursor, MAP)?)?;
    portable.header = header;
    portable.counts = decode_counts(&portable, &section(&mut cursor, COUNTS)?)?;
    if !cursor.is_empty() {
        let counts = section(&mut cursor, COUNTS_WITH_STALE)?;
        portable.with_stale = Some(decode_counts(&portable, &counts)?);
    }
    end(&cursor)?;
    Ok(portable)
}

/// The content of the next section, which has to be of this kind.
fn section(cursor: &mut Cursor<'_>, kind: u32) -> Result<Vec<u8>> {
    let offset = cursor.offset();
    if cursor.u32("kind of section")? != kind {
        return Err(Error::malformed("a section is missing, or is of no known kind", offset));
    }
    let len = cursor.u64("length of section")?;
    let stored = cursor.u64("stored length of section")?;
    let start = cursor.offset();
    let stored = cursor.take("section", stored)?;
    let declared = usize::try_from(len).ok().filter(|_| len <= MAX_SECTION);
    let declared =
        declared.ok_or_else(|| Error::malformed("a section is larger than that of any run", offset))?;
    let content = zlib::decompress(stored, declared).map_err(|error| error.offset_by(start))?;
    if content.len() != declared {
        return Err(Error::malformed("a section is shorter than it says", offset));
    }
    Ok(content)
}

fn decode_map(content: &[u8]) -> Result<Portable> {
    let mut cursor = Cursor::new(content, Endian::Little);
    let cursor = &mut cursor;
    let n_paths = cursor.uleb_size("paths")?;
    let mut paths = Vec::new();
    for _ in 0..n_paths {
        let root = cursor.uleb_below("root of a path", u32::MAX)?;
        paths.push(PortablePath { root, path: take_bytes(cursor, "path")?.into() });
    }
    let n_tables = cursor.uleb_size("tables of file names")?;
    let mut tables = Vec::new();
    for _ in 0..n_tables {
        let filenames_ref = cursor.u64("identity of a table")?;
        let paths = match take_optional_size(cursor, "table of file names")? {
            None => None,
            Some(len) => Some(take_indices(cursor, len, n_paths)?),
        };
        tables.push(Table { filenames_ref, paths });
    }
    let n_bodies = cursor.uleb_size("mappings")?;
    let mut bodies = Vec::new();
    let mut bytes = Vec::new();
    for _ in 0..n_bodies {
        let func_hash = cursor.u64("hash of a function")?;
        let mapping = take_bytes(cursor, "mapping")?;
        bodies.push((func_hash, bytes.len(), mapping.len()));
        bytes.extend_from_slice(mapping);
    }
    let n_records = cursor.uleb_size("function records")?;
    let mut records = Vec::new();
    let mut names: HashMap<u64, Box<[u8]>> = HashMap::new();
    for _ in 0..n_records {
        let offset = cursor.offset();
        let body = bodies.get(take_index(cursor, n_bodies)? as usize).copied();
        let (func_hash, start, len) = body.ok_or_else(|| Error::malformed("index", offset))?;
        let table = take_index(cursor, n_tables)?;
        let name_ref = match take_optional_size(cursor, "name of a function")? {
            Some(len) => {
                let name = cursor.take("name of a function", wide(len))?;
                let name_ref = md5_64(name);
                names.entry(name_ref).or_insert_with(|| name.into());
                name_ref
            }
            None => cursor.u64("identity of a function")?,
        };
        records.push(Record { name_ref, func_hash, table, start, len });
    }
    let n_objects = cursor.uleb_size("objects")?;
    let mut objects = Vec::new();
    for _ in 0..n_objects {
        let len = cursor.uleb_size("records of an object")?;
        let mut object = Vec::new();
        let mut expected = 0_i64;
        for _ in 0..len {
            let offset = cursor.offset();
            let index = expected.checked_add(unzigzag(cursor.uleb("record of an object")?));
            let index = index.and_then(|index| u32::try_from(index).ok());
            let index = index
                .filter(|index| usize::try_from(*index).is_ok_and(|index| index < n_records))
                .ok_or_else(|| Error::malformed("an object has a record that is not there", offset))?;
            object.push(index);
            expected = i64::from(index) + 1;
        }
        objects.push(object);
    }
    end(cursor)?;
    Ok(Portable {
        header: Vec::new(),
        paths,
        tables,
        records,
        bytes,
        names,
        objects,
        counts: Vec::new(),
        with_stale: None,
    })
}

fn decode_counts(portable: &Portable, content: &[u8]) -> Result<Vec<Counted>> {
    let mut cursor = Cursor::new(content, Endian::Little);
    let cursor = &mut cursor;
    let take_counted = |cursor: &mut Cursor<'_>, name_ref: u64, func_hash: u64, len: usize| {
        let counts = (0..len).map(|_| cursor.uleb("count")).collect::<Result<Box<[u64]>>>()?;
        let bitmap: Box<[u8]> = take_bytes(cursor, "bitmap")?.into();
        let is_by_conditions = !bitmap.is_empty() && cursor.uleb_below("order of bits", 2)? == 1;
        let bit_order = if is_by_conditions { BitOrder::ByConditions } else { BitOrder::ByWay };
        Ok(Counted { name_ref, func_hash, counts, bitmap, bit_order })
    };
    let mut all = Vec::new();
    let mut known = HashSet::new();
    for Record { name_ref, func_hash, .. } in portable.records.iter().copied() {
        if !known.insert((name_ref, func_hash)) {
            continue;
        }
        if let Some(len) = take_optional_size(cursor, "counts")? {
            all.push(take_counted(cursor, name_ref, func_hash, len)?);
        }
    }
    for _ in 0..cursor.uleb_size("functions without records")? {
        let name_ref = cursor.u64("name of a function")?;
        let func_hash = cursor.u64("hash of a function")?;
        let offset = cursor.offset();
        let len = take_optional_size(cursor, "counts")?
            .ok_or_else(|| Error::malformed("a function is listed that has no counts", offset))?;
        all.push(take_counted(cursor, name_ref, func_hash, len)?);
    }
    end(cursor)?;
    Ok(all)
}

impl Portable {
    /// How many objects, or members of archives, it has the records of.
    pub fn n_objects(&self) -> usize {
        self.objects.len()
    }

    /// Whether counts of older builds of the objects are in it.
    pub fn has_stale_counts(&self) -> bool {
        self.with_stale.is_some()
    }

    /// Adds an object to `map`; an object that is not there adds nothing. `place` says where a path is on this machine.
    fn add_object(&self, object: usize, place: &dyn Fn(&PortablePath) -> Vec<u8>, map: &mut CoverageMap) {
        let Some(indices) = self.objects.get(object) else { return };
        let records: Vec<&Record> =
            indices.iter().filter_map(|&index| self.records.get(index as usize)).collect();
        // Tables keep their identity, but one of the same bytes may be about another directory.
        let mut identities: HashMap<u32, u64> = HashMap::new();
        let mut placed: HashMap<u64, Vec<Vec<u8>>> = HashMap::new();
        for record in &records {
            if identities.contains_key(&record.table) {
                continue;
            }
            let Some(table) = self.tables.get(record.table as usize) else { continue };
            let (identity, paths) = self.placed(table, place);
            identities.insert(record.table, identity);
            placed.extend(paths.map(|paths| (identity, paths)));
        }
        let mut filenames_refs: Vec<u64> = identities.values().copied().collect();
        filenames_refs.sort_unstable();
        let records: Vec<CovfunRecord<'_>> = records
            .into_iter()
            .map(|record| CovfunRecord {
                name_ref: record.name_ref,
                func_hash: record.func_hash,
                filenames_ref: identities.get(&record.table).copied().unwrap_or_default(),
                mapping: self.bytes.get(record.start..record.start + record.len).unwrap_or_default(),
            })
            .collect();
        let new = map.add_object(&filenames_refs, &records, &[], &[]);
        for (position, table) in new.tables {
            if let Some(paths) = filenames_refs.get(position).and_then(|identity| placed.remove(identity)) {
                map.insert_table(table, paths);
            }
        }
        for record in &records {
            if let Some(name) = self.names.get(&record.name_ref) {
                map.insert_names(&[(record.name_ref, name)]);
            }
        }
    }

    /// The paths of a table on this machine, and what tells it from tables of other content.
    fn placed(&self, table: &Table, place: &dyn Fn(&PortablePath) -> Vec<u8>) -> (u64, Option<Vec<Vec<u8>>>) {
        let paths: Option<Vec<Vec<u8>>> = table.paths.as_ref().map(|paths| {
            let paths = paths.iter().filter_map(|&path| self.paths.get(path as usize));
            paths.map(place).collect()
        });
        let mut content = table.filenames_ref.to_le_bytes().to_vec();
        for path in paths.iter().flatten() {
            push_bytes(&mut content, path);
        }
        let digest = md5::compute(content).0;
        (digest.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk)), paths)
    }

    fn add_counts(&self, with_stale: bool, profile: &mut Profile) {
        let all = if with_stale { self.with_stale.as_ref() } else { None };
        for counted in all.unwrap_or(&self.counts) {
            let Counted { name_ref, func_hash, counts, bitmap, bit_order } = counted;
            let bitmap = Bitmap { bytes: bitmap, bit_order: *bit_order };
            profile.add(FunctionCounts { name_ref: *name_ref, func_hash: *func_hash, counts, bitmap });
        }
    }
}

/// An object of one of several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectOf {
    /// The position of the run among all.
    pub run: usize,
    /// The position of the object in it.
    pub object: usize,
}

/// Makes one of several runs. Objects are added in this `order`; one that an earlier run has too is added once. `with_stale`
/// takes the counts of older builds too. Also returned is which objects those of the map are.
pub fn merge(
    runs: &[&Portable],
    order: &[ObjectOf],
    with_stale: bool,
    place: &dyn Fn(&PortablePath) -> Vec<u8>,
) -> (CoverageMap, Profile, Vec<ObjectOf>) {
    let mut map = CoverageMap::default();
    let mut kept = Vec::new();
    // A run can have several equal objects. As many of them count as the run has that has most.
    let mut n_kept: HashMap<Vec<MappingIndex>, usize> = HashMap::new();
    let mut n_in_run: HashMap<(usize, Vec<MappingIndex>), usize> = HashMap::new();
    for &object in order {
        let Some(run) = runs.get(object.run) else { continue };
        run.add_object(object.object, place, &mut map);
        let Some(added) = map.objects.pop() else { continue };
        let seen = n_in_run.entry((object.run, added.clone())).or_default();
        *seen += 1;
        let known = n_kept.entry(added.clone()).or_default();
        if *seen > *known {
            *known += 1;
            kept.push(object);
            map.objects.push(added);
        }
    }
    let mut profile = Profile::default();
    for run in runs {
        run.add_counts(with_stale, &mut profile);
    }
    (map, profile, kept)
}

fn push_uleb(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_uleb(out, wide(bytes.len()));
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(cursor: &mut Cursor<'a>, what: &'static str) -> Result<&'a [u8]> {
    let len = cursor.uleb_size(what)?;
    cursor.take(what, wide(len))
}

/// A size that is stored as one more; 0 stands for what is not there.
fn take_optional_size(cursor: &mut Cursor<'_>, what: &'static str) -> Result<Option<usize>> {
    let offset = cursor.offset();
    let Some(size) = cursor.uleb(what)?.checked_sub(1) else { return Ok(None) };
    let have = wide(cursor.rest().len());
    match usize::try_from(size) {
        Ok(len) if size <= have => Ok(Some(len)),
        _ => Err(Error::truncated(what, size, have, offset)),
    }
}

fn take_index(cursor: &mut Cursor<'_>, limit: usize) -> Result<u32> {
    cursor.uleb_below("index", u32::try_from(limit).unwrap_or(u32::MAX))
}

fn take_indices(cursor: &mut Cursor<'_>, len: usize, limit: usize) -> Result<Vec<u32>> {
    (0..len).map(|_| take_index(cursor, limit)).collect()
}

fn end(cursor: &Cursor<'_>) -> Result<()> {
    match cursor.is_empty() {
        true => Ok(()),
        false => Err(Error::malformed("bytes follow where nothing is expected", cursor.offset())),
    }
}

/// Small numbers of either sign as small numbers.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
