//! A fresh checkout over what an earlier run has built: what did not change is not compiled again, what changed is.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::program::{Finished, Program};
use crate::support::workspace::Workspace;
use crate::{lcov, xtask};

fn git(workspace: &Workspace, arguments: &[&str]) {
    Program::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(workspace.root())
        .run()
        .expect_success();
}

/// A repository of two crates, of which one needs the other, with a test each.
fn repository() -> Workspace {
    let workspace = Workspace::empty("checkout");
    workspace.write("Cargo.toml", "[workspace]\nmembers = [\"leaf\", \"top\"]\nresolver = \"3\"\n");
    workspace.write(".gitignore", "/target\n");
    for (name, dependency, code) in [
        ("leaf", "", "pub fn leaf() -> u32 {\n    1\n}\n"),
        ("top", "leaf = { path = \"../leaf\" }\n", "pub fn top() -> u32 {\n    leaf::leaf() + 1\n}\n"),
    ] {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\ndoctest = false\n\n[dependencies]\n\
             {dependency}"
        );
        workspace.write(&format!("{name}/Cargo.toml"), &manifest);
        workspace.write(&format!("{name}/src/lib.rs"), code);
        let test = format!("#[test]\nfn runs() {{\n    assert!({name}::{name}() > 0);\n}}\n");
        workspace.write(&format!("{name}/tests/it.rs"), &test);
    }
    git(&workspace, &["init", "--quiet"]);
    git(&workspace, &["add", "--all"]);
    git(&workspace, &["commit", "--quiet", "--message", "first"]);
    workspace
}

/// As a new machine has it: every file is from just now.
fn check_out(workspace: &Workspace) {
    for file in workspace.files() {
        if !file.starts_with("target/") && !file.starts_with(".git/") {
            set_time(&workspace.root().join(file), SystemTime::now());
        }
    }
}

/// As an archive of CI keeps artifacts: without the fractions of their seconds.
fn archive(directory: &Path) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            archive(&path);
        } else {
            let modified = fs::metadata(&path).and_then(|it| it.modified()).expect("there");
            let since_1970 = modified.duration_since(SystemTime::UNIX_EPOCH).expect("not so old");
            set_time(&path, SystemTime::UNIX_EPOCH + Duration::from_secs(since_1970.as_secs()));
        }
    }
}

fn set_time(path: &Path, time: SystemTime) {
    filetime::set_file_mtime(path, time.into()).expect("ours");
}

/// A run, and the crates that cargo compiled in it.
fn run(workspace: &Workspace) -> (Finished, Vec<String>) {
    let finished = xtask(workspace).args(["coverage", "--restore-times", "always"]).run().expect_success();
    let compiled = finished.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("Compiling "));
    let mut compiled: Vec<_> =
        compiled.filter_map(|unit| unit.split(' ').next()).map(str::to_owned).collect();
    compiled.sort();
    (finished, compiled)
}

const NONE: [&str; 0] = [];

#[test]
fn only_what_changed_is_compiled_again() {
    let workspace = repository();
    assert_eq!(run(&workspace).1, ["leaf", "top"]);
    check_out(&workspace);
    let (finished, compiled) = run(&workspace);
    assert_eq!(compiled, NONE);
    assert!(finished.stderr.contains("Restored the times of 8 files; 0 have changed"), "{}", finished.stderr);
    let two_minutes_ago = SystemTime::now() - Duration::from_secs(120);
    let modified =
        |path: &str| fs::metadata(workspace.root().join(path)).and_then(|it| it.modified()).expect("there");
    assert!(modified("top/src/lib.rs") > two_minutes_ago, "after the build, times are those of the checkout");

    check_out(&workspace);
    workspace.replace("top/src/lib.rs", "leaf() + 1", "leaf() + 2");
    assert_eq!(run(&workspace).1, ["top"]);
    check_out(&workspace);
    workspace.replace("leaf/src/lib.rs", "    1\n", "    2\n");
    assert_eq!(run(&workspace).1, ["leaf", "top"]);
}

