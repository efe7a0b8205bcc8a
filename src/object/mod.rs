//! Object files: where the coverage data is in ELF, Mach-O, COFF and PE, also inside archives and universal files.
//!
//! Finds and reads sections; what is in them is the business of other modules. Only headers and the sections asked for
//! are read, so that the size of a binary hardly matters.
//!
//! | content | ELF and Mach-O | COFF |
//! |---|---|---|
//! | file tables | `__llvm_covmap` | `.lcovmap` |
//! | function records | `__llvm_covfun` | `.lcovfun` |
//! | function names | `__llvm_prf_names`, else `__llvm_covnames` | `.lprfn`, else `.lcovn` |
//! | data records | `__llvm_prf_data` | `.lprfd` |
//!
//! Mach-O segments are not compared. In COFF a `$` and what follows is not part of the name. LLVM's reader has these
//! rules in `CoverageMappingReader.cpp`.
//!
//! As in the format layer, no bytes make this panic, run for ever or allocate without bound.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::as_conversions
    )
)]

mod archive;
mod coff;
mod elf;
mod input;
mod macho;
mod universal;
pub mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use self::input::{ReadAt, ReadError};
pub use self::universal::Architecture;

use self::input::Window;
use crate::format::cursor::Endian;
use crate::format::error::{Error, ErrorKind};

/// What one file holds for coverage.
#[derive(Debug, Default)]
pub struct ObjectFile<'a> {
    /// The objects with coverage data, in file order: at most one, save in an archive.
    ///
    /// Objects that were never instrumented, and archive members that are no objects, are in neither list.
    pub objects: Vec<CoverageSections<'a>>,
    /// The objects that have a part of the data only, and the archive members that could not be read.
    pub skipped: Vec<SkippedObject>,
}

/// The coverage data of one object.
#[derive(Clone, Debug)]
pub struct CoverageSections<'a> {
    /// The archive member or the architecture of the universal file, `inner.a(member.o)` where nested; not for
    /// anything but messages: bytes that are not UTF-8 are replaced, long names cut.
    pub member: Option<String>,
    /// The order of the bytes in every section.
    pub endian: Endian,
    /// The width of a pointer, on which the size of a data record depends.
    pub pointer_width: PointerWidth,
    /// File tables. Not empty.
    pub covmap: Cow<'a, [u8]>,
    /// Function records, the sections one behind the other, each starting at a multiple of eight.
    pub covfun: Cow<'a, [u8]>,
    /// Names of functions, without the marker byte that an image starts them with.
    pub names: Cow<'a, [u8]>,
    /// Data records as the profile runtime would see them, the sections joined like those of `covfun`. Addresses in
    /// relocatable files are not filled in; a PE image has a zero record before and behind.
    ///
    /// Empty where the linker merged them into another section, as it does in MSVC images.
    pub prf_data: Cow<'a, [u8]>,
    /// What a raw profile lists as binary id: the GNU build id of an ELF file, the UUID of a Mach-O file, the
    /// CodeView GUID of a PE image (16 bytes, without the age).
    pub build_id: Option<Vec<u8>>,
}

/// The width of an address in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerWidth {
    /// Four bytes.
    Bits32,
    /// Eight bytes.
    Bits64,
}

/// An object that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedObject {
    /// As [`CoverageSections::member`].
    pub member: Option<String>,
    /// Why it was passed over.
    pub reason: SkipReason,
}

/// Why an object was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It has names of instrumented functions but no coverage map.
    NoCoverageMap,
    /// It has a coverage map but not exactly one section of names.
    NoNames,
    /// An archive member that is an object but not a readable one.
    Unreadable(Error),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::NoCoverageMap => f.write_str(
                "names of functions but no coverage map; was it stripped by llvm-strip, or built for \
                 profile-guided optimization?",
            ),
            SkipReason::NoNames => {
                f.write_str("a coverage map but no names of functions, or several sections of them")
            }
            SkipReason::Unreadable(error) => error.fmt(f),
        }
    }
}

/// Finds and reads the coverage data of an object file, of the members of an archive, or of the slice of a universal
/// file that is for `architecture` (of its only slice otherwise).
///
/// No object in the result means that the file was read and has no coverage data.
///
/// # Errors
///
/// [`ReadError::Io`] when `input` fails. [`ReadError::Format`] when it is not an object file, when its structure is
/// broken, and for what cannot be read: compressed sections, thin archives, WebAssembly, archives nested more than
/// three deep, a universal file of several slices without the one asked for. One bad member of an archive is no
/// error but a [`SkippedObject`].
pub fn coverage_sections<'a>(
    input: &'a dyn ReadAt,
    architecture: Option<Architecture>,
) -> Result<ObjectFile<'a>, ReadError> {
    let mut file = ObjectFile::default();
    open(Window::whole(input), None, architecture, 0, &mut file)?;
    Ok(file)
}

