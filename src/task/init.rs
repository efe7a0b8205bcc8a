//! `coverage init`: makes this library the xtask of another workspace, or says precisely why not.
//!
//! Everything is planned on texts before the first file is written, and shown. Then files are written, cargo reads the result, and
//! what it refuses is put back. Files are edited line by line (`toml`); nothing is ever formatted anew.

mod cargo_config;
mod difference;
mod files;
mod lock;
mod plan;
mod root_manifest;
mod services;
mod site;
mod xtask_package;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};

use super::config::Config;
use super::{Outcome, shown};
use crate::cargo::adoption::{packed_files, resolve};
use crate::cargo::workspace::{Package, Workspace};
use crate::interrupt::Interrupt;
use crate::ui::Ui;
use crate::ui::message::Advised;
use files::Written;
use plan::Plan;
use site::Site;
use xtask_package::Xtask;

/// Adopts the workspace that the configuration names.
///
/// # Errors
/// Something stands in the way. Nothing is changed then.
pub(super) fn init(config: &Config, ui: &Ui) -> Result<Outcome> {
    let site = Site::find(config)?;
    let plan = make_plan(&site, config)?;
    ui.print(&plan.to_string())?;
    let outcome = if plan.left.is_empty() { Outcome::Fine } else { Outcome::LeftToDo };
    if plan.changes.is_empty() {
        ui.status("Finished", "nothing to do: the workspace has all that this command adds");
        return Ok(outcome);
    }
    for note in &plan.notes {
        ui.note(note);
    }
    if config.adoption.dry_run {
        ui.status("Finished", "nothing was changed, as `--dry-run` asks");
        return Ok(outcome);
    }
    if !config.adoption.allow_dirty {
        site.refuse_uncommitted()?;
    }
    if let Some(signal) = carry_out(&site, &plan)? {
        ui.status("Interrupted", "everything is as it was");
        return Ok(Outcome::Interrupted(signal));
    }
    for change in &plan.changes {
        ui.status(if change.before.is_some() { "Changed" } else { "Created" }, shown(&change.path));
    }
    if outcome == Outcome::Fine {
        let place = shown(&site.workspace.root);
        let place = if place.is_empty() { place } else { format!(", in {place}") };
        ui.status("Next", format_args!("cargo xtask coverage{place}"));
    }
    Ok(outcome)
}

/// All that there is to do.
fn make_plan(site: &Site, config: &Config) -> Result<Plan> {
    let mut plan = Plan::new(&site.workspace.root);
    plan.allows_updates = config.adoption.allow_updates;
    let cargo_config = cargo_config::CargoConfig::read(site)?;
    let xtask = Xtask::find(site, &cargo_config)?;
    xtask_package::plan(site, &xtask, &config.adoption.source, &mut plan)?;
    cargo_config.plan(site, &xtask, &mut plan)?;
    services::ignore_target_dir(site, &mut plan)?;
    services::plan(site, config.ci, &mut plan)?;
    // Last, because what is new must not get into the package that is published.
    root_manifest::plan(site, &xtask, &mut plan)?;
    note_ignored(site, &mut plan);
    Ok(plan)
}

/// Notes new files that git ignores: they would be missing wherever else the repository is.
fn note_ignored(site: &Site, plan: &mut Plan) {
    let Some(checkout) = &site.checkout else { return };
    let mut ignored = Vec::new();
    for path in plan.created() {
        // Of what lies behind a link git says nothing.
        if checkout.ignores(path).unwrap_or(false) {
            ignored.push(format!("`{}`", site.relative(path).display()));
        }
    }
    if !ignored.is_empty() {
        plan.notes
            .push(format!("git ignores {}; `git add --force` adds it all the same", ignored.join(", ")));
    }
}

