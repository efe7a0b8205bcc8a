//! Reports read back, each by what its format says and none by our own code. Panics where a report is not of its format.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};
use serde_json::Value;

use super::lcov::Total;

/// The count of each mapped line by its file.
pub(crate) type Lines = BTreeMap<String, BTreeMap<u32, u64>>;

/// What is counted.
pub(crate) const KINDS: [&str; 3] = ["lines", "functions", "regions"];

/// LLVM's JSON.
pub(crate) struct Json {
    /// By what it counts.
    pub(crate) totals: BTreeMap<&'static str, Total>,
    /// The same of each file.
    pub(crate) files: BTreeMap<String, BTreeMap<&'static str, Total>>,
    /// The lines that follow from the segments.
    pub(crate) lines: Lines,
}

pub(crate) fn json(text: &str) -> Json {
    let json: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(json["type"], "llvm.coverage.json.export");
    let data = &json["data"][0];
    let number = |value: &Value| value.as_u64().expect("a number");
    let totals = |summary: &Value| -> BTreeMap<&'static str, Total> {
        let total = |kind: &&'static str| {
            let of = &summary[*kind];
            (*kind, Total { count: number(&of["count"]), covered: number(&of["covered"]) })
        };
        KINDS.iter().map(total).collect()
    };
    let mut read = Json { totals: totals(&data["totals"]), files: BTreeMap::new(), lines: Lines::new() };
    for file in data["files"].as_array().expect("files") {
        let path = file["filename"].as_str().expect("a name").to_owned();
        let segments = file["segments"].as_array().expect("segments");
        assert!(read.lines.insert(path.clone(), lines_of_segments(segments)).is_none(), "{path}: twice");
        read.files.insert(path, totals(&file["summary"]));
    }
    read
}

/// A segment says how often code runs from it on: the rule of LLVM's `LineCoverageStats`, written anew.
fn lines_of_segments(segments: &[Value]) -> BTreeMap<u32, u64> {
    let number = |value: &Value| value.as_u64().expect("a number");
    let flag = |value: &Value| value.as_bool().expect("true or false");
    let mut by_line: BTreeMap<u32, Vec<(u64, bool, bool, bool)>> = BTreeMap::new();
    for segment in segments {
        let line = u32::try_from(number(&segment[0])).expect("a line");
        let of_line = by_line.entry(line).or_default();
        of_line.push((number(&segment[2]), flag(&segment[3]), flag(&segment[4]), flag(&segment[5])));
    }
    let (Some(first), Some(last)) = (by_line.keys().next(), by_line.keys().next_back()) else {
        return BTreeMap::new();
    };
    let mut lines = BTreeMap::new();
    let mut wrapped: Option<(u64, bool)> = None;
    for line in *first..=*last {
        let on_line = by_line.get(&line).map_or(&[][..], Vec::as_slice);
        let entered =
            |(_, has_count, is_entry, is_gap): &&(u64, bool, bool, bool)| *has_count && *is_entry && !is_gap;
        let most = on_line.iter().filter(entered).map(|(count, ..)| *count).max();
        let starts_skipped =
            on_line.first().is_some_and(|(_, has_count, is_entry, _)| !has_count && *is_entry);
        let starts_counted = on_line.iter().any(|(_, has_count, is_entry, _)| *has_count && *is_entry);
        let goes_on = wrapped.is_some_and(|(_, has_count)| has_count);
        if (!starts_skipped && (goes_on || most.is_some())) || starts_counted {
            let carried = wrapped.map_or(0, |(count, _)| count);
            lines.insert(line, most.map_or(carried, |most| most.max(carried)));
        }
        wrapped = on_line.last().map(|(count, has_count, ..)| (*count, *has_count)).or(wrapped);
    }
    lines
}

/// Cobertura's XML.
pub(crate) struct Cobertura {
    pub(crate) source: String,
    pub(crate) lines: Lines,
    pub(crate) lines_total: Total,
    /// Of all methods; covered are those with hits.
    pub(crate) methods: Total,
}

