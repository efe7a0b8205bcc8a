//! Merged counts of all processes: what `llvm-profdata merge` makes of raw profiles.

use std::collections::HashMap;

use super::map::{CoverageMap, RefMap};
use crate::format::profraw::RawProfile;

/// LLVM's ceiling for merged counts; the two numbers above it are marks of its own.
const MAX_MERGED_COUNT: u64 = u64::MAX - 2;

/// No entry, no start.
const NONE: u32 = u32::MAX;

/// Execution counts by function identity, summed over all raw profiles that were merged.
#[derive(Debug, Default)]
pub struct Profile {
    first_entries: RefMap<u32>,
    entries: Vec<Entry>,
    counts: Vec<u64>,
    shapes: Vec<Shape>,
    shapes_by_key: HashMap<ShapeKey, Vec<usize>>,
    /// Raw profiles merged so far, those without records included.
    pub n_profiles: u64,
    /// Raw profiles that were passed over because they come from an older build of an object.
    pub n_stale_profiles: u64,
    /// Records that have another number of counters than an equal record before them. They are left out.
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
    /// Index of an [`Entry`], or [`NONE`] if the record is left out.
    entry: u32,
}

/// Cheap to compute, and different for almost all different shapes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ShapeKey {
    n_records: usize,
    first: Option<(u64, u64)>,
    last: Option<(u64, u64)>,
}

impl ShapeKey {
    fn new(profile: &RawProfile<'_>) -> ShapeKey {
        let identity = |record: &crate::format::profraw::ProfileRecord| (record.name_ref, record.func_hash);
        ShapeKey {
            n_records: profile.records.len(),
            first: profile.records.first().map(identity),
            last: profile.records.last().map(identity),
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
        let shape = known.unwrap_or_else(|| {
            let index = self.shapes.len();
            let shape = self.new_shape(profile, is_stale(profile));
            self.shapes.push(shape);
            self.shapes_by_key.entry(key).or_default().push(index);
            index
        });
        let shape = &self.shapes[shape];
        if shape.is_stale {
            self.n_stale_profiles += 1;
            return;
        }
        for (record, known) in profile.records.iter().zip(&shape.records) {
            if known.entry == NONE {
                self.n_mismatched_records += 1;
                continue;
            }
            let start = self.entries[known.entry as usize].start;
            let sums = &mut self.counts[start..start + known.n_counters as usize];
            for (sum, count) in sums.iter_mut().zip(profile.counts(record)) {
                *sum = sum.saturating_add(count).min(MAX_MERGED_COUNT);
            }
        }
    }

    fn new_shape(&mut self, profile: &RawProfile<'_>, is_stale: bool) -> Shape {
        let records = profile.records.iter().map(|record| ShapeRecord {
            name_ref: record.name_ref,
            func_hash: record.func_hash,
            n_counters: record.n_counters,
            entry: if is_stale {
                NONE
            } else {
                self.entry_for(record.name_ref, record.func_hash, record.n_counters)
            },
        });
        Shape { records: records.collect(), is_stale }
    }

    /// The entry of a function, made if need be; [`NONE`] if there is one with another number of counters.
    fn entry_for(&mut self, name_ref: u64, func_hash: u64, n_counters: u32) -> u32 {
        let first = self.first_entries.get(&name_ref).copied().unwrap_or(NONE);
        let mut entry = first;
        while entry != NONE {
            let known = &self.entries[entry as usize];
            if known.func_hash == func_hash {
                return if known.n_counters == n_counters { entry } else { NONE };
            }
            entry = known.next;
        }
        let index = u32::try_from(self.entries.len()).unwrap_or(NONE);
        if index == NONE {
            return NONE;
        }
        let start = self.counts.len();
        self.counts.resize(start + n_counters as usize, 0);
        self.entries.push(Entry { func_hash, next: first, start, n_counters });
        self.first_entries.insert(name_ref, index);
        index
    }

    /// Adds counts of a function that were merged elsewhere.
    pub fn add(&mut self, name_ref: u64, func_hash: u64, counts: &[u64]) {
        let n_counters = u32::try_from(counts.len()).unwrap_or(NONE);
        let entry = self.entry_for(name_ref, func_hash, n_counters);
        let Some(entry) = self.entries.get(entry as usize) else {
            self.n_mismatched_records += 1;
            return;
        };
        let sums = &mut self.counts[entry.start..entry.start + entry.n_counters as usize];
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum = sum.saturating_add(*count).min(MAX_MERGED_COUNT);
        }
    }

    /// All functions with their structural hashes and counts, ordered by identity.
    pub fn sorted(&self) -> Vec<(u64, u64, &[u64])> {
        let of_name = |name_ref: &u64| {
            let name_ref = *name_ref;
            self.entries_of(name_ref).map(move |entry| (name_ref, entry.func_hash, self.counts_of(entry)))
        };
        let mut all: Vec<_> = self.first_entries.keys().flat_map(of_name).collect();
        all.sort_unstable_by_key(|(name_ref, func_hash, _)| (*name_ref, *func_hash));
        all
    }

    /// The counts of a function in the build that `func_hash` stands for.
    pub fn counts(&self, name_ref: u64, func_hash: u64) -> Option<&[u64]> {
        self.entries_of(name_ref)
            .find(|entry| entry.func_hash == func_hash)
            .map(|entry| self.counts_of(entry))
    }

    /// The structural hashes that the profile knows for a name.
    pub fn hashes(&self, name_ref: u64) -> impl Iterator<Item = u64> {
        self.entries_of(name_ref).map(|entry| entry.func_hash)
    }

    /// Whether anything of that name ran. `llvm-profdata merge -sparse` leaves out all others.
    pub fn ran(&self, name_ref: u64) -> bool {
        self.entries_of(name_ref).any(|entry| self.counts_of(entry).iter().any(|&count| count != 0))
    }

    /// How many functions have counts but are in none of the objects.
    pub fn n_unmatched_functions(&self, map: &CoverageMap) -> usize {
        let is_unmatched = |name_ref: &u64| self.ran(*name_ref) && map.hashes(*name_ref).next().is_none();
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
            })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{MAX_MERGED_COUNT, Profile};
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
