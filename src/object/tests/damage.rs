//! Object files cut, damaged and made to mislead: no panic, no read outside of the input, no more work and memory than
//! the input is worth.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use super::made::{ElfSection, archive, elf};
use super::{FIXTURES, FORMATS, LITTLE_64, arm64, check_error, fixture};
use crate::format::error::{Error, ErrorKind};
use crate::object::{CoverageSections, ObjectFile, ReadAt, ReadError, coverage_sections};

/// Reads `bytes` and counts what is asked for, so that a test sees requests outside of the input and too many.
struct Counting<'a> {
    bytes: &'a [u8],
    reads: Cell<usize>,
    read: Cell<usize>,
    /// Where each read began and ended.
    asked: RefCell<Vec<Range<usize>>>,
    /// The read that fails, if any.
    fail_at: usize,
}

impl<'a> Counting<'a> {
    fn new(bytes: &'a [u8], fail_at: usize) -> Counting<'a> {
        Counting { bytes, reads: Cell::new(0), read: Cell::new(0), asked: RefCell::default(), fail_at }
    }
}

impl ReadAt for Counting<'_> {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>> {
        self.reads.set(self.reads.get() + 1);
        if self.reads.get() > self.fail_at {
            return Err(io::Error::other("disk on fire"));
        }
        assert!(len > 0, "empty read at {offset:#x}");
        let end = offset.checked_add(len).expect("no overflow");
        assert!(end <= self.size(), "read of {len} bytes at {offset:#x} of {:#x}", self.size());
        self.read.set(self.read.get() + len as usize);
        self.asked.borrow_mut().push(offset as usize..end as usize);
        // As a file would: owned, so that the size of a result is memory.
        Ok(Cow::Owned(self.bytes[offset as usize..end as usize].to_vec()))
    }
}

/// Reads `bytes`, whatever they are: no panic, and work and memory in proportion to the input.
fn survive(bytes: &[u8]) -> Result<usize, Error> {
    let input = Counting::new(bytes, usize::MAX);
    let result = coverage_sections(&input, arm64());
    assert!(input.read.get() <= 6 * bytes.len() + 64, "{} of {} bytes", input.read.get(), bytes.len());
    assert!(
        input.reads.get() <= 16 + bytes.len() / 16,
        "{} reads of {} bytes",
        input.reads.get(),
        bytes.len()
    );
    match result {
        Ok(ObjectFile { objects, .. }) => {
            let size = |object: &CoverageSections<'_>| {
                object.covmap.len() + object.covfun.len() + object.names.len() + object.prf_data.len()
            };
            let size: usize = objects.iter().map(size).sum();
            assert!(size <= 4 * bytes.len(), "{size} of {} bytes", bytes.len());
            Ok(objects.len())
        }
        Err(ReadError::Format(error)) => Err(error),
        Err(ReadError::Io(error)) => panic!("{error}"),
    }
}

/// The positions of the bytes that reading `bytes` asks for. What is wrong with any other goes unnoticed.
fn positions_read(bytes: &[u8]) -> Vec<usize> {
    let input = Counting::new(bytes, usize::MAX);
    let _outcome: bool = coverage_sections(&input, arm64()).is_ok();
    let asked = input.asked.into_inner();
    let positions: BTreeSet<usize> = asked.into_iter().flatten().collect();
    positions.into_iter().collect()
}

#[test]
fn survives_a_cut_anywhere() {
    for (name, bytes) in FIXTURES.iter().chain(FORMATS) {
        let whole = survive(bytes);
        let mut outcomes = BTreeSet::new();
        for end in 0..bytes.len() {
            outcomes.insert(survive(&bytes[..end]).is_ok());
        }
        // At least the empty file is refused; a cut behind the last section read is not noticed.
        assert!(outcomes.contains(&false), "{name}: {whole:?}");
    }
}

#[test]
fn survives_a_wrong_byte_anywhere() {
    for (_, bytes) in FIXTURES.iter().chain(FORMATS) {
        let mut damaged = bytes.to_vec();
        for index in positions_read(bytes) {
            let byte = bytes[index];
            for value in [0x00, 0x01, 0x7f, 0xff, byte ^ 0x80, byte ^ 0x01] {
                damaged[index] = value;
                let _outcome: Result<usize, Error> = survive(&damaged);
            }
            damaged[index] = byte;
        }
    }
}

