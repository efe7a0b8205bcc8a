//! `--partial`: a run's maps and counts as one file for other machines. The engine knows the format of the file; what is in its
//! header, this knows.
//!
//! The header is JSON: `"run"` is the record of the run with portable paths, `"sources"` has the digest of each source, `"objects"`
//! says where each object stands in the order of the whole run, `"warnings"` what reading them has warned of.
//!
//! Paths below the workspace's root have the number of the root's name, from 1 on. Packages of the workspace may lie elsewhere, beside
//! it for one: their paths begin at a directory above the root, and their number is larger by 256 for each step up. In a workspace
//! `/w/a`, `1:src/lib.rs` is `/w/a/src/lib.rs`, and `257:b/src/lib.rs` is `/w/b/src/lib.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use super::config::Config;
use super::record::{Origin, RunRecord};
use super::{Bytes, merge, on_disk, output_file, read_regular, shown, threads, warnings};
use crate::cargo::workspace::Workspace;
use crate::coverage::map::CoverageMap;
use crate::coverage::portable::{self, Parts, Portable, PortablePath};
use crate::coverage::profile::Profile;
use crate::filter::{PackageSources, SourceLayout};
use crate::format::error::ErrorKind;
use crate::git::repository::Repository;
use crate::load::{self, Architecture, Warning};
use crate::ui::Ui;
use crate::ui::message::Advised;

/// What a file is written from.
pub(super) struct Content {
    /// What the objects say.
    pub(super) map: CoverageMap,
    /// For each object of the map, where it stands in the order of the whole run.
    pub(super) objects: Vec<Object>,
    /// The counts without those of older builds.
    pub(super) profile: Profile,
    /// The counts with them, where there are any.
    pub(super) with_stale: Option<Profile>,
    /// The digest of each source by its portable path.
    pub(super) sources: BTreeMap<String, String>,
    /// What reading has warned of.
    pub(super) warnings: Vec<Warning>,
}

/// Where an object stands among those of a whole run: programs and libraries, then doctests by their binary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    /// Whether it is the coverage map of a doctest.
    pub(super) is_doctest: bool,
    /// The position of the file; for doctests that of the binary, then that of the file within it.
    pub(super) position: [u64; 2],
    /// The position within the file, if that is an archive.
    pub(super) member: u64,
    /// Its path, for messages.
    pub(super) path: PathBuf,
}

/// A file that was read.
pub(super) struct File {
    /// Its path.
    pub(super) path: PathBuf,
    /// Its maps and counts.
    pub(super) data: Portable,
    /// The record of its run, with paths as they are on this machine.
    pub(super) run: RunRecord,
    /// The digest of each source by its portable path.
    pub(super) sources: BTreeMap<String, String>,
    /// One for each of the data's objects.
    pub(super) objects: Vec<Object>,
    /// What was passed over when it was written.
    pub(super) warnings: Vec<Warning>,
}

/// What is added to a root's number for each step up.
const STEP_UP: u32 = 256;

/// The directories of a machine at which portable paths begin.
struct Places<'a> {
    /// The workspace's root, by all of its names.
    roots: &'a [String],
    /// Where its packages lie.
    packages: Vec<&'a str>,
}

impl<'a> Places<'a> {
    fn of(sources: &'a SourceLayout) -> Places<'a> {
        let packages = sources.packages.iter().map(|package| package.dir.as_str());
        Places { roots: &sources.roots, packages: packages.collect() }
    }
}

/// How a run was built, in the words of the command line.
pub(super) fn origin(workspace: &Workspace, target_triple: &str, config: &Config) -> Origin {
    let mut words = Vec::new();
    let (features, build, packages, targets) =
        (&config.features, &config.build, &config.packages, &config.targets);
    let profile: Vec<String> = build.cargo_profile.iter().cloned().collect();
    let lists = [
        ("--package", &packages.select),
        ("--exclude", &packages.exclude),
        ("--bin", &targets.bin),
        ("--test", &targets.test),
        ("--example", &targets.example),
        ("--bench", &targets.bench),
        ("--features", &features.select),
        ("--profile", &profile),
    ];
    for (name, values) in lists {
        words.extend(values.iter().flat_map(|value| [name.to_owned(), value.clone()]));
    }
    let switches = [
        ("--lib", targets.lib),
        ("--bins", targets.bins),
        ("--tests", targets.tests),
        ("--examples", targets.examples),
        ("--benches", targets.benches),
        ("--all-targets", targets.all_targets),
        ("--all-features", features.all),
        ("--no-default-features", features.no_default),
        ("--branch", build.branches),
        ("--include-build-script", build.build_scripts),
    ];
    words.extend(switches.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()));
    Origin {
        configuration: words,
        target_triple: target_triple.to_owned(),
        rustc: workspace.toolchain.release.clone(),
    }
}

