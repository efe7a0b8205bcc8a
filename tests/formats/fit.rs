//! Profiles of platforms that no test runs on: the counts of a real one in the form in which a process made from a certain
//! object would have written them. `UPDATE_EXPECT=1` writes them to `tests/data/formats/fitted`.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use super::folder;
use super::support::golden;
use xtask_coverage::format::cursor::{Cursor, Endian};
use xtask_coverage::format::profraw;
use xtask_coverage::object::{Architecture, CoverageSections, PointerWidth, coverage_sections};

/// Objects, the version of raw profiles that their compiler's runtime writes, the versions to write, and where the counts are from.
/// A profile has the name of its object, with the version where it is another one.
const FITTED: [(&[&str], u64, &[u64], &str); 4] = [
    (
        &[
            "elf64-le.exe",
            "elf64-be.o",
            "elf64-be.exe",
            "elf32-le.exe",
            "elf32-be.o",
            "elf32-be.exe",
            "macho-x86_64.o",
            "macho-x86_64.dylib",
            "macho-arm64.o",
            "macho-arm64.exe",
            "macho-universal.o",
            "coff-x86_64.obj",
            "coff-x86_64.dll",
            "coff-x86_64.exe",
            "coff-i686.obj",
            "coff-i686.dll",
            "coff-i686.exe",
        ],
        10,
        &[10],
        "clang22-64",
    ),
    (&["clang14-elf64-be.o", "clang14-elf32-be.o"], 8, &[8, 9, 10], "clang14-64"),
    (&["clang14-elf64-le.o", "clang14-elf32-le.o"], 8, &[9, 10], "clang14-64"),
    (&["clang18-mcdc-a.exe"], 9, &[10], "clang18-mcdc-a"),
];

#[test]
fn profiles_fit_their_objects() {
    let mut fitted = BTreeMap::new();
    for (objects, own_version, versions, source) in FITTED {
        let source = fs::read(folder().join(format!("real/{source}.profraw"))).expect("the profile is there");
        for object in objects {
            let bytes = fs::read(folder().join("objects").join(object)).expect("the object is there");
            let bytes = bytes.as_slice();
            let file = coverage_sections(&bytes, Architecture::of_triple("arm64")).expect("an object");
            for version in versions {
                let name = match versions {
                    [_] => format!("{object}.profraw"),
                    _ => format!("{object}.v{version}.profraw"),
                };
                fitted.insert(name, fit(object, &file.objects[0], own_version, *version, &source));
            }
        }
    }
    golden::check_directory("formats/fitted", &fitted);
}

/// A function of a raw profile.
struct Function {
    name_ref: u64,
    func_hash: u64,
    counts: Vec<u64>,
    bitmap: Vec<u8>,
}

/// The raw profile of `version` that a process made from `object` would write, with the counts of `source`. The data records
/// of the object are as its own compiler wrote them, for `own_version`.
fn fit(name: &str, object: &CoverageSections<'_>, own_version: u64, version: u64, source: &[u8]) -> Vec<u8> {
    let source = &profraw::parse(source).expect("a raw profile")[0];
    let known: HashMap<(u64, u64), (Vec<u64>, Vec<u8>)> = source
        .records
        .iter()
        .map(|it| ((it.name_ref, it.func_hash), (source.counts(it).collect(), source.bitmap(it).to_vec())))
        .collect();
    let pointer_len = match object.pointer_width {
        PointerWidth::Bits32 => 4,
        PointerWidth::Bits64 => 8,
    };
    let own = Shape { endian: object.endian, pointer_len, version: own_version };
    let functions: Vec<Function> = object
        .prf_data
        .chunks(own.record_len())
        .filter_map(|record| {
            let mut cursor = Cursor::new(record, object.endian);
            let (name_ref, func_hash) = (cursor.u64("name").ok()?, cursor.u64("hash").ok()?);
            // A PE image has an empty record before and behind its own.
            if name_ref == 0 {
                return None;
            }
            let (counts, bitmap) = known.get(&(name_ref, func_hash)).expect("the same source").clone();
            assert_eq!(own.n_counters(record), counts.len() as u64, "{name}");
            Some(Function { name_ref, func_hash, counts, bitmap })
        })
        .collect();
    assert_eq!(functions.len(), source.records.len(), "{name}");
    // The runtime writes ids where it finds them in the program headers, which is in ELF.
    let binary_id =
        object.build_id.as_deref().filter(|_| !name.starts_with("macho") && !name.starts_with("coff"));
    // 64-bit Windows has distances of 32 bits.
    let distance_len = if name.starts_with("coff") { 4 } else { pointer_len };
    Shape { version, ..own }.profile(&functions, &object.names, binary_id, distance_len)
}

