//! What is found in TOML files, and what edits make of them: rows of text before and after.

use super::edit::quoted;
use super::{Document, Kind};

fn parse(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// Checks what `edit` makes of `before`, and the same with CRLF.
#[track_caller]
fn check(before: &str, edit: impl Fn(&mut Document) -> Result<(), super::Error>, after: &str) {
    for line_end in ["\n", "\r\n"] {
        let mut document = parse(&before.replace('\n', line_end));
        edit(&mut document).unwrap_or_else(|error| panic!("{error} in\n{before}"));
        // One line without an end does not tell.
        let line_end = if before.contains('\n') { line_end } else { "\n" };
        assert_eq!(document.text(), after.replace('\n', line_end));
    }
}

#[track_caller]
fn refuse(before: &str, edit: impl Fn(&mut Document) -> Result<(), super::Error>, expected: &str) {
    let mut document = parse(before);
    let error = edit(&mut document).expect_err("it is refused");
    assert_eq!(error.to_string(), expected);
    assert_eq!(document.text(), before);
}

#[test]
fn values_are_found_in_every_form() {
    let text = "\
\u{feff}# comment = \"no key\"
top = 1979-05-27 07:32:00 # a date
workspace.members = [ # [
  \"a\", 'b',
  { path = \"c\" }, # , \"x\"
]
\"quoted key\".inner = '''
it's ''x'''''

[package]
name = \"it\\u0073 \\\"x\\\"\" # name
[ alias ] # b = \"no\"
b = { c = { d = [\"e\"] }, f.g = true }
[[bin]]
name = \"one\"
[[bin]]
name = \"two\"
[profile.dev.package.\"*\"]
debug = false
long = \"\"\"
# [no.table]
x \\
   y\"\"\"
";
    let document = parse(text);
    assert_eq!(document.text(), text);
    assert_eq!(document.texts_at(&["workspace", "members"]), Some(vec!["a", "b"]));
    assert_eq!(document.text_at(&["quoted key", "inner"]), Some("it's ''x''"));
    assert_eq!(document.text_at(&["package", "name"]), Some("its \"x\""));
    assert_eq!(document.texts_at(&["alias", "b", "c", "d"]), Some(vec!["e"]));
    assert!(matches!(document.get(&["alias", "b", "f", "g"]).map(|value| &value.kind), Some(Kind::Other)));
    assert!(matches!(document.get(&["alias", "b"]).map(|value| &value.kind), Some(Kind::Inline)));
    assert_eq!(document.text_at(&["profile", "dev", "package", "*", "long"]), Some("# [no.table]\nx y"));
    let top = document.get(&["top"]).map(|value| text[value.span.clone()].to_owned());
    assert_eq!(top.as_deref(), Some("1979-05-27 07:32:00"));
    assert_eq!(document.names_in(&["profile", "dev", "package"]), ["*"]);
    assert_eq!(document.names_in(&["alias"]), ["b"]);
    for there in [&["workspace"][..], &["profile"], &["bin"], &["alias", "b", "c"]] {
        assert!(document.has(there), "{there:?}");
    }
    for missing in [&["comment"][..], &["no"], &["alias", "c"], &["path"], &["workspace", "exclude"]] {
        assert!(!document.has(missing), "{missing:?}");
    }
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    for (text, expected) in [
        ("a = 1\nb\n", "line 2: expected `=` behind a key"),
        ("a = \"x\n", "line 1: this string has no end"),
        ("\n\na = '''x\n", "line 3: this string has no end"),
        ("a = [1,\n2\n", "line 3: expected `,` or `]` in an array"),
        ("a = { b = 1\n}", "line 1: expected `,` or `}` in an inline table"),
        ("[a\nb = 1", "line 1: expected `]` behind the name of the table"),
        ("[[a]\n", "line 1: expected `]]` behind the name of the table"),
        ("a = \n", "line 1: expected a value"),
        ("a = 1 \"b\"\n", "line 1: expected the end of the line"),
        ("= 1\n", "line 1: expected a key"),
        ("a = \"\\q\"\n", "line 1: `\\q` means nothing in a string"),
        ("a = \"\\uD800\"\n", "line 1: `\\uD800` is no character"),
    ] {
        let error = Document::parse(text).expect_err("it is refused");
        assert_eq!(error.to_string(), expected, "{text:?}");
    }
    let deep = format!("a = {}", "[".repeat(100));
    assert!(Document::parse(deep).is_err());
}

#[test]
fn cut_anywhere_it_is_read_or_refused() {
    let text = "\u{feff}a.\"b\" = [ 'x', \"\"\"y\\u00e9\"\"\" ] # ä\r\n[t]\r\nc = { d = 1, e = 'ü' }\r\n";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        // Neither is wrong; only a panic is.
        _ = Document::parse(&text[..end]);
    }
}

