//! Tests of what the other tests rely on: `tests/support`, and that the workspaces are what it takes them for.

mod support;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use support::env_dump::EnvDump;
use support::golden::{self, Mode};
use support::lcov::{Lcov, LcovBranch, LcovFunction, Total};
use support::outputs;
use support::program::Program;
use support::redact::Redactions;
use support::truth::{Exclusions, Expected, FileTruth, check_lines, expected_lines, file_truth, wrong_lines};
use support::workspace::{Workspace, data, workspaces};

/// The message of the panic that this ends in.
#[track_caller]
fn panic_message(action: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(action)).expect_err("expected a panic");
    panic.downcast::<String>().map_or_else(|_| String::new(), |message| *message)
}

// Truth comments.

#[test]
fn comments_are_read() {
    #[track_caller]
    fn check(source: &str, expected: &[(u32, Expected)]) {
        assert_eq!(expected_lines(source), Ok(expected.to_vec()), "{source:?}");
    }
    check("", &[]);
    check("fn main() {}\n", &[]);
    check("fn main() {} // cov: 3\n", &[(1, Expected::Count(3))]);
    check("\n\nfn main() {} // cov: 0", &[(3, Expected::Count(0))]);
    check("a // cov: -\nb // cov: +\n", &[(1, Expected::Unmapped), (2, Expected::Executed)]);
    check(
        "a // cov: 12 because of this // and that\r\nb // cov: 1\r\n",
        &[(1, Expected::Count(12)), (2, Expected::Count(1))],
    );
    check("\u{feff}a // cov: 1\n", &[(1, Expected::Count(1))]);
    check("a\t// cov: 1\t\n", &[(1, Expected::Count(1))]);
    check("// cov-file: excluded\na // covers nothing\n", &[]);
}

#[test]
fn malformed_comments_are_errors() {
    #[track_caller]
    fn check(source: &str) {
        let message = expected_lines(source).expect_err(source);
        assert!(message.starts_with("line 2: expected "), "{message}");
    }
    check("\na // cov:");
    check("\na // cov: ");
    check("\na // cov:3");
    check("\na // cov: three");
    check("\na // cov: 3,");
    check("\na // cov: +3");
    check("\na // cov: -1");
    check("\na // cov: 99999999999999999999");
}

#[test]
fn files_speak_for_themselves() {
    assert_eq!(file_truth("fn main() {} // cov: 1"), Ok(FileTruth::Counted));
    assert_eq!(file_truth("//! A test.\n\n// cov-file: excluded (a test target)\n"), Ok(FileTruth::Excluded));
    assert_eq!(file_truth("// cov-file: absent"), Ok(FileTruth::Absent));
    file_truth("// cov-file: sometimes").expect_err("not a word that is known");
    file_truth("// cov-file:").expect_err("no word at all");
}

/// Three files: one counts, one is excluded, one is never measured.
fn marked_workspace() -> Workspace {
    let workspace = Workspace::empty("marked");
    workspace.write("src/lib.rs", "a // cov: 3\nb // cov: 0\nc // cov: -\nd // cov: + often\ne\n");
    workspace.write("src/unreached.rs", "a // cov: -\n");
    workspace.write("tests/it.rs", "// cov-file: excluded\na // cov: 1\n");
    workspace.write("build.rs", "// cov-file: absent\na // cov: -\n");
    workspace.write("target/generated.rs", "a // cov: 7\n");
    workspace
}

/// A report of files and their `DA` lines.
fn report(files: &[(&str, &[(u32, u64)])]) -> Lcov {
    let mut text = String::new();
    for (path, lines) in files {
        text.push_str(&format!("SF:{path}\n"));
        lines.iter().for_each(|(line, count)| text.push_str(&format!("DA:{line},{count}\n")));
        text.push_str("end_of_record\n");
    }
    Lcov::parse(&text).expect("the text is right")
}

const RIGHT: &[(u32, u64)] = &[(1, 3), (2, 0), (4, 8), (5, 1)];

