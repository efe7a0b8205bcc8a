//! Takes archives apart, for LLVM's tools: one member without coverage data, and every `.rlib` has `lib.rmeta`, makes those
//! give up on the whole archive, without a word where there are other objects.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::files::FileInput;
use crate::object::write::elf_object;
use crate::object::{Architecture, ReadAt, coverage_sections};

/// What an archive begins with.
const MAGIC: &[u8] = b"!<arch>\n";

/// `objects` with each archive replaced by the coverage data of its members, written to `directory` as object files, in the
/// order in which [`super::read_objects`] reads them.
///
/// # Errors
/// An archive that cannot be read, a directory that cannot be written.
pub fn unpack_archives(objects: &[PathBuf], directory: &Path) -> Result<Vec<PathBuf>> {
    let mut unpacked = Vec::new();
    for (number, path) in objects.iter().enumerate() {
        // What cannot be read is for the reader of the objects to complain of.
        let Some(archive) = open_archive(path) else {
            unpacked.push(path.clone());
            continue;
        };
        let context = || format!("failed to unpack `{}`", path.display());
        let file = coverage_sections(&archive, Architecture::host())
            .map_err(|e| anyhow!("{e}"))
            .with_context(context)?;
        fs::create_dir_all(directory)
            .with_context(|| format!("failed to create `{}`", directory.display()))?;
        for (member, object) in file.objects.iter().enumerate() {
            let name = directory.join(format!("{number}-{member}.o"));
            fs::write(&name, elf_object(object))
                .with_context(|| format!("failed to write `{}`", name.display()))?;
            unpacked.push(name);
        }
    }
    Ok(unpacked)
}

fn open_archive(path: &Path) -> Option<FileInput> {
    let input = FileInput::open(path).ok()?;
    let magic = u64::try_from(MAGIC.len()).ok().filter(|size| *size <= input.size())?;
    let is_archive = input.read_at(0, magic).is_ok_and(|head| *head == *MAGIC);
    is_archive.then_some(input)
}

#[cfg(test)]
mod tests {
    use super::unpack_archives;
    use crate::object::coverage_sections;
    use std::fs;
    use std::path::Path;

    #[test]
    fn members_with_data_take_the_place_of_their_archive() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/objects");
        let directory = std::env::temp_dir().join(format!("xtask-coverage-unpack-{}", std::process::id()));
        let objects = ["elf64-le.o", "gnu.rlib", "missing", "elf64-le.so"].map(|name| data.join(name));
        let unpacked = unpack_archives(&objects, &directory).expect("can be unpacked");
        let members = [directory.join("1-0.o"), directory.join("1-1.o")];
        assert_eq!(unpacked, [&objects[..1], &members, &objects[2..]].concat());
        // Both members were made from this very object.
        let maps = |path: &Path| {
            let bytes = fs::read(path).expect("readable");
            let bytes = bytes.as_slice();
            let file = coverage_sections(&bytes, None).expect("an object");
            let object = &file.objects[0];
            (object.covmap.to_vec(), object.names.to_vec())
        };
        for member in &members {
            assert_eq!(maps(member), maps(&objects[0]));
        }
        fs::remove_dir_all(&directory).expect("ours");
    }
}
