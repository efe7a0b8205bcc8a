//! What the objects say: the functions of all objects, each distinct mapping once, in the order that LLVM sees them.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::format::covfun::{CovfunRecord, MAX_LINE};

/// A map whose keys are truncated MD5 digests.
pub type RefMap<V> = HashMap<u64, V, RefHasherBuilder>;

/// Hashes numbers that are digests already. Objects are untrusted, so a random factor keeps anyone from choosing
/// digests that collide.
#[derive(Clone, Debug)]
pub struct RefHasherBuilder {
    factor: u64,
}

impl Default for RefHasherBuilder {
    fn default() -> RefHasherBuilder {
        RefHasherBuilder { factor: RandomState::new().hash_one(0_u64) | 1 }
    }
}

impl BuildHasher for RefHasherBuilder {
    type Hasher = RefHasher;

    fn build_hasher(&self) -> RefHasher {
        RefHasher { factor: self.factor, state: 0 }
    }
}

/// See [`RefHasherBuilder`].
#[derive(Debug)]
pub struct RefHasher {
    factor: u64,
    state: u64,
}

impl Hasher for RefHasher {
    fn finish(&self) -> u64 {
        self.state
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.state ^ value) * u128::from(self.factor);
        self.state = (product >> 64) as u64 ^ product as u64;
    }
}

/// Index of a path in [`CoverageMap::paths`].
pub type PathIndex = u32;

/// Index of a mapping in [`CoverageMap::mappings`].
pub type MappingIndex = u32;

/// A distinct function record: no other has the same name, hash, file names and bytes.
#[derive(Debug)]
pub struct MappingRecord {
    /// Truncated MD5 of the function's name.
    pub name_ref: u64,
    /// Structural hash; 0 for a function that was never generated.
    pub func_hash: u64,
    table: u32,
    start: usize,
    len: u32,
    /// The next mapping with the same name.
    next: Option<MappingIndex>,
}

/// The function records of all objects.
#[derive(Debug, Default)]
pub struct CoverageMap {
    /// The paths that tables of file names hold, each once, as the compiler stored them.
    pub paths: Vec<Box<[u8]>>,
    path_indices: HashMap<Box<[u8]>, PathIndex>,
    /// Paths by index in a table of file names; `None` until the table is inserted, or for good if it is damaged.
    tables: Vec<Option<Box<[PathIndex]>>>,
    table_indices: RefMap<u32>,
    /// Every distinct mapping.
    pub mappings: Vec<MappingRecord>,
    first_mappings: RefMap<MappingIndex>,
    /// Mappings by all that they are told apart by. Of two with the same digest, the first.
    digests: RefMap<MappingIndex>,
    bytes: Vec<u8>,
    /// For each object (or member of an archive) with coverage data, its mappings in the order of its section.
    pub objects: Vec<Vec<MappingIndex>>,
    /// Function records whose table of file names is in none of the objects.
    pub n_records_without_table: u64,
    names: NameTable,
    names_chunks: HashSet<[u8; 16]>,
    fingerprints: HashSet<u64, RefHasherBuilder>,
}

/// What of an object is new to a [`CoverageMap`] and has to be decoded before it is complete.
#[derive(Debug, Default)]
pub struct NewInObject {
    /// Positions of tables of file names that were not known before, and their identities.
    pub tables: Vec<(usize, u32)>,
    /// Positions of chunks of names that were not known before.
    pub names_chunks: Vec<usize>,
}

impl CoverageMap {
    /// Adds an object. `filenames_refs` are the identities of its tables of file names, `names_chunks` the stored bytes
    /// of its chunks of names, `fingerprints` say which raw profiles are its own.
    ///
    /// Objects that share code share most of what they hold. What is new is returned, to be decoded by the caller
    /// wherever it likes and handed to [`insert_table`](Self::insert_table) and [`insert_names`](Self::insert_names).
    pub fn add_object(
        &mut self,
        filenames_refs: &[u64],
        records: &[CovfunRecord<'_>],
        names_chunks: &[&[u8]],
        fingerprints: &[u64],
    ) -> NewInObject {
        let mut new = NewInObject::default();
        for (position, filenames_ref) in filenames_refs.iter().enumerate() {
            let next = self.tables.len() as u32;
            let index = *self.table_indices.entry(*filenames_ref).or_insert(next);
            if index == next {
                self.tables.push(None);
                new.tables.push((position, index));
            }
        }
        for (position, chunk) in names_chunks.iter().enumerate() {
            if self.names_chunks.insert(md5::compute(chunk).0) {
                new.names_chunks.push(position);
            }
        }
        self.fingerprints.extend(fingerprints);
        let mut object = Vec::with_capacity(records.len());
        for record in records {
            match self.table_indices.get(&record.filenames_ref) {
                Some(&table) => object.push(self.intern(record, table)),
                None => self.n_records_without_table += 1,
            }
        }
        self.objects.push(object);
        new
    }

    fn intern(&mut self, record: &CovfunRecord<'_>, table: u32) -> MappingIndex {
        // A name may have any number of mappings, so they are not compared one by one.
        let digest = self.digest(record, table);
        let same_digest = self.digests.get(&digest).copied();
        let first = self.first_mappings.get(&record.name_ref).copied();
        if let Some(index) = same_digest {
            let mut candidate = Some(index);
            if !self.is_same(index, record, table) {
                candidate = first;
            }
            while let Some(index) = candidate {
                if self.is_same(index, record, table) {
                    return index;
                }
                candidate = self.mappings[index as usize].next;
            }
        }
        let index = self.mappings.len() as MappingIndex;
        self.digests.entry(digest).or_insert(index);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record.mapping);
        self.mappings.push(MappingRecord {
            name_ref: record.name_ref,
            func_hash: record.func_hash,
            table,
            start,
            len: record.mapping.len() as u32,
            next: first,
        });
        self.first_mappings.insert(record.name_ref, index);
        index
    }

