//! Object files made by LLVM (`tests/data/objects`) and made here byte by byte. Damaged ones are in `damage`.

mod damage;
mod made;

use std::borrow::Cow;

use self::made::{ElfSection, Shape, archive, big_coff, elf, macho};
use super::{Architecture, CoverageSections, PointerWidth, ReadAt, ReadError, SkipReason, coverage_sections};
use crate::format::cursor::{Cursor, Endian};
use crate::format::error::{Error, ErrorKind};
use crate::format::{covfun, covmap, prf_names};

macro_rules! fixtures {
    ($folder:literal $($name:literal)*) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/", $folder, $name)))),*]
    };
}

const FIXTURES: &[(&str, &[u8])] = fixtures! {
    "objects/"
    "elf64-le.o" "elf32-le.o" "elf64-be.o" "elf32-be.o" "elf64-le.exe" "elf64-le.so" "elf64-le-stripped.so"
    "elf64-le-compressed.o" "macho-x86_64.o" "macho-arm64.o" "macho-i386.o" "macho-x86_64.dylib"
    "macho-universal.o" "macho-universal64.o" "coff-x86_64.obj" "coff-i686.obj" "coff-x86_64.dll" "coff-i686.dll" "gnu.rlib"
    "gnu-sym64.a" "bsd.a" "darwin.a" "coff.lib" "nested.a" "thin.a" "wasm32.o"
};

/// Objects that profiles belong to, which `tests/formats` reads to the end; here they are damaged. Of those made alike, one.
const FORMATS: &[(&str, &[u8])] = fixtures! {
    "formats/objects/"
    "elf64-le.o" "elf64-le.exe" "elf64-be.o" "elf64-be.exe" "elf32-le.o" "elf32-le.exe" "elf32-be.o" "elf32-be.exe"
    "macho-x86_64.o" "macho-x86_64.dylib" "macho-arm64.o" "macho-arm64.exe" "macho-universal.o" "macho-universal64.o"
    "coff-x86_64.obj" "coff-x86_64.dll" "coff-x86_64.exe" "coff-i686.obj" "coff-i686.dll" "coff-i686.exe"
    "clang14-elf64-be.o" "clang14-elf32-le.o" "mcdc-a.exe"
};

const LITTLE_64: Shape = Shape { endian: Endian::Little, width: PointerWidth::Bits64 };
const LITTLE_32: Shape = Shape { endian: Endian::Little, width: PointerWidth::Bits32 };
const BIG_64: Shape = Shape { endian: Endian::Big, width: PointerWidth::Bits64 };
const BIG_32: Shape = Shape { endian: Endian::Big, width: PointerWidth::Bits32 };

/// `sample.c` in name_ref order of its functions, as `llvm-readobj` shows them in the symbols `__covrec_…`.
const NEVER_CALLED: u64 = 0xcc7c_50db_35e7_be9d;
const ENTRY: u64 = 0x5fe7_eb7f_c7bf_4310;

fn fixture(name: &str) -> &'static [u8] {
    FIXTURES.iter().find(|(fixture, _)| *fixture == name).unwrap_or_else(|| panic!("no fixture {name}")).1
}

fn arm64() -> Option<Architecture> {
    Architecture::of_triple("aarch64-apple-darwin")
}

/// What is wrong with `input`, which must be its bytes and not the reading.
fn error_of(input: &dyn ReadAt) -> Option<Error> {
    match coverage_sections(input, arm64()) {
        Ok(_) => None,
        Err(ReadError::Format(error)) => Some(error),
        Err(ReadError::Io(error)) => panic!("read outside of the input: {error}"),
    }
}

