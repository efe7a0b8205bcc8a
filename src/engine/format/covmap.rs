//! `__llvm_covmap`: the tables of file names that function records refer to.
//!
//! One record for each compilation unit with coverage, at a multiple of eight bytes:
//!
//! ```text
//! u32 number of functions   0 in all versions read here
//! u32 size of the table
//! u32 size of the mappings  0 in all versions read here
//! u32 version               3 to 6, "the format version minus one"
//! bytes                     the encoded table
//! ```
//!
//! and the encoded table, worked through with rustc 1.95's output for `/w/demo.rs`:
//!
//! ```text
//! 02           number of names
//! 0e           bytes of the names, uncompressed
//! 16           bytes of the zlib stream, 0 = stored as they are
//! 78 da …      02 "/w" 0a "/w/demo.rs": each name behind its length
//! ```
//!
//! Since version 5 the first name is the compilation directory, and relative names are joined to it. A table's
//! identity, its `filenames_ref`, is the truncated MD5 of the encoded bytes. Names are bytes, not UTF-8.

use std::borrow::Cow;

use super::cursor::{Cursor, Endian};
use super::error::{Error, ErrorKind, Result};
use super::prf_names::md5_64;
use super::zlib;

/// The versions that are read: those that LLVM 11 to 22 write.
const OLDEST_VERSION: u32 = 3;
const NEWEST_VERSION: u32 = 6;

/// The first version whose tables begin with the compilation directory.
const COMPILATION_DIR_VERSION: u32 = 5;

/// Resolved names are at most this many times as long as the stored ones, and this many bytes, together: room for a deep directory
/// before thousands of short names, and for nothing worse.
const MAX_JOINED_RATIO: usize = 64;
const MIN_JOINED_LEN: usize = 1 << 20;
const MAX_JOINED_LEN: usize = 1 << 28;

/// The longest path that any system opens. Reports repeat the path of a file for each of its functions.
const MAX_NAME_LEN: usize = 1 << 15;

/// A table of file names as it stands in a coverage map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilenameTable<'a> {
    /// The table's identity: the truncated MD5 of the encoded bytes.
    pub filenames_ref: u64,
    version: u32,
    encoded: &'a [u8],
    offset: u64,
}

/// Lists the tables of a `__llvm_covmap` section.
///
/// # Errors
/// A record that is longer than what is left of the section, or one of a version that is not read here.
pub fn tables(section: &[u8], endian: Endian) -> Result<Vec<FilenameTable<'_>>> {
    let mut cursor = Cursor::new(section, endian);
    let mut tables = Vec::new();
    while !cursor.is_empty() {
        // Incremental linkers leave holes of zeros; a record's second word is never zero.
        if cursor.rest().iter().take(8).all(|&byte| byte == 0) {
            cursor.take("padding", 1)?;
            cursor.align8();
            continue;
        }
        let start = cursor.offset();
        let _functions = cursor.u32("coverage map header")?;
        let encoded_len = cursor.u32("coverage map header")?;
        let mappings_len = cursor.u32("coverage map header")?;
        let version = cursor.u32("coverage map header")?;
        if !(OLDEST_VERSION..=NEWEST_VERSION).contains(&version) {
            let kind = ErrorKind::UnsupportedVersion {
                what: "coverage map",
                found: u64::from(version),
                oldest: u64::from(OLDEST_VERSION),
                newest: u64::from(NEWEST_VERSION),
            };
            return Err(Error::new(kind, start));
        }
        if mappings_len != 0 {
            return Err(Error::malformed("coverage map has inline mappings", start));
        }
        let offset = cursor.offset();
        let encoded = cursor.take("file names", u64::from(encoded_len))?;
        tables.push(FilenameTable { filenames_ref: md5_64(encoded), version, encoded, offset });
        cursor.align8();
    }
    Ok(tables)
}

