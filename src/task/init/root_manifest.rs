//! The workspace's manifest: who is a member, what is built without being named, what is published.

use std::fs;

use anyhow::{Context, Result};

use super::plan::Plan;
use super::site::{Site, plain, read_toml, relative};
use super::xtask_package::Xtask;
use crate::task::config::Source;
use crate::toml::edit::quoted;
use crate::toml::{Document, Kind};

/// The new crate's directory, from the root.
const XTASK: &str = "xtask";

/// Plans the membership of a new crate, and that plain `cargo build`, `cargo test` and `cargo publish` do as before.
///
/// # Errors
/// The manifest is written in a way that leaves no place for that.
pub(super) fn plan(site: &Site, xtask: &Xtask, source: &Source, plan: &mut Plan) -> Result<()> {
    let path = site.workspace.root.join("Cargo.toml");
    let mut document = site.manifest.clone();
    let context = || site.no_change(&path);
    if matches!(xtask, Xtask::New(_)) {
        join(site, &mut document, plan).with_context(context)?;
    }
    keep_checkout_out(site, xtask, source, &mut document).with_context(context)?;
    keep_directories_out(site, &mut document, plan).with_context(context)?;
    keep_unpublished(site, &mut document, plan).with_context(context)?;
    plan.write(path, Some(site.manifest.text().to_owned()), document.text().to_owned());
    Ok(())
}

/// Makes the new crate a member.
fn join(site: &Site, document: &mut Document, plan: &mut Plan) -> Result<()> {
    let is_virtual = !document.has(&["package"]);
    let was_alone = !document.has(&["workspace"]);
    let members: Vec<String> = texts(document, &["workspace", "members"]);
    let covered = members.iter().any(|pattern| matches(pattern, XTASK));
    let defaults = texts(document, &["workspace", "default-members"]);
    if is_virtual && !document.has(&["workspace", "default-members"]) {
        let entries = default_members(site, &members);
        document.insert(&["workspace"], "default-members", &array(&entries))?;
        plan.notes.push(
            "`default-members` keeps plain `cargo build` and `cargo test` as they are; a member that is added to \
             `members` by name belongs there too"
                .to_owned(),
        );
    }
    if defaults.iter().any(|pattern| matches(pattern, XTASK)) {
        plan.notes.push(
            "`default-members` takes in the new crate, so plain `cargo build` builds it too".to_owned(),
        );
    }
    if !covered {
        match document.get(&["workspace", "members"]) {
            Some(_) => document.push(&["workspace", "members"], &quoted(XTASK))?,
            None => document.insert(&["workspace"], "members", &array(&[XTASK.to_owned()]))?,
        }
    }
    if was_alone {
        // Packages below were workspaces of their own, or none; those that the package depends on would join now.
        let apart = packages_below(site)?;
        if !apart.is_empty() {
            document.insert(&["workspace"], "exclude", &array(&apart))?;
        }
    }
    Ok(())
}

/// Leaves a checkout of ours within the workspace out of it: it is a workspace of its own.
fn keep_checkout_out(site: &Site, xtask: &Xtask, source: &Source, document: &mut Document) -> Result<()> {
    let Source::Path(path) = source else { return Ok(()) };
    let path = path.canonicalize().map(|path| plain(&path)).unwrap_or_default();
    if xtask.apart().is_some() || !path.starts_with(&site.workspace.root) {
        return Ok(());
    }
    let name = relative(&site.workspace.root, &path);
    let excluded = texts(document, &["workspace", "exclude"]);
    if excluded.iter().any(|entry| leaves_out(entry, &name)) {
        return Ok(());
    }
    add(document, &["workspace"], "exclude", &name)
}

/// Adds a text to a list, which is made if there is none.
fn add(document: &mut Document, table: &[&str], key: &str, entry: &str) -> Result<()> {
    let list = [table, &[key]].concat();
    match document.get(&list) {
        Some(_) => document.push(&list, &quoted(entry))?,
        None => document.insert(table, key, &format!("[{}]", quoted(entry)))?,
    }
    Ok(())
}

/// Leaves directories that are new, and no packages, out of the workspace: cargo takes `*` for hidden ones too.
fn keep_directories_out(site: &Site, document: &mut Document, plan: &Plan) -> Result<()> {
    let root = &site.workspace.root;
    for file in plan.created() {
        let Some(name) = file.strip_prefix(root).ok().and_then(|path| path.parent()?.iter().next()?.to_str())
        else {
            continue;
        };
        let members = texts(document, &["workspace", "members"]);
        let excluded = texts(document, &["workspace", "exclude"]);
        let is_taken = name != XTASK
            && !root.join(name).exists()
            && members.iter().any(|pattern| matches(pattern, name))
            && !excluded.iter().any(|entry| leaves_out(entry, name));
        if is_taken {
            add(document, &["workspace"], "exclude", name)?;
        }
    }
    Ok(())
}

