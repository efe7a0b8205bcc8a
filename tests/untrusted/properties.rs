//! What holds for all maps and profiles: of generated ones, the same on every machine, each property is tried on hundreds.

use std::collections::BTreeMap;
use std::fs;

use xtask_coverage::coverage::cut::Cuts;
use xtask_coverage::coverage::map::CoverageMap;
use xtask_coverage::coverage::profile::Profile;
use xtask_coverage::coverage::union::{self, UnionOptions};
use xtask_coverage::coverage::{Coverage, Model, llvm};
use xtask_coverage::export::lcov::{self, LcovOptions};
use xtask_coverage::format::prf_names::md5_64;
use xtask_coverage::format::profraw::parse;
use xtask_coverage::load::{self, Inputs};

use crate::targets::lcov::read;
use crate::targets::made::{Case, raw_profile};
use crate::targets::numbers::{Numbers, random_bytes};
use crate::targets::{check_coverage, evaluate_all, load as load_files};

/// How many cases each property is tried on. Counters make this ten times slower.
const N_CASES: u64 = if cfg!(coverage) { 60 } else { 400 };

/// Each case with an object and a profile in it, loaded: the case, its map, and its profile.
fn for_each_case(make: fn(&mut Numbers<'_>) -> Case, mut check: impl FnMut(&Case, &CoverageMap, &Profile)) {
    let mut n_checked = 0;
    for seed in 0..N_CASES {
        let case = make(&mut Numbers::new(&random_bytes(seed, 600)));
        if let Some(loaded) = load_files(&case.object_files(), &case.profile_files()) {
            check(&case, &loaded.map, &loaded.profile);
            n_checked += 1;
        }
    }
    assert!(n_checked > N_CASES / 2, "{n_checked} of {N_CASES} cases could be loaded");
}

fn merged(files: &[&Vec<u8>]) -> Profile {
    let mut profile = Profile::default();
    for file in files {
        for raw in parse(file).expect("well-formed") {
            profile.merge(&raw, &|_| false);
        }
    }
    profile
}

/// All counts of a case's functions: what profiles are compared by.
fn counts(case: &Case, profile: &Profile) -> BTreeMap<(u64, u64), Vec<u64>> {
    let identities = case.functions.iter().map(|function| (md5_64(&function.name), function.func_hash));
    identities
        .filter_map(|identity| Some((identity, profile.counts(identity.0, identity.1)?.to_vec())))
        .collect()
}

/// A merged profile as a file, so that it can be merged with others.
fn written(case: &Case, profile: &Profile) -> Vec<u8> {
    let functions: Vec<_> =
        counts(case, profile).into_iter().map(|((name, hash), counts)| (name, hash, counts)).collect();
    raw_profile(10, &functions)
}

fn united(map: &CoverageMap, profile: &Profile, threads: usize) -> Coverage {
    let options = UnionOptions { threads, function_regions: true, without_doctest_code: false };
    union::evaluate(map, profile, options, &|path| Some(path.to_vec()), &Cuts::new())
}

fn tracefile(coverage: &Coverage) -> Vec<u8> {
    let mut bytes = Vec::new();
    lcov::write(coverage, LcovOptions::default(), &mut bytes).expect("memory");
    bytes
}

fn line_hits(coverage: &Coverage) -> BTreeMap<(&[u8], u32), u64> {
    let lines_of = |file| {
        let file: &xtask_coverage::coverage::FileCoverage = file;
        file.lines().map(|line| ((&*file.path, line.line), line.count)).collect::<Vec<_>>()
    };
    coverage.files.iter().flat_map(lines_of).collect()
}

#[test]
fn merging_is_commutative() {
    for_each_case(Case::well_formed, |case, _, _| {
        let files = case.profile_files();
        let forwards: Vec<_> = files.iter().collect();
        let backwards: Vec<_> = files.iter().rev().collect();
        assert_eq!(counts(case, &merged(&forwards)), counts(case, &merged(&backwards)));
    });
}

#[test]
fn merging_is_associative() {
    for_each_case(Case::well_formed, |case, _, _| {
        let files = case.profile_files();
        let [a, b, c] = [0, 1, 2].map(|index| &files[index % files.len()]);
        let left = written(case, &merged(&[a, b]));
        let right = written(case, &merged(&[b, c]));
        assert_eq!(counts(case, &merged(&[&left, c])), counts(case, &merged(&[a, &right])));
    });
}

#[test]
fn profiles_of_shards_merge_to_the_whole() {
    for_each_case(Case::well_formed, |case, map, profile| {
        let files = case.profile_files();
        for n_shards in 1..=3 {
            let shard = |number: usize| {
                let own: Vec<_> = files.iter().skip(number).step_by(n_shards).collect();
                written(case, &merged(&own))
            };
            let shards: Vec<_> = (0..n_shards).map(shard).collect();
            let whole = merged(&shards.iter().collect::<Vec<_>>());
            assert_eq!(tracefile(&united(map, &whole, 1)), tracefile(&united(map, profile, 1)));
        }
    });
}

#[test]
fn a_union_loses_no_covered_line() {
    let mut n_covered = 0;
    for_each_case(Case::well_formed, |case, map, profile| {
        let whole = united(map, profile, 1);
        let whole = line_hits(&whole);
        for file in case.profile_files() {
            let part = united(map, &merged(&[&file]), 1);
            for (place, count) in line_hits(&part) {
                assert!(whole[&place] >= count, "{place:?} ran {count} times in a part, {}", whole[&place]);
                n_covered += u64::from(count > 0);
            }
        }
    });
    assert!(n_covered > 10 * N_CASES, "{n_covered} covered lines in {N_CASES} cases are few");
}

/// Also of maps that make no sense: counts that disagree are those of the first profile, whatever the threads.
#[test]
fn threads_and_the_order_of_objects_change_nothing() {
    for_each_case(Case::arbitrary, |_, map, profile| {
        let [one, three] = [1, 3].map(|threads| united(map, profile, threads));
        assert_eq!(tracefile(&one), tracefile(&three));
    });
    for_each_case(Case::well_formed, |case, map, profile| {
        let mut objects = case.object_files();
        objects.reverse();
        let Some(loaded) = load_files(&objects, &case.profile_files()) else {
            panic!("it was loaded before")
        };
        assert_eq!(tracefile(&united(&loaded.map, &loaded.profile, 1)), tracefile(&united(map, profile, 1)));
    });
}

#[test]
fn both_models_have_the_same_line_hits_where_nothing_is_dropped() {
    for_each_case(Case::well_formed, |_, map, profile| {
        let (union, llvm) = (united(map, profile, 1), llvm::evaluate(map, profile, &|_| true));
        assert_eq!(union.omissions, Default::default());
        assert_eq!(llvm.omissions, Default::default());
        assert_eq!(line_hits(&union), line_hits(&llvm));
    });
}

/// The same with the functions that are left out, and every report.
#[test]
fn reports_agree_with_the_model() {
    for make in [Case::well_formed, Case::arbitrary] {
        for_each_case(make, |_, map, profile| evaluate_all(map, profile).iter().for_each(check_coverage));
    }
}

/// Whoever has read its file first.
#[test]
fn of_profiles_that_disagree_the_first_one_counts() {
    let directory = std::env::temp_dir().join(format!("xtask-coverage-disagree-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("temporary directory");
    let written = |name: String, bytes: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, bytes).expect("can be written");
        path
    };
    let case = Case::well_formed(&mut Numbers::new(&random_bytes(3, 600)));
    let function = &case.functions[0];
    let identity = (md5_64(&function.name), function.func_hash);
    // Processes in which the function has two counters, and others in which it has another number of them. The largest is first.
    let n_others = 30_000;
    let profile = |index: usize| {
        let mut functions = vec![(identity.0, identity.1, vec![1; 2 + index % 3])];
        if index == 0 {
            functions.extend((0..n_others).map(|name| (name + 1, 1, vec![1])));
        }
        written(format!("{index:02}.profraw"), &raw_profile(10, &functions))
    };
    let inputs = Inputs {
        architecture: None,
        objects: vec![written("a.o".to_owned(), &case.object_files()[0])],
        profiles: (0..12).map(profile).collect(),
        threads: 8,
        ignore_stale: false,
    };
    for _ in 0..10 {
        let loaded = load::load(&inputs).expect("well-formed");
        assert_eq!(loaded.profile.counts(identity.0, identity.1), Some(&[4, 4][..]));
        assert_eq!(loaded.profile.n_mismatched_records, 8);
    }
    fs::remove_dir_all(&directory).expect("ours");
}

#[test]
fn a_tracefile_gives_the_model_back() {
    for_each_case(Case::well_formed, |_, map, profile| {
        let coverage = united(map, profile, 1);
        assert_eq!(coverage.model, Model::Union);
        let sections = read(&tracefile(&coverage));
        let read_lines: BTreeMap<(&[u8], u32), u64> = sections
            .iter()
            .flat_map(|section| {
                section.lines.iter().map(|&(line, count)| ((&*section.path, line as u32), count))
            })
            .collect();
        assert_eq!(read_lines, line_hits(&coverage));
        for (section, file) in sections.iter().zip(&coverage.files) {
            let functions: Vec<_> = file
                .functions
                .iter()
                .map(|&index| &coverage.functions[index as usize])
                .map(|function| {
                    let name = function.name.iter().map(|&byte| if byte == b',' { b';' } else { byte });
                    (u64::from(function.start_line()), name.collect(), function.execution_count)
                })
                .collect();
            assert_eq!(section.functions, functions);
            // What was never evaluated has no count, which is zero in the model.
            let outcomes: Vec<_> = file
                .branch_lines
                .iter()
                .flat_map(|branch| branch.outcomes.map(|count| (u64::from(branch.line), count)))
                .filter_map(|(line, count)| Some((line, count?)))
                .collect();
            let read: Vec<_> =
                section.branches.iter().map(|(line, _, _, taken)| (*line, taken.unwrap_or(0))).collect();
            assert_eq!(read, outcomes);
        }
    });
}
