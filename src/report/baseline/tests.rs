//! Baselines that are written, read and compared, and files that are none.

use super::{Baseline, BaselineError, FileNumbers, Numbers, compare, parse_ranges, shortfall};
use crate::coverage::Model;
use crate::coverage::summary::Ratio;
use crate::report::sample;

/// A file of so many lines of which those in `missing` did not run, with as many regions and one function.
fn file(count: u64, missing: &str, hash: &str) -> FileNumbers {
    let missing = parse_ranges(missing).expect("ranges");
    let missed = missing.iter().map(|range| u64::from(range.end() - range.start() + 1)).sum::<u64>();
    let lines = Ratio { covered: count - missed, count };
    let functions = Ratio { covered: u64::from(lines.covered > 0), count: 1 };
    let hash = (!hash.is_empty()).then(|| hash.to_owned());
    FileNumbers { numbers: Numbers { lines, functions, regions: lines }, hash, missing }
}

fn baseline(files: &[(&str, FileNumbers)]) -> Baseline {
    let mut totals = Numbers::EMPTY;
    for (_, file) in files {
        totals.add(file.numbers);
    }
    let files = files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect();
    Baseline { model: Model::Union, totals, files }
}

#[test]
fn names_that_are_not_utf_8_stay_two() {
    let mut coverage = sample::coverage();
    coverage.files[1].path = (*b"a\xfe.rs").into();
    coverage.files[2].path = (*b"a\xff.rs").into();
    let now = Baseline::of(&coverage, |_| None);
    assert_eq!(now.files.keys().collect::<Vec<_>>(), ["a\\xfe.rs", "a\\xff.rs", "build.rs"]);
    assert_eq!(Baseline::parse(now.render().as_bytes()), Ok(now));
}

#[test]
fn what_is_written_is_read() {
    let odd = "a \"quoted\\\" \u{1}\npath.rs";
    let written = baseline(&[
        (odd, file(3, "", "")),
        ("src/a.rs", file(4, "12", "0c")),
        ("src/b.rs", file(9, "1-3,7", "9e")),
    ]);
    let text = written.render();
    assert_eq!(
        text,
        "{\"format\": \"xtask-coverage baseline\", \"version\": 1, \"model\": \"union\",\n\
         \"lines\": [11, 16], \"functions\": [3, 3], \"regions\": [11, 16],\n\
         \"files\": {\n\
         \"a \\\"quoted\\\\\\\" \\u0001\\npath.rs\": {\"lines\": [3, 3], \"functions\": [1, 1], \"regions\": [3, 3], \"missing\": \"\"},\n\
         \"src/a.rs\": {\"lines\": [3, 4], \"functions\": [1, 1], \"regions\": [3, 4], \"md5\": \"0c\", \"missing\": \"12\"},\n\
         \"src/b.rs\": {\"lines\": [5, 9], \"functions\": [1, 1], \"regions\": [5, 9], \"md5\": \"9e\", \"missing\": \"1-3,7\"}\n\
         }}\n"
    );
    assert_eq!(Baseline::parse(text.as_bytes()), Ok(written));
    let empty = baseline(&[]);
    assert_eq!(Baseline::parse(empty.render().as_bytes()), Ok(empty));
}

/// In LLVM's model, as many lines of a file are missing as its functions say, whatever its lines are.
#[test]
fn what_is_written_of_llvm_s_model_is_read() {
    let mut written = baseline(&[("src/a.rs", file(9, "1-3,7", ""))]);
    written.files.values_mut().for_each(|file| file.numbers.lines.covered -= 1);
    written.totals.lines.covered -= 1;
    Baseline::parse(written.render().as_bytes()).expect_err("no numbers of the union");
    written.model = Model::Llvm;
    assert_eq!(Baseline::parse(written.render().as_bytes()), Ok(written));
}

#[test]
fn what_is_no_baseline() {
    let text = baseline(&[("src/a.rs", file(9, "1-3,7", "9e"))]).render();
    let check = |from: &str, to: &str, expected: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        let error = Baseline::parse(text.replace(from, to).as_bytes()).expect_err(to);
        assert!(error.to_string().starts_with(expected), "`{error}` is not `{expected}`");
    };
    for text in ["", "{", "x", "<<<<<<< HEAD\n{}\n"] {
        assert!(matches!(Baseline::parse(text.as_bytes()), Err(BaselineError::Json(_))), "{text}");
    }
    for text in ["1", "[]", "{}", "{\"format\": 1}", "{\"data\": [], \"version\": \"2.0.1\"}"] {
        assert_eq!(Baseline::parse(text.as_bytes()), Err(BaselineError::Foreign), "{text}");
    }
    check("\"version\": 1", "\"version\": 2", "a baseline in version 2 of the format (this build reads 1)");
    check("\"version\": 1", "\"v\": 1", "a broken baseline: `version` is missing");
    check("\"union\"", "\"mine\"", "a broken baseline: `model` is neither");
    check("\"files\"", "\"file\"", "a broken baseline: `files` is missing");
    check("\"1-3,7\"", "\"1-3,8-9\"", "a broken baseline: `missing` of `src/a.rs` has 5 lines");
    for missing in
        ["\"x\"", "\"3-1,7\"", "\"7,1-3\"", "\"1-3,3\"", "\"0-2,7\"", "\"1-3,,7\"", "\"1-4294967296\"", "7"]
    {
        check("\"1-3,7\"", missing, "a broken baseline: `missing` of `src/a.rs` is no list of lines");
    }
    let totals = "\"lines\": [5, 9], \"functions\": [1, 1], \"regions\": [5, 9],\n";
    for (other, expected) in [
        ("\"functions\": [1, 1], \"regions\": [5, 9],\n", "`lines` of the totals is not a pair of numbers"),
        (
            "\"lines\": [5, 9], \"functions\": [2, 1], \"regions\": [5, 9],\n",
            "`functions` of the totals is not a",
        ),
        (
            "\"lines\": [5, 9], \"functions\": [1, 1], \"regions\": [5],\n",
            "`regions` of the totals is not a pair",
        ),
        (
            "\"lines\": [5, 4294967296], \"functions\": [1, 1], \"regions\": [5, 9],\n",
            "`lines` of the totals is",
        ),
        ("\"lines\": [-5, 9], \"functions\": [1, 1], \"regions\": [5, 9],\n", "`lines` of the totals is"),
        (
            "\"lines\": [6, 9], \"functions\": [1, 1], \"regions\": [5, 9],\n",
            "its totals are not the sums over its files",
        ),
    ] {
        check(totals, other, &format!("a broken baseline: {expected}"));
    }
}