/// Writes a run into a file. What reading it warns of is said unless `reports` follow, which will say it.
///
/// # Errors
/// The run's objects and profiles cannot be read, or the file cannot be written.
pub(super) fn write(record: &RunRecord, path: &Path, config: &Config, reports: bool, ui: &Ui) -> Result<()> {
    let content = match record.partials.is_empty() {
        true => load(record, threads(config).get())?,
        false => {
            merge::content(&merge::read_all(&record.partials, &record.sources.roots)?, &record.sources.roots)
        }
    };
    let header = header(record, &content).to_string();
    let parts = Parts {
        header: header.as_bytes(),
        map: &content.map,
        profile: &content.profile,
        with_stale: content.with_stale.as_ref(),
    };
    let places = Places::of(&record.sources);
    let bytes = portable::encode(&parts, &|path| portable_path(path, &places, cfg!(windows)));
    if !reports {
        warnings::say(content.warnings, ui);
    }
    output_file::write(path, &bytes)?;
    ui.status("Wrote", format_args!("{} ({})", shown(path), Bytes(bytes.len() as u64)));
    Ok(())
}

/// Reads what a run left. A part may have no test that counts anything.
fn load(record: &RunRecord, threads: usize) -> Result<Content> {
    let paths = record.all_objects();
    let mut warnings = Vec::new();
    let (map, files) = load::read_objects(&paths, Architecture::host(), threads, &mut warnings)?;
    let is_part = record.partition.is_some();
    let read = |ignore_stale: bool, warnings: &mut Vec<Warning>| match load::read_profiles(
        &record.profiles,
        &map,
        threads,
        ignore_stale,
        warnings,
    ) {
        Err(error) if is_part && error.is::<load::NothingCounted>() => Ok(Profile::default()),
        read => read,
    };
    let profile = read(true, &mut warnings)?;
    let with_stale = if profile.n_stale_profiles > 0 { Some(read(false, &mut Vec::new())?) } else { None };
    let positions = file_positions(record);
    let mut objects: Vec<Object> = Vec::new();
    for position in files {
        let (is_doctest, within) = positions.get(position).copied().unwrap_or_default();
        let path = paths.get(position).cloned().unwrap_or_default();
        let member =
            objects.last().filter(|before| before.path == path).map_or(0, |before| before.member + 1);
        objects.push(Object { is_doctest, position: within, member, path });
    }
    let sources = digests(record, &map);
    Ok(Content { map, objects, profile, with_stale, sources, warnings })
}

/// For each of all objects, whether it is a doctest's, and its position in a whole run.
fn file_positions(record: &RunRecord) -> Vec<(bool, [u64; 2])> {
    let programs = (0..).zip(&record.objects).map(|(position, _)| (false, [position, 0]));
    let doctests = record.tests.iter().enumerate().flat_map(|(number, test)| {
        let known = record.partition.as_ref().map_or(&[][..], |partition| &partition.binaries);
        let position = known.iter().position(|id| *id == test.binary_id).unwrap_or(number);
        (0..test.n_objects).map(move |within| (true, [position as u64, within]))
    });
    programs.chain(doctests).collect()
}

fn header(record: &RunRecord, content: &Content) -> Value {
    let places = Places::of(&record.sources);
    let short = |path: &Path| portable_text(&path.to_string_lossy(), &places);
    let objects = content
        .objects
        .iter()
        .map(|object| json!([object.is_doctest, object.position, object.member, short(&object.path)]));
    let warnings = content.warnings.iter().map(|it| json!([it.slug, it.count, it.message]));
    let mut run = with_paths(record, &|path| portable_text(path, &places));
    run.workspace_root = PathBuf::new();
    run.sources.roots.clear();
    run.objects.clear();
    run.doctest_objects.clear();
    run.profiles.clear();
    run.profile_dirs.clear();
    run.partials.clear();
    run.tests.iter_mut().for_each(|test| test.executable = PathBuf::new());
    json!({
        "tool": env!("CARGO_PKG_VERSION"),
        "commit": Repository::open(&record.workspace_root).ok().and_then(|repository| repository.head()),
        "run": run.to_json(),
        "sources": content.sources,
        "objects": objects.collect::<Vec<_>>(),
        "warnings": warnings.collect::<Vec<_>>(),
    })
}

