//! The workspace that is adopted, and the checkout that it is in. Reads only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cargo::adoption::workspace_at;
use crate::cargo::workspace::{Package, Workspace};
use crate::git::repository::Repository;
use crate::task::config::Config;
use crate::toml::Document;
use crate::ui::message::Advised;

/// The oldest Rust that compiles us: a minor version of 1.
const OLDEST: u32 = 89;

/// The day from which on nightly has all of that version.
const OLDEST_NIGHTLY: &str = "2025-06-21";

pub(super) struct Site {
    pub(super) workspace: Workspace,
    /// The checkout of a git repository that holds the workspace.
    pub(super) checkout: Option<Repository>,
    /// The workspace's manifest.
    pub(super) manifest: Document,
    pub(super) offline: bool,
}

impl Site {
    /// The workspace that the configuration names.
    ///
    /// # Errors
    /// There is none, or it cannot have us.
    pub(super) fn find(config: &Config) -> Result<Site> {
        let offline = config.manifest.offline;
        let asked = config.adoption.path.clone().unwrap_or_else(|| PathBuf::from("."));
        // Without symbolic links, as cargo names its directories.
        let path = asked.canonicalize().with_context(|| {
            Advised::new(format!("there is no `{}`", asked.display()), "name a directory of the workspace")
        })?;
        let is_manifest = path.file_name().is_some_and(|name| name == "Cargo.toml") && path.is_file();
        let directory = if is_manifest { path.parent().unwrap_or(&path) } else { &path };
        if !directory.is_dir() {
            bail!(Advised::new(
                format!("`{}` is no directory", asked.display()),
                "name a directory of the workspace"
            ));
        }
        refuse_old_toolchain(directory)?;
        let read = |directory: &Path| {
            let context = || format!("failed to read the workspace at `{}`", asked.display());
            workspace_at(directory, offline).with_context(context)
        };
        let directory = plain(directory);
        let mut workspace = read(&directory)?;
        if workspace.root != directory {
            // Which packages cargo takes that is told of none depends on where it is called.
            workspace = read(&workspace.root)?;
        }
        let manifest = read_toml(&workspace.root.join("Cargo.toml"))?.unwrap_or_default();
        let checkout = Repository::find(&workspace.root).map_err(|problem| {
            Advised::new(format!("failed to see what is committed: {}", problem.what), problem.cure)
        })?;
        Ok(Site { workspace, checkout, manifest, offline })
    }

    /// A path as messages show it: from the workspace's root.
    pub(super) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.workspace.root).unwrap_or(path)
    }

    /// What the sources are indented with, as far as rustfmt is told.
    pub(super) fn indent(&self) -> String {
        let read = |name: &str| read_toml(&self.workspace.root.join(name)).ok().flatten();
        let Some(format) = read("rustfmt.toml").or_else(|| read(".rustfmt.toml")) else {
            return " ".repeat(4);
        };
        let says = |key: &str| format.get(&[key]).and_then(|value| format.text().get(value.span.clone()));
        match says("hard_tabs") {
            Some("true") => "\t".to_owned(),
            _ => " ".repeat(says("tab_spaces").and_then(|number| number.parse().ok()).unwrap_or(4).min(8)),
        }
    }

    /// Why a TOML file stays as it is.
    pub(super) fn no_change(&self, path: &Path) -> Advised {
        Advised::new(
            format!("failed to change `{}`", self.relative(path).display()),
            "write that part of the file as a table with a `[header]` of its own, and call this again",
        )
    }

    /// The directory outside of which nothing is written.
    pub(super) fn boundary(&self) -> PathBuf {
        match &self.checkout {
            Some(checkout) => plain(checkout.top()),
            None => self.workspace.root.clone(),
        }
    }

    /// The package whose manifest is the workspace's.
    pub(super) fn root_package(&self) -> Option<&Package> {
        self.workspace.members.iter().find(|member| member.dir == self.workspace.root)
    }

    /// # Errors
    /// The checkout has changes that are not committed.
    pub(super) fn refuse_uncommitted(&self) -> Result<()> {
        let Some(checkout) = &self.checkout else { return Ok(()) };
        let mut uncommitted = checkout.uncommitted()?;
        // What cargo makes is not ignored yet in every repository.
        let top = plain(checkout.top());
        uncommitted.retain(|path| top.join(path) != self.workspace.target_dir);
        let Some(first) = uncommitted.first() else { return Ok(()) };
        let more = match uncommitted.len() {
            1 => String::new(),
            number => format!(" and {} more", number - 1),
        };
        bail!(Advised::new(
            format!("the checkout has changes that are not committed: `{first}`{more}"),
            "commit or stash them, or add `--allow-dirty`"
        ))
    }
}

/// Refuses a workspace whose pinned toolchain cannot compile us. Before cargo is called, because rustup may download what is pinned.
fn refuse_old_toolchain(directory: &Path) -> Result<()> {
    let candidates = directory
        .ancestors()
        .flat_map(|directory| ["rust-toolchain", "rust-toolchain.toml"].map(|name| directory.join(name)));
    let read = |file: PathBuf| fs::read_to_string(&file).ok().map(|text| (file, text));
    let Some((file, text)) = candidates.into_iter().find_map(read) else { return Ok(()) };
    let document = Document::parse(text.as_str()).ok();
    let channel =
        document.as_ref().and_then(|it| it.text_at(&["toolchain", "channel"])).unwrap_or(text.trim());
    let minor =
        channel.strip_prefix("1.").and_then(|rest| rest.split(['.', '-']).next()?.parse::<u32>().ok());
    let day = channel.strip_prefix("nightly-").and_then(|rest| rest.get(..OLDEST_NIGHTLY.len()));
    if minor.is_some_and(|minor| minor < OLDEST) || day.is_some_and(|day| day < OLDEST_NIGHTLY) {
        bail!(Advised::new(
            format!("`{}` pins Rust {channel}, and xtask-coverage needs 1.{OLDEST} or later", file.display()),
            "pin a later one; or leave the workspace as it is and measure it from elsewhere: \
             `cargo xtask coverage --manifest-path PATH/Cargo.toml`"
        ));
    }
    Ok(())
}

/// The way from a directory to another path, with `/`; both are absolute.
pub(super) fn relative(from: &Path, to: &Path) -> String {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// A TOML file; `None` if there is none.
pub(super) fn read_toml(path: &Path) -> Result<Option<Document>> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    let document = Document::parse(text).with_context(|| format!("failed to read `{}`", path.display()))?;
    Ok(Some(document))
}

/// A file of text; `None` if there is none.
pub(super) fn read_text(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).ok();
            Ok(Some(text.with_context(|| format!("`{}` is not UTF-8 text", path.display()))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{}`", path.display())),
    }
}

/// A path without the form that Windows gives to those without symbolic links, which cargo does not print.
pub(super) fn plain(path: &Path) -> PathBuf {
    match path.to_str().and_then(|text| text.strip_prefix(r"\\?\")) {
        Some(text) if cfg!(windows) => PathBuf::from(text),
        _ => path.to_owned(),
    }
}
