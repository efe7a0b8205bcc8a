//! What the tokens form: pairs of delimiters, what each holds, and which keyword it belongs to. One pass, no grammar.
//!
//! Whether `{` begins a body or a struct expression follows from what stands before it, as far as no comma or semicolon
//! separates them: `match x {` has arms, `if a == b {` statements, `Foo {` fields. A keyword that has a body is put aside
//! until that body begins.

use super::lexer::{Kind, Lexed, NONE, Role};

/// A keyword whose body has not begun yet.
struct Pending {
    /// The token.
    token: usize,
    what: Awaited,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// `fn`, `impl`, `trait`, `mod`: generics may hold a block, `impl Foo<{ N }> for X {`, so they are counted.
    Item { role: Role, angles: u32 },
    /// `if`, `while`, `match`, `for`. In a pattern, `{` begins fields.
    Control { role: Role, in_pattern: bool },
    /// `|x| -> T {`
    Closure,
}

/// The open delimiters of one place.
struct Level {
    open: usize,
    /// How many keywords were pending when it began.
    n_pending: usize,
}

/// The delimiters and keywords of bodies, in order: which keyword a body belongs to.
pub(super) type Bodies = Vec<(usize, usize)>;

/// Fills in [`super::lexer::Token::mate`] and [`super::lexer::Token::role`]. Returns the bodies of keywords, as pairs of
/// opening delimiter and keyword.
///
/// A delimiter without a partner keeps [`NONE`]: a closing one that nothing has opened, and those that are still open where
/// one further out closes.
pub(super) fn outline(lexed: &mut Lexed) -> Bodies {
    let mut bodies = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    let mut pending: Vec<Pending> = Vec::new();
    // How many of the levels are open with `(`, `[` and `{`, so that a stray `)` is known without a search.
    let mut n_open = [0_usize; 3];
    for token in 0..lexed.tokens.len() {
        let base = levels.last().map_or(0, |level| level.n_pending);
        match lexed.kind(token) {
            Kind::Open(delimiter) => {
                let role = role_of(lexed, token, delimiter, base, &mut pending, &mut bodies);
                lexed.tokens[token].role = role;
                n_open[class(delimiter)] += 1;
                levels.push(Level { open: token, n_pending: pending.len() });
            }
            Kind::Close(delimiter) => {
                if n_open[class(delimiter)] == 0 {
                    continue;
                }
                while let Some(level) = levels.pop() {
                    let Kind::Open(opened) = lexed.kind(level.open) else { continue };
                    n_open[class(opened)] -= 1;
                    pending.truncate(level.n_pending);
                    if class(opened) == class(delimiter) {
                        lexed.tokens[level.open].mate = token as u32;
                        lexed.tokens[token].mate = level.open as u32;
                        break;
                    }
                }
            }
            Kind::Ident => word(lexed, token, base, &mut pending),
            Kind::Byte(b';') | Kind::FatArrow => pending.truncate(base),
            Kind::Byte(b',') => drop_closure(&mut pending, base),
            Kind::Byte(b'=') => {
                drop_closure(&mut pending, base);
                if let Some(Awaited::Control { in_pattern, .. }) = last(&mut pending, base) {
                    *in_pattern = false;
                }
            }
            Kind::Byte(b'<') => {
                if let Some(Awaited::Item { angles, .. }) = last(&mut pending, base) {
                    *angles += 1;
                }
            }
            Kind::Byte(b'>') => close_angle(&mut pending, base),
            // `A<B>= x`
            Kind::Operator if lexed.text_of(token) == b">=" => close_angle(&mut pending, base),
            // The type of a closure's value; that of a function is part of its header.
            Kind::Arrow if last(&mut pending, base).is_none() => {
                pending.push(Pending { token, what: Awaited::Closure });
            }
            _ => {}
        }
    }
    bodies
}

/// `(` and `)` are 0, `[` and `]` 1, `{` and `}` 2.
fn class(delimiter: u8) -> usize {
    match delimiter {
        b'(' | b')' => 0,
        b'[' | b']' => 1,
        _ => 2,
    }
}

/// The innermost pending keyword of the current level.
fn last(pending: &mut [Pending], base: usize) -> Option<&mut Awaited> {
    pending.get_mut(base..)?.last_mut().map(|pending| &mut pending.what)
}