/// The digests of the sources in the workspace that the map names. What is no file, or is not there, has none.
fn digests(record: &RunRecord, map: &CoverageMap) -> BTreeMap<String, String> {
    let places = Places::of(&record.sources);
    let of_workspace = map.paths.iter().filter_map(|stored| {
        let path = portable_path(stored, &places, cfg!(windows));
        (path.root > 0).then(|| Some((name(&path), digest(&on_disk(&record.workspace_root, stored))?)))?
    });
    of_workspace.collect()
}

/// A portable path as seen from the root.
fn name(path: &PortablePath) -> String {
    "../".repeat((path.root / STEP_UP) as usize) + &String::from_utf8_lossy(&path.path)
}

/// Where a source is that has this [`name`].
pub(super) fn placed_name(name: &str, roots: &[String]) -> Vec<u8> {
    let (mut root, mut path) = (1_u32, name);
    while let Some(rest) = path.strip_prefix("../") {
        (root, path) = (root.saturating_add(STEP_UP), rest);
    }
    placed_path(&PortablePath { root, path: path.as_bytes().into() }, roots)
}

/// What tells the text of a source from others. Checkouts on Windows end lines otherwise, which moves nothing.
pub(super) fn digest(path: &Path) -> Option<String> {
    let mut text = read_regular(path)?;
    let mut before = 0;
    let is_kept: Vec<bool> = text
        .iter()
        .enumerate()
        .map(|(at, byte)| *byte != b'\r' || text.get(at + 1) != Some(&b'\n'))
        .collect();
    text.retain(|_| {
        before += 1;
        is_kept.get(before - 1) == Some(&true)
    });
    Some(format!("{:x}", md5::compute(text)))
}

/// A path without the workspace's root, and with `/` between its parts where `windows` says that it is one of Windows.
fn portable_path(stored: &[u8], places: &Places<'_>, windows: bool) -> PortablePath {
    let slashed = |path: &[u8]| match windows {
        true => path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect(),
        false => path.to_vec(),
    };
    // The canonical form of Windows, `\\?\C:\w`, is the same path.
    let plain = |path: &[u8]| slashed(path).strip_prefix(b"//?/").filter(|_| windows).map(<[u8]>::to_vec);
    let plain = |path: &[u8]| plain(path).unwrap_or_else(|| slashed(path));
    let directory = |path: &str| {
        let path = plain(path.as_bytes());
        path.strip_suffix(b"/").map(<[u8]>::to_vec).unwrap_or(path)
    };
    let path = plain(stored);
    let roots: Vec<Vec<u8>> = places.roots.iter().map(|root| directory(root)).collect();
    for (number, root) in (1..).zip(&roots) {
        if let Some(rest) = below(&path, root) {
            return PortablePath { root: number, path: rest.into() };
        }
    }
    if places.packages.iter().any(|dir| below(&path, &directory(dir)).is_some()) {
        for (number, root) in (1..).zip(&roots) {
            // What has no more in common than the root of the file system, or a drive, has no place elsewhere.
            let above = std::iter::successors(parent(root), |dir| parent(dir));
            let above = above.take_while(|dir| !dir.is_empty() && !dir.ends_with(b":"));
            let mut numbered = (1..).map(|steps| number + steps * STEP_UP).zip(above);
            if let Some(found) = numbered.find_map(|(root, dir)| {
                below(&path, dir).map(|rest| PortablePath { root, path: rest.into() })
            }) {
                return found;
            }
        }
    }
    PortablePath { root: 0, path: stored.into() }
}

/// The rest of a path in a directory; nothing for the directory itself.
fn below<'a>(path: &'a [u8], dir: &[u8]) -> Option<&'a [u8]> {
    match path.strip_prefix(dir)? {
        [] => Some(&[]),
        [b'/', rest @ ..] => Some(rest),
        _ => None,
    }
}

fn parent(dir: &[u8]) -> Option<&[u8]> {
    dir.get(..dir.iter().rposition(|byte| *byte == b'/')?)
}

