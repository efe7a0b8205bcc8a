//! The real `llvm-profdata` and `llvm-cov`, where they are installed: the reference that our own reading is checked
//! against, and an engine in its place for those who ask for it.

pub mod export;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

/// Both tools, of the LLVM that rustc itself is built on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LlvmTools {
    /// Merges raw profiles.
    pub profdata: PathBuf,
    /// Exports coverage.
    pub cov: PathBuf,
    /// The version of `llvm-cov`: `22.1.8`.
    pub version: String,
}

/// What the tools have to fit, and where they may be.
pub struct ToolSearch<'a> {
    /// Major version of the LLVM that rustc is built on. Profiles of one version are read by tools of that version.
    pub llvm_major: u64,
    /// The toolchain's directory: `rustc --print sysroot`.
    pub sysroot: &'a Path,
    /// The triple that the toolchain runs on.
    pub host: &'a str,
    /// Looks up an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// One of `llvm-cov export`'s formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// An LCOV tracefile.
    Lcov,
    /// LLVM's JSON, which it calls text.
    Json,
}

/// What one `llvm-cov export` is given.
#[derive(Clone, Copy, Debug)]
pub struct ExportOptions<'a> {
    /// The output's format.
    pub format: ExportFormat,
    /// Further flags of `llvm-cov export`, such as `-summary-only`.
    pub flags: &'a [&'a str],
    /// Patterns for `-ignore-filename-regex`.
    pub ignore_filename_regexes: &'a [String],
}

/// What becomes of a merge when a raw profile cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamagedProfiles {
    /// It fails.
    Refuse,
    /// The profile is passed over with a warning; the merge fails when none is left.
    Skip,
}

impl LlvmTools {
    /// Finds both tools: as `LLVM_PROFDATA` and `LLVM_COV` name them, in the toolchain's `llvm-tools` component, on the
    /// `PATH` with rustc's LLVM version as a suffix and without one.
    ///
    /// # Errors
    /// No tool anywhere, or one of another version; both with the commands that install the right one.
    pub fn find(sh: &Shell, search: &ToolSearch<'_>) -> Result<LlvmTools> {
        let (profdata, _) = find_tool(sh, search, "llvm-profdata", "LLVM_PROFDATA")?;
        let (cov, version) = find_tool(sh, search, "llvm-cov", "LLVM_COV")?;
        Ok(LlvmTools { profdata, cov, version })
    }

    /// Merges raw profiles into the file `output`, as `llvm-profdata merge -sparse`; gives the tool's warnings.
    ///
    /// # Errors
    /// What `llvm-profdata` says.
    pub fn merge(
        &self,
        sh: &Shell,
        profiles: &[PathBuf],
        output: &Path,
        damaged: DamagedProfiles,
    ) -> Result<Vec<String>> {
        // Thousands of paths do not fit a command line.
        let list_file = output.with_extension("profiles");
        let mut list = Vec::new();
        for profile in profiles {
            let path = profile.as_os_str().as_encoded_bytes();
            // What stands before the first comma of a line is a weight.
            if path.contains(&b',') {
                list.extend_from_slice(b"1,");
            }
            list.extend_from_slice(path);
            list.push(b'\n');
        }
        fs::write(&list_file, list).with_context(|| format!("failed to write `{}`", list_file.display()))?;
        let profdata = &self.profdata;
        let failure_mode = match damaged {
            DamagedProfiles::Refuse => "-failure-mode=any",
            DamagedProfiles::Skip => "-failure-mode=all",
        };
        let command = cmd!(sh, "{profdata} merge -sparse {failure_mode} -f {list_file} -o {output}");
        let (_, warnings) = run(command.quiet().ignore_status(), "llvm-profdata merge")?;
        Ok(warnings)
    }

