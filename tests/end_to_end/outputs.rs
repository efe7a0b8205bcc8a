//! Every output of one run is read back, and all say the same: on a common workspace, and on one whose names and sources are
//! made to harm.

use std::collections::BTreeMap;
use std::fs;

use crate::support::lcov::{Lcov, Total};
use crate::support::outputs::{self, KINDS, Lines};
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::xtask;

/// Every format.
const FORMATS: [&str; 8] =
    ["--lcov", "--json", "--cobertura", "--codecov", "--markdown", "--badge", "--badge-svg", "--text"];

/// Measures, reads everything back and compares it in every total and in every line. `shown` is how a path is written where
/// it must not harm.
fn check(workspace: &Workspace, shown: impl Fn(&str) -> String) {
    let lists = ["--show-missing-lines", "--show-missing-functions"];
    let run = xtask(workspace).arg("coverage").args(FORMATS).args(lists).run().expect_success();
    check_agreement(workspace, &run.stdout, shown);
    harmless(&run.stdout);
    harmless(&run.stderr);
}

fn check_agreement(workspace: &Workspace, stdout: &str, shown: impl Fn(&str) -> String) {
    let read = |name: &str| workspace.read(&format!("target/coverage/{name}"));
    let json = outputs::json(&read("coverage.json"));
    let shown_lines =
        |lines: &Lines| -> Lines { lines.iter().map(|(path, lines)| (shown(path), lines.clone())).collect() };
    let lines = shown_lines(&json.lines);
    assert_eq!(lines.len(), json.lines.len(), "two files are called alike");
    let missing: BTreeMap<String, Vec<u32>> = lines
        .iter()
        .map(|(path, lines)| {
            (path.clone(), lines.iter().filter(|(_, count)| **count == 0).map(|(line, _)| *line).collect())
        })
        .filter(|(_, missing): &(String, Vec<u32>)| !missing.is_empty())
        .collect();

    // LLVM's JSON within itself.
    for kind in KINDS {
        let sum = json.files.values().fold(Total::default(), |sum, file| Total {
            count: sum.count + file[kind].count,
            covered: sum.covered + file[kind].covered,
        });
        assert_eq!(json.totals[kind], sum, "{kind}");
    }
    for (path, totals) in &json.files {
        let lines = &json.lines[path];
        let covered = lines.values().filter(|count| **count > 0).count();
        assert_eq!(totals["lines"], Total { count: lines.len() as u64, covered: covered as u64 }, "{path}");
    }

    // LCOV, whose records are lines: a line end in a name is a blank there.
    let bytes = fs::read(workspace.root().join("target/coverage/lcov.info")).expect("a report");
    let lcov = Lcov::parse(&String::from_utf8_lossy(&bytes)).expect("LCOV");
    assert_eq!(lcov.wrong_totals(), [""; 0]);
    let lcov_lines: Lines = lcov.files.iter().map(|file| (file.path.clone(), file.lines.clone())).collect();
    let expected: Lines =
        json.lines.iter().map(|(path, lines)| (path.replace(['\n', '\r'], " "), lines.clone())).collect();
    assert_eq!(lcov_lines, expected);
    let functions: u64 = lcov.files.iter().map(|file| file.functions.len() as u64).sum();
    assert_eq!(functions, json.totals["functions"].count);

    // Cobertura.
    let cobertura = outputs::cobertura(&read("cobertura.xml"));
    assert_eq!(cobertura.source, shown(&workspace.root().display().to_string()));
    assert_eq!(cobertura.lines, lines);
    assert_eq!(cobertura.lines_total, json.totals["lines"]);
    assert_eq!(cobertura.methods, json.totals["functions"]);

    // Codecov and annotated source: also the lines of which a part ran.
    let codecov = outputs::codecov(&read("codecov.json"));
    let mut counted = lines.clone();
    for (path, line) in &codecov.partial {
        let count = counted.get_mut(path).and_then(|lines| lines.get_mut(line));
        *count.filter(|count| **count > 0).expect("a partial line ran") = 1;
    }
    assert_eq!(codecov.lines, counted);
    let text = outputs::text(&read("coverage.txt"));
    assert_eq!(text.lines, lines);
    assert_eq!(text.partial, codecov.partial);
    assert!(!text.partial.is_empty(), "no line ran in part");

    // Markdown.
    let Total { count, covered } = json.totals["lines"];
    let hundredths = covered * 10_000 / count;
    let share = format!("{}.{:02}%", hundredths / 100, hundredths % 100);
    let markdown = outputs::markdown(&read("summary.md"));
    assert_eq!(markdown.share, share);
    for kind in KINDS {
        assert_eq!(markdown.totals[kind], json.totals[kind], "{kind}");
    }
    assert_eq!(markdown.missing, missing);

    // Badges.
    let whole = format!("{}%", hundredths / 100);
    assert_eq!(outputs::badge(&read("badge.json")), whole);
    assert_eq!(outputs::badge_svg(&read("badge.svg")), whole);

    // What is printed.
    let (table, rest) = stdout.split_once("\nMissing lines:\n").expect("missing lines");
    let total: Vec<&str> = table.lines().last().expect("a total").split_whitespace().collect();
    assert_eq!(total[3..], [count.to_string(), (count - covered).to_string(), share.clone()]);
    assert_eq!(table.lines().count(), lines.len() + 4);
    let (missing_lines, missing_functions) = rest.split_once("\nMissing functions:\n").expect("functions");
    assert_eq!(outputs::missing_lines(missing_lines), missing);
    let functions = json.totals["functions"];
    assert_eq!(missing_functions.lines().count() as u64, functions.count - functions.covered);

    let line = xtask(workspace).args(["coverage", "report", "--total", "--color", "always"]).run();
    assert_eq!(line.expect_success().stdout, format!("TOTAL {covered} of {count} lines {share}\n"));
}

