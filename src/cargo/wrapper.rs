//! The compiler wrapper: cargo calls this very executable in place of rustc for each unit of a workspace member, and it
//! adds the flags that instrument. Both halves are here: what the caller installs before a build, what the callee does.
//!
//! Cargo hashes the *path* of a workspace wrapper into the names of what it compiles, so instrumented and plain
//! artifacts lie side by side in one build directory and dependencies, which are not wrapped, serve both. It hashes
//! neither the content of the wrapper nor its flags, so those are hashed into the path here: `wrapper/<hash>/`. Beside
//! the link to the executable lies a file of options that change nothing about the code that comes out.

use crate::cargo::environment::{Environment, Variables};
use crate::cargo::json::{flag, list, optional_text, path, read_json, text, texts, write_json};
use crate::cargo::role::{self, Role, become_command};
use crate::cargo::toolchain::Toolchain;
use crate::cargo::unit::Unit;
use crate::cargo::workspace::{CargoTargetKind, Workspace};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::hash_map::{DefaultHasher, RandomState};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

// ---------------------------------------------------------------------------------------------------------------------
// What both halves know

/// Goes up whenever the callee would make other code of the same flags.
const PROTOCOL: u32 = 3;

/// Holds the number that the values of the caller's variables are hashed with. Nothing else knows it, so the hashes
/// in the options file tell nobody what a variable held.
const NONCE: &str = "XTASK_COVERAGE_NONCE";

const OPTIONS_FILE: &str = "options.json";
const ENVIRONMENT_FILE: &str = "environment.json";

/// What the user can choose about the code that is compiled. Each choice has its own artifacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instrumentation {
    /// `-C debuginfo=…` for members, in place of what the profile says.
    pub debuginfo: Option<String>,
    /// `-C strip=…` for members. Coverage does not need symbols.
    pub strip: Option<String>,
    /// Count branches too; only a nightly rustc can.
    pub branches: bool,
    /// Instrument build scripts as well.
    pub build_scripts: bool,
    /// More arguments for rustc.
    pub flags: Vec<String>,
}

/// What the callee reads from beside its link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The packages to instrument.
    pub members: Vec<Member>,
    /// The arguments that instrument.
    pub flags: Vec<String>,
    /// Whether build scripts are instrumented.
    pub build_scripts: bool,
    /// The directories that hold the sources of members, under every name that they have.
    pub source_dirs: Vec<PathBuf>,
    /// The triple of units that are compiled without `--target`.
    pub host: String,
    /// The triples that have the profiler runtime.
    pub profiler_triples: Vec<String>,
    /// The wrapper that the user had configured; it gets the whole command.
    pub chained: Option<PathBuf>,
    /// [`crate::layout::Layout::units`].
    pub units: PathBuf,
    /// [`crate::layout::Layout::incremental`].
    pub incremental: PathBuf,
    /// Name and hashed value of each variable that cargo was called with.
    pub environment: Vec<(String, u64)>,
}

/// A package to instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The directory of its manifest.
    pub dir: PathBuf,
    /// The crate names of its build scripts.
    pub build_scripts: Vec<String>,
}

impl Instrumentation {
    /// The arguments that make rustc instrument code for `target_triple`.
    ///
    /// `-runtime-counter-relocation` is what lets the profile runtime map the counters onto the file, so that they
    /// survive a kill (`%c`, see [`is_continuous`]).
    pub(super) fn arguments(&self, nightly: bool, target_triple: &str) -> Vec<String> {
        let mut arguments: Vec<String> = Vec::new();
        let mut codegen = |value: &str| arguments.extend(["-C".to_owned(), value.to_owned()]);
        codegen("instrument-coverage");
        if is_continuous(target_triple) {
            codegen("llvm-args=-runtime-counter-relocation");
        }
        if let Some(debuginfo) = &self.debuginfo {
            codegen(&format!("debuginfo={debuginfo}"));
        }
        if let Some(strip) = &self.strip {
            codegen(&format!("strip={strip}"));
        }
        arguments.push("--cfg=coverage".to_owned());
        arguments.push("--check-cfg=cfg(coverage,coverage_nightly)".to_owned());
        if nightly {
            arguments.push("--cfg=coverage_nightly".to_owned());
        }
        if self.branches {
            arguments.push("-Zcoverage-options=branch".to_owned());
        }
        arguments.extend(self.flags.iter().cloned());
        arguments
    }
}