    /// What `llvm-cov export` prints for a merged profile and objects in the given order, and what it warns of.
    ///
    /// # Errors
    /// What `llvm-cov` says.
    pub fn export(
        &self,
        sh: &Shell,
        profile: &Path,
        objects: &[PathBuf],
        options: &ExportOptions<'_>,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        let Some((first, others)) = objects.split_first() else { bail!("no object to export coverage of") };
        let format = match options.format {
            ExportFormat::Lcov => "-format=lcov",
            ExportFormat::Json => "-format=text",
        };
        let mut arguments: Vec<OsString> = vec![format.into()];
        arguments.extend(options.flags.iter().map(OsString::from));
        for regex in options.ignore_filename_regexes {
            arguments.push(format!("-ignore-filename-regex={regex}").into());
        }
        arguments.extend([OsString::from("-instr-profile"), profile.into(), first.into()]);
        for object in others {
            arguments.extend([OsString::from("-object"), object.into()]);
        }
        let cov = &self.cov;
        let command = cmd!(sh, "{cov} export {arguments...}");
        run(command.quiet().ignore_status(), "llvm-cov export")
    }
}

/// Runs a tool; gives its standard output and its warnings.
fn run(command: xshell::Cmd<'_>, name: &str) -> Result<(Vec<u8>, Vec<String>)> {
    let output = command.output().with_context(|| format!("failed to run {name}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed ({}): {}", output.status, errors.trim());
    let warnings = errors.lines().filter_map(|line| line.strip_prefix("warning: "));
    Ok((output.stdout, warnings.map(|warning| format!("{name}: {warning}")).collect()))
}

/// A tool and its version.
fn find_tool(sh: &Shell, search: &ToolSearch<'_>, name: &str, variable: &str) -> Result<(PathBuf, String)> {
    let fits = |version: &str| major(version) == Some(search.llvm_major);
    if let Some(path) = (search.variable)(variable).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        let version = version_of(sh, &path)
            .with_context(|| format!("`{}`, as {variable} names it, is no {name}", path.display()))?;
        ensure!(fits(&version), wrong_version(search, &path, &version));
        return Ok((path, version));
    }
    let suffix = std::env::consts::EXE_SUFFIX;
    let component = search.sysroot.join(format!("lib/rustlib/{}/bin/{name}{suffix}", search.host));
    let versioned = PathBuf::from(format!("{name}-{}{suffix}", search.llvm_major));
    let plain = PathBuf::from(format!("{name}{suffix}"));
    let mut other = None;
    for path in [component, versioned, plain] {
        match version_of(sh, &path) {
            Ok(version) if fits(&version) => return Ok((path, version)),
            Ok(version) => other = Some(wrong_version(search, &path, &version)),
            Err(_) => {}
        }
    }
    match other {
        Some(message) => bail!(message),
        None => bail!("{name} is not installed; {}", how_to_install(search)),
    }
}

fn wrong_version(search: &ToolSearch<'_>, path: &Path, version: &str) -> String {
    let (path, wanted) = (path.display(), search.llvm_major);
    let found = version.split('.').next().unwrap_or(version);
    format!("`{path}` is of LLVM {found}, but rustc is built on LLVM {wanted}; {}", how_to_install(search))
}

fn how_to_install(search: &ToolSearch<'_>) -> String {
    let major = search.llvm_major;
    format!(
        "`rustup component add llvm-tools` installs the toolchain's own, `apt-get install llvm-{major}` Debian's, and \
         LLVM_PROFDATA and LLVM_COV name others"
    )
}

/// The version that an LLVM tool claims.
fn version_of(sh: &Shell, path: &Path) -> Result<String> {
    let text = cmd!(sh, "{path} --version").quiet().ignore_stderr().read()?;
    parse_version(&text).map(str::to_owned).with_context(|| format!("no LLVM version in {text:?}"))
}

/// The number behind "LLVM version", of which at least the major part is one.
fn parse_version(text: &str) -> Option<&str> {
    let (_, version) = text.split_once("LLVM version ")?;
    let version = version.split(|character: char| !character.is_ascii_digit() && character != '.').next()?;
    major(version).map(|_| version)
}

fn major(version: &str) -> Option<u64> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn the_version_is_found() {
        for (text, expected) in [
            ("Debian LLVM version 22.1.8\n  Optimized build.", Some("22.1.8")),
            ("LLVM (http://llvm.org/):\n  LLVM version 19.1.1-rust-1.83.0-stable", Some("19.1.1")),
            ("cargo 1.95.0", None),
            ("LLVM version x", None),
        ] {
            assert_eq!(parse_version(text), expected, "{text}");
        }
    }
}
