//! Files written and read: halves that make the whole, paths of other places, damage of every byte.

use super::{ObjectOf, Parts, Portable, PortablePath, decode, encode, merge, unzigzag, zigzag};
use crate::coverage::map::CoverageMap;
use crate::coverage::profile::{BitOrder, Bitmap, FunctionCounts, Profile};
use crate::coverage::tests::{function, map, profile};
use crate::coverage::{Coverage, llvm, union};
use crate::format::prf_names::md5_64;

/// Paths below `/w` are portable.
fn shorten(path: &[u8]) -> PortablePath {
    match path.strip_prefix(b"/w/") {
        Some(path) => PortablePath { root: 1, path: path.into() },
        None => PortablePath { root: 0, path: path.into() },
    }
}

fn below(root: &'static str) -> impl Fn(&PortablePath) -> Vec<u8> {
    move |path| match path.root {
        0 => path.path.to_vec(),
        _ => [root.as_bytes(), b"/", &path.path].concat(),
    }
}

fn file(map: &CoverageMap, profile: &Profile, with_stale: Option<&Profile>) -> Vec<u8> {
    encode(&Parts { header: b"{}", map, profile, with_stale }, &shorten)
}

fn read(map: &CoverageMap, profile: &Profile) -> Portable {
    decode(&file(map, profile, None)).expect("just written")
}

/// What both models make of it, as text.
fn shown(map: &CoverageMap, profile: &Profile) -> [String; 2] {
    let options = union::UnionOptions { threads: 1, function_regions: true, without_doctest_code: false };
    let text = |coverage: Coverage| {
        let mut text = String::new();
        for file in &coverage.files {
            let lines = file.lines().map(|line| format!("{}={}", line.line, line.count));
            let lines: Vec<String> = lines.collect();
            text.push_str(&format!("{} {}\n", String::from_utf8_lossy(&file.path), lines.join(" ")));
        }
        for function in &coverage.functions {
            let name = String::from_utf8_lossy(&function.name).into_owned();
            text.push_str(&format!("{name} {} {:?}\n", function.execution_count, function.regions));
        }
        text
    };
    let place = |path: &[u8]| Some(path.to_vec());
    [
        text(union::evaluate(map, profile, options, &place, &Default::default())),
        text(llvm::evaluate(map, profile, &|_| true)),
    ]
}

fn counted<'a>(name: &str, func_hash: u64, counts: &'a [u64]) -> FunctionCounts<'a> {
    let bitmap = Bitmap { bytes: &[], bit_order: BitOrder::ByWay };
    FunctionCounts { name_ref: md5_64(name.as_bytes()), func_hash, counts, bitmap }
}

/// All objects, by run.
fn in_order(runs: &[Portable]) -> Vec<ObjectOf> {
    let of_run = |run: usize| (0..runs[run].n_objects()).map(move |object| ObjectOf { run, object });
    (0..runs.len()).flat_map(of_run).collect()
}

#[test]
fn two_halves_are_the_whole() {
    let objects = || {
        let shared = || function("shared", 10, 1, &[(1, 1, 1, 9), (2, 2, 1, 9)]);
        vec![
            vec![shared(), function("a", 20, 1, &[(1, 5, 1, 9)])],
            vec![shared(), function("b", 30, 2, &[(1, 1, 1, 9)]), function("c", 40, 2, &[(1, 4, 1, 9)])],
        ]
    };
    let first: &[(&str, u64, &[u64])] = &[("shared", 10, &[3, 0]), ("a", 20, &[1]), ("elsewhere", 9, &[7])];
    let second: &[(&str, u64, &[u64])] = &[("shared", 10, &[2, 1]), ("b", 30, &[0])];
    let mut whole = profile(first);
    for (name, func_hash, counts) in second {
        whole.add(counted(name, *func_hash, counts));
    }
    let expected = shown(&map(&objects()), &whole);

    let runs = [read(&map(&objects()), &profile(first)), read(&map(&objects()), &profile(second))];
    let (merged, counts, kept) = merge(&runs.each_ref(), &in_order(&runs), false, &below("/w"));
    assert_eq!(shown(&merged, &counts), expected);
    assert_eq!(kept, [ObjectOf { run: 0, object: 0 }, ObjectOf { run: 0, object: 1 }]);
    assert_eq!(merged.objects.len(), 2);
    assert_eq!(counts.n_unmatched_functions(&merged), 1);

    // At another place, the same under other names.
    let (merged, counts, _) = merge(&runs.each_ref(), &in_order(&runs), false, &below("/elsewhere"));
    assert_eq!(shown(&merged, &counts), expected.map(|text| text.replace("/w/", "/elsewhere/")));
}