/// Where a portable path is below these roots.
pub(super) fn placed_path(path: &PortablePath, roots: &[String]) -> Vec<u8> {
    let Some(number) = (path.root % STEP_UP).checked_sub(1) else { return path.path.to_vec() };
    let root = roots.get(number as usize).or(roots.first()).map_or(&[][..], |root| root.as_bytes());
    let separator: &[u8] = if cfg!(windows) { b"\\" } else { b"/" };
    let mut dir = root.strip_suffix(separator).unwrap_or(root);
    for _ in 0..path.root / STEP_UP {
        let Some(end) = dir.iter().rposition(|byte| separator.contains(byte)) else { break };
        dir = dir.get(..end).unwrap_or_default();
    }
    if path.path.is_empty() {
        return if path.root < STEP_UP { root.to_vec() } else { dir.to_vec() };
    }
    let slashed = |&byte: &u8| if cfg!(windows) && byte == b'/' { b'\\' } else { byte };
    let rest: Vec<u8> = path.path.iter().map(slashed).collect();
    [dir, separator, &rest].concat()
}

/// A portable path as text: `1:src/a.rs`, `0:/elsewhere/a.rs`.
fn portable_text(path: &str, places: &Places<'_>) -> String {
    let path = portable_path(path.as_bytes(), places, cfg!(windows));
    format!("{}:{}", path.root, String::from_utf8_lossy(&path.path))
}

fn placed_text(text: &str, roots: &[String]) -> String {
    let path = match text.split_once(':').and_then(|(root, path)| Some((root.parse().ok()?, path))) {
        Some((root, path)) => PortablePath { root, path: path.as_bytes().into() },
        None => PortablePath { root: 0, path: text.as_bytes().into() },
    };
    String::from_utf8_lossy(&placed_path(&path, roots)).into_owned()
}

/// The record with its paths changed.
fn with_paths(record: &RunRecord, change: &dyn Fn(&str) -> String) -> RunRecord {
    let mut record = record.clone();
    let SourceLayout { roots: _, build_dirs, packages } = &mut record.sources;
    let change_all = |paths: &mut Vec<String>| paths.iter_mut().for_each(|path| *path = change(path));
    change_all(build_dirs);
    for PackageSources { dir, crate_roots, auxiliary_targets, .. } in packages {
        *dir = change(dir);
        change_all(crate_roots);
        auxiliary_targets.iter_mut().for_each(|(_, path)| *path = change(path));
    }
    for manifest in &mut record.manifests {
        manifest.path = change(&manifest.path.to_string_lossy()).into();
    }
    record
}

/// Reads a file, with its paths below these roots.
///
/// # Errors
/// It cannot be read, is damaged, is none, or is of a newer version of this program.
pub(super) fn read(path: &Path, roots: &[String]) -> Result<File> {
    let what = || format!("failed to read `{}`", path.display());
    const GIVE: &str = "give files that `--partial <FILE>` has written";
    let bytes = fs::metadata(path).and_then(|metadata| match metadata.is_file() {
        true => fs::read(path),
        false => Err(std::io::Error::other("not a regular file")),
    });
    let bytes = bytes.map_err(|error| anyhow!(Advised::new(format!("{}: {error}", what()), GIVE)))?;
    let data = portable::decode(&bytes).map_err(|error| {
        let cure = match error.kind {
            ErrorKind::UnsupportedVersion { .. } => "update xtask-coverage to the version that wrote it",
            ErrorKind::NotRecognized { .. } => GIVE,
            _ => "the file was damaged or cut off on its way; write it again",
        };
        anyhow!(Advised::new(format!("{}: {error}", what()), cure))
    })?;
    let header = serde_json::from_slice(&data.header)
        .map_err(anyhow::Error::from)
        .and_then(|header| parse_header(&header, roots));
    let (run, sources, objects, warnings) = header.map_err(|error| {
        let what = format!("{}: {error:#}", what());
        anyhow!(Advised::new(what, "write and merge with the same version of xtask-coverage"))
    })?;
    if objects.len() != data.n_objects() {
        bail!("{}: it lists {} objects and has {}", what(), objects.len(), data.n_objects());
    }
    Ok(File { path: path.to_owned(), data, run, sources, objects, warnings })
}

/// What reading objects and profiles can warn of.
const SLUGS: [&str; 8] = [
    "counter-mismatch",
    "damaged-object",
    "empty-profile",
    "incomplete-object",
    "stale-profile",
    "unknown-file-names",
    "unreadable-object",
    "unreadable-profile",
];

