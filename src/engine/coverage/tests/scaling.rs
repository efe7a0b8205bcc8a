//! Maps and profiles in which some number is far out of proportion. Each would take minutes or hours, or all memory, if work grew
//! faster than the input.

use super::{Coverage, CoverageMap, Cuts, Profile, llvm, options, union};
use crate::coverage::branch::BranchLine;
use crate::coverage::line;
use crate::coverage::profile::tests::raw_profile;
use crate::format::covfun::{CovfunRecord, MAX_LINE};
use crate::format::profraw::parse;

/// The identity of the only table of file names.
const TABLE: u64 = 77;

/// The only name, and its identity.
const NAME: (u64, &[u8]) = (11, b"f");

fn uleb(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = value;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// A mapping of one file, the first of the table, with regions as (counter, line, last line).
fn mapping(regions: &[(u64, u64, u64)]) -> Vec<u8> {
    let mut bytes = vec![1, 0, 0];
    bytes.extend(uleb(regions.len() as u64));
    let mut before = 0;
    for &(counter, line, last) in regions {
        for number in [counter << 2 | 1, line - before, 1, last - line, 9] {
            bytes.extend(uleb(number));
        }
        before = line;
    }
    bytes
}

/// A map of one object, with its functions as (name, structural hash, mapping).
fn map(files: Vec<Vec<u8>>, functions: &[(u64, u64, Vec<u8>)]) -> CoverageMap {
    let record =
        |(name_ref, func_hash, mapping): &(u64, u64, Vec<u8>)| (*name_ref, *func_hash, mapping.clone());
    let functions: Vec<_> = functions.iter().map(record).collect();
    let records: Vec<_> = functions
        .iter()
        .map(|(name_ref, func_hash, mapping)| CovfunRecord {
            name_ref: *name_ref,
            func_hash: *func_hash,
            filenames_ref: TABLE,
            mapping,
        })
        .collect();
    let mut map = CoverageMap::default();
    map.add_object(&[TABLE], &records, &[], &[]);
    map.insert_table(0, files);
    map.insert_names(&[NAME]);
    map
}

fn profile(functions: &[(u64, u64, &[u64])]) -> Profile {
    let mut profile = Profile::default();
    for raw in parse(&raw_profile(functions)).expect("well-formed") {
        profile.merge(&raw, &|_| false);
    }
    profile
}

fn both(map: &CoverageMap, profile: &Profile) -> [Coverage; 2] {
    let united = union::evaluate(map, profile, options(1), &|path| Some(path.to_vec()), &Cuts::new());
    [united, llvm::evaluate(map, profile, &|_| true)]
}

#[test]
fn a_name_may_have_any_number_of_builds() {
    const N: u64 = 200_000;
    let functions: Vec<_> = (1..=N).map(|hash| (NAME.0, hash, mapping(&[(0, 1, 1)]))).collect();
    let counts: Vec<_> = (1..=N).map(|hash| (NAME.0, hash, &[1_u64][..])).collect();
    let [united, llvms] = both(&map(vec![b"a.rs".to_vec()], &functions), &profile(&counts));
    // The union has the calls of all of them, LLVM those of the first.
    assert_eq!(united.functions[0].execution_count, N);
    assert_eq!((llvms.functions.len(), llvms.functions[0].execution_count), (1, 1));
}

#[test]
fn a_build_may_have_any_number_of_mappings() {
    const N: u64 = 200_000;
    let functions: Vec<_> = (1..=N).map(|line| (NAME.0, 1, mapping(&[(0, line, line)]))).collect();
    let map = map(vec![b"a.rs".to_vec()], &functions);
    assert_eq!(map.mappings.len() as u64, N);
    let [united, llvms] = both(&map, &profile(&[(NAME.0, 1, &[1])]));
    // Records of a name, hash and files that were seen count once.
    assert_eq!((united.functions.len(), llvms.functions.len()), (1, 1));
}

#[test]
fn a_function_may_be_in_any_number_of_files() {
    const N: u64 = 100_000;
    let files: Vec<_> = (0..N).map(|file| format!("{file}.rs").into_bytes()).collect();
    let mut mapping = uleb(N);
    mapping.extend((0..N).flat_map(uleb));
    mapping.push(0);
    mapping.extend([1, 1, 1, 1, 0, 9].repeat(N as usize));
    for coverage in both(&map(files, &[(NAME.0, 1, mapping)]), &profile(&[(NAME.0, 1, &[1])])) {
        assert_eq!((coverage.files.len() as u64, coverage.totals.functions.count), (N, 1));
    }
}

#[test]
fn a_table_may_be_long_and_none_of_its_files_count() {
    const N: u64 = 100_000;
    let files: Vec<_> = (0..N).map(|file| format!("{file}.rs").into_bytes()).collect();
    let functions: Vec<_> = (0..N).map(|name| (name + 1, 1, mapping(&[(0, 1, 1)]))).collect();
    let map = map(files, &functions);
    let coverage = union::evaluate(&map, &profile(&[(1, 1, &[1])]), options(1), &|_| None, &Cuts::new());
    assert!(coverage.files.is_empty());
}

#[test]
fn a_function_may_have_any_number_of_expansions() {
    const N: u64 = 100_000;
    // File 0 expands to each of the others, which have a condition.
    let mut mapping = uleb(N + 1);
    mapping.push(0);
    mapping.resize(mapping.len() + N as usize, 1);
    mapping.push(0);
    mapping.extend(uleb(N));
    for file in 1..=N {
        mapping.extend(uleb(file << 3 | 4));
        mapping.extend([1, 1, 0, 9]);
    }
    mapping.extend([1, 32, 1, 1, 1, 1, 0, 9].repeat(N as usize));
    let [_, llvms] = both(
        &map(vec![b"a.rs".to_vec(), b"b.rs".to_vec()], &[(NAME.0, 1, mapping)]),
        &profile(&[(NAME.0, 1, &[3])]),
    );
    let file = &llvms.files[0];
    assert_eq!((file.expansions.len() as u64, file.summary.branches.count), (N, 2 * N));
    let line = |line| BranchLine { line, outcomes: [Some(3), Some(3)] };
    assert_eq!(file.branch_lines.len() as u64, N);
    assert_eq!(file.branch_lines[..2], [line(1), line(2)]);
}

#[test]
fn any_number_of_functions_may_span_millions_of_lines() {
    const N: u64 = 20_000;
    let last = u64::from(MAX_LINE);
    let functions: Vec<_> = (1..=N).map(|line| (line, 1, mapping(&[(0, line, last)]))).collect();
    let mut map = map(vec![b"a.rs".to_vec()], &functions);
    map.insert_names(&(1..=N).map(|name| (name, &b"g"[..])).collect::<Vec<_>>());
    let [united, llvms] = both(&map, &profile(&[(1, 1, &[1])]));
    assert_eq!(united.totals.lines.count, last);
    // LLVM's totals are sums over functions.
    assert_eq!(llvms.totals.lines.count, (1..=N).map(|line| last - line + 1).sum());
    assert_eq!(line::ratio(&llvms.files[0].segments), united.totals.lines);
}

#[test]
fn files_of_millions_of_lines_are_left_out_at_some_point() {
    let files: Vec<Vec<u8>> = (0..5).map(|file| format!("{file}.rs").into_bytes()).collect();
    let functions: Vec<_> = (0..5_u8)
        .map(|file| {
            let mut mapping = mapping(&[(0, 1, u64::from(MAX_LINE))]);
            mapping[1] = file;
            (u64::from(file) + 1, 1, mapping)
        })
        .collect();
    let mut map = map(files, &functions);
    map.insert_names(&(1..=5).map(|name| (name, &b"g"[..])).collect::<Vec<_>>());
    for coverage in both(&map, &profile(&[(1, 1, &[1])])) {
        let left: Vec<&[u8]> = coverage.files.iter().map(|file| &*file.path).collect();
        assert_eq!(left, [b"0.rs"]);
        assert_eq!(coverage.omissions.oversized.len(), 4);
        assert_eq!(coverage.totals.lines.count, u64::from(MAX_LINE));
    }
}
