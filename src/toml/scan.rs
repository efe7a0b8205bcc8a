//! From the text of a TOML file to places in it, by the grammar of TOML 1.0.
//!
//! | what | as in |
//! |---|---|
//! | header | `[a.b]`, `[[a]]` |
//! | entry | `key = value`, `a."b.c" = value` |
//! | string | `"…"`, `'…'`, and over several lines `"""…"""`, `'''…'''` |
//! | array | `[1, 2]`, over several lines, with comments and a comma behind the last |
//! | inline table | `{ a = 1, b.c = 2 }`, on one line |

use super::{Document, Entry, Error, Kind, Table, Value};

pub(super) fn scan(text: String) -> Result<Document, Error> {
    let root = Table { path: Vec::new(), is_element: false, end: 0 };
    let mut scanner = Scanner { text: &text, at: 0, tables: vec![root], entries: Vec::new() };
    scanner.file()?;
    let Scanner { tables, entries, .. } = scanner;
    Ok(Document { tables, entries, text })
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    tables: Vec<Table>,
    entries: Vec<Entry>,
}

/// Arrays and inline tables within one another; nobody writes more, and a stack has an end.
const DEEPEST: usize = 64;

impl<'a> Scanner<'a> {
    fn file(&mut self) -> Result<(), Error> {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
            self.note_end();
        }
        loop {
            self.blanks();
            match self.peek() {
                None => return Ok(()),
                Some(b'\n' | b'\r' | b'#') => self.line_end()?,
                Some(b'[') => self.header()?,
                Some(_) => {
                    let path = self.tables.last().map(|table| table.path.clone()).unwrap_or_default();
                    self.entry(&path, None, 0)?;
                    self.blanks();
                    self.line_end()?;
                    self.note_end();
                }
            }
        }
    }

    fn header(&mut self) -> Result<(), Error> {
        let is_element = self.rest().starts_with("[[");
        let (open, close) = if is_element { ("[[", "]]") } else { ("[", "]") };
        self.at += open.len();
        self.blanks();
        let path = self.key()?;
        if !self.rest().starts_with(close) {
            return Err(self.error(format!("expected `{close}` behind the name of the table")));
        }
        self.at += close.len();
        self.blanks();
        self.line_end()?;
        self.tables.push(Table { path, is_element, end: self.at });
        Ok(())
    }

    /// `key = value`, with what stands in front of it as `front`.
    fn entry(&mut self, front: &[String], within: Option<usize>, depth: usize) -> Result<(), Error> {
        let key = self.key()?;
        if self.peek() != Some(b'=') {
            return Err(self.error("expected `=` behind a key".to_owned()));
        }
        self.at += 1;
        self.blanks();
        let written = key.len();
        let path: Vec<String> = front.iter().cloned().chain(key).collect();
        // In front of what an inline table holds.
        let index = self.entries.len();
        let place = Value { span: self.at..self.at, kind: Kind::Other };
        self.entries.push(Entry { path: path.clone(), written, within, value: place });
        let value = self.value(Some(&path), depth)?;
        if let Some(entry) = self.entries.get_mut(index) {
            entry.value = value;
        }
        Ok(())
    }

    /// A key with dots, and the blanks behind it.
    fn key(&mut self) -> Result<Vec<String>, Error> {
        let mut parts = Vec::new();
        loop {
            self.blanks();
            let part = match self.peek() {
                Some(b'"' | b'\'')
                    if !self.rest().starts_with("\"\"\"") && !self.rest().starts_with("'''") =>
                {
                    self.string()?
                }
                _ => {
                    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
                    let length = self.rest().bytes().take_while(|byte| is_bare(*byte)).count();
                    if length == 0 {
                        return Err(self.error("expected a key".to_owned()));
                    }
                    let start = self.at;
                    self.at += length;
                    self.text[start..self.at].to_owned()
                }
            };
            parts.push(part);
            self.blanks();
            if self.peek() != Some(b'.') {
                return Ok(parts);
            }
            self.at += 1;
        }
    }

    /// A value; `place` is the path of the key whose value it is, for what an inline table holds. What tables within arrays hold is
    /// not kept.
    fn value(&mut self, place: Option<&[String]>, depth: usize) -> Result<Value, Error> {
        if depth > DEEPEST {
            return Err(self.error(format!("values are nested more than {DEEPEST} deep")));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"' | b'\'') => Kind::Text(self.string()?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(b'{') => {
                self.inline_table(place, depth)?;
                Kind::Inline
            }
            _ => {
                let is_part = |c: char| {
                    !matches!(c, ',' | ']' | '}' | '#' | '\n' | '\r' | '"' | '\'' | '[' | '{' | '=')
                };
                let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
                // A date may hold a blank; those at the end are none of it.
                let length = self.rest()[..length].trim_end().len();
                if length == 0 {
                    return Err(self.error("expected a value".to_owned()));
                }
                self.at += length;
                Kind::Other
            }
        };
        Ok(Value { span: start..self.at, kind })
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Error> {
        self.at += 1;
        let mut values = Vec::new();
        loop {
            self.blank_lines()?;
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(values);
            }
            values.push(self.value(None, depth + 1)?);
            self.blank_lines()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {}
                _ => return Err(self.error("expected `,` or `]` in an array".to_owned())),
            }
        }
    }

    fn inline_table(&mut self, place: Option<&[String]>, depth: usize) -> Result<(), Error> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let kept = self.entries.len();
        loop {
            let front = place.unwrap_or_default();
            self.entry(front, Some(front.len()), depth + 1)?;
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("expected `,` or `}` in an inline table".to_owned())),
            }
        }
        self.at += 1;
        if place.is_none() {
            self.entries.truncate(kept);
        }
        Ok(())
    }

    /// A string of any kind: what it says.
    fn string(&mut self) -> Result<String, Error> {
        let start = self.at;
        let rest = self.rest();
        let (quote, is_long) = match rest.as_bytes() {
            [b'"', b'"', b'"', ..] => ("\"\"\"", true),
            [b'\'', b'\'', b'\'', ..] => ("'''", true),
            [b'"', ..] => ("\"", false),
            _ => ("'", false),
        };
        let is_literal = quote.starts_with('\'');
        self.at += quote.len();
        let content = self.at;
        loop {
            match self.peek() {
                Some(b'\n' | b'\r') if !is_long => break,
                Some(b'\\') if !is_literal => {
                    let next = self.rest().chars().nth(1).map_or(0, char::len_utf8);
                    self.at += 1 + next;
                }
                Some(_) if self.rest().starts_with(quote) => {
                    // Up to two more quotes belong to what a long string says.
                    let more = self.rest()[quote.len()..]
                        .bytes()
                        .take(2)
                        .take_while(|byte| quote.as_bytes().contains(byte));
                    let more = if is_long { more.count() } else { 0 };
                    self.at += more;
                    let said = &self.text[content..self.at];
                    self.at += quote.len();
                    let said = if is_long { after_first_line_end(said) } else { said };
                    return if is_literal {
                        Ok(said.to_owned())
                    } else {
                        unescape(said).map_err(|what| self.error_at(start, what))
                    };
                }
                Some(_) => self.at += self.rest().chars().next().map_or(1, char::len_utf8),
                None => break,
            }
        }
        Err(self.error_at(start, "this string has no end".to_owned()))
    }

    fn blank_lines(&mut self) -> Result<(), Error> {
        loop {
            self.blanks();
            match self.peek() {
                Some(b'\n' | b'\r' | b'#') => self.line_end()?,
                _ => return Ok(()),
            }
        }
    }

    fn blanks(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    }

    /// A comment perhaps, and the end of the line or of the file.
    fn line_end(&mut self) -> Result<(), Error> {
        if self.peek() == Some(b'#') {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
        let rest = self.rest();
        let length = ["\r\n", "\n"].into_iter().find(|end| rest.starts_with(*end)).map_or(0, str::len);
        if length == 0 && !rest.is_empty() {
            return Err(self.error("expected the end of the line".to_owned()));
        }
        self.at += length;
        Ok(())
    }

    fn note_end(&mut self) {
        if let Some(table) = self.tables.last_mut() {
            table.end = self.at;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, what: String) -> Error {
        self.error_at(self.at, what)
    }

    fn error_at(&self, at: usize, what: String) -> Error {
        let before = self.text.get(..at).unwrap_or(self.text);
        Error { line: before.matches('\n').count() + 1, what }
    }
}

fn after_first_line_end(said: &str) -> &str {
    said.strip_prefix("\r\n").or_else(|| said.strip_prefix('\n')).unwrap_or(said)
}

fn unescape(said: &str) -> Result<String, String> {
    let mut text = String::with_capacity(said.len());
    let mut rest = said.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let escaped = rest.next();
        text.push(match escaped {
            Some('b') => '\u{8}',
            Some('t') => '\t',
            Some('n') => '\n',
            Some('f') => '\u{c}',
            Some('r') => '\r',
            Some('e') => '\u{1b}',
            Some(c @ ('"' | '\\')) => c,
            Some(c @ ('x' | 'u' | 'U')) => {
                let digits = match c {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let number: String = rest.by_ref().take(digits).collect();
                let meant = u32::from_str_radix(&number, 16).ok().and_then(char::from_u32);
                meant.ok_or_else(|| format!("`\\{c}{number}` is no character"))?
            }
            // The line goes on at the next thing that is not blank.
            Some(c) if c.is_whitespace() => {
                rest = rest.as_str().trim_start().chars();
                continue;
            }
            Some(c) => return Err(format!("`\\{c}` means nothing in a string")),
            None => return Err("this string ends within an escape".to_owned()),
        });
    }
    Ok(text)
}