#[test]
fn arrays_grow_as_they_are_written() {
    let push = |document: &mut Document| document.push(&["w", "m"], "\"x\"");
    for (before, after) in [
        ("[w]\nm = []\n", "[w]\nm = [\"x\"]\n"),
        ("[w]\nm = [ ]\n", "[w]\nm = [\"x\" ]\n"),
        ("[w]\nm = [\"a\"] # c\nn = 1\n", "[w]\nm = [\"a\", \"x\"] # c\nn = 1\n"),
        ("[w]\nm = [ \"a\" , ]\n", "[w]\nm = [ \"a\" , \"x\", ]\n"),
        ("w.m = ['a', 'b',]", "w.m = ['a', 'b', \"x\",]"),
        ("w = { m = [\"a\"], n = 1 }\n", "w = { m = [\"a\", \"x\"], n = 1 }\n"),
        ("[w]\nm = [\n    \"a\",\n    \"b\",\n]\n", "[w]\nm = [\n    \"a\",\n    \"b\",\n    \"x\",\n]\n"),
        (
            "[w]\nm = [\n\t\"a\",\n\t\"b\" # no comma, here\n\t# more\n]\n",
            "[w]\nm = [\n\t\"a\",\n\t\"b\", # no comma, here\n\t\"x\"\n\t# more\n]\n",
        ),
        (
            "[w]\nm = [\n  \"a\", # why\n  # the end\n]\n",
            "[w]\nm = [\n  \"a\", # why\n  \"x\",\n  # the end\n]\n",
        ),
        ("[w]\nm = [\n  # none\n]\n", "[w]\nm = [\n  # none\n    \"x\",\n]\n"),
        ("[w]\nm = [\"a\",\n     \"b\"]\n", "[w]\nm = [\"a\",\n     \"b\", \"x\"]\n"),
    ] {
        check(before, push, after);
    }
    refuse("[w]\nn = 1\nm = 'a'\n", push, "line 3: `w.m` is no array");
    refuse("", push, "line 1: `w.m` is no array");
}

#[test]
fn tables_grow_as_they_are_written() {
    let insert = |document: &mut Document| document.insert(&["alias"], "x", "1");
    for (before, after) in [
        ("", "[alias]\nx = 1\n"),
        ("a = 1\n", "a = 1\n\n[alias]\nx = 1\n"),
        ("[a]\nb = 1\n", "[a]\nb = 1\n\n[alias]\nx = 1\n"),
        ("[a]\nb = 1", "[a]\nb = 1\n\n[alias]\nx = 1\n"),
        ("[alias]\n", "[alias]\nx = 1\n"),
        ("[alias]", "[alias]\nx = 1\n"),
        (
            "[alias] # ours\nb = 1 # one\n\n# about the next\n[c]\n",
            "[alias] # ours\nb = 1 # one\nx = 1\n\n# about the next\n[c]\n",
        ),
        ("[alias]\nb = [\n 1,\n]\n[c]\nx = 2\n", "[alias]\nb = [\n 1,\n]\nx = 1\n[c]\nx = 2\n"),
        ("alias = { b = 1 }\n", "alias = { b = 1, x = 1 }\n"),
        ("alias = {}\n", "alias = { x = 1 }\n"),
        ("alias = { }\n", "alias = { x = 1 }\n"),
        ("alias.b = 1\n\n[c]\nd = 1\n", "alias.b = 1\nalias.x = 1\n\n[c]\nd = 1\n"),
        ("alias.b = 1", "alias.b = 1\nalias.x = 1\n"),
        // A header of a table below it does not define it in full.
        ("[alias.b]\nc = 1\n", "[alias.b]\nc = 1\n\n[alias]\nx = 1\n"),
    ] {
        check(before, insert, after);
    }
    refuse("[alias]\nx.y = 2\n", insert, "line 1: `alias.x` is there already");
    refuse("[alias.x]\n", insert, "line 1: `alias.x` is there already");
    refuse("alias = 'no'\n", insert, "line 1: `alias` is no table");
    refuse("[[alias]]\n", insert, "line 1: `alias` is an array of tables");

    let deep = |document: &mut Document| document.insert(&["p", "d", "e"], "x y", "1");
    for (before, after) in [
        ("[p.d]\na = 1\n", "[p.d]\na = 1\n\n[p.d.e]\n\"x y\" = 1\n"),
        ("[p.d]\ne.a = 1\nf = 1\n", "[p.d]\ne.a = 1\ne.\"x y\" = 1\nf = 1\n"),
        ("[p]\nd.e.a = 1\n", "[p]\nd.e.a = 1\nd.e.\"x y\" = 1\n"),
        ("p = { d = { e = { a = 1 } } }\n", "p = { d = { e = { a = 1, \"x y\" = 1 } } }\n"),
    ] {
        check(before, deep, after);
    }
    refuse(
        "p = { d = {} }\n",
        deep,
        "line 1: `p` is written on one line, and what belongs into it cannot be added there",
    );
}

#[test]
fn comments_stand_above_headers() {
    let comment = |document: &mut Document| document.comment(&["a", "b"], "why");
    check("[a]\n\n[a.b]\nc = 1\n", comment, "[a]\n\n# why\n[a.b]\nc = 1\n");
    refuse("[a]\nb.c = 1\n", comment, "line 1: `a.b` has no header");
}

#[test]
fn strings_are_quoted_so_that_they_say_the_same() {
    for text in ["", "a b", "C:\\x", "it's", "say \"it's\"\\", "\u{7}\n", "ä\u{7f}"] {
        let document = parse(&format!("a = {}\n", quoted(text)));
        assert_eq!(document.text_at(&["a"]), Some(text), "{}", document.text());
    }
    assert_eq!(quoted("C:\\x"), "'C:\\x'");
}