/// What decides on the form of a raw profile.
#[derive(Clone, Copy)]
struct Shape {
    endian: Endian,
    pointer_len: usize,
    version: u64,
}

impl Shape {
    /// Bytes of a data record.
    fn record_len(self) -> usize {
        match (self.version, self.pointer_len) {
            (8, 8) => 48,
            (8, _) => 40,
            (_, 8) => 64,
            (_, _) => 48,
        }
    }

    /// The number of counters of a data record, which stands behind the pointers.
    fn n_counters(self, record: &[u8]) -> u64 {
        let n_pointers = if self.version >= 9 { 4 } else { 3 };
        let field = &record[16 + n_pointers * self.pointer_len..];
        Cursor::new(field, self.endian).u32("counters").expect("in the record").into()
    }

    fn number(self, bytes: &mut Vec<u8>, value: u64, len: usize) {
        match self.endian {
            Endian::Little => bytes.extend_from_slice(&value.to_le_bytes()[..len]),
            Endian::Big => bytes.extend_from_slice(&value.to_be_bytes()[8 - len..]),
        }
    }

    /// The whole file. Counters and bitmaps lie before the data records in memory, as linkers arrange them, so that both
    /// distances are below zero.
    fn profile(
        self,
        functions: &[Function],
        names: &[u8],
        binary_id: Option<&[u8]>,
        distance_len: usize,
    ) -> Vec<u8> {
        let Shape { pointer_len, version, .. } = self;
        let n_counters: usize = functions.iter().map(|function| function.counts.len()).sum();
        let bitmap_len: usize =
            if version >= 9 { functions.iter().map(|function| function.bitmap.len()).sum() } else { 0 };
        let distance = |value: u64| if distance_len == 4 { value & 0xffff_ffff } else { value };
        let counters_delta = (8 * n_counters as u64).wrapping_neg();
        let bitmap_delta = counters_delta.wrapping_sub(bitmap_len.next_multiple_of(8) as u64);

        let r = if pointer_len == 8 { b'r' } else { b'R' };
        let magic = u64::from_be_bytes([0xff, b'l', b'p', b'r', b'o', b'f', r, 0x81]);
        let binary_ids_len = binary_id.map_or(0, |id| 8 + id.len().next_multiple_of(8));
        let mut words = vec![magic, version, binary_ids_len as u64, functions.len() as u64];
        words.extend([0, n_counters as u64, 0]);
        if version >= 9 {
            words.extend([bitmap_len as u64, (bitmap_len.next_multiple_of(8) - bitmap_len) as u64]);
        }
        words.extend([names.len() as u64, distance(counters_delta)]);
        if version >= 9 {
            words.push(distance(bitmap_delta));
        }
        let names_address = 0x1000;
        words.push(names_address);
        if version >= 10 {
            words.extend([0, 0]);
        }
        words.push(if version >= 10 { 2 } else { 1 });

        let mut bytes = Vec::new();
        for word in words {
            self.number(&mut bytes, word, 8);
        }
        if let Some(id) = binary_id {
            self.number(&mut bytes, id.len() as u64, 8);
            bytes.extend_from_slice(id);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        let (mut counters_before, mut bitmap_before) = (0_u64, 0_u64);
        for (index, function) in functions.iter().enumerate() {
            let start = bytes.len();
            let position = (index * self.record_len()) as u64;
            let pointer =
                |delta: u64, before: u64| distance(delta.wrapping_sub(position).wrapping_add(before));
            self.number(&mut bytes, function.name_ref, 8);
            self.number(&mut bytes, function.func_hash, 8);
            self.number(&mut bytes, pointer(counters_delta, counters_before), pointer_len);
            if version >= 9 {
                self.number(&mut bytes, pointer(bitmap_delta, bitmap_before), pointer_len);
            }
            // The function's address and its values.
            self.number(&mut bytes, 0, pointer_len);
            self.number(&mut bytes, 0, pointer_len);
            self.number(&mut bytes, function.counts.len() as u64, 4);
            if version >= 9 {
                // The number of bitmap bytes stands behind two or three numbers of value sites.
                bytes.resize(bytes.len() + if version >= 10 { 8 } else { 4 }, 0);
                self.number(&mut bytes, function.bitmap.len() as u64, 4);
                bitmap_before += function.bitmap.len() as u64;
            }
            bytes.resize(start + self.record_len(), 0);
            counters_before += 8 * function.counts.len() as u64;
        }
        for count in functions.iter().flat_map(|function| &function.counts) {
            self.number(&mut bytes, *count, 8);
        }
        if version >= 9 {
            bytes.extend(functions.iter().flat_map(|function| &function.bitmap));
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        bytes.extend_from_slice(names);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
}
