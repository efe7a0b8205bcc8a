//! Kinds of code that some do not want to count, each by a switch: what is not meant to run, implementations of `Debug`, and
//! functions that perhaps only the compiler runs.

use super::item::{Extent, arm_body, item_start};
use super::lexer::{Kind, Lexed, Role};
use super::outline::{Around, keyword_of};
use super::position::Lines;
use super::{Classes, Reason, Stretch};

/// Macros that are called where nothing is meant to run.
const UNREACHABLE: [&str; 3] = ["todo", "unimplemented", "unreachable"];

/// Finds the code of the kinds that are asked for; some may be part of other.
pub(super) fn find(
    lexed: &Lexed,
    bodies: &[(usize, usize)],
    lines: &Lines,
    classes: Classes,
) -> Vec<Stretch> {
    if classes == Classes::default() {
        return Vec::new();
    }
    let mut pass = Pass { lexed, bodies, around: Around::default(), arms: Vec::new() };
    let mut stretches = Vec::new();
    for token in 0..lexed.tokens.len() {
        let line = || lines.line(lexed.tokens[token].start);
        let mut add = |(start, end): (usize, usize), reason, unless_run| {
            stretches.push(Stretch {
                start: lexed.tokens[start].start,
                end: lexed.tokens[end - 1].end,
                reason,
                unless_run,
            });
        };
        match lexed.kind(token) {
            Kind::Open(_) => {
                let open = &lexed.tokens[token];
                if classes.unreachable && open.role == Role::Arms {
                    pass.arms.push(Arms { open: token, next: token + 1, current: (0, 0) });
                }
            }
            Kind::Close(_) => pass.leave(token),
            Kind::FatArrow if classes.unreachable => pass.arm(token),
            Kind::Ident => match lexed.text_of(token) {
                b"const" if classes.const_fn => {
                    if let Some(item) = const_fn(lexed, token) {
                        add(item, Reason::ConstFn { line: line() }, true);
                    }
                }
                b"impl" if classes.debug => {
                    if let Some(item) = debug_impl(lexed, token) {
                        add(item, Reason::DebugImpl { line: line() }, false);
                    }
                }
                name if classes.unreachable && UNREACHABLE.iter().any(|one| one.as_bytes() == name) => {
                    if let Some(code) = pass.unreachable(token) {
                        let name = String::from_utf8_lossy(name).into_owned();
                        add(code, Reason::Unreachable { name, line: line() }, false);
                    }
                }
                _ => {}
            },
            _ => {}
        }
        pass.around.pass(lexed, token);
    }
    stretches
}

/// A `const fn` with a body.
fn const_fn(lexed: &Lexed, token: usize) -> Option<(usize, usize)> {
    let mut keyword = token + 1;
    while matches!(lexed.text_of(keyword), b"async" | b"unsafe" | b"extern")
        || lexed.kind(keyword) == Kind::Str
    {
        keyword += 1;
    }
    let close = lexed.mate(lexed.mate(keyword).filter(|_| lexed.is_word(keyword, "fn"))?)?;
    Some((item_start(lexed, token), close + 1))
}

/// `impl<T: Debug> fmt::Debug for Type<T> { … }`
fn debug_impl(lexed: &Lexed, token: usize) -> Option<(usize, usize)> {
    let body = lexed.mate(token)?;
    let mut angles = 0_usize;
    let mut last = None;
    let mut at = token + 1;
    while at < body {
        match lexed.kind(at) {
            Kind::Byte(b'<') => angles += 1,
            Kind::Byte(b'>') => angles = angles.saturating_sub(1),
            Kind::Open(_) => at = lexed.mate(at)?,
            Kind::Ident if angles == 0 && lexed.is_word(at, "for") => break,
            Kind::Ident if angles == 0 => last = Some(at),
            _ => {}
        }
        at += 1;
    }
    let is_debug = lexed.is_word(at, "for") && last.is_some_and(|last| lexed.is_word(last, "Debug"));
    is_debug.then_some((item_start(lexed, token), lexed.mate(body)? + 1))
}

/// The arms of a `match` that is open.
struct Arms {
    open: usize,
    /// Where the next arm begins.
    next: usize,
    /// The arm whose body was begun last: where it begins and ends.
    current: (usize, usize),
}

struct Pass<'a> {
    lexed: &'a Lexed<'a>,
    bodies: &'a [(usize, usize)],
    around: Around,
    arms: Vec<Arms>,
}

impl Pass<'_> {
    fn leave(&mut self, close: usize) {
        let open = self.lexed.mate(close);
        self.arms.pop_if(|arms| Some(arms.open) == open);
    }

    /// An arm's body begins behind this `=>`.
    fn arm(&mut self, arrow: usize) {
        let innermost = self.around.innermost();
        let Some(arms) = self.arms.last_mut().filter(|arms| Some(arms.open) == innermost) else { return };
        if arms.next <= arrow
            && let Extent::Ends(end) = arm_body(self.lexed, arrow + 1)
        {
            arms.current = (arms.next, end);
            arms.next = end;
        }
    }

    /// What a call of such a macro makes unreachable: its statement; where it is all of a block, the block; where that is the
    /// body of a match arm, the arm; where it is that of a function, the function.
    fn unreachable(&self, name: usize) -> Option<(usize, usize)> {
        let lexed = self.lexed;
        if !lexed.is_byte(name + 1, b'!') || !matches!(lexed.kind(name + 2), Kind::Open(_)) {
            return None;
        }
        let mut start = name;
        if lexed.kind_before(start) == Kind::PathSep {
            start -= 1;
            if start > 0 && matches!(lexed.text_of(start - 1), b"std" | b"core") {
                start -= 1;
                start -= usize::from(lexed.kind_before(start) == Kind::PathSep);
            } else {
                // Some other crate's macro.
                return None;
            }
        }
        let mut end = lexed.mate(name + 2)? + 1;
        end += usize::from(lexed.is_byte(end, b';'));
        let mut distance = 0;
        while let Some(open) = self.around.outer(distance) {
            let is_all = start == open + 1
                && lexed.mate(open) == Some(end)
                && lexed.kind(open) == Kind::Open(b'{')
                && lexed.tokens[open].role == Role::Block;
            if !is_all {
                break;
            }
            (start, end) = (open, end + 1);
            distance += 1;
            if let Some(keyword) = keyword_of(self.bodies, open) {
                if lexed.is_word(keyword, "fn") {
                    start = item_start(lexed, keyword);
                }
                break;
            }
        }
        let arms = self.arms.last().filter(|arms| Some(arms.open) == self.around.outer(distance));
        if let Some(&Arms { current: (arm, arm_end), .. }) = arms
            && lexed.kind_before(start) == Kind::FatArrow
            && arm_end == end + usize::from(lexed.is_byte(end, b','))
        {
            return Some((arm, arm_end));
        }
        Some((start, end))
    }
}
