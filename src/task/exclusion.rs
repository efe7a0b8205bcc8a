//! From the configuration to what counts: which files, and which stretches of their sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::config::{self, CodeClass};
use super::flags::nearest;
use super::read_regular;
use crate::coverage::cut::{Cut, Cuts};
use crate::filter::{DefaultSet, FilterRules, PathFilter, PathPattern, SourceLayout};
use crate::source::tree::{self, FileScan};
use crate::source::{Classes, Excluded, Options, Reason};
use crate::ui::Ui;
use crate::ui::message::Advised;

/// The filter that the configuration asks for.
///
/// # Errors
/// A pattern that is none, or the name of a package that is not there.
pub(super) fn path_filter(layout: SourceLayout, exclusion: &config::Exclusion) -> Result<PathFilter> {
    let regexes = |regexes: &[String], option: &str| -> Result<Vec<PathPattern>> {
        regexes.iter().map(|regex| PathPattern::regex(regex, option)).collect()
    };
    let globs = |globs: &[String], option: &str| -> Result<Vec<PathPattern>> {
        globs.iter().map(|glob| PathPattern::glob(glob, option)).collect()
    };
    let package = |spec: &String| {
        ensure_package(&layout, spec)?;
        glob::Pattern::new(spec).with_context(|| format!("failed to parse `--exclude-from-report {spec}`"))
    };
    let mut exclude = regexes(&exclusion.ignore_filename_regex, "--ignore-filename-regex")?;
    exclude.extend(globs(&exclusion.exclude_files, "--exclude-files")?);
    let mut include = regexes(&exclusion.include_filename_regex, "--include-filename-regex")?;
    include.extend(globs(&exclusion.include_files, "--include-files")?);
    for of_package in &exclusion.packages {
        let Some(dir) = package_dir(&layout, &of_package.package) else { continue };
        let globs = |globs: &[String], key: &str| -> Result<Vec<PathPattern>> {
            let origin = format!("{key} of package {}", of_package.package);
            globs.iter().map(|glob| PathPattern::glob_in(&dir, glob, &origin)).collect()
        };
        exclude.extend(globs(&of_package.exclude_files, "exclude-files")?);
        include.extend(globs(&of_package.include_files, "include-files")?);
    }
    let rules = FilterRules {
        exclude,
        include,
        hidden_packages: exclusion.exclude_from_report.iter().map(package).collect::<Result<_>>()?,
        defaults: exclusion.defaults.clone(),
    };
    Ok(PathFilter::new(layout, rules))
}

/// Complains about the name of a package that is not in the workspace. A glob may match none, and without a workspace no names
/// are known.
fn ensure_package(layout: &SourceLayout, spec: &str) -> Result<()> {
    let names: Vec<&str> = layout.packages.iter().map(|package| package.name.as_str()).collect();
    if names.is_empty() || names.contains(&spec) || spec.contains(['*', '?', '[']) {
        return Ok(());
    }
    let cure = match nearest(spec, &names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("its packages are {}", names.join(", ")),
    };
    let what = format!("`--exclude-from-report` names `{spec}`, which is no package of the workspace");
    bail!(Advised::new(what, cure))
}

/// The directory of a package as reported paths begin, empty for the root's; `None` where there is no such package.
fn package_dir(layout: &SourceLayout, name: &str) -> Option<String> {
    let package = layout.packages.iter().find(|package| package.name == name)?;
    let relative = layout.roots.iter().find_map(|root| Path::new(&package.dir).strip_prefix(root).ok());
    let dir = relative.unwrap_or(Path::new(&package.dir)).to_string_lossy();
    Some(if cfg!(windows) { dir.replace('\\', "/") } else { dir.into_owned() })
}

/// What the sources say about what counts in them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// By the path under which a file is reported, with the path at which it was read.
    files: BTreeMap<Vec<u8>, (PathBuf, FileScan)>,
}