/// A fixture holds the objects `members`, of which each must be `sample.c` down to its last function.
fn check(name: &str, shape: Shape, members: &[Option<&str>], build_id: Option<&str>) {
    let bytes = fixture(name);
    let file = coverage_sections(&bytes, arm64()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(file.skipped, [], "{name}");
    let found: Vec<_> = file.objects.iter().map(|object| object.member.as_deref()).collect();
    assert_eq!(found, members, "{name}");
    for object in &file.objects {
        check_sample(name, object, shape);
        assert_eq!(object.build_id.as_deref().map(hex).as_deref(), build_id, "{name}");
    }
}

fn check_sample(name: &str, object: &CoverageSections<'_>, shape: Shape) {
    assert_eq!((object.endian, object.pointer_width), (shape.endian, shape.width), "{name}");
    assert_eq!((object.covmap.len(), object.covfun.len()), (0x28, 0x77), "{name}");

    let names: Vec<u8> = prf_names::chunks(&object.names)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .iter()
        .flat_map(|chunk| chunk.decode().unwrap_or_else(|error| panic!("{name}: {error}")).into_owned())
        .collect();
    assert_eq!(String::from_utf8_lossy(&names), "never_called\u{1}entry", "{name}");

    let tables =
        covmap::tables(&object.covmap, shape.endian).unwrap_or_else(|error| panic!("{name}: {error}"));
    let [table] = tables.as_slice() else { panic!("{name}: {} tables", tables.len()) };
    let files = table.resolve().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(files, [b"/sample".to_vec(), b"/sample/sample.c".to_vec()], "{name}");

    let records =
        covfun::records(&object.covfun, shape.endian).unwrap_or_else(|error| panic!("{name}: {error}"));
    let covfun: Vec<_> = records.iter().map(|record| (record.name_ref, record.func_hash)).collect();
    assert!(records.iter().all(|record| record.filenames_ref == table.filenames_ref), "{name}");
    assert_eq!(
        covfun.iter().map(|&(name_ref, _)| name_ref).collect::<Vec<_>>(),
        [NEVER_CALLED, ENTRY],
        "{name}"
    );

    let record_size = if shape.width == PointerWidth::Bits64 { 64 } else { 48 };
    assert_eq!(object.prf_data.len() % record_size, 0, "{name}");
    let data: Vec<_> = object
        .prf_data
        .chunks(record_size)
        .map(|record| {
            let mut cursor = Cursor::new(record, shape.endian);
            (cursor.u64("name_ref").unwrap_or(0), cursor.u64("func_hash").unwrap_or(0))
        })
        .filter(|&record| record != (0, 0))
        .collect();
    assert_eq!(data, covfun, "{name}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn reads_what_llvm_made() {
    check("elf64-le.o", LITTLE_64, &[None], None);
    check("elf32-le.o", LITTLE_32, &[None], None);
    check("elf64-be.o", BIG_64, &[None], None);
    check("elf32-be.o", BIG_32, &[None], None);
    check("elf64-le.exe", LITTLE_64, &[None], Some("d269157826f2d242f52fd9105f07b0ceafd63f4d"));
    check("elf64-le.so", LITTLE_64, &[None], Some("5c3c306e8483d9d2690d1262a1edafd39997cadb"));
    check("macho-x86_64.o", LITTLE_64, &[None], None);
    check("macho-arm64.o", LITTLE_64, &[None], None);
    check("macho-i386.o", LITTLE_32, &[None], None);
    check("macho-x86_64.dylib", LITTLE_64, &[None], Some("4c4c440055553144a16b0ab7c7769983"));
    check("macho-universal.o", LITTLE_64, &[Some("arm64")], None);
    check("macho-universal64.o", LITTLE_64, &[Some("arm64")], None);
    check("coff-x86_64.obj", LITTLE_64, &[None], None);
    check("coff-i686.obj", LITTLE_32, &[None], None);
    check("coff-x86_64.dll", LITTLE_64, &[None], Some("99aa71ca704616e74c4c44205044422e"));
    check("coff-i686.dll", LITTLE_32, &[None], Some("f75d4d4dd88682e84c4c44205044422e"));
    let long_name = Some("sample-0123456789abcdef.sample.0123456789abcdef-cgu.0.rcgu.o");
    check("gnu.rlib", LITTLE_64, &[long_name, Some("sample.o")], None);
    check("gnu-sym64.a", LITTLE_64, &[Some("sample.o")], None);
    check("bsd.a", LITTLE_64, &[long_name], None);
    check("darwin.a", LITTLE_64, &[Some("macho-arm64.o")], None);
    check("coff.lib", LITTLE_64, &[Some("sample-0123456789abcdef.obj")], None);
    check("nested.a", LITTLE_64, &[Some("middle.a(inner.a)(sample.o)")], None);
}

/// The sections of a linked fixture are these bytes of it, not copied: offset and size of each.
fn check_places(
    name: &str,
    covmap: (usize, usize),
    covfun: (usize, usize),
    names: (usize, usize),
    data: (usize, usize),
) {
    let bytes = fixture(name);
    let file = coverage_sections(&bytes, None).unwrap_or_else(|error| panic!("{name}: {error}"));
    let [object] = file.objects.as_slice() else { panic!("{name}: {file:?}") };
    let sections = [&object.covmap, &object.covfun, &object.names, &object.prf_data];
    for (section, (offset, size)) in sections.into_iter().zip([covmap, covfun, names, data]) {
        assert!(matches!(section, Cow::Borrowed(_)), "{name}: copied");
        assert_eq!(
            (section.as_ptr(), section.len()),
            (bytes[offset..].as_ptr(), size),
            "{name}: {offset:#x}"
        );
    }
}

#[test]
fn sections_lie_where_llvm_says() {
    // As `llvm-readobj --sections` prints them.
    check_places("elf64-le.exe", (0x358, 0x28), (0x2e0, 0x77), (0x1b4, 0x1c), (0x260, 0x80));
    check_places("elf64-le.so", (0x518, 0x28), (0x4a0, 0x77), (0x300, 0x1c), (0x420, 0x80));
    check_places("macho-x86_64.dylib", (0x3078, 0x28), (0x3000, 0x77), (0x2098, 0x1c), (0x2018, 0x80));
    // Without the first of the two marker bytes in the names.
    check_places("coff-x86_64.dll", (0x1000, 0x28), (0xe00, 0x77), (0xc01, 0x1d), (0xa00, 0x100));
    check_places("coff-i686.dll", (0x1200, 0x28), (0x1000, 0x77), (0xc01, 0x1d), (0xa00, 0xc0));
}

/// An input that is read without an error but has nothing, for a reason.
fn check_skipped(bytes: &[u8], expected: &[(Option<&str>, SkipReason)]) {
    let file = coverage_sections(&bytes, None).expect("readable");
    assert!(file.objects.is_empty(), "{file:?}");
    let skipped: Vec<_> = file.skipped.iter().map(|it| (it.member.as_deref(), it.reason.clone())).collect();
    assert_eq!(skipped, expected);
}

#[test]
fn tells_why_there_is_nothing() {
    check_skipped(fixture("elf64-le-stripped.so"), &[(None, SkipReason::NoCoverageMap)]);
    check_skipped(&elf(LITTLE_64, &[]), &[]);
    check_skipped(&elf(LITTLE_64, &[ElfSection::new("__llvm_prf_cnts", &[0; 8])]), &[]);
    check_skipped(&archive(&[("plain.o", &elf(LITTLE_64, &[]))]), &[]);
    check_skipped(b"!<arch>\n", &[]);

    let covmap = ElfSection::new("__llvm_covmap", b"covmap");
    let names = ElfSection::new("__llvm_prf_names", b"names");
    let other_names = ElfSection::new("__llvm_covnames", b"other names");
    let map_missing = [(None, SkipReason::NoCoverageMap)];
    let names_missing = [(None, SkipReason::NoNames)];
    check_skipped(&elf(LITTLE_64, &[names]), &map_missing);
    check_skipped(&elf(LITTLE_64, &[other_names]), &map_missing);
    check_skipped(&elf(LITTLE_64, &[names, ElfSection::new("__llvm_covmap", b"")]), &map_missing);
    check_skipped(&elf(LITTLE_64, &[names, ElfSection { kind: made::NOBITS, ..covmap }]), &map_missing);
    check_skipped(&elf(LITTLE_64, &[covmap]), &names_missing);
    check_skipped(&elf(LITTLE_64, &[covmap, ElfSection::new("__llvm_prf_names", b"")]), &names_missing);
    check_skipped(&elf(LITTLE_64, &[covmap, ElfSection { kind: made::NOBITS, ..names }]), &names_missing);
    check_skipped(&elf(LITTLE_64, &[covmap, names, names]), &names_missing);
    // A names section that has the runtime's two marker bytes only.
    check_skipped(&big_coff(&[(".lcovmap$M", b"covmap"), (".lprfn$M", &[0, 0])]), &names_missing);

    let stripped = elf(LITTLE_64, &[names]);
    let broken = &stripped[..stripped.len() - 1];
    let unreadable = coverage_sections(&broken, None).expect_err("cut");
    let ReadError::Format(error) = unreadable else { panic!("{unreadable}") };
    check_skipped(
        &archive(&[("a.o", &stripped), ("b.o", broken), ("c.txt", b"no object")]),
        &[
            (Some("a.o"), SkipReason::NoCoverageMap),
            // The member's bytes start at this offset of the archive.
            (Some("b.o"), SkipReason::Unreadable(error.offset_by(8 + 60 + stripped.len() as u64 + 60))),
        ],
    );
}

/// The names and function records that the lookup rules select.
fn check_selected(bytes: &[u8], names: &[u8], covfun: &[u8], prf_data: &[u8]) {
    let file = coverage_sections(&bytes, None).expect("readable");
    let [object] = file.objects.as_slice() else { panic!("{file:?}") };
    assert_eq!(object.names.as_ref(), names);
    assert_eq!(object.covfun.as_ref(), covfun);
    assert_eq!(object.prf_data.as_ref(), prf_data);
    assert_eq!(object.covmap.as_ref(), b"covmap");
}

#[test]
fn selects_sections_as_llvm_does() {
    let covmap = ElfSection::new("__llvm_covmap", b"covmap");
    let names = ElfSection::new("__llvm_prf_names", b"names");
    let no_names = ElfSection::new("__llvm_prf_names", b"");
    let other_names = ElfSection::new("__llvm_covnames", b"other names");
    let nearly = ElfSection::new("__llvm_covmapping", b"another section");
    check_selected(&elf(LITTLE_64, &[nearly, covmap, names]), b"names", b"", b"");
    check_selected(&elf(LITTLE_64, &[covmap, other_names, names]), b"names", b"", b"");
    check_selected(&elf(LITTLE_64, &[covmap, no_names, names, no_names]), b"names", b"", b"");
    check_selected(&elf(LITTLE_64, &[covmap, no_names, other_names]), b"other names", b"", b"");
    check_selected(&elf(LITTLE_64, &[covmap, names, names, other_names]), b"other names", b"", b"");

    // Each of several sections starts at a multiple of eight, also when other sections are between them.
    let first = ElfSection::new("__llvm_covfun", b"first");
    let second = ElfSection::new("__llvm_covfun", b"second 8");
    let third = ElfSection::new("__llvm_covfun", b"third");
    let data = ElfSection::new("__llvm_prf_data", b"data");
    let sections = [first, covmap, data, second, nearly, third, names, data];
    for shape in [LITTLE_64, LITTLE_32, BIG_64, BIG_32] {
        let bytes = elf(shape, &sections);
        check_selected(&bytes, b"names", b"first\0\0\0second 8third", b"data\0\0\0\0data");
    }
    check_selected(
        &elf(LITTLE_64, &[covmap, names, first, second, third]),
        b"names",
        b"first\0\0\0second 8third",
        b"",
    );
    let no_bits = ElfSection { kind: made::NOBITS, ..second };
    check_selected(
        &elf(LITTLE_64, &[covmap, names, first, no_bits, third]),
        b"names",
        b"first\0\0\0third",
        b"",
    );

    // The suffix is dropped in COFF only.
    let suffixed = ElfSection::new("__llvm_covfun$M", b"another section");
    check_selected(&elf(LITTLE_64, &[covmap, names, suffixed]), b"names", b"", b"");
}

#[test]
fn reads_mach_o_of_every_shape() {
    let sections: [(&str, &[u8]); 5] = [
        ("__text", b"code"),
        ("__llvm_covfun", b"records"),
        ("__llvm_covmap", b"covmap"),
        ("__llvm_prf_data", b"data"),
        ("__llvm_prf_names", b"names"),
    ];
    for shape in [LITTLE_64, LITTLE_32, BIG_64, BIG_32] {
        let bytes = macho(shape, &sections);
        check_selected(&bytes, b"names", b"records", b"data");
        let input = bytes.as_slice();
        let file = coverage_sections(&input, None).expect("readable").objects.remove(0);
        assert_eq!((file.endian, file.pointer_width), (shape.endian, shape.width));
        assert_eq!(file.build_id.as_deref(), Some(&b"sixteen bytes id"[..]));
    }
    // A section that is not in the file: one that is filled with zeros, one as a dSYM companion has it.
    let header = 32 + 24 + 72 + 80 * 3;
    for (offset, kind) in [(1, 0x1), (1, 0xc), (1, 0x12), (0, 0)] {
        let mut no_bits = macho(LITTLE_64, &sections);
        no_bits[header + 48..header + 52].fill(offset);
        no_bits[header + 64] = kind;
        check_selected(&no_bits, b"names", b"records", b"");
    }
}

#[test]
fn reads_big_coff() {
    let sections: [(&str, &[u8]); 6] = [
        (".text", b"code"),
        (".lcovfun$M", b"first"),
        (".lcovfun$M", b"second"),
        (".lcovmap$M", b"covmap"),
        (".lprfd$A", b"data"),
        (".lprfn$M", b"names"),
    ];
    check_selected(&big_coff(&sections), b"names", b"first\0\0\0second", b"data");
    // A member of an import library has the same first bytes, as has LLVM's own kind of object without code.
    for (index, value) in [(4, 1), (12, 0)] {
        let mut other = big_coff(&sections);
        other[index] = value;
        check_error(&other, is_not_an_object);
    }
    // A section that is not in the file.
    let mut no_bits = big_coff(&sections);
    let raw_offset = 56 + 40 * 4 + 20;
    no_bits[raw_offset..raw_offset + 4].fill(0);
    check_selected(&no_bits, b"names", b"first\0\0\0second", b"");
}

#[test]
fn reads_elf_with_more_sections_than_its_header_can_count() {
    const COUNT: usize = 0xff00;
    for shape in [LITTLE_64, BIG_32] {
        let mut sections = vec![ElfSection::new("__llvm_covfun", b"a record"); COUNT];
        sections.push(ElfSection::new("__llvm_covmap", b"covmap"));
        sections.push(ElfSection::new("__llvm_prf_names", b"names"));
        check_selected(&elf(shape, &sections), b"names", &b"a record".repeat(COUNT), b"");
    }
}

/// A note with name and description padded to `align`.
fn note(kind: u32, name: &[u8], description: &[u8], align: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [name.len() as u32, description.len() as u32, kind] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for part in [name, description] {
        bytes.extend_from_slice(part);
        bytes.resize(bytes.len().next_multiple_of(align), 0);
    }
    bytes
}

fn check_build_id(notes: &[&[u8]], expected: Option<&[u8]>) {
    let mut sections: Vec<_> = notes
        .iter()
        .map(|contents| ElfSection { kind: made::NOTE, ..ElfSection::new(".note", contents) })
        .collect();
    sections.push(ElfSection::new("__llvm_covmap", b"covmap"));
    sections.push(ElfSection::new("__llvm_prf_names", b"names"));
    let bytes = elf(LITTLE_64, &sections);
    let input = bytes.as_slice();
    let file = coverage_sections(&input, None).expect("readable");
    assert_eq!(file.objects[0].build_id.as_deref(), expected, "{notes:?}");
}

#[test]
fn finds_the_build_id_among_notes() {
    // Sections here say that they are aligned to eight.
    let id = note(3, b"GNU\0", b"the id", 8);
    let abi = note(1, b"GNU\0", b"an ABI tag", 8);
    let foreign = note(3, b"Go\0\0", b"another id", 8);
    check_build_id(&[], None);
    check_build_id(&[&abi, &foreign], None);
    check_build_id(&[&abi, &foreign, &id], Some(b"the id"));
    check_build_id(&[&[&abi[..], &foreign, &id].concat()], Some(b"the id"));
    check_build_id(&[&id[..id.len() - 2]], Some(b"the id"));
    // Broken ones are passed over.
    check_build_id(&[&id[..id.len() - 3], &[0xff; 20], b"short", &id], Some(b"the id"));
    check_build_id(&[&note(3, b"GNU\0", b"", 8)], None);
}

#[test]
fn reads_the_names_of_members() {
    let object = elf(LITTLE_64, &[ElfSection::new("__llvm_prf_names", b"names")]);
    let bsd = |name: &[u8]| [name, &object].concat();
    let long = [b"x".repeat(300), b"/\n".to_vec()].concat();
    let bytes = archive(&[
        ("//", &[b"first.o/\nsecond.o\0third \xff.o\n", &long[..]].concat()),
        ("/0", &object),
        ("/9", &object),
        ("/18", &object),
        ("/28", &object),
        ("/1000", &object),
        ("short.o/", &object),
        ("with space.o/", &object),
        ("bsd.o", &object),
        ("#1/8", &bsd(b"long.o\0\0")),
        ("#1/400", &bsd(&b"y".repeat(400))),
        // Tables, which are not looked at.
        ("/", b"\x7fELF"),
        ("/SYM64/", b"\x7fELF"),
        ("/<ECSYMBOLS>/", b"\x7fELF"),
        ("__.SYMDEF SORTED", b"\x7fELF"),
        ("#1/12", b"__.SYMDEF_64\x7fELF"),
    ]);
    let input = bytes.as_slice();
    let file = coverage_sections(&input, None).expect("readable");
    let names: Vec<_> =
        file.skipped.iter().map(|it| (it.member.as_deref().unwrap_or("-"), &it.reason)).collect();
    let (cut_x, cut_y) = ("x".repeat(255), "y".repeat(255));
    let expected = [
        "first.o",
        "second.o",
        "third \u{fffd}.o",
        &cut_x,
        "/1000",
        "short.o",
        "with space.o",
        "bsd.o",
        "long.o",
        &cut_y,
    ];
    assert_eq!(names, expected.map(|name| (name, &SkipReason::NoCoverageMap)));
}

#[test]
fn chooses_a_slice_of_a_universal_file() {
    let two = fixture("macho-universal.o");
    let member = |bytes: &[u8], architecture| -> Option<String> {
        coverage_sections(&bytes, architecture).ok()?.objects.first()?.member.clone()
    };
    let named = Architecture::of_triple;
    assert_eq!(member(two, named("x86_64-apple-darwin")).as_deref(), Some("x86_64"));
    assert_eq!(member(two, named("arm64e-apple-darwin")).as_deref(), Some("arm64"));
    for architecture in [None, named("i686-apple-darwin")] {
        let error = coverage_sections(&two, architecture).map(|_| ()).expect_err("no such slice");
        assert_eq!(
            error.to_string(),
            "unsupported: universal file without a slice for this architecture at offset 0x0"
        );
    }

    // With one slice only it is that one, whatever it is for.
    let mut one = two.to_vec();
    one[7] = 1;
    assert_eq!(member(&one, named("i686-apple-darwin")).as_deref(), Some("x86_64"));
    assert_eq!(member(&one, None).as_deref(), Some("x86_64"));

    // The same CPU type twice: the slice that every such CPU runs.
    let mut same = two.to_vec();
    let (first, second) = (8, 28);
    same.copy_within(second..second + 4, first);
    same[first + 7] = 2;
    assert_eq!(member(&same, arm64()).as_deref(), Some("arm64"));
    let offset =
        |bytes: &[u8]| coverage_sections(&bytes, arm64()).expect("readable").objects[0].covmap.as_ptr();
    assert!(offset(&same) > same[same.len() / 2..].as_ptr(), "not the second slice");
    assert_eq!(named("wasm32-unknown-unknown"), None);
}

fn is_not_an_object(error: &Error) -> bool {
    error.kind == ErrorKind::NotRecognized { expected: "an object file" }
}

fn check_error(bytes: &[u8], is_expected: impl Fn(&Error) -> bool) {
    let error = error_of(&bytes).unwrap_or_else(|| panic!("read {:?}", bytes.get(..16)));
    assert!(is_expected(&error), "{error}");
}

#[test]
fn refuses_what_it_cannot_read() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "not an object file"),
        (b"\x7f", "not an object file"),
        (b"#!/bin/sh\n", "not an object file"),
        (b"MZ", "not an object file"),
        (&[0; 100], "not an object file"),
        // A Java class file of version 45.
        (b"\xca\xfe\xba\xbe\x00\x03\x00\x2d and so on", "not an object file"),
        (fixture("wasm32.o"), "unsupported: WebAssembly module at offset 0x0"),
        (fixture("thin.a"), "unsupported: thin archive, whose members are files of their own at offset 0x0"),
        (
            fixture("elf64-le-compressed.o"),
            "unsupported: compressed ELF section with coverage data at offset 0x770",
        ),
        (b"!<arch>\nname", "truncated: archive member header need 60 bytes at offset 0x8, 4 remain"),
        (
            b"!<arch>\nname                                            12        ..            ",
            "malformed: end of an archive member header at offset 0x42",
        ),
        (
            b"!<arch>\nname                                            -1        `\n            ",
            "malformed: size of an archive member at offset 0x38",
        ),
        (
            b"!<arch>\nname                                            13        `\n            ",
            "truncated: archive member need 13 bytes at offset 0x44, 12 remain",
        ),
        (b"\x7fELF\x03\x01", "malformed: ELF class at offset 0x4"),
        (b"\x7fELF\x02\x01", "truncated: ELF header need 24 bytes at offset 0x0, 6 remain"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(error_of(bytes).map(|error| error.to_string()).as_deref(), Some(*expected));
    }

    let covmap = ElfSection::new("__llvm_covmap", b"covmap");
    let names = ElfSection::new("__llvm_prf_names", b"names");
    let other_names = ElfSection::new("__llvm_covnames", b"other names");
    let malformed = |what| move |error: &Error| error.kind == ErrorKind::Malformed { what };
    check_error(&elf(LITTLE_64, &[covmap, names, covmap]), malformed("more than one coverage map section"));
    check_error(
        &elf(LITTLE_64, &[covmap, other_names, other_names]),
        malformed("more than one section of names of functions"),
    );
}

#[test]
fn reads_the_program_that_runs_this_test() {
    let path = std::env::current_exe().expect("a path");
    let bytes = std::fs::read(path).expect("a file");
    coverage_sections(&bytes.as_slice(), Architecture::host()).expect("an object file");
}