/// A build script that does not say what it reads runs again if any file of its package is another one, or has another time.
#[test]
#[cfg(unix)]
fn a_build_script_runs_again_only_where_its_package_changed() {
    let workspace = repository();
    let vendored = workspace.beside("vendored");
    let of_vendored = |arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"];
        Program::new("git").args(identity).args(arguments).current_dir(&vendored).run().expect_success();
    };
    fs::write(vendored.join("data.txt"), "1").expect("writable");
    of_vendored(&["init", "--quiet"]);
    of_vendored(&["add", "--all"]);
    of_vendored(&["commit", "--quiet", "--message", "first"]);
    let url = vendored.to_str().expect("UTF-8");
    git(
        &workspace,
        &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "top/vendored"],
    );
    workspace.write("top/build.rs", "fn main() {}\n");
    let link = workspace.root().join("top/link");
    std::os::unix::fs::symlink("src", &link).expect("writable");
    git(&workspace, &["add", "--all"]);
    let check_out = || {
        check_out(&workspace);
        archive(&workspace.root().join("target"));
        fs::remove_file(&link).expect("ours");
        git(&workspace, &["checkout", "--quiet", "--", "top/link"]);
    };

    assert_eq!(run(&workspace).1, ["leaf", "top"]);
    check_out();
    assert_eq!(run(&workspace).1, NONE);
    check_out();
    workspace.write("top/vendored/data.txt", "2");
    assert_eq!(run(&workspace).1, ["top"]);
    check_out();
    assert_eq!(run(&workspace).1, NONE);

    // Tests may read what is in a submodule, too.
    assert_eq!(reusing(&workspace, &[]).1, NONE);
    assert_eq!(reusing(&workspace, &[]).1.len(), 4);
    workspace.write("top/vendored/data.txt", "3");
    assert_eq!(reusing(&workspace, &[]).1, NONE);
    // And where a link leads to.
    assert_eq!(reusing(&workspace, &[]).1.len(), 4);
    fs::remove_file(&link).expect("ours");
    std::os::unix::fs::symlink("tests", &link).expect("writable");
    assert_eq!(reusing(&workspace, &[]).1, NONE);
}

#[test]
fn nothing_stale_passes_for_fresh() {
    let workspace = repository();
    run(&workspace);
    let before =
        fs::metadata(workspace.root().join("leaf/src/lib.rs")).and_then(|it| it.modified()).expect("there");
    // An edited source with the time of the old one, and with an older one.
    for (code, time) in [
        ("pub fn leaf() -> u32 {\n    1;\n    1\n}\n", before),
        ("pub fn leaf() -> u32 {\n    1;\n    2;\n    1\n}\n", before - Duration::from_secs(86_400)),
    ] {
        check_out(&workspace);
        workspace.write("leaf/src/lib.rs", code);
        set_time(&workspace.root().join("leaf/src/lib.rs"), time);
        assert_eq!(run(&workspace).1, ["leaf", "top"]);
        assert_eq!(lcov(&workspace).file("leaf/src/lib.rs").lines.len(), code.lines().count());
    }
    // What was there once is there again: its time of then is older than what has been built since.
    check_out(&workspace);
    git(&workspace, &["checkout", "--quiet", "--", "leaf/src/lib.rs"]);
    assert_eq!(run(&workspace).1, ["leaf", "top"]);
    assert_eq!(lcov(&workspace).file("leaf/src/lib.rs").lines.len(), 3);

    // A build that fails leaves artifacts, too.
    check_out(&workspace);
    workspace.replace("leaf/src/lib.rs", "    1\n", "    7\n");
    workspace.replace("top/src/lib.rs", "leaf() + 1", "nonsense");
    xtask(&workspace).args(["coverage", "--restore-times", "always"]).run().expect_code(101);
    check_out(&workspace);
    git(&workspace, &["checkout", "--quiet", "--", "."]);
    assert_eq!(run(&workspace).1, ["leaf", "top"]);

    // A damaged snapshot is none.
    let snapshot = workspace.root().join("target/.coverage-times");
    let mut bytes = fs::read(&snapshot).expect("there");
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&snapshot, bytes).expect("ours");
    check_out(&workspace);
    assert_eq!(run(&workspace).1, ["leaf", "top"]);
    check_out(&workspace);
    assert_eq!(run(&workspace).1, NONE);
}

/// A run that takes results of earlier ones, and the binaries whose results it took.
fn reusing(workspace: &Workspace, flags: &[&str]) -> (Finished, Vec<String>) {
    let finished = xtask(workspace).args(["coverage", "--reuse"]).args(flags).run().expect_success();
    let reused = finished.stderr.lines().filter(|line| line.ends_with("(reused)"));
    let reused = reused.filter_map(|line| line.trim_start().strip_prefix("Passed ")?.split(": ").next());
    let mut reused: Vec<String> = reused.map(str::to_owned).collect();
    reused.sort();
    (finished, reused)
}

/// What is reported of a run.
fn report(workspace: &Workspace) -> String {
    workspace.read("target/coverage/lcov.info")
}

