//! The xtask crate: a new one, or a few lines in the one there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::cargo_config::CargoConfig;
use super::plan::{Left, Plan};
use super::site::{Site, plain, read_text, read_toml, relative};
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
        /// The root of the workspace that it is in, if that is another one.
        apart: Option<PathBuf>,
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
                let apart = (!is_member).then_some(its.root);
                let package = its.members.into_iter().find(|member| match &alias.package {
                    Some(name) => member.name == *name,
                    None => member.dir == directory,
                });
                let package = package.with_context(|| refusal(format!("`{path}` is no package")))?;
                return Ok(Xtask::Existing { package: Box::new(package), apart, bin });
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
            return Ok(Xtask::Existing { package: Box::new(package), apart: None, bin });
        }
        if let Some(package) = member("xtask") {
            return Ok(Xtask::Existing { package: Box::new(package), apart: None, bin: None });
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

    /// The root of the workspace that it is in, if that is another one.
    pub(super) fn apart(&self) -> Option<&Path> {
        match self {
            Xtask::New(_) => None,
            Xtask::Existing { apart, .. } => apart.as_deref(),
        }
    }
}

/// Plans the crate, or the lines in it.
///
/// # Errors
/// Its manifest is written in a way that leaves no place for a dependency, or what it depends on is not there.
pub(super) fn plan(site: &Site, xtask: &Xtask, source: &Source, plan: &mut Plan) -> Result<()> {
    match xtask {
        Xtask::New(directory) => plan_new(site, directory, source, plan),
        Xtask::Existing { package, bin, .. } => plan_existing(site, package, bin.as_deref(), source, plan),
    }
}

fn plan_new(site: &Site, directory: &Path, source: &Source, plan: &mut Plan) -> Result<()> {
    let manifest = format!(
        "[package]\nname = \"xtask\"\nversion = \"0.0.0\"\nedition = \"{}\"\npublish = false\n\n[dependencies]\nxtask-coverage = {}\n",
        edition(site),
        requirement(site, directory, source, plan)?
    );
    let main = format!(
        "//! This repository's tasks: `cargo xtask coverage`.\n\n\
         fn main() -> std::process::ExitCode {{\n{}xtask_coverage::main()\n}}\n",
        site.indent()
    );
    plan.write(directory.join("Cargo.toml"), None, manifest);
    plan.write(directory.join("src").join("main.rs"), None, main);
    plan.notes.push(
        "the new crate changes `Cargo.lock`, so commit that too where it is committed: what xtask-coverage needs is added"
            .to_owned(),
    );
    Ok(())
}

/// One that every cargo of the last years can read: it reads the manifests of all members, also where it builds another one with the
/// oldest Rust that the workspace supports.
fn edition(site: &Site) -> &'static str {
    let manifest = &site.manifest;
    let says_resolver = manifest.has(&["package"]) || manifest.has(&["workspace", "resolver"]);
    let mut targets = site.workspace.members.iter().flat_map(|member| &member.targets);
    // Cargo warns of a virtual workspace without a resolver as soon as the edition of a member has another one than the first.
    if !says_resolver && targets.all(|target| matches!(target.edition.as_str(), "2015" | "2018")) {
        "2018"
    } else {
        "2021"
    }
}

