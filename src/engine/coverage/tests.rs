//! Both models on small maps and profiles that are written out here: what is counted, what is left out, how it adds up.

mod scaling;

use super::cut::{Cut, Cuts};
use super::map::CoverageMap;
use super::profile::Profile;
use super::profile::tests::raw_profile;
use super::union::UnionOptions;
use super::{Coverage, Model, llvm, union};
use crate::format::covfun::{CovfunRecord, Position};
use crate::format::prf_names::md5_64;
use crate::format::profraw::parse;

/// A function record: its name, structural hash, the file it stands in, and code regions as (counter, line, first column,
/// end column), where counter 0 is the constant zero and counter n the profile's counter n - 1.
pub(super) struct Function {
    name: &'static str,
    func_hash: u64,
    file: u8,
    regions: Vec<(u8, u8, u8, u8)>,
}

pub(super) fn function(
    name: &'static str,
    func_hash: u64,
    file: u8,
    regions: &[(u8, u8, u8, u8)],
) -> Function {
    Function { name, func_hash, file, regions: regions.to_vec() }
}

impl Function {
    fn mapping(&self) -> Vec<u8> {
        let mut bytes = vec![1, self.file, 0, self.regions.len() as u8];
        let mut line_before = 0;
        for &(counter, line, column, end) in &self.regions {
            let encoded = if counter == 0 { 0 } else { ((counter - 1) << 2) | 1 };
            bytes.extend([encoded, line - line_before, column, 0, end]);
            line_before = line;
        }
        bytes
    }
}

/// The map of objects that all have one table of file names: the directory `/w` and the files `/w/a.rs` and `/w/b.rs`.
pub(super) fn map(objects: &[Vec<Function>]) -> CoverageMap {
    let mut map = CoverageMap::default();
    for functions in objects {
        let mappings: Vec<_> = functions.iter().map(Function::mapping).collect();
        let records: Vec<_> = functions
            .iter()
            .zip(&mappings)
            .map(|(function, mapping)| CovfunRecord {
                name_ref: md5_64(function.name.as_bytes()),
                func_hash: function.func_hash,
                filenames_ref: 77,
                mapping,
            })
            .collect();
        let new = map.add_object(&[77], &records, &[], &[]);
        for (_, table) in new.tables {
            map.insert_table(
                table,
                ["/w", "/w/a.rs", "/w/b.rs"].map(|path| path.as_bytes().to_vec()).to_vec(),
            );
        }
        let names: Vec<_> = functions
            .iter()
            .map(|function| (md5_64(function.name.as_bytes()), function.name.as_bytes()))
            .collect();
        map.insert_names(&names);
    }
    map
}

pub(super) fn profile(functions: &[(&str, u64, &[u64])]) -> Profile {
    let functions: Vec<_> =
        functions.iter().map(|(name, hash, counts)| (md5_64(name.as_bytes()), *hash, *counts)).collect();
    let mut profile = Profile::default();
    for raw in parse(&raw_profile(&functions)).expect("well-formed") {
        profile.merge(&raw, &|_| false);
    }
    profile
}

fn evaluate(model: Model, objects: &[Vec<Function>], counts: &[(&str, u64, &[u64])]) -> Coverage {
    let (map, profile) = (map(objects), profile(counts));
    match model {
        Model::Union => {
            union::evaluate(&map, &profile, options(2), &|path| Some(path.to_vec()), &Cuts::new())
        }
        Model::Llvm => llvm::evaluate(&map, &profile, &|_| true),
    }
}

/// `path: line=count …; functions covered/count, regions covered/count, lines covered/count`, a line for each file.
fn describe(coverage: &Coverage) -> Vec<String> {
    let describe = |file: &super::FileCoverage| {
        let lines: Vec<_> = file.lines().map(|line| format!("{}={}", line.line, line.count)).collect();
        let summary = file.summary;
        let ratio = |ratio: super::Ratio| format!("{}/{}", ratio.covered, ratio.count);
        format!(
            "{}: {}; f {}, r {}, l {}",
            String::from_utf8_lossy(&file.path),
            lines.join(" "),
            ratio(summary.functions),
            ratio(summary.regions),
            ratio(summary.lines)
        )
    };
    coverage.files.iter().map(describe).collect()
}

fn check(
    objects: &[Vec<Function>],
    counts: &[(&str, u64, &[u64])],
    expected_union: &[&str],
    expected_llvm: &[&str],
) {
    assert_eq!(describe(&evaluate(Model::Union, objects, counts)), expected_union, "union");
    assert_eq!(describe(&evaluate(Model::Llvm, objects, counts)), expected_llvm, "LLVM");
}

