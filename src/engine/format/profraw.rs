//! Raw profiles: the counters that an instrumented process leaves in a `.profraw` file.
//!
//! A file holds one profile, or several behind one another when processes share its name:
//!
//! ```text
//! header         11, 14 or 16 words of 8 bytes, for versions 8, 9 and 10
//! binary ids     u64 length, bytes, padding to 8; the build id of the module that wrote the profile
//! data records   one for each function: name_ref, func_hash, where its counters are, how many
//! counters       u64 each
//! bitmap         MC/DC, version 9 and later: a bit for each way through a decision that was taken
//! names          see `prf_names`; not needed here, as everything is known by its name_ref
//! vtables        version 10, never written by rustc
//! value data     one block for each record that has value sites, never written by rustc
//! ```
//!
//! The areas after the data records have padding, whose size stands in the header (page-sized in continuous mode on
//! macOS). A record finds its counters by distance: `CounterPtr` is the address of the first counter minus that of the
//! record, `CountersDelta` the address of all counters minus that of all records, so record `i` has its counters at
//! `CounterPtr - (CountersDelta - i * record size)` bytes into the area. `BitmapPtr` and `BitmapDelta` are the same for bitmaps.
//!
//! The first word tells the byte order and the width of a pointer, both for the whole file.

use super::cursor::{Cursor, Endian, wide};
use super::error::{Error, ErrorKind, Result};

/// "\xfflprofr\x81" as a number, as a 64-bit process writes it.
const MAGIC_64: u64 = 0xff6c_7072_6f66_7281;
/// The same with an upper-case R: written by a 32-bit process.
const MAGIC_32: u64 = 0xff6c_7072_6f66_5281;
/// The first word of a `.profdata` file, in which `llvm-profdata` puts merged profiles.
const MAGIC_INDEXED: u64 = 0xff6c_7072_6f66_6981;

/// The versions that stable rustc has written since 1.77.
const OLDEST_VERSION: u64 = 8;
const NEWEST_VERSION: u64 = 10;

/// Flags in the upper half of the version word that mean profiles for optimization, not for coverage: IR-level,
/// context-sensitive, correlated by debug info, function entry only, memory.
const FOREIGN_VARIANTS: u64 = (1 << 56) | (1 << 57) | (1 << 59) | (1 << 61) | (1 << 62);
/// One byte for each counter, 0 meaning "executed".
const VARIANT_BYTE_COUNTERS: u64 = 1 << 60;
/// Each function's counters begin with a time stamp.
const VARIANT_TEMPORAL: u64 = 1 << 63;

/// LLVM takes a higher count for damage.
const MAX_COUNT: u64 = 1 << 56;

/// One profile of a raw profile file, checked as a whole: everything it refers to lies inside the file.
#[derive(Clone, Debug)]
pub struct RawProfile<'a> {
    /// The format's version: 8, 9 or 10.
    pub version: u64,
    /// The build ids of the modules that wrote the profile; none where the platform has none.
    pub binary_ids: Vec<&'a [u8]>,
    /// The functions, in the order of the module's data section.
    pub records: Vec<ProfileRecord>,
    counters: &'a [u8],
    bitmaps: &'a [u8],
    width: CounterWidth,
    endian: Endian,
}

/// A function's entry in a raw profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileRecord {
    /// Truncated MD5 of the function's name.
    pub name_ref: u64,
    /// Structural hash of the function's source.
    pub func_hash: u64,
    /// Where the function's counters begin, in bytes from the start of the counters area.
    pub offset: u32,
    /// How many counters the function has; at least one, save in temporal profiles.
    pub n_counters: u32,
    /// Where the function's bitmap begins, in bytes from the start of the bitmap area; 0 without one.
    pub bitmap_offset: u32,
    /// Bytes of the function's bitmap; 0 without MC/DC.
    pub n_bitmap_bytes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CounterWidth {
    EightBytes,
    OneByte,
}

