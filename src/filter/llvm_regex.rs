//! The filter as regular expressions for `llvm-cov -ignore-filename-regex`, as far as such an expression can say it.
//!
//! LLVM looks for a POSIX extended regular expression anywhere in the path as the compiler stored it. No file that counts
//! may match one of ours; a file that does not count need not, as whoever uses them applies the filter itself afterwards. So a
//! rule is passed over where it needs more than the path's text: what is included, packages inside of others where that
//! matters. Directories match only where no `..` follows. A regular expression that the user gave is what it is: LLVM's
//! `a/../b.rs` is our `b.rs`, and it may match the one alone.

use super::{DefaultSet, PackageSources, PathFilter, normalize, owned_dir, strip_dir};

/// What is in a directory, no component of the path being `.` or `..`.
const WITHIN: &str = r"(/\.?[^./][^/]*)+";

impl PathFilter {
    /// Regular expressions that only files match that do not count.
    pub fn ignore_filename_regexes(&self) -> Vec<String> {
        // What is included counts, whatever excludes it.
        if !self.rules.include.is_empty() {
            return Vec::new();
        }
        let mut regexes = self.pattern_regexes();
        let leaves_out = |set| self.rules.defaults.contains(&set);
        for package in &self.layout.packages {
            let is_hidden = self.rules.hidden_packages.iter().any(|name| name.matches(&package.name));
            let is_left_out = is_hidden || !package.is_selected && leaves_out(DefaultSet::Dependencies);
            if is_left_out && self.packages_in(&package.dir).count() == 1 {
                regexes.extend(self.under_each_root(&package.dir).map(|dir| format!("{dir}{WITHIN}$")));
            }
        }
        if leaves_out(DefaultSet::Build) {
            let dirs = self.layout.build_dirs.iter().flat_map(|dir| self.under_each_root(dir));
            regexes.extend(dirs.map(|dir| format!("{dir}{WITHIN}$")));
        }
        if leaves_out(DefaultSet::Dependencies) {
            regexes.extend(self.outside_regex());
        }
        regexes.extend(self.auxiliary_regexes());
        // A directory that cargo writes to is a set of its own: a test's source there counts with it.
        if leaves_out(DefaultSet::Build) || self.layout.build_dirs.is_empty() {
            regexes.extend(self.default_pattern_regexes());
        }
        regexes.sort_unstable();
        regexes.dedup();
        regexes
    }

    /// What options exclude by patterns on the reported path.
    fn pattern_regexes(&self) -> Vec<String> {
        let mut regexes = Vec::new();
        for pattern in &self.rules.exclude {
            let Some(regex) = pattern.posix_regex() else { continue };
            if regex.is_absolute {
                regexes.push(regex.text);
            } else {
                let roots = self.layout.roots.iter();
                regexes.extend(roots.map(|root| format!("^{}/{}", escape(&plain(root)), regex.text)));
            }
        }
        regexes
    }

    /// Files that lie in no root of the workspace and in no package. A class of characters can say what does not follow a
    /// common beginning; with that, each way to leave the paths of all roots is one alternative.
    fn outside_regex(&self) -> Option<String> {
        let packages = self.layout.packages.iter().map(|package| &package.dir);
        let insides: Vec<String> =
            self.layout.roots.iter().chain(packages).map(|dir| plain(dir) + "/").collect();
        if self.layout.roots.is_empty() || cfg!(windows) {
            return None;
        }
        let mut alternatives: Vec<String> = Vec::new();
        for inside in &insides {
            for (end, _) in inside.char_indices() {
                let prefix = &inside[..end];
                let next = insides.iter().filter_map(|inside| inside.strip_prefix(prefix)?.chars().next());
                let mut next: Vec<char> = next.collect();
                next.sort_unstable();
                next.dedup();
                // Below a root nothing is outside. LLVM's classes are of bytes, and `]`, `^` and `-` have a meaning there.
                let is_inside = insides.iter().any(|inside| prefix.starts_with(inside.as_str()));
                let is_plain = |it: &char| it.is_ascii() && !matches!(it, ']' | '[' | '^' | '-' | '\\');
                if is_inside || !next.iter().all(is_plain) {
                    break;
                }
                // A component that begins here may be `..`, one that goes on may end here.
                let next = String::from_iter(next.into_iter().filter(|next| *next != '/'));
                alternatives.push(match prefix.ends_with('/') {
                    true => format!(r"{}([^{next}./]|\.[^./])[^/]*", escape(prefix)),
                    false if next.is_empty() => format!("{}[^/]+", escape(prefix)),
                    false => format!("{}([^{next}/][^/]*)?", escape(prefix)),
                });
            }
        }
        alternatives.sort_unstable();
        alternatives.dedup();
        (!alternatives.is_empty()).then(|| format!("^({})({WITHIN})?$", alternatives.join("|")))
    }

