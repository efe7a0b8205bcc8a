//! Which source files count, and under which path they are reported. Pure: paths are compared as text.
//!
//! Decisions are made once, before any total, so that all outputs agree. Patterns see the path relative to the workspace
//! (`tests` in a checkout's own path hides nothing), and directories such as `tests/` count from the package that a file
//! belongs to, so that a crate that lives below a directory of that name stays.

use std::borrow::Cow;
use std::fmt;

use anyhow::{Context, Result};
use regex_lite::Regex;

/// What the filter needs to know about the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceLayout {
    /// The workspace's root, under each name it has (as given, with symbolic links resolved). Absolute.
    pub roots: Vec<String>,
    /// Directories that cargo writes to. Absolute.
    pub build_dirs: Vec<String>,
    /// The workspace's packages.
    pub packages: Vec<PackageSources>,
}

/// A package's place, and the sources that are not its product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageSources {
    /// The package's name.
    pub name: String,
    /// Its directory, absolute.
    pub dir: String,
    /// Whether it was selected; the files of other packages do not count.
    pub is_selected: bool,
    /// The main sources of its tests, benches, examples and build script, absolute.
    pub auxiliary_targets: Vec<(AuxiliaryKind, String)>,
}

/// What a cargo target is, if not a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuxiliaryKind {
    /// An integration test.
    Test,
    /// A benchmark.
    Bench,
    /// An example.
    Example,
    /// A build script.
    BuildScript,
}

impl AuxiliaryKind {
    /// The word for it, with its article.
    pub fn name(self) -> &'static str {
        match self {
            AuxiliaryKind::Test => "a test",
            AuxiliaryKind::Bench => "a bench",
            AuxiliaryKind::Example => "an example",
            AuxiliaryKind::BuildScript => "a build script",
        }
    }
}

/// Why a file does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// A pattern given by `--ignore-filename-regex`.
    Regex(String),
    /// It belongs to no package of the workspace and lies outside of it.
    Dependency,
    /// It lies in a directory that cargo writes to.
    BuildOutput,
    /// It belongs to a package that was not selected.
    Package(String),
    /// It is the source of a test, bench, example or build script.
    Auxiliary(AuxiliaryKind),
    /// Its path has a form that test or generated code has: `tests/`, `*_test.rs`, …
    Pattern(&'static str),
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exclusion::Regex(regex) => write!(f, "matches --ignore-filename-regex `{regex}`"),
            Exclusion::Dependency => f.write_str("is outside of the workspace"),
            Exclusion::BuildOutput => f.write_str("is in a directory that cargo writes to"),
            Exclusion::Package(name) => write!(f, "is of package `{name}`, which is not selected"),
            Exclusion::Auxiliary(kind) => write!(f, "is the source of {}", kind.name()),
            Exclusion::Pattern(pattern) => write!(f, "matches the default exclusion `{pattern}`"),
        }
    }
}

/// Decides about source files.
#[derive(Debug)]
pub struct PathFilter {
    layout: SourceLayout,
    regexes: Vec<Regex>,
    default_exclusions: bool,
}

impl PathFilter {
    /// A filter with the default exclusions, if wanted, and with patterns that exclude any path in which they match.
    ///
    /// # Errors
    /// A pattern that is no regular expression.
    pub fn new(mut layout: SourceLayout, regexes: &[String], default_exclusions: bool) -> Result<PathFilter> {
        let compile = |regex: &String| {
            Regex::new(regex).with_context(|| format!("failed to parse `--ignore-filename-regex {regex}`"))
        };
        // The innermost package owns a file.
        layout.packages.sort_by_key(|package| std::cmp::Reverse(package.dir.len()));
        let regexes = regexes.iter().map(compile).collect::<Result<_>>()?;
        Ok(PathFilter { layout, regexes, default_exclusions })
    }

    /// The path under which a file is reported, given the path that the compiler stored: relative to the workspace's root
    /// with `/` between its parts, or the whole path if the file is elsewhere.
    pub fn reported_path(&self, stored: &[u8]) -> Vec<u8> {
        let normalized = normalize(stored);
        let relative = self.layout.roots.iter().find_map(|root| strip_dir(&normalized, root.as_bytes()));
        relative.unwrap_or(&normalized).to_vec()
    }