#[test]
fn right_reports_pass() {
    let workspace = marked_workspace();
    let root = workspace.root().display();
    for path in [
        "src/lib.rs",
        "src/../src/./lib.rs",
        &format!("{root}/src/lib.rs"),
        &format!("{root}/src/../src/lib.rs"),
    ] {
        check_lines(&report(&[(path, RIGHT)]), workspace.root(), Exclusions::Default);
    }
    check_lines(
        &report(&[("src/lib.rs", RIGHT), ("tests/it.rs", &[(2, 1)]), ("target/generated.rs", &[(1, 0)])]),
        workspace.root(),
        Exclusions::Off,
    );
}

#[test]
fn wrong_lines_are_named_together() {
    #[track_caller]
    fn check(files: &[(&str, &[(u32, u64)])], exclusions: Exclusions, expected: &[&str]) {
        let workspace = marked_workspace();
        assert_eq!(wrong_lines(&report(files), workspace.root(), exclusions, |_| true), expected);
    }
    check(
        &[("src/lib.rs", &[(1, 2), (3, 0), (4, 0)])],
        Exclusions::Default,
        &[
            "src/lib.rs:1: expected 3, found 2: a // cov: 3",
            "src/lib.rs:2: expected 0, found no code: b // cov: 0",
            "src/lib.rs:3: expected no code, found 0: c // cov: -",
            "src/lib.rs:4: expected at least 1, found 0: d // cov: + often",
        ],
    );
    check(&[], Exclusions::Default, &["src/lib.rs: expected in the report, not found there"]);
    check(
        &[("src/lib.rs", RIGHT), ("src/unreached.rs", &[(1, 0)])],
        Exclusions::Default,
        &["src/unreached.rs:1: expected no code, found 0: a // cov: -"],
    );
    check(
        &[("src/lib.rs", RIGHT), ("tests/it.rs", &[(2, 1)]), ("build.rs", &[])],
        Exclusions::Default,
        &[
            "build.rs: expected not to be in the report, found there",
            "tests/it.rs: expected not to be in the report, found there",
        ],
    );
    check(
        &[("src/lib.rs", RIGHT), ("tests/it.rs", &[(2, 2)]), ("build.rs", &[])],
        Exclusions::Off,
        &[
            "build.rs: expected not to be in the report, found there",
            "tests/it.rs:2: expected 1, found 2: a // cov: 1",
        ],
    );
    check(
        &[("src/lib.rs", RIGHT), ("src/x/../lib.rs", RIGHT)],
        Exclusions::Default,
        &["src/lib.rs: twice in the report"],
    );
    check(
        &[("src/lib.rs", RIGHT), ("target/generated.rs", &[(1, 1)])],
        Exclusions::Default,
        &["target/generated.rs: in the report, but in the build directory"],
    );
}

#[test]
fn files_outside_are_reported() {
    let workspace = marked_workspace();
    let lcov = report(&[("../elsewhere.rs", &[(1, 1)]), ("src/lib.rs", RIGHT)]);
    let wrong = wrong_lines(&lcov, workspace.root(), Exclusions::Default, |_| true);
    assert_eq!(
        wrong,
        [format!("../elsewhere.rs: in the report, but outside of `{}`", workspace.root().display())]
    );
    assert_eq!(
        wrong_lines(&lcov, workspace.root(), Exclusions::Off, |path| path.starts_with("src/")),
        [""; 0]
    );
}

#[test]
fn nothing_to_check_is_an_error() {
    let workspace = Workspace::empty("unmarked");
    workspace.write("src/lib.rs", "fn main() {}\n");
    let message = panic_message(|| check_lines(&report(&[]), workspace.root(), Exclusions::Default));
    assert!(message.contains("no comment `// cov: …`"), "{message}");
    workspace.write("src/lib.rs", "a // cov: many\n");
    let message = panic_message(|| check_lines(&report(&[]), workspace.root(), Exclusions::Default));
    assert!(message.starts_with("src/lib.rs: line 1: "), "{message}");
}

// LCOV.

