//! Attributes: which of them make what they stand on test code, and where a module's file is.

use super::cfg::{Implied, implied};
use super::lexer::{Kind, Lexed};

/// Attributes that make a function a test or a part of tests, by the last segment of their path, beside those that end in
/// `test`. Each stands in place of `#[test]` or makes what only tests can use.
const TEST_ATTRIBUTES: [&str; 16] = [
    "bench",              // libtest, divan
    "bench_group",        // divan
    "dir_test",           // dir-test
    "fixture",            // rstest
    "library_benchmark",  // iai-callgrind, gungraun
    "parameterize",       // parameterize
    "parameterized",      // yare, parameterized
    "proptest",           // test-strategy, proptest
    "quickcheck",         // quickcheck_macros
    "rstest_parametrize", // rstest, before 0.5
    "should_panic",       // libtest: only beside `#[test]`
    "test_case",          // test-case, ntest
    "test_casing",        // test-casing
    "test_matrix",        // test-case
    "test_resources",     // test-generator
    "wasm_bindgen_bench", // wasm-bindgen-test
];

/// Crates all of whose attributes are tests, by the first segment of a path.
const TEST_CRATES: [&str; 4] = ["datatest", "test_each", "test_with", "test_log"];

/// Words that end in `test` and mean something else.
const OTHER_WORDS: [&str; 10] = [
    "attest",
    "brightest",
    "contest",
    "detest",
    "fastest",
    "greatest",
    "latest",
    "protest",
    "shortest",
    "smartest",
];

/// One attribute: the tokens of its `#` and of its brackets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub(super) hash: usize,
    open: usize,
    pub(super) close: usize,
    /// Whether it is one for what it stands in: `#![…]`.
    pub(super) is_inner: bool,
}

impl Attribute {
    /// The attribute that begins with this token.
    pub(super) fn at(lexed: &Lexed, hash: usize) -> Option<Attribute> {
        if !lexed.is_byte(hash, b'#') {
            return None;
        }
        let is_inner = lexed.is_byte(hash + 1, b'!');
        let open = hash + 1 + usize::from(is_inner);
        if lexed.kind(open) != Kind::Open(b'[') {
            return None;
        }
        Some(Attribute { hash, open, close: lexed.mate(open)?, is_inner })
    }
}

/// The attributes that stand before one item, statement, field or the like.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// The first token behind them.
    pub(super) end: usize,
    /// The first one that makes what follows test code.
    pub(super) test: Option<Attribute>,
    /// The only one, if what follows is left out only in test builds: `#[cfg(not(test))]`.
    pub(super) no_test: Option<Attribute>,
    /// `#[path = "…"]`: the values.
    pub(super) paths: Vec<PathAttribute>,
}

/// Where a module's file or directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathAttribute {
    pub(super) value: String,
    /// Whether it depends on the configuration: `#[cfg_attr(unix, path = "unix.rs")]`.
    pub(super) is_conditional: bool,
}

/// Reads the outer attributes from this token on.
pub(super) fn attributes(lexed: &Lexed, first: usize) -> Attributes {
    let mut found = Attributes { end: first, ..Attributes::default() };
    let mut n_attributes = 0_u32;
    while let Some(attribute) = Attribute::at(lexed, found.end).filter(|attribute| !attribute.is_inner) {
        let meaning = meaning(lexed, attribute);
        n_attributes = n_attributes.saturating_add(1);
        if meaning.implied.if_true && found.test.is_none() {
            found.test = Some(attribute);
        }
        found.no_test = (n_attributes == 1 && meaning.implied.if_false).then_some(attribute);
        found.paths.extend(meaning.paths);
        found.end = attribute.close + 1;
    }
    found
}

/// What an attribute means here.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    /// Whether what it stands on is in test builds only, or in all others.
    pub(super) implied: Implied,
    paths: Vec<PathAttribute>,
}

/// The attributes that one may turn out to be: one, or those in `cfg_attr(…)`.
struct Candidate {
    start: usize,
    end: usize,
    /// For what stands in `cfg_attr`: what follows from its predicates, all of them.
    condition: Option<Implied>,
}