#[test]
fn the_same_function_in_two_objects_is_counted_once() {
    let object = || vec![function("f", 9, 1, &[(1, 1, 1, 9), (2, 2, 1, 9)])];
    let expected = ["/w/a.rs: 1=3 2=0; f 1/1, r 1/2, l 1/2"];
    check(&[object(), object()], &[("f", 9, &[3, 0])], &expected, &expected);
}

#[test]
fn copies_of_one_function_are_joined_by_position() {
    // Two instantiations; each runs what the other does not. LLVM takes the best of them, the union their sum.
    let regions = [(1, 1, 1, 9), (2, 2, 1, 9)];
    let objects = [vec![function("f<u8>", 9, 1, &regions), function("f<u16>", 9, 1, &regions)]];
    check(
        &objects,
        &[("f<u8>", 9, &[3, 0]), ("f<u16>", 9, &[0, 4])],
        &["/w/a.rs: 1=3 2=4; f 1/1, r 2/2, l 2/2"],
        &["/w/a.rs: 1=3 2=4; f 1/1, r 1/2, l 1/2"],
    );
}

#[test]
fn builds_with_other_regions_are_united() {
    // The function as the unit tests see it has one more line.
    let objects = [
        vec![function("f", 9, 1, &[(1, 1, 1, 9), (1, 3, 1, 9)])],
        vec![function("test::f", 8, 1, &[(1, 1, 1, 9), (2, 2, 1, 9), (1, 3, 1, 9)])],
    ];
    let lines = "/w/a.rs: 1=7 2=0 3=7";
    check(
        &objects,
        &[("f", 9, &[5]), ("test::f", 8, &[2, 0])],
        &[&format!("{lines}; f 1/1, r 2/3, l 2/3")],
        &[&format!("{lines}; f 1/1, r 2/3, l 2/3")],
    );
}

#[test]
fn what_never_ran_is_zero_and_not_missing() {
    let objects = [vec![function("unused", 0, 1, &[(0, 1, 1, 9)]), function("idle", 5, 2, &[(1, 4, 1, 9)])]];
    let expected = ["/w/a.rs: 1=0; f 0/1, r 0/1, l 0/1", "/w/b.rs: 4=0; f 0/1, r 0/1, l 0/1"];
    check(&objects, &[("other", 1, &[1])], &expected, &expected);
}

/// A hash in which the bit that LLVM compares is set.
const OTHER_KIND: u64 = 1 << 60;

#[test]
fn llvm_drops_another_build_where_the_union_shows_zero() {
    let objects = [vec![function("f", 9, 1, &[(1, 1, 1, 9)])]];
    check(&objects, &[("f", 8, &[3])], &["/w/a.rs: 1=0; f 0/1, r 0/1, l 0/1"], &[]);
    let coverage = evaluate(Model::Llvm, &objects, &[("f", 8, &[3])]);
    assert_eq!(coverage.omissions.mismatched.len(), 1);
    assert_eq!(coverage.omissions.mismatched[0].place, Some((b"/w/a.rs"[..].into(), 1, 1)));
    // A hash of the other kind makes the function unknown, not mismatched.
    let expected = ["/w/a.rs: 1=0; f 0/1, r 0/1, l 0/1"];
    check(&objects, &[("f", 8 | OTHER_KIND, &[3])], &expected, &expected);
    // A profile in which nothing of that name ran has no entry for it, as `-sparse` leaves it out.
    check(&objects, &[("f", 8, &[0])], &expected, &expected);
}

#[test]
fn an_unused_record_in_an_earlier_object_hides_nothing_from_the_union() {
    let regions = [(0, 1, 1, 9), (0, 2, 1, 9)];
    let used = [(1, 1, 1, 9), (2, 2, 1, 9)];
    let objects = [vec![function("f", 0, 1, &regions)], vec![function("f", 9 | OTHER_KIND, 1, &used)]];
    let counts: &[(&str, u64, &[u64])] = &[("f", 9 | OTHER_KIND, &[3, 1])];
    check(
        &objects,
        counts,
        &["/w/a.rs: 1=3 2=1; f 1/1, r 2/2, l 2/2"],
        &["/w/a.rs: 1=0 2=0; f 0/1, r 0/2, l 0/2"],
    );
    assert_eq!(evaluate(Model::Llvm, &objects, counts).omissions.shadowed.len(), 1);
}