/// Reads all profiles of a raw profile file.
///
/// A file of zero bytes holds none: the runtime leaves such files behind when a process dies early.
///
/// # Errors
/// Anything that `llvm-profdata` refuses in a file: foreign bytes, another version, areas beyond the end, counters
/// outside their area, counts above 2^56. An error anywhere costs the whole file.
pub fn parse(bytes: &[u8]) -> Result<Vec<RawProfile<'_>>> {
    let mut profiles = Vec::new();
    let mut position = 0_usize;
    let mut magic = None;
    while let Some(rest) = bytes.get(position..).filter(|rest| !rest.is_empty()) {
        let locate = |error: Error| error.offset_by(wide(position));
        let format = FileFormat::detect(rest).map_err(locate)?;
        if magic.is_some_and(|first| first != format) {
            return Err(Error::malformed("profile differs from the first one in the file", wide(position)));
        }
        magic = Some(format);
        let (profile, len) = parse_profile(rest, format).map_err(locate)?;
        profiles.push(profile);
        position = position.saturating_add(len);
        let padding = bytes.get(position..).unwrap_or_default().iter().take_while(|&&byte| byte == 0).count();
        position = position.saturating_add(padding);
        if position < bytes.len() && !position.is_multiple_of(8) {
            return Err(Error::malformed("insufficient padding between profiles", wide(position)));
        }
    }
    Ok(profiles)
}

/// What the magic number tells about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileFormat {
    endian: Endian,
    /// Bytes in a pointer: 4 or 8.
    pointer_len: u64,
}

impl FileFormat {
    fn detect(bytes: &[u8]) -> Result<FileFormat> {
        let not_recognized = Error::new(ErrorKind::NotRecognized { expected: "a raw profile" }, 0);
        for endian in [Endian::Little, Endian::Big] {
            let Ok(magic) = Cursor::new(bytes, endian).u64("magic number") else {
                return Err(not_recognized);
            };
            match magic {
                MAGIC_64 => return Ok(FileFormat { endian, pointer_len: 8 }),
                MAGIC_32 => return Ok(FileFormat { endian, pointer_len: 4 }),
                MAGIC_INDEXED => {
                    let what =
                        "an indexed profile (.profdata), where the raw profiles it was made from are read";
                    return Err(Error::new(ErrorKind::Unsupported { what }, 0));
                }
                _ => {}
            }
        }
        Err(not_recognized)
    }
}

/// The header's words that are needed to read on.
struct Header {
    version: u64,
    variant: u64,
    binary_ids_len: u64,
    n_records: u64,
    padding_before_counters: u64,
    n_counters: u64,
    padding_after_counters: u64,
    bitmap_len: u64,
    padding_after_bitmap: u64,
    names_len: u64,
    counters_delta: u64,
    bitmap_delta: u64,
    n_vtables: u64,
    vtable_names_len: u64,
}

impl Header {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Header> {
        let mut word = || cursor.u64("header");
        let _magic = word()?;
        let version_word = word()?;
        let version = version_word & 0xffff_ffff;
        let variant = version_word & !0xffff_ffff;
        if !(OLDEST_VERSION..=NEWEST_VERSION).contains(&version) {
            let kind = ErrorKind::UnsupportedVersion {
                what: "raw profile",
                found: version,
                oldest: OLDEST_VERSION,
                newest: NEWEST_VERSION,
            };
            return Err(Error::new(kind, 8));
        }
        if variant & FOREIGN_VARIANTS != 0 {
            let what = "a profile for optimization, where one for coverage is read";
            return Err(Error::new(ErrorKind::Unsupported { what }, 8));
        }
        let binary_ids_len = word()?;
        let n_records = word()?;
        let padding_before_counters = word()?;
        let n_counters = word()?;
        let padding_after_counters = word()?;
        let (bitmap_len, padding_after_bitmap) = if version >= 9 { (word()?, word()?) } else { (0, 0) };
        let names_len = word()?;
        let counters_delta = word()?;
        // Arbitrary without bitmaps.
        let bitmap_delta = if version >= 9 { word()? } else { 0 };
        let _names_delta = word()?;
        let (n_vtables, vtable_names_len) = if version >= 10 { (word()?, word()?) } else { (0, 0) };
        let _last_value_kind = word()?;
        Ok(Header {
            version,
            variant,
            binary_ids_len,
            n_records,
            padding_before_counters,
            n_counters,
            padding_after_counters,
            bitmap_len,
            padding_after_bitmap,
            names_len,
            counters_delta,
            bitmap_delta,
            n_vtables,
            vtable_names_len,
        })
    }
}

/// Where a data record's fields are, in bytes from its start.
struct RecordLayout {
    counter_ptr: usize,
    /// Of the pointer to the bitmap and of the number of its bytes, where there are bitmaps.
    bitmap: Option<(usize, usize)>,
    n_counters: usize,
    value_sites: usize,
    n_value_kinds: usize,
    len: usize,
}

