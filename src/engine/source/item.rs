//! Where an item, statement, expression, match arm, field or parameter ends, and where an item begins. Groups of tokens are
//! skipped whole, so the work grows with what stands beside an item, not with what is in it.

use super::attribute::{Attribute, attributes};
use super::lexer::{Kind, Lexed, Role};
use super::outline::is_qualifier;

/// How far something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// To before this token.
    Ends(usize),
    /// There is nothing: the tokens around end here.
    Nothing,
    /// It holds this delimiter, which nothing closes: nobody knows.
    Broken(usize),
}

use Extent::{Broken, Ends, Nothing};

/// How far that goes which begins with `first`, which may be its attributes. `role` says what the tokens here are.
pub(super) fn extent(lexed: &Lexed, first: usize, role: Role) -> Extent {
    let start = attributes(lexed, first).end;
    if matches!(lexed.kind(start), Kind::Close(_) | Kind::End) {
        return Nothing;
    }
    let before = lexed.kind_before(first);
    // `cfg_if! { if #[cfg(test)] { … } else { … } }`
    if first != start && first > 0 && lexed.is_word(first - 1, "if") && lexed.kind(start) == Kind::Open(b'{')
    {
        return group(lexed, start);
    }
    if before == Kind::Byte(b'<') || before == Kind::Byte(b',') && role == Role::Block {
        return parameter(lexed, start);
    }
    match role {
        _ if lexed.is_byte(start, b'.') => call(lexed, start),
        Role::Arms if before == Kind::FatArrow => arm_body(lexed, start),
        Role::Arms => match fat_arrow(lexed, start) {
            Ends(arrow) => arm_body(lexed, arrow + 1),
            // Broken code, or a macro's own syntax.
            Nothing => expression(lexed, start, role),
            broken => broken,
        },
        Role::Block | Role::Macro if before == Kind::FatArrow => arm_body(lexed, start),
        Role::Block | Role::Macro => statement(lexed, start, role),
        Role::Plain | Role::Fields | Role::Literal => expression(lexed, start, role),
    }
}

/// To behind the partner of an opening delimiter.
fn group(lexed: &Lexed, open: usize) -> Extent {
    lexed.mate(open).map_or(Broken(open), |close| Ends(close + 1))
}

/// The `=>` of the match arm that begins here.
pub(super) fn fat_arrow(lexed: &Lexed, start: usize) -> Extent {
    let mut token = start;
    loop {
        token = match lexed.kind(token) {
            Kind::FatArrow => return Ends(token),
            Kind::Open(_) => match group(lexed, token) {
                Ends(end) => end,
                other => return other,
            },
            Kind::Close(_) | Kind::End => return Nothing,
            _ => token + 1,
        };
    }
}

/// To the end of a match arm whose body begins here, its comma included.
pub(super) fn arm_body(lexed: &Lexed, start: usize) -> Extent {
    match block_like(lexed, start) {
        Some(Ends(end)) => match lexed.kind(end) {
            Kind::Byte(b',') => Ends(end + 1),
            Kind::Byte(b'.' | b'?') => expression(lexed, end, Role::Arms),
            _ => Ends(end),
        },
        Some(other) => other,
        None => expression(lexed, start, Role::Arms),
    }
}

/// To the end of an item or statement, its semicolon included.
fn statement(lexed: &Lexed, start: usize, role: Role) -> Extent {
    if let Some(end) = item(lexed, start) {
        return end;
    }
    match block_like(lexed, start).or_else(|| braced_macro(lexed, start)) {
        Some(Ends(end)) => match lexed.kind(end) {
            Kind::Byte(b';') => Ends(end + 1),
            Kind::Byte(b',') if role == Role::Macro => Ends(end + 1),
            Kind::Byte(b'.' | b'?') => expression(lexed, end, role),
            _ => Ends(end),
        },
        Some(other) => other,
        None => expression(lexed, start, role),
    }
}

