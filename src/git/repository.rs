//! Runs git: where the repository is, what to compare with, and what differs. Reads only.
//!
//! Whatever the user has configured for people to read (colors, pagers, prefixes, external diffs) stays out of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::diff::{self, Change};

/// What keeps git from telling what changed, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: lowercase, no full stop, fit after a colon.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}

/// With what to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Where `HEAD` left this revision: their merge base. What others did there meanwhile is not ours.
    Revision(String),
    /// What is usual: the first parent of a merge that was checked out to be tested, else where `HEAD` left the main branch.
    Usual(Surroundings),
}

/// What a CI service says of its checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The branch that is to be merged into. Then no other one is looked for.
    pub target_branch: Option<String>,
    /// The merge that the service has made for the test. `HEAD` may be another commit all the same.
    pub merge_commit: Option<String>,
}

/// A commit to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its whole name.
    pub commit: String,
    /// What it is: `merge base with origin/main`.
    pub name: String,
    /// Something about it that the user may not expect, fit after `note: `.
    pub note: Option<String>,
}

/// As people read it: `merge base with origin/main, 0123456789ab`.
impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {:.12}", self.name, self.commit)
    }
}

/// What differs between a commit and the files on disk, by the paths from the repository's root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    files: BTreeMap<Vec<u8>, Change>,
}

impl Changes {
    /// The lines of a file that are new or changed, ascending and apart; `None` if it did not change. Of a file that git takes for
    /// binary, it is every line.
    pub fn of(&self, path: &[u8]) -> Option<&[RangeInclusive<u32>]> {
        match self.files.get(path)? {
            Change::Lines(ranges) => Some(ranges),
            Change::Binary => Some(&[EVERY_LINE]),
        }
    }

    /// Whether git takes a changed file for binary.
    pub fn is_binary(&self, path: &[u8]) -> bool {
        self.files.get(path) == Some(&Change::Binary)
    }
}

const EVERY_LINE: RangeInclusive<u32> = 1..=u32::MAX;

/// A checkout.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Where git is asked.
    directory: PathBuf,
    /// The root of the checkout, without symbolic links.
    top: PathBuf,
}

impl Repository {
    /// The checkout that `directory` is in.
    ///
    /// # Errors
    /// There is no git, or no repository, or git refuses to read it.
    pub fn open(directory: &Path) -> Result<Repository, Problem> {
        let mut repository = Repository { directory: directory.to_owned(), top: PathBuf::new() };
        let told = repository.line(&["rev-parse", "--is-inside-work-tree", "--show-cdup"])?;
        let Some(up) = told.strip_prefix("true\n") else { return Err(no_checkout(directory)) };
        // Names of files are compared with their symbolic links resolved; those of Windows have a form of their own then.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        repository.top = real(&real(directory).join(up));
        Ok(repository)
    }