    fn digest(&self, record: &CovfunRecord<'_>, table: u32) -> u64 {
        let mut hasher = self.digests.hasher().build_hasher();
        for word in [record.name_ref, record.func_hash, u64::from(table) << 32 | record.mapping.len() as u64]
        {
            hasher.write_u64(word);
        }
        hasher.write(record.mapping);
        hasher.finish()
    }

    fn is_same(&self, index: MappingIndex, record: &CovfunRecord<'_>, table: u32) -> bool {
        let known = &self.mappings[index as usize];
        known.name_ref == record.name_ref
            && known.func_hash == record.func_hash
            && known.table == table
            && self.bytes_of(known) == record.mapping
    }

    /// Completes a table that [`add_object`](Self::add_object) called new.
    pub fn insert_table(&mut self, table: u32, paths: Vec<Vec<u8>>) {
        let indices = paths.into_iter().map(|path| {
            let next = self.paths.len() as PathIndex;
            *self.path_indices.entry(path.into_boxed_slice()).or_insert_with_key(|path| {
                self.paths.push(path.clone());
                next
            })
        });
        let indices = indices.collect();
        if let Some(slot) = self.tables.get_mut(table as usize) {
            *slot = Some(indices);
        }
    }

    /// Adds the names of functions with their `name_ref`s.
    pub fn insert_names(&mut self, names: &[(u64, &[u8])]) {
        for (name_ref, name) in names {
            self.names.insert(*name_ref, name);
        }
    }

    /// The encoded mapping of a record.
    pub fn bytes_of(&self, record: &MappingRecord) -> &[u8] {
        self.bytes.get(record.start..record.start + record.len as usize).unwrap_or_default()
    }

    /// The paths that the record's mapping refers to by index; `None` if the table is damaged.
    pub fn table_of(&self, record: &MappingRecord) -> Option<&[PathIndex]> {
        self.tables.get(record.table as usize)?.as_deref()
    }

    /// All tables of file names, each with its identity and its paths; no paths if it is damaged.
    pub fn tables(&self) -> Vec<(u64, Option<&[PathIndex]>)> {
        let mut tables: Vec<_> = self.tables.iter().map(|paths| (0, paths.as_deref())).collect();
        for (filenames_ref, index) in &self.table_indices {
            if let Some(table) = tables.get_mut(*index as usize) {
                table.0 = *filenames_ref;
            }
        }
        tables
    }

    /// The (mangled) name of a function.
    pub fn name(&self, name_ref: u64) -> Option<&[u8]> {
        self.names.get(name_ref)
    }

    /// Whether an object has exactly the functions that this fingerprint stands for.
    pub fn has_fingerprint(&self, fingerprint: u64) -> bool {
        self.fingerprints.contains(&fingerprint)
    }

    /// Whether an object has a function of this name.
    pub fn knows(&self, name_ref: u64) -> bool {
        self.first_mappings.contains_key(&name_ref)
    }

    /// Which functions the objects have in which builds.
    pub fn builds(&self) -> Builds {
        let mut builds = Builds::default();
        // Hash 0 stands for a function that was never generated in that object, which says nothing about others.
        for record in self.mappings.iter().filter(|record| record.func_hash != 0) {
            builds.names.insert(record.name_ref);
            builds.functions.insert((record.name_ref, record.func_hash));
        }
        builds
    }

    /// How many mapped lines all files together may have: [`MAX_LINE`], and some for each byte of a mapping. A few bytes can claim
    /// millions of lines, and every report lists them.
    pub(super) fn most_lines(&self) -> u64 {
        const LINES_PER_BYTE: u64 = 64;
        u64::from(MAX_LINE) + LINES_PER_BYTE.saturating_mul(self.bytes.len() as u64)
    }

    /// How many tables of file names there are.
    pub(super) fn n_tables(&self) -> usize {
        self.tables.len()
    }
}

impl MappingRecord {
    /// Which table of file names the mapping refers to.
    pub(super) fn table(&self) -> usize {
        self.table as usize
    }
}

/// The functions of a [`CoverageMap`] that were generated, by name and structural hash.
#[derive(Debug, Default)]
pub struct Builds {
    names: HashSet<u64, RefHasherBuilder>,
    functions: HashSet<(u64, u64), RefHasherBuilder>,
}

impl Builds {
    /// Whether an object has the function in this build.
    pub fn has(&self, name_ref: u64, func_hash: u64) -> bool {
        self.functions.contains(&(name_ref, func_hash))
    }

    /// Whether an object has the function in another build than this one, and none has it in this one.
    pub fn has_only_others(&self, name_ref: u64, func_hash: u64) -> bool {
        self.names.contains(&name_ref) && !self.has(name_ref, func_hash)
    }
}

/// Function names by `name_ref`, behind one another in one allocation.
#[derive(Debug, Default)]
struct NameTable {
    ranges: RefMap<(usize, u32)>,
    bytes: Vec<u8>,
}

impl NameTable {
    fn insert(&mut self, name_ref: u64, name: &[u8]) {
        let bytes = &mut self.bytes;
        self.ranges.entry(name_ref).or_insert_with(|| {
            let start = bytes.len();
            bytes.extend_from_slice(name);
            (start, name.len() as u32)
        });
    }

    fn get(&self, name_ref: u64) -> Option<&[u8]> {
        let &(start, len) = self.ranges.get(&name_ref)?;
        self.bytes.get(start..start + len as usize)
    }
}