/// Reads one attribute.
pub(super) fn meaning(lexed: &Lexed, attribute: Attribute) -> Meaning {
    let mut found = Meaning::default();
    let mut candidates = vec![Candidate { start: attribute.open + 1, end: attribute.close, condition: None }];
    while let Some(Candidate { start, end, condition }) = candidates.pop() {
        let Some(path) = AttributePath::at(lexed, start, end) else { continue };
        let arguments = Some(path.end)
            .filter(|&open| lexed.kind(open) == Kind::Open(b'('))
            .and_then(|open| Some((open + 1, lexed.mate(open)?)));
        match (path.is_single, path.last, arguments) {
            (true, b"cfg", Some((start, end))) => {
                let own = implied(lexed, start, end);
                // `cfg_attr(P, cfg(Q))` leaves out what neither `not(P)` nor `Q` keeps.
                let kept = condition.map_or(own, |condition| Implied {
                    if_true: condition.if_false && own.if_true,
                    if_false: condition.if_true || own.if_false,
                });
                found.implied.if_true |= kept.if_true;
                found.implied.if_false |= kept.if_false;
            }
            (true, b"cfg_attr", Some((start, end))) => {
                let mut parts = split(lexed, start, end).into_iter();
                let Some((start, end)) = parts.next() else { continue };
                let own = implied(lexed, start, end);
                let condition = condition.map_or(own, |outer| Implied {
                    if_true: outer.if_true || own.if_true,
                    if_false: outer.if_false && own.if_false,
                });
                candidates.extend(parts.map(|(start, end)| Candidate {
                    start,
                    end,
                    condition: Some(condition),
                }));
            }
            (true, b"path", None) if lexed.is_byte(path.end, b'=') => {
                if let Some(value) = string_value(lexed.text_of(path.end + 1)) {
                    found.paths.push(PathAttribute { value, is_conditional: condition.is_some() });
                }
            }
            _ => found.implied.if_true |= path.is_test(),
        }
    }
    found
}

/// The path that names an attribute.
struct AttributePath<'a> {
    first: &'a [u8],
    last: &'a [u8],
    is_single: bool,
    /// The token behind it.
    end: usize,
}

impl<'a> AttributePath<'a> {
    fn at(lexed: &Lexed<'a>, start: usize, end: usize) -> Option<AttributePath<'a>> {
        let mut token = start + usize::from(lexed.kind(start) == Kind::PathSep);
        let first = lexed.name_of(token);
        let mut path = AttributePath { first, last: first, is_single: token == start, end: token };
        while token < end && matches!(lexed.kind(token), Kind::Ident | Kind::RawIdent) {
            path.last = lexed.name_of(token);
            path.end = token + 1;
            if lexed.kind(token + 1) != Kind::PathSep {
                return Some(path);
            }
            path.is_single = false;
            token += 2;
        }
        None
    }

    /// Whether it makes a function a test.
    fn is_test(&self) -> bool {
        let is_one_of = |word: &[u8], list: &[&str]| list.iter().any(|one| one.as_bytes() == word);
        self.last.ends_with(b"test") && !is_one_of(self.last, &OTHER_WORDS)
            || is_one_of(self.last, &TEST_ATTRIBUTES)
            || !self.is_single && is_one_of(self.first, &TEST_CRATES)
    }
}

/// The parts between the commas of a list, without empty ones.
fn split(lexed: &Lexed, start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut part_start = start;
    let mut token = start;
    while token < end {
        if lexed.is_byte(token, b',') {
            parts.push((part_start, token));
            part_start = token + 1;
        }
        token = match lexed.kind(token) {
            Kind::Open(_) => lexed.mate(token).unwrap_or(token) + 1,
            _ => token + 1,
        };
    }
    parts.push((part_start, end));
    parts.retain(|(start, end)| start < end);
    parts
}

/// The value of a string literal; `None` for bytes and for what is not UTF-8.
pub(super) fn string_value(literal: &[u8]) -> Option<String> {
    let literal = std::str::from_utf8(literal).ok()?;
    if let Some(raw) = literal.strip_prefix('r') {
        return Some(raw.trim_matches('#').strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let mut escaped = literal.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut value = String::new();
    while let Some(char) = escaped.next() {
        if char != '\\' {
            value.push(char);
            continue;
        }
        value.push(match escaped.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            'x' => {
                let digits: String = escaped.by_ref().take(2).collect();
                char::from(u8::from_str_radix(&digits, 16).ok()?)
            }
            'u' => {
                let digits: String =
                    escaped.by_ref().take_while(|&char| char != '}').filter(|&char| char != '{').collect();
                char::from_u32(u32::from_str_radix(&digits.replace('_', ""), 16).ok()?)?
            }
            other => other,
        });
    }
    Some(value)
}
