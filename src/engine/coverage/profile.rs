//! Merged counts of all processes: what `llvm-profdata merge` makes of raw profiles.

use std::collections::HashMap;

use super::map::{CoverageMap, RefHasherBuilder, RefMap};
use crate::format::profraw::{ProfileRecord, RawProfile};

/// LLVM's ceiling for merged counts; the two numbers above it are marks of its own.
const MAX_MERGED_COUNT: u64 = u64::MAX - 2;

/// The first version of raw profiles in whose bitmaps ways through a decision have numbers, where older ones have a bit for
/// each combination of conditions.
const NUMBERED_WAYS_VERSION: u64 = 10;

/// No entry, no start.
const NONE: u32 = u32::MAX;

/// So many modules that look alike at first sight are remembered. All profiles are compared with each of them.
const MOST_SHAPES_OF_A_KEY: usize = 16;

/// Execution counts by function identity, summed over all raw profiles that were merged.
#[derive(Debug, Default)]
pub struct Profile {
    /// The entry of a name that was made last; it leads to the others.
    first_entries: RefMap<u32>,
    /// Entries by name and structural hash: a name may have any number of them.
    entries_by_build: HashMap<(u64, u64), u32, RefHasherBuilder>,
    entries: Vec<Entry>,
    counts: Vec<u64>,
    bitmaps: Vec<u8>,
    shapes: Vec<Shape>,
    shapes_by_key: HashMap<ShapeKey, Vec<usize>>,
    /// Raw profiles merged so far, those without records included.
    pub n_profiles: u64,
    /// Raw profiles that were passed over because they come from an older build of an object.
    pub n_stale_profiles: u64,
    /// Records that have another number of counters than an equal record before them. They are left out, so of profiles that
    /// disagree the first one counts.
    pub n_mismatched_records: u64,
}

/// The counters of one function in one build.
#[derive(Debug)]
struct Entry {
    func_hash: u64,
    /// The next entry of the same name.
    next: u32,
    start: usize,
    n_counters: u32,
    bitmap_start: usize,
    n_bitmap_bytes: u32,
    bit_order: BitOrder,
}

/// What the bits of a decision in a bitmap stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BitOrder {
    /// A bit for each way through the decision, as LLVM 19 and later number them.
    ByWay,
    /// A bit for each combination of conditions that were true, as up to LLVM 18.
    ByConditions,
}

impl BitOrder {
    fn of(profile: &RawProfile<'_>) -> BitOrder {
        if profile.version >= NUMBERED_WAYS_VERSION { BitOrder::ByWay } else { BitOrder::ByConditions }
    }
}

/// Which ways through a function's decisions were taken.
#[derive(Clone, Copy, Debug)]
pub struct Bitmap<'a> {
    /// Eight bits each, the lowest first.
    pub bytes: &'a [u8],
    /// What they stand for.
    pub bit_order: BitOrder,
}

/// What was counted of a function in one build.
#[derive(Clone, Copy, Debug)]
pub struct FunctionCounts<'a> {
    /// Truncated MD5 of its name.
    pub name_ref: u64,
    /// Its structural hash.
    pub func_hash: u64,
    /// Its counters.
    pub counts: &'a [u64],
    /// Its bitmap, which is empty where no decisions were recorded.
    pub bitmap: Bitmap<'a>,
}

/// The records of one instrumented module. All raw profiles of the module have the same ones in the same order, so
/// they are looked up once and further profiles only add.
#[derive(Debug)]
struct Shape {
    records: Vec<ShapeRecord>,
    is_stale: bool,
}

#[derive(Debug)]
struct ShapeRecord {
    name_ref: u64,
    func_hash: u64,
    n_counters: u32,
    n_bitmap_bytes: u32,
    /// Index of an [`Entry`], or [`NONE`] if the record is left out.
    entry: u32,
    /// Whether its bitmap is like that of the entry.
    merges_bitmap: bool,
}

/// Cheap to compute, and different for almost all different shapes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ShapeKey {
    n_records: usize,
    first: Option<(u64, u64)>,
    last: Option<(u64, u64)>,
    bit_order: BitOrder,
}

impl ShapeKey {
    fn new(profile: &RawProfile<'_>) -> ShapeKey {
        let identity = |record: &ProfileRecord| (record.name_ref, record.func_hash);
        ShapeKey {
            n_records: profile.records.len(),
            first: profile.records.first().map(identity),
            last: profile.records.last().map(identity),
            bit_order: BitOrder::of(profile),
        }
    }
}

