//! Predicates of `#[cfg(…)]`: whether one can only hold in a test build. No configuration is looked at, so that the answer is
//! the same for every target and feature.

use super::lexer::{Kind, Lexed};

/// What follows from a predicate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Implied {
    /// Where it holds, it is a test build: `test`, `all(test, unix)`, `not(not(test))`.
    pub(super) if_true: bool,
    /// Where it does not hold, it is a test build: `not(test)`, `any(not(test), unix)`.
    pub(super) if_false: bool,
}

/// What is known of a list of predicates while it is read.
struct List {
    operator: Operator,
    /// For one member at least, for all of them: what follows if it holds.
    any_if_true: bool,
    all_if_true: bool,
    /// The same for what follows if it does not hold.
    any_if_false: bool,
    all_if_false: bool,
}

#[derive(Clone, Copy)]
enum Operator {
    All,
    Any,
    Not,
}

impl List {
    fn new(operator: Operator) -> List {
        List { operator, any_if_true: false, all_if_true: true, any_if_false: false, all_if_false: true }
    }

    fn add(&mut self, member: Implied) {
        self.any_if_true |= member.if_true;
        self.all_if_true &= member.if_true;
        self.any_if_false |= member.if_false;
        self.all_if_false &= member.if_false;
    }

    fn implied(&self) -> Implied {
        match self.operator {
            Operator::All => Implied { if_true: self.any_if_true, if_false: self.all_if_false },
            Operator::Any => Implied { if_true: self.all_if_true, if_false: self.any_if_false },
            Operator::Not => Implied { if_true: self.any_if_false, if_false: self.any_if_true },
        }
    }
}

/// Evaluates the predicate that the tokens from `start` to before `end` are. What does not name `test` implies nothing, though
/// in logic `any()`, which never holds, would imply everything.
pub(super) fn implied(lexed: &Lexed, start: usize, end: usize) -> Implied {
    let mut lists = vec![List::new(Operator::All)];
    let mut names_test = false;
    let mut token = start;
    while token < end {
        let operator = match (lexed.kind(token), lexed.kind(token + 1)) {
            (Kind::Ident, Kind::Open(b'(')) => match lexed.text_of(token) {
                b"all" => Some(Operator::All),
                b"any" => Some(Operator::Any),
                b"not" => Some(Operator::Not),
                _ => None,
            },
            (Kind::Close(_), _) => {
                if let Some(list) = lists.pop()
                    && let Some(outer) = lists.last_mut()
                {
                    outer.add(list.implied());
                }
                token += 1;
                continue;
            }
            (Kind::Ident, _) => None,
            _ => {
                token += 1;
                continue;
            }
        };
        if let Some(operator) = operator {
            lists.push(List::new(operator));
            token += 2;
            continue;
        }
        let has_value = lexed.is_byte(token + 1, b'=');
        let member = match lexed.text_of(token) {
            // `doctest` is set where rustdoc looks for tests, never for a product.
            b"test" | b"doctest" if !has_value => {
                names_test = true;
                Implied { if_true: true, if_false: false }
            }
            b"true" => Implied { if_true: false, if_false: true },
            b"false" => Implied { if_true: true, if_false: false },
            _ => Implied::default(),
        };
        if let Some(list) = lists.last_mut() {
            list.add(member);
        }
        token = match lexed.mate(token + 1) {
            // A predicate of its own kind: `version("1.80")`.
            Some(close) if lexed.kind(token + 1) == Kind::Open(b'(') => close + 1,
            _ if has_value => token + 3,
            _ => token + 1,
        };
    }
    match lists.as_slice() {
        [list] if names_test => list.implied(),
        // Broken code.
        _ => Implied::default(),
    }
}
