//! Edits of a TOML file that leave every other byte as it is: an element more in an array, an entry more in a table.
//!
//! They follow what is there: the indentation and the commas of an array, the form in which a table is written (a header, an
//! inline table, keys with dots), the ends of lines.

use super::{Document, Entry, Error, Kind, Value, is};

impl Document {
    /// Adds an element, which is written as `value`, to the end of the array at `path`.
    ///
    /// # Errors
    /// There is no array.
    pub fn push(&mut self, path: &[&str], value: &str) -> Result<(), Error> {
        let Some(Value { span, kind: Kind::Array(values) }) = self.get(path) else {
            return Err(self.refusal(path, "is no array"));
        };
        let close = span.end.saturating_sub(1);
        let line_end = self.line_end();
        let mut edits: Vec<(usize, String)> = Vec::new();
        let last_end = values.last().map(|last| last.span.end);
        let after_last = last_end.unwrap_or(span.start + 1);
        let between = self.text.get(after_last..close).unwrap_or_default();
        let comma = last_end.and_then(|_| comma_in(between));
        if !between.contains('\n') {
            let text = match (last_end, comma) {
                (None, _) => value.to_owned(),
                (Some(_), None) => format!(", {value}"),
                (Some(_), Some(_)) => format!(" {value},"),
            };
            edits.push((after_last + comma.map_or(0, |comma| comma + 1), text));
        } else if let Some(last) = values.last() {
            if comma.is_none() {
                edits.push((last.span.end, ",".to_owned()));
            }
            // Behind the line of the last element, with the comment that may stand there.
            let from = after_last + comma.map_or(0, |comma| comma + 1);
            let end_of_line =
                self.text.get(from..).and_then(|rest| rest.find('\n')).map_or(close, |at| from + at + 1);
            let trailing = if comma.is_some() { "," } else { "" };
            let indent = self.indent(last.span.start);
            edits.push((end_of_line.min(close), format!("{indent}{value}{trailing}{line_end}")));
        } else {
            let start_of_line =
                self.text.get(..close).and_then(|text| text.rfind('\n')).map_or(close, |at| at + 1);
            let indent = self.indent(close);
            edits.push((start_of_line, format!("{indent}    {value},{line_end}")));
        }
        self.apply(edits)
    }

    /// Adds `key = value`, written so, to the table at `table`, which is made if there is none. The key must not be there.
    ///
    /// # Errors
    /// The key is there, or the table is written in a way that leaves no place for another entry.
    pub fn insert(&mut self, table: &[&str], key: &str, value: &str) -> Result<(), Error> {
        let full: Vec<&str> = table.iter().copied().chain([key]).collect();
        if self.has(&full) {
            return Err(self.refusal(&full, "is there already"));
        }
        let line_end = self.line_end();
        let line = format!("{} = {value}{line_end}", written(key));
        if let Some(found) = self.tables.iter().find(|found| is(&found.path, table)) {
            if found.is_element {
                return Err(self.refusal(table, "is an array of tables"));
            }
            return self.apply(vec![(found.end, self.on_new_line(found.end, line))]);
        }
        match self.get(table) {
            Some(Value { span, kind: Kind::Inline }) => {
                let close = span.end.saturating_sub(1);
                let inside = self.text.get(span.start + 1..close).unwrap_or_default();
                let entry = format!("{} = {value}", written(key));
                let text = if inside.trim().is_empty() { format!(" {entry} ") } else { format!(", {entry}") };
                let at =
                    if inside.trim().is_empty() { close } else { span.start + 1 + inside.trim_end().len() };
                // The blanks of an empty table give way.
                let text = if inside.is_empty() {
                    text
                } else if inside.trim().is_empty() {
                    text.trim_start().to_owned()
                } else {
                    text
                };
                return self.apply(vec![(at, text)]);
            }
            Some(_) => return Err(self.refusal(table, "is no table")),
            None => {}
        }
        // A table that keys with dots define cannot have a header besides.
        let dotted = |entry: &&Entry| {
            let above = entry.path.len().saturating_sub(entry.written);
            entry.within.is_none()
                && above < table.len()
                && entry.path.len() > table.len()
                && entry.path.get(..table.len()).is_some_and(|front| is(front, table))
        };
        if let Some(entry) = self.entries.iter().rfind(dotted) {
            let above = entry.path.len().saturating_sub(entry.written);
            let key: Vec<String> =
                full.get(above..).unwrap_or_default().iter().map(|part| written(part)).collect();
            let at = entry.value.span.end;
            let at = self
                .text
                .get(at..)
                .and_then(|rest| rest.find('\n'))
                .map_or(self.text.len(), |found| at + found + 1);
            let line = format!("{} = {value}{line_end}", key.join("."));
            return self.apply(vec![(at, self.on_new_line(at, line))]);
        }
        // Nor can one above which an inline table stands.
        for length in 1..table.len() {
            let above = table.get(..length).unwrap_or_default();
            if self.get(above).is_some() {
                return Err(self.refusal(
                    above,
                    "is written on one line, and what belongs into it cannot be added there",
                ));
            }
        }
        let header: Vec<String> = table.iter().map(|part| written(part)).collect();
        let blank = if self.text.trim().is_empty() { "" } else { line_end };
        let section = format!("{blank}[{}]{line_end}{line}", header.join("."));
        self.apply(vec![(self.text.len(), self.on_new_line(self.text.len(), section))])
    }

