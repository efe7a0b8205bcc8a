//! Which source files count, and under which path they are reported. Pure: paths are compared as text.
//!
//! Decisions are made once, before any total, so that all outputs agree. Patterns see the path relative to the workspace
//! (`tests` in a checkout's own path hides nothing), and directories such as `tests/` count from the package that a file
//! belongs to, so that a crate that lives below a directory of that name stays.

mod llvm_regex;
mod pattern;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use self::pattern::PathPattern;

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
    /// The main sources of its libraries and binaries, and of its build script where that counts, absolute.
    pub crate_roots: Vec<String>,
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

    /// The set that it belongs to.
    fn set(self) -> DefaultSet {
        match self {
            AuxiliaryKind::Test | AuxiliaryKind::Bench | AuxiliaryKind::Example => DefaultSet::Tests,
            AuxiliaryKind::BuildScript => DefaultSet::Build,
        }
    }
}

/// A set of files that do not count unless somebody wants them to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultSet {
    /// Tests, benches and examples.
    Tests,
    /// Generated code by its name.
    Generated,
    /// Build scripts, and what cargo writes.
    Build,
    /// Database migrations.
    Migrations,
    /// What belongs to no package of the workspace that was selected.
    Dependencies,
}

impl DefaultSet {
    /// All of them.
    pub const ALL: [DefaultSet; 5] = [
        DefaultSet::Tests,
        DefaultSet::Generated,
        DefaultSet::Build,
        DefaultSet::Migrations,
        DefaultSet::Dependencies,
    ];

    /// The word for it in options.
    pub fn name(self) -> &'static str {
        match self {
            DefaultSet::Tests => "tests",
            DefaultSet::Generated => "generated",
            DefaultSet::Build => "build",
            DefaultSet::Migrations => "migrations",
            DefaultSet::Dependencies => "dependencies",
        }
    }
}

/// Why a file does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// An option names it: a pattern as it was given.
    Option(String),
    /// It belongs to no package of the workspace and lies outside of it.
    Dependency,
    /// It lies in a directory that cargo writes to.
    BuildOutput,
    /// It belongs to a package that was not selected.
    Package(String),
    /// It belongs to a package that was selected, but shall not be reported on.
    HiddenPackage(String),
    /// It is the source of a test, bench, example or build script.
    Auxiliary(AuxiliaryKind),
    /// Its path has a form that test or generated code has: `tests/`, `*_test.rs`, …
    Pattern(&'static str),
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exclusion::Option(option) => write!(f, "matches {option}"),
            Exclusion::Dependency => f.write_str("is outside of the workspace"),
            Exclusion::BuildOutput => f.write_str("is in a directory that cargo writes to"),
            Exclusion::Package(name) => write!(f, "is of package `{name}`, which is not selected"),
            Exclusion::HiddenPackage(name) => {
                write!(f, "is of package `{name}`, which --exclude-from-report names")
            }
            Exclusion::Auxiliary(kind) => write!(f, "is the source of {}", kind.name()),
            Exclusion::Pattern(pattern) => write!(f, "matches the default exclusion `{pattern}`"),
        }
    }
}

/// What somebody wants to count.
#[derive(Clone, Debug, Default)]
pub struct FilterRules {
    /// Files that do not count.
    pub exclude: Vec<PathPattern>,
    /// Files that count whatever else would leave them out.
    pub include: Vec<PathPattern>,
    /// The names of packages that do not count, although their tests run.
    pub hidden_packages: Vec<glob::Pattern>,
    /// The sets that do not count.
    pub defaults: Vec<DefaultSet>,
}

/// Decides about source files.
#[derive(Debug)]
pub struct PathFilter {
    layout: SourceLayout,
    rules: FilterRules,
}

impl PathFilter {
    /// A filter by these rules in this workspace.
    pub fn new(mut layout: SourceLayout, rules: FilterRules) -> PathFilter {
        // The innermost package owns a file.
        layout.packages.sort_by_key(|package| std::cmp::Reverse(package.dir.len()));
        PathFilter { layout, rules }
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
        if self.inclusion(&text).is_some() {
            return None;
        }
        if let Some(pattern) = self.rules.exclude.iter().find(|pattern| pattern.matches(&text)) {
            return Some(Exclusion::Option(pattern.to_string()));
        }
        let path = self.rebase(stored);
        if let Some(package) = self.owner(&path)
            && self.rules.hidden_packages.iter().any(|pattern| pattern.matches(&package.name))
        {
            return Some(Exclusion::HiddenPackage(package.name.clone()));
        }
        self.default_exclusion(&path)
    }

