//! The other names of this program: under each, cargo or rustdoc starts it in place of one of their tools. Only names and
//! links; what happens under a name is told where the tool is.

use anyhow::{Context, Result};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the links apart that threads of this process make.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name under which this program does something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Compiles a unit of a member: [`crate::cargo::wrapper`].
    Rustc,
    /// Writes down how cargo would run a library's doctests: [`crate::cargo::doctests`].
    Rustdoc,
    /// Runs a program that somebody else starts, with the variables that a test binary gets: [`crate::runner::runtool`].
    Runtool,
    /// The same for cargo-nextest, which starts programs that are known beforehand: [`crate::runner::nextest`].
    Nextest,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Rustc, Role::Rustdoc, Role::Runtool, Role::Nextest];

    /// The file name, without the system's ending for programs.
    pub fn name(self) -> &'static str {
        match self {
            Role::Rustc => "xtask-coverage-rustc",
            Role::Rustdoc => "xtask-coverage-rustdoc",
            Role::Runtool => "xtask-coverage-runtool",
            Role::Nextest => "xtask-coverage-nextest",
        }
    }

    /// The role of a program that was started as `program`; `None` for its ordinary one.
    pub fn of(program: &Path) -> Option<Role> {
        Role::ALL.into_iter().find(|role| program.file_stem() == Some(OsStr::new(role.name())))
    }

    /// Makes a link to this executable in `directory`, which exists, and returns its path.
    ///
    /// It is a symbolic link where those need no privilege, else a hard link or a copy.
    ///
    /// # Errors
    /// When the link cannot be made.
    pub fn install(self, directory: &Path) -> Result<PathBuf> {
        let executable = env::current_exe().context("failed to find this executable")?;
        let link = directory.join(format!("{}{}", self.name(), env::consts::EXE_SUFFIX));
        // Other threads may be about to make the same link, and a process that was killed may have left one.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let beside = link.with_extension(format!("{}-{number}.tmp", process::id()));
        drop(fs::remove_file(&beside));
        let linked = if cfg!(unix) {
            symlink(&executable, &beside)
        } else {
            fs::hard_link(&executable, &beside).or_else(|_| fs::copy(&executable, &beside).map(|_| ()))
        };
        linked
            .and_then(|()| fs::rename(&beside, &link))
            .with_context(|| format!("failed to link `{}` to `{}`", link.display(), executable.display()))?;
        Ok(link)
    }
}

/// The directory of a link under which this process was started.
///
/// # Errors
/// When it was not started by its absolute path, as cargo and rustdoc do.
pub fn directory_of(link: &Path) -> Result<&Path> {
    link.parent()
        .filter(|directory| directory.is_absolute())
        .with_context(|| format!("`{}` has to be called by its absolute path, as cargo does", link.display()))
}

#[cfg(unix)]
fn symlink(original: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

#[cfg(not(unix))]
fn symlink(_original: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes `command` take the place of this process where the system can do that; else waits for it and returns its exit code.
///
/// # Errors
/// When it cannot be started.
pub fn become_command(mut command: process::Command) -> Result<u8> {
    let program = command.get_program().to_string_lossy().into_owned();
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        Err(command.exec()).with_context(|| format!("failed to run `{program}`"))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(|| format!("failed to run `{program}`"))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Role;
    use std::path::Path;
    use std::{env, fs, process, thread};

    #[test]
    fn many_threads_make_the_same_link() {
        let directory = env::temp_dir().join(format!("xtask-coverage-role-{}", process::id()));
        fs::create_dir_all(&directory).expect("can be made");
        let links = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Role::Runtool.install(&directory))).collect();
            threads.into_iter().map(|it| it.join().expect("no panic").expect("is made")).collect::<Vec<_>>()
        });
        assert!(links.iter().all(|link| link == &links[0] && link.exists()), "{links:?}");
        let entries = fs::read_dir(&directory).expect("can be listed").count();
        fs::remove_dir_all(&directory).expect("can be removed");
        assert_eq!(entries, 1, "nothing is left beside it");
    }

    #[test]
    fn a_role_is_told_by_the_file_name_alone() {
        let rows = [
            ("/w/target/coverage/wrapper/0/xtask-coverage-rustc", Some(Role::Rustc)),
            ("xtask-coverage-rustdoc.exe", Some(Role::Rustdoc)),
            ("./xtask-coverage-runtool", Some(Role::Runtool)),
            ("/w/target/coverage/nextest/xtask-coverage-nextest", Some(Role::Nextest)),
            ("/w/target/debug/xtask", None),
            ("xtask-coverage", None),
            ("xtask-coverage-rustc-2", None),
        ];
        for (program, expected) in rows {
            assert_eq!(Role::of(Path::new(program)), expected, "{program}");
        }
    }
}
