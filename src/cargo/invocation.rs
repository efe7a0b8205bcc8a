//! How cargo is called for the instrumented build: the user's flags, our settings, which build directory. Calls nothing.

use crate::cargo::configuration;
use crate::cargo::environment::Environment;
use crate::cargo::role::Role;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind, Package, Workspace};
use crate::cargo::wrapper::Wrapper;
use crate::layout::Layout;
use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What to build and how, in `cargo test`'s words; each field is the flag of that name.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the flag of cargo with its name")]
pub struct BuildOptions {
    pub packages: Vec<String>,
    pub exclude: Vec<String>,
    pub workspace: bool,
    pub lib: bool,
    pub bins: bool,
    pub bin: Vec<String>,
    pub tests: bool,
    pub test: Vec<String>,
    pub examples: bool,
    pub example: Vec<String>,
    pub benches: bool,
    pub bench: Vec<String>,
    pub all_targets: bool,
    pub features: Vec<String>,
    pub all_features: bool,
    pub no_default_features: bool,
    pub cargo_profile: Option<String>,
    pub target_triple: Option<String>,
    pub manifest_path: Option<PathBuf>,
    pub locked: bool,
    pub offline: bool,
    pub frozen: bool,
    pub ignore_rust_version: bool,
    pub jobs: Option<String>,
    pub keep_going: bool,
    pub config: Vec<String>,
    pub verbose: u8,
    pub quiet: bool,
    pub color: Option<String>,
}

/// What cargo is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CargoCommand {
    /// The programs with tests in them.
    Tests,
    /// The doctests of libraries.
    Doctests,
    /// One program.
    Program,
    /// To run it.
    Run,
}

impl BuildOptions {
    /// Whether `member` is one of the packages to build: those of `--package`, else all but those of `--exclude` and the
    /// package that runs this code.
    pub fn selects(&self, workspace: &Workspace, member: &Package) -> bool {
        workspace.selects(member, &self.packages, &self.exclude)
    }

    /// The same without any flag that selects targets.
    fn without_targets(&self) -> BuildOptions {
        BuildOptions {
            lib: false,
            bins: false,
            bin: Vec::new(),
            tests: false,
            test: Vec::new(),
            examples: false,
            example: Vec::new(),
            benches: false,
            bench: Vec::new(),
            all_targets: false,
            ..self.clone()
        }
    }
}