#[test]
fn lcov_is_read() {
    let text = "TN:\nSF:/a b/lib.rs\nFN:3,<A<u8, u16> as B>::c\nFN:9,d\nFNDA:4,<A<u8, u16> as B>::c\nFNDA:0,d\nFNF:2\nFNH:1\n\
        DA:3,4\nDA:9,0\nDA:10,18446744073709551615\nBRDA:3,0,0,4\nBRDA:3,0,1,-\nBRF:2\nBRH:1\nLF:3\nLH:2\nend_of_record\n\
        SF:other.rs\nend_of_record\n";
    let lcov = Lcov::parse(text).expect("the text is right");
    assert_eq!(lcov.paths(), ["/a b/lib.rs", "other.rs"]);
    let file = lcov.file("lib.rs");
    assert_eq!(
        file.functions,
        [
            LcovFunction { line: 3, name: "<A<u8, u16> as B>::c".to_string(), count: 4 },
            LcovFunction { line: 9, name: "d".to_string(), count: 0 },
        ]
    );
    assert_eq!(file.lines, BTreeMap::from([(3, 4), (9, 0), (10, u64::MAX)]));
    assert_eq!(
        file.branches,
        [
            LcovBranch { line: 3, block: 0, branch: 0, taken: Some(4) },
            LcovBranch { line: 3, block: 0, branch: 1, taken: None },
        ]
    );
    assert_eq!(file.functions_total, Some(Total { count: 2, covered: 1 }));
    assert_eq!(file.lines_total, Some(Total { count: 3, covered: 2 }));
    assert_eq!(file.branches_total, Some(Total { count: 2, covered: 1 }));
    assert_eq!(lcov.wrong_totals(), [""; 0]);
}

#[test]
fn lcov_totals_are_compared() {
    let text = "SF:a.rs\nFN:1,f\nFNF:1\nFNH:1\nDA:1,1\nLF:2\nLH:1\nBRF:0\nBRH:0\nend_of_record\n";
    assert_eq!(
        Lcov::parse(text).expect("the text is right").wrong_totals(),
        ["a.rs: functions: 1 of 1 written, 0 of 1 found", "a.rs: lines: 1 of 2 written, 1 of 1 found"]
    );
}

#[test]
fn lcov_errors_name_the_line() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Lcov::parse(text).expect_err(text), expected);
    }
    check("DA:1,1\n", "line 1: not within a file's record: `DA:1,1`");
    check("SF:\n", "line 1: a file without a path: `SF:`");
    check("SF:a\n", "the record of `a` has no end");
    check("SF:a\nSF:b\n", "line 2: the record before has no end: `SF:b`");
    check("SF:a\nDA:2,1\nDA:2,1\n", "line 3: lines are not ascending from 1: `DA:2,1`");
    check("SF:a\nDA:0,1\n", "line 2: lines are not ascending from 1: `DA:0,1`");
    check("SF:a\nDA:1\n", "line 2: expected a line and a count: `DA:1`");
    check("SF:a\nDA:1,-1\n", "line 2: `-1` is not a number that fits: `DA:1,-1`");
    check("SF:a\nDA:4294967296,1\n", "line 2: `4294967296` is not a number that fits: `DA:4294967296,1`");
    check("SF:a\nFNDA:1,f\n", "line 2: no `FN` of this name before: `FNDA:1,f`");
    check("SF:a\nFN:1,f\nFN:2,f\nFNDA:1,f\n", "line 4: two `FN` of this name before: `FNDA:1,f`");
    check("SF:a\nBRDA:1,0,0\n", "line 2: expected four values: `BRDA:1,0,0`");
    check("SF:a\nXY:1\n", "line 2: unknown tag `XY`: `XY:1`");
    check("SF:a\n\nend_of_record\n", "line 2: not `tag:value`: ``");
    check("SF:a\nend_of_record\nend_of_record\n", "line 3: not within a file's record: `end_of_record`");
}

#[test]
fn lcov_files_are_found_by_their_end() {
    let lcov = report(&[("/w/src/lib.rs", &[]), ("/w/src/mylib.rs", &[]), ("/w/x/lib.rs", &[])]);
    assert_eq!(lcov.file("src/lib.rs").path, "/w/src/lib.rs");
    assert!(panic_message(|| _ = lcov.file("lib.rs")).starts_with("two files `lib.rs`"));
    assert!(panic_message(|| _ = lcov.file("main.rs")).starts_with("no file `main.rs`"));
}

// Goldens.

#[test]
fn goldens_are_never_accepted_in_ci() {
    #[track_caller]
    fn check(update: Option<&str>, ci: Option<&str>, expected: Option<Mode>) {
        assert_eq!(Mode::from_variables(update.map(OsStr::new), ci.map(OsStr::new)).ok(), expected);
    }
    check(None, None, Some(Mode::Compare));
    check(None, Some("true"), Some(Mode::Compare));
    check(Some(""), None, Some(Mode::Compare));
    check(Some("0"), Some("true"), Some(Mode::Compare));
    check(Some("1"), None, Some(Mode::Update));
    check(Some("1"), Some(""), Some(Mode::Update));
    check(Some("1"), Some("false"), Some(Mode::Update));
    check(Some("1"), Some("true"), None);
    check(Some("1"), Some("1"), None);
}