fn drop_closure(pending: &mut Vec<Pending>, base: usize) {
    if last(pending, base) == Some(&mut Awaited::Closure) {
        pending.pop();
    }
}

fn close_angle(pending: &mut [Pending], base: usize) {
    if let Some(Awaited::Item { angles, .. }) = last(pending, base) {
        *angles = angles.saturating_sub(1);
    }
}

/// Puts a keyword aside that has a body.
fn word(lexed: &Lexed, token: usize, base: usize, pending: &mut Vec<Pending>) {
    let item = |role| Some(Awaited::Item { role, angles: 0 });
    let next = lexed.kind(token + 1);
    let is_name_next = matches!(next, Kind::Ident | Kind::RawIdent | Kind::Byte(b'$'));
    let what = match lexed.text_of(token) {
        // `$fn` is a name; so is what follows a point.
        _ if matches!(lexed.kind_before(token), Kind::Byte(b'$' | b'.')) => None,
        b"fn" | b"trait" | b"mod" if is_name_next => item(Role::Block),
        b"struct" | b"enum" if is_name_next => item(Role::Fields),
        b"union"
            if matches!(next, Kind::Ident | Kind::RawIdent)
                && matches!(lexed.kind(token + 2), Kind::Open(b'{') | Kind::Byte(b'<'))
                && is_item_start(lexed, token) =>
        {
            item(Role::Fields)
        }
        b"impl" if is_item_start(lexed, token) => item(Role::Block),
        b"if" | b"while" => Some(Awaited::Control { role: Role::Block, in_pattern: false }),
        b"match" => Some(Awaited::Control { role: Role::Arms, in_pattern: false }),
        // `for<'a> Fn(&'a T)` and `impl X for Y` have no body of their own.
        b"for" if next != Kind::Byte(b'<') && !matches!(last(pending, base), Some(Awaited::Item { .. })) => {
            Some(Awaited::Control { role: Role::Block, in_pattern: true })
        }
        b"let" => {
            if let Some(Awaited::Control { in_pattern, .. }) = last(pending, base) {
                *in_pattern = true;
            }
            None
        }
        b"in" => {
            if let Some(Awaited::Control { in_pattern, .. }) = last(pending, base) {
                *in_pattern = false;
            }
            None
        }
        _ => None,
    };
    if let Some(what) = what {
        pending.push(Pending { token, what });
    }
}

/// Whether an item may begin here: `impl` is a part of types too.
fn is_item_start(lexed: &Lexed, token: usize) -> bool {
    match lexed.kind_before(token) {
        Kind::End | Kind::Open(b'{') | Kind::Close(_) | Kind::Byte(b';' | b'*' | b'+' | b'?') => true,
        Kind::Open(_) => token >= 2 && is_macro(lexed, token - 1),
        Kind::Ident => {
            is_qualifier(lexed.text_of(token - 1)) || lexed.kind_before(token - 1) == Kind::Byte(b'$')
        }
        _ => false,
    }
}

/// Whether the word may stand before an item's keyword.
pub(super) fn is_qualifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"pub"
            | b"crate"
            | b"default"
            | b"unsafe"
            | b"async"
            | b"const"
            | b"extern"
            | b"safe"
            | b"auto"
            | b"gen"
    )
}

/// What the delimiter's content is. Where it is the body of a pending keyword, the keyword gets it.
fn role_of(
    lexed: &mut Lexed,
    open: usize,
    delimiter: u8,
    base: usize,
    pending: &mut Vec<Pending>,
    bodies: &mut Bodies,
) -> Role {
    if is_macro(lexed, open) {
        return Role::Macro;
    }
    if delimiter != b'{' {
        return Role::Plain;
    }
    let ends_operand = ends_operand(lexed, open);
    match last(pending, base).map(|what| *what) {
        Some(Awaited::Item { angles: 1.., .. }) => Role::Block,
        Some(Awaited::Item { role, .. }) => {
            take(lexed, open, base, pending, bodies);
            role
        }
        Some(Awaited::Control { in_pattern: true, .. }) => Role::Literal,
        Some(Awaited::Control { role, .. }) if ends_operand => {
            take(lexed, open, base, pending, bodies);
            role
        }
        // `match unsafe {`, `if {`: a block is the operand, or part of it.
        Some(Awaited::Control { .. }) => Role::Block,
        Some(Awaited::Closure) => {
            pending.pop();
            Role::Block
        }
        None if ends_operand
            && matches!(lexed.kind_before(open), Kind::Ident | Kind::RawIdent | Kind::Byte(b'>')) =>
        {
            Role::Literal
        }
        None => Role::Block,
    }
}

