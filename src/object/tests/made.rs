//! Writers of object files for the tests: shapes, sizes and contradictions that no compiler here produces.

use super::PointerWidth;
use crate::format::cursor::Endian;

/// Byte order and width of what is written.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) endian: Endian,
    pub(super) width: PointerWidth,
}

impl Shape {
    fn number(self, bytes: &mut Vec<u8>, value: usize, len: usize) {
        match self.endian {
            Endian::Little => bytes.extend_from_slice(&value.to_le_bytes()[..len]),
            Endian::Big => bytes.extend_from_slice(&value.to_be_bytes()[8 - len..]),
        }
    }

    fn numbers(self, bytes: &mut Vec<u8>, values: &[usize], len: usize) {
        values.iter().for_each(|&value| self.number(bytes, value, len));
    }

    fn word_len(self) -> usize {
        match self.width {
            PointerWidth::Bits32 => 4,
            PointerWidth::Bits64 => 8,
        }
    }
}

pub(super) const PROGBITS: usize = 1;
pub(super) const NOTE: usize = 7;
pub(super) const NOBITS: usize = 8;

#[derive(Clone, Copy)]
pub(super) struct ElfSection<'a> {
    pub(super) name: &'a str,
    pub(super) kind: usize,
    pub(super) contents: &'a [u8],
    /// Lie where the section before lies.
    pub(super) same_bytes: bool,
}

impl<'a> ElfSection<'a> {
    pub(super) fn new(name: &'a str, contents: &'a [u8]) -> ElfSection<'a> {
        ElfSection { name, kind: PROGBITS, contents, same_bytes: false }
    }
}