/// The arguments of `cargo`, as the user could have typed them.
///
/// Without `-p`, that is the whole workspace but the package that runs this code; for a single program it is what `cargo run`
/// takes.
pub fn arguments(workspace: &Workspace, options: &BuildOptions, command: CargoCommand) -> Vec<OsString> {
    let changed;
    let (words, options): (&[&str], _) = match command {
        CargoCommand::Tests => (&["test", "--no-run"], options),
        CargoCommand::Doctests => {
            // Cargo refuses targets beside `--doc`.
            changed = options.without_targets();
            (&["test", "--doc"], &changed)
        }
        CargoCommand::Program => (&["build"], options),
        CargoCommand::Run => {
            // All has been said already.
            changed = BuildOptions { quiet: true, verbose: 0, ..options.clone() };
            (&["run"], &changed)
        }
    };
    let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    let message_format = match command {
        CargoCommand::Tests | CargoCommand::Doctests => Some("json-render-diagnostics"),
        // Cargo repeats warnings when it is called again, so they are not printed the first time.
        CargoCommand::Program if options.color.as_deref() == Some("always") => {
            Some("json-diagnostic-rendered-ansi")
        }
        CargoCommand::Program => Some("json"),
        CargoCommand::Run => None,
    };
    arguments.extend(message_format.map(|format| format!("--message-format={format}").into()));
    let is_single = matches!(command, CargoCommand::Program | CargoCommand::Run);
    let mut flag = |yes: bool, name: &str| arguments.extend(yes.then(|| OsString::from(name)));
    flag(!is_single && (options.workspace || options.packages.is_empty()), "--workspace");
    flag(options.lib, "--lib");
    flag(options.bins, "--bins");
    flag(options.tests, "--tests");
    flag(options.examples, "--examples");
    flag(options.benches, "--benches");
    flag(options.all_targets, "--all-targets");
    flag(options.all_features, "--all-features");
    flag(options.no_default_features, "--no-default-features");
    flag(options.locked, "--locked");
    flag(options.offline, "--offline");
    flag(options.frozen, "--frozen");
    flag(options.ignore_rust_version, "--ignore-rust-version");
    flag(options.keep_going, "--keep-going");
    flag(options.quiet, "--quiet");
    for _ in 0..options.verbose {
        flag(true, "-v");
    }

    let mut exclude = options.exclude.clone();
    if let Some(xtask) = workspace.xtask_package()
        && !is_single
        && options.packages.is_empty()
        && !exclude.contains(&xtask.name)
    {
        exclude.push(xtask.name.clone());
    }
    let lists = [
        ("--package", &options.packages),
        ("--exclude", &exclude),
        ("--bin", &options.bin),
        ("--test", &options.test),
        ("--example", &options.example),
        ("--bench", &options.bench),
        ("--features", &options.features),
        ("--config", &options.config),
    ];
    for (name, values) in lists {
        for value in values {
            arguments.extend([name, value].map(OsString::from));
        }
    }
    let singles = [
        ("--profile", &options.cargo_profile),
        ("--target", &options.target_triple),
        ("--jobs", &options.jobs),
        ("--color", &options.color),
    ];
    for (name, value) in singles {
        if let Some(value) = value {
            arguments.extend([name, value].map(OsString::from));
        }
    }
    if let Some(manifest_path) = &options.manifest_path {
        arguments.extend(["--manifest-path".into(), manifest_path.into()]);
    }
    arguments.extend(["--target-dir".into(), workspace.layout().build().into()]);
    arguments
}

/// Where cargo keeps intermediate files during the instrumented build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildDir {
    /// The normal build directory: dependencies are compiled once for plain and instrumented builds.
    Shared(PathBuf),
    /// Below [`Layout::build`].
    Own {
        /// Why the normal one cannot be used.
        why: String,
    },
}

impl BuildDir {
    /// Shares the normal build directory where plain and instrumented artifacts have different names in it.
    ///
    /// Up to cargo 1.99 some have no hash in their names, and the one build would overwrite the other's
    /// (`use_extra_filename` in cargo's `compilation_files.rs`): dynamic libraries of local packages, and all programs
    /// with MSVC or WebAssembly.
    pub fn choose(workspace: &Workspace, target_triple: &str) -> BuildDir {
        let own = |why: String| BuildDir::Own { why };
        let Some(shared) = &workspace.build_dir else {
            return own("cargo before 1.91 has no build directory apart from the target directory".to_owned());
        };
        if workspace.toolchain.version < (1, 100) {
            if target_triple.ends_with("-msvc") || target_triple.starts_with("wasm32-") {
                return own(format!(
                    "before 1.100, cargo gives programs for `{target_triple}` no hash in their names"
                ));
            }
            let dynamic = |target: &CargoTarget| {
                target.kind == CargoTargetKind::Lib
                    && target.crate_types.iter().any(|it| it == "cdylib" || it == "dylib")
            };
            if let Some(member) = workspace.members.iter().find(|member| member.targets.iter().any(dynamic)) {
                return own(format!(
                    "before 1.100, cargo gives the dynamic library of `{}` no hash in its name",
                    member.name
                ));
            }
        }
        BuildDir::Shared(shared.clone())
    }

    /// Its path.
    pub fn path(&self, layout: &Layout) -> PathBuf {
        match self {
            BuildDir::Shared(path) => path.clone(),
            BuildDir::Own { .. } => layout.build(),
        }
    }
}