#[test]
fn goldens_differ_until_accepted() {
    let directory = Workspace::empty("golden");
    let (golden, kept) = (directory.root().join("a.txt"), directory.root().join("kept/a.txt"));
    let compare = |actual: &str, mode| golden::compare(&golden, actual.as_bytes(), mode, &kept);

    let message = compare("one\ntwo\n", Mode::Compare).expect_err("there is no golden");
    assert!(message.starts_with("there is no golden "), "{message}");
    assert_eq!(directory.files().into_iter().collect::<Vec<_>>(), ["kept/a.txt"]);

    compare("one\ntwo\n", Mode::Update).expect("updated");
    compare("one\ntwo\n", Mode::Compare).expect("equal");
    assert_eq!(directory.read("a.txt"), "one\ntwo\n");

    let message = compare("one\n2\n", Mode::Compare).expect_err("another line");
    assert!(message.contains(": line 2: expected \"two\", found \"2\"\n"), "{message}");
    assert!(
        message.contains(&format!("git diff --no-index '{}' '{}'", golden.display(), kept.display())),
        "{message}"
    );
    assert_eq!(directory.read("kept/a.txt"), "one\n2\n");
    assert_eq!(directory.read("a.txt"), "one\ntwo\n");

    let message = compare("one\ntwo", Mode::Compare).expect_err("a line end less");
    assert!(message.contains(": line 3: expected \"\", found no such line\n"), "{message}");
}

#[test]
fn golden_directories_are_complete() {
    let directory = Workspace::empty("golden");
    let (goldens, kept) = (directory.root().join("goldens"), directory.root().join("kept"));
    let compare = |names: &[&str], mode| {
        let actual = names.iter().map(|name| (name.to_string(), name.as_bytes().to_vec())).collect();
        golden::compare_directory(&goldens, &actual, mode, &kept)
    };
    compare(&["a", "below/b"], Mode::Update).expect("updated");
    compare(&["a", "below/b"], Mode::Compare).expect("equal");
    let message = compare(&["a", "c"], Mode::Compare).expect_err("one is missing, one is extra");
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 2, "{message}");
    assert!(lines[0].starts_with("there is no golden ") && lines[0].contains("goldens"), "{message}");
    assert!(lines[1].starts_with("nothing was made for the golden "), "{message}");
    compare(&["a"], Mode::Update).expect("updated");
    assert_eq!(
        fs::read_dir(&goldens)
            .expect("it is there")
            .filter(|e| e.as_ref().is_ok_and(|e| e.path().is_file()))
            .count(),
        1
    );
    compare(&["a"], Mode::Compare).expect("equal");
}

// Redactions.

#[test]
fn redactions_apply_together() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let redactions = Redactions::new()
            .path(Path::new("/no/such/ws"), "[ROOT]")
            .path(Path::new("/no/such"), "[ABOVE]")
            .path(Path::new(r"C:\no\ws"), "[WINDOWS]")
            .text("1.95.0", "[VERSION]")
            .durations();
        assert_eq!(redactions.apply(text), expected);
    }
    check("", "");
    check("in /no/such/ws/src/lib.rs:3", "in [ROOT]/src/lib.rs:3");
    check("`/no/such/ws` and /no/such/other", "`[ROOT]` and [ABOVE]/other");
    check("/no/such/ws:/no/such/ws/b", "[ROOT]:[ROOT]/b");
    check("/no/such/ws2 /no/such/ws-x /no/such/ws.", "[ABOVE]/ws2 [ABOVE]/ws-x [ROOT].");
    check(r"C:\no\ws\src\lib.rs a\b", r"[WINDOWS]/src/lib.rs a\b");
    check(r#"{"path":"C:\\no\\ws\\src\\lib.rs","x":"\\"}"#, r#"{"path":"[WINDOWS]/src/lib.rs","x":"\\"}"#);
    check("rustc 1.95.0, not 11.95.0", "rustc [VERSION], not 11.95.0");
    check("in 0.52s, 12 ms or 3s; 5 seconds, v2s", "in [TIME], [TIME] or [TIME]; 5 seconds, v2s");
    check("grün /no/such/ws/ü", "grün [ROOT]/ü");
}

