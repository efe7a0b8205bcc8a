//! Test code: what attributes, test macros and `cfg_if!` make part of test builds only. And the modules that a file declares,
//! which are found on the same way.

use super::attribute::{Attribute, Attributes, attributes, meaning, string_value};
use super::cfg::implied;
use super::item::{Extent, arm_body, extent, fat_arrow, item_start, or_else};
use super::lexer::{Kind, Lexed, Role};
use super::outline::{Around, keyword_of};
use super::position::Lines;
use super::{Directory, Module, ModuleFile, Reason, Stretch};

/// Macros whose whole call is test code.
const TEST_MACROS: [&str; 10] = [
    "criterion_group",
    "criterion_main",
    "library_benchmark_group",
    "prop_compose",
    "prop_state_machine",
    "property_test",
    "proptest",
    "quickcheck",
    "rstest",
    "state_machine_test",
];

/// Modules with a body in more than as many others are not followed to files: rustc's limit of recursion ends there too.
const MAX_DEPTH: usize = 128;

/// What is found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Test code; some may be part of other.
    pub(super) stretches: Vec<Stretch>,
    /// Declared modules with the offset of each declaration.
    pub(super) modules: Vec<(u32, Module)>,
    /// Why the whole file is test code.
    pub(super) whole: Option<Reason>,
    /// The first delimiter that kept the end of some test code from being found.
    pub(super) broken: Option<u32>,
}

/// Goes through a file. `bodies` is what [`super::outline::outline`] returned.
pub(super) fn find(lexed: &Lexed, bodies: &[(usize, usize)], lines: &Lines, wants_tests: bool) -> Found {
    let mut pass = Pass {
        lexed,
        bodies,
        lines,
        around: Around::default(),
        inline: Vec::new(),
        // Without them, all test code is taken for found.
        found_until: if wants_tests { 0 } else { usize::MAX },
        others_until: 0,
        found: Found::default(),
    };
    let mut attributes_before = Attributes::default();
    let mut token = 0;
    while token < lexed.tokens.len() {
        match lexed.kind(token) {
            Kind::Byte(b'#') => {
                let read = attributes(lexed, token);
                if read.end > token {
                    pass.outer_attributes(token, &read);
                    token = read.end;
                    attributes_before = read;
                    continue;
                }
                if let Some(inner) = Attribute::at(lexed, token) {
                    pass.inner_attribute(inner);
                    token = inner.close + 1;
                    continue;
                }
            }
            Kind::Ident => pass.word(token, &attributes_before),
            Kind::Open(_) if lexed.tokens[token].role == Role::Macro => {
                if let Some(close) = pass.macro_call(token) {
                    token = close;
                    continue;
                }
            }
            _ => {}
        }
        pass.around.pass(lexed, token);
        token += 1;
    }
    pass.found
}

struct Pass<'a> {
    lexed: &'a Lexed<'a>,
    bodies: &'a [(usize, usize)],
    lines: &'a Lines,
    around: Around,
    /// The modules with a body that are open, and the token that closes each.
    inline: Vec<(usize, Directory)>,
    /// Before this token all is test code already, or nobody can tell.
    found_until: usize,
    /// Before this token, the branches behind `#[cfg(not(test))]` are known.
    others_until: usize,
    found: Found,
}