pub(crate) fn cobertura(text: &str) -> Cobertura {
    let document = Document::parse(text).expect("XML");
    let coverage = document.root_element();
    assert_eq!(coverage.tag_name().name(), "coverage");
    assert_eq!(attribute(coverage, "timestamp"), "0");
    let mut lines = Lines::new();
    let mut methods = Total::default();
    let mut packages = BTreeSet::new();
    for package in only(coverage, "packages").children().filter(Node::is_element) {
        assert!(packages.insert(attribute(package, "name")), "{}: twice", attribute(package, "name"));
        let mut of_package = Total::default();
        for class in only(package, "classes").children().filter(Node::is_element) {
            let path = attribute(class, "filename").to_owned();
            let name = attribute(class, "name");
            assert!(path.ends_with(name) && !name.contains('/'), "{name} is not the file name of {path}");
            let of_class = lines_of(only(class, "lines"));
            let total = Total {
                count: of_class.len() as u64,
                covered: of_class.values().filter(|count| **count > 0).count() as u64,
            };
            assert_eq!(attribute(class, "line-rate"), rate(total), "{path}");
            of_package.count += total.count;
            of_package.covered += total.covered;
            assert!(lines.insert(path.clone(), of_class).is_none(), "{path}: twice");
            for method in only(class, "methods").children().filter(Node::is_element) {
                let hits = lines_of(only(method, "lines"));
                let [count] = hits.values().collect::<Vec<_>>()[..] else {
                    panic!("a method of {path}: {hits:?}")
                };
                assert!(!attribute(method, "name").is_empty(), "a method of {path} without a name");
                methods.count += 1;
                methods.covered += u64::from(*count > 0);
            }
        }
        assert_eq!(attribute(package, "line-rate"), rate(of_package), "{}", attribute(package, "name"));
    }
    let lines_total =
        Total { count: number(coverage, "lines-valid"), covered: number(coverage, "lines-covered") };
    assert_eq!(attribute(coverage, "line-rate"), rate(lines_total));
    let source = only(only(coverage, "sources"), "source").text().expect("a path").to_owned();
    Cobertura { source, lines, lines_total, methods }
}

/// Four decimals, rounded down, and `1` only of all.
fn rate(total: Total) -> String {
    let Total { count, covered } = total;
    if covered == count { "1".to_owned() } else { format!("0.{:04}", covered * 10_000 / count) }
}

fn lines_of(lines: Node<'_, '_>) -> BTreeMap<u32, u64> {
    let mut read = BTreeMap::new();
    for line in lines.children().filter(Node::is_element) {
        let at = u32::try_from(number(line, "number")).expect("a line");
        assert!(read.last_key_value().is_none_or(|(last, _)| *last < at), "lines are not ascending");
        read.insert(at, number(line, "hits"));
    }
    read
}

#[track_caller]
fn only<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Node<'a, 'input> {
    let mut named = node.children().filter(|child| child.has_tag_name(name));
    let first = named.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(named.next().is_none(), "several {name}");
    first
}

#[track_caller]
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_else(|| panic!("no {name}"))
}

#[track_caller]
fn number(node: Node<'_, '_>, name: &str) -> u64 {
    attribute(node, name).parse().expect("a number")
}

/// Lines with counts, and lines of which a part ran.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    /// A partial line of Codecov's has no count, and is 1.
    pub(crate) lines: Lines,
    pub(crate) partial: BTreeSet<(String, u32)>,
}

/// Codecov's JSON, by <https://docs.codecov.com/docs/codecov-custom-coverage-format>.
pub(crate) fn codecov(text: &str) -> Partial {
    let json: Value = serde_json::from_str(text).expect("JSON");
    let mut read = Partial::default();
    for (path, lines) in json["coverage"].as_object().expect("files") {
        let of_file = read.lines.entry(path.clone()).or_default();
        for (line, hits) in lines.as_object().expect("lines") {
            let line: u32 = line.parse().expect("a line");
            let count = match hits {
                Value::Null => continue,
                Value::Number(count) => count.as_u64().expect("a count"),
                Value::String(share) => {
                    let (covered, count) = share.split_once('/').expect("a share");
                    let [covered, count] = [covered, count].map(|it| it.parse::<u64>().expect("a number"));
                    assert!(0 < covered && covered < count, "{path}:{line}: {share} is not partial");
                    read.partial.insert((path.clone(), line));
                    1
                }
                other => panic!("{path}:{line}: {other}"),
            };
            of_file.insert(line, count);
        }
    }
    read
}

