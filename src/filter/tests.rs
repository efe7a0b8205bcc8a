//! Which files count in a workspace with packages of several kinds.

use super::{
    AuxiliaryKind, DefaultSet, Exclusion, FilterRules, PackageSources, PathFilter, PathPattern, SourceLayout,
};

fn package(name: &str, dir: &str, is_selected: bool, targets: &[(AuxiliaryKind, &str)]) -> PackageSources {
    let auxiliary_targets = targets.iter().map(|(kind, path)| (*kind, (*path).to_owned())).collect();
    PackageSources {
        name: name.to_owned(),
        dir: dir.to_owned(),
        is_selected,
        crate_roots: Vec::new(),
        auxiliary_targets,
    }
}

fn defaults() -> FilterRules {
    FilterRules { defaults: DefaultSet::ALL.to_vec(), ..FilterRules::default() }
}

fn layout() -> SourceLayout {
    SourceLayout {
        roots: vec!["/w".to_owned(), "/real/w".to_owned()],
        build_dirs: vec!["/w/target".to_owned()],
        packages: vec![
            package(
                "root",
                "/w",
                true,
                &[
                    (AuxiliaryKind::BuildScript, "/w/build.rs"),
                    (AuxiliaryKind::Test, "/w/checks/it/main.rs"),
                    (AuxiliaryKind::Example, "/w/src/demo.rs"),
                ],
            ),
            package("inner", "/w/tests/inner", true, &[]),
            package("other", "/w/crates/other", false, &[]),
            package("outside", "/elsewhere", true, &[]),
        ],
    }
}

fn check(regexes: &[&str], defaults: bool, rows: &[(&str, &str, Option<&str>)]) {
    let pattern = |regex: &&str| PathPattern::regex(regex, "--ignore-filename-regex").expect("a regex");
    let exclude = regexes.iter().map(pattern).collect();
    let defaults = if defaults { DefaultSet::ALL.to_vec() } else { Vec::new() };
    check_rules(FilterRules { exclude, defaults, ..FilterRules::default() }, rows);
}

fn check_rules(rules: FilterRules, rows: &[(&str, &str, Option<&str>)]) {
    let filter = PathFilter::new(layout(), rules);
    for &(stored, reported, excluded) in rows {
        assert_eq!(String::from_utf8_lossy(&filter.reported_path(stored.as_bytes())), reported, "{stored}");
        let exclusion = filter.exclusion(stored.as_bytes()).map(|exclusion| exclusion.to_string());
        assert_eq!(exclusion.as_deref(), excluded, "{stored}");
    }
}

#[test]
fn default_exclusions_follow_targets_and_packages() {
    check(
        &[],
        true,
        &[
            ("/w/src/lib.rs", "src/lib.rs", None),
            ("/real/w/src/lib.rs", "src/lib.rs", None),
            ("/w/src/../src/./lib.rs", "src/lib.rs", None),
            ("/w/src/tests/mod.rs", "src/tests/mod.rs", Some("matches the default exclusion `tests/`")),
            ("/w/src/tests.rs", "src/tests.rs", Some("matches the default exclusion `tests.rs`")),
            ("/w/src/contests/lib.rs", "src/contests/lib.rs", None),
            ("/w/src/a_test.rs", "src/a_test.rs", Some("matches the default exclusion `*_test.rs`")),
            ("/w/src/a_tests.rs", "src/a_tests.rs", Some("matches the default exclusion `*_tests.rs`")),
            ("/w/src/latest.rs", "src/latest.rs", None),
            ("/w/src/api.gen.rs", "src/api.gen.rs", Some("matches the default exclusion `*.gen.rs`")),
            ("/w/migrations/m1.rs", "migrations/m1.rs", Some("matches the default exclusion `migrations/`")),
            ("/w/benches/b.rs", "benches/b.rs", Some("matches the default exclusion `benches/`")),
            ("/w/src/examples/e.rs", "src/examples/e.rs", None),
            ("/w/build.rs", "build.rs", Some("is the source of a build script")),
            ("/w/checks/it/helper.rs", "checks/it/helper.rs", Some("is the source of a test")),
            ("/w/src/demo.rs", "src/demo.rs", Some("is the source of an example")),
            ("/w/tests/inner/src/lib.rs", "tests/inner/src/lib.rs", None),
            ("/real/w/tests/inner/src/lib.rs", "tests/inner/src/lib.rs", None),
            ("/real/w/build.rs", "build.rs", Some("is the source of a build script")),
            ("/w/tests/outer.rs", "tests/outer.rs", Some("matches the default exclusion `tests/`")),
            (
                "/w/crates/other/src/lib.rs",
                "crates/other/src/lib.rs",
                Some("is of package `other`, which is not selected"),
            ),
            (
                "/w/target/debug/build/x/out/g.rs",
                "target/debug/build/x/out/g.rs",
                Some("is in a directory that cargo writes to"),
            ),
            (
                "/home/me/registry/serde/src/lib.rs",
                "/home/me/registry/serde/src/lib.rs",
                Some("is outside of the workspace"),
            ),
            ("/elsewhere/src/lib.rs", "/elsewhere/src/lib.rs", None),
            ("/worker/src/lib.rs", "/worker/src/lib.rs", Some("is outside of the workspace")),
        ],
    );
}

