//! Processes that a test binary left behind: who still holds its output. Ends none of them, as cargo does not.

use std::fmt;
use std::fs;
use std::io::PipeReader;
use std::process::Command;

/// A process that was left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its number; `None` if nobody could be found.
    pub process: Option<u32>,
    /// How it was called, as far as the system tells.
    pub command: String,
}

impl Leftover {
    /// Somebody, since the output has no end, but the system does not tell who.
    pub(super) const UNSEEN: Leftover = Leftover { process: None, command: String::new() };
}

/// `sleep 60` (process 4711)
impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process {
            Some(process) => write!(f, "`{}` (process {process})", self.command),
            None => f.write_str("a process"),
        }
    }
}

/// What Linux calls the pipe, by which its holders are found: `pipe:[4711]`.
#[cfg(target_os = "linux")]
pub(super) fn name_of(reader: &PipeReader) -> Option<String> {
    use std::os::fd::AsRawFd;
    let link = fs::read_link(format!("/proc/self/fd/{}", reader.as_raw_fd())).ok()?;
    Some(link.to_string_lossy().into_owned())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn name_of(_reader: &PipeReader) -> Option<String> {
    None
}

/// Who holds `pipe`, or else who is in the process group of `leader`, as far as the system tells.
pub(super) fn find(leader: u32, pipe: Option<&str>) -> Vec<Leftover> {
    match pipe {
        Some(pipe) => holders(pipe),
        None => group_of(leader),
    }
}

/// The other processes that have `pipe` open, by number. Those of other users do not show.
fn holders(pipe: &str) -> Vec<Leftover> {
    let own = std::process::id();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let is_open =
            |file: fs::DirEntry| fs::read_link(file.path()).is_ok_and(|target| target.to_str() == Some(pipe));
        let files = fs::read_dir(entry.path().join("fd"));
        if process != own && files.into_iter().flatten().flatten().any(is_open) {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words: Vec<_> = words
                .split(|byte| *byte == 0)
                .filter(|word| !word.is_empty())
                .map(String::from_utf8_lossy)
                .collect();
            found.push(Leftover { process: Some(process), command: words.join(" ") });
        }
    }
    found.sort_by_key(|leftover| leftover.process);
    found
}

/// The processes of a group, as `ps` lists them; none where there is no `ps`.
fn group_of(leader: u32) -> Vec<Leftover> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=", "-o", "pgid=", "-o", "args="]).output();
    let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let parse = |line: &str| {
        let (process, rest) = line.trim_start().split_once(' ')?;
        let (group, command) = rest.trim_start().split_once(' ')?;
        let is_member = group.parse() == Ok(leader);
        is_member.then(|| Leftover { process: process.parse().ok(), command: command.trim().to_owned() })
    };
    text.lines().filter_map(parse).collect()
}
