//! Raw profiles of every version, width and byte order, made here byte by byte.

use super::{ProfileRecord, parse};
use crate::format::cursor::Endian;

/// What to write; the fields that no test changes are constants of the writer.
/// Where bitmaps begin, seen from the first data record.
const BITMAP_DELTA: u64 = 0x5eed;

#[derive(Clone)]
struct Sample {
    version: u64,
    pointer_len: usize,
    endian: Endian,
    variant: u64,
    binary_id: Vec<u8>,
    /// name_ref, func_hash, counts.
    functions: Vec<(u64, u64, Vec<u64>)>,
    padding: u64,
    /// One for each function, or none at all.
    bitmaps: Vec<Vec<u8>>,
}

impl Sample {
    fn new(version: u64, pointer_len: usize, endian: Endian) -> Sample {
        Sample {
            version,
            pointer_len,
            endian,
            variant: 0,
            binary_id: b"twenty bytes of sha1".to_vec(),
            functions: vec![(11, 101, vec![1]), (12, 102, vec![2, 1 << 40]), (13, 103, vec![0, 0, 7])],
            padding: 0,
            bitmaps: Vec::new(),
        }
    }

    fn number(&self, bytes: &mut Vec<u8>, value: u64, len: usize) {
        match self.endian {
            Endian::Little => bytes.extend_from_slice(&value.to_le_bytes()[..len]),
            Endian::Big => bytes.extend_from_slice(&value.to_be_bytes()[8 - len..]),
        }
    }

