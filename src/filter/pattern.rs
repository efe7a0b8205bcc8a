//! Patterns on paths: globs and regular expressions, and which option brought them.

use std::fmt;

use anyhow::{Context, Result};
use glob::{MatchOptions, Pattern};
use regex_lite::Regex;

use super::llvm_regex::PosixRegex;

/// A pattern on paths as reports show them: relative to the workspace, with `/`.
#[derive(Clone, Debug)]
pub struct PathPattern {
    matcher: Matcher,
    /// How it was given.
    origin: String,
}

#[derive(Clone, Debug)]
enum Matcher {
    Glob(Pattern),
    Regex(Regex),
}

/// `*` stops at `/`, and a dot at the start of a name is a character like any other.
const GLOB: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

impl PathPattern {
    /// A glob: `*` and `?` stop at `/`, `**` does not, `[abc]` is one of these. One that names a directory means all that is
    /// in it. `origin` is the option that it stands behind.
    ///
    /// # Errors
    /// What the glob lacks.
    pub fn glob(text: &str, origin: &str) -> Result<PathPattern> {
        let relative = text.strip_prefix("./").unwrap_or(text);
        let relative = relative.strip_suffix('/').unwrap_or(relative);
        let pattern = Pattern::new(relative).with_context(|| format!("failed to parse `{origin} {text}`"))?;
        Ok(PathPattern { matcher: Matcher::Glob(pattern), origin: format!("{origin} `{text}`") })
    }

    /// The same for a glob that is relative to a directory of the workspace, which is itself no pattern.
    ///
    /// # Errors
    /// What the glob lacks.
    pub fn glob_in(dir: &str, text: &str, origin: &str) -> Result<PathPattern> {
        let relative = text.strip_prefix("./").unwrap_or(text);
        let joined = if dir.is_empty() {
            relative.to_owned()
        } else {
            format!("{}/{relative}", Pattern::escape(dir.trim_end_matches('/')))
        };
        let pattern = PathPattern::glob(&joined, origin)?;
        Ok(PathPattern { origin: format!("{origin} `{text}`"), ..pattern })
    }

    /// A regular expression, which is looked for anywhere in the path.
    ///
    /// # Errors
    /// What the expression lacks.
    pub fn regex(text: &str, origin: &str) -> Result<PathPattern> {
        let regex = Regex::new(text).with_context(|| format!("failed to parse `{origin} {text}`"))?;
        Ok(PathPattern { matcher: Matcher::Regex(regex), origin: format!("{origin} `{text}`") })
    }

    /// The pattern in LLVM's dialect of regular expressions; `None` where that has no words for it.
    pub(super) fn posix_regex(&self) -> Option<PosixRegex> {
        match &self.matcher {
            Matcher::Regex(regex) => PosixRegex::from_regex(regex.as_str()),
            Matcher::Glob(pattern) => PosixRegex::from_glob(pattern.as_str()),
        }
    }

    /// Whether a path, or a directory that it is in, is meant.
    pub fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Regex(regex) => regex.is_match(path),
            Matcher::Glob(pattern) => {
                let dirs = path.match_indices('/').map(|(end, _)| &path[..end]);
                dirs.filter(|dir| !dir.is_empty()).chain([path]).any(|path| pattern.matches_with(path, GLOB))
            }
        }
    }
}

/// How it was given: ``--exclude-files `src/generated` ``.
impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::PathPattern;

    #[test]
    fn globs() {
        for (glob, path, expected) in [
            ("src/gen", "src/gen/a/b.rs", true),
            ("src/gen/", "src/gen/a.rs", true),
            ("./src/gen", "src/gen/a.rs", true),
            ("src/gen", "src/general.rs", false),
            ("src/gen", "crates/a/src/gen/a.rs", false),
            ("gen", "src/gen.rs", false),
            ("**/gen", "crates/a/src/gen/a.rs", true),
            ("**/gen", "gen/a.rs", true),
            ("src/*.rs", "src/a.rs", true),
            ("src/*.rs", "src/a/b.rs", false),
            ("src/**/*.rs", "src/a/b.rs", true),
            ("src/**/*.rs", "src/b.rs", true),
            ("src/**", "src/a/b.rs", true),
            ("crates/*/src/ffi", "crates/a/src/ffi/x.rs", true),
            ("src/[ab].rs", "src/b.rs", true),
            ("src/.hidden*", "src/.hidden.rs", true),
            ("/outside/**", "/outside/src/a.rs", true),
            ("Src/a.rs", "src/a.rs", false),
        ] {
            let pattern = PathPattern::glob(glob, "--exclude-files").expect(glob);
            assert_eq!(pattern.matches(path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn globs_in_a_directory_that_looks_like_one() {
        let pattern = PathPattern::glob_in("crates/[a]", "src/*.rs", "exclude-files").expect("a glob");
        assert!(pattern.matches("crates/[a]/src/x.rs"));
        assert!(!pattern.matches("crates/a/src/x.rs"));
        assert!(PathPattern::glob_in("", "src/x.rs", "exclude-files").expect("a glob").matches("src/x.rs"));
        assert_eq!(pattern.to_string(), "exclude-files `src/*.rs`");
    }

    #[test]
    fn regexes_match_anywhere() {
        let pattern = PathPattern::regex("gen", "--ignore-filename-regex").expect("a regex");
        assert!(pattern.matches("src/regen/a.rs"));
        assert_eq!(pattern.to_string(), "--ignore-filename-regex `gen`");
    }

    #[test]
    fn a_bad_pattern_is_named() {
        for (error, start) in [
            (
                PathPattern::regex("(", "--ignore-filename-regex"),
                "failed to parse `--ignore-filename-regex (`: ",
            ),
            (PathPattern::glob("a**", "--exclude-files"), "failed to parse `--exclude-files a**`: "),
        ] {
            let error = format!("{:#}", error.expect_err(start));
            assert!(error.starts_with(start), "{error}");
        }
    }
}
