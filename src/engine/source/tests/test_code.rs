//! Test code: which attributes make it, and where it ends.

use super::super::{ModuleFile, Options};
use super::{USUAL, check};

#[track_caller]
fn rows(rows: &[&str]) {
    for row in rows {
        check(&USUAL, row);
    }
}

#[test]
fn items_end_where_they_do() {
    rows(&[
        "«#[cfg(test)] mod t { fn a() {} }» fn live() {}",
        "«#[cfg(test)] mod t;» mod live;",
        "«#[cfg(test)]\npub(crate) mod t;»\nfn live() {}",
        "«#[cfg(test)] fn t<T>(a: [u8; 3]) -> Vec<T> where T: Into<A<{ 3 }>>, { a; }» fn live() {}",
        "«#[cfg(test)] fn t() -> A<{ N + 1 }> { 1 }» fn live() {}",
        "«#[cfg(test)] fn t<const N: usize = { 3 }>() where [(); { N }]: Sized {}» fn live() {}",
        "«#[cfg(test)] pub const\x20unsafe\x20extern \"C\" fn t() {}» fn live() {}",
        "«#[cfg(test)] async\x20unsafe\x20fn t() {}» fn live() {}",
        "trait T { «#[cfg(test)] fn t(&self);» fn live(&self) {} }",
        "trait T { «#[cfg(test)] fn t(&self) {}» fn live(&self) {} }",
        "«#[cfg(test)] fn t() -> impl Fn() -> u8 + use<> { || { 1 } }» fn live() {}",
        "«#[cfg(test)] impl A<{ N }> for B<{ M }> where C: D { fn t() {} }» fn live() {}",
        "«#[cfg(test)] unsafe\x20impl<T> A for B<T> {}» fn live() {}",
        "impl A { «#[cfg(test)] fn t() {}» fn live() {} «#[cfg(test)] const T: u8 = { 3 };» fn b() {} }",
        "«#[cfg(test)] use a::{b, c::{d}};» fn live() {}",
        "«#[cfg(test)] extern crate a;» fn live() {}",
        "«#[cfg(test)] extern \"C\" { fn t(); }» fn live() {}",
        "«#[cfg(test)] unsafe\x20extern \"C\" { fn t(); }» fn live() {}",
        "«#[cfg(test)] extern { fn t(); }» fn live() {}",
        "«#[cfg(test)] extern \"C\" fn t() {}» fn live() {}",
        "«#[cfg(test)] const A: [u8; 2] = [{ 1; 2 }, 3];» fn live() {}",
        "«#[cfg(test)] const _: () = { fn a() {} };» fn live() {}",
        "«#[cfg(test)] static mut A: fn() -> u8 = || { 1 };» fn live() {}",
        "«#[cfg(test)] type A<T> = fn(T) -> [T; 2];» fn live() {}",
        "«#[cfg(test)] struct A;» fn live() {}",
        "«#[cfg(test)] struct A<T>(T) where T: B;» fn live() {}",
        "«#[cfg(test)] pub struct A<const N: usize = { 1 }> where T: B, { a: u8 }» fn live() {}",
        "«#[cfg(test)] enum A { B { c: u8 }, D = 3 }» fn live() {}",
        "«#[cfg(test)] union A { b: u8 }» fn live() {}",
        "«#[cfg(test)] trait A<T>: B<{ C }> { fn t(); }» fn live() {}",
        "«#[cfg(test)] macro_rules! a { ($b:expr) => { $b; }; }» fn live() {}",
        "«#[cfg(test)] macro_rules! a( () => {} );» fn live() {}",
        "«#[cfg(test)] macro a($b:expr) { $b }» fn live() {}",
        "«#[cfg(test)] a::b! { c }» fn live() {}",
        "«#[cfg(test)] a!(b);» fn live() {}",
        "«#[cfg(test)] a![b; 3];» fn live() {}",
        "«#[cfg(test)]\n/// Documentation.\n#[allow(unused)]\n// A comment.\nmod r#mod { }»\nfn live() {}",
        "«#[allow(unused)] #[cfg(test)] #[inline] fn t() {}» fn live() {}",
        "«#[cfg(test)] impl<'a> Fn<(&'a str,)> for B<'a> where for<'b> C<'b>: D {}» fn live() {}",
    ]);
}

