//! `.cargo/config.toml`: the alias `xtask` and the profile that it builds in.
//!
//! The profile stands here, not in `Cargo.toml`: so it is never published, and no other build sees it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::plan::Plan;
use super::site::{Site, read_text, read_toml};
use super::xtask_package::Xtask;
use crate::toml::edit::quoted;
use crate::toml::{Document, Kind};
use crate::ui::message::Advised;

/// Cargo's configuration in the workspace's root.
pub(super) struct CargoConfig {
    path: PathBuf,
    before: Option<Document>,
    pub(super) alias: Option<Alias>,
}

/// What the alias `xtask` says, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Alias {
    /// As it is written.
    pub(super) text: String,
    /// `--package`.
    pub(super) package: Option<String>,
    /// `--manifest-path`.
    pub(super) manifest_path: Option<String>,
    /// `--bin`.
    pub(super) bin: Option<String>,
    /// `--profile`; `release` for `--release`.
    cargo_profile: Option<String>,
}

/// What decodes and counts is compiled with optimizations, which makes reports about three times faster.
const OVERRIDES: [(&str, &str); 5] = [
    (
        "xtask-coverage-engine",
        "{ opt-level = 2, debug-assertions = false, overflow-checks = false, codegen-units = 1 }",
    ),
    ("adler2", "{ opt-level = 2 }"),
    ("md5", "{ opt-level = 2 }"),
    ("miniz_oxide", "{ opt-level = 2 }"),
    ("rustc-demangle", "{ opt-level = 1 }"),
];

const ALIAS: &[&str] = &["alias", "xtask"];

/// The profile of the alias that is written here.
const OWN_PROFILE: &str = "xtask";

impl CargoConfig {
    /// Reads the file that cargo reads: without an extension, if that is there.
    ///
    /// # Errors
    /// It cannot be read, or there is an alias `xtask` that runs no package.
    pub(super) fn read(site: &Site) -> Result<CargoConfig> {
        let directory = site.workspace.root.join(".cargo");
        let old_name = directory.join("config");
        let path = if old_name.is_file() { old_name } else { directory.join("config.toml") };
        let before = read_toml(&path)?;
        let own = before.clone().filter(|document| document.has(ALIAS));
        let (holder, path_of_alias) = match own {
            Some(document) => (Some(document), path.clone()),
            None => {
                included(&path, before.as_ref()).map_or((None, path.clone()), |(path, it)| (Some(it), path))
            }
        };
        let value = holder.as_ref().and_then(|document| document.get(ALIAS));
        let words: Option<Vec<String>> = value.map(|value| match &value.kind {
            Kind::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            Kind::Array(words) => words.iter().filter_map(|word| word.text().map(str::to_owned)).collect(),
            Kind::Inline | Kind::Other => Vec::new(),
        });
        let alias = words.map(|words| {
            Alias::parse(&words).with_context(|| {
                Advised::new(
                    format!(
                        "`{}` has an alias `xtask` that runs no package: `{}`",
                        site.relative(&path_of_alias).display(),
                        words.join(" ")
                    ),
                    "rename it, or have it run a package of this workspace: `run --package xtask --`",
                )
            })
        });
        let alias = alias.transpose()?;
        if alias.is_none() {
            refuse_list_above(site)?;
        }
        Ok(CargoConfig { path, before, alias })
    }

    /// Plans the alias and the profile.
    ///
    /// # Errors
    /// The file is written in a way that leaves no place for them.
    pub(super) fn plan(self, site: &Site, xtask: &Xtask, plan: &mut Plan) -> Result<()> {
        if let Some(triple) = self.build_target().filter(|_| self.alias.is_none()) {
            plan.notes.push(format!(
                "`build.target` is `{triple}`, and `cargo xtask` builds for that too; where its programs do not run on this \
                 machine, put `--target host-tuple` (Rust 1.91 or later) into the alias, in front of its last `--`"
            ));
        }
        if self.before.as_ref().is_some_and(|before| before.has(&["source", "crates-io", "replace-with"])) {
            plan.replaces_registry = true;
        }
        let mut document = self.before.clone().unwrap_or_default();
        self.edit(&mut document, site, xtask).with_context(|| site.no_change(&self.path))?;
        plan.write(self.path, self.before.map(|before| before.text().to_owned()), document.text().to_owned());
        Ok(())
    }

    /// The target triple that all is built for, if the configuration names one.
    fn build_target(&self) -> Option<&str> {
        self.before.as_ref()?.text_at(&["build", "target"])
    }

