//! Rust source as tokens and comments: for any bytes, in one pass over them. What the tokens form is [`super::outline`]'s.
//!
//! The rules are those of rustc's lexer, for every edition at once. Where a file is broken (a string without an end), the
//! token goes on to the end of the file, as it does for rustc.

/// No token: [`Token::mate`] of what has none.
pub(super) const NONE: u32 = u32::MAX;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword.
    Ident,
    /// An identifier that is never a keyword: `r#fn`.
    RawIdent,
    /// `'a`.
    Lifetime,
    /// A string of any kind, with prefix and quotes.
    Str,
    /// A character or byte.
    Char,
    /// A number.
    Number,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// `=>`.
    FatArrow,
    /// `->`.
    Arrow,
    /// `::`.
    PathSep,
    /// An operator of several bytes.
    Operator,
    /// Any other byte.
    Byte(u8),
    /// What stands behind the last token.
    End,
}

/// What a delimiter's content is. Only opening delimiters have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Parameters, arguments, types, expressions in parentheses or brackets; also what no delimiter is.
    Plain,
    /// Statements, or the items of a module, trait or impl.
    Block,
    /// The arms of a `match`.
    Arms,
    /// The fields of a struct or union, or the variants of an enum.
    Fields,
    /// The fields of a struct expression or pattern.
    Literal,
    /// The arguments of a macro call, or the rules of a macro.
    Macro,
}

/// A token: where it stands and what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// The offset of its first byte.
    pub(super) start: u32,
    /// The offset of the first byte behind it.
    pub(super) end: u32,
    /// The other delimiter of the pair; for a keyword with a body (`fn`, `if`, `match`) the body's opening delimiter.
    pub(super) mate: u32,
    /// What it is.
    pub(super) kind: Kind,
    /// What its content is.
    pub(super) role: Role,
}

/// A comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment {
    /// The offset of its first byte.
    pub(super) start: u32,
    /// The offset of the first byte behind it; a line comment's line end is not in it.
    pub(super) end: u32,
    /// Whether it is documentation.
    pub(super) is_doc: bool,
    /// The token that follows it.
    pub(super) next_token: u32,
}

/// A file's tokens and comments.
#[derive(Debug)]
pub(super) struct Lexed<'a> {
    /// The file.
    pub(super) text: &'a [u8],
    /// Its tokens, in order.
    pub(super) tokens: Vec<Token>,
    /// Its comments, in order.
    pub(super) comments: Vec<Comment>,
}

impl<'a> Lexed<'a> {
    /// What the token is; [`Kind::End`] behind the last.
    pub(super) fn kind(&self, token: usize) -> Kind {
        self.tokens.get(token).map_or(Kind::End, |token| token.kind)
    }

    /// What the token before this one is; [`Kind::End`] before the first.
    pub(super) fn kind_before(&self, token: usize) -> Kind {
        token.checked_sub(1).map_or(Kind::End, |before| self.kind(before))
    }

    /// The token's bytes; none behind the last.
    pub(super) fn text_of(&self, token: usize) -> &'a [u8] {
        self.tokens.get(token).map_or(&[], |token| &self.text[token.start as usize..token.end as usize])
    }

    /// Whether the token is this identifier or keyword.
    pub(super) fn is_word(&self, token: usize, word: &str) -> bool {
        self.kind(token) == Kind::Ident && self.text_of(token) == word.as_bytes()
    }

    /// Whether the token is this byte.
    pub(super) fn is_byte(&self, token: usize, byte: u8) -> bool {
        self.kind(token) == Kind::Byte(byte)
    }

    /// The delimiter that closes the one at `open`; `None` in broken code and for what is no delimiter.
    pub(super) fn mate(&self, open: usize) -> Option<usize> {
        self.tokens.get(open).filter(|token| token.mate != NONE).map(|token| token.mate as usize)
    }

    /// The identifier's name, without `r#`.
    pub(super) fn name_of(&self, token: usize) -> &'a [u8] {
        let text = self.text_of(token);
        text.strip_prefix(b"r#").unwrap_or(text)
    }
}

