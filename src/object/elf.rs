//! ELF: section headers of executables, shared objects and relocatable files. Nothing of program headers or symbols.
//!
//! | part | 32-bit | 64-bit | what is used |
//! |---|---|---|---|
//! | file header | 52 bytes | 64 bytes | class, byte order, where the section headers are and how many |
//! | section header | 40 bytes | 64 bytes | name, type, flags, offset, size, link, alignment |
//! | name table | | | the strings of the section `e_shstrndx`, each ended by a zero byte |
//!
//! With 65280 sections or more (relocatable files have one or more for each function) the two 16-bit fields of the
//! file header overflow: `e_shnum` is 0 and the number is `sh_size` of section 0; `e_shstrndx` is 0xffff and the index
//! is `sh_link` of section 0.
//!
//! Worked example: a section header that starts `11 00 00 00  01 00 00 00` in a little-endian file has its name at
//! byte 17 of the name table and the type 1, PROGBITS.

use std::borrow::Cow;

use super::input::{ReadError, Window};
use super::{Object, PointerWidth, Section, SectionKind};
use crate::format::cursor::{Cursor, Endian, wide};
use crate::format::error::{Error, ErrorKind};

const SHT_NOTE: u32 = 7;
const SHT_NOBITS: u32 = 8;
const SHF_COMPRESSED: u64 = 0x800;
const SHN_XINDEX: u16 = 0xffff;
const NT_GNU_BUILD_ID: u32 = 3;

/// The coverage sections of the ELF file in `window`, whose first bytes are `head`.
pub(super) fn parse(window: Window<'_>, head: &[u8]) -> Result<Object, ReadError> {
    let Header { layout, table_offset, entry_size, mut count, mut names_index } =
        file_header(head).map_err(|error| window.locate(error))?;
    let mut object = Object::new(layout.endian, layout.width);
    if table_offset == 0 {
        return Ok(object);
    }
    if entry_size != layout.section_header_size() {
        return Err(window.malformed("size of an ELF section header", 0));
    }
    if count == 0 || names_index == u32::from(SHN_XINDEX) {
        let bytes = window.read("ELF section headers", table_offset, entry_size)?;
        let first =
            section_header(&bytes, layout).map_err(|error| window.locate(error.offset_by(table_offset)))?;
        if count == 0 {
            count = first.size;
        }
        if names_index == u32::from(SHN_XINDEX) {
            names_index = first.link;
        }
    }
    let Some(table_size) = count.checked_mul(entry_size) else {
        return Err(window.malformed("number of ELF sections", table_offset));
    };
    let table = window.read("ELF section headers", table_offset, table_size)?;
    let step = usize::try_from(entry_size).unwrap_or(usize::MAX);
    let header_at = |index: u32| {
        let start = usize::try_from(index).ok()?.checked_mul(step)?;
        table.get(start..)?.get(..step)
    };
    let names = if names_index == 0 {
        // A file without section names.
        Cow::Borrowed(&[][..])
    } else {
        let Some(header) = header_at(names_index) else {
            return Err(window.malformed("index of the ELF section name table", table_offset));
        };
        let header = section_header(header, layout)?;
        window.read("ELF section names", header.offset, header.size)?
    };

    let mut notes = Vec::new();
    for (index, bytes) in table.chunks_exact(step).enumerate() {
        let header = section_header(bytes, layout)?;
        if header.kind == SHT_NOTE {
            notes.push(header);
            continue;
        }
        let offset = || wide(index).saturating_mul(entry_size).saturating_add(table_offset);
        let Some(name) = usize::try_from(header.name).ok().and_then(|start| names.get(start..)) else {
            return Err(window.malformed("name of an ELF section", offset()));
        };
        let Some(kind) = SectionKind::of_elf_name(name) else { continue };
        if header.flags & SHF_COMPRESSED != 0 {
            let kind = ErrorKind::Unsupported { what: "compressed ELF section with coverage data" };
            return Err(window.locate(Error::new(kind, offset())).into());
        }
        let size = if header.kind == SHT_NOBITS { 0 } else { header.size };
        object.sections.push(Section { kind, offset: header.offset, size });
    }
    if !object.sections.is_empty() {
        object.build_id = build_id(window, layout.endian, &notes)?;
    }
    Ok(object)
}

/// How the fields of a file are laid out.
#[derive(Clone, Copy)]
struct Layout {
    endian: Endian,
    width: PointerWidth,
}

impl Layout {
    fn section_header_size(self) -> u64 {
        match self.width {
            PointerWidth::Bits32 => 40,
            PointerWidth::Bits64 => 64,
        }
    }