/// Writes the files and has cargo read them. Where anything fails, everything is as before; and after a signal, whose number is
/// returned.
fn carry_out(site: &Site, plan: &Plan) -> Result<Option<usize>> {
    let lock = site.workspace.root.join("Cargo.lock");
    let locked_before = fs::read(&lock).ok();
    let put_lock_back = || match &locked_before {
        Some(content) => files::replace(&lock, content),
        None if lock.exists() => fs::remove_file(&lock).context("failed to remove `Cargo.lock`"),
        None => Ok(()),
    };
    // Cargo may take its time over the network.
    let listening = Interrupt::listen()?;
    // It may write the lock file for this, too.
    let root_package = site.root_package();
    let packed_before = root_package.and_then(|package| packed_files(package, site.offline));
    // What git ignores is nobody else's.
    let is_ignored = site.checkout.as_ref().is_some_and(|checkout| checkout.ignores(&lock).unwrap_or(false));
    let is_lock_kept = !plan.allows_updates && !is_ignored;
    let written = match Written::write(&plan.changes, site.boundary()) {
        Ok(written) => written,
        Err(error) => {
            put_lock_back()?;
            return Err(error);
        }
    };
    let checked = resolve(&site.workspace.root, site.offline)
        .context(Advised::new(
            "cargo cannot read the workspace with these changes, so they were taken back",
            "see what cargo says; without a network, `--offline` uses what is there, and `--from-path` a checkout of \
             xtask-coverage",
        ))
        .and_then(|after| {
            check_members(&site.workspace, &after)?;
            if let Some(before) = locked_before.as_deref().filter(|_| is_lock_kept) {
                let after = fs::read(&lock).with_context(|| format!("failed to read `{}`", lock.display()))?;
                check_locked(before, &after)?;
            }
            let packed_after = root_package.and_then(|package| packed_files(package, site.offline));
            check_packed(packed_before.as_ref(), packed_after.as_ref())
        });
    let signal = listening.interrupt().signal();
    if checked.is_err() || signal.is_some() {
        written.undo().and_then(|()| put_lock_back())?;
    } else if locked_before.is_none() {
        put_lock_back()?;
    }
    match signal {
        Some(signal) => Ok(Some(signal)),
        None => checked.map(|()| None),
    }
}

/// Whether all that was in the workspace is, and plain `cargo build` takes the packages that it took.
fn check_members(before: &Workspace, after: &Workspace) -> Result<()> {
    let lost = before.members.iter().find(|member| after.member(&member.id).is_none());
    if let Some(lost) = lost {
        bail!("`{}` would no longer be a member of the workspace, so the changes were taken back", lost.name);
    }
    let known = |id: &&String| before.member(id).is_some();
    let defaults = |workspace: &Workspace| {
        workspace.default_members.iter().filter(known).cloned().collect::<BTreeSet<String>>()
    };
    if defaults(before) != defaults(after) {
        bail!("plain `cargo build` would take other packages than before, so the changes were taken back");
    }
    let joined = |member: &&Package| before.member(&member.id).is_none();
    let joined: Vec<&str> = after.members.iter().filter(joined).map(|member| member.name.as_str()).collect();
    if joined.iter().any(|name| *name != "xtask") {
        bail!(
            "these packages would become members of the workspace: {}; the changes were taken back",
            joined.join(", ")
        );
    }
    Ok(())
}

/// Whether all that was locked is.
fn check_locked(before: &[u8], after: &[u8]) -> Result<()> {
    let locked = |text: &[u8]| lock::locked(&String::from_utf8_lossy(text));
    let changed = lock::changed(&locked(before), &locked(after));
    if changed.is_empty() {
        return Ok(());
    }
    let (names, texts): (Vec<String>, Vec<String>) = changed.into_iter().unzip();
    bail!(Advised::new(
        format!(
            "`Cargo.lock` would have other versions of what the workspace depends on ({}), because xtask-coverage needs newer \
             ones or what was locked cannot be had; the changes were taken back",
            texts.join(", ")
        ),
        format!("update first, as in `cargo update {}`, or add `--allow-updates`", names.join(" "))
    ))
}

/// Whether the package that lies in the root is published with the same files.
fn check_packed(before: Option<&BTreeSet<String>>, after: Option<&BTreeSet<String>>) -> Result<()> {
    let (Some(before), Some(after)) = (before, after) else { return Ok(()) };
    // cargo packs a lock file whether or not there is one beside the manifest.
    let differs = |path: &&String| path.as_str() != "Cargo.lock";
    let differing: Vec<&str> =
        before.symmetric_difference(after).filter(differs).map(String::as_str).collect();
    if !differing.is_empty() {
        bail!(Advised::new(
            format!(
                "`cargo publish` would pack other files than before ({}), so the changes were taken back",
                differing.join(", ")
            ),
            "say in `include` or `exclude` of the package what belongs into it"
        ));
    }
    Ok(())
}
