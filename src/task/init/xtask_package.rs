//! The xtask crate: a new one, or a few lines in the one there is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::cargo_config::CargoConfig;
use super::plan::{Left, Plan};
use super::site::{Site, read_text, read_toml};
use crate::cargo::adoption::workspace_at;
use crate::cargo::workspace::{CargoTarget, CargoTargetKind, Package};
use crate::source::function;
use crate::task::config::Source;
use crate::toml::edit::quoted;
use crate::ui::message::Advised;

/// Where the tasks of the workspace are.
pub(super) enum Xtask {
    /// In a crate that is still to be made, in `xtask/`.
    New(PathBuf),
    /// In a package.
    Existing {
        package: Box<Package>,
        /// Whether it is a member of the workspace.
        is_member: bool,
        /// `--bin` of the alias.
        bin: Option<String>,
    },
}

/// What an xtask with tasks of its own does before anything else.
const GUARD: &str = include_str!("guard.txt");

impl Xtask {
    /// The package that the alias runs, else the member called `xtask`, else a new one.
    ///
    /// # Errors
    /// The alias runs what is no package here, or something else is where the crate would be.
    pub(super) fn find(site: &Site, config: &CargoConfig) -> Result<Xtask> {
        let workspace = &site.workspace;
        let member = |name: &str| workspace.members.iter().find(|member| member.name == name).cloned();
        if let Some(alias) = &config.alias {
            let bin = alias.bin.clone();
            let refusal = |what: String| {
                let cure = "correct the alias, or remove it to have one made";
                Advised::new(format!("the alias `xtask` is `{}`, but {what}", alias.text), cure)
            };
            if let Some(path) = &alias.manifest_path {
                let manifest = workspace.root.join(path);
                let directory = manifest.parent().filter(|_| manifest.is_file());
                let Some(directory) = directory else { bail!(refusal(format!("there is no `{path}`"))) };
                let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
                let is_member = workspace.members.iter().any(|member| member.dir == directory);
                let its = workspace_at(&directory, site.offline)
                    .with_context(|| format!("failed to read the package of the alias `xtask`, `{path}`"))?;
                let package = its.members.into_iter().find(|member| match &alias.package {
                    Some(name) => member.name == *name,
                    None => member.dir == directory,
                });
                let package = package.with_context(|| refusal(format!("`{path}` is no package")))?;
                return Ok(Xtask::Existing { package: Box::new(package), is_member, bin });
            }
            let package = match (&alias.package, &bin) {
                (Some(name), _) => member(name),
                (None, bin) => {
                    workspace.members.iter().find(|member| program(member, bin.as_deref()).is_some()).cloned()
                }
            };
            let name = alias.package.as_deref().or(bin.as_deref()).unwrap_or_default();
            let package = package
                .with_context(|| refusal(format!("no package of the workspace is called or has `{name}`")))?;
            return Ok(Xtask::Existing { package: Box::new(package), is_member: true, bin });
        }
        if let Some(package) = member("xtask") {
            return Ok(Xtask::Existing { package: Box::new(package), is_member: true, bin: None });
        }
        let directory = workspace.root.join("xtask");
        if directory.join("Cargo.toml").exists() {
            bail!(Advised::new(
                "`xtask/Cargo.toml` is there, but no member of the workspace, and no alias runs it",
                "make it a member, or write the alias: `xtask = \"run --manifest-path xtask/Cargo.toml --\"`"
            ));
        }
        let is_empty = fs::read_dir(&directory).map_or(true, |mut entries| entries.next().is_none());
        if directory.symlink_metadata().is_ok() && !(directory.is_dir() && is_empty) {
            bail!(Advised::new(
                "`xtask` is there, but is no package, so no xtask crate can be made in its place",
                "move it, or make it a package and a member of the workspace"
            ));
        }
        Ok(Xtask::New(directory))
    }

