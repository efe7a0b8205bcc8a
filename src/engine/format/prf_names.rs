//! The names of instrumented functions: `__llvm_prf_names` in objects, the names area of raw profiles.
//!
//! A sequence of chunks, one for each compilation unit that was linked in, with zero bytes between them:
//!
//! ```text
//! uleb128 uncompressed size
//! uleb128 compressed size      0 = stored as it is
//! bytes                        a zlib stream, or the names themselves
//! ```
//!
//! The names stand behind one another with one byte `0x01` between two. For `a` and `bc`: `04 00 61 01 62 63`.
//!
//! A function's identity, its `name_ref`, is the truncated MD5 of its (mangled) name. No demangling here.

use std::borrow::Cow;

use super::cursor::{Cursor, Endian};
use super::error::{Error, Result};
use super::zlib;

/// The byte between two names.
const SEPARATOR: u8 = 0x01;

/// The first eight bytes of the MD5 digest as a little-endian number: `IndexedInstrProf::ComputeHash` in LLVM.
pub fn md5_64(bytes: &[u8]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = md5::compute(bytes).0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The names of one compilation unit, possibly compressed.
#[derive(Clone, Copy, Debug)]
pub struct NamesChunk<'a> {
    uncompressed_len: usize,
    compressed: bool,
    /// The chunk's content as stored. Equal bytes (of equal kind) hold equal names, in whatever object they stand.
    pub bytes: &'a [u8],
    offset: u64,
}

/// Splits a names section or area into its chunks.
///
/// # Errors
/// A chunk that is longer than what is left of the section.
pub fn chunks(section: &[u8]) -> Result<Vec<NamesChunk<'_>>> {
    let mut cursor = Cursor::new(section, Endian::Little);
    let mut chunks = Vec::new();
    loop {
        while cursor.rest().first() == Some(&0) {
            cursor.take("padding", 1)?;
        }
        if cursor.is_empty() {
            return Ok(chunks);
        }
        let start = cursor.offset();
        let uncompressed = cursor.uleb("names")?;
        let compressed = cursor.uleb("compressed names")?;
        let stored = if compressed == 0 { uncompressed } else { compressed };
        let bytes = cursor.take("names", stored)?;
        let uncompressed_len =
            usize::try_from(uncompressed).map_err(|_| Error::malformed("names are too long", start))?;
        chunks.push(NamesChunk { uncompressed_len, compressed: compressed != 0, bytes, offset: start });
    }
}

impl<'a> NamesChunk<'a> {
    /// The chunk's names behind one another, separated by `0x01`; [`names_with_refs`] takes them apart.
    ///
    /// # Errors
    /// A zlib stream that is damaged or longer than it declares.
    pub fn decode(&self) -> Result<Cow<'a, [u8]>> {
        if !self.compressed {
            return Ok(Cow::Borrowed(self.bytes));
        }
        zlib::decompress(self.bytes, self.uncompressed_len)
            .map(Cow::Owned)
            .map_err(|error| error.offset_by(self.offset))
    }
}

/// The single names of a decoded chunk with their `name_ref`s, empty ones left out.
pub fn names_with_refs(decoded: &[u8]) -> Vec<(u64, &[u8])> {
    split_names(decoded).map(|name| (md5_64(name), name)).collect()
}

/// The single names of a decoded chunk. LLVM refuses empty names; here they are passed over, as they match nothing.
fn split_names(decoded: &[u8]) -> impl Iterator<Item = &[u8]> {
    decoded.split(|&byte| byte == SEPARATOR).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{chunks, md5_64, split_names};

    fn names(section: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for chunk in chunks(section).ok()? {
            names.extend(split_names(&chunk.decode().ok()?).map(<[u8]>::to_vec));
        }
        Some(names)
    }

    fn check(section: &[u8], expected: Option<&[&[u8]]>) {
        let expected = expected.map(|names| names.iter().map(|name| name.to_vec()).collect::<Vec<_>>());
        assert_eq!(names(section), expected, "{section:02x?}");
    }

    #[test]
    fn chunks_are_split_and_decoded() {
        check(b"", Some(&[]));
        check(b"\0\0\0", Some(&[]));
        check(b"\x04\x00a\x01bc", Some(&[b"a", b"bc"]));
        check(b"\x01\x00a\0\0\0\x01\x00b\0", Some(&[b"a", b"b"]));
        check(b"\x05\x0d\x78\xda\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", Some(&[b"hello"]));
        check(b"\x03\x00\x01\x01a", Some(&[b"a"]));
        check(b"\x05\x00a", None);
        check(b"\x05\x0d\x78\xda", None);
        check(b"\x04\x0d\x78\xda\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", None);
    }

    #[test]
    fn name_ref_is_the_truncated_md5() {
        // From the worked example of a binary that rustc 1.95 wrote.
        assert_eq!(md5_64(b"_RNvCsiOtubgjtdqi_4demo4pick"), 0x9072_47c9_22e6_0a58);
    }
}
