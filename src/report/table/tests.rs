//! Tables at several widths, against files below `tests/data/table`.

use super::{
    Counts, Layout, MissingLines, Order, Row, columns, render, render_missing_lines, render_total_line,
    render_totals,
};
use crate::coverage::summary::Ratio;
use crate::golden;

/// Path; lines covered and count; functions; regions.
const FILES: &[(&str, [u64; 6])] = &[
    ("build.rs", [0, 0, 0, 0, 0, 0]),
    ("crates/cli/src/decompress.rs", [181, 214, 21, 24, 302, 371]),
    ("crates/cli/src/escape.rs", [96, 96, 12, 12, 141, 141]),
    ("crates/cli/src/lib.rs", [57, 80, 7, 11, 88, 120]),
    ("crates/core/flags/complete/mod.rs", [4, 4, 1, 1, 7, 7]),
    ("crates/core/flags/complete/zsh.rs", [37, 37, 2, 2, 61, 61]),
    ("crates/core/flags/defs.rs", [3012, 3987, 511, 640, 4812, 6700]),
    ("crates/core/flags/doc/version.rs", [60, 91, 5, 8, 75, 118]),
    ("crates/core/flags/hiargs.rs", [903, 1029, 61, 66, 1311, 1520]),
    ("crates/core/flags/lowargs.rs", [99_999, 100_000, 25, 25, 280, 280]),
    ("crates/core/flags/parse.rs", [301, 338, 20, 21, 455, 512]),
    ("crates/core/haystack.rs", [70, 70, 11, 11, 84, 84]),
    ("crates/core/main.rs", [240, 268, 14, 15, 372, 430]),
    ("crates/core/search.rs", [255, 290, 30, 33, 371, 433]),
    ("crates/globset/src/glob.rs", [712, 741, 93, 94, 1290, 1344]),
    ("crates/globset/src/lib.rs", [504, 561, 70, 82, 811, 902]),
    ("crates/globset/src/serde_impl.rs", [1, 1_000_000, 0, 12, 0, 104]),
    ("crates/grep/src/lib.rs", [0, 0, 0, 0, 0, 0]),
    ("crates/ignore/src/default_types.rs", [7, 7, 1, 1, 9, 9]),
    ("crates/ignore/src/dir.rs", [833, 866, 62, 63, 1402, 1477]),
    ("crates/ignore/src/gitignore.rs", [477, 495, 50, 51, 741, 790]),
    ("crates/ignore/src/walk.rs", [1290, 1605, 160, 201, 2109, 2650]),
    ("crates/matcher/src/interpolate.rs", [145, 150, 12, 12, 260, 268]),
    ("crates/pcre2/src/matcher.rs", [0, 310, 0, 41, 0, 498]),
    (
        "crates/printer/src/a/very/deep/directory/structure/that/somebody/generated/from/an/interface/definition/mod.rs",
        [12, 480, 1, 60, 20, 777],
    ),
    (
        "crates/printer/src/hyperlink/aliases_and_everything_else_that_has_to_do_with_them_and_their_formats_v2.rs",
        [79, 88, 9, 9, 130, 148],
    ),
    ("crates/printer/src/json.rs", [310, 341, 41, 44, 620, 683]),
    ("crates/printer/src/größe/日本語のとても長いファイル名.rs", [5, 20, 1, 2, 8, 31]),
    ("crates/printer/src/standard.rs", [2950, 3011, 222, 224, 4900, 5003]),
    ("crates/printer/src/summary.rs", [866, 870, 66, 66, 1310, 1316]),
    ("crates/regex/src/literal.rs", [720, 771, 71, 74, 1215, 1290]),
    ("crates/searcher/src/lines.rs", [306, 306, 33, 33, 512, 512]),
    ("crates/searcher/src/searcher/glue.rs", [1218, 1220, 51, 51, 1402, 1404]),
    ("crates/searcher/src/searcher/mmap.rs", [18, 36, 4, 4, 30, 49]),
    ("crates/searcher/src/searcher/mod.rs", [512, 610, 61, 80, 790, 961]),
    ("evil\u{1b}[2J\n name\u{202e}.rs", [3, 4, 1, 1, 5, 6]),
    ("src/🦀/lib.rs", [9, 10, 2, 2, 14, 15]),
    ("x.rs", [1, 2, 1, 1, 2, 3]),
];