    /// The same, but `None` if `directory` is in no checkout.
    ///
    /// # Errors
    /// There is a checkout, and git refuses to read it, or there is no git.
    pub fn find(directory: &Path) -> Result<Option<Repository>, Problem> {
        match Repository::open(directory) {
            Ok(repository) => Ok(Some(repository)),
            Err(problem) if problem == no_checkout(directory) => Ok(None),
            // Where there is no repository, nobody needs git.
            Err(_) if !directory.ancestors().any(|above| above.join(".git").exists()) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// The path of a file from the repository's root, with `/`, after all symbolic links; `None` if it is not in the checkout, or
    /// not there.
    pub fn path_of(&self, file: &Path) -> Option<Vec<u8>> {
        let file = file.canonicalize().ok()?;
        let path = file.strip_prefix(&self.top).ok()?.as_os_str().as_encoded_bytes();
        Some(if cfg!(windows) {
            path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect()
        } else {
            path.to_vec()
        })
    }

    /// The commit that is checked out; `None` if there is none yet, or git does not tell.
    pub fn head(&self) -> Option<String> {
        self.commit("HEAD").ok()?
    }

    /// The commit to compare with.
    ///
    /// # Errors
    /// There is no such commit, or not in this clone.
    pub fn base(&self, wanted: &Wanted) -> Result<Base, Problem> {
        let head = self.commit("HEAD")?.ok_or_else(|| Problem {
            what: "the repository has no commit yet, so there is nothing to compare with".to_owned(),
            cure: "patch coverage is about what changed since a commit; make one".to_owned(),
        })?;
        match wanted {
            Wanted::Revision(revision) => self.base_of_revision(&head, revision),
            Wanted::Usual(surroundings) => match self.first_parent_of_checkout(&head, surroundings)? {
                Some(base) => Ok(base),
                None => self.base_of_main_branch(&head, surroundings),
            },
        }
    }

    fn base_of_revision(&self, head: &str, revision: &str) -> Result<Base, Problem> {
        // What looks like a flag is none of git's business.
        let commit = if revision.starts_with('-') { None } else { self.commit(revision)? };
        let is_shallow = commit.is_none() && self.is_shallow()?;
        let commit = commit.ok_or_else(|| Problem {
            what: format!("git knows no commit `{revision}`"),
            cure: match is_shallow {
                true => format!("the clone is shallow: {WHOLE_HISTORY}"),
                false => "name a commit, branch or tag of this clone; `git fetch` brings those of others"
                    .to_owned(),
            },
        })?;
        if let Some(base) = self.merge_base(head, &commit)? {
            let name =
                if base == commit { revision.to_owned() } else { format!("merge base with {revision}") };
            return Ok(Base { commit: base, name, note: None });
        }
        let why =
            if self.is_shallow()? { "the clone is too shallow" } else { "they have no history in common" };
        let note = format!(
            "compared with `{revision}` itself, not with its merge base with HEAD: {why}. What changed in `{revision}` alone \
             counts as changed"
        );
        Ok(Base { commit, name: revision.to_owned(), note: Some(note) })
    }

    /// What the commit was merged into, if `HEAD` is a merge that was checked out to be tested.
    fn first_parent_of_checkout(
        &self,
        head: &str,
        surroundings: &Surroundings,
    ) -> Result<Option<Base>, Problem> {
        let parents = self.parents(head)?;
        let (Some(first), Some(second)) = (parents.first(), parents.get(1)) else { return Ok(None) };
        let is_checkout = match &surroundings.merge_commit {
            Some(merge) => merge == head,
            // On a branch, the merge is one that somebody made, in whichever direction. Elsewhere, too, it may have brought the
            // main branch into another.
            None => self.is_detached()? && !self.brings_main_branch(first, second, surroundings)?,
        };
        if !is_checkout {
            return Ok(None);
        }
        if self.commit(first)?.is_none() {
            return Err(Problem {
                what: format!(
                    "the clone is too shallow: it has the merge {head:.12}, but not its first parent"
                ),
                cure: format!("set `fetch-depth: 2` for actions/checkout; elsewhere, {WHOLE_HISTORY}"),
            });
        }
        Ok(Some(Base { commit: first.clone(), name: "first parent of the merge".to_owned(), note: None }))
    }

    fn brings_main_branch(
        &self,
        first: &str,
        second: &str,
        surroundings: &Surroundings,
    ) -> Result<bool, Problem> {
        let Some((_, main)) = self.main_branch(surroundings)? else { return Ok(false) };
        let is_in_main = |commit: &str| match self.commit(commit)? {
            Some(commit) => Ok(self.merge_base(&commit, &main)?.as_deref() == Some(commit.as_str())),
            None => Ok(false),
        };
        Ok(is_in_main(second)? && !is_in_main(first)?)
    }

    fn base_of_main_branch(&self, head: &str, surroundings: &Surroundings) -> Result<Base, Problem> {
        let Some((name, main)) = self.main_branch(surroundings)? else {
            let what = match &surroundings.target_branch {
                Some(branch) => {
                    format!("the clone does not have the branch `{branch}`, which to compare with")
                }
                None => "the clone has none of the usual main branches, so there is nothing to compare with"
                    .to_owned(),
            };
            let cure = match self.is_shallow()? {
                true => {
                    format!("the clone is shallow: {WHOLE_HISTORY}; or name a commit with `--patch-base`")
                }
                false => "name a commit or branch with `--patch-base`".to_owned(),
            };
            return Err(Problem { what, cure });
        };
        if let Some(commit) = self.merge_base(head, &main)? {
            return Ok(Base { commit, name: format!("merge base with {name}"), note: None });
        }
        Err(match self.is_shallow()? {
            true => Problem {
                what: format!("the clone is too shallow: it does not reach back to where HEAD left `{name}`"),
                cure: WHOLE_HISTORY.to_owned(),
            },
            false => Problem {
                what: format!("HEAD and `{name}` have no history in common"),
                cure: "name a commit to compare with: `--patch-base REV`".to_owned(),
            },
        })
    }

    /// The main branch, as it is called and as a commit.
    fn main_branch(&self, surroundings: &Surroundings) -> Result<Option<(String, String)>, Problem> {
        let mut candidates: Vec<String> = Vec::new();
        if let Some(branch) = &surroundings.target_branch {
            candidates.extend([format!("refs/remotes/origin/{branch}"), format!("refs/heads/{branch}")]);
        } else {
            candidates.extend(
                [
                    "refs/remotes/origin/HEAD",
                    "refs/remotes/origin/main",
                    "refs/remotes/origin/master",
                    "refs/heads/main",
                    "refs/heads/master",
                ]
                .map(str::to_owned),
            );
            // Without the setting this fails, and is no failure.
            let configured = self.run(&["config", "--get", "init.defaultBranch"])?;
            let name = text(&configured.stdout);
            if configured.status.success() && !name.is_empty() {
                candidates.push(format!("refs/heads/{name}"));
            }
        }
        for candidate in candidates {
            if let Some(commit) = self.commit(&candidate)? {
                let mut name = candidate;
                if name.ends_with("/HEAD") {
                    // What it stands for tells more.
                    let real = self.run(&["symbolic-ref", "--quiet", &name])?;
                    if real.status.success() {
                        name = text(&real.stdout);
                    }
                }
                let short = name.strip_prefix("refs/remotes/").or_else(|| name.strip_prefix("refs/heads/"));
                return Ok(Some((short.unwrap_or(&name).to_owned(), commit)));
            }
        }
        Ok(None)
    }

    /// What differs between a commit and the files on disk, committed or not, in the whole checkout but its submodules. Every line
    /// of an untracked file is new, unless git ignores the file.
    ///
    /// # Errors
    /// git fails, or prints what is no diff.
    pub fn changes(&self, base: &Base) -> Result<Changes, Problem> {
        let arguments = [
            "diff",
            "--unified=0",
            "--inter-hunk-context=0",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--diff-algorithm=myers",
            "--indent-heuristic",
            "--find-renames",
            "--irreversible-delete",
            "--ignore-submodules=all",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            &base.commit,
            "--",
        ];
        let printed = self.expect(&arguments)?;
        let files = diff::parse(&printed).map_err(|error| Problem {
            what: format!("failed to read what `git diff` prints: {error}"),
            cure: "this is a bug of xtask-coverage, or git is not git; please report it with `git --version`"
                .to_owned(),
        })?;
        let mut changes = Changes::default();
        for file in files {
            changes.files.insert(file.path, file.change);
        }
        // git lists files below where it is asked.
        let listed = self.output(&self.top, &["ls-files", "--others", "--exclude-standard", "-z"])?;
        for path in checked(&self.top, listed)?.split(|byte| *byte == 0) {
            // A repository within this one is listed as a directory.
            if !path.is_empty() && !path.ends_with(b"/") {
                changes.files.insert(path.to_vec(), Change::Lines(vec![EVERY_LINE]));
            }
        }
        Ok(changes)
    }

    /// The root of the checkout, without symbolic links.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The paths, from the root, of what is not as the last commit has it; what git ignores is none of them.
    ///
    /// # Errors
    /// git fails.
    pub fn uncommitted(&self) -> Result<Vec<String>, Problem> {
        let printed = self.output(&self.top, &["status", "--porcelain=v1", "-z", "--no-renames"])?;
        let printed = checked(&self.top, printed)?;
        let entries = printed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
        // Two letters and a blank stand in front.
        Ok(entries.map(|entry| text(entry.get(3..).unwrap_or_default())).collect())
    }

    /// Whether git ignores a file or directory, be it there or not.
    ///
    /// # Errors
    /// git fails, as it does for a path outside of the checkout.
    pub fn ignores(&self, path: &Path) -> Result<bool, Problem> {
        let path = path.to_string_lossy();
        let found = self.run(&["check-ignore", "--quiet", "--no-index", "--", &path])?;
        match found.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failure(&self.directory, &found)),
        }
    }