#[test]
fn tests_that_depend_on_nothing_that_changed_do_not_run_again() {
    let workspace = repository();
    // A test that reads a file, one that starts a program, doctests.
    workspace.write("leaf/data.txt", "1");
    workspace.replace("leaf/Cargo.toml", "doctest = false", "doctest = true");
    workspace.replace(
        "leaf/src/lib.rs",
        "pub fn",
        "/// ```\n/// assert!(leaf::leaf() < 9);\n/// ```\npub fn",
    );
    workspace.write(
        "leaf/tests/reads.rs",
        "#[test]\nfn reads() {\n    assert_eq!(std::fs::read_to_string(\"data.txt\").unwrap().len(), 1);\n}\n",
    );
    workspace.write("top/src/main.rs", "fn main() {\n    println!(\"{}\", top::top());\n}\n");
    workspace.write(
        "top/tests/starts.rs",
        "#[test]\nfn starts() {\n    assert!(std::process::Command::new(env!(\"CARGO_BIN_EXE_top\")).status().unwrap().success());\n}\n",
    );
    git(&workspace, &["add", "--all"]);
    assert_eq!(reusing(&workspace, &[]).1, NONE);
    let whole = report(&workspace);
    let of_leaf = ["leaf", "leaf::doc/leaf", "leaf::it", "leaf::reads"];
    let all = [&of_leaf[..], &["top", "top::bin/top", "top::it", "top::starts"]].concat();
    let (finished, reused) = reusing(&workspace, &[]);
    assert_eq!(reused, all, "{}", finished.stderr);
    assert_eq!(report(&workspace), whole);
    assert!(finished.stderr.contains("binaries, 8 of them reused: "), "{}", finished.stderr);
    let shown = xtask(&workspace).args(["coverage", "cache"]).run().expect_success();
    assert!(shown.stdout.starts_with("results: 8 in .coverage-cache, "), "{}", shown.stdout);
    // Nobody has to ignore the cache.
    let status = Program::new("git").args(["status", "--short"]).current_dir(workspace.root()).run();
    assert!(!status.stdout.contains("coverage-cache"), "{}", status.stdout);

    // A crate and what is linked with it. The programs of its unit tests, which do not call the function, are what they were.
    workspace.replace("top/src/lib.rs", "leaf() + 1", "leaf() + 2");
    assert_eq!(reusing(&workspace, &[]).1, [&of_leaf[..], &["top", "top::bin/top"]].concat());
    let mut changed = report(&workspace);
    xtask(&workspace).args(["coverage"]).run().expect_success();
    assert_eq!(report(&workspace), changed);
    // What a test may read.
    workspace.write("leaf/data.txt", "2");
    assert_eq!(reusing(&workspace, &[]).1, NONE);
    // Other arguments are another run.
    assert_eq!(reusing(&workspace, &["--test-threads", "1"]).1, NONE);
    assert_eq!(reusing(&workspace, &[]).1, all);
    // A doctest is in the sources.
    workspace.replace("leaf/src/lib.rs", "< 9", "< 8");
    changed = reusing(&workspace, &[]).0.stderr;
    assert!(!changed.contains("leaf::doc/leaf: 1 passed (reused)"), "{changed}");

    xtask(&workspace).args(["coverage", "cache", "--clear"]).run().expect_success();
    assert_eq!(reusing(&workspace, &[]).1, NONE);
}

#[test]
fn results_that_are_not_to_be_trusted_are_not_reused() {
    let workspace = repository();
    reusing(&workspace, &[]);
    let results = |workspace: &Workspace| {
        let entries = fs::read_dir(workspace.root().join(".coverage-cache")).expect("a cache");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("listed").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "result"));
        paths.sort();
        paths
    };
    // One flipped bit in each.
    let whole = report(&workspace);
    for path in results(&workspace) {
        let mut bytes = fs::read(&path).expect("readable");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(path, bytes).expect("writable");
    }
    assert_eq!(reusing(&workspace, &[]).1, NONE);
    assert_eq!(report(&workspace), whole);
    assert_eq!(reusing(&workspace, &[]).1, ["leaf", "leaf::it", "top", "top::it"]);

    // Tests that its manifest calls flaky.
    let manifest = "[package.metadata.coverage]\nflaky = [\"it\"]\n\n[lib]";
    workspace.replace("top/Cargo.toml", "[lib]", manifest);
    reusing(&workspace, &[]);
    let (finished, reused) = reusing(&workspace, &[]);
    assert_eq!(reused, ["leaf", "leaf::it", "top"]);
    assert!(finished.stderr.contains("Passed top::it: 1 passed in "), "{}", finished.stderr);

    // A test that failed runs again, however often.
    workspace.replace("leaf/tests/it.rs", "> 0", "> 1");
    for _ in 0..2 {
        let finished =
            xtask(&workspace).args(["coverage", "--reuse", "--no-fail-fast"]).run().expect_code(100);
        assert!(finished.stderr.contains("Failed leaf::it: 0 passed, 1 failed in "), "{}", finished.stderr);
    }
    xtask(&workspace).args(["coverage", "cache", "--prune"]).run().expect_success();
    assert!(!results(&workspace).is_empty(), "what was just used stays");
}