// Workspaces.

#[test]
fn copies_are_apart_from_the_repository() {
    let workspace = Workspace::copy_as("single-crate", "a b ü 'q'");
    assert!(workspace.root().ends_with("a b ü 'q'"));
    assert!(!workspace.root().starts_with(data()));
    assert!(workspace.files().contains("src/lib.rs"), "{:?}", workspace.files());
    assert!(workspace.read("Cargo.toml").contains("single-crate"));

    workspace.write("target/debug/made", "");
    workspace.write("src/new/file.rs", "one two");
    workspace.replace("src/new/file.rs", "two", "three");
    assert_eq!(workspace.read("src/new/file.rs"), "one three");
    assert!(panic_message(|| workspace.replace("src/new/file.rs", "e", "f")).contains("occurrences of `e`"));
    assert!(workspace.files().contains("src/new/file.rs"));
    assert!(!workspace.files().iter().any(|path| path.contains("made")));
    assert!(!data().join("workspaces/single-crate/src/new").exists());

    let (root, beside) = (workspace.root().to_path_buf(), workspace.beside("output"));
    assert!(beside.is_dir() && !beside.starts_with(&root));
    drop(workspace);
    assert!(!root.exists() && !beside.exists());
}

#[test]
fn copies_are_kept_for_a_test_that_fails() {
    let mut root = Default::default();
    panic_message(|| {
        let workspace = Workspace::empty("kept");
        root = workspace.root().to_path_buf();
        panic!("{}", "fails");
    });
    assert!(root.is_dir());
    fs::remove_dir_all(root.parent().expect("it has one")).expect("removed");
}

#[test]
fn workspaces_stand_alone() {
    let readme = fs::read_to_string(data().join("README.md")).expect("`tests/data/README.md` is there");
    let (_, table) = readme.split_once("## The workspaces\n").expect("it has this section");
    let (table, _) = table.split_once("\n## ").expect("another section follows");
    let mut count = 0;
    for entry in fs::read_dir(workspaces()).expect("the directory is there") {
        let root = entry.expect("an entry can be read").path();
        if !root.is_dir() {
            continue;
        }
        let name = root.file_name().expect("it has a name").display().to_string();
        let read = |file: &str| {
            fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{name}/{file}: {error}"))
        };
        assert!(
            read("Cargo.toml").contains("[workspace]"),
            "{name} would be a member of this repository's workspace"
        );
        assert!(!read("Cargo.lock").contains("source ="), "{name} would download something");
        assert!(table.contains(&format!("| `{name}` |")), "{name} is not in `tests/data/README.md`");
        for path in support::workspace::files_below(&root).into_iter().filter(|path| path.ends_with(".rs")) {
            let source = read(&path);
            expected_lines(&source).unwrap_or_else(|message| panic!("{name}/{path}: {message}"));
            file_truth(&source).unwrap_or_else(|message| panic!("{name}/{path}: {message}"));
        }
        count += 1;
    }
    assert_eq!(
        table.matches("\n| `").count(),
        count,
        "the table in `tests/data/README.md` names what is not there"
    );
}

// Programs.

#[test]
fn programs_are_kept_whole() {
    let finished = Program::cargo().arg("--version").run().expect_success().expect_stdout("cargo 1.");
    assert_eq!(finished.stderr, "");
    let finished = Program::cargo().args(["no-such-command"]).run().expect_stderr("error: no such command");
    assert_eq!(finished.stdout, "");
    let message = panic_message(|| _ = finished.expect_success());
    assert!(message.starts_with("expected exit code 0\n`"), "{message}");
    assert!(
        message.contains("cargo no-such-command`: exit") && message.contains("--- stderr\nerror: "),
        "{message}"
    );
}

#[test]
fn cargo_runs_in_the_workspace() {
    let workspace = Workspace::copy("xtask-member");
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let metadata = workspace.cargo().args(arguments).run().expect_success().stdout;
    let root = workspace.root().display().to_string().replace('\\', "\\\\");
    assert!(metadata.contains(&format!("\"workspace_root\":\"{root}\"")), "{metadata}");
}

