//! Files that are replaced as a whole: no reader ever sees half of one.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};

use crate::ui::message::Advised;

/// Replaces a file by `content`, whole or not at all.
///
/// # Errors
/// The directory or the file cannot be written.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, |out| Ok(out.write_all(content)?))
}

/// Writes beside the file and renames, so that no reader ever sees half a report and a failure leaves the old one.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    replace_or_leave(path, write).map_err(|error| {
        let what = format!("failed to write `{}`", path.display());
        advise(error, what)
    })
}

/// Makes a directory, and those around it.
///
/// # Errors
/// It cannot be made.
pub(super) fn create_dir(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).map_err(|error| {
        let what = format!("failed to create `{}`", directory.display());
        advise(error.into(), what)
    })
}

/// Says what was tried, and what helps where something does.
fn advise(error: Error, what: String) -> Error {
    let is_of_system =
        |cause: &(dyn std::error::Error + 'static)| Some(cause.downcast_ref::<io::Error>()?.kind());
    let cure = match error.chain().find_map(is_of_system) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            "make room, or write elsewhere: `--target-dir`, `--output-dir` and `--output-path` name other places"
        }
        Some(ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied) => {
            "`--target-dir`, or the variable CARGO_TARGET_DIR, names a directory that can be written to; for reports alone, \
             `--output-dir` does"
        }
        Some(ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory) => {
            "something else has this name, or that of a directory above it, or it is a link to nothing; remove that"
        }
        _ => return error.context(what),
    };
    error.context(Advised::new(what, cure))
}

/// What an interrupted write of `name` has left, going by the name of the file.
pub(super) fn is_abandoned(file_name: &str, name: &str) -> bool {
    let number = file_name.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".tmp"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn replace_or_leave(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    // What is no file of its own, like `/dev/stdout` or a named pipe, is written to directly.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let file = File::options().write(true).open(path)?;
        let mut out = BufWriter::new(file);
        return write(&mut out).and_then(|()| Ok(out.flush()?));
    }
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)
            .with_context(|| format!("failed to create `{}`", directory.display()))?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).map_err(Error::from).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 18, file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        Ok(fs::rename(&beside, path)?)
    });
    written.inspect_err(|_| drop(fs::remove_file(&beside)))
}

#[cfg(test)]
mod tests {
    use super::is_abandoned;

    #[test]
    fn only_what_we_leave_is_abandoned() {
        for (file_name, expected) in [
            ("lcov.info.4711.tmp", true),
            ("lcov.info", false),
            ("lcov.info.tmp", false),
            ("lcov.info..tmp", false),
            ("lcov.info.mine.tmp", false),
            ("my-lcov.info.4711.tmp", false),
        ] {
            assert_eq!(is_abandoned(file_name, "lcov.info"), expected, "{file_name}");
        }
    }
}