#[test]
fn patterns_see_the_path_in_the_workspace_only() {
    check(
        &["^src/gen", "real"],
        false,
        &[
            ("/real/w/src/lib.rs", "src/lib.rs", None),
            ("/w/src/gen/a.rs", "src/gen/a.rs", Some("matches --ignore-filename-regex `^src/gen`")),
            ("/w/tests/outer.rs", "tests/outer.rs", None),
            ("/other/real.rs", "/other/real.rs", Some("matches --ignore-filename-regex `real`")),
        ],
    );
}

#[test]
fn the_checkouts_own_path_hides_nothing() {
    let with_root = |root: &str, packages| {
        let layout = SourceLayout { roots: vec![root.to_owned()], build_dirs: Vec::new(), packages };
        PathFilter::new(layout, defaults())
    };
    let shared = with_root("/home/tests/w", Vec::new());
    assert_eq!(shared.exclusion(b"/home/tests/w/shared.rs"), None);
    assert_eq!(shared.exclusion(b"/home/tests/w/tests/a.rs"), Some(Exclusion::Pattern("tests/")));
    let at_root = with_root("/", vec![package("app", "/", true, &[])]);
    assert_eq!(at_root.exclusion(b"/src/lib.rs"), None);
    assert_eq!(at_root.reported_path(b"/src/lib.rs"), b"src/lib.rs");
}

#[test]
fn each_set_can_count() {
    let tests = [("/w/src/tests.rs", "src/tests.rs"), ("/w/checks/it/main.rs", "checks/it/main.rs")];
    let generated = [("/w/src/api.gen.rs", "src/api.gen.rs")];
    let build = [("/w/build.rs", "build.rs"), ("/w/target/x.rs", "target/x.rs")];
    let migrations = [("/w/migrations/m1.rs", "migrations/m1.rs")];
    let dependencies = [("/away/lib.rs", "/away/lib.rs"), ("/w/crates/other/lib.rs", "crates/other/lib.rs")];
    for (set, files) in [
        (DefaultSet::Tests, &tests[..]),
        (DefaultSet::Generated, &generated),
        (DefaultSet::Build, &build),
        (DefaultSet::Migrations, &migrations),
        (DefaultSet::Dependencies, &dependencies),
    ] {
        let filter = |defaults| PathFilter::new(layout(), FilterRules { defaults, ..FilterRules::default() });
        let (alone, others) = (
            filter(vec![set]),
            filter(DefaultSet::ALL.into_iter().filter(|other| *other != set).collect::<Vec<_>>()),
        );
        for (stored, reported) in files {
            assert_eq!(alone.reported_path(stored.as_bytes()), reported.as_bytes());
            assert!(alone.exclusion(stored.as_bytes()).is_some(), "{stored} under {set:?}");
            assert_eq!(others.exclusion(stored.as_bytes()), None, "{stored} without {set:?}");
        }
    }
}

#[test]
fn what_is_in_two_sets_counts_if_both_do() {
    let [tests, migrations] = [DefaultSet::Tests, DefaultSet::Migrations];
    for (sets, expected) in [
        (vec![tests, migrations], Some("tests/")),
        (vec![tests], Some("tests/")),
        (vec![migrations], Some("migrations/")),
        (vec![], None),
    ] {
        let filter = PathFilter::new(layout(), FilterRules { defaults: sets, ..FilterRules::default() });
        let found = filter.exclusion(b"/w/src/tests/migrations/m1.rs");
        assert_eq!(found, expected.map(Exclusion::Pattern));
    }
}

#[test]
fn what_is_included_counts_whatever_excludes_it() {
    let glob = |text: &str, origin: &str| PathPattern::glob(text, origin).expect("a glob");
    let rules = FilterRules {
        exclude: vec![glob("src/ffi", "--exclude-files")],
        include: vec![glob("src/ffi/kept.rs", "--include-files"), glob("tests/shared", "--include-files")],
        hidden_packages: vec![glob::Pattern::new("inn*").expect("a glob")],
        defaults: DefaultSet::ALL.to_vec(),
    };
    check_rules(
        rules,
        &[
            ("/w/src/ffi/a.rs", "src/ffi/a.rs", Some("matches --exclude-files `src/ffi`")),
            ("/w/src/ffi/kept.rs", "src/ffi/kept.rs", None),
            ("/w/tests/shared/mod.rs", "tests/shared/mod.rs", None),
            ("/w/tests/it.rs", "tests/it.rs", Some("matches the default exclusion `tests/`")),
            (
                "/w/tests/inner/src/lib.rs",
                "tests/inner/src/lib.rs",
                Some("is of package `inner`, which --exclude-from-report names"),
            ),
        ],
    );
}