/// Whether programs for `target_triple` can keep their counters in the profile at all times.
///
/// Proven on Linux. On macOS the runtime wants sections aligned to pages, which rustc does not ask the linker for; on
/// Windows nobody has tried.
pub fn is_continuous(target_triple: &str) -> bool {
    target_triple.contains("-linux-")
}

impl Options {
    fn to_json(&self) -> Value {
        let members: Vec<Value> =
            self.members.iter().map(|it| json!({"dir": it.dir, "build_scripts": it.build_scripts})).collect();
        json!({
            "members": members,
            "flags": self.flags,
            "build_scripts": self.build_scripts,
            "source_dirs": self.source_dirs,
            "host": self.host,
            "profiler_triples": self.profiler_triples,
            "chained": self.chained,
            "units": self.units,
            "incremental": self.incremental,
            "environment": self.environment,
        })
    }

    /// Reads the options beside a link in `directory`.
    pub(super) fn read(directory: &Path) -> Result<Options> {
        let file = directory.join(OPTIONS_FILE);
        read_json(&file).and_then(|value| Options::from_json(&value)).with_context(|| {
            format!("failed to use `{}`; the next coverage run writes it again", file.display())
        })
    }

    fn from_json(value: &Value) -> Result<Options> {
        let member =
            |it: &Value| Ok(Member { dir: path(it, "dir")?, build_scripts: texts(it, "build_scripts") });
        let variable = |it: &Value| Some((it.get(0)?.as_str()?.to_owned(), it.get(1)?.as_u64()?));
        Ok(Options {
            members: list(value, "members").iter().map(member).collect::<Result<_>>()?,
            flags: texts(value, "flags"),
            build_scripts: flag(value, "build_scripts", false),
            source_dirs: texts(value, "source_dirs").into_iter().map(PathBuf::from).collect(),
            host: text(value, "host")?,
            profiler_triples: texts(value, "profiler_triples"),
            chained: optional_text(value, "chained").map(PathBuf::from),
            units: path(value, "units")?,
            incremental: path(value, "incremental")?,
            environment: list(value, "environment").iter().filter_map(variable).collect(),
        })
    }
}

fn hash_value(nonce: &OsStr, value: &OsStr) -> u64 {
    let mut hasher = DefaultHasher::new();
    nonce.hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish()
}

// ---------------------------------------------------------------------------------------------------------------------
// The caller: before a build

/// An installed wrapper.
#[derive(Clone, Debug)]
pub struct Wrapper {
    /// What cargo gets as the workspace wrapper.
    pub program: PathBuf,
    /// The hash in its path.
    pub hash: String,
    nonce: String,
}

/// Installs the wrapper for these flags, or refreshes it, and writes down the options of this run.
///
/// `chained` is the workspace wrapper that the user had configured.
///
/// # Errors
/// When the toolchain cannot do what is asked for, or the files cannot be written.
pub fn install(
    workspace: &Workspace,
    environment: &Environment,
    target_triple: &str,
    instrumentation: &Instrumentation,
    chained: Option<PathBuf>,
) -> Result<Wrapper> {
    let toolchain: &Toolchain = &workspace.toolchain;
    toolchain.check_profiler(target_triple)?;
    if instrumentation.branches && !toolchain.nightly {
        bail!(
            "rustc {} cannot count branches, only a nightly can: try `cargo +nightly xtask coverage --branch`",
            toolchain.release
        );
    }
    let layout = workspace.layout();
    if layout.root().to_string_lossy().contains('%') {
        bail!(
            "the profile runtime would expand the `%` in `{}`; choose another directory with `--target-dir`",
            layout.root().display()
        );
    }
    let nonce = RandomState::new().build_hasher().finish().to_string();
    let options = Options {
        members: workspace
            .members
            .iter()
            .map(|member| Member {
                dir: member.dir.clone(),
                build_scripts: member
                    .targets
                    .iter()
                    .filter(|target| target.kind == CargoTargetKind::BuildScript)
                    .map(|target| target.crate_name())
                    .collect(),
            })
            .collect(),
        flags: instrumentation.arguments(toolchain.nightly, target_triple),
        build_scripts: instrumentation.build_scripts,
        source_dirs: source_dirs(workspace),
        host: toolchain.host.clone(),
        profiler_triples: toolchain.profiler_triples(),
        chained,
        units: layout.units(),
        incremental: layout.incremental(),
        environment: environment
            .variables()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.to_str()?.to_owned(), hash_value(OsStr::new(&nonce), value)))
            })
            .collect(),
    };
    let hash = options_hash(&options);
    let directory = layout.wrapper(&hash);
    for directory in [&directory, &layout.units()] {
        fs::create_dir_all(directory)
            .with_context(|| format!("failed to create `{}`", directory.display()))?;
    }
    write_json(&directory.join(OPTIONS_FILE), &options.to_json())?;
    let seen = directory.join(ENVIRONMENT_FILE);
    if seen.exists() {
        fs::remove_file(&seen).with_context(|| format!("failed to remove `{}`", seen.display()))?;
    }
    let program = Role::Rustc.install(&directory)?;
    Ok(Wrapper { program, hash, nonce })
}

