//! Flags that say which reports are written, where, and from which data.

use std::path::PathBuf;

use super::super::flag::{Choice, Flag, Section};
use super::values::{count, percent};
use super::{FORMATS, FROM_FILES, NO_REPORT, ONLY_LINES, REPORT, want};
use crate::report::table::Order;
use crate::task::config::{Command, Format, Place};

pub(super) const REPORTS: Section = Section {
    title: "Reports",
    flags: &[
        Flag::switch("lcov", |config, on| want(config, Format::Lcov, on))
            .not_in_environment()
            .part_of(FORMATS)
            .of(REPORT)
            .help("Write an LCOV tracefile. Printed on stdout unless a flag below says where to write it."),
        Flag::switch("json", |config, on| want(config, Format::Json, on))
            .not_in_environment()
            .part_of(FORMATS)
            .of(REPORT)
            .help(
                "Write JSON in the format of `llvm-cov export`. Printed on stdout unless a flag below says where \
                 to write it.",
            ),
        Flag::switch("text", |config, on| want(config, Format::Text, on))
            .not_in_environment()
            .conflicts(&[("summary-only", "annotated sources have no summary; drop one of the two")])
            .part_of(FORMATS)
            .of(REPORT)
            .help(
                "Write the sources with the count of each line. Printed on stdout unless a flag below says where \
                 to write it.",
            ),
        Flag::switch("cobertura", |config, on| want(config, Format::Cobertura, on))
            .not_in_environment()
            .conflicts(&[("summary-only", ONLY_LINES)])
            .part_of(FORMATS)
            .of(REPORT)
            .help(
                "Write Cobertura's XML, which GitHub, GitLab, Jenkins and Azure read. Printed on stdout unless a flag \
                 below says where to write it.",
            ),
        Flag::switch("codecov", |config, on| want(config, Format::Codecov, on))
            .not_in_environment()
            .conflicts(&[("summary-only", ONLY_LINES)])
            .part_of(FORMATS)
            .of(REPORT)
            .help(
                "Write Codecov's own JSON, which knows lines of which only a part ran. Printed on stdout unless a flag \
                 below says where to write it.",
            ),
        Flag::switch("markdown", |config, on| want(config, Format::Markdown, on))
            .not_in_environment()
            .part_of(FORMATS)
            .of(REPORT)
            .help(
                "Write a summary in Markdown: totals, the files that miss most, and their missing lines, folded. Printed \
                 on stdout unless a flag below says where to write it.",
            ),
        Flag::switch("badge", |config, on| want(config, Format::Badge, on))
            .not_in_environment()
            .part_of(FORMATS)
            .of(REPORT)
            .help(
                "Write the JSON that shields.io makes a badge from. Printed on stdout unless a flag below says where to \
                 write it.",
            ),
        Flag::switch("badge-svg", |config, on| want(config, Format::BadgeSvg, on))
            .not_in_environment()
            .part_of(FORMATS)
            .of(REPORT)
            .help(
                "Write a badge as a picture of its own. Printed on stdout unless a flag below says where to write it.",
            ),
        Flag::one("output-path", "PATH", |config, value| {
            config.output.place = Place::File(PathBuf::from(value));
            Ok(())
        })
        .conflicts(&[("output-dir", "a report goes to one place; drop one of the two")])
        .not_a_key("a file is for one format, and the command line may ask for others; use `output-dir`")
        .of(REPORT)
        .help(
            "Write the report into this file. `-` is stdout. For several formats use `--output-dir`. The table is \
             printed besides whenever stdout is free.",
        ),
        Flag::one("output-dir", "DIRECTORY", |config, value| {
            config.output.place = Place::Directory(PathBuf::from(value));
            Ok(())
        })
        .of(REPORT)
        .help(
            "Write the reports into this directory. They are called `lcov.info`, `coverage.json`, `coverage.txt`, \
             `cobertura.xml`, `codecov.json`, `summary.md`, `badge.json` and `badge.svg`. The default for several formats \
             at once is `target/coverage`.",
        ),
        Flag::one("partial", "FILE", |config, value| {
            config.output.partial = Some(PathBuf::from(value));
            Ok(())
        })
        .not_a_key("it is for a run that others are merged with")
        .of(REPORT)
        .help(
            "Write this run into one small file, to be merged with others. For `cargo xtask coverage merge` it holds maps, \
             counts and what the sources were, without programs and profiles. Without a format beside it, no report is \
             written, and what manifests demand is left to the merge.",
        ),
        Flag::switch("summary-only", |config, on| config.output.summary_only = on)
            .of(REPORT)
            .help(
                "Report numbers of whole files, or totals alone. With `--lcov` or `--json`, lines and functions \
                 are left out of the report; the table shrinks to its totals.",
            ),
        Flag::switch("skip-functions", |config, on| config.output.skip_functions = on)
            .of(REPORT)
            .help("Leave functions out of LCOV and JSON."),
        Flag::one("fail-under-lines", "PERCENT", |config, value| {
            config.thresholds.lines = Some(percent(value)?);
            Ok(())
        })
        .threshold()
        .of(REPORT)
        .help("Exit with code 2 if less than this share of the lines ran. Up to two decimals; compared exactly."),
        Flag::one("fail-under-functions", "PERCENT", |config, value| {
            config.thresholds.functions = Some(percent(value)?);
            Ok(())
        })
        .threshold()
        .of(REPORT)
        .help("The same for functions."),
        Flag::one("fail-under-regions", "PERCENT", |config, value| {
            config.thresholds.regions = Some(percent(value)?);
            Ok(())
        })
        .threshold()
        .of(REPORT)
        .help("The same for regions."),
        Flag::one("fail-under-file-lines", "PERCENT", |config, value| {
            config.thresholds.file_lines = Some(percent(value)?);
            Ok(())
        })
        .threshold()
        .of(REPORT)
        .help("Exit with code 2 if less than this share of the lines of any file ran. Each such file is named."),
        Flag::one("fail-uncovered-lines", "MAX", |config, value| {
            config.thresholds.uncovered_lines = Some(count(value)?);
            Ok(())
        })
        .threshold()
        .of(REPORT)
        .help("Exit with code 2 if more than MAX lines did not run."),
        Flag::one("fail-uncovered-functions", "MAX", |config, value| {
            config.thresholds.uncovered_functions = Some(count(value)?);
            Ok(())
        })
        .threshold()
        .of(REPORT)
        .help("The same for functions."),
        Flag::one("fail-uncovered-regions", "MAX", |config, value| {
            config.thresholds.uncovered_regions = Some(count(value)?);
            Ok(())
        })
        .threshold()
        .of(REPORT)
        .help("The same for regions."),
        Flag::switch("deny-warnings", |config, on| config.deny_warnings = on).of(REPORT).help(
            "Exit with code 1 if there was a warning. Reports are written all the same. A warning says that something is \
             missing in the numbers or is not as it was meant; each kind has its word, which the README explains.",
        ),
        Flag::switch("show-missing-lines", |config, on| config.output.show_missing_lines = on)
            .of(REPORT)
            .help("Under the table, list the lines that did not run, as `path:12,15-19`."),
        Flag::switch("show-missing-functions", |config, on| config.output.show_missing_functions = on)
            .of(REPORT)
            .help(
                "Under the table, list the functions that did not run. Each is a line `path:12 name (34 lines)`; those \
                 with most lines come first.",
            ),
        Flag::switch("total", |config, on| config.output.total_line = on)
            .conflicts(&[("summary-only", "one line or a table of totals; drop one of the two")])
            .of(REPORT)
            .help(
                "Print the total on one line instead of the table. The line, `TOTAL 12000 of 12345 lines 97.20%`, is never \
                 colored, so that patterns of CI services find it.",
            ),
        Flag::choice("sort", &[
            Choice {
                name: "cover",
                help: "most missed lines first (default)",
                set: |config| config.output.order = Order::WorstFirst,
            },
            Choice { name: "path", help: "by path", set: |config| config.output.order = Order::Path },
        ])
        .of(REPORT)
        .help("The order of the files in the table."),
        Flag::switch("no-report", |config, on| config.output.enabled = !on)
            .conflicts(&[
                ("lcov", NO_REPORT),
                ("json", NO_REPORT),
                ("text", NO_REPORT),
                ("cobertura", NO_REPORT),
                ("codecov", NO_REPORT),
                ("markdown", NO_REPORT),
                ("badge", NO_REPORT),
                ("badge-svg", NO_REPORT),
                ("output-path", NO_REPORT),
                ("output-dir", NO_REPORT),
                ("summary-only", NO_REPORT),
                ("skip-functions", NO_REPORT),
                ("show-missing-lines", NO_REPORT),
                ("show-missing-functions", NO_REPORT),
                ("total", NO_REPORT),
                ("sort", NO_REPORT),
            ])
            .not_a_key("nothing would ever be reported")
            .of(&[Command::Coverage, Command::Run])
            .help("Run, and keep the counts, but do not report."),
    ],
};

pub(super) const FOREIGN_DATA: Section = Section {
    title: "Data of another test harness",
    flags: &[
        Flag::many("object", "PATH", |config, value| {
            config.input.objects.push(PathBuf::from(value));
            Ok(())
        })
        .not_a_key("it names the data of one run")
        .of(FROM_FILES)
        .help(
            "Read coverage maps from this executable, library or archive. Can be given several times. Needs \
             `--profraw`.",
        ),
        Flag::many("profraw", "PATH", |config, value| {
            config.input.profiles.push(PathBuf::from(value));
            Ok(())
        })
        .not_a_key("it names the data of one run")
        .of(FROM_FILES)
        .help(
            "Read counts from this raw profile, or from all below this directory. Can be given several times. \
             Needs `--object`.",
        ),
    ],
};
