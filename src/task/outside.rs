//! Harnesses other than ours: the environment that they must set, and the report on what they left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};

use super::config::Config;
use super::record::{ManifestRecord, RunRecord};
use super::{Outcome, cargo_config, measure, output_file, sources};
use crate::cargo::outside::{self, Identity, Outside, UnitOutput};
use crate::cargo::workspace::Workspace;
use crate::cargo::wrapper::{Instrumentation, is_continuous};
use crate::layout::Layout;
use crate::load::matching::{Fingerprint, object_content, object_fingerprints, profile_groups};
use crate::runner::profiles;
use crate::ui::Ui;
use crate::ui::message::Advised;

/// `coverage show-env`: begins a run of another harness and prints what that has to set.
///
/// # Errors
/// The wrapper cannot be installed; the shell cannot be told a value.
pub(super) fn show_env(
    workspace: &Workspace,
    manifests: &[ManifestRecord],
    config: &Config,
    ui: &Ui,
) -> Result<Outcome> {
    let layout = workspace.layout();
    let _lock = measure::lock(&layout, ui)?;

    // One file for each process: a harness may build again between two of them, and a file that is shared under `%m` takes no
    // counts of the new build when the two have equally many.
    let name = if config.harness.continuous { "%p-%m%c.profraw" } else { "%p-%m.profraw" };
    let pattern = layout.outside().join(name);
    let instrumentation = Instrumentation { branches: config.build.branches, ..Instrumentation::default() };
    let target_dir = config.build.target_dir.as_deref();
    let settings = cargo_config(config);
    let prepared = outside::prepare(workspace, &settings, &instrumentation, &pattern, target_dir)?;
    let Outside { wrapper, variables, target_triple, own_build_dir } = prepared;
    ensure!(
        !config.harness.continuous || is_continuous(&target_triple),
        Advised::new(
            format!("programs for `{target_triple}` cannot keep their counts in a file while they run"),
            "drop `--continuous`"
        )
    );
    if let Some(why) = own_build_dir {
        ui.note(format_args!("dependencies are compiled apart from those of ordinary builds: {why}"));
    }

    if !config.tests.keep_profiles {
        profiles::empty(&layout.outside())?;
    }
    let record = RunRecord {
        profile_dirs: vec![layout.outside()],
        outside: Some(wrapper),
        manifests: manifests.to_vec(),
        ..RunRecord::new(workspace.root.clone(), sources::source_layout(workspace, config))
    };
    output_file::write(&layout.run_json(), record.render().as_bytes())?;

    let mut lines = Vec::new();
    for (name, value) in variables {
        lines.extend(config.harness.shell.assignment(&name, &value)?);
    }
    let mut stdout = ui.stdout();
    stdout.write_all(&lines).and_then(|()| stdout.flush()).context("failed to write to standard output")?;
    Ok(Outcome::Fine)
}

/// Adds to a record, which was read from `run_json`, what is known only now: the profiles that processes have left since, and
/// the objects that another harness has built.
///
/// # Errors
/// Nothing was built or run since `show-env`.
pub(super) fn complete(record: &mut RunRecord, run_json: &Path) -> Result<()> {
    let directories = std::mem::take(&mut record.profile_dirs);
    for directory in &directories {
        record.profiles.extend(profiles::find(directory));
    }
    let Some(wrapper) = record.outside.take() else { return Ok(()) };
    let target_dir =
        run_json.parent().and_then(Path::parent).context("`run.json` is in no target directory")?;
    let outputs = outside::outputs(&Layout::new(target_dir), &wrapper)?;
    let found = find(record, &outputs);
    if found.profiles.is_empty() {
        bail!(Advised::new(
            "no program has run since `show-env`, so there is nothing to report",
            "in the shell that evaluated the lines of `cargo xtask coverage show-env`, build and test; then report"
        ));
    }
    // A run of ours may have counted before, and has its own list of both.
    let all = |lists: [Vec<PathBuf>; 2]| {
        let mut seen = BTreeSet::new();
        lists.into_iter().flatten().filter(|path| seen.insert(path.clone())).collect()
    };
    record.objects = all([std::mem::take(&mut record.objects), found.objects]);
    record.profiles = all([found.compiler_profiles, found.profiles]);
    Ok(())
}

/// What another harness left.
#[derive(Debug, Default)]
struct Found {
    objects: Vec<PathBuf>,
    profiles: Vec<PathBuf>,
    compiler_profiles: Vec<PathBuf>,
}