/// Our own settings, as arguments of `--config` rather than variables: those would reach the build scripts, and a cargo
/// that one of them starts would wait for the lock on our build directory for ever.
pub(super) fn own_settings(
    workspace: &Workspace,
    build_dir: &BuildDir,
    wrapper: &Wrapper,
) -> Result<Vec<String>> {
    let layout = workspace.layout();
    let mut settings = vec![format!("build.rustc-workspace-wrapper={}", toml_string(&wrapper.program)?)];
    if workspace.build_dir.is_some() {
        settings.push(format!("build.build-dir={}", toml_string(&build_dir.path(&layout))?));
    }
    // Cargo starts build scripts, and compilers of other packages in which a member's proc-macro may run. Not told where
    // counts go, they would leave them in their working directories.
    let pattern = layout.build_time().join(BUILD_TIME_PATTERN);
    settings.push(profile_setting(&pattern)?);
    settings.push("env.LLVM_PROFILE_FILE.force=true".to_owned());
    Ok(settings)
}

/// One file for each process, named after the program or library that counts and then the process.
const BUILD_TIME_PATTERN: &str = "%m-%p.profraw";

/// What a profile in [`Layout::build_time`] has in common with those of other processes of the same code.
pub(super) fn counted_code(profile: &Path) -> Option<&str> {
    profile.file_stem()?.to_str()?.rsplit_once('-').map(|(code, _)| code)
}

/// The argument of `--config` that tells all that cargo starts where counts go.
pub(super) fn profile_setting(pattern: &Path) -> Result<String> {
    Ok(format!("env.LLVM_PROFILE_FILE.value={}", toml_string(pattern)?))
}

/// `path` as a basic string of TOML.
pub(super) fn toml_string(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| {
        format!("cargo cannot be told of `{}`, because it is not valid UTF-8", path.display())
    })?;
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// Takes the user's own workspace wrapper out of `environment`, where it would win over ours, so that ours can call it.
pub(super) fn chained_wrapper(
    environment: &mut Environment,
    current_dir: &Path,
    settings: &[String],
) -> Option<PathBuf> {
    let from_variable = environment
        .remove("RUSTC_WORKSPACE_WRAPPER")
        .or_else(|| environment.remove("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER"))
        .map(PathBuf::from);
    let configured = || {
        let (value, base) =
            configuration::find(environment, current_dir, settings, "rustc-workspace-wrapper")?;
        // A bare name is looked up on the path, anything else starts from where the file is.
        Some(if value.contains(['/', '\\']) { base.join(value) } else { value.into() })
    };
    from_variable.or_else(configured).filter(|path| !path.as_os_str().is_empty() && Role::of(path).is_none())
}

/// The triple that cargo will compile for: `--target`, `CARGO_BUILD_TARGET`, `build.target`, the host. Several triples, or the
/// path of a target's specification, are left to cargo; the host stands for them.
pub(super) fn target_triple(workspace: &Workspace, current_dir: &Path, options: &BuildOptions) -> String {
    let environment = &workspace.environment;
    let variable = || environment.get("CARGO_BUILD_TARGET").and_then(OsStr::to_str).map(str::to_owned);
    let configured =
        || configuration::find(environment, current_dir, &options.config, "target").map(|it| it.0);
    let chosen = options.target_triple.clone().or_else(variable).or_else(configured).unwrap_or_default();
    // A configuration file may have a list of one.
    let list = chosen.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    let triple = list.map_or(chosen.as_str(), |list| list.trim_matches([' ', ',', '"', '\'']));
    let is_name = triple.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    match triple {
        // Cargo's word for the host.
        "" | "host-tuple" => workspace.toolchain.host.clone(),
        triple if is_name && !triple.ends_with(".json") => triple.to_owned(),
        _ => workspace.toolchain.host.clone(),
    }
}

/// Sets `CARGO_BUILD_JOBS` to the number of processors that we may use, unless the user has set it in one of the ways
/// that there are.
pub(super) fn set_jobs(environment: &mut Environment, current_dir: &Path, options: &BuildOptions) {
    let chosen = options.jobs.is_some()
        || environment.get("CARGO_BUILD_JOBS").is_some()
        || configuration::find(environment, current_dir, &options.config, "jobs").is_some();
    if !chosen {
        environment.insert("CARGO_BUILD_JOBS", num_cpus::get().to_string());
    }
}

#[cfg(test)]
mod tests;
