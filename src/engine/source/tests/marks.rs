//! Markers in comments, files that say that they are generated, and the optional kinds of code.

use super::super::{Classes, Options, Problem, Reason, scan};
use super::{USUAL, check};

const ALL_CLASSES: Classes = Classes { unreachable: true, debug: true, const_fn: true };

#[track_caller]
fn rows(rows: &[&str]) {
    for row in rows {
        let scan = check(&USUAL, row);
        assert_eq!(scan.problems, [], "{row}");
    }
}

/// The problems of a source, as `line: message` with `!` before those that are errors.
fn problems(text: &str) -> Vec<String> {
    let show = |Problem { line, message, is_error, .. }: &Problem| {
        format!("{line}:{} {message}", if *is_error { "!" } else { "" })
    };
    scan(text.as_bytes(), &USUAL).problems.iter().map(show).collect()
}

#[test]
fn pairs_take_lines() {
    rows(&[
        "a();\n«// coverage:off\nb();»\n// coverage:on\nc();\n",
        "a();\n«b(); // coverage:off ffi glue\nc();»\nd(); // coverage:on\ne();\n",
        "a();\n«/* coverage:off */ b();»\n/* coverage:on */ c();\n",
        "a();\n«// LCOV_EXCL_START\nb();»\n// LCOV_EXCL_STOP\nc();\n",
        "a();\n«// because of LCOV_EXCL_START, see below\nb();»\n/* and LCOV_EXCL_STOP */\nc();\n",
        "«// coverage:off\n// LCOV_EXCL_START\na();»\n«// coverage:on\nb();»\n// LCOV_EXCL_STOP\nc();\n",
        "«// coverage:off\na();»\n// coverage:on\nb();\n«// coverage:off\nc();»\n// coverage:on\n",
        "// coverage:off // coverage:on\n«// coverage:off»\n// coverage:on\n"
            .replace("// coverage:off // coverage:on\n", "// LCOV_EXCL_START LCOV_EXCL_STOP\n")
            .as_str(),
        "/*\n«* coverage:off\n */\na();»\n// coverage:on".replace("/*\n«*", "/*\n« *").as_str(),
        "«    //coverage:off\r\n\ta();\r»\n\t// coverage:on\r\nb();\r\n",
        "«//// coverage:off\na();»\n/****** coverage:on ******/\n",
    ]);
}

#[test]
fn lines_are_taken_alone() {
    rows(&[
        "a();\n«b(); // coverage:ignore»\nc();\n",
        "a();\n«b( // coverage:ignore: why»\nc);\n",
        "a();\n«} else { // LCOV_EXCL_LINE»\nc();\n",
        "a();\n«// LCOV_EXCL_LINE»\nc();\n",
        "a();\n«b(); /* LCOV_EXCL_LINE */»",
        "a();\n«b(); // LCOV_EXCL_LINE x LCOV_EXCL_LINE»\nc();\n",
        "a(\"\n\");\n«\"\n\"; // coverage:ignore»\nb();\n".replace("«\"\n\"", "\"\n«\"").as_str(),
    ]);
}

#[test]
fn alone_on_its_line_it_is_about_what_follows() {
    rows(&[
        "// coverage:ignore\n«fn a() { b(); }»\nfn live() {}",
        "// coverage:ignore\n\n/// Documentation.\n// A comment.\n«#[inline]\nfn a() {}»\nfn live() {}",
        "/* coverage:ignore */ «fn a() {}» fn live() {}",
        "impl A {\n    // coverage:ignore (why)\n    «fn a() { b(); }»\n    fn live() {} }",
        "// coverage:ignore\n«impl A { fn b() {} }»\nfn live() {}",
        "// coverage:ignore\n«mod a { fn b() {} }»\nfn live() {}",
        "fn f() {\n // coverage:ignore\n «let a = b;»\n c(); }",
        "fn f() {\n // coverage:ignore\n «if a { b } else if c { d } else { e }»\n f(); }",
        "fn f() {\n if a { b }\n // coverage:ignore\n «else { c }»\n d(); }",
        "fn f() {\n // coverage:ignore\n «{ a(); b(); }»\n c(); }",
        "fn f() {\n // coverage:ignore\n «return Err(a(|| b));»\n }",
        "fn f() { match a {\n B => c,\n // coverage:ignore\n «D { e } | F => { g }»\n h => i } }",
        "fn f() { match a {\n B =>\n // coverage:ignore\n «c(),»\n h => i } }",
        "fn f() { match a {\n B =>\n // coverage:ignore\n «{ c() }»\n h => i } }",
        "struct A {\n // coverage:ignore\n «a: B<C, D>,»\n d: u8 }",
        "fn f() { A {\n // coverage:ignore\n «a: b(),»\n d: 1 } }",
        "fn f() { a(\n // coverage:ignore\n «b(c, d),»\n e); }",
        "fn f() { a\n.b()\n // coverage:ignore\n «.map_err(|c| d(c))?»\n.e(); }",
        "fn f() {\n // coverage:ignore\n «a = b\n + c;»\n d(); }",
        "fn f() {\n // coverage:ignore\n // coverage:ignore\n «a();»\n d(); }",
        "m! {\n // coverage:ignore\n «fn a() {}»\n fn b() {} }",
        "// coverage:ignore\n«m! { a }»\nfn live() {}",
    ]);
}