    /// An address, offset or size.
    fn word(self, cursor: &mut Cursor<'_>) -> Result<u64, Error> {
        match self.width {
            PointerWidth::Bits32 => cursor.u32("ELF header").map(u64::from),
            PointerWidth::Bits64 => cursor.u64("ELF header"),
        }
    }
}

/// What the file header says of the section headers.
struct Header {
    layout: Layout,
    table_offset: u64,
    entry_size: u64,
    count: u64,
    names_index: u32,
}

fn file_header(head: &[u8]) -> Result<Header, Error> {
    let mut ident = Cursor::new(head, Endian::Little);
    ident.take("ELF magic", 4)?;
    let width = match ident.u8("ELF class")? {
        1 => PointerWidth::Bits32,
        2 => PointerWidth::Bits64,
        _ => return Err(Error::malformed("ELF class", 4)),
    };
    let endian = match ident.u8("ELF byte order")? {
        1 => Endian::Little,
        2 => Endian::Big,
        _ => return Err(Error::malformed("ELF byte order", 5)),
    };
    let layout = Layout { endian, width };
    let mut cursor = Cursor::new(head, endian);
    // Identification, type, machine, version.
    cursor.take("ELF header", 24)?;
    let _entry = layout.word(&mut cursor)?;
    let _program_headers = layout.word(&mut cursor)?;
    let table_offset = layout.word(&mut cursor)?;
    // Flags, size of this header, size and number of program headers.
    cursor.take("ELF header", 10)?;
    let entry_size = u64::from(cursor.u16("ELF header")?);
    let count = u64::from(cursor.u16("ELF header")?);
    let names_index = u32::from(cursor.u16("ELF header")?);
    Ok(Header { layout, table_offset, entry_size, count, names_index })
}

struct SectionHeader {
    name: u32,
    kind: u32,
    flags: u64,
    offset: u64,
    size: u64,
    link: u32,
    align: u64,
}

fn section_header(bytes: &[u8], layout: Layout) -> Result<SectionHeader, Error> {
    let mut cursor = Cursor::new(bytes, layout.endian);
    let name = cursor.u32("ELF section header")?;
    let kind = cursor.u32("ELF section header")?;
    let flags = layout.word(&mut cursor)?;
    let _address = layout.word(&mut cursor)?;
    let offset = layout.word(&mut cursor)?;
    let size = layout.word(&mut cursor)?;
    let link = cursor.u32("ELF section header")?;
    let _info = cursor.u32("ELF section header")?;
    let align = layout.word(&mut cursor)?;
    Ok(SectionHeader { name, kind, flags, offset, size, link, align })
}

/// The description of the first `NT_GNU_BUILD_ID` note. The id only helps to match profiles: a broken note is no error.
fn build_id(
    window: Window<'_>,
    endian: Endian,
    notes: &[SectionHeader],
) -> Result<Option<Vec<u8>>, ReadError> {
    // Sections that overlap could make this quadratic.
    let mut budget = window.size();
    for note in notes {
        let Some(rest) = budget.checked_sub(note.size) else { break };
        budget = rest;
        let bytes = match window.read("ELF note", note.offset, note.size) {
            Ok(bytes) => bytes,
            Err(ReadError::Format(_)) => continue,
            Err(error) => return Err(error),
        };
        let align = if note.align == 8 { 8 } else { 4 };
        if let Ok(Some(id)) = build_id_note(&bytes, endian, align) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Notes are `namesz`, `descsz`, `type`, then name and description, each padded to `align`.
fn build_id_note(bytes: &[u8], endian: Endian, align: u64) -> Result<Option<Vec<u8>>, Error> {
    let mut cursor = Cursor::new(bytes, endian);
    while !cursor.is_empty() {
        let name_size = cursor.u32("ELF note")?;
        let description_size = cursor.u32("ELF note")?;
        let kind = cursor.u32("ELF note")?;
        let name = cursor.take("ELF note name", u64::from(name_size))?;
        skip_padding(&mut cursor, align)?;
        let description = cursor.take("ELF note description", u64::from(description_size))?;
        if kind == NT_GNU_BUILD_ID && name == b"GNU\0" && !description.is_empty() {
            return Ok(Some(description.to_vec()));
        }
        skip_padding(&mut cursor, align)?;
    }
    Ok(None)
}

/// Moves to the next multiple of `align`.
fn skip_padding(cursor: &mut Cursor<'_>, align: u64) -> Result<(), Error> {
    let padding = cursor.offset().next_multiple_of(align).saturating_sub(cursor.offset());
    cursor.take("ELF note padding", padding)?;
    Ok(())
}