#[test]
fn survives_wrong_numbers_anywhere() {
    // Four and eight bytes at once, as sizes and offsets are stored.
    for (_, bytes) in FIXTURES.iter().chain(FORMATS) {
        let mut damaged = bytes.to_vec();
        for start in positions_read(bytes).into_iter().filter(|position| position.is_multiple_of(2)) {
            for (len, value) in [(4, 0xff), (4, 0x00), (8, 0xff), (8, 0x00), (8, 0x7f)] {
                let end = bytes.len().min(start + len);
                damaged[start..end].fill(value);
                let _outcome: Result<usize, Error> = survive(&damaged);
                damaged[start..end].copy_from_slice(&bytes[start..end]);
            }
        }
    }
}

#[test]
fn a_failing_input_is_never_taken_for_a_wrong_one() {
    for (name, bytes) in FIXTURES.iter().chain(FORMATS) {
        let whole = Counting::new(bytes, usize::MAX);
        let _outcome: bool = coverage_sections(&whole, arm64()).is_ok();
        for fail_at in 0..whole.reads.get() {
            match coverage_sections(&Counting::new(bytes, fail_at), arm64()) {
                Err(ReadError::Io(error)) => assert_eq!(error.to_string(), "disk on fire"),
                other => panic!("{name}, read {fail_at}: {other:?}"),
            }
        }
    }
}

#[test]
fn reads_little_of_a_large_file() {
    let code = vec![0x90; 1 << 20];
    let sections = [
        ElfSection::new("__llvm_covfun", b"first"),
        ElfSection::new(".text", &code),
        ElfSection::new("__llvm_covfun", b"second"),
        ElfSection::new("__llvm_covmap", b"covmap"),
        ElfSection::new("__llvm_prf_names", b"names"),
    ];
    let bytes = elf(LITTLE_64, &sections);
    let input = Counting::new(&bytes, usize::MAX);
    assert_eq!(coverage_sections(&input, None).expect("readable").objects.len(), 1);
    assert!(input.read.get() < 1000, "{} bytes", input.read.get());
    assert!(input.reads.get() < 10, "{} reads", input.reads.get());
}

#[test]
fn stops_at_a_depth() {
    let mut bytes = fixture("elf64-le.o").to_vec();
    for depth in 1..=5 {
        bytes = archive(&[("inner", &bytes)]);
        let input = bytes.as_slice();
        let file = coverage_sections(&input, None).expect("readable");
        assert_eq!(file.objects.len(), usize::from(depth <= 3), "{depth}");
        assert_eq!(file.skipped.len(), usize::from(depth > 3), "{depth}");
    }
}

#[test]
fn shared_bytes_do_not_multiply() {
    // Sections that all claim the same bytes would be 1000 times as much as the file.
    let records = vec![1; 50_000];
    let mut sections = vec![ElfSection::new("__llvm_covfun", &records)];
    sections.resize(1000, ElfSection { same_bytes: true, ..sections[0] });
    sections.push(ElfSection::new("__llvm_covmap", b"covmap"));
    sections.push(ElfSection::new("__llvm_prf_names", b"names"));
    check_error(&elf(LITTLE_64, &sections), |error| {
        error.kind == ErrorKind::Malformed { what: "coverage sections overlap" }
    });

    // As would member names that all start at the same place of a table of long names.
    let table = vec![b'x'; 100_000];
    let broken: (&str, &[u8]) = ("/0", b"\x7fELF");
    let mut members: Vec<(&str, &[u8])> = vec![("//", table.as_slice())];
    members.resize(1000, broken);
    let bytes = archive(&members);
    let input = bytes.as_slice();
    let file = coverage_sections(&input, None).expect("readable");
    assert_eq!(file.skipped.len(), 999);
    let names: usize = file.skipped.iter().filter_map(|it| it.member.as_ref()).map(String::len).sum();
    assert!(names < bytes.len() * 2, "{names}");
}