impl Sources {
    /// Reads the sources of all crates, and `others`, files as the compiler stored them, wherever no crate leads to them. Reads
    /// nothing where nothing is looked for. Files that are not there, or cannot be read, say nothing.
    pub(super) fn read(
        layout: &SourceLayout,
        filter: &PathFilter,
        others: &[PathBuf],
        exclusion: &config::Exclusion,
        threads: usize,
    ) -> Sources {
        let options = source_options(exclusion);
        if options == Options::default() {
            return Sources::default();
        }
        let selected = layout.packages.iter().filter(|package| package.is_selected);
        let roots: Vec<PathBuf> =
            selected.flat_map(|package| &package.crate_roots).map(PathBuf::from).collect();
        let scanned = tree::walk(&roots, others, &options, threads, &read_regular);
        let reported = |path: &Path| filter.reported_path(path.as_os_str().as_encoded_bytes());
        let named = |(path, mut scan): (PathBuf, FileScan)| {
            for root in &layout.roots {
                scan.whole = scan.whole.map(|reason| reason.relative_to(Path::new(root)));
            }
            (reported(&path), (path, scan))
        };
        Sources { files: scanned.into_iter().map(named).collect() }
    }

    /// Why a file does not count as a whole, given the path under which it is reported.
    pub(super) fn whole(&self, reported: &[u8]) -> Option<&Reason> {
        self.files.get(reported)?.1.whole.as_ref()
    }

    /// The stretches of a file that do not count, in their order.
    pub(super) fn stretches(&self, reported: &[u8]) -> &[Excluded] {
        self.files.get(reported).map_or(&[], |(_, scan)| &scan.excluded)
    }

    /// All stretches that do not count.
    pub(super) fn cuts(&self) -> Cuts {
        let cut = |excluded: &Excluded| Cut {
            start: excluded.start,
            end: excluded.end,
            unless_run: excluded.unless_run,
        };
        let cuts = |scan: &FileScan| scan.excluded.iter().map(cut).collect();
        self.files
            .iter()
            .filter(|(_, (_, scan))| !scan.excluded.is_empty())
            .map(|(path, (_, scan))| (path.clone(), cuts(scan)))
            .collect()
    }

    /// Complains about markers that do not match, in files that count.
    ///
    /// # Errors
    /// There are any whose meaning is unclear. Which ones, has been said.
    pub(super) fn say_problems(&self, filter: &PathFilter, warnings: bool, ui: &Ui) -> Result<()> {
        let mut errors = 0_usize;
        for (path, (stored, scan)) in &self.files {
            let stored = stored.as_os_str().as_encoded_bytes();
            if scan.problems.is_empty() || filter.exclusion(stored).is_some() {
                continue;
            }
            for problem in &scan.problems {
                let what = format!("{}:{}: {}", String::from_utf8_lossy(path), problem.line, problem.message);
                if problem.is_error {
                    errors += 1;
                    ui.error(&anyhow!(Advised::new(what, problem.cure.clone())));
                } else if warnings {
                    ui.warning("unknown-marker", format_args!("{what}; {}", problem.cure));
                }
            }
        }
        let markers = if errors == 1 { "marker does" } else { "markers do" };
        ensure!(errors == 0, "{errors} {markers} not match");
        Ok(())
    }
}

/// Whether anything is looked for in the sources, so that they have to be there.
pub(super) fn needs_sources(exclusion: &config::Exclusion) -> bool {
    source_options(exclusion) != Options::default()
}

/// What is looked for in the sources.
fn source_options(exclusion: &config::Exclusion) -> Options {
    let has = |class| exclusion.code.contains(&class);
    Options {
        tests: exclusion.tests && exclusion.defaults.contains(&DefaultSet::Tests),
        generated: exclusion.defaults.contains(&DefaultSet::Generated),
        markers: exclusion.markers,
        classes: Classes {
            unreachable: has(CodeClass::Unreachable),
            debug: has(CodeClass::Debug),
            const_fn: has(CodeClass::ConstFn),
        },
    }
}
