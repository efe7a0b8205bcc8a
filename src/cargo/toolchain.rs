//! The compiler: which rustc, which version and host, for which targets it has the profiler runtime.

use crate::cargo::environment::Environment;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::Shell;

/// What rustc says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The program that was asked.
    pub rustc: PathBuf,
    /// `1.95.0`, `1.97.0-nightly`.
    pub release: String,
    /// Major and minor number of the release.
    pub version: (u32, u32),
    /// The target triple that it runs on.
    pub host: String,
    /// Whether unstable features can be switched on.
    pub nightly: bool,
    /// The LLVM inside: `22.1.2`. A rustc with another backend has none.
    pub llvm: Option<String>,
    /// The root of its libraries.
    pub sysroot: PathBuf,
}

impl Toolchain {
    /// Asks the rustc that cargo will use: `RUSTC`, `CARGO_BUILD_RUSTC`, the one beside cargo, the one on the path.
    ///
    /// # Errors
    /// When it cannot be run or does not answer as rustc does.
    pub fn discover(environment: &Environment) -> Result<Toolchain> {
        let rustc = find_rustc(environment);
        let version = ask(environment, &rustc, &["-vV"])?;
        let sysroot = ask(environment, &rustc, &["--print", "sysroot"])?;
        let bootstrapped = environment.get("RUSTC_BOOTSTRAP").is_some_and(|value| value == "1");
        let mut toolchain = Toolchain::parse(rustc, &version, Path::new(sysroot.trim()))?;
        toolchain.nightly |= bootstrapped;
        Ok(toolchain)
    }

    /// The toolchain that `version`, the output of `rustc -vV`, describes.
    ///
    /// # Errors
    /// When it has no line for the release or the host.
    pub fn parse(rustc: PathBuf, version: &str, sysroot: &Path) -> Result<Toolchain> {
        let line = |field: &str| version.lines().find_map(|line| line.strip_prefix(field)).map(str::trim);
        let missing =
            |field: &str| format!("`{} -vV` printed no line `{field}`, but:\n{version}", rustc.display());
        let release = line("release:").with_context(|| missing("release:"))?.to_owned();
        let host = line("host:").with_context(|| missing("host:"))?.to_owned();
        let mut numbers = release.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
        Ok(Toolchain {
            version: (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)),
            nightly: release.contains("-nightly") || release.contains("-dev"),
            llvm: line("LLVM version:").map(str::to_owned),
            sysroot: sysroot.to_owned(),
            rustc,
            release,
            host,
        })
    }

    /// The directory of the standard library for `target_triple`.
    pub fn target_libdir(&self, target_triple: &str) -> PathBuf {
        self.sysroot.join("lib").join("rustlib").join(target_triple).join("lib")
    }

    /// The triples for which the profiler runtime is there, sorted. Without it, instrumented code does not link.
    pub fn profiler_triples(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.sysroot.join("lib").join("rustlib")) else { return Vec::new() };
        let mut triples: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|triple| has_profiler(&self.target_libdir(triple)))
            .collect();
        triples.sort();
        triples
    }

    /// Checks that code for `target_triple` can be instrumented.
    ///
    /// # Errors
    /// When the profiler runtime is not part of this toolchain; says where it was looked for and what helps.
    pub fn check_profiler(&self, target_triple: &str) -> Result<()> {
        let libdir = self.target_libdir(target_triple);
        if has_profiler(&libdir) {
            return Ok(());
        }
        if !libdir.is_dir() {
            bail!(
                "the standard library for `{target_triple}` is not installed (`{}` does not exist); \
                 `rustup target add {target_triple}` installs it",
                libdir.display()
            );
        }
        bail!(
            "rustc {} has no profiler runtime for `{target_triple}` (no `{}`), so coverage cannot be measured there; \
             use a toolchain from rustup where a Linux distribution built this one without it, \
             or another `--target`: on Linux, the `-gnu` targets have it",
            self.release,
            libdir.join("libprofiler_builtins-*.rlib").display()
        );
    }
}