#[test]
fn exported_functions_of_two_builds_add_up_in_the_union() {
    // `#[no_mangle]` in a library and in its own tests: the hash is of the body and the crate that it is in.
    let build = |hash| vec![function("exported", hash, 1, &[(1, 1, 1, 9)])];
    let objects = [build(8), build(9)];
    let counts: &[(&str, u64, &[u64])] = &[("exported", 8, &[3]), ("exported", 9, &[1])];
    check(&objects, counts, &["/w/a.rs: 1=4; f 1/1, r 1/1, l 1/1"], &["/w/a.rs: 1=3; f 1/1, r 1/1, l 1/1"]);
    assert_eq!(evaluate(Model::Llvm, &objects, counts).omissions.shadowed.len(), 1);
    let one_build = [build(8), vec![function("exported", 8, 1, &[(1, 1, 1, 8)])]];
    assert_eq!(evaluate(Model::Llvm, &one_build, counts).omissions.shadowed.len(), 0);
}

#[test]
fn another_function_of_the_same_name_is_dropped_by_llvm_and_said_to_be() {
    // As the `main` of every doctest in a file.
    let main = |hash, line| vec![function("main", hash, 1, &[(1, line, 1, 9)])];
    let objects = [main(8, 1), main(9, 5)];
    let counts: &[(&str, u64, &[u64])] = &[("main", 8, &[0]), ("main", 9, &[0])];
    check(
        &objects,
        counts,
        &["/w/a.rs: 1=0 5=0; f 0/2, r 0/2, l 0/2"],
        &["/w/a.rs: 1=0; f 0/1, r 0/1, l 0/1"],
    );
    assert_eq!(evaluate(Model::Llvm, &objects, counts).omissions.shadowed.len(), 1);
}

#[test]
fn within_an_object_a_placeholder_gives_way() {
    let placeholder = || function("f", 0, 1, &[(0, 1, 1, 9)]);
    let used = || function("f", 9, 1, &[(1, 1, 1, 9)]);
    let counts: &[(&str, u64, &[u64])] = &[("f", 9, &[3])];
    let expected = ["/w/a.rs: 1=3; f 1/1, r 1/1, l 1/1"];
    check(&[vec![placeholder(), used()]], counts, &expected, &expected);
    check(&[vec![used(), placeholder()]], counts, &expected, &expected);
    // An unused record of several regions is no placeholder: LLVM keeps it, and then finds another hash.
    let unused = || function("f", 0, 1, &[(0, 1, 1, 9), (0, 1, 3, 5)]);
    check(&[vec![unused(), used()]], counts, &["/w/a.rs: 1=3; f 1/1, r 1/2, l 1/1"], &[]);
}

#[test]
fn a_lone_zero_region_of_a_function_that_ran_is_ignored() {
    let objects = [vec![function("f", 9, 1, &[(0, 1, 1, 9)]), function("g", 9, 1, &[(1, 2, 1, 9)])]];
    let expected = ["/w/a.rs: 2=1; f 1/1, r 1/1, l 1/1"];
    check(&objects, &[("f", 9, &[3]), ("g", 9, &[1])], &expected, &expected);
}

#[test]
fn a_function_that_cannot_be_counted_costs_itself_alone() {
    // The mapping refers to a second counter, the profile has one.
    let objects = [vec![function("f", 9, 1, &[(2, 1, 1, 9)]), function("g", 9, 1, &[(1, 2, 1, 9)])]];
    let counts: &[(&str, u64, &[u64])] = &[("f", 9, &[3]), ("g", 9, &[1])];
    let expected = ["/w/a.rs: 2=1; f 1/1, r 1/1, l 1/1"];
    check(&objects, counts, &expected, &expected);
    for model in [Model::Union, Model::Llvm] {
        let malformed = evaluate(model, &objects, counts).omissions.malformed;
        assert_eq!(malformed.len(), 1);
        assert_eq!((&malformed[0].name[..], malformed[0].object), (&b"f"[..], 0));
        assert_eq!(malformed[0].reason, "it refers to counters that its profile does not have");
    }
}

#[test]
fn closures_count_their_lines_twice_in_llvm_and_once_in_the_union() {
    let objects = [vec![
        function("f", 9, 1, &[(1, 1, 1, 9), (1, 3, 1, 9)]),
        function("f::{closure#0}", 8, 1, &[(1, 1, 3, 5)]),
    ]];
    check(
        &objects,
        &[("f", 9, &[2]), ("f::{closure#0}", 8, &[1])],
        &["/w/a.rs: 1=2 3=2; f 2/2, r 3/3, l 2/2"],
        &["/w/a.rs: 1=2 3=2; f 2/2, r 3/3, l 3/3"],
    );
}

