//! The files of a load, on disk or in memory: opened, read, named. Knows nothing of what is in them.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::object::ReadAt;

/// Files of one kind, known by their positions.
#[derive(Clone, Copy)]
pub(super) enum Files<'a> {
    /// By their paths.
    OnDisk(&'a [PathBuf]),
    /// By their contents.
    InMemory(&'a [&'a [u8]]),
}

impl<'a> Files<'a> {
    /// How many there are.
    pub(super) fn len(self) -> usize {
        match self {
            Files::OnDisk(paths) => paths.len(),
            Files::InMemory(contents) => contents.len(),
        }
    }

    /// What messages call a file.
    pub(super) fn name(self, position: usize) -> String {
        match self {
            Files::OnDisk(paths) => {
                paths.get(position).map_or_else(String::new, |path| path.display().to_string())
            }
            Files::InMemory(_) => format!("#{position}"),
        }
    }

    /// Opens a file, to be read at arbitrary places.
    pub(super) fn open(self, position: usize) -> io::Result<Box<dyn ReadAt + 'a>> {
        match self {
            Files::OnDisk(paths) => match paths.get(position) {
                Some(path) => Ok(Box::new(FileInput::open(path)?)),
                None => Err(io::ErrorKind::NotFound.into()),
            },
            Files::InMemory(contents) => match contents.get(position) {
                Some(bytes) => Ok(Box::new(*bytes)),
                None => Err(io::ErrorKind::NotFound.into()),
            },
        }
    }

    /// The whole of a file; `buffer` keeps its memory from file to file.
    pub(super) fn read<'b>(self, position: usize, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]>
    where
        'a: 'b,
    {
        match self {
            Files::OnDisk(paths) => match paths.get(position) {
                Some(path) => {
                    read_file(path, buffer)?;
                    Ok(buffer)
                }
                None => Err(io::ErrorKind::NotFound.into()),
            },
            Files::InMemory(contents) => {
                contents.get(position).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
            }
        }
    }
}

/// Reads a whole file into `buffer`.
pub(super) fn read_file(path: &Path, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.clear();
    let FileInput { mut file, size } = FileInput::open(path)?;
    buffer.reserve(usize::try_from(size).map_err(io::Error::other)?.saturating_add(1));
    file.read_to_end(buffer)?;
    Ok(())
}

/// An open file that is read at arbitrary places.
pub(super) struct FileInput {
    file: File,
    size: u64,
}

impl FileInput {
    pub(super) fn open(path: &Path) -> io::Result<FileInput> {
        // Opening a named pipe would wait for a writer for ever.
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let file = File::open(path)?;
        Ok(FileInput { file, size: metadata.len() })
    }
}

impl ReadAt for FileInput {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, len: u64) -> io::Result<Cow<'_, [u8]>> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        read_exact_at(&self.file, &mut bytes, offset)?;
        Ok(Cow::Owned(bytes))
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        match file.seek_read(bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                bytes = &mut bytes[n..];
                offset += n as u64;
            }
        }
    }
    Ok(())
}
