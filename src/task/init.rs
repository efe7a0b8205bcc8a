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
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::config::Config;
use super::{Outcome, shown};
use crate::cargo::adoption::{packed_files, resolve};
use crate::cargo::workspace::{Package, Workspace};
use crate::interrupt::Interrupt;
use crate::ui::Ui;
use crate::ui::message::Advised;
use files::Written;
use lock::LockFile;
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
    if let Some(signal) = carry_out(&site, &plan, ui)? {
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
    plan.apart = xtask.apart().map(Path::to_owned);
    xtask_package::plan(site, &xtask, &config.adoption.source, &mut plan)?;
    cargo_config.plan(site, &xtask, &mut plan)?;
    services::ignore_target_dir(site, &mut plan)?;
    services::plan(site, config.ci, &mut plan)?;
    // Last, because what is new must not get into the package that is published.
    root_manifest::plan(site, &xtask, &config.adoption.source, &mut plan)?;
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
fn carry_out(site: &Site, plan: &Plan, ui: &Ui) -> Result<Option<usize>> {
    // Where the tasks are in another workspace, cargo has to read that one, too.
    let roots = [site.workspace.root.as_path()].into_iter().chain(plan.apart.as_deref());
    let locks: Vec<LockFile> = roots.map(LockFile::read).collect();
    // What git ignores is nobody else's.
    let is_ignored = |lock: &LockFile| {
        site.checkout.as_ref().is_some_and(|checkout| checkout.ignores(lock.path()).unwrap_or(false))
    };
    let put_locks_back = || locks.iter().try_for_each(LockFile::put_back);
    // Cargo may take its time over the network.
    let listening = Interrupt::listen()?;
    // It may write the lock file for this, too.
    let root_package = site.root_package();
    let packed = || packed_files(root_package?, &site.workspace.target_dir, site.offline);
    let packed_before = packed();
    let written = match Written::write(&plan.changes, site.boundary()) {
        Ok(written) => written,
        Err(error) => {
            put_locks_back()?;
            return Err(error);
        }
    };
    let checked = read_again(&site.workspace.root, site, plan).and_then(|after| {
        check_members(&site.workspace, &after)?;
        if let Some(apart) = &plan.apart {
            read_again(apart, site, plan)?;
        }
        for lock in &locks {
            if !plan.allows_updates && !is_ignored(lock) {
                lock.check(site.offline)?;
            }
        }
        check_packed(packed_before.as_ref(), packed().as_ref())
    });
    let signal = listening.interrupt().signal();
    if checked.is_err() || signal.is_some() {
        written.undo().and_then(|()| put_locks_back())?;
    } else {
        locks.iter().try_for_each(LockFile::remove_new)?;
        for format in locks.iter().filter(|lock| !is_ignored(lock)).filter_map(LockFile::new_format) {
            ui.note(format_args!(
                "cargo has written `Cargo.lock` in format {format}, as it does where no package has an older `rust-version`; \
                 cargo before 1.78 reads up to 3"
            ));
        }
    }
    match signal {
        Some(signal) => Ok(Some(signal)),
        None => checked.map(|()| None),
    }
}

/// What cargo makes of a workspace after the changes.
fn read_again(root: &Path, site: &Site, plan: &Plan) -> Result<Workspace> {
    let cure = if plan.replaces_registry {
        "see what cargo says; if what xtask-coverage needs is not vendored yet, take `replace-with` out of cargo's configuration, \
         call this again with `--allow-dirty`, then `cargo vendor`, and put it back"
    } else {
        "see what cargo says; `--from-path` and `--from-git` take xtask-coverage from elsewhere than the registry, and \
         `--offline` uses what is there without a network"
    };
    let what = "cargo cannot read the workspace with these changes, so they were taken back";
    resolve(root, site.offline).context(Advised::new(what, cure))
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

/// Whether the package that lies in the root is published with the same files.
fn check_packed(before: Option<&BTreeSet<String>>, after: Option<&BTreeSet<String>>) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    let Some(after) = after else {
        bail!(Advised::new(
            "`cargo package --list` would fail, so the changes were taken back",
            "this is a bug of xtask-coverage; please report it with the workspace's manifests"
        ));
    };
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