#[test]
fn an_async_function_is_one_that_runs_when_its_body_does() {
    let objects = [vec![
        function("f", 9, 1, &[(1, 1, 1, 9)]),
        function("f::{closure#0}", 8, 1, &[(1, 1, 10, 11), (1, 2, 1, 9)]),
    ]];
    check(
        &objects,
        &[("f", 9, &[2]), ("f::{closure#0}", 8, &[0])],
        &["/w/a.rs: 1=2 2=0; f 0/1, r 1/3, l 1/2"],
        &["/w/a.rs: 1=2 2=0; f 1/2, r 1/3, l 1/3"],
    );
}

#[test]
fn files_that_do_not_count_leave_no_trace() {
    let objects = [vec![function("f", 9, 1, &[(1, 1, 1, 9)]), function("g", 9, 2, &[(1, 2, 1, 9)])]];
    let (map, profile) = (map(&objects), profile(&[("f", 9, &[3]), ("g", 9, &[1])]));
    let place = |path: &[u8]| path.ends_with(b"a.rs").then(|| b"a.rs".to_vec());
    let union = union::evaluate(&map, &profile, options(1), &place, &Cuts::new());
    assert_eq!(describe(&union), ["a.rs: 1=3; f 1/1, r 1/1, l 1/1"]);
    assert_eq!(union.functions.len(), 1);
    let llvm = llvm::evaluate(&map, &profile, &|path| path.ends_with(b"b.rs"));
    assert_eq!(describe(&llvm), ["/w/b.rs: 2=1; f 1/1, r 1/1, l 1/1"]);
    assert_eq!(llvm.functions.len(), 2, "LLVM's list of functions is that of the whole run");
}

#[test]
fn paths_that_are_reported_alike_are_one_file() {
    let objects = [vec![function("f", 9, 1, &[(1, 1, 1, 9)]), function("g", 9, 2, &[(1, 2, 1, 9)])]];
    let (map, profile) = (map(&objects), profile(&[("f", 9, &[3])]));
    let union = union::evaluate(&map, &profile, options(3), &|_| Some(b"same.rs".to_vec()), &Cuts::new());
    assert_eq!(describe(&union), ["same.rs: 1=3 2=0; f 1/2, r 1/2, l 1/2"]);
}

#[test]
fn what_is_cut_out_leaves_no_trace() {
    let lines = &[(1, 1, 1, 9), (2, 2, 1, 9), (3, 3, 1, 9)];
    let objects = [vec![
        function("f", 9, 1, lines),
        function("test", 9, 1, &[(1, 7, 1, 9), (0, 8, 1, 9)]),
        function("g", 9, 2, &[(1, 2, 1, 9)]),
    ]];
    let (map, profile) = (map(&objects), profile(&[("f", 9, &[3, 0, 2]), ("test", 9, &[1])]));
    let check = |cuts: &[(&str, u32, u32)], expected: &[&str]| {
        let mut by_path = Cuts::new();
        for &(path, first, last) in cuts {
            let start = Position { line: first, column: 1 };
            let cut = Cut { start, end: Position { line: last, column: 80 }, unless_run: false };
            by_path.entry(path.as_bytes().to_vec()).or_default().push(cut);
        }
        let place = |path: &[u8]| Some(path.to_vec());
        let union = union::evaluate(&map, &profile, options(2), &place, &by_path);
        assert_eq!(describe(&union), expected, "{cuts:?}");
        let listed: usize = union.files.iter().map(|file| file.functions.len()).sum();
        assert_eq!(union.functions.len(), listed, "{cuts:?}");
    };
    let (a, b) = ("/w/a.rs", "/w/b.rs");
    let whole_b = "/w/b.rs: 2=0; f 0/1, r 0/1, l 0/1";
    check(&[], &["/w/a.rs: 1=3 2=0 3=2 7=1 8=0; f 2/2, r 3/5, l 3/5", whole_b]);
    check(&[(a, 7, 8)], &["/w/a.rs: 1=3 2=0 3=2; f 1/1, r 2/3, l 2/3", whole_b]);
    check(&[(a, 2, 2), (a, 7, 8), (b, 1, 9)], &["/w/a.rs: 1=3 3=2; f 1/1, r 2/2, l 2/2"]);
    // The function begins in it; the rest of it counts.
    check(&[(a, 1, 1), (a, 7, 8), (b, 1, 9)], &["/w/a.rs: 2=0 3=2; f 0/0, r 1/2, l 1/2"]);
    check(&[(a, 1, 9), (b, 1, 9)], &[]);
}

fn options(threads: usize) -> UnionOptions {
    UnionOptions { threads, function_regions: true, without_doctest_code: false }
}