type Header = (RunRecord, BTreeMap<String, String>, Vec<Object>, Vec<Warning>);

fn parse_header(header: &Value, roots: &[String]) -> Result<Header> {
    let run = header.get("run").context("no `run`")?;
    let mut run = with_paths(&RunRecord::from_json(run)?, &|path| placed_text(path, roots));
    if run.contributors.is_empty() {
        run.contributors.push(contributor(header, &run));
    }
    let digest = |(path, digest): (&String, &Value)| Some((path.clone(), digest.as_str()?.to_owned()));
    let sources = header.get("sources").and_then(Value::as_object).context("no `sources`")?;
    let list = |key: &'static str| header.get(key).and_then(Value::as_array).context("a list is missing");
    let object = |value: &Value| {
        let numbers = value.get(1)?.as_array()?;
        Some(Object {
            is_doctest: value.get(0)?.as_bool()?,
            position: [numbers.first()?.as_u64()?, numbers.get(1)?.as_u64()?],
            member: value.get(2)?.as_u64()?,
            path: placed_text(value.get(3)?.as_str()?, roots).into(),
        })
    };
    let objects = list("objects")?.iter().map(object).collect::<Option<_>>().context("an object is none")?;
    let warning = |value: &Value| {
        let slug = value.get(0)?.as_str()?;
        // A word that this version does not know is of no use to it.
        let slug = SLUGS.into_iter().find(|known| *known == slug)?;
        Some(Warning { slug, count: value.get(1)?.as_u64()?, message: value.get(2)?.as_str()?.to_owned() })
    };
    let warnings = list("warnings")?.iter().filter_map(warning).collect();
    let sources = sources.iter().map(digest).collect::<Option<_>>().context("a digest is no text")?;
    Ok((run, sources, objects, warnings))
}

