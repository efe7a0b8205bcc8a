//! What a CI service reads: sections of the log, a job summary, annotations, the total. None of it needs a token.
//!
//! GitHub's runner takes commands from either stream of a process, so those that are no part of a report go to standard error.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::config::{Ci, Config, Destination, Format, ReportRequest};
use super::verdict::Verdict;
use crate::coverage::Coverage;
use crate::git::repository::{Repository, Surroundings, Wanted};
use crate::report::annotations::{self, MOST, command};
use crate::report::markdown::{self, MarkdownOptions};
use crate::report::name;
use crate::report::patch::PatchCoverage;
use crate::report::table::render_total_line;
use crate::ui::Ui;
use crate::ui::settings::{Stream, is_file};

/// The service that runs us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// A person, or a service that we do not know.
    None,
}

impl Service {
    /// What was asked for, else what the environment says.
    pub(super) fn of(config: &Config) -> Service {
        let is_set = |name| variable(name).is_some_and(|value| value == "true");
        match config.ci {
            Ci::GitHub => Service::GitHub,
            Ci::GitLab => Service::GitLab,
            Ci::None => Service::None,
            Ci::Auto if is_set("GITHUB_ACTIONS") => Service::GitHub,
            Ci::Auto if is_set("GITLAB_CI") => Service::GitLab,
            Ci::Auto => Service::None,
        }
    }

    /// Whether this is the check of a pull request, of which GitHub has checked out the merge.
    pub(super) fn is_pull_request(self) -> bool {
        self == Service::GitHub
            && variable("GITHUB_REF")
                .is_some_and(|name| name.starts_with("refs/pull/") && name.ends_with("/merge"))
    }

    /// With what to compare if the user does not say.
    pub(super) fn usual_base(self) -> Wanted {
        let mut surroundings = Surroundings::default();
        match self {
            Service::GitHub if self.is_pull_request() => {
                surroundings.target_branch = variable("GITHUB_BASE_REF");
                surroundings.merge_commit = variable("GITHUB_SHA");
            }
            // In a pipeline for merged results, that commit is older than the branch into which GitLab has merged.
            Service::GitLab => match variable("CI_MERGE_REQUEST_EVENT_TYPE").as_deref() {
                Some("merged_result" | "merge_train") => {
                    surroundings.target_branch = variable("CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
                    surroundings.merge_commit = variable("CI_COMMIT_SHA");
                }
                _ => {
                    if let Some(commit) = variable("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
                        return Wanted::Revision(commit);
                    }
                }
            },
            Service::GitHub | Service::None => {}
        }
        Wanted::Usual(surroundings)
    }
}

/// Whether a service runs us, be it one that we do not know.
pub(super) fn is_ci(config: &Config) -> bool {
    match config.ci {
        Ci::GitHub | Ci::GitLab => true,
        Ci::None => false,
        Ci::Auto => variable("CI").is_some_and(|value| value != "false" && value != "0"),
    }
}

/// A variable that is not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where people read about the run: standard output, or standard error where the former is a report's.
pub(super) struct Log<'a> {
    service: Service,
    stream: Stream,
    /// Whether the service reads it. A file it does not.
    is_read: bool,
    ui: &'a Ui,
}

impl<'a> Log<'a> {
    /// The log beside these reports.
    pub(super) fn new(requests: &[ReportRequest], config: &Config, ui: &'a Ui) -> Log<'a> {
        let has_table = |request: &ReportRequest| {
            request.format == Format::Table && request.destination == Destination::Stdout
        };
        let stream = if requests.iter().any(has_table) { Stream::Stdout } else { Stream::Stderr };
        Log { service: Service::of(config), stream, is_read: !is_file(stream), ui }
    }

    /// Who reads it.
    pub(super) fn service(&self) -> Service {
        self.service
    }

    /// Prints text that ends in a line feed.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn print(&self, text: &str) -> Result<()> {
        match self.stream {
            Stream::Stdout => self.ui.print(text),
            Stream::Stderr => {
                self.ui.relay(text.as_bytes());
                Ok(())
            }
        }
    }