#[test]
fn what_is_no_marker_says_nothing() {
    rows(&[
        "/// coverage:off\nfn a() {}\n//! coverage:off\n/** coverage:off */\n/*! LCOV_EXCL_START */ fn b() {}\n",
        "const A: &str = \"// coverage:off\n// LCOV_EXCL_START\"; const B: &str = r#\"/* coverage:off */\"#;\n",
        "// see coverage:off\n// `coverage:off`\n// coverage: off\n// coverage:\n// coverage::off\n// coverage:80%\n",
        "// MY_LCOV_EXCL_LINE LCOV_EXCL_LINES LCOV_EXCL_BR_LINE LCOV_EXCL_BR_START xLCOV_EXCL_START\nfn a() {}",
        "// Coverage:off\n// code-coverage:off\n",
    ]);
    let options = Options { markers: false, ..USUAL };
    assert_eq!(check(&options, "a(); // coverage:ignore\n// coverage:off\n").problems, []);
}

#[test]
fn reasons_may_follow() {
    for (behind, why) in [
        ("", ""),
        (" ffi glue", "ffi glue"),
        (": ffi glue", "ffi glue"),
        (" - ffi glue", "ffi glue"),
        (" \u{2014} ffi glue", "ffi glue"),
        (" (ffi glue)", "ffi glue"),
        ("(ffi) and (glue)", "(ffi) and (glue)"),
        (", since `a - b`", "since `a - b`"),
        (" \u{1f980}\r", "\u{1f980}"),
    ] {
        for marker in ["coverage:ignore", "LCOV_EXCL_LINE"] {
            let found = scan(format!("a(); // {marker}{behind}\n").as_bytes(), &USUAL);
            let Reason::Marker { why: found, .. } = &found.excluded[0].reason else {
                panic!("{found:?}");
            };
            assert_eq!(found, why, "{behind:?}");
        }
    }
    let reason = |text: &str| scan(text.as_bytes(), &USUAL).excluded[0].reason.to_string();
    assert_eq!(reason("\n\n/* coverage:off: ffi */\n// coverage:on"), "`coverage:off` on line 3: ffi");
    assert_eq!(reason("a(); /* LCOV_EXCL_LINE */"), "`LCOV_EXCL_LINE` on line 1");
}

#[test]
fn mistakes_are_told() {
    for (text, expected) in [
        ("\n// coverage:off\n", "2:! `coverage:off` without a `coverage:on` behind it"),
        ("\n// coverage:on\n", "2:! `coverage:on` without a `coverage:off` before it"),
        (
            "// coverage:off\n\n// coverage:off\n// coverage:on\n",
            "3:! `coverage:off` within the `coverage:off` of line 1",
        ),
        ("// LCOV_EXCL_START", "1:! `LCOV_EXCL_START` without a `LCOV_EXCL_STOP` behind it"),
        ("/*\n\nLCOV_EXCL_STOP */", "3:! `LCOV_EXCL_STOP` without a `LCOV_EXCL_START` before it"),
        ("a(); // coverage:of", "1: unknown marker `coverage:of`"),
        ("a(); // coverage:off-by-one", "1: unknown marker `coverage:off-by-one`"),
        (
            "fn f() {\n a();\n // coverage:ignore\n}",
            "3:! nothing follows `coverage:ignore` that it could be about",
        ),
        ("a();\n// coverage:ignore\n", "2:! nothing follows `coverage:ignore` that it could be about"),
        (
            "// coverage:ignore\n#![allow(a)]\nfn a() {}",
            "1:! nothing follows `coverage:ignore` that it could be about",
        ),
        ("// coverage:ignore\nfn a() { (", "1: what follows `coverage:ignore` has no end"),
        ("#[test] fn a() { (", "1: unclosed delimiter: test code around it counts"),
    ] {
        assert_eq!(problems(text), [expected], "{text:?}");
    }
    assert_eq!(problems("// coverage:off\n// LCOV_EXCL_STOP\n").len(), 2);
    // What is not closed takes nothing with it.
    assert_eq!(check(&USUAL, "// coverage:off\nfn a() {}\n").excluded, []);
    let cure = |text: &str| scan(text.as_bytes(), &USUAL).problems[0].cure.clone();
    for (word, nearest) in
        [("skip", "off"), ("OFF", "off"), ("ingore", "ignore"), ("exclude", "ignore"), ("no", "on")]
    {
        let cure = cure(&format!("// coverage:{word}\n"));
        assert!(cure.starts_with(&format!("did you mean `coverage:{nearest}`?")), "{word}: {cure}");
    }
}

