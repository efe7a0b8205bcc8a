//! COFF: section headers of relocatable files (`.obj`, also "big" ones) and of PE images (`.exe`, `.dll`).
//!
//! | part | `.obj` | big `.obj` | PE image | what is used |
//! |---|---|---|---|---|
//! | magic | none | `00 00 ff ff`, class id | `MZ`, at `e_lfanew` `PE\0\0` | |
//! | header | 20 bytes | 56 bytes | 20 bytes | machine, number of sections, where the symbols are |
//! | optional header | none | none | any size | 32 or 64 bit, where the debug directory is |
//! | section header | 40 bytes | 40 bytes | 40 bytes | name, sizes, address, offset |
//!
//! Everything is little-endian. A name has eight bytes; `/1234` is the string at byte 1234 of the string table, which
//! lies behind the symbols, and `//` with six base-64 digits is the same for larger tables.
//!
//! Sections whose names differ only behind a `$` are parts of one: the linker sorts the parts by name and drops the
//! `$` and the rest. The profile runtime has the parts `$A` and `$Z`, the compiler writes `$M`: so the names section
//! of an image starts with a zero byte that is no name.
//!
//! Worked example: `.lcovmap$M` has ten bytes, so an `.obj` has `/4` in its header and the name at byte 4 of the
//! string table; the image has `.lcovmap`, all eight bytes of the field.

use std::borrow::Cow;

use super::decimal;
use super::input::{ReadError, Window};
use super::{Object, PointerWidth, Section, SectionKind, not_an_object};
use crate::format::cursor::{Cursor, Endian};
use crate::format::error::Error;

const SECTION_HEADER_SIZE: u64 = 40;
const SYMBOL_SIZE: u64 = 18;
const BIG_SYMBOL_SIZE: u64 = 20;
const BIG_CLASS_ID: &[u8] = b"\xc7\xa1\xba\xd1\xee\xba\xa9\x4b\xaf\x20\xfa\xf6\x6a\xa4\xdc\xb8";
const DEBUG_ENTRY_SIZE: u64 = 28;
/// Images have two to four debug directory entries.
const MOST_DEBUG_ENTRIES: u64 = 32;
const DEBUG_TYPE_CODEVIEW: u32 = 2;

/// The width of a pointer on a machine that COFF files are made for. An `.obj` has no other magic than its machine.
pub(super) fn machine_width(machine: u16) -> Option<PointerWidth> {
    match machine {
        // x86, ARM with Thumb-2.
        0x014c | 0x01c4 => Some(PointerWidth::Bits32),
        // x86-64, ARM64, ARM64EC, ARM64X.
        0x8664 | 0xaa64 | 0xa641 | 0xa64e => Some(PointerWidth::Bits64),
        _ => None,
    }
}

/// The coverage sections of the `.obj` file in `window`, whose first bytes are `head`.
pub(super) fn parse_object(window: Window<'_>, head: &[u8]) -> Result<Object, ReadError> {
    let header = file_header(head).map_err(|error| window.locate(error))?;
    let Some(width) = machine_width(header.machine) else {
        return Err(window.locate(not_an_object()).into());
    };
    let start = FILE_HEADER_SIZE.saturating_add(header.optional_size);
    let sections = section_headers(window, start, header.sections)?;
    let strings = StringTable::at(header.symbols, header.symbol_count, SYMBOL_SIZE);
    coverage_sections(window, width, &sections, strings, SizeRule::Raw)
}

/// The coverage sections of the big `.obj` file in `window`, whose first bytes are `head`.
///
/// An import library's members start with the same four bytes and are not recognized.
pub(super) fn parse_big_object(window: Window<'_>, head: &[u8]) -> Result<Object, ReadError> {
    let header = big_header(head).map_err(|error| window.locate(error))?;
    let width = header.as_ref().and_then(|header| machine_width(header.machine));
    let (Some(header), Some(width)) = (header, width) else {
        return Err(window.locate(not_an_object()).into());
    };
    let sections = section_headers(window, BIG_HEADER_SIZE, header.sections)?;
    let strings = StringTable::at(header.symbols, header.symbol_count, BIG_SYMBOL_SIZE);
    coverage_sections(window, width, &sections, strings, SizeRule::Raw)
}