/// Patterns for the members that there are.
fn default_members(site: &Site, patterns: &[String]) -> Vec<String> {
    // Members may lie beside the workspace, or above it.
    let members = site.workspace.members.iter();
    let directories: Vec<String> =
        members.map(|member| relative(&site.workspace.root, &member.dir)).collect();
    // A pattern that the new crate is like would take it in.
    let mut entries: Vec<String> =
        patterns.iter().filter(|pattern| !matches(pattern, XTASK)).cloned().collect();
    for directory in directories {
        if !entries.iter().any(|pattern| matches(pattern, &directory)) {
            entries.push(directory);
        }
    }
    entries
}

/// The directories below the root with packages that have no workspace, several of one directory as that one.
fn packages_below(site: &Site) -> Result<Vec<String>> {
    let root = &site.workspace.root;
    let mut found: Vec<String> = Vec::new();
    let mut pending = vec![root.clone()];
    while let Some(directory) = pending.pop() {
        let entries =
            fs::read_dir(&directory).with_context(|| format!("failed to list `{}`", directory.display()))?;
        let mut below: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        below.sort();
        for path in below {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
            if is_link
                || !path.is_dir()
                || name.starts_with('.')
                || name == "target"
                || path == site.workspace.target_dir
            {
                continue;
            }
            let manifest = path.join("Cargo.toml");
            if !manifest.is_file() {
                pending.push(path);
                continue;
            }
            // What cannot be read is left out too: it is no member, whatever it is.
            let has_workspace =
                read_toml(&manifest).ok().flatten().is_some_and(|document| document.has(&["workspace"]));
            if !has_workspace {
                let relative = path.strip_prefix(root).unwrap_or(&path);
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
    let shared = |path: &String| {
        let siblings = found.iter().filter(|other| parent(other) == parent(path)).count();
        if siblings > 1 { parent(path) } else { None }
    };
    let mut directories: Vec<String> =
        found.iter().map(|path| shared(path).unwrap_or_else(|| path.clone())).collect();
    directories.sort();
    directories.dedup();
    Ok(directories)
}

/// Leaves the new files out of the package that lies in the root. Cargo leaves the crate out by itself.
fn keep_unpublished(site: &Site, document: &mut Document, plan: &Plan) -> Result<()> {
    let publish = document.get(&["package", "publish"]);
    let is_private = publish.is_some_and(|value| match &value.kind {
        Kind::Array(registries) => registries.is_empty(),
        _ => document.text().get(value.span.clone()) == Some("false"),
    });
    // Without git, cargo packs no hidden files.
    let is_packed = document.has(&["package"])
        && site.checkout.is_some()
        && !is_private
        && !document.has(&["package", "include"]);
    if !is_packed {
        return Ok(());
    }
    // What is inherited stands with the workspace.
    let is_inherited = document.has(&["package", "exclude", "workspace"]);
    let table: &[&str] = if is_inherited { &["workspace", "package"] } else { &["package"] };
    let excluded = texts(document, &[table, &["exclude"]].concat());
    for file in plan.created() {
        let Ok(relative) = file.strip_prefix(&site.workspace.root) else { continue };
        let relative = relative.to_string_lossy().replace('\\', "/");
        if relative.starts_with(&format!("{XTASK}/"))
            || excluded.iter().any(|pattern| leaves_out(pattern, &relative))
        {
            continue;
        }
        add(document, table, "exclude", &format!("/{relative}"))?;
    }
    Ok(())
}

/// Whether a pattern of `exclude` says a file's path, or a directory that it is in, letter by letter. One that says it otherwise does
/// no harm.
fn leaves_out(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches('/');
    let pattern =
        ["/**/*", "/**", "/*", "/"].into_iter().find_map(|end| pattern.strip_suffix(end)).unwrap_or(pattern);
    path == pattern || path.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a pattern of `members` is like a directory's path from the root.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    pattern == path || glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(path, options))
}

fn texts(document: &Document, path: &[&str]) -> Vec<String> {
    document.texts_at(path).unwrap_or_default().into_iter().map(str::to_owned).collect()
}

/// An array as it is written: on one line if that is short.
fn array(entries: &[String]) -> String {
    let entries: Vec<String> = entries.iter().map(|entry| quoted(entry)).collect();
    let short = format!("[{}]", entries.join(", "));
    if short.len() <= 80 {
        return short;
    }
    let lines: String = entries.iter().map(|entry| format!("    {entry},\n")).collect();
    format!("[\n{lines}]")
}

#[cfg(test)]
mod tests {
    use super::{leaves_out, matches};

    #[test]
    fn patterns_of_members() {
        for (pattern, path, expected) in [
            ("xtask", "xtask", true),
            ("./xtask/", "xtask", true),
            ("*", "xtask", true),
            ("x*", "xtask", true),
            ("crates/*", "crates/a", true),
            ("crates/*", "xtask", false),
            ("*", "crates/a", false),
            ("[", "[", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_of_exclude() {
        let path = ".github/workflows/coverage.yml";
        for (pattern, expected) in [
            (".github", true),
            ("/.github/", true),
            (".github/**", true),
            ("/.github/workflows/*", true),
            ("/.github/workflows/coverage.yml", true),
            ("/.git", false),
            (".github/workflows/ci.yml", false),
            ("*.yml", false),
        ] {
            assert_eq!(leaves_out(pattern, path), expected, "{pattern}");
        }
    }
}