#[test]
fn generated_files_say_so_at_their_top() {
    for (text, line) in [
        ("// @generated by a tool\n", Some(1)),
        ("//! Text.\n//! @generated\n", Some(2)),
        ("\n\n\n\n/* a\n@generated */", None),
        ("\n\n\n/* a\n@generated */", Some(5)),
        ("// (@generated)", Some(1)),
        ("/*@generated*/", Some(1)),
        ("\n\n\n\n\n// @generated", None),
        ("// @generatedly\n// x@generated\n", None),
        ("// @generatedly @generated", Some(1)),
        ("const A: &str = \"@generated\";", None),
        ("// generated", None),
        ("//! Looks for `@generated` and \"@generated\".", None),
    ] {
        let whole = scan(text.as_bytes(), &USUAL).whole;
        assert_eq!(whole, line.map(|line| Reason::Generated { line }), "{text:?}");
    }
    let options = Options { generated: false, ..USUAL };
    assert_eq!(scan(b"// @generated", &options).whole, None);
    // Its modules are files of their own.
    assert_eq!(scan(b"// @generated\nmod a;", &USUAL).modules[0].gate, None);
}

#[test]
fn what_is_not_meant_to_run() {
    let options = Options { classes: Classes { unreachable: true, ..Classes::default() }, ..USUAL };
    for row in [
        "fn f() { match a { B => c, «_ => unreachable!(),» } }",
        "fn f() { match a { B => { c } «D | E if f => unreachable!(\"{g}\")» } }",
        "fn f() { match a { B => if c { d } else { e } «_ => { unreachable!() }» } }",
        "fn f() { match a { «#[allow(a)] B => { todo!(); },» _ => c } }",
        "fn f() { match a { «B => { { unimplemented!() } }» _ => c } }",
        "fn f() { match a { B => match c { «D => todo!(),» _ => e }, «_ => todo!()» } }",
        "fn f() { match a { B => c, _ => «unreachable!()».d(), } }",
        "fn f() { match a { B => c, _ => { d(); «unreachable!()» } } }",
        "fn f() { let A = b else «{ unreachable!() }»; c(); }",
        "fn f() { if a «{ std::unreachable!() }» else { c } }",
        "fn f() { if a { c } else «{ ::core::todo![] }» }",
        "fn f() { a.unwrap_or_else(|| «unreachable!()»); }",
        "fn f() { a(); «unreachable!();» }",
        "«pub fn f() -> u8 { todo!() }» fn live() {}",
        "impl A { «#[inline] fn f() { unimplemented!(\"a\"); }» fn live() {} }",
        "fn f() { unreachable(); other::todo!(); todo != 1; }",
    ] {
        check(&options, row);
    }
    let found = check(&options, "fn f() {\nmatch a { «_ =>\nunreachable!(),» } }");
    assert_eq!(found.excluded[0].reason.to_string(), "not meant to run: `unreachable!` on line 3");
    check(&USUAL, "fn f() { match a { _ => unreachable!(), } }");
}

#[test]
fn implementations_of_debug() {
    let options = Options { classes: Classes { debug: true, ..Classes::default() }, ..USUAL };
    for row in [
        "«impl Debug for A { fn fmt() {} }» impl Display for A {}",
        "«#[allow(a)] impl<T: Debug> std::fmt::Debug for A<T> where T: B { fn fmt() {} }» fn live() {}",
        "«unsafe\x20impl<const N: usize> fmt::Debug for [u8; { N }] { fn fmt() {} }» fn live() {}",
        "impl From<Debug> for A {} impl A<Debug> {} impl Debug { } impl DebugExt for A {} impl A for Debug {}",
        "fn f() -> impl Debug { a }",
    ] {
        check(&options, row);
    }
    check(&USUAL, "impl Debug for A { }");
}

#[test]
fn const_functions_count_if_they_ran() {
    let options = Options { classes: Classes { const_fn: true, ..Classes::default() }, ..USUAL };
    for row in [
        "«const fn f() {}» fn live() {}",
        "«#[inline] pub(crate) const\x20unsafe\x20extern \"C\" fn f() {}» fn live() {}",
        "impl A { «pub const fn f() {}» const A: fn() = b; fn live() { const { a } } }",
        "fn f<const N: usize>(a: *const u8) { const A: u8 = 1; }",
        "trait A { const fn f(); }",
    ] {
        let scan = check(&options, row);
        assert!(scan.excluded.iter().all(|excluded| excluded.unless_run));
    }
    check(&USUAL, "const fn f() {}");
}

#[test]
fn the_outer_reason_wins_and_what_may_count_after_all_holds_others() {
    let options = Options { classes: ALL_CLASSES, ..USUAL };
    let reasons = |text: &str| -> Vec<String> {
        let scan = check(&options, text);
        scan.excluded.iter().map(|excluded| excluded.reason.to_string()).collect()
    };
    assert_eq!(
        reasons("«#[cfg(test)] mod t {\n// coverage:off\nconst fn f() { todo!() }\n// coverage:on\n}»"),
        ["test code: `#[cfg(test)]` on line 1"]
    );
    assert_eq!(reasons("fn f() {\n«// coverage:off\n#[cfg(test)]\nmod t {»\n«// coverage:on\n}» }").len(), 2);
    assert_eq!(
        reasons("«const fn f() { a(); if b «{ unreachable!() }» }»"),
        ["`const fn` on line 1 that never ran", "not meant to run: `unreachable!` on line 1"]
    );
}