/// To the end of an item, if one begins here.
fn item(lexed: &Lexed, start: usize) -> Option<Extent> {
    let keyword = skip_qualifiers(lexed, start);
    let next = lexed.kind(keyword + 1);
    let is_name_next = matches!(next, Kind::Ident | Kind::RawIdent | Kind::Byte(b'$'));
    match lexed.text_of(keyword) {
        _ if lexed.kind(keyword) != Kind::Ident => None,
        b"fn" | b"struct" | b"enum" | b"union" | b"trait" | b"mod" if is_name_next => {
            match lexed.mate(keyword) {
                Some(body) => Some(group(lexed, body)),
                None if lexed.is_word(keyword, "union") => None,
                None => Some(to_semicolon(lexed, keyword)),
            }
        }
        b"impl" => {
            Some(lexed.mate(keyword).map_or_else(|| to_semicolon(lexed, keyword), |body| group(lexed, body)))
        }
        b"extern" if lexed.kind(keyword + 1) == Kind::Open(b'{') => Some(group(lexed, keyword + 1)),
        b"extern" if lexed.kind(keyword + 2) == Kind::Open(b'{') => Some(group(lexed, keyword + 2)),
        b"extern" if lexed.is_word(keyword + 1, "crate") => Some(to_semicolon(lexed, keyword)),
        b"const" | b"static" | b"type" if is_name_next => Some(to_semicolon(lexed, keyword)),
        b"use" | b"let" => Some(to_semicolon(lexed, keyword)),
        // `macro name { … }` and `macro name($a:expr) { … }`
        b"macro" if is_name_next => {
            let parameters = keyword + 2;
            match (lexed.kind(parameters), lexed.mate(parameters)) {
                (Kind::Open(b'('), Some(close)) => Some(group(lexed, close + 1)),
                (Kind::Open(_), _) => Some(group(lexed, parameters)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The keyword of the item that begins here: behind visibility, attributes, `const unsafe extern "C"` and what a macro's rule
/// stands in for them.
fn skip_qualifiers(lexed: &Lexed, start: usize) -> usize {
    let mut token = start;
    loop {
        let next = lexed.kind(token + 1);
        token = match lexed.kind(token) {
            Kind::Ident => match (lexed.text_of(token), next) {
                (b"pub", Kind::Open(b'(')) => match lexed.mate(token + 1) {
                    Some(close) => close + 1,
                    None => return token,
                },
                (b"pub", _) => token + 1,
                (b"extern", Kind::Str) if is_fn(lexed, token + 2) => token + 2,
                (b"extern", Kind::Ident) if is_fn(lexed, token + 1) => token + 1,
                (b"const", Kind::Ident) if is_after_const(lexed.text_of(token + 1)) => token + 1,
                (b"unsafe" | b"async" | b"default" | b"safe" | b"auto" | b"gen", Kind::Ident)
                    if !lexed.is_word(token + 1, "move") =>
                {
                    token + 1
                }
                _ => return token,
            },
            Kind::Byte(b'#') => match Attribute::at(lexed, token) {
                Some(attribute) => attribute.close + 1,
                None => return token,
            },
            // `$vis` and `$(#[$meta])*`
            Kind::Byte(b'$') => match next {
                Kind::Ident if matches!(lexed.kind(token + 2), Kind::Ident | Kind::Byte(b'$')) => token + 2,
                Kind::Open(_) => match lexed.mate(token + 1) {
                    Some(close) => close + 2,
                    None => return token,
                },
                _ => return token,
            },
            _ => return token,
        };
    }
}

fn is_fn(lexed: &Lexed, token: usize) -> bool {
    lexed.is_word(token, "fn")
}

fn is_after_const(word: &[u8]) -> bool {
    matches!(word, b"fn" | b"unsafe" | b"async" | b"extern" | b"impl" | b"trait" | b"gen")
}

/// To behind the next semicolon, or to where the tokens around end.
fn to_semicolon(lexed: &Lexed, start: usize) -> Extent {
    let mut token = start;
    loop {
        token = match lexed.kind(token) {
            Kind::Byte(b';') => return Ends(token + 1),
            Kind::Open(_) => match group(lexed, token) {
                Ends(end) => end,
                other => return other,
            },
            Kind::Close(_) | Kind::End => return Ends(token),
            _ => token + 1,
        };
    }
}

/// To the end of an expression that ends with a block, if one begins here: `{`, `if` with all its `else`, `match`, a loop.
fn block_like(lexed: &Lexed, start: usize) -> Option<Extent> {
    let is_labelled = lexed.kind(start) == Kind::Lifetime && lexed.is_byte(start + 1, b':');
    let start = if is_labelled { start + 2 } else { start };
    if lexed.kind(start) == Kind::Open(b'{') {
        return Some(group(lexed, start));
    }
    if lexed.kind(start) != Kind::Ident {
        return None;
    }
    match lexed.text_of(start) {
        b"unsafe" | b"const" | b"loop" | b"try" | b"gen" | b"async" => {
            let open = start + 1 + usize::from(lexed.is_word(start + 1, "move"));
            (lexed.kind(open) == Kind::Open(b'{')).then(|| group(lexed, open))
        }
        b"while" | b"for" | b"match" => Some(group(lexed, lexed.mate(start)?)),
        b"if" => Some(or_else(lexed, group(lexed, lexed.mate(start)?))),
        b"else" => Some(or_else(lexed, Ends(start))),
        _ => None,
    }
}

/// To the end of what follows an `if`'s block: any number of `else if { }`, and `else { }`.
pub(super) fn or_else(lexed: &Lexed, mut end: Extent) -> Extent {
    while let Ends(token) = end
        && lexed.is_word(token, "else")
    {
        let body = if lexed.is_word(token + 1, "if") { lexed.mate(token + 1) } else { Some(token + 1) };
        match body.filter(|&body| lexed.kind(body) == Kind::Open(b'{')) {
            Some(body) => end = group(lexed, body),
            None => return Ends(token + 1),
        }
    }
    end
}

/// To the end of `path::name! { … }` or `macro_rules! name { … }`, if one begins here.
fn braced_macro(lexed: &Lexed, start: usize) -> Option<Extent> {
    let mut token = start + usize::from(lexed.kind(start) == Kind::PathSep);
    while matches!(lexed.kind(token), Kind::Ident | Kind::RawIdent) && lexed.kind(token + 1) == Kind::PathSep
    {
        token += 2;
    }
    if !matches!(lexed.kind(token), Kind::Ident | Kind::RawIdent) || !lexed.is_byte(token + 1, b'!') {
        return None;
    }
    let has_name = matches!(lexed.kind(token + 2), Kind::Ident | Kind::RawIdent);
    let open = token + 2 + usize::from(has_name);
    (lexed.kind(open) == Kind::Open(b'{')).then(|| group(lexed, open))
}

/// To the end of an expression, pattern, field or parameter: behind the next semicolon, or behind the next comma where
/// commas separate.
fn expression(lexed: &Lexed, start: usize, role: Role) -> Extent {
    let has_commas = role != Role::Block;
    // In `a: HashMap<A, B>,` the first comma is part of the type.
    let mut angles = 0_usize;
    let mut is_type = role == Role::Fields;
    let mut comma_in_angles = None;
    let mut token = start;
    loop {
        token = match lexed.kind(token) {
            Kind::Open(delimiter) => match group(lexed, token) {
                Ends(end) if role == Role::Macro && delimiter == b'{' && begins_anew(lexed, end) => {
                    return Ends(end);
                }
                Ends(end) => end,
                other => return other,
            },
            Kind::Close(_) | Kind::End => return Ends(comma_in_angles.unwrap_or(token)),
            Kind::Byte(b';') => return Ends(comma_in_angles.unwrap_or(token + 1)),
            Kind::FatArrow if matches!(role, Role::Block | Role::Macro) => return arm_body(lexed, token + 1),
            _ if !has_commas => token + 1,
            Kind::Byte(b',') if angles == 0 => return Ends(token + 1),
            Kind::Byte(b',') => {
                comma_in_angles.get_or_insert(token + 1);
                token + 1
            }
            Kind::Byte(b'<') => {
                angles += usize::from(is_type || opens_generics(lexed, token));
                token + 1
            }
            Kind::Byte(b'>') => {
                angles = angles.saturating_sub(1);
                // It was a list of types, so its commas separate nothing else.
                if angles == 0 {
                    comma_in_angles = None;
                }
                token + 1
            }
            Kind::Byte(b':') if role == Role::Plain => {
                is_type = true;
                token + 1
            }
            // `|a, b| a + b`
            Kind::Byte(b'|') if token == start || lexed.is_word(token - 1, "move") => {
                closure_body(lexed, token)
            }
            _ => token + 1,
        };
    }
}

/// Whether what stands here cannot go on with what a block ends: a macro's own syntax, `a { … } b { … }`.
fn begins_anew(lexed: &Lexed, token: usize) -> bool {
    match lexed.kind(token) {
        Kind::Ident => !matches!(lexed.text_of(token), b"else" | b"as"),
        Kind::RawIdent | Kind::Lifetime | Kind::Byte(b'#' | b'$') => true,
        _ => false,
    }
}

/// Behind the parameters of a closure.
fn closure_body(lexed: &Lexed, bar: usize) -> usize {
    let mut token = bar + 1;
    loop {
        token = match lexed.kind(token) {
            Kind::Byte(b'|') => return token + 1,
            Kind::Open(_) => match lexed.mate(token) {
                Some(close) => close + 1,
                None => return bar + 1,
            },
            Kind::Close(_) | Kind::End | Kind::Byte(b';') => return bar + 1,
            _ => token + 1,
        };
    }
}

/// Whether `<` begins generic arguments here, in what may be a type or an expression. Types have names with capitals, and
/// nothing is compared where no operand has ended.
fn opens_generics(lexed: &Lexed, angle: usize) -> bool {
    match lexed.kind_before(angle) {
        Kind::Ident => {
            let word = lexed.text_of(angle - 1);
            word.first().is_some_and(u8::is_ascii_uppercase)
                || matches!(word, b"fn" | b"impl" | b"dyn" | b"for" | b"as")
        }
        Kind::RawIdent | Kind::Close(_) | Kind::Number | Kind::Str | Kind::Char | Kind::Lifetime => false,
        Kind::Byte(byte) => !matches!(byte, b'?' | b'>' | b'<'),
        _ => true,
    }
}

/// To the end of a generic parameter or argument: behind its comma, or before the `>` that ends the list.
fn parameter(lexed: &Lexed, start: usize) -> Extent {
    let mut angles = 0_usize;
    let mut token = start;
    loop {
        token = match lexed.kind(token) {
            Kind::Open(_) => match group(lexed, token) {
                Ends(end) => end,
                other => return other,
            },
            Kind::Byte(b',') if angles == 0 => return Ends(token + 1),
            Kind::Byte(b'>') if angles == 0 => return Ends(token),
            Kind::Close(_) | Kind::End | Kind::Byte(b';') => return Ends(token),
            Kind::Byte(b'<') => {
                angles += 1;
                token + 1
            }
            Kind::Byte(b'>') => {
                angles -= 1;
                token + 1
            }
            _ => token + 1,
        };
    }
}

/// To the end of one call in a chain: `.map_err(|error| …)?`.
fn call(lexed: &Lexed, point: usize) -> Extent {
    let mut token = point + 1;
    let mut has_arguments = false;
    loop {
        token = match lexed.kind(token) {
            Kind::Open(_) if has_arguments => return Ends(token),
            Kind::Open(_) => match group(lexed, token) {
                Ends(end) => {
                    has_arguments = true;
                    end
                }
                other => return other,
            },
            Kind::Byte(b'?') => token + 1,
            Kind::Byte(b';' | b',') => return Ends(token + 1),
            Kind::Close(_) | Kind::End | Kind::Byte(b'.') => return Ends(token),
            _ => token + 1,
        };
    }
}

/// The first token of the item whose keyword this is: its attributes, visibility and qualifiers are part of it.
pub(super) fn item_start(lexed: &Lexed, keyword: usize) -> usize {
    let mut token = keyword;
    while let Some(before) = token.checked_sub(1) {
        let open = lexed.mate(before);
        token = match (lexed.kind(before), open.and_then(|open| open.checked_sub(1))) {
            (Kind::Ident, _) if is_qualifier(lexed.text_of(before)) => before,
            (Kind::Str, _) if before > 0 && lexed.is_word(before - 1, "extern") => before - 1,
            (Kind::Close(b')'), Some(word)) if lexed.is_word(word, "pub") => word,
            (Kind::Close(b']'), Some(hash)) if lexed.is_byte(hash, b'#') => hash,
            _ => break,
        };
    }
    token
}
