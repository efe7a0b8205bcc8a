//! A fresh checkout over what an earlier run has built: what did not change is not compiled again, what changed is.

use std::fs::{self, File};
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

fn set_time(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("ours");
}

/// A run, and how many units cargo compiled in it.
fn run(workspace: &Workspace) -> (Finished, Vec<String>) {
    let finished = xtask(workspace).args(["coverage", "--restore-times", "always"]).run().expect_success();
    let compiled = finished.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("Compiling "));
    let compiled = compiled.filter_map(|unit| unit.split(' ').next()).map(str::to_owned).collect();
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