#[test]
fn statements_end_where_they_do() {
    rows(&[
        "fn f() { «#[cfg(test)] let a = b;» c(); }",
        "fn f() { «#[cfg(test)] let Some(a) = b else { return; };» c(); }",
        "fn f() { «#[cfg(test)] let a = A { b, c: |d| { e; } };» c(); }",
        "fn f() { «#[cfg(test)] let a: B<C, { D }> = e;» c(); }",
        "fn f() { «#[cfg(test)] a(b, |c| { d; });» c(); }",
        "fn f() { «#[cfg(test)] { a; b }» c(); }",
        "fn f() { «#[cfg(test)] { a }.b();» c(); }",
        "fn f() { «#[cfg(test)] if a { b } else if c == (D {}) { e } else { f }» c(); }",
        "fn f() { «#[cfg(test)] if let A { b } = c && let D { .. } = e { f }» c(); }",
        "fn f() { «#[cfg(test)] if a { b }» if c { d } }",
        "fn f() { «#[cfg(test)] if { a } { b }» c(); }",
        "fn f() { «#[cfg(test)] match a { B { c } => d, _ => {} }» c(); }",
        "fn f() { «#[cfg(test)] match unsafe\x20{ a } { _ => {} }» c(); }",
        "fn f() { «#[cfg(test)] match match a { _ => b } { _ => {} }» c(); }",
        "fn f() { «#[cfg(test)] match a { _ => b }.c();» d(); }",
        "fn f() { «#[cfg(test)] match a { _ => b };» d(); }",
        "fn f() { «#[cfg(test)] 'a: loop { break 'a; }» c(); }",
        "fn f() { «#[cfg(test)] 'a: { break 'a; }» c(); }",
        "fn f() { «#[cfg(test)] for A { b, .. } in c.d(|e| { f }) { g }» c(); }",
        "fn f() { «#[cfg(test)] for a in 0.. { g }» c(); }",
        "fn f() { «#[cfg(test)] while let Some(A { b }) = c { d }» c(); }",
        "fn f() { «#[cfg(test)] unsafe\x20{ a }» c(); }",
        "fn f() { «#[cfg(test)] async move { a };» c(); }",
        "fn f() { «#[cfg(test)] const { a }» c(); }",
        "fn f() { «#[cfg(test)] a! { b }» c(); }",
        "fn f() { «#[cfg(test)] a! { b }.c()?;» c(); }",
        "fn f() { «#[cfg(test)] a!(b);» c(); }",
        "fn f() { «#[cfg(test)] return a;» c(); }",
        "fn f() { c(); «#[cfg(test)] a + b» }",
        "fn f() { «#[cfg(test)] fn g() {}» c(); }",
        "fn f() { a(b, «#[cfg(test)] c,» d, «#[cfg(test)] e»); }",
        "fn f() { [a, «#[cfg(test)] b < c,» d]; }",
        "fn f() { a(|b, c| { «#[cfg(test)] d;» e }); }",
        "fn f() { let a = |b| -> C { «#[cfg(test)] d(e, g);» e }; }",
    ]);
}

#[test]
fn arms_fields_and_parameters_end_where_they_do() {
    rows(&[
        "fn f() { match a { «#[cfg(test)] B => c,» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B { c, .. } | D(E, F) if g => { h }» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B => { c },» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B => { c }.d(),» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B => if c { d } else { e }» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B => match c { d => e, },» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B => c::<D, E>(),» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B => |c, d| c + d,» D => e, } }",
        "fn f() { match a { «#[cfg(test)] B if let Some(C { d }) = e => f < g,» D => e, } }",
        "fn f() { match a { B => c, «#[cfg(test)] D => e» } }",
        "fn f() { match a { B if c => { d } «#[cfg(test)] D => E { f, g },» _ => {} } }",
        "struct A { «#[cfg(test)] b: HashMap<C, [D; 2]>,» c: u8 }",
        "struct A { b: u8, «#[cfg(test)] pub(crate) c: fn(u8, u8) -> B<C, D>» }",
        "struct A(«#[cfg(test)] HashMap<C, D>,» pub u8);",
        "struct A(«#[cfg(test)] pub u8,» pub u8);",
        "enum A { «#[cfg(test)] B,» C { «#[cfg(test)] d: E<F, G>,» h: u8 }, «#[cfg(test)] I = 1 << 3,» J }",
        "fn f(a: u8, «#[cfg(test)] b: HashMap<C, D>,» e: u8) {}",
        "fn f(«#[cfg(test)] a: impl Fn(u8, u8) -> u8, »b: u8) {}".replace(", »b", ",» b").as_str(),
        "fn f() { let a = A { b, «#[cfg(test)] c: d < e,» g: h }; }",
        "fn f() { let A { b, «#[cfg(test)] c,» .. } = d; }",
        "fn f<«#[cfg(test)] A: B<C, D>,» E>() {}",
        "fn f<A, «#[cfg(test)] const N: usize»>() { a(); }",
        "impl<A, «#[cfg(test)] B»> C for D { fn f() { a(); } }",
    ]);
}

