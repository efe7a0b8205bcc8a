//! Universal Mach-O: the choice of one architecture's slice. What is in the slice is not looked at here.
//!
//! | part | 0xcafebabe | 0xcafebabf | what is used |
//! |---|---|---|---|
//! | header | 8 bytes | 8 bytes | magic, number of slices |
//! | slice | 20 bytes | 32 bytes | CPU type and subtype, offset, size |
//!
//! Always big-endian. A Java class file starts with 0xcafebabe as well; the number of slices is then its version,
//! which is 45 or more.
//!
//! Worked example: `ca fe ba be  00 00 00 02  01 00 00 07` is a file of two slices, the first for x86-64.

use super::input::{ReadError, Window};
use super::not_an_object;
use crate::format::cursor::{Cursor, Endian};
use crate::format::error::{Error, ErrorKind};

/// More slices than any universal file has, fewer than the lowest version of a Java class file.
const MOST_SLICES: u32 = 40;

/// A CPU type of Mach-O, which chooses the slice of a universal file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    name: &'static str,
    cpu_type: u32,
    /// The subtype that every CPU of the type runs.
    general_subtype: u32,
}

/// Names as Mach-O tools give them, CPU types, general subtypes.
const ARCHITECTURES: [Architecture; 7] = [
    Architecture { name: "x86_64", cpu_type: 0x0100_0007, general_subtype: 3 },
    Architecture { name: "arm64", cpu_type: 0x0100_000c, general_subtype: 0 },
    Architecture { name: "arm64_32", cpu_type: 0x0200_000c, general_subtype: 1 },
    Architecture { name: "i386", cpu_type: 7, general_subtype: 3 },
    Architecture { name: "arm", cpu_type: 12, general_subtype: 0 },
    Architecture { name: "ppc", cpu_type: 18, general_subtype: 0 },
    Architecture { name: "ppc64", cpu_type: 0x0100_0012, general_subtype: 0 },
];

impl Architecture {
    /// The architecture that this code was compiled for, where Mach-O knows it.
    pub fn host() -> Option<Architecture> {
        Architecture::of_triple(std::env::consts::ARCH)
    }

    /// The architecture of a target triple such as `aarch64-apple-darwin`, or of its first part alone.
    pub fn of_triple(target_triple: &str) -> Option<Architecture> {
        let name = target_triple.split('-').next().unwrap_or_default();
        let name = match name {
            "x86_64h" => "x86_64",
            "aarch64" | "arm64e" => "arm64",
            "x86" | "i586" | "i686" => "i386",
            "powerpc" => "ppc",
            "powerpc64" => "ppc64",
            _ if name.starts_with("arm64_32") => "arm64_32",
            _ if name.starts_with("armv") => "arm",
            _ => name,
        };
        ARCHITECTURES.into_iter().find(|architecture| architecture.name == name)
    }

    fn of_cpu_type(cpu_type: u32) -> Option<Architecture> {
        ARCHITECTURES.into_iter().find(|architecture| architecture.cpu_type == cpu_type)
    }
}

struct Slice {
    cpu_type: u32,
    subtype: u32,
    offset: u64,
    size: u64,
}

/// The slice of the universal file in `window` for `architecture`, or its only slice; with the slice's name.
pub(super) fn slice<'a>(
    window: Window<'a>,
    head: &[u8],
    architecture: Option<Architecture>,
) -> Result<(String, Window<'a>), ReadError> {
    let mut cursor = Cursor::new(head, Endian::Big);
    let wide_fields = cursor.u32("universal header").map_err(|error| window.locate(error))? == 0xcafe_babf;
    let count = cursor.u32("universal header").map_err(|error| window.locate(error))?;
    if count > MOST_SLICES {
        return Err(window.locate(not_an_object()).into());
    }
    let entry_size: u64 = if wide_fields { 32 } else { 20 };
    let table = window.read("universal slice table", 8, entry_size.saturating_mul(u64::from(count)))?;
    let mut cursor = Cursor::new(&table, Endian::Big);
    let mut slices = Vec::new();
    for _ in 0..count {
        slices.push(slice_entry(&mut cursor, wide_fields)?);
    }
    let chosen = match (slices.as_slice(), architecture) {
        ([only], _) => Some(only),
        (several, Some(architecture)) => several
            .iter()
            .filter(|slice| slice.cpu_type == architecture.cpu_type)
            .min_by_key(|slice| slice.subtype != architecture.general_subtype),
        _ => None,
    };
    let Some(chosen) = chosen else {
        let what = "universal file without a slice for this architecture";
        return Err(window.locate(Error::new(ErrorKind::Unsupported { what }, 0)).into());
    };
    let name = match Architecture::of_cpu_type(chosen.cpu_type) {
        Some(architecture) => architecture.name.to_owned(),
        None => format!("CPU type {:#x}", chosen.cpu_type),
    };
    Ok((name, window.part("universal slice", chosen.offset, chosen.size)?))
}

fn slice_entry(cursor: &mut Cursor<'_>, wide_fields: bool) -> Result<Slice, Error> {
    let what = "universal slice table";
    let cpu_type = cursor.u32(what)?;
    // The top byte holds capabilities such as pointer authentication.
    let subtype = cursor.u32(what)? & 0x00ff_ffff;
    let (offset, size) = if wide_fields {
        let fields = (cursor.u64(what)?, cursor.u64(what)?);
        cursor.take(what, 8)?;
        fields
    } else {
        let fields = (cursor.u32(what)?.into(), cursor.u32(what)?.into());
        cursor.take(what, 4)?;
        fields
    };
    Ok(Slice { cpu_type, subtype, offset, size })
}