impl RecordLayout {
    /// `struct __llvm_profile_data` of compiler-rt, laid out as C does and aligned to eight bytes.
    fn new(version: u64, pointer_len: u64) -> RecordLayout {
        let (bitmap, n_counters, value_sites, n_value_kinds, len) = match (version, pointer_len) {
            (8, 8) => (None, 40, 44, 2, 48),
            (9, 8) => (Some((24, 56)), 48, 52, 2, 64),
            (_, 8) => (Some((24, 60)), 48, 52, 3, 64),
            (8, _) => (None, 28, 32, 2, 40),
            (9, _) => (Some((20, 40)), 32, 36, 2, 48),
            (_, _) => (Some((20, 44)), 32, 36, 3, 48),
        };
        RecordLayout { counter_ptr: 16, bitmap, n_counters, value_sites, n_value_kinds, len }
    }
}

/// Bytes to the next multiple of eight.
fn padding(len: u64) -> u64 {
    len.wrapping_neg() % 8
}

/// Reads the profile at the start of `bytes`; also gives its length in bytes, value data included.
fn parse_profile(bytes: &[u8], format: FileFormat) -> Result<(RawProfile<'_>, usize)> {
    let FileFormat { endian, pointer_len } = format;
    let mut cursor = Cursor::new(bytes, endian);
    let header = Header::parse(&mut cursor)?;
    let width = match header.variant & VARIANT_BYTE_COUNTERS {
        0 => CounterWidth::EightBytes,
        _ => CounterWidth::OneByte,
    };
    let layout = RecordLayout::new(header.version, pointer_len);
    let vtable_len = if pointer_len == 8 { 24 } else { 16 };
    let area =
        |count: u64, len: u64| count.checked_mul(len).ok_or(Error::malformed("file header is corrupt", 0));

    if header.binary_ids_len % 8 != 0 {
        return Err(Error::malformed("size of binary ids is not a multiple of 8", 16));
    }
    let binary_ids = parse_binary_ids(cursor.take("binary ids", header.binary_ids_len)?, endian)?;
    let records_offset = cursor.offset();
    let records = cursor.take("data records", area(header.n_records, wide(layout.len))?)?;
    cursor.take("padding", header.padding_before_counters)?;
    let counters = cursor.take("counters", area(header.n_counters, width.len())?)?;
    cursor.take("padding", header.padding_after_counters)?;
    let bitmaps = cursor.take("bitmap", header.bitmap_len)?;
    cursor.take("padding", header.padding_after_bitmap)?;
    cursor.take("names", header.names_len)?;
    cursor.take("padding", padding(header.names_len))?;
    let vtables_len = area(header.n_vtables, vtable_len)?;
    cursor.take("vtables", vtables_len)?;
    cursor.take("padding", padding(vtables_len))?;
    cursor.take("vtable names", header.vtable_names_len)?;
    cursor.take("padding", padding(header.vtable_names_len))?;

    let areas = Areas { counters, bitmaps };
    let (records, n_value_blocks) = parse_records(records, areas, &header, &layout, format, width)
        .map_err(|error| error.offset_by(records_offset))?;
    for _ in 0..n_value_blocks {
        skip_value_data(&mut cursor)?;
    }
    let profile =
        RawProfile { version: header.version, binary_ids, records, counters, bitmaps, width, endian };
    profile.check_counts()?;
    let len = bytes.len().saturating_sub(cursor.rest().len());
    Ok((profile, len))
}

fn parse_binary_ids(bytes: &[u8], endian: Endian) -> Result<Vec<&[u8]>> {
    let mut cursor = Cursor::new(bytes, endian);
    let mut ids = Vec::new();
    while !cursor.is_empty() {
        let len = cursor.u64("length of a binary id")?;
        if len == 0 {
            return Err(Error::malformed("binary id is empty", cursor.offset()));
        }
        ids.push(cursor.take("binary id", len)?);
        cursor.take("padding", padding(len))?;
    }
    Ok(ids)
}

/// What data records point into.
#[derive(Clone, Copy)]
struct Areas<'a> {
    counters: &'a [u8],
    bitmaps: &'a [u8],
}