    fn record_len(&self) -> usize {
        match (self.version, self.pointer_len) {
            (8, 8) => 48,
            (8, _) => 40,
            (_, 8) => 64,
            (_, _) => 48,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let names = b"\x05\x00a\x01b\x01c";
        let n_counters: u64 = self.functions.iter().map(|(_, _, counts)| counts.len() as u64).sum();
        let records_len = self.functions.len() * self.record_len();
        let counters_delta = (records_len as u64).wrapping_add(self.padding);
        let magic = if self.pointer_len == 8 { super::MAGIC_64 } else { super::MAGIC_32 };
        let binary_ids_len = 8 + self.binary_id.len().next_multiple_of(8);
        let mut words =
            vec![magic, self.version | self.variant, binary_ids_len as u64, self.functions.len() as u64];
        words.extend([self.padding, n_counters, self.padding]);
        if self.version >= 9 {
            words.extend([self.bitmaps.concat().len() as u64, self.padding]);
        }
        words.extend([names.len() as u64, counters_delta]);
        if self.version >= 9 {
            words.push(BITMAP_DELTA);
        }
        words.push(0xadd7);
        if self.version >= 10 {
            words.extend([0, 0]);
        }
        words.push(2);

        let mut bytes = Vec::new();
        for word in words {
            self.number(&mut bytes, word, 8);
        }
        self.number(&mut bytes, self.binary_id.len() as u64, 8);
        bytes.extend_from_slice(&self.binary_id);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let (mut counter_offset, mut bitmap_offset) = (0_u64, 0_u64);
        for (index, (name_ref, func_hash, counts)) in self.functions.iter().enumerate() {
            let start = bytes.len();
            self.number(&mut bytes, *name_ref, 8);
            self.number(&mut bytes, *func_hash, 8);
            let position = (index * self.record_len()) as u64;
            self.number(
                &mut bytes,
                counters_delta.wrapping_sub(position).wrapping_add(counter_offset),
                self.pointer_len,
            );
            let bitmap = self.bitmaps.get(index).map_or(&[][..], Vec::as_slice);
            if self.version >= 9 {
                let pointer = BITMAP_DELTA.wrapping_sub(position).wrapping_add(bitmap_offset);
                self.number(&mut bytes, pointer, self.pointer_len);
                bitmap_offset += bitmap.len() as u64;
            }
            self.number(&mut bytes, 0xf00, self.pointer_len);
            self.number(&mut bytes, 0, self.pointer_len);
            self.number(&mut bytes, counts.len() as u64, 4);
            // The number of bitmap bytes stands at the end, behind two or three numbers of value sites and before padding.
            let n_value_sites = if self.version >= 10 { 3 } else { 2 };
            bytes.resize((bytes.len() + 2 * n_value_sites).next_multiple_of(4), 0);
            if self.version >= 9 {
                self.number(&mut bytes, bitmap.len() as u64, 4);
            }
            bytes.resize(start + self.record_len(), 0);
            counter_offset += 8 * counts.len() as u64;
        }
        bytes.resize(bytes.len() + self.padding as usize, 0);
        for count in self.functions.iter().flat_map(|(_, _, counts)| counts) {
            self.number(&mut bytes, *count, 8);
        }
        bytes.resize(bytes.len() + self.padding as usize, 0);
        if self.version >= 9 {
            bytes.extend_from_slice(&self.bitmaps.concat());
            bytes.resize(bytes.len() + self.padding as usize, 0);
        }
        bytes.extend_from_slice(names);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
}

/// One of each version, width and byte order.
fn all_samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for version in [8, 9, 10] {
        for pointer_len in [4, 8] {
            for endian in [Endian::Little, Endian::Big] {
                samples.push(Sample::new(version, pointer_len, endian));
            }
        }
    }
    samples
}

/// The functions of all profiles in `bytes`, or the error's text.
fn read(bytes: &[u8]) -> Result<Vec<(u64, u64, Vec<u64>)>, String> {
    let profiles = parse(bytes).map_err(|error| error.to_string())?;
    let functions = profiles.iter().flat_map(|profile| {
        let read = |record: &ProfileRecord| {
            (record.name_ref, record.func_hash, profile.counts(record).collect::<Vec<_>>())
        };
        profile.records.iter().map(read).collect::<Vec<_>>()
    });
    Ok(functions.collect())
}

#[test]
fn every_version_width_and_byte_order_is_read() {
    for sample in all_samples() {
        let what = format!("v{} {} {:?}", sample.version, sample.pointer_len, sample.endian);
        assert_eq!(read(&sample.bytes()), Ok(sample.functions.clone()), "{what}");
        let bytes = sample.bytes();
        let profiles = parse(&bytes).expect("well-formed");
        assert_eq!(profiles[0].version, sample.version, "{what}");
        assert_eq!(profiles[0].binary_ids, [&sample.binary_id[..]], "{what}");
    }
}

#[test]
fn page_sized_padding_is_passed_over() {
    for mut sample in all_samples() {
        sample.padding = 4096;
        assert_eq!(read(&sample.bytes()), Ok(sample.functions.clone()));
    }
}

#[test]
fn bitmaps_are_found() {
    for mut sample in all_samples() {
        sample.bitmaps = vec![vec![1, 2, 3], Vec::new(), vec![4, 5, 6, 7, 8]];
        for padding in [0, 4096] {
            sample.padding = padding;
            let bytes = sample.bytes();
            let profile = &parse(&bytes).expect("well-formed")[0];
            let bitmaps: Vec<_> = profile.records.iter().map(|record| profile.bitmap(record)).collect();
            let expected = if sample.version >= 9 { sample.bitmaps.clone() } else { vec![Vec::new(); 3] };
            assert_eq!(bitmaps, expected, "v{} {} {:?}", sample.version, sample.pointer_len, sample.endian);
            assert_eq!(read(&bytes), Ok(sample.functions.clone()));
        }
    }
}

#[test]
fn a_file_may_hold_no_profile_or_several() {
    assert_eq!(read(b""), Ok(Vec::new()));
    let sample = Sample::new(10, 8, Endian::Little);
    let mut other = Sample::new(10, 8, Endian::Little);
    other.functions = vec![(21, 201, vec![9; 5])];
    let both = [sample.bytes(), vec![0; 16], other.bytes(), vec![0; 8]].concat();
    assert_eq!(read(&both), Ok([sample.functions.clone(), other.functions.clone()].concat()));

    let garbage = [sample.bytes(), b"garbage!".to_vec()].concat();
    assert_eq!(read(&garbage), Err("not a raw profile".to_owned()));
    let big = Sample::new(10, 8, Endian::Big);
    let mixed = read(&[sample.bytes(), big.bytes()].concat()).expect_err("two byte orders");
    assert!(mixed.starts_with("malformed: profile differs from the first one"), "{mixed}");
    let unaligned = read(&[sample.bytes(), vec![0; 4], other.bytes()].concat()).expect_err("unaligned");
    assert!(unaligned.starts_with("malformed: insufficient padding"), "{unaligned}");
}

#[test]
fn a_truncated_file_is_an_error_at_every_length() {
    for sample in all_samples() {
        let bytes = sample.bytes();
        for len in 1..bytes.len() {
            assert!(read(&bytes[..len]).is_err(), "cut to {len} of {}", bytes.len());
        }
    }
}

#[test]
fn changed_header_bytes_never_panic() {
    for sample in all_samples() {
        let bytes = sample.bytes();
        for position in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, bytes[position] ^ 0x80] {
                let mut changed = bytes.clone();
                changed[position] = value;
                if let Ok(functions) = read(&changed) {
                    let n_counters: usize = functions.iter().map(|(_, _, counts)| counts.len()).sum();
                    assert!(n_counters <= bytes.len(), "more counters than bytes");
                }
            }
        }
    }
}

fn check_error(change: impl Fn(&mut Sample), edit: impl Fn(&mut Vec<u8>), expected: &str) {
    let mut sample = Sample::new(10, 8, Endian::Little);
    change(&mut sample);
    let mut bytes = sample.bytes();
    edit(&mut bytes);
    assert_eq!(read(&bytes), Err(expected.to_owned()));
}

