//! `ar` archives (`.a`, `.lib`, `.rlib`): where each member lies and what it is called. What is in it is not looked at.
//!
//! Behind `!<arch>\n` each member has a header of 60 bytes, its contents, and a byte of padding to an even offset:
//!
//! | bytes | what | used |
//! |---|---|---|
//! | 16 | name, filled with spaces | yes |
//! | 32 | time, owner, group, mode | no |
//! | 10 | size of the contents in decimal, filled with spaces | yes |
//! | 2 | `` `\n `` | yes |
//!
//! | name | meaning |
//! |---|---|
//! | `short.o/` or `short.o` | a member, as GNU or BSD name it |
//! | `/17` | a member; its name is at byte 17 of the `//` member, ended by `/\n` (GNU) or a zero byte (COFF) |
//! | `#1/20` | a member; the first 20 bytes of its contents are its name, filled with zeros (BSD) |
//! | `//` | the long names |
//! | `/`, `/SYM64/`, other `/…`, `__.SYMDEF…` | symbol tables and the like |

use std::borrow::Cow;

use super::decimal;
use super::input::{ReadError, Window};
use crate::format::cursor::{Cursor, Endian};
use crate::format::error::Error;

const MAGIC_SIZE: u64 = 8;
const HEADER_SIZE: u64 = 60;
/// Names are for messages: a longer one is cut, so that many members cannot share one enormous name.
const LONGEST_NAME: usize = 255;

/// A member that is not a table of the archive itself.
pub(super) struct Member<'a> {
    pub(super) name: String,
    pub(super) window: Window<'a>,
}

/// The members of the archive in `archive`, in order.
pub(super) fn members(archive: Window<'_>) -> Result<Vec<Member<'_>>, ReadError> {
    let mut members = Vec::new();
    let mut long_names = Cow::Borrowed(&[][..]);
    let mut position = MAGIC_SIZE;
    while position < archive.size() {
        let bytes = archive.read("archive member header", position, HEADER_SIZE)?;
        let header = member_header(&bytes).map_err(|error| archive.locate(error.offset_by(position)))?;
        let start = position.saturating_add(HEADER_SIZE);
        let contents = archive.part("archive member", start, header.size)?;
        match Name::parse(header.name) {
            Name::LongNames => long_names = contents.read("archive member names", 0, contents.size())?,
            Name::Table => {}
            Name::Short(name) => members.push(Member { name: lossy(name), window: contents }),
            Name::InTable(offset) => {
                let name = long_name(&long_names, offset).unwrap_or(header.name);
                members.push(Member { name: lossy(name), window: contents });
            }
            Name::InContents(size) => {
                let name = contents.read("archive member name", 0, size)?;
                let name = until(&name, |byte| byte == 0);
                if !is_bsd_table(name) {
                    let rest = contents.size().saturating_sub(size);
                    let window = contents.part("archive member", size, rest)?;
                    members.push(Member { name: lossy(name), window });
                }
            }
        }
        // The last byte of padding may be missing.
        position = start.saturating_add(header.size).checked_next_multiple_of(2).unwrap_or(u64::MAX);
    }
    Ok(members)
}

struct Header<'a> {
    name: &'a [u8],
    size: u64,
}

fn member_header(bytes: &[u8]) -> Result<Header<'_>, Error> {
    let mut cursor = Cursor::new(bytes, Endian::Little);
    let name = cursor.take("archive member header", 16)?.trim_ascii_end();
    cursor.take("archive member header", 32)?;
    let size = cursor.take("archive member header", 10)?;
    let Some(size) = decimal(size.trim_ascii_end()) else {
        return Err(Error::malformed("size of an archive member", 48));
    };
    if cursor.take("archive member header", 2)? != b"`\n" {
        return Err(Error::malformed("end of an archive member header", 58));
    }
    Ok(Header { name, size })
}

/// What the name field of a member header means.
enum Name<'a> {
    LongNames,
    Table,
    Short(&'a [u8]),
    InTable(u64),
    InContents(u64),
}

impl Name<'_> {
    fn parse(field: &[u8]) -> Name<'_> {
        if field == b"//" {
            return Name::LongNames;
        }
        if let Some(rest) = field.strip_prefix(b"/") {
            return decimal(rest).map_or(Name::Table, Name::InTable);
        }
        if let Some(size) = field.strip_prefix(b"#1/").and_then(decimal) {
            return Name::InContents(size);
        }
        if is_bsd_table(field) {
            return Name::Table;
        }
        Name::Short(field.strip_suffix(b"/").unwrap_or(field))
    }
}

/// `__.SYMDEF`, `__.SYMDEF_64`, and both with ` SORTED`.
fn is_bsd_table(name: &[u8]) -> bool {
    let suffix = name.strip_prefix(b"__.SYMDEF");
    suffix.is_some_and(|suffix| matches!(suffix, b"" | b" SORTED" | b"_64" | b"_64 SORTED"))
}

fn long_name(table: &[u8], offset: u64) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    let name = until(rest, |byte| byte == 0 || byte == b'\n');
    Some(name.strip_suffix(b"/").unwrap_or(name))
}

/// The bytes before the first that `ends`, at most as many as a name may have.
fn until(bytes: &[u8], ends: impl Fn(u8) -> bool) -> &[u8] {
    let bytes = bytes.get(..LONGEST_NAME).unwrap_or(bytes);
    bytes.split(|&byte| ends(byte)).next().unwrap_or_default()
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