fn rows(with_branches: bool) -> (Vec<Row>, Counts) {
    let mut total =
        Counts { lines: Ratio::EMPTY, functions: Ratio::EMPTY, regions: Ratio::EMPTY, branches: None };
    let mut rows = Vec::new();
    for &(path, [lines, n_lines, functions, n_functions, regions, n_regions]) in FILES {
        let branches = Ratio { covered: regions / 3, count: n_regions / 3 };
        let counts = Counts {
            lines: Ratio { covered: lines, count: n_lines },
            functions: Ratio { covered: functions, count: n_functions },
            regions: Ratio { covered: regions, count: n_regions },
            branches: with_branches.then_some(branches),
        };
        total.lines += counts.lines;
        total.functions += counts.functions;
        total.regions += counts.regions;
        if with_branches {
            *total.branches.get_or_insert(Ratio::EMPTY) += branches;
        }
        rows.push(Row { path: path.to_owned(), counts });
    }
    (rows, total)
}

const WIDTHS: &[Option<usize>] = &[
    Some(10),
    Some(30),
    Some(40),
    Some(50),
    Some(60),
    Some(70),
    Some(80),
    Some(120),
    Some(160),
    Some(200),
    None,
];

#[test]
fn tables_look_as_expected() {
    let layout = |width, color, order| Layout { width, color, order };
    let (mut findings, mut names) = (Vec::new(), Vec::new());
    let mut check = |name: &str, text: &str| {
        let name = format!("table/{name}.txt");
        golden::check(&mut findings, &name, text);
        names.push(name);
    };
    let (plain, total) = rows(false);
    for width in [30, 60, 80, 120, 200] {
        let text = render(&plain, total, layout(Some(width), false, Order::WorstFirst));
        check(&format!("width-{width}"), &text);
    }
    check("unlimited-by-path", &render(&plain, total, layout(None, false, Order::Path)));
    check("totals", &render_totals(total, false));
    let (branches, total) = rows(true);
    check("branches-80-color", &render(&branches, total, layout(Some(80), true, Order::WorstFirst)));
    check("branches-120", &render(&branches, total, layout(Some(120), false, Order::WorstFirst)));
    check("totals-branches-color", &render_totals(total, true));
    golden::finish(findings, "table", &names);
}

#[test]
fn every_line_of_a_table_has_the_same_width_and_fits() {
    for with_branches in [false, true] {
        let (rows, total) = rows(with_branches);
        for &width in WIDTHS {
            let text = render(&rows, total, Layout { width, color: false, order: Order::WorstFirst });
            let widths: Vec<usize> = text.lines().map(columns::width).collect();
            assert!(widths.windows(2).all(|pair| pair.first() == pair.last()), "{width:?}\n{text}");
            // Eight columns of path, two blanks, seven columns of share: the least there is.
            let fits = width.is_none_or(|width| widths.iter().all(|line| *line <= width.max(17)));
            assert!(fits, "{width:?}\n{text}");
            assert_eq!(text.lines().count(), rows.len() + 4);

            let colored = render(&rows, total, Layout { width, color: true, order: Order::WorstFirst });
            assert!(colored.contains("\x1b[3"));
            assert_eq!(golden::without_color(&colored), text);
        }
    }
}