/// Decodes the data records; also counts those that have a block of value data.
fn parse_records(
    bytes: &[u8],
    areas: Areas<'_>,
    header: &Header,
    layout: &RecordLayout,
    format: FileFormat,
    width: CounterWidth,
) -> Result<(Vec<ProfileRecord>, u64)> {
    let temporal = header.variant & VARIANT_TEMPORAL != 0;
    let mut records = Vec::with_capacity(bytes.len().checked_div(layout.len).unwrap_or(0));
    let mut n_value_blocks = 0_u64;
    let mut n_claimed = 0_u64;
    let mut n_claimed_bitmap_bytes = 0_u64;
    let mut position = 0_u64;
    for record in bytes.chunks_exact(layout.len) {
        let field = |offset: usize| Cursor::new(record.get(offset..).unwrap_or_default(), format.endian);
        let name_ref = field(0).u64("name")?;
        let func_hash = field(8).u64("hash")?;
        // The bytes from the start of an area to what the pointer at `offset` points to. On 64-bit Windows both values are cut
        // to 32 bits, which the subtraction does not notice.
        let distance = |what: &'static str, offset: usize, delta: u64| {
            let delta = delta.wrapping_sub(position);
            match format.pointer_len {
                8 => field(offset).u64(what).map(|pointer| pointer.wrapping_sub(delta)),
                _ => {
                    let pointer = u64::from(field(offset).u32(what)?);
                    Ok(pointer.wrapping_sub(delta) & 0xffff_ffff)
                }
            }
        };
        let n_counters = field(layout.n_counters).u32("counters")?;
        let mut value_sites = field(layout.value_sites);
        let mut has_values = false;
        for _ in 0..layout.n_value_kinds {
            has_values |= value_sites.u16("value sites")? != 0;
        }
        n_value_blocks = n_value_blocks.saturating_add(u64::from(has_values));

        let malformed = |what| Error::malformed(what, position);
        if n_counters == 0 {
            return Err(malformed("number of counters is zero"));
        }
        let counters_len = wide(areas.counters.len());
        let offset = distance("counters", layout.counter_ptr, header.counters_delta)?;
        if offset >= counters_len {
            return Err(malformed("counters are outside their area"));
        }
        let available = counters_len.saturating_sub(offset).checked_div(width.len()).unwrap_or(0);
        if u64::from(n_counters) > available {
            return Err(malformed("counters are outside their area"));
        }
        // Functions do not share counters; a file in which they did could grow without bound when it is merged.
        n_claimed = n_claimed.saturating_add(u64::from(n_counters));
        if n_claimed > header.n_counters {
            return Err(malformed("functions share counters"));
        }
        let skipped = if temporal { width.time_stamp_counters() } else { 0 };
        let skipped_len = u64::from(skipped).saturating_mul(width.len());
        let too_far = |what| Error::new(ErrorKind::Unsupported { what }, position);
        let offset = u32::try_from(offset.saturating_add(skipped_len))
            .map_err(|_| too_far("more than 4 GiB of counters"))?;
        let n_counters = n_counters.saturating_sub(skipped);

        let mut bitmap = (0, 0);
        if let Some((pointer, len)) = layout.bitmap {
            let n_bytes = field(len).u32("bitmap")?;
            if n_bytes != 0 {
                let offset = distance("bitmap", pointer, header.bitmap_delta)?;
                let available = wide(areas.bitmaps.len()).saturating_sub(offset);
                if u64::from(n_bytes) > available {
                    return Err(malformed("bitmap is outside its area"));
                }
                n_claimed_bitmap_bytes = n_claimed_bitmap_bytes.saturating_add(u64::from(n_bytes));
                if n_claimed_bitmap_bytes > header.bitmap_len {
                    return Err(malformed("functions share bitmaps"));
                }
                let offset = u32::try_from(offset).map_err(|_| too_far("more than 4 GiB of bitmaps"))?;
                bitmap = (offset, n_bytes);
            }
        }
        let (bitmap_offset, n_bitmap_bytes) = bitmap;
        records.push(ProfileRecord {
            name_ref,
            func_hash,
            offset,
            n_counters,
            bitmap_offset,
            n_bitmap_bytes,
        });
        position = position.saturating_add(wide(layout.len));
    }
    Ok((records, n_value_blocks))
}

fn skip_value_data(cursor: &mut Cursor<'_>) -> Result<()> {
    let start = cursor.offset();
    let total = cursor.u32("value data")?;
    match u64::from(total).checked_sub(4) {
        Some(rest) if total >= 8 && total % 8 == 0 => cursor.take("value data", rest).map(|_| ()),
        _ => Err(Error::malformed("size of value data is not a positive multiple of 8", start)),
    }
}