impl Profile {
    /// Adds the counts of one raw profile. `is_stale` is asked once for each module, when its first profile is seen; the
    /// profiles of a stale module are counted and left out.
    pub fn merge(&mut self, profile: &RawProfile<'_>, is_stale: &dyn Fn(&RawProfile<'_>) -> bool) {
        self.n_profiles += 1;
        let key = ShapeKey::new(profile);
        let known = self.shapes_by_key.get(&key).and_then(|candidates| {
            candidates.iter().copied().find(|&candidate| self.shapes[candidate].describes(profile))
        });
        let new;
        let shape = match known {
            Some(index) => &self.shapes[index],
            None => {
                new = self.new_shape(profile, is_stale(profile));
                let index = self.shapes.len();
                let alike = self.shapes_by_key.entry(key).or_default();
                if alike.len() < MOST_SHAPES_OF_A_KEY {
                    alike.push(index);
                    self.shapes.push(new);
                    &self.shapes[index]
                } else {
                    &new
                }
            }
        };
        if shape.is_stale {
            self.n_stale_profiles += 1;
            return;
        }
        for (record, known) in profile.records.iter().zip(&shape.records) {
            if known.entry == NONE {
                self.n_mismatched_records += 1;
                continue;
            }
            let entry = &self.entries[known.entry as usize];
            let sums = &mut self.counts[entry.start..entry.start + known.n_counters as usize];
            for (sum, count) in sums.iter_mut().zip(profile.counts(record)) {
                *sum = sum.saturating_add(count).min(MAX_MERGED_COUNT);
            }
            if known.merges_bitmap {
                let end = entry.bitmap_start + known.n_bitmap_bytes as usize;
                let sums = &mut self.bitmaps[entry.bitmap_start..end];
                for (sum, byte) in sums.iter_mut().zip(profile.bitmap(record)) {
                    *sum |= byte;
                }
            }
        }
    }

    fn new_shape(&mut self, profile: &RawProfile<'_>, is_stale: bool) -> Shape {
        let bit_order = BitOrder::of(profile);
        let records = profile.records.iter().map(|record| {
            let ProfileRecord { name_ref, func_hash, n_counters, n_bitmap_bytes, .. } = *record;
            let entry = if is_stale {
                NONE
            } else {
                self.entry_for((name_ref, func_hash), n_counters, n_bitmap_bytes, bit_order)
            };
            let merges_bitmap = self.entries.get(entry as usize).is_some_and(|entry| {
                record.n_bitmap_bytes != 0
                    && entry.n_bitmap_bytes == record.n_bitmap_bytes
                    && entry.bit_order == bit_order
            });
            ShapeRecord {
                name_ref: record.name_ref,
                func_hash: record.func_hash,
                n_counters: record.n_counters,
                n_bitmap_bytes: record.n_bitmap_bytes,
                entry,
                merges_bitmap,
            }
        });
        Shape { records: records.collect(), is_stale }
    }

    /// The entry of a function, made if need be; [`NONE`] if there is one with another number of counters.
    fn entry_for(
        &mut self,
        (name_ref, func_hash): (u64, u64),
        n_counters: u32,
        n_bitmap_bytes: u32,
        bit_order: BitOrder,
    ) -> u32 {
        if let Some(&entry) = self.entries_by_build.get(&(name_ref, func_hash)) {
            return if self.entries[entry as usize].n_counters == n_counters { entry } else { NONE };
        }
        let first = self.first_entries.get(&name_ref).copied().unwrap_or(NONE);
        let index = u32::try_from(self.entries.len()).unwrap_or(NONE);
        if index == NONE {
            return NONE;
        }
        let start = self.counts.len();
        self.counts.resize(start + n_counters as usize, 0);
        let bitmap_start = self.bitmaps.len();
        self.bitmaps.resize(bitmap_start + n_bitmap_bytes as usize, 0);
        self.entries.push(Entry {
            func_hash,
            next: first,
            start,
            n_counters,
            bitmap_start,
            n_bitmap_bytes,
            bit_order,
        });
        self.first_entries.insert(name_ref, index);
        self.entries_by_build.insert((name_ref, func_hash), index);
        index
    }

    /// Adds counts of a function that were merged elsewhere.
    pub fn add(&mut self, function: FunctionCounts<'_>) {
        let FunctionCounts { name_ref, func_hash, counts, bitmap } = function;
        let size = |len: usize| u32::try_from(len).unwrap_or(NONE);
        let (n_counters, n_bitmap_bytes) = (size(counts.len()), size(bitmap.bytes.len()));
        let entry = self.entry_for((name_ref, func_hash), n_counters, n_bitmap_bytes, bitmap.bit_order);
        let Some(entry) = self.entries.get(entry as usize) else {
            self.n_mismatched_records += 1;
            return;
        };
        let sums = &mut self.counts[entry.start..entry.start + entry.n_counters as usize];
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum = sum.saturating_add(*count).min(MAX_MERGED_COUNT);
        }
        if entry.n_bitmap_bytes == n_bitmap_bytes && entry.bit_order == bitmap.bit_order {
            let sums =
                &mut self.bitmaps[entry.bitmap_start..entry.bitmap_start + entry.n_bitmap_bytes as usize];
            for (sum, byte) in sums.iter_mut().zip(bitmap.bytes) {
                *sum |= byte;
            }
        }
    }

    /// All functions with what was counted of them, ordered by identity.
    pub fn sorted(&self) -> Vec<FunctionCounts<'_>> {
        let of_name = |name_ref: &u64| {
            let name_ref = *name_ref;
            self.entries_of(name_ref).map(move |entry| FunctionCounts {
                name_ref,
                func_hash: entry.func_hash,
                counts: self.counts_of(entry),
                bitmap: Bitmap { bytes: self.bitmap_of(entry), bit_order: entry.bit_order },
            })
        };
        let mut all: Vec<FunctionCounts<'_>> = self.first_entries.keys().flat_map(of_name).collect();
        all.sort_unstable_by_key(|function| (function.name_ref, function.func_hash));
        all
    }

    /// The counts of a function in the build that `func_hash` stands for.
    pub fn counts(&self, name_ref: u64, func_hash: u64) -> Option<&[u64]> {
        let entry = self.entries_by_build.get(&(name_ref, func_hash))?;
        self.entries.get(*entry as usize).map(|entry| self.counts_of(entry))
    }

    /// Which ways through its decisions a function took in the build that `func_hash` stands for.
    pub fn bitmap(&self, name_ref: u64, func_hash: u64) -> Option<Bitmap<'_>> {
        let entry = self.entries.get(*self.entries_by_build.get(&(name_ref, func_hash))? as usize)?;
        Some(Bitmap { bytes: self.bitmap_of(entry), bit_order: entry.bit_order })
    }

    /// The structural hashes that the profile knows for a name.
    pub fn hashes(&self, name_ref: u64) -> impl Iterator<Item = u64> {
        self.entries_of(name_ref).map(|entry| entry.func_hash)
    }

    /// Whether anything of that name ran. `llvm-profdata merge -sparse` leaves out all others.
    pub fn ran(&self, name_ref: u64) -> bool {
        self.entries_of(name_ref).any(|entry| {
            self.counts_of(entry).iter().any(|&count| count != 0)
                || self.bitmap_of(entry).iter().any(|&byte| byte != 0)
        })
    }

    /// How many functions have counts but are in none of the objects.
    pub fn n_unmatched_functions(&self, map: &CoverageMap) -> usize {
        let is_unmatched = |name_ref: &u64| self.ran(*name_ref) && !map.knows(*name_ref);
        self.first_entries.keys().copied().filter(is_unmatched).count()
    }

    /// Whether any function of the objects has a record, run or not.
    pub fn knows_any_of(&self, map: &CoverageMap) -> bool {
        map.mappings.iter().any(|record| self.counts(record.name_ref, record.func_hash).is_some())
    }

    /// Whether no function has a record at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn counts_of(&self, entry: &Entry) -> &[u64] {
        &self.counts[entry.start..entry.start + entry.n_counters as usize]
    }

    fn bitmap_of(&self, entry: &Entry) -> &[u8] {
        &self.bitmaps[entry.bitmap_start..entry.bitmap_start + entry.n_bitmap_bytes as usize]
    }

    fn entries_of(&self, name_ref: u64) -> impl Iterator<Item = &Entry> {
        let entry = |index: u32| self.entries.get(index as usize);
        let first = self.first_entries.get(&name_ref).and_then(|&index| entry(index));
        std::iter::successors(first, move |known| entry(known.next))
    }
}