/// Splits a file into tokens and comments. A file of 4 GiB or more has none.
pub(super) fn lex(text: &[u8]) -> Lexed<'_> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::with_capacity(text.len() / 5), comments: Vec::new() };
    if u32::try_from(text.len()).is_ok_and(|length| length != NONE) {
        lexer.skip_start();
        while lexer.at < text.len() {
            lexer.next();
        }
    }
    Lexed { text, tokens: lexer.tokens, comments: lexer.comments }
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

/// Whether an identifier may hold the byte. Bytes of other scripts are taken for letters: nothing else is that is valid.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl Lexer<'_> {
    /// The byte at some distance from here; zero behind the end, which no rule asks for.
    fn peek(&self, distance: usize) -> u8 {
        self.text.get(self.at + distance).copied().unwrap_or(0)
    }

    /// Skips a byte order mark and the line that tells a shell how to run the file.
    fn skip_start(&mut self) {
        if self.text.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        let rest = &self.text[self.at..];
        // `#![attribute]` begins alike, and rustc tells them by the first thing behind that is not blank.
        if rest.starts_with(b"#!")
            && rest.iter().skip(2).find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[')
        {
            self.skip_line();
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }

    /// Reads one token, comment or blank.
    fn next(&mut self) {
        let start = self.at;
        let byte = self.peek(0);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
            b'0'..=b'9' => self.number(),
            b'"' => self.string(1),
            b'\'' => self.quote(),
            b'(' | b'[' | b'{' => self.push(start, 1, Kind::Open(byte)),
            b')' | b']' | b'}' => self.push(start, 1, Kind::Close(byte)),
            0x80.. => match foreign_blank(&self.text[start..]) {
                0 => self.word(),
                length => self.at += length,
            },
            _ => self.punctuation(byte),
        }
    }

    /// Adds a token of `length` bytes.
    fn push(&mut self, start: usize, length: usize, kind: Kind) {
        self.at = (start + length).min(self.text.len());
        self.tokens.push(Token {
            start: start as u32,
            end: self.at as u32,
            mate: NONE,
            kind,
            role: Role::Plain,
        });
    }

    fn punctuation(&mut self, byte: u8) {
        let next = self.peek(1);
        let (length, kind) = match (byte, next) {
            (b'=', b'>') => (2, Kind::FatArrow),
            (b'-', b'>') => (2, Kind::Arrow),
            (b':', b':') => (2, Kind::PathSep),
            (b'.', b'.') => (if matches!(self.peek(2), b'.' | b'=') { 3 } else { 2 }, Kind::Operator),
            (b'=' | b'!' | b'<' | b'>', b'=') | (b'&', b'&') | (b'|', b'|') => (2, Kind::Operator),
            _ => (1, Kind::Byte(byte)),
        };
        self.push(self.at, length, kind);
    }

    fn line_comment(&mut self) {
        let start = self.at;
        self.skip_line();
        let text = &self.text[start..self.at];
        let is_doc = text.starts_with(b"//!") || text.starts_with(b"///") && !text.starts_with(b"////");
        let length = text.strip_suffix(b"\r").unwrap_or(text).len();
        self.push_comment(start, start + length, is_doc);
    }

    /// Reads a comment that may hold others.
    fn block_comment(&mut self) {
        let start = self.at;
        self.at += 2;
        let mut depth = 1_usize;
        while depth > 0 && self.at < self.text.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        let text = &self.text[start..self.at];
        // `/**/` and `/***` document nothing.
        let is_doc = text.starts_with(b"/*!")
            || text.starts_with(b"/**") && !matches!(text.get(3), None | Some(b'*' | b'/'));
        self.push_comment(start, self.at, is_doc);
    }

    fn push_comment(&mut self, start: usize, end: usize, is_doc: bool) {
        let next_token = self.tokens.len() as u32;
        self.comments.push(Comment { start: start as u32, end: end as u32, is_doc, next_token });
    }

    /// Reads an identifier, keyword, or what begins like one: raw identifiers, strings with a prefix, bytes.
    fn word(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.iter().position(|&byte| !is_word_byte(byte)).unwrap_or(rest.len());
        let word = &rest[..length];
        match (word, self.peek(length)) {
            (b"b" | b"c", b'"') => self.string(length + 1),
            (b"r" | b"br" | b"cr", b'"') => self.raw_string(length, 0),
            (b"b", b'\'') => {
                self.at += 1;
                self.quote();
                if let Some(token) = self.tokens.last_mut() {
                    token.start = start as u32;
                }
            }
            (b"r" | b"br" | b"cr", b'#') => {
                let n_hashes = rest[length..].iter().take_while(|&&byte| byte == b'#').count();
                let behind = self.peek(length + n_hashes);
                if behind == b'"' {
                    self.raw_string(length, n_hashes);
                } else if n_hashes == 1 && word == b"r" && is_word_byte(behind) && !behind.is_ascii_digit() {
                    let name = &rest[length + 1..];
                    let name_len = name.iter().position(|&byte| !is_word_byte(byte)).unwrap_or(name.len());
                    self.push(start, length + 1 + name_len, Kind::RawIdent);
                } else {
                    self.push(start, length, Kind::Ident);
                }
            }
            _ => self.push(start, length, Kind::Ident),
        }
    }

    /// Reads a string whose quote ends the first `opening` bytes from here.
    fn string(&mut self, opening: usize) {
        let start = self.at;
        self.at += opening;
        while self.at < self.text.len() {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    break;
                }
                _ => self.at += 1,
            }
        }
        self.push(start, self.at - start, Kind::Str);
    }

    /// Reads a string that ends with a quote and as many `#` as it begins with.
    fn raw_string(&mut self, prefix_len: usize, n_hashes: usize) {
        let start = self.at;
        self.at += prefix_len + n_hashes + 1;
        while self.at < self.text.len() {
            let byte = self.peek(0);
            self.at += 1;
            if byte == b'"' {
                let rest = &self.text[self.at..];
                let hashes = rest.iter().take(n_hashes).take_while(|&&byte| byte == b'#').count();
                self.at += hashes;
                if hashes == n_hashes {
                    break;
                }
            }
        }
        self.push(start, self.at - start, Kind::Str);
    }

    /// Reads what begins with `'`: a character or a lifetime.
    fn quote(&mut self) {
        let start = self.at;
        let first = self.peek(1);
        if first == b'\\' {
            let mut length = 3;
            // An escape such as `\u{1f600}`; a character never spans lines.
            while !matches!(self.peek(length), b'\'' | b'\n' | 0) {
                length += 1;
            }
            return self.push(start, length + usize::from(self.peek(length) == b'\''), Kind::Char);
        }
        let char_len = match first {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 1,
        };
        if self.peek(1 + char_len) == b'\'' && first != b'\'' {
            return self.push(start, char_len + 2, Kind::Char);
        }
        if !is_word_byte(first) {
            return self.push(start, 1, Kind::Byte(b'\''));
        }
        let mut rest = &self.text[start + 1..];
        let mut length = 1;
        // `'r#fn`.
        if rest.starts_with(b"r#") {
            length += 2;
            rest = &rest[2..];
        }
        length += rest.iter().position(|&byte| !is_word_byte(byte)).unwrap_or(rest.len());
        // A letter with its accents is several code points; rustc says so, and goes on behind the quote.
        if self.peek(length) == b'\'' {
            return self.push(start, length + 1, Kind::Char);
        }
        self.push(start, length, Kind::Lifetime);
    }

    fn number(&mut self) {
        let start = self.at;
        let mut length = 1;
        let is_decimal = !(self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'o' | b'b'));
        let mut has_point = false;
        loop {
            let byte = self.peek(length);
            let next = self.peek(length + 1);
            if is_word_byte(byte) {
                length += 1;
                // `1e-5`.
                if is_decimal && matches!(byte, b'e' | b'E') && matches!(next, b'+' | b'-') {
                    length += 1;
                }
            } else if byte == b'.' && is_decimal && !has_point && next != b'.' && !is_word_start(next) {
                has_point = true;
                length += 1;
            } else {
                break;
            }
        }
        self.push(start, length, Kind::Number);
    }
}

/// Whether an identifier may begin with the byte.
fn is_word_start(byte: u8) -> bool {
    is_word_byte(byte) && !byte.is_ascii_digit()
}

/// How many bytes of a blank outside of ASCII stand here: next line, left-to-right marks, line and paragraph separators.
fn foreign_blank(rest: &[u8]) -> usize {
    match rest {
        [0xc2, 0x85, ..] => 2,
        [0xe2, 0x80, 0x8e | 0x8f | 0xa8 | 0xa9, ..] => 3,
        _ => 0,
    }
}