    /// The sources of tests and the like, and the directories that they own.
    fn auxiliary_regexes(&self) -> Vec<String> {
        let mut regexes = Vec::new();
        for package in &self.layout.packages {
            for (kind, source) in &package.auxiliary_targets {
                if !self.rules.defaults.contains(&kind.set()) {
                    continue;
                }
                let source = plain(source);
                if !self.is_owner(package, &source) {
                    continue;
                }
                regexes.extend(self.under_each_root(&source).map(|source| format!("{source}$")));
                let own_dir = owned_dir(source.as_bytes(), package).map(String::from_utf8_lossy);
                if let Some(dir) = own_dir.filter(|dir| self.packages_in(dir).next().is_none()) {
                    regexes.extend(self.under_each_root(&dir).map(|dir| format!("{dir}{WITHIN}$")));
                }
            }
        }
        regexes
    }

    /// Forms that paths of test and generated code have, in each package that holds no other one where that matters.
    fn default_pattern_regexes(&self) -> Vec<String> {
        let leaves_out = |set| self.rules.defaults.contains(&set);
        let mut regexes = Vec::new();
        let anywhere = [
            (DefaultSet::Generated, r"\.gen\.rs$"),
            (DefaultSet::Tests, r"_tests?\.rs$"),
            (DefaultSet::Tests, r"(^|/)tests\.rs$"),
        ];
        regexes.extend(anywhere.into_iter().filter(|(set, _)| leaves_out(*set)).map(|it| it.1.to_owned()));
        for package in &self.layout.packages {
            let inner = |name: &str| {
                let dir = plain(&package.dir);
                let mut inner = self.packages_in(&dir).filter_map(|inner| {
                    strip_dir(inner.dir.as_bytes(), dir.as_bytes())
                        .map(|below| String::from_utf8_lossy(below).into_owned())
                });
                inner.any(|below| below.split('/').any(|component| component == name))
            };
            let dirs = [
                (DefaultSet::Tests, "/(.*/)?", "tests"),
                (DefaultSet::Migrations, "/(.*/)?", "migrations"),
                (DefaultSet::Tests, "/", "benches"),
                (DefaultSet::Tests, "/", "examples"),
            ];
            for (_, between, name) in
                dirs.into_iter().filter(|(set, _, name)| leaves_out(*set) && !inner(name))
            {
                let package_dirs = self.under_each_root(&package.dir);
                regexes.extend(package_dirs.map(|dir| format!("{dir}{between}{name}{WITHIN}$")));
            }
        }
        regexes
    }

    /// The packages in a directory, one that is just there included.
    fn packages_in<'a>(&'a self, dir: &str) -> impl Iterator<Item = &'a PackageSources> + use<'a> {
        let dir = plain(dir);
        self.layout.packages.iter().filter(move |package| {
            plain(&package.dir) == dir || strip_dir(package.dir.as_bytes(), dir.as_bytes()).is_some()
        })
    }

    fn is_owner(&self, package: &PackageSources, path: &str) -> bool {
        self.owner(path.as_bytes()).is_some_and(|owner| owner.dir == package.dir)
    }

    /// A path as the beginning of a regular expression, under each name that the workspace's root has.
    fn under_each_root(&self, path: &str) -> impl Iterator<Item = String> + use<> {
        let path = plain(path);
        let roots = &self.layout.roots;
        let relative = roots.first().and_then(|root| strip_dir(path.as_bytes(), root.as_bytes()));
        let below = relative.map(|relative| String::from_utf8_lossy(relative).into_owned());
        let names: Vec<String> = match below {
            Some(below) => roots.iter().map(|root| format!("{}/{below}", plain(root))).collect(),
            // The root itself has all of its names.
            None if roots.first().is_some_and(|root| plain(root) == path) => {
                roots.iter().map(|root| plain(root)).collect()
            }
            None => vec![path],
        };
        names.into_iter().map(|name| format!("^{}", escape(&name)))
    }
}

/// The path with `/` between its parts and no end of that kind.
fn plain(path: &str) -> String {
    let path = String::from_utf8_lossy(&normalize(path.as_bytes())).into_owned();
    path.strip_suffix('/').map(str::to_owned).unwrap_or(path)
}