#[test]
fn what_only_one_run_compiled_is_no_miss_of_the_other() {
    let first =
        map(&[vec![function("both", 1, 1, &[(1, 1, 1, 9)]), function("mine", 2, 1, &[(1, 5, 1, 9)])]]);
    let second =
        map(&[vec![function("both", 3, 1, &[(1, 1, 1, 9)]), function("yours", 4, 1, &[(1, 8, 1, 9)])]]);
    let runs = [
        read(&first, &profile(&[("both", 1, &[1]), ("mine", 2, &[2])])),
        read(&second, &profile(&[("both", 3, &[5]), ("yours", 4, &[4])])),
    ];
    let (merged, counts, kept) = merge(&runs.each_ref(), &in_order(&runs), false, &below("/w"));
    assert_eq!(kept.len(), 2);
    let [union, _] = shown(&merged, &counts);
    assert!(union.starts_with("/w/a.rs 1=6 5=2 8=4\n"), "{union}");
}

#[test]
fn equal_objects_of_one_run_stay_several() {
    let twice =
        || map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)])], vec![function("f", 1, 1, &[(1, 1, 1, 9)])]]);
    let once = map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)])]]);
    let counts = profile(&[("f", 1, &[1])]);
    let runs = [read(&once, &counts), read(&twice(), &counts), read(&twice(), &counts)];
    let (merged, _, kept) = merge(&runs.each_ref(), &in_order(&runs), false, &below("/w"));
    assert_eq!(merged.objects.len(), 2);
    assert_eq!(kept, [ObjectOf { run: 0, object: 0 }, ObjectOf { run: 1, object: 1 }]);
}

#[test]
fn counts_of_older_builds_are_there_for_who_wants_them() {
    let map = map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)])]]);
    let (fresh, all) = (profile(&[("f", 1, &[1])]), profile(&[("f", 1, &[4])]));
    let runs = [decode(&file(&map, &fresh, Some(&all))).expect("just written"), read(&map, &fresh)];
    for (with_stale, expected) in [(false, 2), (true, 5)] {
        let (_, counts, _) = merge(&runs.each_ref(), &in_order(&runs), with_stale, &below("/w"));
        assert_eq!(counts.counts(md5_64(b"f"), 1), Some(&[expected][..]));
    }
}

/// Ways through decisions are those of both runs, where both number them alike.
#[test]
fn bitmaps_are_united() {
    let map = map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)])]]);
    let with_bitmap = |bytes: &[u8], bit_order: BitOrder| {
        let mut profile = Profile::default();
        let bitmap = Bitmap { bytes, bit_order };
        profile.add(FunctionCounts { bitmap, ..counted("f", 1, &[1]) });
        profile.add(FunctionCounts { bitmap, ..counted("elsewhere", 2, &[1]) });
        read(&map, &profile)
    };
    let runs = [
        with_bitmap(&[0b0001, 0b1000], BitOrder::ByConditions),
        with_bitmap(&[0b0100, 0b1001], BitOrder::ByConditions),
        with_bitmap(&[0xff, 0xff], BitOrder::ByWay),
        with_bitmap(&[0xff], BitOrder::ByConditions),
    ];
    let (_, counts, _) = merge(&runs.each_ref(), &in_order(&runs), false, &below("/w"));
    for (name, func_hash) in [("f", 1), ("elsewhere", 2)] {
        let bitmap = counts.bitmap(md5_64(name.as_bytes()), func_hash).expect("a bitmap");
        assert_eq!((bitmap.bytes, bitmap.bit_order), (&[0b0101, 0b1001][..], BitOrder::ByConditions));
        assert_eq!(counts.counts(md5_64(name.as_bytes()), func_hash), Some(&[4][..]));
    }
}