#[test]
fn errors_say_what_was_found() {
    let unchanged = |_: &mut Sample| {};
    check_error(
        |sample| sample.version = 11,
        |_| {},
        "unsupported raw profile version 11 (this build reads 8 to 10)",
    );
    check_error(unchanged, |bytes| bytes[0] = 0x80, "not a raw profile");
    check_error(unchanged, |bytes| bytes[6] = b'i', "not a raw profile");
    check_error(
        |sample| sample.variant = 1 << 56,
        |_| {},
        "unsupported: a profile for optimization, where one for coverage is read at offset 0x8",
    );
    check_error(
        |sample| sample.functions[1].2.clear(),
        |_| {},
        "malformed: number of counters is zero at offset 0xe0",
    );
    check_error(
        |sample| sample.functions[0].2[0] = (1 << 56) + 1,
        |_| {},
        "malformed: count is excessively large at offset 0x0",
    );
    // The first record's CounterPtr, moved back by one counter, then beyond the end.
    let counter_ptr = 128 + 32 + 16;
    for delta in [-8_i64, 48] {
        check_error(
            unchanged,
            |bytes| {
                let field = &mut bytes[counter_ptr..counter_ptr + 8];
                let value = i64::from_le_bytes(field.try_into().expect("eight bytes")) + delta;
                field.copy_from_slice(&value.to_le_bytes());
            },
            "malformed: counters are outside their area at offset 0xa0",
        );
    }
    check_error(
        unchanged,
        |bytes| bytes.truncate(380),
        "truncated: counters need 48 bytes at offset 0x160, 28 remain",
    );
}

#[test]
fn bitmaps_outside_of_their_area_are_refused() {
    // The third record's BitmapPtr, then its number of bytes.
    let record = 128 + 32 + 2 * 64;
    for (field, value, expected) in [
        (24, 2, "malformed: bitmap is outside its area at offset 0x120"),
        (24, 0xfc, "malformed: bitmap is outside its area at offset 0x120"),
        (60, 6, "malformed: bitmap is outside its area at offset 0x120"),
    ] {
        check_error(
            |sample| sample.bitmaps = vec![vec![1, 2, 3], Vec::new(), vec![4, 5, 6, 7, 8]],
            |bytes| bytes[record + field] = bytes[record + field].wrapping_add(value),
            expected,
        );
    }
    // The first record's bitmap reaches over the third's.
    check_error(
        |sample| sample.bitmaps = vec![vec![1, 2, 3], Vec::new(), vec![4, 5, 6, 7, 8]],
        |bytes| bytes[128 + 32 + 60] = 8,
        "malformed: functions share bitmaps at offset 0x120",
    );
}

#[test]
fn an_indexed_profile_is_named() {
    let mut bytes = super::MAGIC_INDEXED.to_le_bytes().to_vec();
    bytes.resize(200, 0);
    let error = read(&bytes).expect_err("not raw");
    assert!(error.contains(".profdata"), "{error}");
}

#[test]
fn value_data_is_skipped() {
    let mut sample = Sample::new(10, 8, Endian::Little);
    let mut bytes = sample.bytes();
    // One value site in the second record, and its block of 16 bytes at the end.
    bytes[128 + 32 + 64 + 52] = 1;
    bytes.extend_from_slice(&[16, 0, 0, 0, 1, 0, 0, 0, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa]);
    assert_eq!(read(&bytes), Ok(sample.functions.clone()));
    let end = bytes.len();
    bytes[end - 16] = 12;
    assert!(read(&bytes).is_err(), "not a multiple of 8");
    sample.functions.clear();
    assert_eq!(read(&sample.bytes()), Ok(Vec::new()));
}

#[test]
fn byte_counters_and_time_stamps_are_understood() {
    let mut sample = Sample::new(10, 8, Endian::Little);
    sample.variant = super::VARIANT_TEMPORAL;
    sample.functions = vec![(11, 101, vec![77, 5]), (12, 102, vec![78, 6, 7])];
    assert_eq!(read(&sample.bytes()), Ok(vec![(11, 101, vec![5]), (12, 102, vec![6, 7])]));

    // Eight one-byte counters in the place of one wide one; 0 means "executed".
    sample.variant = super::VARIANT_BYTE_COUNTERS;
    sample.functions = vec![(11, 101, vec![0xffff_ffff_ffff_ff00])];
    let mut bytes = sample.bytes();
    bytes[5 * 8] = 8;
    bytes[128 + 32 + 48] = 8;
    assert_eq!(read(&bytes), Ok(vec![(11, 101, vec![1, 0, 0, 0, 0, 0, 0, 0])]));
}