fn plan_existing(
    site: &Site,
    package: &Package,
    bin: Option<&str>,
    source: &Source,
    plan: &mut Plan,
) -> Result<()> {
    if package.dir == site.workspace.root && package.name == "xtask" {
        bail!(Advised::new(
            "the workspace is the xtask crate itself, whose tasks are those of another one",
            "name the directory of that one, as in `cargo xtask coverage init ..`",
        ));
    }
    if package.dir == site.workspace.root {
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
        let requirement = requirement(site, &package.dir, source, plan)?;
        changed
            .insert(&["dependencies"], "xtask-coverage", &requirement)
            .with_context(|| site.no_change(&package.manifest_path))?;
        plan.notes.push("the new dependency changes `Cargo.lock`, so commit that too".to_owned());
        if site.workspace.default_members.contains(&package.id) {
            plan.notes.push(format!(
                "plain `cargo build` and `cargo test` take `{}`, as before, so they compile xtask-coverage too; \
                 `default-members` without it would keep both out",
                package.name
            ));
        }
    }
    plan.write(package.manifest_path.clone(), Some(manifest.text().to_owned()), changed.text().to_owned());
    let target = program(package, bin).with_context(|| {
        Advised::new(
            format!("it does not show which program of the package `{}` runs the tasks", package.name),
            "name it in the alias: `run --package NAME --bin NAME --`",
        )
    })?;
    let mentions = mentions(package)?;
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
             `xtask_coverage::compile_if_asked()` there, in a `main` that returns an `ExitCode`, and \
             `xtask_coverage::run(arguments)`, of which the first is `coverage`, for the task",
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
        Some(offset) if text[offset..].trim_start().starts_with("#!") => {
            plan.left.push(by_hand("behind its attributes, which must stand in front"));
        }
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
    let mut lines = back.lines();
    let rest_of_line = lines.next().unwrap_or_default().trim();
    // As what stands there is.
    let next = lines.find(|line| !line.trim().is_empty()).unwrap_or_default();
    let indent = &next[..next.len() - next.trim_start().len()];
    let indent = if indent.is_empty() || !rest_of_line.is_empty() { "    " } else { indent };
    let mut guarded = front.to_owned();
    for line in GUARD.lines() {
        let line = line.replace("    ", indent);
        guarded.push_str(&format!("{line_end}{indent}{line}"));
    }
    if rest_of_line.is_empty() {
        return guarded + back;
    }
    guarded.push_str(line_end);
    let back = back.trim_start();
    if !back.starts_with('}') {
        guarded.push_str(indent);
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

/// Looks where the package's programs and its library are: the tasks can be in either.
fn mentions(package: &Package) -> Result<Mentions> {
    let mut found = Mentions { library: false, task: false };
    let targets = package.targets.iter();
    let targets = targets.filter(|target| matches!(target.kind, CargoTargetKind::Bin | CargoTargetKind::Lib));
    let directories: BTreeSet<&Path> = targets.filter_map(|target| target.src_path.parent()).collect();
    let mut pending: Vec<PathBuf> = directories.iter().map(|directory| (*directory).to_owned()).collect();
    while let Some(path) = pending.pop() {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if !directories.contains(path.as_path())
                && (name == "target" || name.as_encoded_bytes().starts_with(b"."))
            {
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

/// What stands behind `xtask-coverage = ` in the manifest of the package in `directory`.
fn requirement(site: &Site, directory: &Path, source: &Source, plan: &mut Plan) -> Result<String> {
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
            let path = plain(&path);
            // A submodule, for example, is at the same place in every clone.
            let path = if path.starts_with(site.boundary()) {
                relative(directory, &path)
            } else {
                plan.notes.push(
                    "`--from-path` is a directory of this machine, which no other clone of the repository has".to_owned(),
                );
                path.to_str().with_context(|| format!("`{}` is not UTF-8 text", path.display()))?.to_owned()
            };
            format!("{{ path = {} }}", quoted(&path))
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
            ("fn main() {}\n", format!("fn main() {{\n{guard}}}\n")),
            (
                "fn main() {\n\n\trun();\n}\n",
                format!("fn main() {{\n{}\n\trun();\n}}\n", guard.replace("    ", "\t")),
            ),
        ] {
            let offset = before.find('{').map_or(0, |at| at + 1);
            assert_eq!(with_guard(before, offset), after);
            let crlf = with_guard(&before.replace('\n', "\r\n"), offset);
            assert_eq!(crlf, after.replace('\n', "\r\n"));
        }
    }
}
