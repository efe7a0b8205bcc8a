//! TOML files as text: where tables, keys and values stand, and edits that leave every other byte alone. Pure.
//!
//! What a file means is cargo's to say. This knows the grammar of TOML 1.0 as far as it takes to find a value's place, and refuses
//! what it does not understand; values other than strings, arrays and inline tables are never looked into.

pub mod edit;
mod scan;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

/// A TOML file, and where in it everything stands.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    tables: Vec<Table>,
    entries: Vec<Entry>,
}

/// A table with its own header. The first one is the file itself, which has none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    path: Vec<String>,
    /// `[[path]]`
    is_element: bool,
    /// The offset behind the line of its header or of its last entry; that is where another entry goes.
    end: usize,
}

/// A key with a value, on a line of its own or within an inline table.
#[derive(Clone, Debug)]
struct Entry {
    /// From the root of the file.
    path: Vec<String>,
    /// How many of the path's parts are written in front of this entry's `=`.
    written: usize,
    /// The inline table that holds it, as the length of that table's path; `None` for an entry on a line of its own.
    within: Option<usize>,
    value: Value,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its bytes.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a value is, as far as anybody here wants to know.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A string of any kind: what it says.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// An inline table; its entries are found by their paths.
    Inline,
    /// A number, a boolean or a date.
    Other,
}

/// What keeps a file from being read or edited: lowercase, fit after the file's name and a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Error {}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// What is no TOML, as far as that shows here: keys that are defined twice, for example, are left for cargo to refuse.
    pub fn parse(text: impl Into<String>) -> Result<Document, Error> {
        scan::scan(text.into())
    }

    /// A file with nothing in it.
    pub fn new() -> Document {
        let root = Table { path: Vec::new(), is_element: false, end: 0 };
        Document { text: String::new(), tables: vec![root], entries: Vec::new() }
    }

    /// The text as it stands now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a key, however its path is divided between header, dots and inline tables.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        self.entries.iter().find(|entry| is(&entry.path, path)).map(|entry| &entry.value)
    }

    /// The string that a key has; `None` for any other value.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        match &self.get(path)?.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The strings in the array that a key has, without what is no string in it; `None` where there is no array.
    pub fn texts_at(&self, path: &[&str]) -> Option<Vec<&str>> {
        match &self.get(path)?.kind {
            Kind::Array(values) => Some(values.iter().filter_map(Value::text).collect()),
            _ => None,
        }
    }

    /// Whether there is a table or a key of this path, or below it.
    pub fn has(&self, path: &[&str]) -> bool {
        let paths =
            self.tables.iter().map(|table| &table.path).chain(self.entries.iter().map(|entry| &entry.path));
        paths.into_iter().any(|found| found.get(..path.len()).is_some_and(|front| is(front, path)))
    }

    /// The names directly below a table, each once, in the order of the file.
    pub fn names_in(&self, path: &[&str]) -> Vec<&str> {
        let paths =
            self.tables.iter().map(|table| &table.path).chain(self.entries.iter().map(|entry| &entry.path));
        let mut names: Vec<&str> = Vec::new();
        for found in paths {
            if let Some((front, [name, ..])) = found.split_at_checked(path.len())
                && is(front, path)
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }
}

/// An empty file.
impl Default for Document {
    fn default() -> Document {
        Document::new()
    }
}

impl Value {
    /// What a string says.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn is(found: &[String], path: &[&str]) -> bool {
    found.len() == path.len() && found.iter().zip(path).all(|(found, name)| found == name)
}
