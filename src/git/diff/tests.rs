//! Diffs as git prints them, and as it never would.

use super::{Change, DiffErrorKind, parse};

/// A diff and, for each file in it, `path: lines`.
#[track_caller]
fn check(diff: &str, expected: &[&str]) {
    let files = parse(diff.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{diff}"));
    let found: Vec<String> = files
        .iter()
        .map(|file| {
            let change = match &file.change {
                Change::Binary => "binary".to_owned(),
                Change::Lines(ranges) => {
                    let ranges: Vec<String> =
                        ranges.iter().map(|range| format!("{}-{}", range.start(), range.end())).collect();
                    ranges.join(",")
                }
            };
            format!("{}: {change}", String::from_utf8_lossy(&file.path))
        })
        .collect();
    assert_eq!(found, expected, "{diff}");
}

#[track_caller]
fn check_error(diff: &str, line: usize, kind: DiffErrorKind) {
    let error = parse(diff.as_bytes()).expect_err("an error");
    assert_eq!((error.line, error.kind), (line, kind), "{error}\n{diff}");
    assert!(error.to_string().starts_with(&format!("line {line} of the diff: ")), "{error}");
}

/// A changed file `a.rs`, and then what is given.
fn changed(hunks: &str) -> String {
    format!("diff --git a/a.rs b/a.rs\nindex 1..2 100644\n--- a/a.rs\n+++ b/a.rs\n{hunks}")
}

#[test]
fn no_difference() {
    check("", &[]);
    check("\n", &[]);
}

#[test]
fn hunks_without_context() {
    check(
        &changed(
            "@@ -1 +1 @@\n-old\n+new\n@@ -7,0 +8,2 @@ fn f() {\n+one\n+two\n@@ -20,2 +21,0 @@\n-x\n-y\n@@ -30,0 +30 @@\n+z\n",
        ),
        &["a.rs: 1-1,8-9,30-30"],
    );
    check(&changed("@@ -3,2 +2,0 @@\n-x\n-y\n"), &["a.rs: "]);
    check(&changed("@@ -1,2 +0,0 @@\n-x\n-y\n"), &["a.rs: "]);
    // Neighbours are one range.
    check(&changed("@@ -0,0 +1 @@\n+a\n@@ -1,0 +2 @@\n+b\n"), &["a.rs: 1-2"]);
}

#[test]
fn hunks_with_context() {
    check(
        &changed("@@ -1,4 +1,5 @@\n one\n-two\n+zwei\n+drei\n\n four\n@@ -10 +11,2 @@\n a\n+b\n"),
        &["a.rs: 2-3,12-12"],
    );
}

#[test]
fn content_that_looks_like_a_header() {
    check(
        &changed(
            "@@ -1,3 +1,4 @@\n--- a/x\n-diff --git a/x b/x\n-@ -1 +1 @@\n+++ b/x\n+diff --git a/y b/y\n+@@ -1,9 +1,9 @@\n+\\ No newline\n",
        ),
        &["a.rs: 1-4"],
    );
}

#[test]
fn no_newline_at_the_end() {
    check(
        &changed(
            "@@ -2 +2 @@\n-old\n\\ No newline at end of file\n+new\n\\ No newline at end of file\ndiff --git a/b b/b\nold mode 100644\nnew mode 100755\n",
        ),
        &["a.rs: 2-2", "b: "],
    );
    check(&changed("@@ -2 +2,2 @@\n-old\n\\ No newline at end of file\n+old\n+new"), &["a.rs: 2-3"]);
}

#[test]
fn carriage_returns_belong_to_lines() {
    check(&changed("@@ -1,2 +1,3 @@\r\n-a\r\n-b\r\n+a\r\n+\r\n+c\rd\r\r\n"), &["a.rs: 1-3"]);
}

#[test]
fn new_removed_renamed_and_copied() {
    check(
        "diff --git a/new.rs b/new.rs\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/new.rs\n@@ -0,0 +1,2 @@\n+a\n+b\n\
         diff --git a/empty.rs b/empty.rs\nnew file mode 100644\nindex 0..1\n\
         diff --git a/gone.rs b/gone.rs\ndeleted file mode 100644\nindex 1..0\n--- a/gone.rs\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n\
         diff --git a/hollow.rs b/hollow.rs\ndeleted file mode 100644\nindex 1..0\n\
         diff --git a/from.rs b/to.rs\nsimilarity index 100%\nrename from from.rs\nrename to to.rs\n\
         diff --git a/x.rs b/y z.rs\nsimilarity index 90%\nrename from x.rs\nrename to y z.rs\nindex 1..2\n--- a/x.rs\n+++ b/y z.rs\t\n@@ -4 +4 @@\n-a\n+b\n\
         diff --git a/k.rs b/l.rs\nsimilarity index 100%\ncopy from k.rs\ncopy to l.rs\n",
        &["new.rs: 1-2", "empty.rs: ", "to.rs: ", "y z.rs: 4-4", "l.rs: "],
    );
}

#[test]
fn a_file_that_becomes_a_link_is_two_entries() {
    check(
        "diff --git a/l b/l\ndeleted file mode 100644\nindex 1..0\n--- a/l\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
         diff --git a/l b/l\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+to\n\\ No newline at end of file\n",
        &["l: 1-1"],
    );
}

#[test]
fn odd_names() {
    let named = |header: &str, name: &str| {
        format!("diff --git {header}\nindex 1..2 100644\n--- a/x\n+++ {name}\n@@ -0,0 +1 @@\n+x\n")
    };
    for (name, expected) in [
        ("b/a b/c b/d\t", "a b/c b/d: 1-1"),
        ("\"b/tab\\there\"", "tab\there: 1-1"),
        ("\"b/a\\nb\\r\\\"\\\\\\a\\b\\v\\f\"", "a\nb\r\"\\\u{7}\u{8}\u{b}\u{c}: 1-1"),
        ("\"b/sp\\303\\244ces \\001\"\t", "späces \u{1}: 1-1"),
        ("b/späces", "späces: 1-1"),
        ("b/ends with a blank \t", "ends with a blank : 1-1"),
        ("b/b/b", "b/b: 1-1"),
        ("b/\\n", "\\n: 1-1"),
    ] {
        check(&named("a/x b/x", name), &[expected]);
    }
    for name in [
        "x",
        "a/x",
        "b/",
        "\"b/x",
        "\"b/x\\\"",
        "\"b/\\8\"",
        "\"b/\\47\"",
        "\"b/\\777\"",
        "\"b/x\"y\"",
        "\"\"",
        "",
    ] {
        check_error(&named("a/x b/x", name), 4, DiffErrorKind::Path);
    }
}

#[test]
fn names_that_only_the_first_line_tells() {
    let mode = |names: &str| format!("diff --git {names}\nold mode 100644\nnew mode 100755\n");
    check(&mode("a/x y b/x y"), &["x y: "]);
    check(&mode("a/x b/x b/x b/x"), &["x b/x: "]);
    check(&mode("\"a/t\\tt\" \"b/t\\tt\""), &["t\tt: "]);
    check(
        "diff --git a/i b/i\nindex 1..2 100644\nBinary files a/i and b/i differ\n\
         diff --git a/j b/k\nsimilarity index 60%\nrename from j\nrename to k\nindex 1..2\nBinary files a/j and b/k differ\n\
         diff --git a/m b/m\nindex 1..0\ndeleted file mode 100644\nBinary files a/m and /dev/null differ\n\
         diff --git a/n b/n\nindex 1..2\nGIT binary patch\nliteral 3\nKcmZ\n\nliteral 2\nJcmZ\n\n",
        &["i: binary", "k: binary", "n: binary"],
    );
    for names in ["x x", "a/x b/y", "a/ b/", "a/xb/x", "", "\"a/x\" b/x"] {
        check_error(&mode(names), 1, DiffErrorKind::Path);
    }
}

#[test]
fn several_parents() {
    for diff in
        ["diff --cc a.rs\nindex 1,2..3\n", "diff --combined a.rs\n", &changed("@@@ -1,2 -1,2 +1,3 @@@\n")]
    {
        let line = diff.lines().count().min(if diff.starts_with("diff --git") { 5 } else { 1 });
        check_error(diff, line, DiffErrorKind::Combined);
    }
    // In the middle of a merge.
    check(&format!("* Unmerged path a.rs\n{}", changed("@@ -1 +1 @@\n-a\n+b\n")), &["a.rs: 1-1"]);
}

#[test]
fn what_is_no_diff() {
    check_error("warning: something\n", 1, DiffErrorKind::Stray);
    check_error("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", 1, DiffErrorKind::Stray);
    check_error("diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n", 2, DiffErrorKind::Hunk);
    check_error("diff --git a/x b/x\n--- a/x\n", 1, DiffErrorKind::Path);
    check_error("diff --git a/x b/x\n--- a/x\nindex\n", 3, DiffErrorKind::Path);
    for head in [
        "@@ @@",
        "@@ -1 @@",
        "@@ -1 +1",
        "@@ -a +1 @@",
        "@@ -1 +4294967296 @@",
        "@@ -1 +4294967295 @@",
        "@@ -1 +4294967290,6 @@",
        "@@ -1 +0 @@",
        "@@ -1, +1 @@",
        "@@ +1 -1 @@",
        "@@ -1  +1 @@",
    ] {
        check_error(&changed(&format!("{head}\n-a\n+b\n")), 5, DiffErrorKind::Hunk);
    }
    // Hunks ascend.
    check_error(&changed("@@ -1 +5 @@\n-a\n+b\n@@ -2 +5 @@\n-a\n+b\n"), 8, DiffErrorKind::Hunk);
    check_error(&changed("@@ -1 +5 @@\n-a\n+b\n@@ -2 +4,0 @@\n-a\n"), 8, DiffErrorKind::Hunk);
    for (hunk, line) in [
        ("@@ -1 +1 @@\n-a\n", 6),
        ("@@ -1 +1 @@\n-a\n-b\n", 7),
        ("@@ -1 +1 @@\n+a\n+b\n", 7),
        ("@@ -1 +1 @@\n-a\n+b\n+c\n", 8),
        ("@@ -1 +1 @@\n-a\n+b\n c\n", 8),
        ("@@ -1 +1 @@\nx\n", 6),
        ("@@ -0,0 +1,4294967294 @@\n+a\n", 6),
    ] {
        check_error(&changed(hunk), line, DiffErrorKind::HunkBody);
    }
}

#[test]
fn cut_and_flipped_bytes_harm_nothing() {
    let diff = changed("@@ -1,3 +1,4 @@ fn x\n a\n-b\n+c\n+d\n e\n\\ No newline at end of file\n")
        + "diff --git \"a/t\\tt\" \"b/t\\tt\"\nsimilarity index 90%\nrename from \"t\\303\\244\"\nrename to \"t\\tt\"\n--- \"a/t\\303\\244\"\n+++ \"b/t\\tt\"\n@@ -0,0 +7 @@\n+x\n";
    assert_eq!(parse(diff.as_bytes()).expect("a diff").len(), 2);
    for end in 0..diff.len() {
        let _ = parse(&diff.as_bytes()[..end]);
    }
    for position in 0..diff.len() {
        for byte in [0, b'\n', b'0', b'9', b'"', b'\\', b'-', b'+', b'@', b' ', 0xff] {
            let mut bytes = diff.clone().into_bytes();
            bytes[position] = byte;
            let _ = parse(&bytes);
        }
    }
}