    /// Why a file does not count; `None` if it does.
    pub fn exclusion(&self, stored: &[u8]) -> Option<Exclusion> {
        let reported = self.reported_path(stored);
        let text = String::from_utf8_lossy(&reported);
        if let Some(regex) = self.regexes.iter().find(|regex| regex.is_match(&text)) {
            return Some(Exclusion::Regex(regex.as_str().to_owned()));
        }
        if self.default_exclusions { self.default_exclusion(&self.rebase(stored)) } else { None }
    }

    /// The path below the first of the workspace's roots, if it is below any.
    fn rebase<'a>(&self, stored: &'a [u8]) -> Cow<'a, [u8]> {
        let normalized = normalize(stored);
        let Some((first, others)) = self.layout.roots.split_first() else { return normalized };
        match others.iter().find_map(|root| strip_dir(&normalized, root.as_bytes())) {
            Some(relative) => Cow::Owned([&normalize(first.as_bytes()), &b"/"[..], relative].concat()),
            None => normalized,
        }
    }

    fn default_exclusion(&self, path: &[u8]) -> Option<Exclusion> {
        let within = |dir: &String| strip_dir(path, dir.as_bytes()).is_some();
        if self.layout.build_dirs.iter().any(within) {
            return Some(Exclusion::BuildOutput);
        }
        let owner = self.layout.packages.iter().find(|package| within(&package.dir));
        let in_workspace = self.layout.roots.iter().find_map(|root| strip_dir(path, root.as_bytes()));
        let relative = match (owner, in_workspace) {
            (Some(package), _) => strip_dir(path, package.dir.as_bytes()).unwrap_or(path),
            (None, Some(relative)) => relative,
            (None, None) if self.layout.roots.is_empty() => path,
            (None, None) => return Some(Exclusion::Dependency),
        };
        if let Some(package) = owner {
            if !package.is_selected {
                return Some(Exclusion::Package(package.name.clone()));
            }
            if let Some(kind) = auxiliary_kind(path, package) {
                return Some(Exclusion::Auxiliary(kind));
            }
        }
        default_pattern(relative, owner.is_some()).map(Exclusion::Pattern)
    }
}

/// Whether `path` is the main source of a test, bench, example or build script, or beside it in a directory of its own.
fn auxiliary_kind(path: &[u8], package: &PackageSources) -> Option<AuxiliaryKind> {
    let of_target = |(kind, source): &(AuxiliaryKind, String)| {
        let source = normalize(source.as_bytes());
        // `tests/it/main.rs` owns `tests/it/`; `src/main.rs` as an example, odd as it is, does not own `src/`.
        let own_dir = source.strip_suffix(b"/main.rs").filter(|dir| {
            strip_dir(dir, package.dir.as_bytes()).is_some_and(|dir| dir != b"src" && !dir.is_empty())
        });
        let is_source = path == source.as_ref() || own_dir.is_some_and(|dir| strip_dir(path, dir).is_some());
        is_source.then_some(*kind)
    };
    package.auxiliary_targets.iter().find_map(of_target)
}

/// The default exclusion that a path matches, relative to its package.
fn default_pattern(relative: &[u8], is_package: bool) -> Option<&'static str> {
    let mut components: Vec<&[u8]> = relative.split(|&byte| byte == b'/').collect();
    let name = components.pop().unwrap_or_default();
    let has_dir = |dir: &[u8]| components.contains(&dir);
    let starts_with = |dir: &[u8]| is_package && components.first().is_some_and(|first| *first == dir);
    if has_dir(b"tests") {
        Some("tests/")
    } else if starts_with(b"benches") {
        Some("benches/")
    } else if starts_with(b"examples") {
        Some("examples/")
    } else if has_dir(b"migrations") {
        Some("migrations/")
    } else if name.ends_with(b".gen.rs") {
        Some("*.gen.rs")
    } else if name.ends_with(b"_test.rs") {
        Some("*_test.rs")
    } else if name.ends_with(b"_tests.rs") {
        Some("*_tests.rs")
    } else if name == b"tests.rs" {
        Some("tests.rs")
    } else {
        None
    }
}