/// Whether the profiler runtime lies in `libdir`.
fn has_profiler(libdir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(libdir) else { return false };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).any(|name| is_profiler(&name))
}

/// Whether a file of the standard library is the profiler runtime.
fn is_profiler(file_name: &str) -> bool {
    file_name.starts_with("libprofiler_builtins-") && file_name.ends_with(".rlib")
}

/// The rustc that cargo would use. `build.rustc` of a configuration file is not seen here; cargo itself obeys it.
fn find_rustc(environment: &Environment) -> PathBuf {
    for name in ["RUSTC", "CARGO_BUILD_RUSTC"] {
        if let Some(rustc) = environment.get(name).filter(|value| !value.is_empty()) {
            return PathBuf::from(rustc);
        }
    }
    let program = format!("rustc{}", std::env::consts::EXE_SUFFIX);
    let cargo = Path::new(environment.cargo());
    let beside_cargo = cargo.with_file_name(&program);
    if cargo.is_absolute() && beside_cargo.is_file() { beside_cargo } else { PathBuf::from(program) }
}

/// What rustc prints on stdout for `arguments`.
fn ask(environment: &Environment, rustc: &Path, arguments: &[&str]) -> Result<String> {
    let shell = Shell::new().context("failed to find the current directory")?;
    shell.cmd(rustc).args(arguments).env_clear().envs(environment.variables()).quiet().read().with_context(
        || {
            format!(
                "failed to run `{} {}`; is the toolchain complete? `RUSTC` names another one",
                rustc.display(),
                arguments.join(" ")
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::{Toolchain, is_profiler};
    use std::path::{Path, PathBuf};

    fn parse(version: &str) -> anyhow::Result<Toolchain> {
        Toolchain::parse(PathBuf::from("rustc"), version, Path::new("/s"))
    }

    #[test]
    fn versions() {
        let rows = [
            (
                "release: 1.95.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n",
                (1, 95),
                false,
                Some("22.1.2"),
            ),
            ("host: aarch64-apple-darwin\nrelease: 1.97.0-nightly\n", (1, 97), true, None),
            ("release: 1.96.0-beta.3\nhost: x\nLLVM version: 22.1\n", (1, 96), false, Some("22.1")),
            ("release: 1.98.0-dev\r\nhost: x\r\n", (1, 98), true, None),
        ];
        for (text, version, nightly, llvm) in rows {
            let toolchain = parse(text).expect(text);
            assert_eq!(toolchain.version, version, "{text}");
            assert_eq!(toolchain.nightly, nightly, "{text}");
            assert_eq!(toolchain.llvm.as_deref(), llvm, "{text}");
        }
        assert_eq!(
            parse("release: 1.95.0\nhost: t\n").expect("parses").target_libdir("t"),
            Path::new("/s/lib/rustlib/t/lib")
        );
    }

    #[test]
    fn an_answer_that_is_not_rustc_s_is_an_error_that_quotes_it() {
        let error = parse("gcc 14").expect_err("no release line").to_string();
        assert!(error.contains("release:") && error.contains("gcc 14"), "{error}");
    }

    #[test]
    fn only_the_rlib_is_the_profiler() {
        assert!(is_profiler("libprofiler_builtins-0123456789abcdef.rlib"));
        assert!(!is_profiler("libprofiler_builtins-0123456789abcdef.rmeta"));
        assert!(!is_profiler("libcompiler_builtins-0123456789abcdef.rlib"));
    }

    #[test]
    fn a_target_that_is_not_installed_names_the_command_that_installs_it() {
        let toolchain = parse("release: 1.95.0\nhost: t\n").expect("parses");
        let error =
            toolchain.check_profiler("wasm32-unknown-unknown").expect_err("/s does not exist").to_string();
        assert!(error.contains("rustup target add wasm32-unknown-unknown"), "{error}");
    }
}