/// The coverage sections of the image in `window`, whose first bytes are `head`.
pub(super) fn parse_image(window: Window<'_>, head: &[u8]) -> Result<Object, ReadError> {
    let Some(pe_offset) =
        head.get(0x3c..).and_then(|rest| rest.first_chunk()).copied().map(u32::from_le_bytes)
    else {
        return Err(window.locate(not_an_object()).into());
    };
    let pe_offset = u64::from(pe_offset);
    let head = window.read("PE header", pe_offset, FILE_HEADER_SIZE.saturating_add(4))?;
    let Some(head) = head.strip_prefix(b"PE\0\0") else {
        return Err(window.locate(not_an_object()).into());
    };
    let header = file_header(head).map_err(|error| window.locate(error.offset_by(pe_offset)))?;
    let optional_offset = pe_offset.saturating_add(FILE_HEADER_SIZE.saturating_add(4));
    let optional = window.read("PE optional header", optional_offset, header.optional_size)?;
    let optional =
        optional_header(&optional).map_err(|error| window.locate(error.offset_by(optional_offset)))?;

    let start = optional_offset.saturating_add(header.optional_size);
    let sections = section_headers(window, start, header.sections)?;
    let strings = StringTable::at(header.symbols, header.symbol_count, SYMBOL_SIZE);
    let mut object = coverage_sections(window, optional.width, &sections, strings, SizeRule::Image)?;
    for section in &mut object.sections {
        if section.kind == SectionKind::Names {
            section.offset = section.offset.saturating_add(1);
            section.size = section.size.saturating_sub(1);
        }
    }
    if !object.sections.is_empty() {
        object.build_id = match build_id(window, &optional, &sections) {
            // The id only helps to match profiles: a broken debug directory is no error.
            Err(ReadError::Format(_)) => None,
            id => id?,
        };
    }
    Ok(object)
}

const FILE_HEADER_SIZE: u64 = 20;
const BIG_HEADER_SIZE: u64 = 56;

struct Header {
    machine: u16,
    sections: u32,
    /// Offset of the symbols, zero if there are none.
    symbols: u32,
    symbol_count: u32,
    optional_size: u64,
}

fn file_header(head: &[u8]) -> Result<Header, Error> {
    let mut cursor = Cursor::new(head, Endian::Little);
    let machine = cursor.u16("COFF header")?;
    let sections = u32::from(cursor.u16("COFF header")?);
    let _time = cursor.u32("COFF header")?;
    let symbols = cursor.u32("COFF header")?;
    let symbol_count = cursor.u32("COFF header")?;
    let optional_size = u64::from(cursor.u16("COFF header")?);
    let _characteristics = cursor.u16("COFF header")?;
    Ok(Header { machine, sections, symbols, symbol_count, optional_size })
}

/// `None` for a member of an import library, and for what else may start so.
fn big_header(head: &[u8]) -> Result<Option<Header>, Error> {
    let mut cursor = Cursor::new(head, Endian::Little);
    cursor.take("COFF header", 4)?;
    let version = cursor.u16("COFF header")?;
    let machine = cursor.u16("COFF header")?;
    if version < 2 {
        return Ok(None);
    }
    let _time = cursor.u32("COFF header")?;
    if cursor.take("COFF header", 16)? != BIG_CLASS_ID {
        return Ok(None);
    }
    // Four unused numbers.
    cursor.take("COFF header", 16)?;
    let sections = cursor.u32("COFF header")?;
    let symbols = cursor.u32("COFF header")?;
    let symbol_count = cursor.u32("COFF header")?;
    Ok(Some(Header { machine, sections, symbols, symbol_count, optional_size: 0 }))
}

/// What the optional header says, which no image is without.
struct OptionalHeader {
    width: PointerWidth,
    /// Address and size, both relative to the image's base.
    debug_directory: Option<(u32, u32)>,
}

fn optional_header(bytes: &[u8]) -> Result<OptionalHeader, Error> {
    let mut cursor = Cursor::new(bytes, Endian::Little);
    let (width, skipped) = match cursor.u16("PE optional header")? {
        0x10b => (PointerWidth::Bits32, 90),
        0x20b => (PointerWidth::Bits64, 106),
        _ => return Err(Error::malformed("magic of the PE optional header", 0)),
    };
    cursor.take("PE optional header", skipped)?;
    let directories = cursor.u32("PE optional header")?;
    let debug_directory = if directories > 6 {
        cursor.take("PE data directories", 48)?;
        Some((cursor.u32("PE data directories")?, cursor.u32("PE data directories")?))
    } else {
        None
    };
    Ok(OptionalHeader { width, debug_directory })
}

struct SectionHeader {
    name: [u8; 8],
    address: u32,
    virtual_size: u32,
    raw_size: u32,
    /// Where the raw data is, zero if there is none.
    raw_offset: u32,
}

fn section_headers(window: Window<'_>, offset: u64, count: u32) -> Result<Vec<SectionHeader>, ReadError> {
    let size = u64::from(count).saturating_mul(SECTION_HEADER_SIZE);
    let bytes = window.read("COFF section headers", offset, size)?;
    let mut cursor = Cursor::new(&bytes, Endian::Little);
    let mut headers = Vec::new();
    while !cursor.is_empty() {
        let name = cursor.take("COFF section name", 8)?.first_chunk().copied().unwrap_or_default();
        let virtual_size = cursor.u32("COFF section header")?;
        let address = cursor.u32("COFF section header")?;
        let raw_size = cursor.u32("COFF section header")?;
        let raw_offset = cursor.u32("COFF section header")?;
        // Relocations, line numbers, characteristics.
        cursor.take("COFF section header", 16)?;
        headers.push(SectionHeader { name, address, virtual_size, raw_size, raw_offset });
    }
    Ok(headers)
}