/// The workspace's root and the members outside of it, each as it was given and as the file system has it.
fn source_dirs(workspace: &Workspace) -> Vec<PathBuf> {
    let is_outside = |dir: &&PathBuf| !dir.starts_with(&workspace.root);
    let outside = workspace.members.iter().map(|member| &member.dir).filter(is_outside);
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in std::iter::once(&workspace.root).chain(outside) {
        for name in [Some(dir.clone()), dir.canonicalize().ok()].into_iter().flatten() {
            if !dirs.contains(&name) {
                dirs.push(name);
            }
        }
    }
    dirs
}

impl Wrapper {
    /// A wrapper in `directory` that nobody installed.
    #[cfg(test)]
    pub(super) fn for_tests(directory: PathBuf) -> Wrapper {
        Wrapper { program: directory.join(Role::Rustc.name()), hash: "0".to_owned(), nonce: String::new() }
    }

    /// What cargo must be called with besides the program: the number that hides the user's variables.
    pub fn variable(&self) -> (&'static str, &str) {
        (NONCE, &self.nonce)
    }

    /// `[env]` of cargo's configuration, with `force` and `relative` applied; `None` until cargo has asked for its
    /// compiler's version.
    ///
    /// Cargo sets these variables for that question too (`apply_env_config` in its `util/rustc.rs`), so the callee sees
    /// them: they are what differs from the environment that cargo itself was called in.
    ///
    /// # Errors
    /// When the callee's file cannot be read.
    pub fn configured_variables(&self) -> Result<Option<Variables>> {
        let seen = self.program.with_file_name(ENVIRONMENT_FILE);
        if !seen.exists() {
            return Ok(None);
        }
        let value = read_json(&seen)?;
        let pair = |it: &Value| Some((it.get(0)?.as_str()?.into(), it.get(1)?.as_str()?.into()));
        Ok(Some(value.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(pair).collect()))
    }
}

/// What distinguishes artifacts: 16 hexadecimal digits over everything that changes the code that comes out.
fn options_hash(options: &Options) -> String {
    let identity =
        json!([PROTOCOL, env!("CARGO_PKG_VERSION"), options.flags, options.build_scripts, options.chained,]);
    let mut digits = format!("{:x}", md5::compute(identity.to_string()));
    digits.truncate(16);
    digits
}

// ---------------------------------------------------------------------------------------------------------------------
// The callee: in place of rustc

/// What a call of the wrapper is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing of ours: the command goes through as it is.
    PassThrough,
    /// Cargo asks for the compiler's version: the first call of a build, in an environment that has `[env]` in it.
    Probe,
    /// A unit of a member.
    Compile {
        /// What is compiled, for the record.
        unit: Box<Unit>,
        /// The arguments to add behind cargo's.
        arguments: Vec<OsString>,
    },
}

