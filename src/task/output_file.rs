//! Files that are replaced as a whole: no reader ever sees half of one.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Replaces a file by `content`, whole or not at all.
///
/// # Errors
/// The directory or the file cannot be written.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, |out| Ok(out.write_all(content)?))
}

/// Writes beside the file and renames, so that no reader ever sees half a report and a failure leaves the old one.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let context = || format!("failed to write `{}`", path.display());
    // What is no file of its own, like `/dev/stdout` or a named pipe, is written to directly.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let file = File::options().write(true).open(path).with_context(context)?;
        let mut out = BufWriter::new(file);
        return write(&mut out).and_then(|()| Ok(out.flush()?)).with_context(context);
    }
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)
            .with_context(|| format!("failed to create `{}`", directory.display()))?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).map_err(anyhow::Error::from).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 18, file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        Ok(fs::rename(&beside, path)?)
    });
    written.inspect_err(|_| drop(fs::remove_file(&beside))).with_context(context)
}
