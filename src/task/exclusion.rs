//! From the configuration to what counts: which files, and which stretches of their sources.

use anyhow::{Context, Result};

use super::config;
use crate::filter::{FilterRules, PathFilter, PathPattern, SourceLayout};

/// The filter that the configuration asks for.
///
/// # Errors
/// A pattern that is none.
pub(super) fn path_filter(layout: SourceLayout, exclusion: &config::Exclusion) -> Result<PathFilter> {
    let regexes = |regexes: &[String], option: &str| -> Result<Vec<PathPattern>> {
        regexes.iter().map(|regex| PathPattern::regex(regex, option)).collect()
    };
    let globs = |globs: &[String], option: &str| -> Result<Vec<PathPattern>> {
        globs.iter().map(|glob| PathPattern::glob(glob, option)).collect()
    };
    let package = |spec: &String| {
        glob::Pattern::new(spec).with_context(|| format!("failed to parse `--exclude-from-report {spec}`"))
    };
    let mut exclude = regexes(&exclusion.ignore_filename_regex, "--ignore-filename-regex")?;
    exclude.extend(globs(&exclusion.exclude_files, "--exclude-files")?);
    let mut include = regexes(&exclusion.include_filename_regex, "--include-filename-regex")?;
    include.extend(globs(&exclusion.include_files, "--include-files")?);
    let rules = FilterRules {
        exclude,
        include,
        hidden_packages: exclusion.exclude_from_report.iter().map(package).collect::<Result<_>>()?,
        defaults: exclusion.defaults.clone(),
    };
    Ok(PathFilter::new(layout, rules))
}