/// Decides what a call with `arguments` (those of rustc, argument files expanded) and `variable` (the environment) is
/// for. `wrapper` is the hash in the wrapper's path.
///
/// A unit is told by what cargo sets only when it compiles one: the package's directory, and the crate's name
/// in `CARGO_CRATE_NAME`. A build script that tries out the compiler has the former but not the latter.
pub fn decide(
    arguments: &[OsString],
    variable: &dyn Fn(&str) -> Option<OsString>,
    options: &Options,
    wrapper: &str,
) -> Decision {
    let call = Call::parse(arguments);
    let Some(dir) = variable("CARGO_MANIFEST_DIR") else {
        return if call.asks_version { Decision::Probe } else { Decision::PassThrough };
    };
    let Some(member) = options.members.iter().find(|member| member.dir == Path::new(&dir)) else {
        return Decision::PassThrough;
    };
    let Some(crate_name) = call.crate_name.clone() else { return Decision::PassThrough };
    if call.asks_version || call.prints || variable("CARGO_CRATE_NAME") != Some(OsString::from(&crate_name)) {
        return Decision::PassThrough;
    }
    let is_program = call.crate_types.iter().any(|it| it == "bin") && !call.test;
    let is_build_script = is_program && member.build_scripts.contains(&crate_name);
    let target_triple = call.target.as_ref().unwrap_or(&options.host);
    let instrumented =
        options.profiler_triples.contains(target_triple) && (options.build_scripts || !is_build_script);

    let mut added: Vec<OsString> = Vec::new();
    if instrumented {
        if call.full_debuginfo {
            // Backtraces keep their lines; descriptions of variables would only take time and space.
            added.extend(["-C".into(), "debuginfo=line-tables-only".into()]);
        }
        added.extend(options.flags.iter().map(OsString::from));
        if call.remaps {
            // Reports are for people who have the sources here. The last of the prefixes that fit is the one that holds.
            added.extend(options.source_dirs.iter().map(|dir| {
                let dir = dir.as_os_str();
                [OsStr::new("--remap-path-prefix="), dir, OsStr::new("="), dir]
                    .into_iter()
                    .collect::<OsString>()
            }));
        }
    }
    if call.incremental {
        // The last one counts. Rustc names its directories by a hash of its own, so ours have to be set apart whole.
        let mut incremental = OsString::from("incremental=");
        incremental.push(&options.incremental);
        added.extend(["-C".into(), incremental]);
    }
    let text =
        |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
    let unit = Unit {
        name: call.unit_name(&crate_name),
        package: text("CARGO_PKG_NAME"),
        manifest_path: Path::new(&dir).join("Cargo.toml"),
        crate_name,
        crate_types: call.crate_types,
        test: call.test,
        out_dir: call.out_dir.into(),
        extra_filename: call.extra_filename,
        wrapper: wrapper.to_owned(),
        instrumented,
    };
    Decision::Compile { unit: Box::new(unit), arguments: added }
}

/// What matters in the arguments of a call of rustc.
#[derive(Debug, Default)]
struct Call {
    crate_name: Option<String>,
    crate_types: Vec<String>,
    test: bool,
    out_dir: OsString,
    extra_filename: String,
    metadata: String,
    target: Option<String>,
    incremental: bool,
    /// `-C debuginfo=2`, which is what `debug = true` in a cargo profile means.
    full_debuginfo: bool,
    /// Whether the user has sources called by another path.
    remaps: bool,
    prints: bool,
    asks_version: bool,
}

impl Call {
    fn parse(arguments: &[OsString]) -> Call {
        let mut call = Call::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let argument = argument.to_string_lossy();
            let (name, joined) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(OsString::from(value))),
                _ if argument.starts_with("-C") && argument.len() > 2 => {
                    ("-C", Some(OsString::from(&argument[2..])))
                }
                _ => (argument.as_ref(), None),
            };
            let mut value = || joined.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
            match name {
                "-vV" | "-V" | "--version" => call.asks_version = true,
                "--print" => call.prints = true,
                "--test" => call.test = true,
                "--crate-name" => call.crate_name = Some(value().to_string_lossy().into_owned()),
                "--crate-type" => {
                    call.crate_types.extend(value().to_string_lossy().split(',').map(str::to_owned));
                }
                "--remap-path-prefix" => {
                    call.remaps = true;
                    value();
                }
                "--out-dir" => call.out_dir = value(),
                "--target" => call.target = Some(value().to_string_lossy().into_owned()),
                "-C" | "--codegen" => call.codegen(&value().to_string_lossy()),
                _ => {}
            }
        }
        call
    }

    fn codegen(&mut self, option: &str) {
        match option.split_once('=') {
            Some(("extra-filename", value)) => self.extra_filename = value.to_owned(),
            Some(("metadata", value)) => self.metadata = value.to_owned(),
            Some(("incremental", _)) => self.incremental = true,
            Some(("debuginfo", value)) => self.full_debuginfo = matches!(value, "2" | "full"),
            _ => {}
        }
    }

    /// The crate's name with the hash that cargo gave the unit. Where the file names have none (libraries that the
    /// loader finds by name; programs since cargo 1.100), one over what else tells units apart.
    fn unit_name(&self, crate_name: &str) -> String {
        if !self.extra_filename.is_empty() {
            return format!("{crate_name}{}", self.extra_filename);
        }
        let identity = format!("{} {} {:?}", self.out_dir.to_string_lossy(), self.metadata, self.crate_types);
        let mut digits = format!("{:x}", md5::compute(identity));
        digits.truncate(16);
        format!("{crate_name}-{digits}")
    }
}

