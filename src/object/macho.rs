//! Mach-O: sections in the load commands of executables, libraries and relocatable files. Universal files are beside.
//!
//! | part | 32-bit | 64-bit | what is used |
//! |---|---|---|---|
//! | header | 28 bytes | 32 bytes | magic (byte order and width), number and size of the load commands |
//! | `LC_SEGMENT`, `LC_SEGMENT_64` | 56 bytes | 72 bytes | number of the sections behind it |
//! | section | 68 bytes | 80 bytes | name (16 bytes, filled with zeros), size, offset, type |
//! | `LC_UUID` | 24 bytes | 24 bytes | the build id |
//!
//! Worked example: `cf fa ed fe` is the magic 0xfeedfacf of a 64-bit file, little-endian.

use super::input::{ReadError, Window};
use super::{Object, PointerWidth, Section, SectionKind};
use crate::format::cursor::{Cursor, Endian};
use crate::format::error::Error;

const LC_SEGMENT: u32 = 0x1;
const LC_SEGMENT_64: u32 = 0x19;
const LC_UUID: u32 = 0x1b;

/// The coverage sections of the Mach-O file in `window`, whose first bytes are `head`.
pub(super) fn parse(window: Window<'_>, head: &[u8]) -> Result<Object, ReadError> {
    let header = file_header(head).map_err(|error| window.locate(error))?;
    let mut object = Object::new(header.endian, header.width);
    let commands = window.read("Mach-O load commands", header.size, header.commands_size)?;
    load_commands(&commands, &header, &mut object)
        .map_err(|error| window.locate(error.offset_by(header.size)))?;
    Ok(object)
}

struct Header {
    endian: Endian,
    width: PointerWidth,
    /// Bytes in this header.
    size: u64,
    commands: u32,
    commands_size: u64,
}

fn file_header(head: &[u8]) -> Result<Header, Error> {
    let (endian, width, size) = match head {
        [0xfe, 0xed, 0xfa, 0xce, ..] => (Endian::Big, PointerWidth::Bits32, 28),
        [0xfe, 0xed, 0xfa, 0xcf, ..] => (Endian::Big, PointerWidth::Bits64, 32),
        [0xce, ..] => (Endian::Little, PointerWidth::Bits32, 28),
        _ => (Endian::Little, PointerWidth::Bits64, 32),
    };
    let mut cursor = Cursor::new(head, endian);
    // Magic, CPU type and subtype, file type.
    cursor.take("Mach-O header", 16)?;
    let commands = cursor.u32("Mach-O header")?;
    let commands_size = u64::from(cursor.u32("Mach-O header")?);
    Ok(Header { endian, width, size, commands, commands_size })
}

fn load_commands(bytes: &[u8], header: &Header, object: &mut Object) -> Result<(), Error> {
    let mut cursor = Cursor::new(bytes, header.endian);
    for _ in 0..header.commands {
        let start = cursor.offset();
        let command = cursor.u32("Mach-O load command")?;
        let size = u64::from(cursor.u32("Mach-O load command")?);
        // The size includes the eight bytes just read.
        let Some(size) = size.checked_sub(8) else {
            return Err(Error::malformed("size of a Mach-O load command", start));
        };
        let body_start = cursor.offset();
        let body = cursor.take("Mach-O load command", size)?;
        match (command, header.width) {
            (LC_SEGMENT, PointerWidth::Bits32) | (LC_SEGMENT_64, PointerWidth::Bits64) => {
                segment(body, header, &mut object.sections).map_err(|error| error.offset_by(body_start))?;
            }
            (LC_UUID, _) => object.build_id = body.get(..16).map(<[u8]>::to_vec),
            _ => {}
        }
    }
    Ok(())
}

/// The sections behind a segment command, of which `body` lacks the first eight bytes.
fn segment(body: &[u8], header: &Header, sections: &mut Vec<Section>) -> Result<(), Error> {
    let mut cursor = Cursor::new(body, header.endian);
    // Segment name, four addresses and sizes, two protections.
    let skipped = match header.width {
        PointerWidth::Bits32 => 40,
        PointerWidth::Bits64 => 56,
    };
    cursor.take("Mach-O segment", skipped)?;
    let count = cursor.u32("Mach-O segment")?;
    let _flags = cursor.u32("Mach-O segment")?;
    for _ in 0..count {
        let name = cursor.take("Mach-O section", 16)?;
        let _segment_name = cursor.take("Mach-O section", 16)?;
        let size = match header.width {
            PointerWidth::Bits32 => {
                let _address = cursor.u32("Mach-O section")?;
                u64::from(cursor.u32("Mach-O section")?)
            }
            PointerWidth::Bits64 => {
                let _address = cursor.u64("Mach-O section")?;
                cursor.u64("Mach-O section")?
            }
        };
        let offset = u64::from(cursor.u32("Mach-O section")?);
        // Alignment, relocations.
        cursor.take("Mach-O section", 12)?;
        let flags = cursor.u32("Mach-O section")?;
        let reserved = match header.width {
            PointerWidth::Bits32 => 8,
            PointerWidth::Bits64 => 12,
        };
        cursor.take("Mach-O section", reserved)?;
        if let Some(kind) = SectionKind::of_macho_name(name) {
            let size = if has_contents(flags, offset) { size } else { 0 };
            sections.push(Section { kind, offset, size });
        }
    }
    Ok(())
}

/// Whether a section lies in the file. Zero-filled ones do not, nor do those whose offset is that of the header: a
/// dSYM companion keeps the section headers of its binary so.
fn has_contents(flags: u32, offset: u64) -> bool {
    const S_ZEROFILL: u32 = 0x1;
    const S_GB_ZEROFILL: u32 = 0xc;
    const S_THREAD_LOCAL_ZEROFILL: u32 = 0x12;
    let kind = flags & 0xff;
    offset != 0 && kind != S_ZEROFILL && kind != S_GB_ZEROFILL && kind != S_THREAD_LOCAL_ZEROFILL
}