    fn edit(&self, document: &mut Document, site: &Site, xtask: &Xtask) -> Result<()> {
        let locked = read_text(&site.workspace.root.join("Cargo.lock"))?.unwrap_or_default();
        let is_locked =
            |name: &str| locked.lines().any(|line| line.trim_end() == format!("name = \"{name}\""));
        let (profile, is_own) = match &self.alias {
            None => {
                let alias = format!("run --package {} --profile {OWN_PROFILE} --", xtask.spec());
                document.insert(&["alias"], "xtask", &quoted(&alias))?;
                (OWN_PROFILE, true)
            }
            Some(alias) => {
                let profile = alias.cargo_profile.as_deref().unwrap_or("dev");
                (profile, profile == OWN_PROFILE)
            }
        };
        // Optimized as it is. And where the xtask is a workspace of its own, its lock file is another.
        if profile == "release" || xtask.apart().is_some() {
            return Ok(());
        }
        let is_there = |document: &Document, path: &[&str]| document.has(path) || site.manifest.has(path);
        let is_new = !is_there(document, &["profile", profile]);
        if is_own && !is_there(document, &["profile", profile, "inherits"]) {
            document.insert(&["profile", profile], "inherits", "\"dev\"")?;
        }
        if is_own && is_new {
            document.insert(&["profile", profile], "debug", "false")?;
            document.insert(&["profile", profile], "lto", "\"off\"")?;
            document.comment(
                &["profile", profile],
                "Only `cargo xtask` builds in this profile; optimized, it reports about three times faster.",
            )?;
        }
        for (name, value) in OVERRIDES {
            let is_set = is_there(document, &["profile", profile, "package", name]);
            // What the workspace itself depends on is compiled as before.
            if !is_set && (is_own || !is_locked(name)) {
                document.insert(&["profile", profile, "package"], name, value)?;
            }
        }
        Ok(())
    }
}

/// The file with the alias among those that a configuration includes, with its path.
fn included(path: &Path, document: Option<&Document>) -> Option<(PathBuf, Document)> {
    let directory = path.parent()?;
    for name in document?.texts_at(&["include"])? {
        let path = directory.join(name);
        // What cannot be read is cargo's to refuse.
        let Some(document) = read_toml(&path).ok().flatten() else { continue };
        if document.has(ALIAS) {
            return Some((path, document));
        }
    }
    None
}

/// Cargo joins the lists of all configurations, and refuses a text beside a list.
///
/// # Errors
/// A directory above has an alias `xtask` that is a list.
fn refuse_list_above(site: &Site) -> Result<()> {
    for directory in site.workspace.root.ancestors().skip(1) {
        for name in ["config", "config.toml"] {
            let path = directory.join(".cargo").join(name);
            // What cannot be read here is cargo's to refuse.
            let Some(document) = read_toml(&path).ok().flatten() else { continue };
            if document.texts_at(ALIAS).is_some() {
                bail!(Advised::new(
                    format!(
                        "`{}` has an alias `xtask` as a list, to which cargo can only add words below",
                        path.display()
                    ),
                    "write it there as one text, which the alias of this workspace can replace",
                ));
            }
        }
    }
    Ok(())
}

impl Alias {
    /// What the words of an alias mean.
    ///
    /// # Errors
    /// They do not run a program of a package that they name.
    fn parse(words: &[String]) -> Result<Alias> {
        let mut alias = Alias { text: words.join(" "), ..Alias::default() };
        let mut words = words.iter().map(String::as_str);
        if !matches!(words.next(), Some("run" | "r")) {
            bail!("it does not begin with `run`");
        }
        while let Some(word) = words.next().filter(|word| *word != "--") {
            let (flag, attached) = match (word.strip_prefix("-p"), word.split_once('=')) {
                (Some(value), _) if !value.is_empty() => ("-p", Some(value.trim_start_matches('='))),
                (_, Some((flag, value))) => (flag, Some(value)),
                _ => (word, None),
            };
            let mut value = || attached.or_else(|| words.next()).map(str::to_owned);
            match flag {
                // A version may stand behind the name.
                "--package" | "-p" => {
                    alias.package = value().and_then(|spec| spec.split('@').next().map(str::to_owned));
                }
                "--manifest-path" => alias.manifest_path = value(),
                "--bin" => alias.bin = value(),
                "--profile" => alias.cargo_profile = value(),
                "--release" | "-r" => alias.cargo_profile = Some("release".to_owned()),
                _ => {}
            }
        }
        if alias.package.is_none() && alias.manifest_path.is_none() && alias.bin.is_none() {
            bail!("it names neither a package nor a manifest");
        }
        Ok(alias)
    }
}

#[cfg(test)]
mod tests {
    use super::Alias;

    #[test]
    fn aliases_name_a_package() {
        let check = |text: &str| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let alias = Alias::parse(&words).ok()?;
            let of = |value: Option<String>| value.unwrap_or_default();
            Some(
                [of(alias.package), of(alias.manifest_path), of(alias.bin), of(alias.cargo_profile)]
                    .join("|"),
            )
        };
        for (text, expected) in [
            ("run --package xtask --", Some("xtask|||")),
            ("r -q -p ci --bin=tasks --release --", Some("ci||tasks|release")),
            (
                "run --manifest-path ./xtask/Cargo.toml --profile=dev -- -p no",
                Some("|./xtask/Cargo.toml||dev"),
            ),
            ("run --bin xtask --", Some("||xtask|")),
            ("run -pxtask@0.1.0", Some("xtask|||")),
            ("run -p=xtask -- -pno", Some("xtask|||")),
            ("run --", None),
            ("build --package xtask", None),
            ("", None),
        ] {
            assert_eq!(check(text).as_deref(), expected, "{text}");
        }
    }
}