/// Archives and universal files inside each other, at most.
const MOST_CONTAINERS: u32 = 3;

/// Longer than any fixed header at the start of a file.
const HEAD_SIZE: u64 = 64;

/// Adds what is in `window` to `file`.
fn open<'a>(
    window: Window<'a>,
    member: Option<&str>,
    architecture: Option<Architecture>,
    containers: u32,
    file: &mut ObjectFile<'a>,
) -> Result<(), ReadError> {
    let head = window.head(HEAD_SIZE)?;
    let unsupported = |what| Err(window.locate(Error::new(ErrorKind::Unsupported { what }, 0)).into());
    let object = match Magic::of(&head) {
        Some(Magic::Elf) => elf::parse(window, &head)?,
        Some(Magic::MachO) => macho::parse(window, &head)?,
        Some(Magic::Coff) => coff::parse_object(window, &head)?,
        Some(Magic::BigCoff) => coff::parse_big_object(window, &head)?,
        Some(Magic::Image) => coff::parse_image(window, &head)?,
        Some(Magic::Archive | Magic::Universal) if containers >= MOST_CONTAINERS => {
            return unsupported("archives nested more than three deep");
        }
        Some(Magic::Universal) => {
            let (name, slice) = universal::slice(window, &head, architecture)?;
            return open(
                slice,
                Some(&nested(member, &name)),
                architecture,
                containers.saturating_add(1),
                file,
            );
        }
        Some(Magic::Archive) => {
            for inner in archive::members(window)? {
                let name = nested(member, &inner.name);
                match open(inner.window, Some(&name), architecture, containers.saturating_add(1), file) {
                    Err(ReadError::Format(Error { kind: ErrorKind::NotRecognized { .. }, .. })) => {}
                    Err(ReadError::Format(error)) => {
                        let reason = SkipReason::Unreadable(error);
                        file.skipped.push(SkippedObject { member: Some(name), reason });
                    }
                    done => done?,
                }
            }
            return Ok(());
        }
        Some(Magic::ThinArchive) => return unsupported("thin archive, whose members are files of their own"),
        Some(Magic::Wasm) => return unsupported("WebAssembly module"),
        None => return Err(window.locate(not_an_object()).into()),
    };
    select(window, member.map(str::to_owned), object, file)
}

/// `outer(inner)`, as `ar` and `nm` write it.
fn nested(outer: Option<&str>, inner: &str) -> String {
    match outer {
        Some(outer) => format!("{outer}({inner})"),
        None => inner.to_owned(),
    }
}

/// What the first bytes of a file say that it is.
enum Magic {
    Elf,
    MachO,
    Universal,
    Coff,
    BigCoff,
    Image,
    Archive,
    ThinArchive,
    Wasm,
}