#[test]
fn what_implies_test_is_test_code() {
    for predicate in [
        "test",
        " test , ",
        "all(test, unix)",
        "all(unix, feature = \"a\", any(test))",
        "any(test, all(test, unix))",
        "not(not(test))",
        "not(any(not(test), unix))",
        "all(not(unix), test)",
        "any(test, doctest)",
        "any(all(test, unix), all(test, windows))",
        "all(version(\"1.80\"), test)",
        "any(test, false)",
    ] {
        check(&USUAL, &format!("«#[cfg({predicate})] fn t() {{}}» fn live() {{}}"));
    }
    for predicate in [
        "not(test)",
        "any(test, feature = \"test-util\")",
        "not(all(test, unix))",
        "feature = \"test\"",
        "test = \"1\"",
        "testing",
        "not(any(test, unix))",
        "any(not(test), test)",
        "all()",
        "any()",
        "false",
        "",
        "all(unix",
        "version(test)",
    ] {
        check(&USUAL, &format!("#[cfg({predicate})] fn t() {{}} fn live() {{}}"));
    }
}

#[test]
fn attributes_of_tests_are_known() {
    for attribute in [
        "test",
        "tokio::test",
        "tokio::test(flavor = \"multi_thread\")",
        "::core::prelude::v1::test",
        "rstest",
        "wasm_bindgen_test",
        "sqlx::test",
        "test_log::test(tokio::test)",
        "traced_test",
        "test_case(1, 2 ; \"name\")",
        "test_matrix([1, 2], [3])",
        "rstest::fixture",
        "fixture",
        "quickcheck",
        "proptest",
        "property_test",
        "bench",
        "divan::bench(args = [1])",
        "parameterized(a = { 1 })",
        "test_with::env(A)",
        "cfg_attr(not(loom), test)",
        "cfg_attr(target_family = \"wasm\", wasm_bindgen_test, allow(unused))",
        "cfg_attr(unix, cfg_attr(loom, test))",
        "cfg_attr(not(test), cfg(test))",
        "googletest::gtest",
        "should_panic",
    ] {
        check(&USUAL, &format!("«#[{attribute}] fn t() {{}}» fn live() {{}}"));
    }
    for attribute in [
        "doc(cfg(test))",
        "cfg_attr(docsrs, doc(cfg(test)))",
        "cfg_attr(test, derive(Debug))",
        "cfg_attr(test, allow(unused))",
        "cfg_attr(unix, cfg(test))",
        "cfg_attr(test, cfg(test))",
        "doc = \"#[cfg(test)]\"",
        "derive(test)",
        "my::cfg(test)",
        "latest",
        "contest",
        "testing",
        "test_util",
        "case(1)",
        "instrument(test)",
    ] {
        check(&USUAL, &format!("#[{attribute}] fn t() {{}} fn live() {{}}"));
    }
}