/// What is left of `path` below the directory `dir`; `None` if it is not below it.
fn strip_dir<'a>(path: &'a [u8], dir: &[u8]) -> Option<&'a [u8]> {
    let dir = normalize(dir);
    // The root directory alone ends in a separator.
    let dir = dir.strip_suffix(b"/").unwrap_or(&dir);
    path.strip_prefix(dir)?.strip_prefix(b"/")
}

/// The path with `/` between its parts and without `.` and `..` where the text alone allows it.
///
/// rustc stores `a/../b.rs` as it was written; it is the file `b.rs`.
fn normalize(path: &[u8]) -> Cow<'_, [u8]> {
    let path = if cfg!(windows) && path.contains(&b'\\') {
        let stripped = path.strip_prefix(br"\\?\").unwrap_or(path);
        Cow::Owned(stripped.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect())
    } else {
        Cow::Borrowed(path)
    };
    let is_plain = |component: &[u8]| !matches!(component, b"" | b"." | b"..");
    let body = path.strip_prefix(b"/").unwrap_or(&path);
    if body.split(|&byte| byte == b'/').all(is_plain) {
        return path;
    }
    let absolute = path.starts_with(b"/");
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." if components.last().is_some_and(|&last| last != b"..") => {
                components.pop();
            }
            b".." if absolute => {}
            _ => components.push(component),
        }
    }
    let joined = components.join(&b'/');
    Cow::Owned(if absolute { [b"/", joined.as_slice()].concat() } else { joined })
}

#[cfg(test)]
mod tests {
    use super::{AuxiliaryKind, Exclusion, PackageSources, PathFilter, SourceLayout};

    fn package(
        name: &str,
        dir: &str,
        is_selected: bool,
        targets: &[(AuxiliaryKind, &str)],
    ) -> PackageSources {
        let auxiliary_targets = targets.iter().map(|(kind, path)| (*kind, (*path).to_owned())).collect();
        PackageSources { name: name.to_owned(), dir: dir.to_owned(), is_selected, auxiliary_targets }
    }

    fn layout() -> SourceLayout {
        SourceLayout {
            roots: vec!["/w".to_owned(), "/real/w".to_owned()],
            build_dirs: vec!["/w/target".to_owned()],
            packages: vec![
                package(
                    "root",
                    "/w",
                    true,
                    &[
                        (AuxiliaryKind::BuildScript, "/w/build.rs"),
                        (AuxiliaryKind::Test, "/w/checks/it/main.rs"),
                        (AuxiliaryKind::Example, "/w/src/demo.rs"),
                    ],
                ),
                package("inner", "/w/tests/inner", true, &[]),
                package("other", "/w/crates/other", false, &[]),
                package("outside", "/elsewhere", true, &[]),
            ],
        }
    }

    fn check(regexes: &[&str], defaults: bool, rows: &[(&str, &str, Option<&str>)]) {
        let regexes: Vec<String> = regexes.iter().map(|regex| (*regex).to_owned()).collect();
        let filter = PathFilter::new(layout(), &regexes, defaults).expect("patterns are fine");
        for &(stored, reported, excluded) in rows {
            assert_eq!(
                String::from_utf8_lossy(&filter.reported_path(stored.as_bytes())),
                reported,
                "{stored}"
            );
            let exclusion = filter.exclusion(stored.as_bytes()).map(|exclusion| exclusion.to_string());
            assert_eq!(exclusion.as_deref(), excluded, "{stored}");
        }
    }