impl Magic {
    fn of(head: &[u8]) -> Option<Magic> {
        match head {
            [0x7f, b'E', b'L', b'F', ..] => Some(Magic::Elf),
            [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => Some(Magic::MachO),
            [0xca, 0xfe, 0xba, 0xbe | 0xbf, ..] => Some(Magic::Universal),
            [b'M', b'Z', ..] => Some(Magic::Image),
            [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => Some(Magic::Archive),
            [b'!', b'<', b't', b'h', b'i', b'n', b'>', b'\n', ..] => Some(Magic::ThinArchive),
            [0, b'a', b's', b'm', ..] => Some(Magic::Wasm),
            [0, 0, 0xff, 0xff, ..] => Some(Magic::BigCoff),
            &[low, high, ..] if coff::machine_width(u16::from_le_bytes([low, high])).is_some() => {
                Some(Magic::Coff)
            }
            _ => None,
        }
    }
}

fn not_an_object() -> Error {
    Error::new(ErrorKind::NotRecognized { expected: "an object file" }, 0)
}

/// What the headers of one object say of its coverage sections.
struct Object {
    endian: Endian,
    width: PointerWidth,
    /// Coverage sections only, in the order of their headers.
    sections: Vec<Section>,
    build_id: Option<Vec<u8>>,
}

impl Object {
    fn new(endian: Endian, width: PointerWidth) -> Object {
        Object { endian, width, sections: Vec::new(), build_id: None }
    }
}

/// Where the contents of a section lie in the window of its object. Nothing is checked yet.
#[derive(Clone, Copy)]
struct Section {
    kind: SectionKind,
    offset: u64,
    /// Zero for a section that has no contents in the file.
    size: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SectionKind {
    Covmap,
    Covfun,
    Names,
    /// Names that are not loaded at run time, in programs for which a debugger's data takes the place of `Data`.
    OtherNames,
    Data,
}

impl SectionKind {
    /// `name` may go on behind its zero byte.
    fn of_elf_name(name: &[u8]) -> Option<SectionKind> {
        // Most sections of a relocatable file fail here.
        let rest = name.strip_prefix(b"__llvm_")?;
        match rest.split(|&byte| byte == 0).next()? {
            b"covmap" => Some(SectionKind::Covmap),
            b"covfun" => Some(SectionKind::Covfun),
            b"prf_names" => Some(SectionKind::Names),
            b"covnames" => Some(SectionKind::OtherNames),
            b"prf_data" => Some(SectionKind::Data),
            _ => None,
        }
    }

    /// `name` is the whole field of 16 bytes.
    fn of_macho_name(name: &[u8]) -> Option<SectionKind> {
        SectionKind::of_elf_name(name)
    }

    /// `name` may go on behind its zero byte.
    fn of_coff_name(name: &[u8]) -> Option<SectionKind> {
        let rest = name.strip_prefix(b".l")?;
        match rest.split(|&byte| byte == 0 || byte == b'$').next()? {
            b"covmap" => Some(SectionKind::Covmap),
            b"covfun" => Some(SectionKind::Covfun),
            b"prfn" => Some(SectionKind::Names),
            b"covn" => Some(SectionKind::OtherNames),
            b"prfd" => Some(SectionKind::Data),
            _ => None,
        }
    }
}

/// Adds one object to `file`, by LLVM's rules for which sections count: names, exactly one that is not empty, else
/// exactly one of the other kind; one covmap; any number of covfun.
fn select<'a>(
    window: Window<'a>,
    member: Option<String>,
    object: Object,
    file: &mut ObjectFile<'a>,
) -> Result<(), ReadError> {
    let of_kind = |kind| -> Vec<Section> {
        object.sections.iter().filter(|section| section.kind == kind).copied().collect()
    };
    let covmap = of_kind(SectionKind::Covmap);
    let mut names = of_kind(SectionKind::Names);
    names.retain(|section| section.size != 0);
    if names.len() != 1 {
        names = of_kind(SectionKind::OtherNames);
    }
    let reason = match (names.as_slice(), covmap.as_slice()) {
        ([_, _, ..], _) => return Err(window.malformed("more than one section of names of functions", 0)),
        ([_], [_, _, ..]) => return Err(window.malformed("more than one coverage map section", 0)),
        (&[names], &[covmap]) if covmap.size != 0 => {
            file.objects.push(CoverageSections {
                member,
                endian: object.endian,
                pointer_width: object.width,
                covmap: window.read("coverage map", covmap.offset, covmap.size)?,
                covfun: joined(window, "function records", &of_kind(SectionKind::Covfun))?,
                names: window.read("names of functions", names.offset, names.size)?,
                prf_data: joined(window, "profile data records", &of_kind(SectionKind::Data))?,
                build_id: object.build_id,
            });
            return Ok(());
        }
        ([_], _) => SkipReason::NoCoverageMap,
        ([], covmap) if covmap.iter().any(|covmap| covmap.size != 0) => SkipReason::NoNames,
        // Not instrumented.
        ([], _) => return Ok(()),
    };
    file.skipped.push(SkippedObject { member, reason });
    Ok(())
}

/// The contents of `sections` one behind the other, each starting at a multiple of eight.
fn joined<'a>(
    window: Window<'a>,
    what: &'static str,
    sections: &[Section],
) -> Result<Cow<'a, [u8]>, ReadError> {
    if let &[only] = sections {
        return window.read(what, only.offset, only.size);
    }
    // Sections that overlap could make a small file grow without bound.
    let total = sections.iter().fold(0_u64, |total, section| total.saturating_add(section.size));
    if total > window.size() {
        return Err(window.malformed("coverage sections overlap", 0));
    }
    let mut joined = Vec::with_capacity(usize::try_from(total).unwrap_or_default());
    // Relocatable files have a section for each function, in file order and close together: few reads for all.
    for run in sections.chunk_by(|section, next| follows(*section, *next)) {
        let start = run.first().map_or(0, |first| first.offset);
        let end = run.last().map_or(0, |last| last.offset.saturating_add(last.size));
        let bytes = window.read(what, start, end.saturating_sub(start))?;
        for section in run {
            let bytes = section_of(&bytes, section.offset.saturating_sub(start), section.size);
            joined.resize(joined.len().next_multiple_of(8), 0);
            joined.extend_from_slice(bytes);
        }
    }
    Ok(Cow::Owned(joined))
}

/// Whether the second section comes so soon behind the first that reading both at once is cheaper: between the data
/// records lie a function's counters.
fn follows(section: Section, next: Section) -> bool {
    const LARGEST_GAP: u64 = 256;
    let end = section.offset.saturating_add(section.size);
    next.offset.checked_sub(end).is_some_and(|gap| gap <= LARGEST_GAP)
}

fn section_of(run: &[u8], offset: u64, size: u64) -> &[u8] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    run.get(start..).and_then(|rest| rest.get(..size)).unwrap_or_default()
}

/// A number in decimal digits and nothing else.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.checked_sub(b'0'))??;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
