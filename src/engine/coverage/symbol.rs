//! Which crate a function was written in, from its symbol. Only Rust's v0 mangling, which is what rustc uses for instrumented code.
//!
//! `_RINvCsa_3lib3maphECsb_3app` is `lib::map::<u8>`, compiled in the crate `app` but written in `lib`: the crate at the root of the
//! path, not the one at the end. The grammar is in the rustc book, "v0 Symbol Format". Where a path begins with a
//! type, the path of the impl or trait that it belongs to counts.

/// The name of the crate in which the function with this mangled name was written; `None` if the name is no v0 symbol or uses
/// something that is not known here.
pub fn defining_crate(symbol: &[u8]) -> Option<&[u8]> {
    let path = symbol.strip_prefix(b"_R")?;
    let mut parser = Parser { symbol: path, position: 0, depth: 0, n_followed: 0 };
    parser.path()
}

/// Whether a function was written in a doctest: in one of the crates that rustdoc makes of them.
///
/// `rust_out` is a doctest of its own, `doctest_bundle_2024` many of one edition compiled together, `doctest_runner_2024` the program
/// around these.
pub fn is_doctest_code(symbol: &[u8]) -> bool {
    let name = defining_crate(symbol).unwrap_or_default();
    name == b"rust_out" || name.starts_with(b"doctest_bundle_") || name.starts_with(b"doctest_runner_")
}

/// Paths and types nest no deeper in symbols that a compiler makes, and refer back no more often.
const DEEPEST: u32 = 200;