impl FilenameTable<'_> {
    /// The resolved names, in the order of their indices.
    ///
    /// Absolute names stay as they are, dots included; others are joined to the compilation directory and
    /// normalized, as LLVM does it.
    ///
    /// # Errors
    /// Sizes that contradict one another, a damaged zlib stream.
    pub fn resolve(&self) -> Result<Vec<Vec<u8>>> {
        self.parse().map_err(|error| error.offset_by(self.offset))
    }

    fn parse(&self) -> Result<Vec<Vec<u8>>> {
        let mut cursor = Cursor::new(self.encoded, Endian::Little);
        let count = cursor.uleb_size("file names")?;
        if count == 0 {
            return Err(Error::malformed("table without file names", 0));
        }
        let uncompressed = cursor.uleb("file names")?;
        let uncompressed_len = usize::try_from(uncompressed)
            .map_err(|_| Error::malformed("file names are too long", cursor.offset()))?;
        let compressed_len = cursor.uleb_size("compressed file names")?;
        let payload = match compressed_len {
            0 => Cow::Borrowed(cursor.rest()),
            len => {
                let start = cursor.offset();
                let stream = cursor.take("compressed file names", super::cursor::wide(len))?;
                Cow::Owned(zlib::decompress(stream, uncompressed_len).map_err(|e| e.offset_by(start))?)
            }
        };
        let mut cursor = Cursor::new(&payload, Endian::Little);
        let mut names: Vec<Vec<u8>> = Vec::new();
        // Joining repeats the directory for each name.
        let mut budget = payload.len().saturating_mul(MAX_JOINED_RATIO).saturating_add(MIN_JOINED_LEN);
        budget = budget.min(MAX_JOINED_LEN);
        for _ in 0..count {
            let len = cursor.uleb_size("file name")?;
            let name = cursor.take("file name", super::cursor::wide(len))?;
            let resolved = match names.first() {
                Some(base) if self.version >= COMPILATION_DIR_VERSION && !is_absolute(name) => {
                    join(base, name)
                }
                _ => name.to_vec(),
            };
            if resolved.len() > MAX_NAME_LEN {
                return Err(Error::malformed("file name is too long", 0));
            }
            budget = budget
                .checked_sub(resolved.len())
                .ok_or(Error::malformed("file names are out of proportion to the table", 0))?;
            names.push(resolved);
        }
        Ok(names)
    }
}

/// Whether a path is absolute on the machine that reads it, which is how LLVM decides.
fn is_absolute(path: &[u8]) -> bool {
    if path.first() == Some(&b'/') {
        return true;
    }
    cfg!(windows) && matches!(path, [_, b':', b'/' | b'\\', ..] | [b'\\', ..])
}

/// `name` seen from the directory `base`, without `.`, `..` and doubled separators where that can be said from the
/// text alone.
fn join(base: &[u8], name: &[u8]) -> Vec<u8> {
    let joined = if base.is_empty() { name.to_vec() } else { [base, b"/", name].concat() };
    let absolute = joined.first() == Some(&b'/');
    let mut components: Vec<&[u8]> = Vec::new();
    for component in joined.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => match components.last() {
                Some(&last) if last != b".." => {
                    components.pop();
                }
                _ if absolute => {}
                _ => components.push(component),
            },
            _ => components.push(component),
        }
    }
    let path = components.join(&b'/');
    if absolute { [b"/", path.as_slice()].concat() } else { path }
}

#[cfg(test)]
mod tests {
    use super::{join, tables};
    use crate::format::cursor::Endian;

    /// The coverage map of the worked example in the module's documentation.
    const DEMO: [u8; 44] = [
        0, 0, 0, 0, 0x19, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, //
        0x02, 0x0e, 0x16, 0x78, 0xda, 0x63, 0xd2, 0x2f, 0xe7, 0xd2, 0x2f, 0xd7, 0x4f, 0x49, 0xcd, 0xcd, 0xd7,
        0x2b, 0x2a, 0x06, 0x00, 0x1a, 0xe4, 0x04, 0x40, //
        0, 0, 0,
    ];

    #[test]
    fn a_compressed_table_is_resolved() {
        let tables = tables(&DEMO, Endian::Little).expect("well-formed");
        assert_eq!(tables.len(), 1);
        assert_eq!(tables[0].filenames_ref, 0x2203_f8a1_6302_ec3c);
        assert_eq!(tables[0].resolve(), Ok(vec![b"/w".to_vec(), b"/w/demo.rs".to_vec()]));
    }

    #[test]
    fn every_truncation_and_foreign_version_is_an_error() {
        for cut in 1..41 {
            let result = tables(&DEMO[..cut], Endian::Little).map(|tables| tables.len());
            // Eight zeros or fewer at the very end are padding.
            let padding = cut <= 4;
            assert_eq!(result.is_ok(), padding, "cut at {cut}: {result:?}");
        }
        let mut foreign = DEMO;
        foreign[12] = 7;
        assert_eq!(
            tables(&foreign, Endian::Little).map_err(|error| error.to_string()),
            Err("unsupported coverage map version 7 (this build reads 3 to 6)".to_owned())
        );
    }

    #[test]
    fn relative_names_are_joined_lexically() {
        for (base, name, expected) in [
            ("/w", "src/lib.rs", "/w/src/lib.rs"),
            ("/w", "../a//./b.rs", "/a/b.rs"),
            ("/w", "../../../b.rs", "/b.rs"),
            (".", "./a.rs", "a.rs"),
            ("x", "../../a.rs", "../a.rs"),
            ("", "a/../b.rs", "b.rs"),
        ] {
            let joined = join(base.as_bytes(), name.as_bytes());
            assert_eq!(String::from_utf8_lossy(&joined), expected, "{base} + {name}");
        }
    }
}