impl Shape {
    fn describes(&self, profile: &RawProfile<'_>) -> bool {
        self.records.len() == profile.records.len()
            && self.records.iter().zip(&profile.records).all(|(known, record)| {
                known.name_ref == record.name_ref
                    && known.func_hash == record.func_hash
                    && known.n_counters == record.n_counters
                    && known.n_bitmap_bytes == record.n_bitmap_bytes
            })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{BitOrder, MAX_MERGED_COUNT, Profile};
    use crate::format::profraw::parse;

    /// A raw profile (version 8, which has the shortest header) of functions given as (name_ref, func_hash, counts).
    pub(in crate::coverage) fn raw_profile(functions: &[(u64, u64, &[u64])]) -> Vec<u8> {
        let n_counters: usize = functions.iter().map(|(_, _, counts)| counts.len()).sum();
        let delta = 48 * functions.len() as u64;
        let header =
            [0xff6c_7072_6f66_7281, 8, 0, functions.len() as u64, 0, n_counters as u64, 0, 0, delta, 0, 1];
        let mut bytes: Vec<u8> = header.iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
        let mut offset = delta;
        for (index, (name_ref, func_hash, counts)) in functions.iter().enumerate() {
            for word in
                [*name_ref, *func_hash, offset.wrapping_sub(48 * index as u64), 0, 0, counts.len() as u64]
            {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            offset += 8 * counts.len() as u64;
        }
        let counts = functions.iter().flat_map(|(_, _, counts)| counts.iter());
        bytes.extend(counts.flat_map(|count| count.to_le_bytes()));
        bytes
    }

    fn merged(profiles: &[&[(u64, u64, &[u64])]]) -> Profile {
        let mut profile = Profile::default();
        for functions in profiles {
            for raw in parse(&raw_profile(functions)).expect("well-formed") {
                profile.merge(&raw, &|_| false);
            }
        }
        profile
    }

    #[test]
    fn equal_records_add_up_over_processes_and_modules() {
        let first: &[(u64, u64, &[u64])] = &[(1, 10, &[1, 2]), (2, 20, &[3])];
        let other: &[(u64, u64, &[u64])] = &[(2, 20, &[5]), (3, 30, &[0])];
        let profile = merged(&[first, first, other]);
        assert_eq!(profile.counts(1, 10), Some(&[2, 4][..]));
        assert_eq!(profile.counts(2, 20), Some(&[11][..]));
        assert_eq!(profile.counts(3, 30), Some(&[0][..]));
        assert_eq!((profile.ran(2), profile.ran(3), profile.ran(4)), (true, false, false));
        assert_eq!(profile.n_profiles, 3);
    }

    #[test]
    fn the_order_of_profiles_does_not_matter() {
        let a: &[(u64, u64, &[u64])] = &[(1, 10, &[1, 2]), (2, 20, &[3])];
        let b: &[(u64, u64, &[u64])] = &[(2, 21, &[5, 6]), (1, 10, &[7, 7])];
        let c: &[(u64, u64, &[u64])] = &[(9, 90, &[8])];
        let expected = merged(&[a, b, c]);
        for order in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
            let profile = merged(&order);
            for (name_ref, func_hash) in [(1, 10), (2, 20), (2, 21), (9, 90)] {
                assert_eq!(profile.counts(name_ref, func_hash), expected.counts(name_ref, func_hash));
            }
        }
    }

    #[test]
    fn hashes_of_one_name_stay_apart() {
        let profile = merged(&[&[(1, 10, &[1])], &[(1, 11, &[2, 3])]]);
        assert_eq!(profile.counts(1, 10), Some(&[1][..]));
        assert_eq!(profile.counts(1, 11), Some(&[2, 3][..]));
        assert_eq!(profile.counts(1, 12), None);
        let mut hashes: Vec<_> = profile.hashes(1).collect();
        hashes.sort_unstable();
        assert_eq!(hashes, [10, 11]);
    }

    #[test]
    fn another_number_of_counters_is_left_out_and_counted() {
        let profile = merged(&[&[(1, 10, &[1, 1])], &[(1, 10, &[5])], &[(1, 10, &[5])]]);
        assert_eq!(profile.counts(1, 10), Some(&[1, 1][..]));
        assert_eq!(profile.n_mismatched_records, 2);
    }

    #[test]
    fn sums_stop_at_llvms_ceiling() {
        let mut profile = merged(&[&[(1, 10, &[1 << 56])]]);
        profile.counts[0] = u64::MAX - 5;
        for raw in parse(&raw_profile(&[(1, 10, &[4])])).expect("well-formed") {
            profile.merge(&raw, &|_| false);
        }
        assert_eq!(profile.counts(1, 10), Some(&[MAX_MERGED_COUNT][..]));
    }

    /// A raw profile of version 10 or 9 of one function with one counter and this bitmap.
    fn raw_profile_with_bitmap(version: u64, bitmap: &[u8]) -> Vec<u8> {
        let n_bytes = bitmap.len() as u64;
        let mut words = vec![0xff6c_7072_6f66_7281, version, 0, 1, 0, 1, 0, n_bytes, 8 - n_bytes % 8, 0];
        // Both deltas, the address of the names, tables of virtual functions, the last kind of value.
        words.extend_from_slice(&[64, 72, 0, 0, 0, 2][if version == 10 { 0..6 } else { 0..4 }]);
        let n_bytes = if version == 10 { [0, n_bytes << 32] } else { [0, n_bytes] };
        words.extend([1, 10, 64, 72, 0, 0, 1 + (n_bytes[0] << 32), n_bytes[1], 1]);
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.extend_from_slice(bitmap);
        bytes.resize(bytes.len().next_multiple_of(8) + if bitmap.len().is_multiple_of(8) { 8 } else { 0 }, 0);
        bytes
    }

    #[test]
    fn bitmaps_are_united_and_their_kinds_kept_apart() {
        let merged = |profiles: &[(u64, &[u8])]| {
            let mut profile = Profile::default();
            for (version, bitmap) in profiles {
                for raw in parse(&raw_profile_with_bitmap(*version, bitmap)).expect("well-formed") {
                    profile.merge(&raw, &|_| false);
                }
            }
            let bitmap = profile.bitmap(1, 10).expect("merged");
            (bitmap.bytes.to_vec(), bitmap.bit_order, profile.counts(1, 10).map(|counts| counts[0]))
        };
        let (by_way, by_conditions) = (BitOrder::ByWay, BitOrder::ByConditions);
        let (a, b) = (&[0b0011, 1, 0][..], &[0b0101, 0, 0x80][..]);
        assert_eq!(merged(&[(10, a), (10, b), (10, a)]), (vec![0b0111, 1, 0x80], by_way, Some(3)));
        assert_eq!(merged(&[(9, a), (9, b)]), (vec![0b0111, 1, 0x80], by_conditions, Some(2)));
        // As in LLVM, the counts of such a record count and its bitmap does not.
        assert_eq!(merged(&[(10, a), (10, &b[..2])]), (a.to_vec(), by_way, Some(2)));
        assert_eq!(merged(&[(10, a), (9, b)]), (a.to_vec(), by_way, Some(2)));
        assert_eq!(merged(&[(10, &[]), (10, b)]), (Vec::new(), by_way, Some(2)));
        // What ran shows in the bitmap alone, when a process ends in a decision.
        let mut profile = Profile::default();
        let mut bytes = raw_profile_with_bitmap(10, a);
        bytes[128 + 64] = 0;
        for raw in parse(&bytes).expect("well-formed") {
            profile.merge(&raw, &|_| false);
        }
        assert!(profile.ran(1));
    }

    /// All profiles are compared with each of the modules that are remembered.
    #[test]
    fn few_of_the_modules_that_look_alike_are_remembered() {
        let mut profile = Profile::default();
        for name in 1000..1100 {
            let functions: [(u64, u64, &[u64]); 3] = [(1, 10, &[1]), (name, 20, &[2]), (3, 30, &[3])];
            for raw in parse(&raw_profile(&functions)).expect("well-formed") {
                profile.merge(&raw, &|_| false);
                profile.merge(&raw, &|_| false);
            }
        }
        assert_eq!(profile.shapes.len(), 16);
        assert_eq!(profile.counts(1, 10), Some(&[200][..]));
        assert_eq!((profile.counts(1001, 20), profile.counts(1099, 20)), (Some(&[4][..]), Some(&[4][..])));
    }

    #[test]
    fn stale_modules_are_counted_and_left_out() {
        let mut profile = Profile::default();
        for functions in [&[(1, 10, &[1_u64][..])], &[(2, 20, &[1][..])], &[(2, 20, &[1][..])]] {
            for raw in parse(&raw_profile(functions)).expect("well-formed") {
                profile.merge(&raw, &|raw| raw.records[0].name_ref == 2);
            }
        }
        assert_eq!(profile.counts(1, 10), Some(&[1][..]));
        assert_eq!(profile.counts(2, 20), None);
        assert_eq!((profile.n_profiles, profile.n_stale_profiles), (3, 2));
    }
}