    /// Prints text that may be long: the service folds it away under `title`. `id` is its name in GitLab's words.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn section(&self, id: &str, title: &str, text: &str) -> Result<()> {
        match self.service {
            Service::GitHub if self.is_read => {
                let (begin, end) = (command("group", &[], title), command("endgroup", &[], ""));
                self.print(&format!("{begin}{}{end}", annotations::disarmed(text)))
            }
            Service::GitLab if self.is_read => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
                self.print(&format!(
                    "\x1b[0Ksection_start:{now}:{id}[collapsed=true]\r\x1b[0K{title}\n{text}\
                     \x1b[0Ksection_end:{now}:{id}\r\x1b[0K\n"
                ))
            }
            _ => self.print(text),
        }
    }

    /// Tells the service what came out: the total, and on GitHub a summary with these `sections`, annotations, and what is missed.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn finish(
        &self,
        root: &Path,
        coverage: &Coverage,
        verdict: &Verdict,
        sections: &[String],
    ) -> Result<()> {
        if self.service == Service::None {
            return Ok(());
        }
        if self.service == Service::GitHub {
            if let Err(error) = append_summary(coverage, sections) {
                self.ui.warning("job-summary", format_args!("failed to write the job summary: {error:#}"));
            }
            let mut commands = warnings(root, coverage, verdict.patch.as_ref());
            let error = |message: &String| command("error", &[("title", "Coverage")], message);
            commands.extend(verdict.failures().take(MOST).map(error));
            if !commands.is_empty() {
                self.ui.relay(commands.concat().as_bytes());
            }
        }
        // GitLab takes the last number in the log that its pattern finds.
        self.print(&render_total_line(coverage.totals.lines))
    }
}

/// Warnings about lines that did not run: those of the patch where there is one, else all.
fn warnings(root: &Path, coverage: &Coverage, patch: Option<&PatchCoverage>) -> Vec<String> {
    let repository = Repository::open(root).ok();
    // GitHub knows files by their paths in the repository, of which the workspace may be a part.
    let in_repository = |path: &str| {
        let path_of = |repository: &Repository| repository.path_of(&root.join(path));
        let found = repository.as_ref().and_then(path_of);
        found.map_or_else(|| path.to_owned(), |path| String::from_utf8_lossy(&path).into_owned())
    };
    let of_patch = patch.map(|patch| {
        let missing = patch.files.iter().filter(|part| !part.missing.is_empty());
        missing.map(|part| (part.path.as_str(), &part.missing)).collect::<HashMap<_, _>>()
    });
    let mut stretches = Vec::new();
    for file in coverage.files.iter().filter(|file| file.summary.lines.missed() > 0) {
        let missing = match &of_patch {
            Some(of_patch) => match of_patch.get(&*name::text(&file.path)) {
                Some(missing) => Some(missing),
                None => continue,
            },
            None => None,
        };
        let is_wanted = |line: u32| missing.is_none_or(|missing| missing.binary_search(&line).is_ok());
        let path = in_repository(&String::from_utf8_lossy(&file.path));
        stretches.extend(annotations::stretches(&path, file.lines(), is_wanted));
    }
    let title = if patch.is_some() { "Changed lines not covered" } else { "Lines not covered" };
    annotations::warnings(stretches, title)
}

/// GitHub refuses larger summaries of a step.
const MOST_BYTES: u64 = 1 << 20;

/// Appends a summary to the file that GitHub names.
fn append_summary(coverage: &Coverage, sections: &[String]) -> Result<()> {
    let path = variable("GITHUB_STEP_SUMMARY").context("GITHUB_STEP_SUMMARY does not say where")?;
    let before = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let limit = usize::try_from(MOST_BYTES.saturating_sub(before)).unwrap_or(usize::MAX);
    let options = MarkdownOptions { sections, limit, ..MarkdownOptions::DEFAULT };
    let mut text = Vec::new();
    markdown::write(coverage, &options, &mut text)?;
    if text.len() > limit {
        bail!("`{path}` is full");
    }
    let append = || File::options().create(true).append(true).open(&path)?.write_all(&text);
    append().with_context(|| format!("`{path}`"))
}