/// A text that stands for itself alone. LLVM stores paths of Windows with either separator.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '/' if cfg!(windows) => escaped.push_str(r"[\\/]"),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' | '\\' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A pattern as a regular expression that POSIX knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PosixRegex {
    /// What follows the root of the workspace and its `/`, or for an absolute pattern all of it.
    pub(super) text: String,
    /// Whether it begins at the beginning of the path.
    pub(super) is_absolute: bool,
}

impl PosixRegex {
    /// The expression for a regular expression of ours, if both dialects agree on it: no escapes but of punctuation, no lazy
    /// repetitions, no flags, nothing empty, and `^` only at the beginning.
    pub(super) fn from_regex(regex: &str) -> Option<PosixRegex> {
        let (anchored, body) = match regex.strip_prefix('^') {
            Some(body) => (true, body),
            None => (false, regex),
        };
        let mut previous = '(';
        let mut characters = body.chars();
        let mut depth = 0_usize;
        while let Some(character) = characters.next() {
            let starts = matches!(previous, '(' | '|');
            match character {
                '\\' => {
                    characters.next().filter(|next| next.is_ascii_punctuation() && !"<>".contains(*next))?;
                    previous = 'a';
                    continue;
                }
                '[' => {
                    let class = characters.as_str();
                    let len = class.find(']').filter(|len| *len > 0)?;
                    let inside = class.get(..len)?;
                    let body = inside.strip_prefix('^').unwrap_or(inside);
                    let is_odd = |pair: &str| body.contains(pair);
                    if body.is_empty()
                        || !body.is_ascii()
                        || ["\\", "[", "&&", "--", "~~"].into_iter().any(is_odd)
                    {
                        return None;
                    }
                    characters = class.get(len + 1..)?.chars();
                    previous = 'a';
                    continue;
                }
                '*' | '+' | '?' if starts || matches!(previous, '*' | '+' | '?') => return None,
                ')' | '|' if starts => return None,
                '(' => depth += 1,
                ')' => depth = depth.checked_sub(1)?,
                '^' | '{' | '}' | ']' => return None,
                '$' if !characters.as_str().is_empty() => return None,
                _ => {}
            }
            previous = character;
        }
        // An alternative of its own would not stand behind the anchor, nor behind the root.
        if depth != 0 || matches!(previous, '(' | '|') || anchored && has_alternatives(body) {
            return None;
        }
        let text = if anchored { body.to_owned() } else { format!("(.*)({body})") };
        Some(PosixRegex { text, is_absolute: false })
    }

    /// The expression for a glob, which means what is in a directory too.
    pub(super) fn from_glob(glob: &str) -> Option<PosixRegex> {
        let mut text = String::new();
        let mut rest = glob;
        while let Some(character) = rest.chars().next() {
            if let Some(behind) = rest.strip_prefix("**/") {
                text.push_str(r"(\.?[^./][^/]*/)*");
                rest = behind;
                continue;
            }
            if rest == "**" {
                text.push_str(r"\.?[^./][^/]*");
                break;
            }
            // A name shall not begin with what matches `..`.
            let starts = text.is_empty() || text.ends_with('/') || text.ends_with("/)*");
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            match character {
                '*' if rest.starts_with(['?', '[']) => return None,
                '*' if starts => text.push_str(r"(\.?[^./][^/]*)?"),
                '*' => text.push_str("[^/]*"),
                '?' if starts => text.push_str("[^./]"),
                '?' => text.push_str("[^/]"),
                '[' => {
                    let len = rest.find(']').filter(|len| *len > 0)?;
                    let class = rest.get(..len)?;
                    let (not, body) = match class.strip_prefix('!') {
                        Some(body) => (if starts { "^./" } else { "^/" }, body),
                        None => ("", class),
                    };
                    if body.is_empty() || !body.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
                        return None;
                    }
                    text.push_str(&format!("[{not}{body}]"));
                    rest = rest.get(len + 1..)?;
                }
                _ => text.push_str(&escape(character.encode_utf8(&mut [0; 4]))),
            }
        }
        let is_absolute = glob.starts_with('/');
        let start = if is_absolute { "^" } else { "" };
        Some(PosixRegex { text: format!("{start}{text}({WITHIN})?$"), is_absolute })
    }
}

/// Whether an expression has alternatives outside of all groups.
fn has_alternatives(regex: &str) -> bool {
    let mut depth = 0_i64;
    let mut escaped = false;
    regex.chars().any(|character| {
        let is_alternative = !escaped && character == '|' && depth == 0;
        depth += match character {
            '(' if !escaped => 1,
            ')' if !escaped => -1,
            _ => 0,
        };
        escaped = !escaped && character == '\\';
        is_alternative
    })
}