    /// Adds a comment, without its `#`, on the line above the header of a table.
    ///
    /// # Errors
    /// There is no such header.
    pub fn comment(&mut self, table: &[&str], comment: &str) -> Result<(), Error> {
        let header: Vec<String> = table.iter().map(|part| written(part)).collect();
        let header = format!("[{}]", header.join("."));
        let mut offset = 0;
        for line in self.text.split_inclusive('\n') {
            if line.trim_end() == header {
                return self.apply(vec![(offset, format!("# {comment}{}", self.line_end()))]);
            }
            offset += line.len();
        }
        Err(self.refusal(table, "has no header"))
    }

    /// Puts texts in, each at its offset, and reads the result.
    fn apply(&mut self, mut edits: Vec<(usize, String)>) -> Result<(), Error> {
        edits.sort_by_key(|(at, _)| *at);
        let mut text = self.text.clone();
        for (at, added) in edits.into_iter().rev() {
            text.insert_str(at, &added);
        }
        *self = Document::parse(text)?;
        Ok(())
    }

    /// `line` at an offset at which a line begins, unless the file ends without a line end there.
    fn on_new_line(&self, at: usize, line: String) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        if before.is_empty() || before.ends_with('\n') || before == "\u{feff}" {
            line
        } else {
            format!("{}{line}", self.line_end())
        }
    }

    /// The line end that the file uses.
    fn line_end(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The blanks at the start of the line that `offset` is in.
    fn indent(&self, offset: usize) -> &str {
        let before = self.text.get(..offset).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        line.get(..blanks).unwrap_or_default()
    }

    fn refusal(&self, path: &[&str], what: &str) -> Error {
        let at = self.get(path).map_or(0, |value| value.span.start);
        let line = self.text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        Error { line, what: format!("`{}` {what}", path.join(".")) }
    }
}

/// The offset of the comma in what stands between the last element of an array and its `]`; comments may hold commas too.
fn comma_in(between: &str) -> Option<usize> {
    let mut in_comment = false;
    for (at, byte) in between.bytes().enumerate() {
        match byte {
            b'\n' => in_comment = false,
            b'#' => in_comment = true,
            b',' if !in_comment => return Some(at),
            _ => {}
        }
    }
    None
}

/// A key as it is written: in quotes where it needs them.
fn written(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) }
}

/// A string as it is written: between single quotes where it holds what has to be escaped and nothing that keeps it from that.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| !c.is_control();
    if !text.contains(['"', '\\']) && text.chars().all(is_plain) {
        return format!("\"{text}\"");
    }
    if !text.contains('\'') && text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
