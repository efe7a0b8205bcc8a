//! Numbers of files, thresholds, and the sentences that they make.

use super::{FileNumbers, Judgement, judge_files, package_of};
use crate::coverage::Summary;
use crate::coverage::summary::Ratio;
use crate::filter::{PackageSources, SourceLayout};
use crate::task::config::{Config, Scope, ScopedThresholds, Thresholds};

/// A file with so many of so many lines, half as many functions and twice as many regions.
fn file(path: &str, covered: u64, count: u64) -> FileNumbers {
    let ratio = |covered, count| Ratio { covered, count };
    let summary = Summary {
        lines: ratio(covered, count),
        functions: ratio(covered / 2, count / 2),
        regions: ratio(covered * 2, count * 2),
        ..Summary::EMPTY
    };
    FileNumbers { path: path.to_owned(), summary }
}

fn sources() -> SourceLayout {
    let package = |name: &str, dir: &str, is_selected| PackageSources {
        name: name.to_owned(),
        dir: dir.to_owned(),
        is_selected,
        crate_roots: Vec::new(),
        auxiliary_targets: Vec::new(),
    };
    SourceLayout {
        roots: vec!["/w".to_owned(), "/real/w".to_owned()],
        build_dirs: Vec::new(),
        packages: vec![
            package("root", "/w", true),
            package("app", "/w/app", true),
            package("inner", "/w/app/inner", true),
            package("left-out", "/w/left-out", false),
            package("outside", "/elsewhere", true),
        ],
    }
}

#[track_caller]
fn check(files: &[FileNumbers], change: impl FnOnce(&mut Config), expected: &[&str]) {
    let mut config = Config::new();
    change(&mut config);
    let judgement = judge_files(files, &sources(), &config).expect("patterns are fine");
    assert_eq!(judgement.failures, expected);
    assert_eq!(judgement.unused, Vec::<String>::new());
}

fn of(scope: Scope, change: impl FnOnce(&mut Thresholds)) -> ScopedThresholds {
    let mut thresholds = Thresholds::NONE;
    change(&mut thresholds);
    ScopedThresholds { scope, thresholds }
}

#[test]
fn names_of_files_do_no_harm() {
    check(
        &[file("a\n# \u{1b}[2J.rs", 1, 3)],
        |config| {
            config.thresholds.lines = Some(10_000);
            config.thresholds.file_lines = Some(5000);
        },
        &[
            "line coverage 33.33% (1 of 3) is below the threshold 100%: 2 more lines are needed; all are missing in \
             `a\\n# \\u{1b}[2J.rs` (2)",
            "line coverage of `a\\n# \\u{1b}[2J.rs` 33.33% (1 of 3) is below the threshold 50% for each file: 1 more line \
             is needed",
        ],
    );
}

#[test]
fn totals() {
    let files = [file("src/a.rs", 1200, 1500), file("src/b.rs", 3, 5)];
    check(&files, |_| {}, &[]);
    check(&files, |config| config.thresholds.lines = Some(7993), &[]);
    check(
        &files,
        |config| config.thresholds.lines = Some(8000),
        &[
            "line coverage 79.93% (1203 of 1505) is below the threshold 80%: 1 more line is needed; all are missing in \
           `src/a.rs` (300), `src/b.rs` (2)",
        ],
    );
    check(
        &files,
        |config| {
            config.thresholds.lines = Some(8001);
            config.thresholds.functions = Some(9050);
            config.thresholds.regions = Some(10_000);
        },
        &[
            "line coverage 79.93% (1203 of 1505) is below the threshold 80.01%: 2 more lines are needed; all are missing in \
             `src/a.rs` (300), `src/b.rs` (2)",
            "function coverage 79.92% (601 of 752) is below the threshold 90.50%: 80 more functions are needed; all are \
             missing in `src/a.rs` (150), `src/b.rs` (1)",
            "region coverage 79.93% (2406 of 3010) is below the threshold 100%: 604 more regions are needed; all are missing \
             in `src/a.rs` (600), `src/b.rs` (4)",
        ],
    );
    // Nothing of nothing reaches everything.
    check(&[file("src/a.rs", 0, 0)], |config| config.thresholds.lines = Some(10_000), &[]);
}

#[test]
fn places() {
    let check = |missed: &[u64], expected: &str| {
        let files: Vec<FileNumbers> =
            missed.iter().zip('a'..).map(|(missed, name)| file(&name.to_string(), 0, *missed)).collect();
        let config =
            |config: &mut Config| config.thresholds.uncovered_lines = Some(missed.iter().sum::<u64>() - 1);
        let mut changed = Config::new();
        config(&mut changed);
        let found = judge_files(&files, &sources(), &changed).expect("fine").failures.concat();
        assert_eq!(found.split_once("; ").map(|(_, places)| places), Some(expected), "{found}");
    };
    check(&[1], "it is missing in `a`");
    check(&[0, 2], "all are missing in `b` (2)");
    check(&[2, 5, 2], "all are missing in `b` (5), `a` (2), `c` (2)");
    check(&[1, 5, 2, 1], "most are missing in `b` (5), `c` (2), `a` (1)");
    check(&[1, 1, 1, 1, 1, 1], "many are missing in `a` (1), `b` (1), `c` (1)");
}