    #[test]
    fn default_exclusions_follow_targets_and_packages() {
        check(
            &[],
            true,
            &[
                ("/w/src/lib.rs", "src/lib.rs", None),
                ("/real/w/src/lib.rs", "src/lib.rs", None),
                ("/w/src/../src/./lib.rs", "src/lib.rs", None),
                ("/w/src/tests/mod.rs", "src/tests/mod.rs", Some("matches the default exclusion `tests/`")),
                ("/w/src/tests.rs", "src/tests.rs", Some("matches the default exclusion `tests.rs`")),
                ("/w/src/contests/lib.rs", "src/contests/lib.rs", None),
                ("/w/src/a_test.rs", "src/a_test.rs", Some("matches the default exclusion `*_test.rs`")),
                ("/w/src/a_tests.rs", "src/a_tests.rs", Some("matches the default exclusion `*_tests.rs`")),
                ("/w/src/latest.rs", "src/latest.rs", None),
                ("/w/src/api.gen.rs", "src/api.gen.rs", Some("matches the default exclusion `*.gen.rs`")),
                (
                    "/w/migrations/m1.rs",
                    "migrations/m1.rs",
                    Some("matches the default exclusion `migrations/`"),
                ),
                ("/w/benches/b.rs", "benches/b.rs", Some("matches the default exclusion `benches/`")),
                ("/w/src/examples/e.rs", "src/examples/e.rs", None),
                ("/w/build.rs", "build.rs", Some("is the source of a build script")),
                ("/w/checks/it/helper.rs", "checks/it/helper.rs", Some("is the source of a test")),
                ("/w/src/demo.rs", "src/demo.rs", Some("is the source of an example")),
                ("/w/tests/inner/src/lib.rs", "tests/inner/src/lib.rs", None),
                ("/real/w/tests/inner/src/lib.rs", "tests/inner/src/lib.rs", None),
                ("/real/w/build.rs", "build.rs", Some("is the source of a build script")),
                ("/w/tests/outer.rs", "tests/outer.rs", Some("matches the default exclusion `tests/`")),
                (
                    "/w/crates/other/src/lib.rs",
                    "crates/other/src/lib.rs",
                    Some("is of package `other`, which is not selected"),
                ),
                (
                    "/w/target/debug/build/x/out/g.rs",
                    "target/debug/build/x/out/g.rs",
                    Some("is in a directory that cargo writes to"),
                ),
                (
                    "/home/me/registry/serde/src/lib.rs",
                    "/home/me/registry/serde/src/lib.rs",
                    Some("is outside of the workspace"),
                ),
                ("/elsewhere/src/lib.rs", "/elsewhere/src/lib.rs", None),
                ("/worker/src/lib.rs", "/worker/src/lib.rs", Some("is outside of the workspace")),
            ],
        );
    }

    #[test]
    fn patterns_see_the_path_in_the_workspace_only() {
        check(
            &["^src/gen", "real"],
            false,
            &[
                ("/real/w/src/lib.rs", "src/lib.rs", None),
                ("/w/src/gen/a.rs", "src/gen/a.rs", Some("matches --ignore-filename-regex `^src/gen`")),
                ("/w/tests/outer.rs", "tests/outer.rs", None),
                ("/other/real.rs", "/other/real.rs", Some("matches --ignore-filename-regex `real`")),
            ],
        );
    }

    #[test]
    fn the_checkouts_own_path_hides_nothing() {
        let with_root = |root: &str, packages| {
            let layout = SourceLayout { roots: vec![root.to_owned()], build_dirs: Vec::new(), packages };
            PathFilter::new(layout, &[], true).expect("no patterns")
        };
        let shared = with_root("/home/tests/w", Vec::new());
        assert_eq!(shared.exclusion(b"/home/tests/w/shared.rs"), None);
        assert_eq!(shared.exclusion(b"/home/tests/w/tests/a.rs"), Some(Exclusion::Pattern("tests/")));
        let at_root = with_root("/", vec![package("app", "/", true, &[])]);
        assert_eq!(at_root.exclusion(b"/src/lib.rs"), None);
        assert_eq!(at_root.reported_path(b"/src/lib.rs"), b"src/lib.rs");
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = PathFilter::new(layout(), &["(".to_owned()], true).expect_err("unbalanced");
        assert!(
            format!("{error:#}").starts_with("failed to parse `--ignore-filename-regex (`: "),
            "{error:#}"
        );
    }

    #[test]
    fn without_a_workspace_nothing_is_a_dependency() {
        let filter = PathFilter::new(SourceLayout::default(), &[], true).expect("no patterns");
        assert_eq!(filter.exclusion(b"/any/where.rs"), None);
        assert_eq!(filter.exclusion(b"/any/tests/where.rs"), Some(Exclusion::Pattern("tests/")));
    }
}
