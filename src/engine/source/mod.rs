//! Rust sources as text: what in them does not count, and which modules they declare. Found on stable, by a lexer and a few
//! rules on what its tokens form; nothing is parsed, so that code of any edition, code in macro calls and broken code are
//! read as far as they make sense. Pure: bytes in, data out.
//!
//! What a file needs others for, whether it is test code because of the module that declares it, is [`tree`]'s.

mod attribute;
mod cfg;
mod class;
pub mod function;
mod item;
mod lexer;
mod marker;
mod outline;
mod position;
mod reason;
mod test_code;
#[cfg(test)]
mod tests;
pub mod tree;

use crate::format::covfun::Position;
pub use marker::Marker;
use position::Lines;
pub use reason::Reason;

/// What to look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Test code: what `#[cfg(test)]`, `#[test]` and their like stand on.
    pub tests: bool,
    /// Markers in comments: `coverage:off` and its like.
    pub markers: bool,
    /// Files that say that they are `@generated`.
    pub generated: bool,
    /// Code of certain kinds.
    pub classes: Classes,
}

/// Kinds of code that some do not want to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    /// Blocks and match arms that are nothing but `unreachable!`, `todo!` or `unimplemented!`, and other calls of these.
    pub unreachable: bool,
    /// Implementations of `Debug`.
    pub debug: bool,
    /// `const fn`s that never ran: what only the compiler calls has no counts.
    pub const_fn: bool,
}

/// A stretch of source that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Its first byte.
    pub start: Position,
    /// The first byte behind it. Whole lines end before their line feed.
    pub end: Position,
    /// Why.
    pub reason: Reason,
    /// Whether it counts after all if anything in it ran.
    pub unless_run: bool,
}

/// What is found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Stretches that do not count, in order. Those without [`Excluded::unless_run`] have no byte in common: of two that
    /// had, the outer one, else the first is whole. Neither have those with it, but one of the others may be part of one
    /// of them.
    pub excluded: Vec<Excluded>,
    /// The modules whose files are elsewhere, and included files.
    pub modules: Vec<Module>,
    /// What is wrong, in order.
    pub problems: Vec<Problem>,
    /// Why nothing in the file counts.
    pub whole: Option<Reason>,
}

/// A mistake in a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where, 1-based.
    pub line: u32,
    /// What it is: lowercase, without a full stop.
    pub message: String,
    /// What to do.
    pub cure: String,
    /// Whether what counts is unknown because of it; else it is worth a warning.
    pub is_error: bool,
}

/// A module whose file is elsewhere, or an included file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Which file.
    pub file: ModuleFile,
    /// The modules with a body that it stands in, from the outermost.
    pub within: Vec<Directory>,
    /// Where it is declared, 1-based.
    pub line: u32,
    /// Why it does not count, if it does not.
    pub gate: Option<Reason>,
}

/// How a module names its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleFile {
    /// `mod name;`
    Declared {
        /// Its name, without `r#`.
        name: String,
        /// What `#[path]` says.
        paths: Vec<String>,
        /// Whether it may be where modules are without `#[path]`.
        may_be_elsewhere: bool,
    },
    /// `include!("path")`
    Included {
        /// The path.
        path: String,
    },
}

/// A module with a body: a directory for the modules in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its name, without `r#`.
    pub name: String,
    /// What `#[path]` says.
    pub path: Option<String>,
}

/// A stretch of bytes that does not count.
#[derive(Clone, Debug)]
struct Stretch {
    start: u32,
    end: u32,
    reason: Reason,
    unless_run: bool,
}

/// Finds what does not count in a file, and the modules it declares. Takes time and memory in proportion to the file's size.
///
/// Files of 4 GiB and more are not looked through.
pub fn scan(text: &[u8], options: &Options) -> Scan {
    let mut lexed = lexer::lex(text);
    if lexed.tokens.is_empty() && lexed.comments.is_empty() {
        return Scan::default();
    }
    let bodies = outline::outline(&mut lexed);
    let lines = Lines::new(text);
    let mut scan = Scan::default();

    let tests = test_code::find(&lexed, &bodies, &lines, options.tests);
    let mut stretches = tests.stretches;
    scan.whole = tests.whole;
    if let Some(offset) = tests.broken {
        scan.problems.push(Problem {
            line: lines.line(offset),
            message: "unclosed delimiter: test code around it counts".to_owned(),
            cure: "close it".to_owned(),
            is_error: false,
        });
    }
    if options.markers {
        let marked = marker::find(&lexed, &lines);
        scan.problems.extend(marked.problems);
        stretches.extend(marked.stretches);
    }
    stretches.extend(class::find(&lexed, &bodies, &lines, options.classes));
    if options.generated
        && scan.whole.is_none()
        && let Some(line) = marker::generated(&lexed, &lines)
    {
        scan.whole = Some(Reason::Generated { line });
    }

    scan.problems.sort();
    scan.modules = gated(tests.modules, &stretches, scan.whole.as_ref());
    scan.excluded = disjoint(stretches)
        .into_iter()
        .map(|stretch| Excluded {
            start: lines.position(stretch.start),
            end: lines.end_position(stretch.end),
            reason: stretch.reason,
            unless_run: stretch.unless_run,
        })
        // Of a stretch that was cut, a line feed may be left, which is on no line.
        .filter(|excluded| excluded.start < excluded.end)
        .collect();
    scan
}

/// Sorts stretches and leaves out, or cuts, what others hold.
fn disjoint(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.retain(|stretch| stretch.start < stretch.end);
    stretches.sort_by_key(|stretch| (stretch.start, u32::MAX - stretch.end, stretch.unless_run));
    // The ends of the last stretch that never counts, and of the last that may.
    let mut end_of_sure = 0;
    let mut end_of_unsure = 0;
    stretches.retain_mut(|stretch| {
        let end = if stretch.unless_run { end_of_sure.max(end_of_unsure) } else { end_of_sure };
        if stretch.end <= end {
            return false;
        }
        stretch.start = stretch.start.max(end);
        if stretch.unless_run {
            end_of_unsure = stretch.end;
        } else {
            end_of_sure = stretch.end;
        }
        true
    });
    stretches.sort_by_key(|stretch| (stretch.start, u32::MAX - stretch.end));
    stretches
}

/// Tells the modules that do not count. A marker counts if it stands on the declaration: lines that merely hold one, between
/// `coverage:off` and `coverage:on`, say nothing about another file.
fn gated(modules: Vec<(u32, Module)>, stretches: &[Stretch], whole: Option<&Reason>) -> Vec<Module> {
    let whole = whole.filter(|reason| !matches!(reason, Reason::Generated { .. }));
    let gates = if modules.is_empty() {
        Vec::new()
    } else {
        disjoint(stretches.iter().filter(|stretch| stretch.reason.is_gate()).cloned().collect())
    };
    let mut gates = gates.iter().peekable();
    modules
        .into_iter()
        .map(|(offset, mut module)| {
            while gates.next_if(|gate| gate.end <= offset).is_some() {}
            let around = gates.peek().filter(|gate| gate.start <= offset);
            module.gate = whole.or(around.map(|gate| &gate.reason)).cloned();
            module
        })
        .collect()
}