#[test]
fn without_a_workspace_nothing_is_a_dependency() {
    let filter = PathFilter::new(SourceLayout::default(), defaults());
    assert_eq!(filter.exclusion(b"/any/where.rs"), None);
    assert_eq!(filter.exclusion(b"/any/tests/where.rs"), Some(Exclusion::Pattern("tests/")));
}

/// Paths of up to three components in and around the workspace, of names that the rules could have an opinion on.
fn paths() -> Vec<String> {
    let starts = ["/w", "/real/w", "/real", "/elsewhere", "/worker", "", "rel"];
    let dirs = [
        "src",
        "tests",
        "benches",
        "examples",
        "migrations",
        "crates",
        "target",
        "checks",
        "inner",
        "other",
        "it",
        "..",
        ".hidden",
    ];
    let names = ["main.rs", "build.rs", "a_test.rs", "tests.rs", "x.gen.rs", "demo.rs", "other", ".."];
    let in_starts = starts.iter().flat_map(|start| dirs.iter().map(move |dir| format!("{start}/{dir}")));
    let in_dirs = in_starts.clone().flat_map(|start| dirs.map(|dir| format!("{start}/{dir}")));
    let all = in_starts.chain(in_dirs).chain(starts.map(str::to_owned));
    all.flat_map(|dir| names.map(|name| format!("{dir}/{name}"))).collect()
}

/// The regular expressions for LLVM match no path that counts; and, where no rule is too hard to say, all others without `..`.
fn check_regexes(layout: SourceLayout, rules: FilterRules, is_complete: bool) {
    let filter = PathFilter::new(layout, rules);
    let regexes = filter.ignore_filename_regexes();
    let compiled = regexes.iter().map(|regex| regex_lite::Regex::new(regex).expect(regex));
    let compiled: Vec<regex_lite::Regex> = compiled.collect();
    let mut n_matched = 0;
    for path in paths() {
        let exclusion = filter.exclusion(path.as_bytes());
        match compiled.iter().find(|regex| regex.is_match(&path)) {
            Some(regex) => assert!(exclusion.is_some(), "{path} counts, but matches {regex}"),
            None if is_complete && !path.contains("..") => assert_eq!(exclusion, None, "{path} {regexes:#?}"),
            None => continue,
        }
        n_matched += 1;
    }
    assert!(n_matched > 0 || regexes.is_empty(), "{n_matched} paths match {regexes:#?}");
}

#[test]
fn llvm_is_told_of_files_that_do_not_count_and_of_no_others() {
    let mut flat = layout();
    flat.packages.retain(|package| package.name != "inner");
    check_regexes(flat, defaults(), true);
    // Whether a file below `tests/` counts here depends on more than its path.
    check_regexes(layout(), defaults(), false);
    for set in DefaultSet::ALL {
        check_regexes(layout(), FilterRules { defaults: vec![set], ..FilterRules::default() }, false);
    }
    let hidden = ["inner", "other", "root"].map(|name| glob::Pattern::new(name).expect("a name"));
    check_regexes(
        layout(),
        FilterRules { hidden_packages: hidden.to_vec(), ..FilterRules::default() },
        false,
    );
    let glob = |glob| PathPattern::glob(glob, "--exclude-files").expect("a glob");
    let globs =
        ["src/**/*.rs", "**/it", "crates/[a-z]*/src", "tests", "[!s]*/lib.rs", "/elsewhere/**", "b?ild.rs"];
    check_regexes(
        layout(),
        FilterRules { exclude: globs.map(glob).to_vec(), ..FilterRules::default() },
        false,
    );
    let included = FilterRules { include: vec![glob("tests/a_test.rs")], ..defaults() };
    assert_eq!(PathFilter::new(layout(), included).ignore_filename_regexes(), [""; 0]);
}

#[test]
fn regexes_that_posix_reads_otherwise_are_kept_from_llvm() {
    for (regex, expected) in [
        ("^src/gen", Some("src/gen")),
        (r"\.gen\.rs$", Some(r"(.*)(\.gen\.rs$)")),
        ("a|b", Some("(.*)(a|b)")),
        ("^(a|b)/x+y?", Some("(a|b)/x+y?")),
        ("[a-z_]/[^/]", Some("(.*)([a-z_]/[^/])")),
        ("^a|b", None),
        (r"\d", None),
        ("a{2}", None),
        ("a+?", None),
        ("(?i)a", None),
        ("a|", None),
        ("a(b|)", None),
        ("x^y", None),
        ("[[:alpha:]]", None),
        (r"[\d]", None),
        (r"\<a", None),
    ] {
        let pattern = PathPattern::regex(regex, "--ignore-filename-regex").expect(regex);
        let posix = pattern.posix_regex().map(|posix| posix.text);
        assert_eq!(posix.as_deref(), expected, "{regex}");
    }
}