#[test]
fn models_do_not_compare() {
    let union = baseline(&[("a.rs", file(1, "", ""))]);
    let llvm = Baseline { model: Model::Llvm, ..union.clone() };
    assert_eq!(Baseline::parse(llvm.render().as_bytes()), Ok(llvm.clone()));
    let error = compare(&llvm, &union).expect_err("models");
    assert_eq!(error.to_string(), "a baseline of `--model llvm`, whose numbers are others");
}

#[test]
fn a_fall_is_exact() {
    let check = |then: (u64, u64), now: (u64, u64), tolerance: u16, expected: u64| {
        let ratio = |(covered, count)| Ratio { covered, count };
        assert_eq!(shortfall(ratio(then), ratio(now), tolerance), expected, "{then:?} {now:?} {tolerance}");
    };
    check((9, 10), (9, 10), 0, 0);
    check((9, 10), (90, 100), 0, 0);
    check((9, 10), (10, 10), 0, 0);
    check((9, 10), (7, 9), 0, 2);
    check((1_000_000, 1_000_000), (999_999, 1_000_000), 0, 1);
    check((1_000_000, 1_000_000), (999_999, 1_000_000), 1, 0);
    // From 90 % to 89.5 % is half a point.
    check((900, 1000), (895, 1000), 50, 0);
    check((900, 1000), (895, 1000), 49, 1);
    check((900, 1000), (1790, 2000), 50, 0);
    check((900, 1000), (1789, 2000), 50, 1);
    check((2, 3), (1, 3), 3333, 1);
    check((2, 3), (1, 3), 3334, 0);
    check((10, 10), (0, 10), 10_000, 0);
    check((10, 10), (0, 10), 5000, 5);
    check((0, 0), (0, 10), 0, 0);
    check((10, 10), (0, 0), 0, 0);
    check((u64::MAX, u64::MAX), (u64::MAX, u64::MAX), 0, 0);
}

#[test]
fn what_people_read() {
    let then = baseline(&[
        ("changed.rs", file(10, "5", "1")),
        ("gone.rs", file(4, "1", "2")),
        ("same.rs", file(10, "3-4", "3")),
        ("shorter.rs", file(10, "5", "4")),
        ("swapped.rs", file(10, "5", "5")),
        ("up.rs", file(10, "5-9", "6")),
        ("steady.rs", file(10, "5-9", "7")),
        ("unknown.rs", file(10, "", "")),
    ]);
    let now = baseline(&[
        ("changed.rs", file(10, "5-8", "1b")),
        ("new.rs", file(4, "1-2", "2")),
        ("same.rs", file(10, "2-4,9", "3")),
        ("shorter.rs", file(5, "2", "4b")),
        ("swapped.rs", file(10, "6", "5")),
        ("up.rs", file(10, "", "6")),
        ("steady.rs", file(10, "5-9", "7")),
        ("unknown.rs", file(10, "1", "")),
    ]);
    let comparison = compare(&then, &now).expect("one model");
    assert_eq!(
        comparison.render(),
        "\
Compared with the baseline:
  lines      78.37% (58 of 74) -> 73.91% (51 of 69)
  functions  100.00% (8 of 8), as before
  regions    78.37% (58 of 74) -> 73.91% (51 of 69)
Files that have fallen:
  changed.rs  90.00% (9 of 10) -> 60.00% (6 of 10), 3 more missed
  same.rs  80.00% (8 of 10) -> 60.00% (6 of 10), 2 more missed, though nobody touched it
  unknown.rs  100.00% (10 of 10) -> 90.00% (9 of 10), 1 more missed
  shorter.rs  90.00% (9 of 10) -> 80.00% (4 of 5)
  swapped.rs  90.00% (9 of 10), as before, though nobody touched it
Missed now and not then, in files that nobody touched:
same.rs:2,9
swapped.rs:6
New files:
  new.rs  50.00% (2 of 4)
Gone files:
  gone.rs  75.00% (3 of 4)
"
    );
    let same = compare(&then, &then).expect("one model").render();
    assert_eq!(same.lines().count(), 4, "{same}");
    assert!(same.lines().skip(1).all(|line| line.ends_with(", as before")), "{same}");
}

#[test]
fn long_lists_end() {
    let many: Vec<(String, FileNumbers)> =
        (10..35).map(|index| (format!("f{index}.rs"), file(1, "", ""))).collect();
    let many: Vec<(&str, FileNumbers)> =
        many.iter().map(|(path, file)| (path.as_str(), file.clone())).collect();
    let text = compare(&baseline(&[]), &baseline(&many)).expect("one model").render();
    assert!(
        text.contains("  f29.rs  100.00% (1 of 1)\n  … and 5 more\n") && !text.contains("f30.rs"),
        "{text}"
    );
}
