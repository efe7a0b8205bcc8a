//! The reverse of reading: an object file with nothing in it but coverage data. Pure: sections in, bytes out.
//!
//! Programs that are gone after they ran, as doctests are, live on as such a file of some kilobytes instead of megabytes. It is a
//! relocatable ELF file whatever the program was; our reader and LLVM's find sections by name. Layout: header, section
//! contents, section names, section headers. Field offsets are those of `Elf64_Ehdr` and `Elf64_Shdr`, or of the 32-bit ones.

use super::{CoverageSections, PointerWidth};
use crate::format::cursor::Endian;

/// Where sections start: what function records ask for.
const ALIGNMENT: usize = 8;

const SHT_PROGBITS: u32 = 1;
const SHT_STRTAB: u32 = 3;

/// The bytes of an ELF file with the sections of `sections`, read back as they are now.
///
/// The build id is left out: what is written is not that program any more, and profiles are matched by their content.
pub fn elf_object(sections: &CoverageSections<'_>) -> Vec<u8> {
    let contents: [(&str, &[u8]); 4] = [
        ("__llvm_covmap", &sections.covmap),
        ("__llvm_covfun", &sections.covfun),
        ("__llvm_prf_names", &sections.names),
        ("__llvm_prf_data", &sections.prf_data),
    ];
    let mut file = File { bytes: Vec::new(), endian: sections.endian, width: sections.pointer_width };
    let (header_size, section_header_size) = match sections.pointer_width {
        PointerWidth::Bits32 => (52, 40),
        PointerWidth::Bits64 => (64, 64),
    };
    file.bytes.resize(header_size, 0);

    // The first section is the null section, whose name is the empty one at offset zero.
    let mut names = vec![0];
    let mut headers = vec![SectionHeader::default()];
    for (name, content) in contents {
        let name_offset = names.len();
        names.extend(name.bytes().chain([0]));
        headers.push(file.add(name_offset, SHT_PROGBITS, content));
    }
    let name_offset = names.len();
    names.extend(b".shstrtab\0");
    headers.push(file.add(name_offset, SHT_STRTAB, &names));

    file.align();
    let headers_at = file.bytes.len();
    for header in &headers {
        file.section_header(header);
    }
    let mut header = File { bytes: Vec::new(), ..file };
    header.header(headers_at, headers.len(), header_size, section_header_size);
    file.bytes.splice(..header.bytes.len(), header.bytes);
    file.bytes
}

/// What a section header says, besides zeros.
#[derive(Default)]
struct SectionHeader {
    name: usize,
    kind: u32,
    offset: usize,
    size: usize,
}

/// A file being written.
struct File {
    bytes: Vec<u8>,
    endian: Endian,
    width: PointerWidth,
}

impl File {
    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }

    fn add(&mut self, name: usize, kind: u32, content: &[u8]) -> SectionHeader {
        self.align();
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(content);
        SectionHeader { name, kind, offset, size: content.len() }
    }

    fn header(&mut self, headers_at: usize, n_sections: usize, size: usize, section_header_size: usize) {
        let class = match self.width {
            PointerWidth::Bits32 => 1,
            PointerWidth::Bits64 => 2,
        };
        let order = match self.endian {
            Endian::Little => 1,
            Endian::Big => 2,
        };
        self.bytes.extend([0x7f, b'E', b'L', b'F', class, order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        // ET_REL, no machine in particular, version 1; no entry, no program headers.
        self.half(1);
        self.half(0);
        self.word(1);
        self.address(0);
        self.address(0);
        self.address(headers_at);
        self.word(0);
        for half in [size, 0, 0, section_header_size, n_sections, n_sections.saturating_sub(1)] {
            self.half(u16::try_from(half).unwrap_or(u16::MAX));
        }
    }

    fn section_header(&mut self, header: &SectionHeader) {
        self.word(u32::try_from(header.name).unwrap_or(u32::MAX));
        self.word(header.kind);
        // Neither flags nor an address.
        self.address(0);
        self.address(0);
        self.address(header.offset);
        self.address(header.size);
        self.word(0);
        self.word(0);
        self.address(if header.kind == 0 { 0 } else { ALIGNMENT });
        self.address(0);
    }

    fn half(&mut self, value: u16) {
        let bytes = match self.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        };
        self.bytes.extend(bytes);
    }

    fn word(&mut self, value: u32) {
        let bytes = match self.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        };
        self.bytes.extend(bytes);
    }

    /// A field that is as wide as a pointer. All are positions in a file in memory, so they fit.
    fn address(&mut self, value: usize) {
        let value = u64::try_from(value).unwrap_or(u64::MAX);
        match (self.width, self.endian) {
            (PointerWidth::Bits32, _) => self.word(u32::try_from(value).unwrap_or(u32::MAX)),
            (PointerWidth::Bits64, Endian::Little) => self.bytes.extend(value.to_le_bytes()),
            (PointerWidth::Bits64, Endian::Big) => self.bytes.extend(value.to_be_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::elf_object;
    use crate::format::cursor::Endian;
    use crate::object::{CoverageSections, PointerWidth, coverage_sections};
    use std::borrow::Cow;

    fn check(endian: Endian, pointer_width: PointerWidth) {
        let written = CoverageSections {
            member: None,
            endian,
            pointer_width,
            covmap: Cow::Borrowed(b"file tables"),
            covfun: Cow::Borrowed(b"function records"),
            names: Cow::Borrowed(b"names"),
            prf_data: Cow::Borrowed(b"data records!"),
            build_id: Some(vec![1]),
        };
        let bytes = elf_object(&written);
        let bytes = bytes.as_slice();
        let file = coverage_sections(&bytes, None).expect("is an object");
        let [read] = file.objects.as_slice() else { panic!("{endian:?} {pointer_width:?}: {file:?}") };
        assert_eq!((read.endian, read.pointer_width), (endian, pointer_width));
        assert_eq!(read.covmap, written.covmap);
        assert_eq!(read.names, written.names);
        // These two are joined from several sections as a rule, each starting at a multiple of eight.
        assert!(read.covfun.starts_with(&written.covfun) && read.prf_data.starts_with(&written.prf_data));
        assert_eq!(read.build_id, None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        check(Endian::Little, PointerWidth::Bits64);
        check(Endian::Big, PointerWidth::Bits64);
        check(Endian::Little, PointerWidth::Bits32);
        check(Endian::Big, PointerWidth::Bits32);
    }
}