#[test]
fn what_is_no_attribute_is_not_read() {
    rows(&[
        "const A: &str = \"#[cfg(test)] mod t {\"; fn live() {}",
        "const A: &str = r##\"\"# #[cfg(test)] mod t {\"##; fn live() {}",
        "const A: &[u8] = br#\"#[test] fn t() {}\"#; const B: &CStr = cr\"#[test] fn\"; fn live() {}",
        "const A: &[u8] = b\"\\\"#[test]\"; fn live() {}",
        "// #[cfg(test)]\nfn live() {}",
        "/* /* */ #[cfg(test)] */ fn live() {}",
        "/// #[cfg(test)]\nfn live() {}",
        "fn live<'a>(a: &'a str) -> char { match b { '\"' => '\\'', b'\"' => '#', _ => '[' } }",
        "fn live<'r>(r: &'r str) -> [char; 2] { ['\\u{22}', '字'] } «#[test] fn t() {}»",
        "fn live() { r#match!(r#\"#[test]\"#); } «#[test] fn t() {}»",
        "fn live() { let a = 1.0e-5; let b = 1..2; let c = 1.max(2); let d = 0xE+1; } «#[test] fn t() {}»",
        "#![allow(unused)] «#[test] fn t() {}»",
        "#!/usr/bin/env run\n'«#[test] fn t() {}»".trim_matches('\''),
        "#!/usr/bin/env '\"\nfn live() {} «#[test] fn t() {}»",
    ]);
}

#[test]
fn inner_attributes_are_about_what_they_stand_in() {
    rows(&[
        "fn live() {} «#[allow(unused)] pub mod t { #![allow(a)] #![cfg(test)] fn a() {} #[test] fn b() {} }» fn b() {}",
        "«fn t() { #![cfg(test)] a(); }» fn live() {}",
        "mod a { #![cfg(not(test))] fn live() {} }",
    ]);
    let whole = check(&USUAL, "//! Tests.\n#![cfg(test)]\nmod a;\nfn t() {}\n");
    let reason = whole.whole.expect("the file is test code");
    assert_eq!(reason.to_string(), "test code: `#![cfg(test)]` on line 2");
    assert_eq!(whole.modules[0].gate, Some(reason));
    assert_eq!(check(&USUAL, "#![cfg(not(test))]\nfn live() {}").whole, None);
}

#[test]
fn macro_calls_are_looked_through() {
    rows(&[
        "cfg_rt! { fn live() {} «#[cfg(test)] mod t { }» mod b { } }",
        "cfg_rt! { «#[cfg(test)] mod t;» mod b; }",
        "cfg_if! { if «#[cfg(test)] { fn t() {} }» else { fn live() {} } }",
        "cfg_if! { if #[cfg(unix)] { fn live() {} } else if «#[cfg(test)] { fn t() {} }» else { fn b() {} } }",
        "cfg_if! { if #[cfg(not(test))] { fn live() {} } «else { fn t() {} }» } fn b() {}",
        "cfg_if! { if #[cfg(not(test))] { fn live() {} } «else if #[cfg(unix)] { } else { }» } fn b() {}",
        "cfg_if! { if #[cfg(not(test))] { «#[test] fn a() {}» fn live() {} } «else { fn t() {} }» }",
        "cfg_select! { «test => { fn t() {} }» unix => { fn live() {} } _ => {} }",
        "cfg_select! { not(test) => { fn live() {} } «_ => { fn t() {} }» }",
        "const A: u8 = cfg_select! { «test => 1,» _ => 2, };",
        "«proptest! { #[test] fn t(a in 0..3) { } }» fn live() {}",
        "«proptest::proptest!(#![config(a)] fn t() {});» fn live() {}",
        "«#[allow(unused)] quickcheck! { fn t() {} }» fn live() {}",
        "«prop_compose! { fn t()(a in 0..3) -> u8 { a } }» fn live() {}",
        "macro_rules! proptest { () => { fn live() {} } }",
        "macro_rules! a { ($(#[$b:meta])* $c:ident) => { $(#[$b])* fn $c() {} } } fn live() {}",
        "macro_rules! a { ($c:ident) => { «#[test] fn $c() { $d }» fn live() {} }; }",
        "macro_rules! a { ($($b:item)*) => { $( «#[cfg(test)] $b» )* } } fn live() {}",
        "macro_rules! a { ($v:vis $b:ident) => { «#[cfg(test)] $(#[$c])* $v fn $b() { }» fn live() {} } }",
        "fn live() { quote! { #[test] fn #name() { } } } «#[test] fn t() { }»",
        "fn live() { quote_spanned!(a => #[cfg(test)] mod t { }); }",
        "select! { «#[cfg(test)] a = b => { c }» d = e => { f } }",
        "cases! { a { b } «#[should_panic] c { d }» e { f } «#[test] g { h }» #[i] j { k } }",
        "cases! { «#[test] a => { b }» c => { d } «#[test] e => f { g } else { h },» i => j }",
        "lazy_static! { «#[cfg(test)] static ref A: B<C, D> = e;» static ref F: u8 = 1; }",
        "bitflags! { struct A: u8 { «#[cfg(test)] const B = 1;» const C = 2; } }",
    ]);
}