/// Finds out which of the recorded units belong to the profiles of `record`.
fn find(record: &RunRecord, outputs: &[UnitOutput]) -> Found {
    let mut groups = profile_groups(&record.profiles);
    let fingerprints: Vec<Vec<Fingerprint>> = outputs
        .iter()
        .map(|output| output.object.as_deref().map(object_fingerprints).unwrap_or_default())
        .collect();

    // `cargo xtask` builds and runs this very program in that environment too. Whatever code it shares with the workspace, its
    // calls are none of the harness's.
    let is_own = |identity: &Identity| {
        let dir = identity.manifest_path.parent().unwrap_or(Path::new(""));
        let mut packages = record.sources.packages.iter();
        identity.is_program()
            && packages.any(|package| Path::new(&package.dir) == dir && !package.is_selected)
    };
    let own: BTreeSet<Fingerprint> = outputs
        .iter()
        .zip(&fingerprints)
        .filter(|(output, _)| is_own(&output.identity))
        .flat_map(|(_, fingerprints)| fingerprints.iter().copied())
        .collect();
    groups.retain(|group| group.fingerprints.is_disjoint(&own));

    let ran: BTreeSet<Fingerprint> =
        groups.iter().flat_map(|group| group.fingerprints.iter().copied()).collect();
    let candidates: Vec<Candidate<'_>> = outputs
        .iter()
        .zip(&fingerprints)
        .filter(|(output, _)| !is_own(&output.identity))
        .map(|(output, fingerprints)| Candidate {
            output,
            built: modified(output.object.as_deref().or(output.archive.as_deref())),
            ran: fingerprints.iter().any(|fingerprint| ran.contains(fingerprint)),
        })
        .collect();
    let newest = candidates.iter().filter(|it| it.ran).map(|it| it.built).max();
    let functions: BTreeSet<(u64, u64)> = groups.iter().flat_map(|it| it.functions.iter().copied()).collect();
    let look = |candidate: &Candidate<'_>| {
        let Some(object) = candidate.output.object.as_deref() else { return Look::default() };
        let content = object_content(object);
        let newest = newest.unwrap_or(candidate.built);
        let is_outdated = content.source_files.iter().any(|source| {
            let changed = modified(Some(source));
            let is_gone = changed == SystemTime::UNIX_EPOCH && source.starts_with(&record.workspace_root);
            is_gone || (candidate.built < changed && changed <= newest)
        });
        Look { is_outdated, n_common: content.functions.intersection(&functions).count() }
    };
    let kept = select(&candidates, &look);

    let known: BTreeSet<Fingerprint> = fingerprints.iter().flatten().copied().collect();
    let is_unknown = |fingerprint: &Fingerprint| !known.contains(fingerprint);
    let has_unknown = groups.iter().any(|group| group.fingerprints.iter().any(is_unknown));
    let mut found = Found {
        objects: kept.iter().filter_map(|it| it.output.object.clone()).collect(),
        compiler_profiles: kept.iter().flat_map(|it| it.output.compiler_profiles.clone()).collect(),
        profiles: groups.into_iter().flat_map(|group| group.paths).collect(),
    };
    if has_unknown {
        // Programs that nobody recorded, in another language perhaps. What they ran of our libraries is in these.
        found.objects.extend(kept.iter().filter_map(|it| it.output.archive.clone()));
    }
    found.profiles.sort();
    found
}

/// A recorded unit that may have to do with the profiles.
#[derive(Clone, Copy, Debug)]
struct Candidate<'a> {
    output: &'a UnitOutput,
    /// When it was linked.
    built: SystemTime,
    /// Whether a process of it has left a profile.
    ran: bool,
}

/// What an object says when it is read, which takes longer.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    /// Whether a source has changed since, and something that ran was built later than that.
    is_outdated: bool,
    /// How many of its functions are in the profiles: those of a crate that was built with other features have other names.
    n_common: usize,
}