    /// The pattern that makes a file count whatever else would leave it out, given the path under which it is reported.
    pub fn inclusion(&self, reported: &str) -> Option<&PathPattern> {
        self.rules.include.iter().find(|pattern| pattern.matches(reported))
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

    /// The package that owns a file: the innermost one around it.
    fn owner(&self, path: &[u8]) -> Option<&PackageSources> {
        self.layout.packages.iter().find(|package| strip_dir(path, package.dir.as_bytes()).is_some())
    }

    fn default_exclusion(&self, path: &[u8]) -> Option<Exclusion> {
        let leaves_out = |set| self.rules.defaults.contains(&set);
        let within = |dir: &String| strip_dir(path, dir.as_bytes()).is_some();
        if self.layout.build_dirs.iter().any(within) {
            return leaves_out(DefaultSet::Build).then_some(Exclusion::BuildOutput);
        }
        let owner = self.owner(path);
        let in_workspace = self.layout.roots.iter().find_map(|root| strip_dir(path, root.as_bytes()));
        let is_foreign = owner.is_none() && in_workspace.is_none() && !self.layout.roots.is_empty();
        if is_foreign && leaves_out(DefaultSet::Dependencies) {
            return Some(Exclusion::Dependency);
        }
        if let Some(package) = owner {
            if !package.is_selected && leaves_out(DefaultSet::Dependencies) {
                return Some(Exclusion::Package(package.name.clone()));
            }
            if let Some(kind) = auxiliary_kind(path, package)
                && leaves_out(kind.set())
            {
                return Some(Exclusion::Auxiliary(kind));
            }
        }
        let relative = match owner {
            Some(package) => strip_dir(path, package.dir.as_bytes()),
            None => in_workspace,
        };
        let mut patterns = default_patterns(relative.unwrap_or(path), owner.is_some());
        patterns.find(|(set, _)| leaves_out(*set)).map(|(_, pattern)| Exclusion::Pattern(pattern))
    }
}

/// Whether `path` is the main source of a test, bench, example or build script, or beside it in a directory of its own.
fn auxiliary_kind(path: &[u8], package: &PackageSources) -> Option<AuxiliaryKind> {
    let of_target = |(kind, source): &(AuxiliaryKind, String)| {
        let source = normalize(source.as_bytes());
        let own_dir = owned_dir(&source, package);
        let is_source = path == source.as_ref() || own_dir.is_some_and(|dir| strip_dir(path, dir).is_some());
        is_source.then_some(*kind)
    };
    package.auxiliary_targets.iter().find_map(of_target)
}

/// The directory that the main source of a test or the like has for itself: `tests/it/main.rs` owns `tests/it/`. `src/main.rs`
/// as an example, odd as it is, does not own `src/`.
fn owned_dir<'a>(source: &'a [u8], package: &PackageSources) -> Option<&'a [u8]> {
    let dir = source.strip_suffix(b"/main.rs")?;
    let below = strip_dir(dir, package.dir.as_bytes())?;
    (below != b"src" && !below.is_empty()).then_some(dir)
}

/// The default exclusions that a path matches, relative to its package. There may be some of several sets.
fn default_patterns(
    relative: &[u8],
    is_package: bool,
) -> impl Iterator<Item = (DefaultSet, &'static str)> + use<> {
    let mut components: Vec<&[u8]> = relative.split(|&byte| byte == b'/').collect();
    let name = components.pop().unwrap_or_default();
    let has_dir = |dir: &[u8]| components.contains(&dir);
    let starts_with = |dir: &[u8]| is_package && components.first().is_some_and(|first| *first == dir);
    let rows = [
        (DefaultSet::Tests, "tests/", has_dir(b"tests")),
        (DefaultSet::Tests, "benches/", starts_with(b"benches")),
        (DefaultSet::Tests, "examples/", starts_with(b"examples")),
        (DefaultSet::Migrations, "migrations/", has_dir(b"migrations")),
        (DefaultSet::Generated, "*.gen.rs", name.ends_with(b".gen.rs")),
        (DefaultSet::Tests, "*_test.rs", name.ends_with(b"_test.rs")),
        (DefaultSet::Tests, "*_tests.rs", name.ends_with(b"_tests.rs")),
        (DefaultSet::Tests, "tests.rs", name == b"tests.rs"),
    ];
    rows.into_iter().filter_map(|(set, pattern, matches)| matches.then_some((set, pattern)))
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