impl CounterWidth {
    /// Bytes of one counter.
    fn len(self) -> u64 {
        match self {
            CounterWidth::EightBytes => 8,
            CounterWidth::OneByte => 1,
        }
    }

    /// How many counters the time stamp of a temporal profile takes.
    fn time_stamp_counters(self) -> u32 {
        match self {
            CounterWidth::EightBytes => 1,
            CounterWidth::OneByte => 8,
        }
    }
}

impl RawProfile<'_> {
    /// The execution counts of a record of this profile, one for each of its counters.
    pub fn counts(&self, record: &ProfileRecord) -> impl ExactSizeIterator<Item = u64> {
        let one_byte = self.width == CounterWidth::OneByte;
        let little = self.endian == Endian::Little;
        let step = if one_byte { 1 } else { 8 };
        self.counter_bytes(record).chunks_exact(step).map(move |chunk| match chunk.first_chunk::<8>() {
            Some(bytes) if little => u64::from_le_bytes(*bytes),
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => u64::from(chunk.first() == Some(&0)),
        })
    }

    fn counter_bytes(&self, record: &ProfileRecord) -> &[u8] {
        let range = usize::try_from(record.offset).ok().and_then(|start| {
            let len = u64::from(record.n_counters).checked_mul(self.width.len())?;
            Some(start..start.checked_add(usize::try_from(len).ok()?)?)
        });
        range.and_then(|range| self.counters.get(range)).unwrap_or_default()
    }

    /// The bitmap of a record of this profile: a bit for each way through one of its decisions, set if a process went that way.
    pub fn bitmap(&self, record: &ProfileRecord) -> &[u8] {
        let range = usize::try_from(record.bitmap_offset).ok().and_then(|start| {
            let len = usize::try_from(record.n_bitmap_bytes).ok()?;
            Some(start..start.checked_add(len)?)
        });
        range.and_then(|range| self.bitmaps.get(range)).unwrap_or_default()
    }

    /// Refuses counts that no process can have reached: the file was damaged.
    fn check_counts(&self) -> Result<()> {
        if self.width == CounterWidth::OneByte {
            return Ok(());
        }
        let little = self.endian == Endian::Little;
        let excessive =
            self.counters.chunks_exact(8).filter_map(|chunk| chunk.first_chunk::<8>()).any(|bytes| {
                let count = if little { u64::from_le_bytes(*bytes) } else { u64::from_be_bytes(*bytes) };
                count > MAX_COUNT
            });
        if excessive { Err(Error::malformed("count is excessively large", 0)) } else { Ok(()) }
    }
}

/// A number for the sequence of functions in a profile; an object's data section with the same functions has it too.
pub fn fingerprint(records: &[ProfileRecord]) -> u64 {
    let mut fingerprint = Fingerprint::default();
    for record in records {
        fingerprint.add(record.name_ref, record.func_hash);
    }
    fingerprint.0
}

/// The fingerprints that the profiles of an object can have, given its `__llvm_prf_data` section: one for each size
/// that a data record has in a version that is read here. The section itself does not tell the version.
pub fn data_fingerprints(section: &[u8], endian: Endian, pointer_len: u64) -> Vec<u64> {
    let mut lens: Vec<usize> = (OLDEST_VERSION..=NEWEST_VERSION)
        .map(|version| RecordLayout::new(version, pointer_len).len)
        .collect();
    lens.dedup();
    let of_len = |len: usize| {
        let mut fingerprint = Fingerprint::default();
        // The last record of a 32-bit object may lack the padding between records.
        let padding_len = 7;
        for record in section.chunks(len).filter(|record| record.len().saturating_add(padding_len) >= len) {
            let mut cursor = Cursor::new(record, endian);
            let (name_ref, func_hash) = (cursor.u64("name").ok()?, cursor.u64("hash").ok()?);
            // A PE image has an empty record before and behind its own.
            if name_ref != 0 {
                fingerprint.add(name_ref, func_hash);
            }
        }
        Some(fingerprint.0)
    };
    lens.into_iter().filter_map(of_len).collect()
}

#[derive(Default)]
struct Fingerprint(u64);

impl Fingerprint {
    fn add(&mut self, name_ref: u64, func_hash: u64) {
        for value in [name_ref, func_hash] {
            // FNV-1a's prime, a word at a time: the values are digests already, only their order has to count.
            self.0 = (self.0 ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        }
    }
}

#[cfg(test)]
mod tests;