/// The candidates whose maps count.
///
/// Records outlive what they are about: there are units of other features and profiles, some from before an edit, and nothing
/// tells which of them cargo has found fresh and handed out again. Processes tell. Of one identity, the units that ran count,
/// several if several did, but not those whose sources have changed while others were built later: they would show lines where
/// these no longer are. Of what never ran, one counts, because code that did not run is news too: the one that is built from
/// what ran elsewhere, the newest if there are several.
fn select<'a>(candidates: &[Candidate<'a>], look: &dyn Fn(&Candidate<'a>) -> Look) -> Vec<Candidate<'a>> {
    let mut by_identity: BTreeMap<&Identity, Vec<Candidate<'a>>> = BTreeMap::new();
    for candidate in candidates {
        by_identity.entry(&candidate.output.identity).or_default().push(*candidate);
    }
    let mut kept = Vec::new();
    for units in by_identity.into_values() {
        let ran: Vec<Candidate<'a>> = units.iter().filter(|it| it.ran).copied().collect();
        match ran.as_slice() {
            [] => {
                let looks = units.into_iter().map(|it| (it, look(&it))).filter(|(_, look)| !look.is_outdated);
                kept.extend(looks.max_by_key(|(it, look)| (look.n_common, it.built)).map(|(it, _)| it));
            }
            [only] => kept.push(*only),
            several => {
                let current: Vec<_> = several.iter().filter(|it| !look(it).is_outdated).copied().collect();
                kept.extend(if current.is_empty() { ran } else { current });
            }
        }
    }
    kept
}

/// When a file was written; the beginning of time if there is none.
fn modified(path: Option<&Path>) -> SystemTime {
    let metadata = path.and_then(|path| fs::metadata(path).ok());
    metadata.and_then(|metadata| metadata.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Candidate, Look, select};
    use crate::cargo::outside::{Identity, UnitOutput};

    /// `units`: identity, path, time, and whether it ran (`+`), is outdated (`!`), has functions that ran elsewhere (`=`).
    /// `expected`: the paths that are kept.
    fn check(units: &[(&str, &str, u64, &str)], expected: &[&str]) {
        let outputs: Vec<UnitOutput> = units
            .iter()
            .map(|(identity, path, ..)| UnitOutput {
                identity: Identity {
                    manifest_path: "/w/Cargo.toml".into(),
                    crate_name: (*identity).to_owned(),
                    crate_types: vec!["bin".to_owned()],
                    test: false,
                },
                object: Some(path.into()),
                archive: None,
                compiler_profiles: Vec::new(),
            })
            .collect();
        let candidates: Vec<Candidate<'_>> = outputs
            .iter()
            .zip(units)
            .map(|(output, (_, _, time, marks))| Candidate {
                output,
                built: SystemTime::UNIX_EPOCH + Duration::from_secs(*time),
                ran: marks.contains('+'),
            })
            .collect();
        let look = |candidate: &Candidate<'_>| {
            let path = candidate.output.object.as_deref();
            let is_it = |unit: &str| path == Some(unit.as_ref());
            let marks = units.iter().find(|(_, unit, ..)| is_it(unit)).map_or("", |(.., marks)| marks);
            Look { is_outdated: marks.contains('!'), n_common: marks.matches('=').count() }
        };
        let kept = select(&candidates, &look);
        let kept: Vec<_> = kept.iter().filter_map(|it| it.output.object.as_deref()?.to_str()).collect();
        assert_eq!(kept, expected, "{units:?}");
    }

    #[test]
    fn processes_tell_which_units_count() {
        check(&[], &[]);
        check(&[("a", "a1", 1, "+"), ("b", "b1", 1, "")], &["a1", "b1"]);
        // The newest was built with other features, then the old one was fresh and ran.
        check(&[("a", "a1", 1, "+"), ("a", "a2", 2, "")], &["a1"]);
        check(&[("a", "a1", 1, ""), ("a", "a2", 2, "")], &["a2"]);
        check(&[("a", "a1", 1, "="), ("a", "a2", 2, "")], &["a1"]);
        check(&[("a", "a1", 1, "=="), ("a", "a2", 2, "=="), ("a", "a3", 3, "==!")], &["a2"]);
        check(&[("a", "a1", 1, "+"), ("a", "a2", 2, "+"), ("a", "a3", 3, "")], &["a1", "a2"]);
        check(&[("a", "a1", 1, "+!"), ("a", "a2", 2, "+")], &["a2"]);
        // Edited after all of them: then they are all there is.
        check(&[("a", "a1", 1, "+!"), ("a", "a2", 2, "+!")], &["a1", "a2"]);
        check(&[("a", "a1", 1, "+!"), ("a", "a2", 2, "")], &["a1"]);
        check(&[("a", "a1", 1, "+"), ("b", "b1", 1, "!")], &["a1"]);
    }
}
