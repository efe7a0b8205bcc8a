//! What git and CI services need: a line in `.gitignore`, a workflow, a job to paste.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::plan::{Left, Plan};
use super::site::{Site, read_text};
use crate::task::config::Ci;

/// Plans that git ignores the target directory, if it is in the checkout.
///
/// # Errors
/// git fails, or `.gitignore` cannot be read.
pub(super) fn ignore_target_dir(site: &Site, plan: &mut Plan) -> Result<()> {
    let Some(checkout) = &site.checkout else {
        plan.notes
            .push("this is no git checkout, so nothing was looked for that is not committed".to_owned());
        return Ok(());
    };
    let root = &site.workspace.root;
    let Ok(relative) = site.workspace.target_dir.strip_prefix(root) else { return Ok(()) };
    // A pattern that is for directories alone does not match what is not there.
    if relative.as_os_str().is_empty() || checkout.ignores(&site.workspace.target_dir.join("debug"))? {
        return Ok(());
    }
    let path = root.join(".gitignore");
    let before = read_text(&path)?;
    let mut after = before.clone().unwrap_or_default();
    let line_end = if after.contains("\r\n") { "\r\n" } else { "\n" };
    if !after.is_empty() && !after.ends_with('\n') {
        after.push_str(line_end);
    }
    after.push_str(&format!("/{}{line_end}", relative.to_string_lossy().replace('\\', "/")));
    plan.write(path, before, after);
    Ok(())
}

/// Plans what the CI service needs that is asked for, or that the repository shows to be in use.
///
/// # Errors
/// git fails, or a file of the service cannot be read.
pub(super) fn plan(site: &Site, asked: Ci, plan: &mut Plan) -> Result<()> {
    let top = site.boundary();
    let origin = match &site.checkout {
        Some(checkout) => checkout.origin()?.unwrap_or_default(),
        None => String::new(),
    };
    let github = top.join(".github");
    let gitlab = top.join(".gitlab-ci.yml");
    let service = match asked {
        Ci::Auto if github.is_dir() => Ci::GitHub,
        Ci::Auto if gitlab.is_file() => Ci::GitLab,
        Ci::Auto if origin.contains("github.com") => Ci::GitHub,
        Ci::Auto if origin.contains("gitlab") => Ci::GitLab,
        Ci::Auto => {
            plan.notes.push(
                "it does not show which CI service the repository uses; `--ci github` writes a workflow, `--ci gitlab` \
                 prints a job"
                    .to_owned(),
            );
            Ci::None
        }
        asked => asked,
    };
    let below = site.workspace.root.strip_prefix(&top).unwrap_or(Path::new(""));
    let below = below.to_string_lossy().replace('\\', "/");
    match service {
        Ci::GitHub => plan_workflow(site, &github.join("workflows"), &below, plan),
        Ci::GitLab => {
            if !read_text(&gitlab)?.is_some_and(|text| text.contains(COMMAND)) {
                plan.offers.push(Left { what: "into `.gitlab-ci.yml`".to_owned(), lines: job(&below) });
            }
            Ok(())
        }
        Ci::Auto | Ci::None => Ok(()),
    }
}

/// What a file of a CI service says that needs nothing from here.
const COMMAND: &str = "xtask coverage";

fn plan_workflow(site: &Site, directory: &Path, below: &str, plan: &mut Plan) -> Result<()> {
    let mut files: Vec<PathBuf> = match fs::read_dir(directory) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    for file in &files {
        let text = fs::read(file).unwrap_or_default();
        if String::from_utf8_lossy(&text).contains(COMMAND) {
            return Ok(());
        }
    }
    let path = directory.join("coverage.yml");
    let branch = match &site.checkout {
        Some(checkout) => checkout.main_branch_name()?,
        None => None,
    };
    let is_plain = |branch: &String| branch.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
    let branch = branch.filter(is_plain).unwrap_or_else(|| "main".to_owned());
    let is_pinned =
        ["rust-toolchain", "rust-toolchain.toml"].map(|name| site.workspace.root.join(name).is_file());
    let text = workflow(&branch, below, is_pinned.contains(&true));
    if path.symlink_metadata().is_ok() {
        plan.offers.push(Left {
            what: "`.github/workflows/coverage.yml` is there and does something else, so it stays as it is; into a \
                   workflow of another name"
                .to_owned(),
            lines: text,
        });
        return Ok(());
    }
    plan.write(path, None, text);
    Ok(())
}