/// Annotated source. Counts from 1000 on are rounded there and refused here.
pub(crate) fn text(text: &str) -> Partial {
    let mut read = Partial::default();
    let mut path = String::new();
    let mut last = 0;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut cells = line.splitn(3, '|').map(str::trim);
        let (Some(number), Some(count), Some(source)) = (cells.next(), cells.next(), cells.next()) else {
            path = line.rsplit_once(": ").expect("a path and its total").0.to_owned();
            read.lines.insert(path.clone(), BTreeMap::new());
            continue;
        };
        if number.is_empty() {
            assert!(source.contains("^0"), "{line}");
            read.partial.insert((path.clone(), last));
            continue;
        }
        last = number.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        if !count.is_empty() {
            let lines = read.lines.get_mut(&path).expect("a file");
            lines.insert(last, count.parse().unwrap_or_else(|_| panic!("no count: {line}")));
        }
    }
    read
}

/// A summary in Markdown: the heading's share, the totals, the missing lines.
pub(crate) struct Markdown {
    pub(crate) share: String,
    pub(crate) totals: BTreeMap<String, Total>,
    pub(crate) missing: BTreeMap<String, Vec<u32>>,
}

pub(crate) fn markdown(text: &str) -> Markdown {
    let share = text.strip_prefix("## Coverage: ").and_then(|rest| rest.split_once(" of lines\n"));
    let mut totals = BTreeMap::new();
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if let [kind, covered, missed, count, _] = cells[..]
            && let (Ok(covered), Ok(missed), Ok(count)) =
                (covered.parse(), missed.parse::<u64>(), count.parse())
        {
            assert_eq!(covered + missed, count, "{row}");
            totals.insert(kind.to_lowercase(), Total { count, covered });
        }
    }
    let block = text.split_once("```text\n").and_then(|(_, rest)| rest.rsplit_once("\n```"));
    let missing = block.map_or_else(BTreeMap::new, |(block, _)| missing_lines(block));
    Markdown { share: share.expect("a heading").0.to_owned(), totals, missing }
}

/// `path:12,15-17` on each line.
pub(crate) fn missing_lines(text: &str) -> BTreeMap<String, Vec<u32>> {
    let of_line = |line: &str| {
        let (path, ranges) = line.rsplit_once(':').unwrap_or_else(|| panic!("no path: {line}"));
        let number = |text: &str| -> u32 { text.parse().unwrap_or_else(|_| panic!("no number: {line}")) };
        let lines = ranges.split(',').flat_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            number(first)..=number(last)
        });
        (path.to_owned(), lines.collect())
    };
    text.lines().map(of_line).collect()
}

/// What a badge says behind its label.
pub(crate) fn badge(text: &str) -> String {
    let json: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!((&json["schemaVersion"], &json["label"]), (&Value::from(1), &Value::from("coverage")));
    json["message"].as_str().expect("a message").to_owned()
}

/// The same of a picture.
pub(crate) fn badge_svg(text: &str) -> String {
    let document = Document::parse(text).expect("XML");
    let svg = document.root_element();
    assert!(svg.has_tag_name(("http://www.w3.org/2000/svg", "svg")));
    let title = svg.children().find(|child| child.has_tag_name(("http://www.w3.org/2000/svg", "title")));
    let title = title.and_then(|title| title.text()).expect("a title");
    assert_eq!(svg.attribute("aria-label"), Some(title));
    title.strip_prefix("coverage: ").expect("a label").to_owned()
}