/// How many bytes of a section are its contents.
#[derive(Clone, Copy)]
enum SizeRule {
    /// Its raw data.
    Raw,
    /// Its raw data without what fills it up to the file alignment.
    Image,
}

impl SectionHeader {
    fn size(&self, rule: SizeRule) -> u64 {
        match rule {
            _ if self.raw_offset == 0 => 0,
            SizeRule::Raw => u64::from(self.raw_size),
            SizeRule::Image => u64::from(self.raw_size.min(self.virtual_size)),
        }
    }
}

fn coverage_sections(
    window: Window<'_>,
    width: PointerWidth,
    headers: &[SectionHeader],
    strings: StringTable,
    rule: SizeRule,
) -> Result<Object, ReadError> {
    let mut object = Object::new(Endian::Little, width);
    let has_long_names = headers.iter().any(|header| long_name_offset(&header.name).is_some());
    let strings = if has_long_names { strings.read(window)? } else { None };
    for header in headers {
        let name = match (long_name_offset(&header.name), &strings) {
            (Some(offset), Some(strings)) => {
                let start = usize::try_from(offset).ok();
                match start.and_then(|start| strings.get(start..)) {
                    Some(name) => name,
                    None => return Err(window.malformed("name of a COFF section", 0)),
                }
            }
            _ => &header.name,
        };
        if let Some(kind) = SectionKind::of_coff_name(name) {
            let size = header.size(rule);
            // The runtime's two marker bytes and nothing between them.
            let size = if kind == SectionKind::Names && size == 2 { 0 } else { size };
            object.sections.push(Section { kind, offset: u64::from(header.raw_offset), size });
        }
    }
    Ok(object)
}

/// The offset that a section name of the form `/1234` or `//BASE64` stands for.
fn long_name_offset(name: &[u8; 8]) -> Option<u64> {
    let digits = name.strip_prefix(b"/")?;
    if let Some(digits) = digits.strip_prefix(b"/") {
        return digits.iter().try_fold(0_u64, |value, &digit| {
            let digit = match digit {
                b'A'..=b'Z' => digit.checked_sub(b'A'),
                b'a'..=b'z' => digit.checked_sub(b'a').and_then(|digit| digit.checked_add(26)),
                b'0'..=b'9' => digit.checked_sub(b'0').and_then(|digit| digit.checked_add(52)),
                b'+' => Some(62),
                b'/' => Some(63),
                _ => None,
            };
            value.checked_mul(64)?.checked_add(u64::from(digit?))
        });
    }
    decimal(digits.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// Where the strings lie: behind the symbols.
struct StringTable {
    /// `None` without symbols, which is also without strings.
    offset: Option<u64>,
}

impl StringTable {
    fn at(symbols: u32, symbol_count: u32, symbol_size: u64) -> StringTable {
        let size = u64::from(symbol_count).saturating_mul(symbol_size);
        let offset = u64::from(symbols).saturating_add(size);
        StringTable { offset: (symbols != 0).then_some(offset) }
    }

    /// The table with the four bytes at its start that hold its size, so that offsets are as in section names.
    fn read<'a>(&self, window: Window<'a>) -> Result<Option<Cow<'a, [u8]>>, ReadError> {
        let Some(offset) = self.offset else { return Ok(None) };
        let size = window.read("COFF string table", offset, 4)?;
        let size = Cursor::new(&size, Endian::Little).u32("COFF string table")?;
        Ok(Some(window.read("COFF string table", offset, u64::from(size))?))
    }
}

/// The GUID of the first CodeView entry of the debug directory: what the profile runtime writes as the binary id.
///
/// The runtime finds it through the linker's symbol `__buildid`, 16 bytes; the age behind it is not part of it.
fn build_id(
    window: Window<'_>,
    optional: &OptionalHeader,
    sections: &[SectionHeader],
) -> Result<Option<Vec<u8>>, ReadError> {
    let Some((address, size)) = optional.debug_directory else { return Ok(None) };
    let Some(offset) = sections.iter().find_map(|section| {
        let inside = address.checked_sub(section.address)?;
        (inside < section.raw_size).then(|| section.raw_offset.checked_add(inside))?
    }) else {
        return Ok(None);
    };
    let size = u64::from(size).min(DEBUG_ENTRY_SIZE.saturating_mul(MOST_DEBUG_ENTRIES));
    let directory = window.read("PE debug directory", u64::from(offset), size)?;
    let mut cursor = Cursor::new(&directory, Endian::Little);
    while !cursor.is_empty() {
        // Characteristics, time, version.
        cursor.take("PE debug directory", 12)?;
        let kind = cursor.u32("PE debug directory")?;
        let _size = cursor.u32("PE debug directory")?;
        let _address = cursor.u32("PE debug directory")?;
        let offset = cursor.u32("PE debug directory")?;
        if kind == DEBUG_TYPE_CODEVIEW {
            let record = window.read("CodeView record", u64::from(offset), 20)?;
            return Ok(record.strip_prefix(b"RSDS").map(<[u8]>::to_vec));
        }
    }
    Ok(None)
}