    /// How `--package` names it.
    pub(super) fn spec(&self) -> &str {
        match self {
            Xtask::New(_) => "xtask",
            Xtask::Existing { package, .. } => &package.name,
        }
    }

    pub(super) fn is_member(&self) -> bool {
        !matches!(self, Xtask::Existing { is_member: false, .. })
    }
}

/// Plans the crate, or the lines in it.
///
/// # Errors
/// Its manifest is written in a way that leaves no place for a dependency, or what it depends on is not there.
pub(super) fn plan(site: &Site, xtask: &Xtask, source: &Source, plan: &mut Plan) -> Result<()> {
    match xtask {
        Xtask::New(directory) => plan_new(directory, source, plan),
        Xtask::Existing { package, bin, .. } => plan_existing(site, package, bin.as_deref(), source, plan),
    }
}

fn plan_new(directory: &Path, source: &Source, plan: &mut Plan) -> Result<()> {
    // Of an edition that every cargo of the last years can read: it reads the manifests of all members, also where it builds
    // another one with the oldest Rust that the workspace supports.
    let manifest = format!(
        "[package]\nname = \"xtask\"\nversion = \"0.0.0\"\nedition = \"2021\"\npublish = false\n\n[dependencies]\nxtask-coverage = {}\n",
        requirement(source)?
    );
    let main = "//! This repository's tasks: `cargo xtask coverage`.\n\n\
                fn main() -> std::process::ExitCode {\n    xtask_coverage::main()\n}\n";
    plan.write(directory.join("Cargo.toml"), None, manifest);
    plan.write(directory.join("src").join("main.rs"), None, main.to_owned());
    plan.notes.push(
        "the new crate changes `Cargo.lock`, so commit that too where it is committed: what xtask-coverage needs is added"
            .to_owned(),
    );
    Ok(())
}

fn plan_existing(
    site: &Site,
    package: &Package,
    bin: Option<&str>,
    source: &Source,
    plan: &mut Plan,
) -> Result<()> {
    if package.dir == site.workspace.root && package.name != "xtask" {
        bail!(Advised::new(
            format!(
                "the tasks are in the package `{}`, for which xtask-coverage would be compiled and published as a dependency",
                package.name
            ),
            "move them to a crate of their own, and have the alias `xtask` run it",
        ));
    }
    let manifest = read_toml(&package.manifest_path)?.unwrap_or_default();
    let mut changed = manifest.clone();
    if !manifest.has(&["dependencies", "xtask-coverage"]) {
        changed
            .insert(&["dependencies"], "xtask-coverage", &requirement(source)?)
            .with_context(|| format!("failed to change `{}`", package.manifest_path.display()))?;
        plan.notes.push("the new dependency changes `Cargo.lock`, so commit that too".to_owned());
    }
    plan.write(package.manifest_path.clone(), Some(manifest.text().to_owned()), changed.text().to_owned());
    let target = program(package, bin).with_context(|| {
        Advised::new(
            format!("it does not show which program of the package `{}` runs the tasks", package.name),
            "name it in the alias: `run --package NAME --bin NAME --`",
        )
    })?;
    let directory = target.src_path.parent().unwrap_or(&package.dir);
    let mentions = mentions(directory)?;
    if mentions.library {
        return Ok(());
    }
    let text = read_text(&target.src_path)?.unwrap_or_default();
    let by_hand = |why: &str| Left {
        what: format!("in `{}`, first thing in `main`: {why}", site.relative(&target.src_path).display()),
        lines: GUARD.to_owned(),
    };
    if mentions.task {
        let mut left = by_hand(
            "the crate says `coverage` already, and this would take that task's place; for another name, call \
             `xtask_coverage::compile_if_asked()` there, and `xtask_coverage::run(arguments)`, of which the first is \
             `coverage`, for the task",
        );
        left.lines.push_str(
            "\n// or\nif let Some(code) = xtask_coverage::compile_if_asked() {\n    return code;\n}",
        );
        plan.left.push(left);
        return Ok(());
    }
    if target.edition == "2015" {
        plan.left.push(by_hand("a crate of edition 2015 needs `extern crate xtask_coverage;` besides"));
        return Ok(());
    }
    match function::body(text.as_bytes(), "main") {
        Some(offset) => {
            let changed = with_guard(&text, offset);
            plan.write(target.src_path.clone(), Some(text), changed);
        }
        None => plan.left.push(by_hand("no single `fn main` was found in the file")),
    }
    Ok(())
}