struct Parser<'a> {
    /// Behind `_R`, which is also where back references count from.
    symbol: &'a [u8],
    position: usize,
    depth: u32,
    n_followed: u32,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<u8> {
        let byte = *self.symbol.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.symbol.get(self.position) == Some(&byte);
        self.position += usize::from(is_next);
        is_next
    }

    /// Goes past a path and returns the crate at its root.
    fn path(&mut self) -> Option<&'a [u8]> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let root = match self.next()? {
            b'C' => self.identifier(),
            // `impl Type`, with the path of the impl first.
            b'M' => {
                self.disambiguator()?;
                let root = self.path();
                self.ty()?;
                root
            }
            // `impl Trait for Type`
            b'X' => {
                self.disambiguator()?;
                let root = self.path();
                self.ty()?;
                self.path()?;
                root
            }
            // `<Type as Trait>`: what the trait itself provides.
            b'Y' => {
                self.ty()?;
                self.path()
            }
            b'N' => {
                self.next()?;
                let root = self.path();
                self.identifier()?;
                root
            }
            b'I' => {
                let root = self.path();
                while !self.eat(b'E') {
                    self.generic_argument()?;
                }
                root
            }
            b'B' => self.back_reference(),
            _ => None,
        };
        self.depth -= 1;
        root
    }

    /// `[s<number>_]<length>[_]<bytes>`, for non-ASCII names with `u` before the length.
    fn identifier(&mut self) -> Option<&'a [u8]> {
        self.disambiguator()?;
        self.eat(b'u');
        let mut length: usize = 0;
        let mut n_digits = 0;
        while let Some(digit) = self.symbol.get(self.position).filter(|byte| byte.is_ascii_digit()) {
            length = length.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
            self.position += 1;
            n_digits += 1;
            // A leading zero is a length of its own.
            if length == 0 {
                break;
            }
        }
        if n_digits == 0 {
            return None;
        }
        self.eat(b'_');
        let end = self.position.checked_add(length)?;
        let name = self.symbol.get(self.position..end)?;
        self.position = end;
        Some(name)
    }

    fn disambiguator(&mut self) -> Option<()> {
        if self.eat(b's') { self.number().map(drop) } else { Some(()) }
    }

    /// A number with base 62, plus one unless there are no digits, up to `_`.
    fn number(&mut self) -> Option<usize> {
        if self.eat(b'_') {
            return Some(0);
        }
        let mut number: usize = 0;
        loop {
            let digit = match self.next()? {
                b'_' => return number.checked_add(1),
                byte @ b'0'..=b'9' => byte - b'0',
                byte @ b'a'..=b'z' => byte - b'a' + 10,
                byte @ b'A'..=b'Z' => byte - b'A' + 36,
                _ => return None,
            };
            // A disambiguator is a hash that may need all 64 bits; only back references need the value.
            number = number.wrapping_mul(62).wrapping_add(usize::from(digit));
        }
    }

    /// Reads a path at an earlier place.
    fn back_reference(&mut self) -> Option<&'a [u8]> {
        let own = self.position.checked_sub(1)?;
        let target = self.number()?;
        self.n_followed += 1;
        // Only backwards, so that this comes to an end, and not too often, so that it does so soon.
        if target >= own || self.n_followed > DEEPEST {
            return None;
        }
        let back = std::mem::replace(&mut self.position, target);
        let found = self.path();
        self.position = back;
        found
    }

    fn generic_argument(&mut self) -> Option<()> {
        if self.eat(b'L') {
            self.number().map(drop)
        } else if self.eat(b'K') {
            self.constant()
        } else {
            self.ty()
        }
    }

    /// Goes past a type.
    fn ty(&mut self) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let done = match self.next()? {
            b'a'..=b'z' => Some(()),
            b'A' => self.ty().and_then(|()| self.constant()),
            b'S' | b'P' | b'O' => self.ty(),
            b'R' | b'Q' => {
                if self.eat(b'L') {
                    self.number()?;
                }
                self.ty()
            }
            b'T' => self.types_to_end(),
            b'F' => {
                self.binder()?;
                self.eat(b'U');
                if self.eat(b'K') && !self.eat(b'C') {
                    self.identifier()?;
                }
                self.types_to_end()?;
                self.ty()
            }
            b'D' => self.trait_object(),
            // What it refers to was gone past before.
            b'B' => self.number().map(drop),
            _ => {
                self.position -= 1;
                self.path().map(drop)
            }
        };
        self.depth -= 1;
        done
    }

    fn types_to_end(&mut self) -> Option<()> {
        while !self.eat(b'E') {
            self.ty()?;
        }
        Some(())
    }

    fn binder(&mut self) -> Option<()> {
        if self.eat(b'G') { self.number().map(drop) } else { Some(()) }
    }

    /// Bounds, each a path with bindings of associated types, then a lifetime.
    fn trait_object(&mut self) -> Option<()> {
        self.binder()?;
        while !self.eat(b'E') {
            self.path()?;
            while self.eat(b'p') {
                self.identifier()?;
                self.ty()?;
            }
        }
        if !self.eat(b'L') {
            return None;
        }
        self.number().map(drop)
    }

    /// A placeholder, a back reference, or a type and hexadecimal digits.
    fn constant(&mut self) -> Option<()> {
        if self.eat(b'p') {
            return Some(());
        }
        if self.eat(b'B') {
            return self.number().map(drop);
        }
        self.ty()?;
        self.eat(b'n');
        while self.next()? != b'_' {}
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{defining_crate, is_doctest_code};

    #[test]
    fn the_crate_at_the_root_counts() {
        let rows = [
            // Symbols of rustc, of the crates `old` and `rust_out`.
            ("_RNvCsdqsnfIJc26X_8rust_out4main", Some("rust_out")),
            ("_RNvNvCsdqsnfIJc26X_8rust_out4main33__doctest_main_old_src_lib_rs_88_0", Some("rust_out")),
            ("_RINvCsgjExzvbi4jR_3old6largerReECsdqsnfIJc26X_8rust_out", Some("old")),
            ("_RINvCsfsoSmgLgrOF_3new6largerpEB2_", Some("new")),
            (
                "_RNCNvNtCsffpus1Q9VF1_19doctest_runner_202411___doctest_04TEST0B5_",
                Some("doctest_runner_2024"),
            ),
            // `<app::Generic<u8>>::new::{closure#0}` of an impl in `app`.
            ("_RNCNvMCsa_3appINtB4_7GenerichE3new0B4_", Some("app")),
            // `<rust_out::S as lib::T>::f`: of an impl in `rust_out`, then provided by the trait in `lib`.
            ("_RNvXCsb_8rust_outNtB2_1SNtCsa_3lib1T1f", Some("rust_out")),
            ("_RNvYNtCsb_8rust_out1SNtCsa_3lib1T1fB4_", Some("lib")),
            // A function, a trait object, an array and a tuple among the arguments.
            ("_RINvCsa_3lib1fFG_UKCRL0_hElDNtCsb_1a1BEL_Ahj4_TheEECsc_3app", Some("lib")),
            ("_ZN3lib1f17h0123456789abcdefE", None),
            ("main", None),
            ("", None),
            ("_R", None),
            ("_RNvB0_1f", None),
            ("_RNvC99999999999999999999a", None),
        ];
        for (symbol, expected) in rows {
            let found = defining_crate(symbol.as_bytes()).map(String::from_utf8_lossy);
            assert_eq!(found.as_deref(), expected, "{symbol}");
            for cut in 0..symbol.len() {
                let _ = defining_crate(&symbol.as_bytes()[..cut]);
            }
        }
        assert!(is_doctest_code(b"_RNvCsdqsnfIJc26X_8rust_out4main"));
        assert!(!is_doctest_code(b"_RINvCsgjExzvbi4jR_3old6largerReECsdqsnfIJc26X_8rust_out"));
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = [b"_R".as_slice(), &b"N".repeat(100_000)].concat();
        assert_eq!(defining_crate(&deep), None);
        let deep = [b"_RY".as_slice(), &b"S".repeat(100_000)].concat();
        assert_eq!(defining_crate(&deep), None);
    }
}