#[test]
fn reasons_name_the_attribute_and_its_line() {
    let reason = |text: &str| check(&USUAL, text).excluded[0].reason.to_string();
    assert_eq!(
        reason("\n«#[allow(unused)]\n#[cfg(all(\n    test,\n    unix,\n))]\nmod t {}»\n"),
        "test code: `#[cfg(all( test, unix, ))]` on line 3"
    );
    assert_eq!(reason("«#[tokio::test]\nasync fn t() {}»"), "test code: `#[tokio::test]` on line 1");
    assert_eq!(reason("\n«proptest! { }»"), "test code: `proptest!` on line 2");
    assert_eq!(
        reason("cfg_if! { if #[cfg(not(test))] { } «else { }» }"),
        "test code: `else of #[cfg(not(test))]` on line 1"
    );
    assert_eq!(reason("cfg_select! { «test => { }» }"), "test code: `test =>` on line 1");
}

#[test]
fn test_code_counts_if_it_shall() {
    let options = Options { tests: false, ..USUAL };
    let scan = check(
        &options,
        "#![cfg(test)] #[cfg(test)] mod t { #[test] fn a() {} } proptest! { } #[cfg(test)] mod b;",
    );
    assert_eq!(scan.whole, None);
    assert_eq!(scan.modules.len(), 1);
    assert_eq!(scan.modules[0].gate, None);
}

#[test]
fn modules_are_found_with_what_says_where_they_are() {
    let text = "mod a;\n#[path = \"b/c.rs\"] pub(crate) mod b;\n\
        #[cfg_attr(unix, path = \"u.rs\")] #[cfg_attr(windows, path = r#\"w.rs\"#)] mod c;\n\
        mod d { mod r#fn; #[path = \"x\"] mod e { mod f; } mod g; }\n\
        macro_rules! m { () => { mod $name; } }\n include!(\"lit.rs\");\n include!(concat!(\"a\", \"b\"));\n\
        #[path = \"no.rs\"] fn x() {} mod h;";
    let scan = check(&USUAL, text);
    let found: Vec<String> = scan
        .modules
        .iter()
        .map(|module| {
            let within: Vec<String> = module
                .within
                .iter()
                .map(|within| format!("{}@{}/", within.name, within.path.as_deref().unwrap_or("")))
                .collect();
            let file = match &module.file {
                ModuleFile::Declared { name, paths, may_be_elsewhere } => {
                    format!("{name} {} {may_be_elsewhere}", paths.join(","))
                }
                ModuleFile::Included { path } => format!("include {path}"),
            };
            format!("{}: {}{file}", module.line, within.concat())
        })
        .collect();
    assert_eq!(
        found,
        [
            "1: a  true",
            "2: b b/c.rs false",
            "3: c u.rs,w.rs true",
            "4: d@/fn  true",
            "4: d@/e@x/f  true",
            "4: d@/g  true",
            "6: include lit.rs",
            "8: h  true",
        ]
    );
}

#[test]
fn modules_within_test_code_do_not_count() {
    let text = "«#[cfg(test)] mod t { mod a; }»\nmod b;\n// coverage:ignore: ffi\n«mod c;»\n\
        «#[cfg(test)]\ninclude!(\"d.rs\");»\n«// coverage:off\n#[cfg(test)] mod e;\nmod f;»\n// coverage:on\n";
    let scan = check(&USUAL, text);
    let gates: Vec<String> = scan
        .modules
        .iter()
        .map(|module| module.gate.as_ref().map_or_else(String::new, |gate| gate.to_string()))
        .collect();
    assert_eq!(
        gates,
        [
            "test code: `#[cfg(test)]` on line 1",
            "",
            "`coverage:ignore` on line 3: ffi",
            "test code: `#[cfg(test)]` on line 5",
            "test code: `#[cfg(test)]` on line 8",
            "",
        ]
    );
}