impl Pass<'_> {
    /// The text of some tokens on one line, for messages.
    fn source(&self, start: usize, end: usize) -> String {
        let text =
            &self.lexed.text[self.lexed.tokens[start].start as usize..self.lexed.tokens[end].end as usize];
        let text = String::from_utf8_lossy(text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut line = words.join(" ");
        if let Some((cut, _)) = line.char_indices().nth(60) {
            line.truncate(cut);
            line.push('…');
        }
        line
    }

    fn line(&self, token: usize) -> u32 {
        self.lines.line(self.lexed.tokens[token].start)
    }

    fn reason(&self, attribute: Attribute) -> Reason {
        Reason::Test {
            attribute: self.source(attribute.hash, attribute.close),
            line: self.line(attribute.hash),
        }
    }

    /// Takes the tokens from `start` to before `end` for test code, and looks for no other in it.
    fn add(&mut self, start: usize, end: usize, reason: Reason) {
        if start >= self.found_until && start < end {
            self.found_until = end;
            self.push(start, end, reason);
        }
    }

    /// Takes tokens that are still to come for test code. What stands before them is yet to be looked through.
    fn push(&mut self, start: usize, end: usize, reason: Reason) {
        self.found.stretches.push(Stretch {
            start: self.lexed.tokens[start].start,
            end: self.lexed.tokens[end - 1].end,
            reason,
            unless_run: false,
        });
    }

    fn outer_attributes(&mut self, first: usize, read: &Attributes) {
        if first < self.found_until {
            return;
        }
        if let Some(attribute) = read.test {
            match extent(self.lexed, first, self.around.role(self.lexed)) {
                Extent::Ends(end) => self.add(first, end, self.reason(attribute)),
                Extent::Nothing => {}
                Extent::Broken(open) => {
                    self.found.broken.get_or_insert(self.lexed.tokens[open].start);
                    // Whatever begins before the delimiter would end there too.
                    self.found_until = self.found_until.max(open);
                }
            }
        } else if let Some(attribute) = read.no_test
            && first > 0
            && self.lexed.is_word(first - 1, "if")
        {
            self.other_branches(attribute, read.end);
        }
    }

    /// `cfg_if! { if #[cfg(not(test))] { … } else { … } }`: what stands behind `else`. `block` is the first branch.
    fn other_branches(&mut self, attribute: Attribute, block: usize) {
        let Some(close) = self.lexed.mate(block) else { return };
        if close < self.others_until || !self.lexed.is_word(close + 1, "else") {
            return;
        }
        if let Extent::Ends(end) = or_else(self.lexed, Extent::Ends(close + 1)) {
            self.others_until = end;
            let text = format!("else of {}", self.source(attribute.hash, attribute.close));
            self.push(close + 1, end, Reason::Test { attribute: text, line: self.line(attribute.hash) });
        }
    }

    /// `#![cfg(test)]` stands in what is test code.
    fn inner_attribute(&mut self, attribute: Attribute) {
        if attribute.hash < self.found_until || !meaning(self.lexed, attribute).implied.if_true {
            return;
        }
        let reason = self.reason(attribute);
        let Some(open) = self.around.innermost() else {
            self.found.whole = Some(reason);
            self.found_until = usize::MAX;
            return;
        };
        let start = keyword_of(self.bodies, open).map_or(open, |keyword| item_start(self.lexed, keyword));
        if let Some(close) = self.lexed.mate(open) {
            self.found_until = close + 1;
            self.push(start, close + 1, reason);
        }
    }

    /// A module, an included file, a call of a test macro.
    fn word(&mut self, token: usize, attributes_before: &Attributes) {
        let lexed = self.lexed;
        match lexed.text_of(token) {
            b"mod" => self.module(token, attributes_before),
            b"include"
                if lexed.is_byte(token + 1, b'!') && matches!(lexed.kind(token + 2), Kind::Open(_)) =>
            {
                if lexed.kind(token + 3) == Kind::Str
                    && let Some(path) = string_value(lexed.text_of(token + 3))
                    && let after = token + 4 + usize::from(lexed.is_byte(token + 4, b','))
                    && matches!(lexed.kind(after), Kind::Close(_))
                {
                    self.add_module(token, ModuleFile::Included { path });
                }
            }
            name if lexed.is_byte(token + 1, b'!')
                && matches!(lexed.kind(token + 2), Kind::Open(_))
                && TEST_MACROS.iter().any(|one| one.as_bytes() == name) =>
            {
                self.test_macro(token);
            }
            _ => {}
        }
    }

    fn test_macro(&mut self, name: usize) {
        let mut start = name;
        while self.lexed.kind_before(start) == Kind::PathSep {
            start -= 1;
            if matches!(self.lexed.kind_before(start), Kind::Ident | Kind::RawIdent) {
                start -= 1;
            }
        }
        let Some(close) = self.lexed.mate(name + 2) else { return };
        let has_semicolon = self.lexed.is_byte(close + 1, b';');
        let reason = Reason::Test { attribute: self.source(name, name + 1), line: self.line(name) };
        self.add(item_start(self.lexed, start), close + 1 + usize::from(has_semicolon), reason);
    }

    /// The content of a macro call is looked through like any code, but for two kinds. Returns the token to go on with if it
    /// is not to be looked through.
    fn macro_call(&mut self, open: usize) -> Option<usize> {
        let bang = open.checked_sub(1).filter(|&bang| self.lexed.is_byte(bang, b'!'))?;
        let name = self.lexed.text_of(bang.checked_sub(1)?);
        let close = self.lexed.mate(open)?;
        match name {
            // Code to be made, not code: `quote! { #[test] fn generated() {} }` runs here.
            b"stringify" => Some(close + 1),
            _ if name.ends_with(b"quote") || name.ends_with(b"quote_spanned") => Some(close + 1),
            b"cfg_select" => {
                self.cfg_select(open, close);
                None
            }
            _ => None,
        }
    }

    /// `cfg_select! { test => { … } unix => { … } _ => { … } }`: an arm is taken if its predicate holds and none before it.
    fn cfg_select(&mut self, open: usize, close: usize) {
        let lexed = self.lexed;
        let mut arm = open + 1;
        // Why the arms that are left are only for test builds.
        let mut rest: Option<Reason> = None;
        while let Extent::Ends(arrow) = fat_arrow(lexed, arm)
            && let Extent::Ends(end) = arm_body(lexed, arrow + 1)
            && arm < arrow
            && arrow < close
        {
            let follows = implied(lexed, arm, arrow);
            let line = self.line(arm);
            let own = follows.if_true.then(|| Reason::Test { attribute: self.source(arm, arrow), line });
            if let Some(reason) = rest.clone().or(own) {
                self.push(arm, end, reason);
            }
            if follows.if_false && rest.is_none() {
                let attribute = format!("else of {}", self.source(arm, arrow));
                rest = Some(Reason::Test { attribute, line });
            }
            arm = end;
        }
    }

    fn module(&mut self, keyword: usize, attributes_before: &Attributes) {
        let lexed = self.lexed;
        if !matches!(lexed.kind(keyword + 1), Kind::Ident | Kind::RawIdent) {
            return;
        }
        let Ok(name) = std::str::from_utf8(lexed.name_of(keyword + 1)) else { return };
        self.leave_modules(keyword);
        let first = item_start(lexed, keyword);
        let paths = if first < attributes_before.end && attributes_before.end <= keyword {
            attributes_before.paths.as_slice()
        } else {
            &[]
        };
        if lexed.is_byte(keyword + 2, b';') {
            let file = ModuleFile::Declared {
                name: name.to_owned(),
                paths: paths.iter().map(|path| path.value.clone()).collect(),
                may_be_elsewhere: paths.iter().all(|path| path.is_conditional),
            };
            self.add_module(keyword, file);
        } else if let Some(close) = lexed.mate(keyword + 2) {
            let path = paths.first().map(|path| path.value.clone());
            self.inline.push((close, Directory { name: name.to_owned(), path }));
        }
    }

    /// Leaves the modules with a body that end before this token.
    fn leave_modules(&mut self, token: usize) {
        while self.inline.last().is_some_and(|&(close, _)| close < token) {
            self.inline.pop();
        }
    }

    fn add_module(&mut self, token: usize, file: ModuleFile) {
        self.leave_modules(token);
        if self.inline.len() > MAX_DEPTH {
            return;
        }
        let within = self.inline.iter().map(|(_, directory)| directory.clone()).collect();
        let module = Module { file, within, line: self.line(token), gate: None };
        self.found.modules.push((self.lexed.tokens[token].start, module));
    }
}