    /// Where the remote repository `origin` is; `None` if there is none.
    ///
    /// # Errors
    /// git cannot be run.
    pub fn origin(&self) -> Result<Option<String>, Problem> {
        let found = self.run(&["config", "--get", "remote.origin.url"])?;
        Ok(found.status.success().then(|| text(&found.stdout)))
    }

    /// The name of the main branch: what `origin` says, else what is usual, else the branch that is checked out.
    ///
    /// # Errors
    /// git cannot be run.
    pub fn main_branch_name(&self) -> Result<Option<String>, Problem> {
        if let Some((name, _)) = self.main_branch(&Surroundings::default())? {
            return Ok(Some(name.strip_prefix("origin/").unwrap_or(&name).to_owned()));
        }
        let found = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        Ok(found.status.success().then(|| text(&found.stdout)))
    }

    /// The files that git tracks, those of submodules that are checked out included, as paths from [`Repository::top`].
    ///
    /// # Errors
    /// What git says.
    pub fn tracked(&self) -> Result<Vec<PathBuf>, Problem> {
        let arguments = ["ls-files", "-z", "--cached", "--recurse-submodules"];
        let listed = checked(&self.top, self.output(&self.top, &arguments)?)?;
        let paths = listed.split(|&byte| byte == 0).filter(|path| !path.is_empty());
        // Git writes UTF-8 on Windows; elsewhere names are bytes.
        #[cfg(unix)]
        let path = |bytes: &[u8]| {
            PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
        };
        #[cfg(not(unix))]
        let path = |bytes: &[u8]| PathBuf::from(String::from_utf8_lossy(bytes).into_owned());
        Ok(paths.map(path).collect())
    }