/// Hands the body to the innermost pending keyword.
fn take(lexed: &mut Lexed, open: usize, base: usize, pending: &mut Vec<Pending>, bodies: &mut Bodies) {
    if let Some(Pending { token, what }) = pending.pop() {
        lexed.tokens[token].mate = open as u32;
        bodies.push((open, token));
        // What else an item has put aside was part of its header.
        if matches!(what, Awaited::Item { .. }) {
            pending.truncate(base);
        }
    }
}

/// Whether the delimiter begins the arguments of a macro call, or the rules of `macro_rules! name`.
fn is_macro(lexed: &Lexed, open: usize) -> bool {
    let Some(mut before) = open.checked_sub(1) else { return false };
    if matches!(lexed.kind(before), Kind::Ident | Kind::RawIdent) {
        match before.checked_sub(1) {
            Some(bang) => before = bang,
            None => return false,
        }
        return lexed.is_byte(before, b'!') && before > 0 && lexed.is_word(before - 1, "macro_rules");
    }
    lexed.is_byte(before, b'!')
        && match lexed.kind_before(before) {
            Kind::RawIdent => true,
            Kind::Ident => !is_operator_word(lexed.text_of(before - 1)),
            _ => false,
        }
}

/// Whether an expression may end before this token, so that `{` cannot be a part of it.
fn ends_operand(lexed: &Lexed, token: usize) -> bool {
    match lexed.kind_before(token) {
        Kind::Ident => !is_operator_word(lexed.text_of(token - 1)),
        Kind::RawIdent | Kind::Lifetime | Kind::Str | Kind::Char | Kind::Number | Kind::Close(_) => true,
        Kind::Byte(byte) => matches!(byte, b'?' | b'>'),
        // `for x in 0.. {`
        Kind::Operator => lexed.text_of(token - 1) == b"..",
        _ => false,
    }
}

/// Whether something must follow the word within an expression.
fn is_operator_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"if"
            | b"while"
            | b"match"
            | b"for"
            | b"in"
            | b"loop"
            | b"else"
            | b"return"
            | b"break"
            | b"unsafe"
            | b"async"
            | b"const"
            | b"move"
            | b"try"
            | b"gen"
            | b"static"
            | b"as"
            | b"let"
            | b"mut"
            | b"ref"
            | b"dyn"
            | b"where"
            | b"extern"
            | b"mod"
            | b"impl"
            | b"yield"
    )
}

/// The keyword whose body the delimiter begins.
pub(super) fn keyword_of(bodies: &[(usize, usize)], open: usize) -> Option<usize> {
    let position = bodies.binary_search_by_key(&open, |&(open, _)| open).ok()?;
    bodies.get(position).map(|&(_, keyword)| keyword)
}

/// The delimiters around a token that are open, kept while a pass goes from token to token.
#[derive(Debug, Default)]
pub(super) struct Around {
    open: Vec<usize>,
}

impl Around {
    /// Goes past a token.
    pub(super) fn pass(&mut self, lexed: &Lexed, token: usize) {
        match lexed.kind(token) {
            // One that nothing closes holds nothing: what follows belongs to whatever is around it.
            Kind::Open(_) if lexed.tokens[token].mate != NONE => self.open.push(token),
            Kind::Close(_) if lexed.tokens[token].mate != NONE => {
                self.open.pop();
            }
            _ => {}
        }
    }

    /// The innermost open delimiter.
    pub(super) fn innermost(&self) -> Option<usize> {
        self.open.last().copied()
    }

    /// The open delimiter around the innermost one, and so on: `outer(0)` is the innermost.
    pub(super) fn outer(&self, distance: usize) -> Option<usize> {
        self.open.len().checked_sub(distance + 1).and_then(|position| self.open.get(position)).copied()
    }

    /// What the tokens here are.
    pub(super) fn role(&self, lexed: &Lexed) -> Role {
        self.innermost().map_or(Role::Block, |open| lexed.tokens[open].role)
    }
}