#[cfg(unix)]
mod on_unix {
    use std::time::Duration;

    use super::{Program, Workspace, panic_message};

    fn shell(script: &str) -> Program {
        Program::new("sh").args(["-c", script])
    }

    #[test]
    fn environment_is_clean() {
        let text = Program::new("env")
            .env("GIVEN", "1")
            .env("TAKEN", "1")
            .env_remove("TAKEN")
            .run()
            .expect_success()
            .stdout;
        let names: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert!(
            names.contains(&"PATH") && names.contains(&"GIVEN") && names.contains(&"CARGO_NET_OFFLINE"),
            "{names:?}"
        );
        // Cargo has set these for this very test.
        for name in
            ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "TAKEN"]
        {
            assert!(!names.contains(&name), "{name} has come through");
        }
    }

    #[test]
    fn our_programs_are_measured_with_us() {
        let variable = "LLVM_PROFILE_FILE";
        let value = std::env::var(variable).ok().map(|value| format!("{variable}={value}"));
        let text = Program::ours("env").run().expect_success().stdout;
        assert_eq!(text.lines().find(|line| line.starts_with(variable)), value.as_deref());
    }

    #[test]
    fn streams_and_codes() {
        let workspace = Workspace::empty("here");
        let script = "cat; pwd; printf 'a\\377b' >&2; exit 7";
        let finished = shell(script).input("given\n").current_dir(workspace.root()).run().expect_code(7);
        assert_eq!(finished.stdout, format!("given\n{}\n", workspace.root().display()));
        assert_eq!(finished.stderr, "a\u{fffd}b");
        assert_eq!(shell("kill -KILL $$").run().code(), None);
    }

    #[test]
    fn nothing_outlives_the_deadline() {
        let script = "echo started; (sleep 3; echo outlived) & wait";
        let message = panic_message(|| _ = shell(script).deadline(Duration::from_millis(200)).run());
        assert!(message.contains("did not end within 200ms"), "{message}");
        assert!(message.contains("--- stdout\nstarted\n\n--- stderr"), "{message}");
    }

    #[test]
    fn missing_programs_are_named() {
        let message = panic_message(|| _ = Program::new("no-such-program").arg("x").run());
        assert!(message.starts_with("failed to start `no-such-program x`: "), "{message}");
    }
}

// Environment dumps.

#[test]
fn dumps_are_read_and_compared() {
    let text = "arg \"/p\"\narg \"a \\\"b\\\"\"\ncwd \"/w\"\nenv \"A\" \"1\"\nenv \"B\" \"two words\"\nenv \"C\" \"\"\n";
    let here = EnvDump::parse(text).expect("the text is right");
    assert_eq!(here.arguments, ["/p", "a \\\"b\\\""]);
    assert_eq!(here.current_dir, "/w");
    assert_eq!(here.variables["B"], "two words");
    assert_eq!(here.variables["C"], "");

    let there = EnvDump::parse("env \"A\" \"2\"\nenv \"C\" \"\"\nenv \"D\" \"4\"\nenv \"E\" \"5\"\n")
        .expect("the text is right");
    assert_eq!(here.differences(&there, |name| name == "E"), ["-A=1", "+A=2", "-B=two words", "+D=4"]);
    assert_eq!(here.differences(&here, |_| false), [""; 0]);
    EnvDump::parse("env \"A\"\n").expect_err("a variable without a value");
    EnvDump::parse("else \"A\"\n").expect_err("not a word that is known");
}

// Other outputs.

#[test]
fn codecov_s_own_example_is_read() {
    // From https://docs.codecov.com/docs/codecov-custom-coverage-format, without the comments.
    let example =
        r#"{"coverage": {"filename": {"1": 0, "2": 1, "3": "1/2", "4": "1/3", "6": null, "7": 5}}}"#;
    let read = outputs::codecov(example);
    assert_eq!(read.lines["filename"], BTreeMap::from([(1, 0), (2, 1), (3, 1), (4, 1), (7, 5)]));
    assert_eq!(read.partial, [("filename".to_owned(), 3), ("filename".to_owned(), 4)].into());
    for wrong in ["0/2", "2/2", "3/2"] {
        panic_message(|| drop(outputs::codecov(&example.replace("1/2", wrong))));
    }
}