    /// The whole name of a commit; `None` if the clone does not have it.
    fn commit(&self, revision: &str) -> Result<Option<String>, Problem> {
        let found = self.run(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])?;
        Ok(found.status.success().then(|| text(&found.stdout)))
    }

    /// The parents as the commit itself names them, whether or not a shallow clone has them.
    fn parents(&self, commit: &str) -> Result<Vec<String>, Problem> {
        let content = self.expect(&["cat-file", "commit", commit])?;
        let head = content.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        Ok(head.filter_map(|line| line.strip_prefix(b"parent ")).map(text).collect())
    }

    fn merge_base(&self, a: &str, b: &str) -> Result<Option<String>, Problem> {
        let found = self.run(&["merge-base", a, b])?;
        match found.status.code() {
            Some(0) => Ok(Some(text(&found.stdout))),
            Some(1) => Ok(None),
            _ => Err(failure(&self.directory, &found)),
        }
    }

    fn is_shallow(&self) -> Result<bool, Problem> {
        Ok(self.line(&["rev-parse", "--is-shallow-repository"])? == "true")
    }

    fn is_detached(&self) -> Result<bool, Problem> {
        Ok(!self.run(&["symbolic-ref", "--quiet", "HEAD"])?.status.success())
    }

    /// What git prints, without its last line feed.
    fn line(&self, arguments: &[&str]) -> Result<String, Problem> {
        Ok(text(&self.expect(arguments)?))
    }

    /// What git prints if it succeeds.
    fn expect(&self, arguments: &[&str]) -> Result<Vec<u8>, Problem> {
        checked(&self.directory, self.run(arguments)?)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Problem> {
        self.output(&self.directory, arguments)
    }

    fn output(&self, directory: &Path, arguments: &[&str]) -> Result<Output, Problem> {
        let mut command = Command::new("git");
        command.arg("-C").arg(directory).arg("--no-pager");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        for variable in FOREIGN_VARIABLES {
            command.env_remove(variable);
        }
        command
            .env("LC_ALL", "C")
            // Reading takes no lock: another git may be at work, as when a hook runs us.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null());
        command.output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Problem {
                what: "there is no `git` to ask what changed".to_owned(),
                cure: "install git; without it there is no patch coverage".to_owned(),
            },
            _ => Problem {
                what: format!("failed to run git: {error}"),
                cure: "git tells what changed; without it there is no patch coverage".to_owned(),
            },
        })
    }
}

const WHOLE_HISTORY: &str = "fetch the whole history: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` in GitLab, \
                             `git fetch --unshallow` by hand";

/// Settings that would change what is printed, or start programs, as they are without any configuration.
const SETTINGS: [&str; 8] = [
    "core.quotePath=true",
    "core.fsmonitor=false",
    "color.ui=false",
    "diff.relative=false",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.suppressBlankEmpty=false",
    "submodule.recurse=false",
];

/// Variables by which somebody else, such as a hook, tells git about another repository, or how to print.
const FOREIGN_VARIABLES: [&str; 15] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

fn checked(directory: &Path, output: Output) -> Result<Vec<u8>, Problem> {
    if output.status.success() { Ok(output.stdout) } else { Err(failure(directory, &output)) }
}

/// What git says about a failure, with what helps against it.
fn failure(directory: &Path, output: &Output) -> Problem {
    let said = String::from_utf8_lossy(&output.stderr);
    // Warnings can stand before it, about line ends for example.
    let mut lines = said.lines().filter(|line| !line.trim().is_empty());
    let why = lines.clone().find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
    let why = why.or_else(|| lines.next()).unwrap_or("it does not say why");
    if said.contains("not a git repository") {
        return no_checkout(directory);
    }
    let cure = if said.contains("dubious ownership") {
        "the checkout belongs to another user; tell git that it is safe: `git config --global --add safe.directory PATH`"
    } else {
        "git tells what changed; without it there is no patch coverage"
    };
    Problem { what: format!("git failed in `{}`: {why}", directory.display()), cure: cure.to_owned() }
}

fn no_checkout(directory: &Path) -> Problem {
    Problem {
        what: format!("`{}` is in no checkout of a git repository", directory.display()),
        cure: "patch coverage is about what changed since a commit; run it in a clone".to_owned(),
    }
}

/// What git prints; what is not UTF-8 is replaced.
fn text(printed: &[u8]) -> String {
    let printed = printed.strip_suffix(b"\n").unwrap_or(printed);
    String::from_utf8_lossy(printed.strip_suffix(b"\r").unwrap_or(printed)).into_owned()
}