#[test]
fn counts_of_what_is_missed() {
    let files = [file("src/a.rs", 96, 100), file("src/b.rs", 8, 10)];
    let most = |lines| move |config: &mut Config| config.thresholds.uncovered_lines = Some(lines);
    check(&files, most(6), &[]);
    let places = "all are missing in `src/a.rs` (4), `src/b.rs` (2)";
    check(
        &files,
        most(5),
        &[&format!("6 lines are uncovered, 5 are allowed: 1 more line is needed; {places}")],
    );
    check(
        &files,
        most(1),
        &[&format!("6 lines are uncovered, 1 is allowed: 5 more lines are needed; {places}")],
    );
    check(
        &files,
        |config| {
            config.thresholds.uncovered_functions = Some(0);
            config.thresholds.uncovered_regions = Some(11);
        },
        &[
            "3 functions are uncovered, none is allowed: 3 more functions are needed; all are missing in `src/a.rs` (2), \
             `src/b.rs` (1)",
            "12 regions are uncovered, 11 are allowed: 1 more region is needed; all are missing in `src/a.rs` (8), \
             `src/b.rs` (4)",
        ],
    );
    check(
        &[file("src/a.rs", 3, 4)],
        most(0),
        &["1 line is uncovered, none is allowed: 1 more line is needed; it is missing in `src/a.rs`"],
    );
}

#[test]
fn each_file() {
    let files = [file("a.rs", 8, 10), file("b.rs", 4, 10), file("c.rs", 0, 3), file("d.rs", 0, 0)];
    let share = |share| move |config: &mut Config| config.thresholds.file_lines = Some(share);
    check(&files[..1], share(8000), &[]);
    check(
        &files,
        share(8000),
        &[
            "line coverage of `b.rs` 40.00% (4 of 10) is below the threshold 80% for each file: 4 more lines are needed",
            "line coverage of `c.rs` 0.00% (0 of 3) is below the threshold 80% for each file: 3 more lines are needed",
        ],
    );
    let many: Vec<FileNumbers> = (0..23).map(|number| file(&format!("{number:02}.rs"), 0, 1)).collect();
    let failures = |files: &[FileNumbers]| {
        let mut config = Config::new();
        share(5000)(&mut config);
        judge_files(files, &sources(), &config).expect("fine").failures
    };
    assert_eq!(failures(&many[..20]).len(), 20);
    assert_eq!(failures(&many[..21])[20], "and 1 more file is below the threshold 50% for each file");
    assert_eq!(failures(&many).len(), 21);
    assert_eq!(failures(&many)[20], "and 3 more files are below the threshold 50% for each file");
}

#[test]
fn parts_of_the_workspace() {
    let files = [
        file("app/inner/src/lib.rs", 1, 2),
        file("app/src/lib.rs", 8, 10),
        file("app/src/parser/mod.rs", 9, 10),
        file("src/lib.rs", 0, 40),
    ];
    check(
        &files,
        |config| {
            config.scoped_thresholds = vec![
                of(Scope::Package("app".to_owned()), |it| it.lines = Some(9000)),
                of(Scope::Package("inner".to_owned()), |it| it.uncovered_lines = Some(0)),
                of(Scope::Paths("app/src/parser".to_owned()), |it| {
                    it.lines = Some(9500);
                    it.file_lines = Some(9500);
                }),
                of(Scope::Paths("app/src/lib.rs".to_owned()), |it| it.lines = Some(8100)),
                of(Scope::Paths("app/**".to_owned()), |it| it.lines = Some(5000)),
            ];
        },
        &[
            "line coverage of package `app` 85.00% (17 of 20) is below the threshold 90%: 1 more line is needed; all are \
             missing in `app/src/lib.rs` (2), `app/src/parser/mod.rs` (1)",
            "1 line of package `inner` is uncovered, none is allowed: 1 more line is needed; it is missing in \
             `app/inner/src/lib.rs`",
            "line coverage of `app/src/parser` 90.00% (9 of 10) is below the threshold 95%: 1 more line is needed; it is \
             missing in `app/src/parser/mod.rs`",
            "line coverage of `app/src/parser/mod.rs` 90.00% (9 of 10) is below the threshold 95% for each file of \
             `app/src/parser`: 1 more line is needed",
            "line coverage of `app/src/lib.rs` 80.00% (8 of 10) is below the threshold 81%: 1 more line is needed",
        ],
    );
}

#[test]
fn parts_without_files() {
    let check = |scope: Scope, expected: &[&str]| {
        let mut config = Config::new();
        config.scoped_thresholds = vec![of(scope.clone(), |it| it.lines = Some(10_000))];
        let expected = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(
            judge_files(&[file("src/lib.rs", 1, 1)], &sources(), &config).expect("fine"),
            Judgement { failures: Vec::new(), unused: expected },
            "{scope:?}"
        );
    };
    check(Scope::Package("root".to_owned()), &[]);
    check(
        Scope::Package("app".to_owned()),
        &["no file that counts is of package `app`, which has thresholds"],
    );
    // What a run was not to measure cannot fail it.
    check(Scope::Package("left-out".to_owned()), &[]);
    for pattern in ["left-out", "left-out/src/**", "**/x.rs", "left-*/src", "left-out/**/x.rs"] {
        check(Scope::Paths(pattern.to_owned()), &[]);
    }
    check(
        Scope::Paths("app/src/**".to_owned()),
        &["no file that counts is of `app/src/**`, which has thresholds"],
    );
    check(Scope::Paths("left/**".to_owned()), &["no file that counts is of `left/**`, which has thresholds"]);
}

#[test]
fn files_belong_to_the_innermost_package() {
    for (path, package) in [
        ("src/lib.rs", Some("root")),
        ("application/src/lib.rs", Some("root")),
        ("app/src/lib.rs", Some("app")),
        ("app/inner/src/lib.rs", Some("inner")),
        ("/elsewhere/src/lib.rs", Some("outside")),
        ("/registry/src/lib.rs", None),
    ] {
        assert_eq!(package_of(path, &sources()), package, "{path}");
    }
}