#[test]
fn columns_go_in_the_documented_order() {
    let (rows, total) = rows(true);
    let header = |width| {
        let text = render(&rows, total, Layout { width: Some(width), color: false, order: Order::Path });
        let header = text.lines().next().unwrap_or_default();
        header.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    for (width, expected) in [
        (88, "Regions Functions Branches Lines Missed Cover"),
        (80, "Functions Branches Lines Missed Cover"),
        (70, "Branches Lines Missed Cover"),
        (60, "Lines Missed Cover"),
        (50, "Missed Cover"),
        (40, "Cover"),
        (1, "Cover"),
    ] {
        assert_eq!(header(width), expected, "width {width}");
    }
}

#[test]
fn the_last_line_ends_with_the_share_of_lines() {
    let (rows, total) = rows(false);
    let text = render(&rows, total, Layout { width: Some(80), color: false, order: Order::Path });
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("TOTAL "), "{last}");
    assert!(last.ends_with(&format!(" {}", total.lines)), "{last}");
}

fn check_missing(order: Order, files: &[(&str, &[u32])], expected: &str) {
    let files: Vec<MissingLines> = files
        .iter()
        .map(|(path, lines)| MissingLines { path: (*path).to_owned(), lines: lines.to_vec() })
        .collect();
    assert_eq!(render_missing_lines(&files, order), expected);
}

#[test]
fn missing_lines_are_ranges() {
    check_missing(Order::Path, &[], "");
    check_missing(Order::Path, &[("a.rs", &[])], "");
    check_missing(
        Order::Path,
        &[("b.rs", &[12, 15, 16, 17, 19, 21, 22]), ("a.rs", &[1]), ("c.rs", &[u32::MAX - 1, u32::MAX])],
        "a.rs:1\nb.rs:12,15-17,19,21-22\nc.rs:4294967294-4294967295\n",
    );
    check_missing(
        Order::WorstFirst,
        &[("c\n.rs", &[1]), ("a.rs", &[1]), ("b.rs", &[3, 4])],
        concat!("b.rs:3-4\n", "a.rs:1\n", "c\\n.rs:1\n"),
    );
}

#[test]
fn worst_is_what_misses_most_lines() {
    let (rows, total) = rows(false);
    let text = render(&rows, total, Layout { width: None, color: false, order: Order::WorstFirst });
    let paths: Vec<&str> = text.lines().skip(2).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(paths.first(), Some(&"crates/globset/src/serde_impl.rs"));
    // 31 missed lines twice, 28 once: equal ones by path.
    let place = |path| paths.iter().position(|p| *p == path);
    assert_eq!(
        place("crates/printer/src/json.rs"),
        place("crates/core/flags/doc/version.rs").map(|at| at + 1)
    );
}

/// The patterns that GitLab documents for pytest-cov and Scoverage.
const GITLAB: [&str; 2] = [
    r"TOTAL.*? (100(?:\.0+)?\%|[1-9]?\d(?:\.\d+)?\%)$",
    r"(?i)total.*? (100(?:\.0+)?\%|[1-9]?\d(?:\.\d+)?\%)$",
];

#[test]
fn gitlab_finds_the_total() {
    let (rows, total) = rows(true);
    let layout = Layout { width: None, color: false, order: Order::Path };
    for (covered, count, expected) in [(12_000, 12_345, "97.20%"), (7, 7, "100.00%"), (0, 7, "0.00%")] {
        let lines = Ratio { covered, count };
        let line = render_total_line(lines);
        assert_eq!(line, format!("TOTAL {covered} of {count} lines {expected}\n"));
        let table = render(&rows, Counts { lines, ..total }, layout);
        for pattern in GITLAB {
            // GitLab looks at each line of a job's log.
            let pattern = regex_lite::Regex::new(&format!("(?m){pattern}")).expect("a pattern");
            for text in [&line, &table] {
                let shares: Vec<&str> =
                    pattern.captures_iter(text).filter_map(|found| Some(found.get(1)?.as_str())).collect();
                assert_eq!(shares, [expected], "{pattern} in\n{text}");
            }
        }
    }
}
