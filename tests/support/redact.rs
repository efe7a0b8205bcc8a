//! Takes out of a text what is another on each machine and in each run, so that the rest can be compared.

use std::path::Path;

use regex_lite::{Captures, Regex};

/// Replacements, applied together: longer texts win over shorter ones that they begin with.
#[derive(Default)]
pub(crate) struct Redactions {
    texts: Vec<(String, String)>,
    durations: bool,
}

impl Redactions {
    /// Nothing is replaced yet.
    pub(crate) fn new() -> Redactions {
        Redactions::default()
    }

    /// Replaces a path, also in its canonical form and with its backslashes doubled as in JSON. What follows the name in the
    /// text belongs to the path up to a space or a quote, and gets `/` for `\`.
    pub(crate) fn path(mut self, path: &Path, name: &str) -> Redactions {
        let mut forms = vec![path.display().to_string()];
        forms.extend(path.canonicalize().ok().map(|path| path.display().to_string()));
        let doubled: Vec<String> = forms.iter().map(|form| form.replace('\\', "\\\\")).collect();
        forms.extend(doubled);
        self.texts.extend(forms.into_iter().map(|form| (form, name.to_string())));
        self
    }

    /// Replaces a text wherever it stands as a word.
    pub(crate) fn text(mut self, text: &str, name: &str) -> Redactions {
        self.texts.push((text.to_string(), name.to_string()));
        self
    }

    /// Replaces durations, `0.52s` and `12 ms`, by `[TIME]`.
    pub(crate) fn durations(mut self) -> Redactions {
        self.durations = true;
        self
    }

    /// The text with everything replaced.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut text = self.apply_texts(text);
        if self.durations {
            let duration = Regex::new(r"\b[0-9]+(\.[0-9]+)? ?(s|ms|µs)\b").expect("the pattern is right");
            text = duration.replace_all(&text, |_: &Captures<'_>| "[TIME]").into_owned();
        }
        text
    }

    fn apply_texts(&self, text: &str) -> String {
        let mut texts: Vec<&(String, String)> =
            self.texts.iter().filter(|(from, _)| !from.is_empty()).collect();
        texts.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        let mut result = String::new();
        let mut rest = text;
        let mut before = None;
        let mut in_path = false;
        while let Some(first) = rest.chars().next() {
            let found = texts.iter().find(|(from, _)| {
                is_end(before)
                    && rest.strip_prefix(from.as_str()).is_some_and(|after| is_end(after.chars().next()))
            });
            if let Some((from, name)) = found {
                result.push_str(name);
                before = from.chars().next_back();
                rest = &rest[from.len()..];
                in_path = true;
                continue;
            }
            in_path &= !matches!(first, ' ' | '"' | '\'' | '`' | '\n');
            if in_path && first == '\\' {
                result.push('/');
                rest = rest.strip_prefix("\\\\").unwrap_or(&rest[1..]);
            } else {
                result.push(first);
                rest = &rest[first.len_utf8()..];
            }
            before = Some(first);
        }
        result
    }
}

/// Whether a word can end before, or begin after, this character.
fn is_end(neighbour: Option<char>) -> bool {
    !neighbour.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