#[test]
fn another_number_of_counters_is_left_out_and_counted() {
    let map = map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)])]]);
    let runs = [read(&map, &profile(&[("f", 1, &[1])])), read(&map, &profile(&[("f", 1, &[1, 2])]))];
    let (_, counts, _) = merge(&runs.each_ref(), &in_order(&runs), false, &below("/w"));
    assert_eq!(counts.n_mismatched_records, 1);
}

#[test]
fn damage_of_every_byte_and_at_every_length_is_noticed() {
    let map = map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)])]]);
    let counts = profile(&[("f", 1, &[1]), ("elsewhere", 2, &[1])]);
    let file = file(&map, &counts, Some(&counts));
    decode(&file).expect("just written");
    for len in 0..file.len() {
        decode(&file[..len]).expect_err("cut");
    }
    for position in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[position] ^= 1 << bit;
            decode(&damaged).expect_err("damaged");
        }
    }
    decode(&[&file[..], &[0]].concat()).expect_err("longer");
}

/// Whoever changes the content on purpose gets the checksum right.
#[test]
fn hostile_content_with_the_right_checksum_is_an_error_or_harmless() {
    let map = map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)]), function("g", 2, 2, &[(1, 1, 1, 9)])]]);
    let counts = profile(&[("f", 1, &[1]), ("elsewhere", 2, &[1])]);
    let contents = [b"{}".to_vec(), super::encode_map(&map, &shorten), super::encode_counts(&map, &counts)];
    let assemble = |contents: &[Vec<u8>; 3]| {
        let mut sections = Vec::new();
        for (kind, content) in (1..).zip(contents) {
            super::push_section(&mut sections, kind, content);
        }
        let checksum = md5::compute(&sections).0;
        [&super::MAGIC[..], &super::VERSION.to_le_bytes(), &checksum, &sections].concat()
    };
    decode(&assemble(&contents)).expect("well-formed");
    let mut n_read = 0;
    let mut try_it = |contents: &[Vec<u8>; 3]| {
        if let Ok(portable) = decode(&assemble(contents)) {
            let runs = [portable];
            let (map, counts, _) = merge(&runs.each_ref(), &in_order(&runs), false, &below("/w"));
            _ = shown(&map, &counts);
            n_read += 1;
        }
    };
    for section in [1, 2] {
        for position in 0..contents[section].len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut hostile = contents.clone();
                hostile[section][position] = value;
                try_it(&hostile);
            }
            let mut cut = contents.clone();
            cut[section].truncate(position);
            try_it(&cut);
        }
    }
    assert!(n_read > 0);
}

/// A section that would grow without end, or is shorter or longer than it says.
#[test]
fn lengths_that_lie_are_errors() {
    for (declared, expected) in [
        (3, "a section is shorter than it says"),
        (1, "failed to decompress"),
        (10_000_000, "declared length is out of reach"),
        (1 << 40, "a section is larger than that of any run"),
        (u64::MAX, "a section is larger than that of any run"),
    ] {
        let mut sections = Vec::new();
        super::push_section(&mut sections, super::HEADER, b"{}");
        sections[4..12].copy_from_slice(&u64::to_le_bytes(declared));
        let checksum = md5::compute(&sections).0;
        let file = [&super::MAGIC[..], &super::VERSION.to_le_bytes(), &checksum, &sections].concat();
        let error = decode(&file).expect_err("a lie").to_string();
        assert!(error.contains(expected), "{declared}: {error}");
    }
}

#[test]
fn a_newer_format_says_so() {
    let map = map(&[vec![function("f", 1, 1, &[(1, 1, 1, 9)])]]);
    let mut newer = file(&map, &profile(&[("f", 1, &[1])]), None);
    newer[8] = 9;
    let error = decode(&newer).expect_err("newer").to_string();
    assert_eq!(error, "unsupported partial coverage file version 9 (this build reads 1 to 1)");
    let error = decode(b"TN:\nSF:/w/a.rs\n").expect_err("a tracefile").to_string();
    assert_eq!(error, "not a partial coverage file");
}

#[test]
fn numbers_of_either_sign_come_back() {
    for value in [0, 1, -1, 2, -2, i64::MAX, i64::MIN] {
        assert_eq!(unzigzag(zigzag(value)), value);
    }
    assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
}