/// The workflow for a workspace in the directory `below`, from the repository's root.
fn workflow(branch: &str, below: &str, is_pinned: bool) -> String {
    let defaults = match below {
        "" => String::new(),
        below => format!("    defaults:\n      run:\n        working-directory: {}\n", yaml(below)),
    };
    let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
    let report = yaml(&format!("{prefix}target/coverage/lcov.info"));
    // With a file that pins a toolchain, that one is meant.
    let toolchain = if is_pinned {
        "rustup toolchain install"
    } else {
        "rustup toolchain install stable --profile minimal"
    };
    format!(
        "name: coverage

on:
  push:
    branches: [{branch}]
  pull_request:

permissions:
  contents: read

concurrency:
  group: coverage-${{{{ github.head_ref || github.run_id }}}}
  cancel-in-progress: true

jobs:
  coverage:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    # For Codecov:
    # permissions:
    #   contents: read
    #   id-token: write
{defaults}    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
          fetch-depth: 2 # what a pull request changes is told from the first parent of its merge
      - run: {toolchain}
      # What did not change is not compiled again.
      - uses: actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
        with:
          path: |
            ~/.cargo/registry
            {prefix}target
          key: coverage-${{{{ runner.os }}}}-${{{{ github.sha }}}}
          restore-keys: coverage-${{{{ runner.os }}}}-
      - run: cargo xtask coverage
      # Forks get no identity to upload with.
      # - uses: codecov/codecov-action@fb8b3582c8e4def4969c97caa2f19720cb33a72f # v7.0.0
      #   if: ${{{{ !cancelled() && (github.event_name == 'push' || github.event.pull_request.head.repo.full_name == github.repository) }}}}
      #   with:
      #     files: {report}
      #     disable_search: true
      #     use_oidc: true
      #     fail_ci_if_error: true
"
    )
}

/// A text as YAML has it: between quotes where it could mean something else.
fn yaml(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._/- ".contains(c);
    if text.chars().all(is_plain) && text.starts_with(|c: char| c.is_alphanumeric() || c == '.') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// A path as a shell has it.
fn shell(path: &str) -> String {
    if path.chars().all(|c| c.is_alphanumeric() || "._/-".contains(c)) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

/// A job for GitLab.
fn job(below: &str) -> String {
    let (enter, prefix) = match below {
        "" => (String::new(), String::new()),
        below => (format!("    - {}\n", yaml(&format!("cd {}", shell(below)))), format!("{below}/")),
    };
    let target = yaml(&format!("{prefix}target"));
    let report = yaml(&format!("{prefix}target/coverage/cobertura.xml"));
    format!(
        "coverage:
  image: rust:latest
  timeout: 30 minutes
  interruptible: true
  variables:
    GIT_DEPTH: 0 # for --patch
  cache:
    key: coverage-$CI_COMMIT_REF_SLUG
    paths:
      - {target}
  script:
{enter}    - cargo xtask coverage --cobertura --lcov --patch
  coverage: '/TOTAL.*? (100(?:\\.0+)?\\%|[1-9]?\\d(?:\\.\\d+)?\\%)$/'
  artifacts:
    reports:
      coverage_report:
        coverage_format: cobertura
        path: {report}
"
    )
}

#[cfg(test)]
mod tests {
    use super::{shell, yaml};

    #[test]
    fn paths_are_quoted_where_they_need_it() {
        for (path, in_yaml, in_shell) in [
            ("a/b-1.x", "a/b-1.x", "a/b-1.x"),
            ("a b", "a b", "'a b'"),
            ("it's: #1", "'it''s: #1'", r"'it'\''s: #1'"),
            ("-a", "'-a'", "-a"),
        ] {
            assert_eq!((yaml(path).as_str(), shell(path).as_str()), (in_yaml, in_shell));
        }
    }
}
