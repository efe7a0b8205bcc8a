//! Broken sources: whatever the bytes, there is an answer, and it is about the file that was given.

use super::super::{Classes, Options, scan};
use super::USUAL;

const OPTIONS: Options =
    Options { classes: Classes { unreachable: true, debug: true, const_fn: true }, ..USUAL };

/// Something of everything.
const SAMPLE: &str = r##"#!/usr/bin/env cargo
//! Text. // coverage:off
#![allow(unused)]
mod a; #[cfg(any(test, not(x)))] #[path = "b\u{62}.rs"] mod b { mod c; include!("d"); }
#[cfg(all(test, unix))] pub(crate) fn t<const N: usize = { 1 }>(a: &'a str) -> A<{ N }> where B: C, { 'x' }
fn f<'a>(x: u8, #[cfg(test)] y: HashMap<A, B>) {
    // coverage:ignore: why
    let A { b, .. } = c::<D, E>(r#"""#, b'\'', '\u{1f600}', 1.0e-5, 0xff) else { return };
    /* a /* b */ LCOV_EXCL_START */ g(); // LCOV_EXCL_STOP
    match unsafe_(d) { #[test] E { f } if g => |a, b| a < b, _ => { unreachable!("{}", 1) } }
    cfg_if! { if #[cfg(not(test))] { a } else if #[cfg(x)] { b } else { c } }
    cfg_select! { test => { a } not(test) => b, _ => {} }
    for x in 0..=9 { if let Some(y) = z { #[cfg(test)] loop { break } } else { w?.await } } // coverage:on
}
proptest! { #[test] fn a() {} } quote! { #[test] } macro_rules! m { ($(#[$a:meta])*) => { $a } }
const unsafe_: u8 = 1; const fn h() {} impl<T> fmt::Debug for A<T> { } // coverage:offf
"##;

/// Scans, and checks what must hold for every input.
fn scan_checked(text: &[u8]) {
    let found = scan(text, &OPTIONS);
    let n_lines = text.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1;
    for excluded in &found.excluded {
        assert!(excluded.start < excluded.end, "{excluded:?}");
        assert!(excluded.start.line >= 1 && excluded.start.column >= 1, "{excluded:?}");
        assert!(excluded.end.line <= n_lines, "{excluded:?}");
        assert!(excluded.reason.line() <= n_lines, "{excluded:?}");
    }
    for unless_run in [false, true] {
        let same: Vec<_> = found.excluded.iter().filter(|one| one.unless_run == unless_run).collect();
        assert!(same.windows(2).all(|pair| pair[0].end <= pair[1].start), "{same:?}");
    }
    assert!(found.problems.is_sorted());
    assert!(found.problems.iter().all(|problem| (1..=n_lines).contains(&problem.line)));
    assert!(found.modules.iter().all(|module| (1..=n_lines).contains(&module.line)));
}

#[test]
fn every_cut_of_a_source_has_an_answer() {
    for sample in
        [SAMPLE, include_str!("test_code.rs"), include_str!("marks.rs"), include_str!("../lexer.rs")]
    {
        // Counters make this ten times slower: what is measured takes fewer of the cuts.
        let cuts = if cfg!(coverage) { 800 } else { 3000 };
        let step = if sample == SAMPLE { 1 } else { 1 + sample.len() / cuts };
        for length in (0..sample.len()).step_by(step) {
            scan_checked(&sample.as_bytes()[..length]);
            scan_checked(&sample.as_bytes()[length..]);
        }
    }
}

#[test]
fn every_changed_byte_has_an_answer() {
    for offset in 0..SAMPLE.len() {
        for byte in [0, b'"', b'\'', b'{', b'}', b'#', b'<', b'/', b'*', b'\n', 0x80, 0xff] {
            let mut text = SAMPLE.as_bytes().to_vec();
            text[offset] = byte;
            scan_checked(&text);
            text.remove(offset);
            scan_checked(&text);
        }
    }
}

#[test]
fn random_tokens_have_an_answer() {
    const PIECES: &[&str] = &[
        "#[cfg(test)]",
        "#[test]",
        "#",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        ",",
        ";",
        "=>",
        "->",
        "=",
        "|",
        "'",
        "\"",
        "a",
        "A",
        "fn",
        "mod",
        "impl",
        "match",
        "if",
        "else",
        "for",
        "let",
        "in",
        "!",
        "$",
        ".",
        "::",
        "r#\"",
        "/*",
        "*/",
        "//",
        "\n",
        "cfg_if!",
        "cfg_select!",
        "proptest!",
        "unreachable!()",
        "const",
        "Debug",
        "not(test)",
        "#![cfg(test)]",
        "// coverage:ignore\n",
        "// coverage:off\n",
        "union",
        "where",
        "extern",
        "\"C\"",
        "1",
        "..",
        "struct",
        "use",
    ];
    // Marsaglia's xorshift: the same on every machine.
    let mut state = 0x9e37_79b9_u32;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..24 {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            text.push_str(PIECES[state as usize % PIECES.len()]);
            if state & 0x100 == 0 {
                text.push(' ');
            }
        }
        scan_checked(text.as_bytes());
    }
}

/// Work and depth grow with the input: each of these would take hours, or the whole stack, if it grew faster.
#[test]
fn deep_and_long_sources_have_an_answer() {
    // Counters make this ten times slower.
    const N: usize = if cfg!(coverage) { 50_000 } else { 200_000 };
    for unit in [
        "(",
        ")",
        "{",
        "[",
        "#[cfg(",
        "#[cfg_attr(test, ",
        "#[cfg(not(",
        "#[test]",
        "#[test] fn a ",
        "#[test] (",
        "/*",
        "'",
        "r#",
        "r####",
        "\"",
        "<",
        "A<",
        "match ",
        "match a {",
        "if a {",
        "a => ",
        "#[test] a => ",
        "// coverage:ignore\na\n",
        "// coverage:ignore\n{\n",
        "// coverage:ignore\n(",
        "// coverage:off\n",
        "unreachable!() ",
        "{ unreachable!()",
        "match a { _ => ",
        "_ => todo!(), ",
        "if #[cfg(not(test))] {} else ",
        "cfg_select! { not(test) => ",
        "cfg_select! { test => {} } ",
        "mod a { mod b; ",
        "match a { #[test] b ",
        "mod a { ",
        "mod a;",
        "#![cfg(test)]",
        "{ #![cfg(test)] ",
        "const fn a ",
        "impl Debug for ",
        "impl ",
        "fn a() -> ",
        "if let ",
        "pub(",
        "#[test] pub ",
        "#[test] $(",
        "else if a {} ",
        "#[cfg(test)] if a {} else ",
        "proptest! {",
        "include!(\"",
        "a::",
        "a::b::proptest!{} ",
        "|",
        "#[test] |a",
        "1.",
        "1e",
        "b'",
        "'\\",
        "//",
        "LCOV_EXCL_",
        "// LCOV_EXCL_LINE LCOV_EXCL_",
        "/* @generated",
        "// @generated",
        "\u{feff}",
        "\n",
        "#[path=\"a\"]",
        "#[path=\"a\"] mod a {",
    ] {
        let mut text = unit.repeat(N / unit.len().max(4) * 4);
        scan_checked(text.as_bytes());
        scan_checked(format!("match a {{ {text} }}").as_bytes());
        // Some is only seen once it is closed.
        let close: String = unit
            .chars()
            .rev()
            .filter_map(|char| match char {
                '(' => Some(')'),
                '[' => Some(']'),
                '{' => Some('}'),
                _ => None,
            })
            .collect();
        text.push_str(&close.repeat(N / unit.len().max(4) * 4));
        scan_checked(text.as_bytes());
    }
}

#[test]
fn broken_code_takes_nothing_with_it() {
    for text in [
        "#[cfg(test)] mod t { fn a() { \n pub fn live() {}",
        "#[test] fn a() { \" } fn live() {}",
        "#[cfg(test)",
        "#[cfg(test",
        "#[cfg(test)]",
        "fn f() { #[cfg(test)] }",
        "#[test] fn a() { /* } fn live() {}",
        "} ) ] #[cfg(tes)] mod t {}",
    ] {
        assert_eq!(scan(text.as_bytes(), &USUAL).excluded, [], "{text}");
    }
    // A block closes what is open in it.
    let excluded = scan(b"#[test] fn a() { ( } fn live() {}", &USUAL).excluded;
    assert_eq!(excluded[0].end.column, 21);
    // A closing delimiter too many hides nothing behind it.
    assert_eq!(scan(b"} ) #[test] fn a() {} ] fn live() {}", &USUAL).excluded.len(), 1);
}

#[test]
fn columns_are_those_of_rustc() {
    let start = |text: &[u8]| {
        let start = scan(text, &USUAL).excluded[0].start;
        (start.line, start.column)
    };
    assert_eq!(start(b"\xef\xbb\xbf#[test] fn t() {}"), (1, 1));
    assert_eq!(start(b"\xef\xbb\xbf\n  #[test] fn t() {}"), (2, 3));
    assert_eq!(start(b"// a\r\n\t#[test] fn t() {}\r\n"), (2, 2));
    assert_eq!(start(b"// a\x0c\r b\n\x0c#[test] fn t() {}\r\n"), (2, 2));
    assert_eq!(start("/* \u{1f980} */ #[test] fn t() {}".as_bytes()), (1, 12));
    assert_eq!(start(b"/* \xff */ #[test] fn t() {}"), (1, 9));
    assert_eq!(start("\u{2028}#[test] fn t() {}".as_bytes()), (1, 4));
}
