//! Whole reports on the sample, against files below `tests/data/report`. Those are read again by other people's tools in CI.

use super::markdown::{self, MarkdownOptions};
use super::{badge, cobertura, codecov, sample};
use crate::golden;

#[test]
fn reports_read_as_expected() {
    let coverage = sample::coverage();
    let mut reports: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut add = |name, write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut report = Vec::new();
        write(&mut report).expect("memory");
        reports.push((name, report));
    };
    add("cobertura.xml", &|out| cobertura::write(&coverage, "/w & <x>", out));
    add("codecov.json", &|out| codecov::write(&coverage, out));
    let sections = ["**Too little.**\n".to_owned()];
    let options = MarkdownOptions { sections: &sections, ..MarkdownOptions::DEFAULT };
    add("summary.md", &|out| markdown::write(&coverage, &options, out));
    add("badge.svg", &|out| badge::write_svg(coverage.totals.lines, out));

    let mut findings = Vec::new();
    let mut names = vec!["report/coverage-04.dtd".to_owned()];
    for (name, report) in reports {
        let name = format!("report/{name}");
        let text = String::from_utf8(report).expect("text");
        golden::check(&mut findings, &name, &text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
        names.push(name);
    }
    golden::finish(findings, "report", &names);
}