/// Runs rustc as cargo asked, with the arguments and the variable that instrument.
///
/// `own` is the link under which this process was started. On Unix this does not return: rustc takes this process's place.
///
/// # Errors
/// When the options beside the link cannot be read, or the compiler cannot be started.
pub fn wrap(own: &Path, mut arguments: Vec<OsString>) -> Result<u8> {
    let directory = role::directory_of(own)?;
    let options = Options::read(directory)?;
    if arguments.is_empty() {
        bail!("no compiler to run, expected its path as the first argument, as cargo gives it");
    }
    let rustc = arguments.remove(0);
    let hash = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let nonce = env::var_os(NONCE);

    let mut profile = None;
    match decide(&expand_argument_file(&arguments)?, &|name| env::var_os(name), &options, &hash) {
        Decision::PassThrough => {}
        Decision::Probe => {
            if let Some(nonce) = &nonce {
                write_json(&directory.join(ENVIRONMENT_FILE), &differing(nonce, &options.environment))?;
            }
        }
        Decision::Compile { unit, arguments: added } => {
            profile = Some(prepare_unit(&options, &unit)?);
            arguments.extend(added);
        }
    }
    let mut command = match &options.chained {
        Some(chained) => {
            let mut command = Command::new(chained);
            command.arg(rustc);
            command
        }
        None => Command::new(rustc),
    };
    command.args(arguments).env_remove(NONCE);
    if let Some(profile) = profile {
        command.env("LLVM_PROFILE_FILE", profile);
    }
    become_command(command)
}

/// Empties the directory of `unit`, whose earlier counts belong to earlier code, and records what is being compiled.
/// Returns where instrumented proc-macros, which run inside rustc, are to leave their counts.
///
/// These counts stay for later runs in which the unit is fresh and rustc does not run. `%m` keeps macro libraries
/// apart; without `%c`, because a library with no instrumented function in it would print a complaint.
fn prepare_unit(options: &Options, unit: &Unit) -> Result<PathBuf> {
    let directory = unit.directory(&options.units);
    match fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("failed to empty `{}`", directory.display()));
        }
        _ => unit.write(&options.units)?,
    }
    Ok(directory.join("%m.profraw"))
}

/// The variables that cargo has set for this process, which it started in a role whose link is in `directory`: pairs of name and
/// value.
///
/// # Errors
/// When the options beside the link cannot be read.
pub(super) fn variables_of_cargo(directory: &Path) -> Result<Value> {
    let nonce = env::var_os(NONCE).with_context(|| format!("`{NONCE}` is not set"))?;
    Ok(differing(&nonce, &Options::read(directory)?.environment))
}

/// The variables of this process that cargo was not called with, or not with this value. One whose name or value is not
/// text is left out: a configuration file cannot have set it.
fn differing(nonce: &OsStr, known: &[(String, u64)]) -> Value {
    let pairs: Vec<Value> = env::vars_os()
        .filter(|(name, _)| name != NONCE)
        .filter_map(|(name, value)| {
            let (name, hash) = (name.into_string().ok()?, hash_value(nonce, &value));
            let same = known.iter().any(|(known, known_hash)| *known == name && *known_hash == hash);
            if same { None } else { Some(json!([name, value.into_string().ok()?])) }
        })
        .collect();
    Value::Array(pairs)
}

/// `arguments` with `@file` replaced by the lines of the file, which is how cargo passes what a command line cannot hold.
fn expand_argument_file(arguments: &[OsString]) -> Result<Vec<OsString>> {
    let mut expanded = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument.to_str().and_then(|argument| argument.strip_prefix('@')) {
            Some(file) => {
                let lines = fs::read_to_string(file).with_context(|| format!("failed to read `{file}`"))?;
                expanded.extend(lines.lines().map(OsString::from));
            }
            None => expanded.push(argument.clone()),
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests;