/// Nothing that a terminal would obey.
#[track_caller]
fn harmless(text: &str) {
    let harm: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n' || *c == '\u{202e}').collect();
    assert!(harm.is_empty(), "{harm:?} in {text:?}");
}

#[test]
fn all_formats_agree() {
    let workspace = Workspace::copy("outputs");
    check(&workspace, str::to_owned);
    check_lines(&crate::lcov(&workspace), workspace.root(), Exclusions::Default);
    let codecov = outputs::codecov(&workspace.read("target/coverage/codecov.json"));
    let partial: Vec<(&str, u32)> =
        codecov.partial.iter().map(|(path, line)| (path.as_str(), *line)).collect();
    assert_eq!(
        partial,
        [("partial/src/lib.rs", 9), ("partial/src/lib.rs", 15), ("partial/src/nested/mod.rs", 20)]
    );
}

/// File names that mean something to a shell, a terminal, XML, Markdown or a tracefile.
#[cfg(unix)]
const NAMES: [&str; 15] = [
    "plain.rs",
    "quote\"s'.rs",
    "<b>&amp;&.rs",
    "%41%n.rs",
    "line\nend_of_record\nSF:x.rs",
    "tab\t.rs",
    "\u{1f980}.rs",
    "pipe|`tick`.rs",
    "]]>-->.rs",
    "\u{1b}[31mred\u{1b}]0;title\u{7}.rs",
    "back\\slash.rs",
    " blanks .rs",
    "a, b;c.rs",
    "rtl\u{202e}sr.rs",
    "ffff\u{ffff}.rs",
];

/// One function that runs in part and a generic one that nobody calls.
#[cfg(unix)]
fn module(index: usize) -> String {
    format!(
        "pub fn ran(n: u8) -> u8 {{ // cov: 1\n    if n > 100 {{ return 0 }} // cov: 1\n    n + {index} // cov: 1\n}} // cov: 1\n\
         pub fn never<A: Into<B>, B>(a: A) -> B {{\n    a.into()\n}}\n"
    )
}

/// A workspace whose file names are [`NAMES`], and whose sources have everything that a source can have.
#[cfg(unix)]
fn hostile() -> Workspace {
    let workspace = Workspace::empty("<hostile> & \"co\"");
    workspace.write(
        "Cargo.toml",
        "[workspace]\n\n[package]\nname = \"hostile\"\nversion = \"0.0.0\"\nedition = \"2021\"\n",
    );
    let mut lib = String::new();
    for (index, name) in NAMES.iter().enumerate() {
        lib.push_str(&format!("#[path = {name:?}]\npub mod m{index};\n"));
        workspace.write(&format!("src/{name}"), &module(index));
    }
    lib.push_str("pub mod sources;\npub mod long;\npub mod later;\n");
    lib.push_str("#[test]\nfn all() {\n");
    for index in 0..NAMES.len() {
        lib.push_str(&format!("    m{index}::ran(1);\n"));
    }
    lib.push_str("    sources::text();\n    long::text();\n    later::ran(1);\n}\n");
    workspace.write("src/lib.rs", &lib);
    // A byte order mark, CR LF, tabs, markup, control characters and marks of direction.
    let source = "\u{feff}#![allow(text_direction_codepoint_in_comment, text_direction_codepoint_in_literal)]\r\n\
        pub fn text() -> usize {\r\n\
        \tlet script = \"<script>alert(1)</script>]]>&amp;\u{1}\u{7}\u{1b}[2J\u{9b}31m\u{7f}\u{85}\";\t\t// \u{1b}[31m\r\n\
        \tlet wide = \"größe 日本 \u{1f980} \u{200d}\"; /* \u{b}\u{c} */ if wide.is_empty() { return 0 }\r\n\
        \tscript.len()\r\n}\r\n";
    workspace.write("src/sources.rs", source);
    // 10 MB on one line, with parts that did not run before and behind them.
    let long = format!(
        "pub fn text() -> usize {{ if false_() {{ return 1 }} let text = {:?}; if text.is_empty() {{ return 2 }} text.len() }}\n\
         fn false_() -> bool {{\n    false\n}}\n",
        "é".repeat(5_000_000)
    );
    workspace.write("src/long.rs", &long);
    workspace.write("src/later.rs", &module(0));
    workspace
}

#[test]
#[cfg(unix)]
fn hostile_names_and_sources_harm_no_output() {
    let workspace = hostile();
    // Each output writes names without harm, and all in the same way.
    let shown = |path: &str| {
        let mut shown = String::new();
        for c in path.chars() {
            match c {
                '\u{202e}' | '\u{ffff}' => shown.extend(c.escape_unicode()),
                c if c.is_control() => shown.extend(c.escape_default()),
                c => shown.push(c),
            }
        }
        shown
    };
    check(&workspace, shown);
    let text = workspace.read("target/coverage/coverage.txt");
    harmless(&text);
    harmless(&workspace.read("target/coverage/summary.md"));

    // Meanwhile a source was replaced by bytes that are no text, and another is gone.
    fs::write(workspace.root().join("src/later.rs"), b"caf\xe9 \x9b31m\xff\xfe\n\x00\x1b[2J\n")
        .expect("a file");
    fs::remove_file(workspace.root().join("src/plain.rs")).expect("a file");
    let again = xtask(&workspace).args(["coverage", "report", "--text"]).run().expect_success();
    harmless(&again.stdout);
    assert!(again.stdout.contains("|caf\u{fffd} \u{fffd}31m\u{fffd}\u{fffd}\n"), "bytes that are no text");
    assert!(again.stdout.contains("src/plain.rs: 4 of 7 lines\n     |       |(the source is not there)\n"));
}