/// Who a run was, for the record of a merge. Which file it came in is added there.
fn contributor(header: &Value, run: &RunRecord) -> Value {
    let origin = run.origin.as_ref();
    json!({
        "configuration": origin.map(|origin| &origin.configuration),
        "target": origin.map(|origin| &origin.target_triple),
        "rustc": origin.map(|origin| &origin.rustc),
        "tool": header.get("tool"),
        "commit": header.get("commit"),
        "partition": run.partition.as_ref().map(|partition| partition.part.to_string()),
        "binaries": run.tests.iter().map(|test| &test.binary_id).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::{
        Places, PortablePath, digest, name, placed_name, placed_path, placed_text, portable_path,
        portable_text,
    };

    #[test]
    fn paths_of_one_machine_on_another() {
        let unix: &[&str] = &["/w", "/real/w"];
        let windows: &[&str] = &[r"C:\w", r"\\?\D:\w"];
        for (stored, roots, is_windows, root, path, placed) in [
            ("/w/src/a.rs", unix, false, 1, "src/a.rs", "/here/src/a.rs"),
            ("/w", unix, false, 1, "", "/here"),
            ("/w/a/../b.rs", unix, false, 1, "a/../b.rs", "/here/a/../b.rs"),
            ("/real/w/src/a.rs", unix, false, 2, "src/a.rs", "/here/src/a.rs"),
            ("/wide/a.rs", unix, false, 0, "/wide/a.rs", "/wide/a.rs"),
            (r"/w/a\b.rs", unix, false, 1, r"a\b.rs", r"/here/a\b.rs"),
            (r"C:\w\src\a.rs", windows, true, 1, "src/a.rs", "/here/src/a.rs"),
            (r"C:\w/src\a.rs", windows, true, 1, "src/a.rs", "/here/src/a.rs"),
            (r"\\?\C:\w\src\a.rs", windows, true, 1, "src/a.rs", "/here/src/a.rs"),
            (r"D:\w\a.rs", windows, true, 2, "a.rs", "/here/a.rs"),
            (r"C:\registry\a.rs", windows, true, 0, r"C:\registry\a.rs", r"C:\registry\a.rs"),
        ] {
            let roots: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
            let places = Places { roots: &roots, packages: Vec::new() };
            let found = portable_path(stored.as_bytes(), &places, is_windows);
            assert_eq!((found.root, &*found.path), (root, path.as_bytes()), "{stored}");
            if cfg!(unix) {
                let here = placed_path(&found, &["/here".to_owned()]);
                assert_eq!(String::from_utf8_lossy(&here), placed, "{stored}");
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn at_the_same_place_every_path_is_what_it_was() {
        let roots = ["/w".to_owned(), "/real/w".to_owned()];
        let places = Places { roots: &roots, packages: vec!["/w", "/real/beside", "/x"] };
        for path in [
            "/w/a.rs",
            "/real/w/a.rs",
            "/w",
            "/elsewhere",
            "relative/a.rs",
            "",
            "C:/w/a.rs",
            "/w//a.rs",
            "/real/beside/a.rs",
            "/real/beside",
            "/x/a.rs",
        ] {
            assert_eq!(placed_text(&portable_text(path, &places), &roots), path);
        }
    }

    #[test]
    fn packages_beside_the_workspace() {
        let unix = ["/git/a/w".to_owned(), "/real/a/w".to_owned()];
        let windows = [r"C:\git\w".to_owned()];
        let packages = ["/git/a/w", "/git/a/b", "/git/c", "/far/d", r"C:\git\b", r"C:\far", r"D:\far"];
        for (stored, roots, root, path, from_root, placed) in [
            ("/git/a/w/src/a.rs", &unix[..], 1, "src/a.rs", "src/a.rs", "/h/i/w/src/a.rs"),
            ("/git/a/b/a.rs", &unix, 257, "b/a.rs", "../b/a.rs", "/h/i/b/a.rs"),
            ("/git/a/b", &unix, 257, "b", "../b", "/h/i/b"),
            ("/git/c/a.rs", &unix, 513, "c/a.rs", "../../c/a.rs", "/h/c/a.rs"),
            // No package is there.
            ("/git/other/a.rs", &unix, 0, "/git/other/a.rs", "", "/git/other/a.rs"),
            ("/git/a/bb/a.rs", &unix, 0, "/git/a/bb/a.rs", "", "/git/a/bb/a.rs"),
            // Nothing in common.
            ("/far/d/a.rs", &unix, 0, "/far/d/a.rs", "", "/far/d/a.rs"),
            (r"C:\git\b\a.rs", &windows, 257, "b/a.rs", "../b/a.rs", "/h/i/b/a.rs"),
            (r"C:\far\a.rs", &windows, 0, r"C:\far\a.rs", "", r"C:\far\a.rs"),
            (r"D:\far\a.rs", &windows, 0, r"D:\far\a.rs", "", r"D:\far\a.rs"),
        ] {
            let places = Places { roots, packages: packages.to_vec() };
            let found = portable_path(stored.as_bytes(), &places, roots == windows);
            assert_eq!((found.root, &*found.path), (root, path.as_bytes()), "{stored}");
            if cfg!(unix) {
                let here = ["/h/i/w".to_owned()];
                assert_eq!(String::from_utf8_lossy(&placed_path(&found, &here)), placed, "{stored}");
                if root > 0 {
                    assert_eq!(name(&found), from_root);
                    assert_eq!(String::from_utf8_lossy(&placed_name(from_root, &here)), placed);
                }
            }
        }
    }

    #[test]
    fn numbers_of_no_root_harm_nobody() {
        let roots = ["/w".to_owned()];
        for (root, placed) in [(0, "a"), (256, "a"), (255, "/w/a"), (u32::MAX, "/a"), (u32::MAX - 255, "a")] {
            let path = PortablePath { root, path: b"a".as_slice().into() };
            if cfg!(unix) {
                assert_eq!(String::from_utf8_lossy(&placed_path(&path, &roots)), placed, "{root}");
            }
            placed_path(&path, &[]);
        }
    }

    #[test]
    fn line_ends_make_no_other_source() {
        let directory = std::env::temp_dir().join(format!("xtask-coverage-digest-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("temporary directory");
        let path = directory.join("a.rs");
        let of = |text: &str| {
            std::fs::write(&path, text).expect("write");
            digest(&path).expect("a file")
        };
        let expected = of("fn a() {}\nfn b() {}\n");
        assert_eq!(of("fn a() {}\r\nfn b() {}\r\n"), expected);
        assert_ne!(of("fn a() {}\rfn b() {}\r"), expected);
        assert_ne!(of("fn a() {}\n\nfn b() {}\n"), expected);
        std::fs::remove_dir_all(&directory).expect("clean up");
        assert_eq!(digest(&path), None);
    }
}