/// An ELF file: header, section contents at multiples of eight, section headers, names of sections.
pub(super) fn elf(shape: Shape, sections: &[ElfSection<'_>]) -> Vec<u8> {
    let (header_size, entry_size) = if shape.width == PointerWidth::Bits64 { (64, 64) } else { (52, 40) };
    let mut contents = vec![0; header_size];
    let mut names = vec![0];
    // name, type, offset, size, link
    let mut headers = vec![[0; 5]];
    for section in sections {
        contents.resize(contents.len().next_multiple_of(8), 0);
        let offset = match headers.last() {
            Some(&[_, _, offset, _, _]) if section.same_bytes => offset,
            _ => contents.len(),
        };
        headers.push([names.len(), section.kind, offset, section.contents.len(), 0]);
        names.extend_from_slice(section.name.as_bytes());
        names.push(0);
        if !section.same_bytes && section.kind != NOBITS {
            contents.extend_from_slice(section.contents);
        }
    }
    contents.resize(contents.len().next_multiple_of(8), 0);
    let table_offset = contents.len();
    let names_index = headers.len();
    let count = names_index + 1;
    headers.push([0, 3, table_offset + count * entry_size, names.len(), 0]);
    let (short_count, short_index) = if count < 0xff00 { (count, names_index) } else { (0, 0xffff) };
    if count >= 0xff00 {
        headers[0] = [0, 0, 0, count, names_index];
    }

    let mut bytes = vec![0x7f, b'E', b'L', b'F'];
    bytes.push(if shape.width == PointerWidth::Bits64 { 2 } else { 1 });
    bytes.push(if shape.endian == Endian::Big { 2 } else { 1 });
    bytes.resize(16, 0);
    shape.numbers(&mut bytes, &[1, 62], 2);
    shape.number(&mut bytes, 1, 4);
    shape.numbers(&mut bytes, &[0, 0, table_offset], shape.word_len());
    shape.number(&mut bytes, 0, 4);
    shape.numbers(&mut bytes, &[header_size, 0, 0, entry_size, short_count, short_index], 2);
    bytes.extend_from_slice(&contents[header_size..]);
    for [name, kind, offset, size, link] in headers {
        shape.numbers(&mut bytes, &[name, kind], 4);
        shape.numbers(&mut bytes, &[0, 0, offset, size], shape.word_len());
        shape.numbers(&mut bytes, &[link, 0], 4);
        shape.numbers(&mut bytes, &[8, 0], shape.word_len());
    }
    bytes.extend_from_slice(&names);
    bytes
}

/// A Mach-O file: a UUID, and one segment with `sections`.
pub(super) fn macho(shape: Shape, sections: &[(&str, &[u8])]) -> Vec<u8> {
    let is_64 = shape.width == PointerWidth::Bits64;
    let (header_size, segment_size, section_size) = if is_64 { (32, 72, 80) } else { (28, 56, 68) };
    let commands_size = 24 + segment_size + sections.len() * section_size;
    let mut bytes = Vec::new();
    shape.number(&mut bytes, if is_64 { 0xfeed_facf } else { 0xfeed_face }, 4);
    shape.numbers(&mut bytes, &[7, 3, 1, 2, commands_size, 0], 4);
    bytes.resize(header_size, 0);
    shape.numbers(&mut bytes, &[0x1b, 24], 4);
    bytes.extend_from_slice(b"sixteen bytes id");
    shape.numbers(
        &mut bytes,
        &[if is_64 { 0x19 } else { 1 }, segment_size + sections.len() * section_size],
        4,
    );
    bytes.extend_from_slice(&[0; 16]);
    shape.numbers(&mut bytes, &[0; 4], shape.word_len());
    shape.numbers(&mut bytes, &[7, 7, sections.len(), 0], 4);
    let mut offset = header_size + commands_size;
    for (name, contents) in sections {
        let mut field = name.as_bytes().to_vec();
        field.resize(16, 0);
        field.extend_from_slice(b"__SEGMENT\0\0\0\0\0\0\0");
        bytes.extend_from_slice(&field);
        shape.numbers(&mut bytes, &[0, contents.len()], shape.word_len());
        shape.numbers(&mut bytes, &[offset, 0, 0, 0, 0, 0, 0], 4);
        if is_64 {
            shape.number(&mut bytes, 0, 4);
        }
        offset += contents.len();
    }
    for (_, contents) in sections {
        bytes.extend_from_slice(contents);
    }
    bytes
}

/// A big `.obj` file for x86-64, with one symbol, and every section name longer than eight bytes in its string table.
pub(super) fn big_coff(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let shape = Shape { endian: Endian::Little, width: PointerWidth::Bits64 };
    let mut offset = 56 + sections.len() * 40;
    let mut strings = vec![0; 4];
    let mut headers = Vec::new();
    for (index, (name, contents)) in sections.iter().enumerate() {
        let mut field = name.as_bytes().to_vec();
        if field.len() > 8 {
            // Every second one in base 64, as in tables that seven decimal digits cannot address.
            let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            field = if index % 2 == 0 {
                format!("/{}", strings.len()).into_bytes()
            } else {
                [b"//AAAA", &[digits[strings.len() / 64], digits[strings.len() % 64]][..]].concat()
            };
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
        }
        field.resize(8, 0);
        headers.extend_from_slice(&field);
        shape.numbers(&mut headers, &[0, 0, contents.len(), offset, 0, 0, 0, 0], 4);
        offset += contents.len();
    }
    let strings_len = strings.len();
    strings[..4].copy_from_slice(&strings_len.to_le_bytes()[..4]);

    let mut bytes = vec![0, 0, 0xff, 0xff, 2, 0, 0x64, 0x86, 0, 0, 0, 0];
    bytes.extend_from_slice(b"\xc7\xa1\xba\xd1\xee\xba\xa9\x4b\xaf\x20\xfa\xf6\x6a\xa4\xdc\xb8");
    shape.numbers(&mut bytes, &[0, 0, 0, 0, sections.len(), offset, 1], 4);
    bytes.extend_from_slice(&headers);
    for (_, contents) in sections {
        bytes.extend_from_slice(contents);
    }
    bytes.extend_from_slice(&[0xee; 20]);
    bytes.extend_from_slice(&strings);
    bytes
}

/// An archive whose members have exactly these names in their headers.
pub(super) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, contents) in members {
        let header = format!("{name:16}{:12}{:6}{:6}{:8}{:<10}`\n", 0, 0, 0, 644, contents.len());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(contents);
        if contents.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}