/// `text` with the guard at `offset`, which is behind the `{` of a function at the file's margin.
fn with_guard(text: &str, offset: usize) -> String {
    let (front, back) = text.split_at(offset);
    let line_end = if front.contains("\r\n") || back.contains("\r\n") { "\r\n" } else { "\n" };
    let mut guarded = front.to_owned();
    for line in GUARD.lines() {
        guarded.push_str(&format!("{line_end}    {line}"));
    }
    let rest_of_line = back.split('\n').next().unwrap_or_default();
    if !rest_of_line.trim().is_empty() {
        guarded.push_str(line_end);
        guarded.push_str("   ");
    }
    guarded + back
}

/// The program that `cargo run` takes: the one that is named, else `default-run`, else the only one.
fn program<'a>(package: &'a Package, bin: Option<&str>) -> Option<&'a CargoTarget> {
    let mut programs = package.targets.iter().filter(|target| target.kind == CargoTargetKind::Bin);
    match bin.or(package.default_run.as_deref()) {
        Some(name) => programs.find(|target| target.name == name),
        None => programs.next().filter(|_| programs.next().is_none()),
    }
}

/// What the sources of an xtask say.
struct Mentions {
    /// This library.
    library: bool,
    /// Something that a task of ours is called.
    task: bool,
}

fn mentions(directory: &Path) -> Result<Mentions> {
    let mut found = Mentions { library: false, task: false };
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if path != directory && (name == "target" || name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            let entries =
                fs::read_dir(&path).with_context(|| format!("failed to list `{}`", path.display()))?;
            for entry in entries {
                pending.push(entry.with_context(|| format!("failed to list `{}`", path.display()))?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
            let text = String::from_utf8_lossy(&text);
            found.library |= text.contains("xtask_coverage");
            found.task |= text.to_lowercase().contains("coverage");
        }
    }
    Ok(found)
}

/// What stands behind `xtask-coverage = ` in a manifest.
fn requirement(source: &Source) -> Result<String> {
    Ok(match source {
        Source::Registry => {
            let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
            quoted(&format!("{major}.{minor}"))
        }
        Source::Git(url) => format!("{{ git = {} }}", quoted(url)),
        Source::Path(path) => {
            let found = path.canonicalize().ok().filter(|path| path.join("Cargo.toml").is_file());
            let path = found.with_context(|| {
                Advised::new(
                    format!("there is no package in `{}`", path.display()),
                    "`--from-path` takes the directory of a checkout of xtask-coverage",
                )
            })?;
            let path = path.to_str().with_context(|| format!("`{}` is not UTF-8 text", path.display()))?;
            format!("{{ path = {} }}", quoted(path.strip_prefix(r"\\?\").unwrap_or(path)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{GUARD, with_guard};

    #[test]
    fn the_guard_comes_first() {
        let guard: String = GUARD.lines().map(|line| format!("    {line}\n")).collect();
        for (before, after) in [
            ("fn main() {\n    run();\n}\n", format!("fn main() {{\n{guard}    run();\n}}\n")),
            ("fn main() { run() }\n", format!("fn main() {{\n{guard}    run() }}\n")),
            ("fn main() {}\n", format!("fn main() {{\n{guard}   }}\n")),
        ] {
            let offset = before.find('{').map_or(0, |at| at + 1);
            assert_eq!(with_guard(before, offset), after);
            let crlf = with_guard(&before.replace('\n', "\r\n"), offset);
            assert_eq!(crlf, after.replace('\n', "\r\n"));
        }
    }
}
