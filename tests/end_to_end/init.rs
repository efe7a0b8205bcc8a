//! `coverage init` on workspaces of many shapes: what it adds, that nothing else changes, and what it says where it cannot.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::program::{Finished, Program};
use crate::support::workspace::Workspace;

/// A directory with these files, without git.
fn files(files: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::empty("adopted");
    for (path, text) in files {
        workspace.write(path, text);
    }
    workspace
}

/// The same, committed.
fn committed(list: &[(&str, &str)]) -> Workspace {
    let workspace = files(list);
    git(&workspace, &["init", "-q"]);
    commit(&workspace);
    workspace
}

fn git(workspace: &Workspace, arguments: &[&str]) -> Finished {
    let settings =
        ["init.defaultBranch=trunk", "user.name=A", "user.email=a@example.com", "core.autocrlf=false"];
    let settings = settings.into_iter().flat_map(|setting| ["-c", setting]);
    Program::new("git").current_dir(workspace.root()).args(settings).args(arguments).run().expect_success()
}

fn commit(workspace: &Workspace) {
    git(workspace, &["add", "-A"]);
    git(workspace, &["commit", "-q", "-m", "state"]);
}

/// The command, with this very checkout as what the new crate depends on.
fn init(workspace: &Workspace, arguments: &[&str]) -> Finished {
    let program = Program::ours(env!("CARGO_BIN_EXE_xtask-coverage")).current_dir(workspace.root());
    let program = program.args(["coverage", "init", "--offline", "--from-path", env!("CARGO_MANIFEST_DIR")]);
    program.args(arguments).run()
}

/// Every file with its content, but for the lock file, which is cargo's.
fn contents(workspace: &Workspace) -> Vec<(String, String)> {
    let paths =
        workspace.files().into_iter().filter(|path| path != "Cargo.lock" && !path.starts_with(".git/"));
    paths.map(|path| (path.clone(), workspace.read(&path))).collect()
}

/// That a second call finds nothing to do.
#[track_caller]
fn is_stable(workspace: &Workspace, arguments: &[&str], code: i32) {
    let before = contents(workspace);
    init(workspace, arguments).expect_code(code).expect_stderr("nothing to do");
    assert_eq!(contents(workspace), before);
}

/// That the command refuses with exit code 1, names a reason, and leaves everything as it was.
#[track_caller]
fn is_refused(workspace: &Workspace, arguments: &[&str], reason: &str, cure: &str) {
    let before = contents(workspace);
    let lock = fs::read(workspace.root().join("Cargo.lock")).ok();
    let refused = init(workspace, arguments).expect_code(1).expect_stderr(reason).expect_stderr(cure);
    let errors = refused.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{refused}");
    assert_eq!(contents(workspace), before, "{refused}");
    assert_eq!(fs::read(workspace.root().join("Cargo.lock")).ok(), lock);
}

/// The packages that a cargo command without any selection compiles.
fn compiled(workspace: &Workspace, command: &[&str]) -> BTreeSet<String> {
    let built = workspace.cargo().args(command).arg("--message-format=json").run().expect_success();
    let artifacts = built.stdout.lines().filter(|line| line.contains("\"reason\":\"compiler-artifact\""));
    let id = |line: &str| {
        let (_, rest) = line.split_once("\"package_id\":\"").expect("an artifact is of a package");
        rest.split('"').next().expect("it ends").to_owned()
    };
    artifacts.map(id).collect()
}

/// What the outside sees of a workspace: what plain commands compile, and what is published of the package in its root.
fn outside(workspace: &Workspace, is_published: bool) -> (BTreeSet<String>, BTreeSet<String>, String) {
    let built = compiled(workspace, &["build"]);
    let tested = compiled(workspace, &["test", "--no-run"]);
    let packed = match is_published {
        true => workspace.cargo().args(["package", "--list", "--allow-dirty"]).run().expect_success().stdout,
        false => String::new(),
    };
    (built, tested, packed)
}

/// The members of the workspace, by name.
fn members(workspace: &Workspace) -> BTreeSet<String> {
    let read =
        workspace.cargo().args(["metadata", "--no-deps", "--format-version", "1"]).run().expect_success();
    let metadata: serde_json::Value = serde_json::from_str(&read.stdout).expect("is JSON");
    let names = metadata["packages"].as_array().expect("a list").iter();
    names.map(|package| package["name"].as_str().expect("a name").to_owned()).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A lock file that every cargo of the last years reads.
const OLD_LOCK: &str = "version = 3\n\n[[package]]\nname = \"alone\"\nversion = \"0.1.0\"\n";

const LIB: &str = "pub fn one() -> u32 {\n    1\n}\n\n#[test]\nfn works() {\n    assert_eq!(one(), 1);\n}\n";
const IGNORE: (&str, &str) = (".gitignore", "/target\n");

fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
}

/// A crate that is alone, with packages below it that are none of its business, and an xtask crate with tasks of its own: both are
/// really built and measured. In one test, because they share what they build.
#[test]
fn adopted_workspaces_measure_themselves() {
    let alone = committed(&[
        (
            "Cargo.toml",
            &package(
                "alone",
                "\n# ours\n[dependencies]\nderive = { path = \"derive\", version = \"0.1\" }\n",
            ),
        ),
        ("src/lib.rs", LIB),
        ("derive/Cargo.toml", &package("derive", "")),
        ("derive/src/lib.rs", ""),
        ("examples/a/Cargo.toml", &package("a", "")),
        ("examples/a/src/main.rs", "fn main() {}\n"),
        ("examples/b/Cargo.toml", &package("b", "")),
        ("examples/b/src/main.rs", "fn main() {}\n"),
        ("fuzz/Cargo.toml", &package("fuzz", "\n[workspace]\n")),
        ("fuzz/src/main.rs", "fn main() {}\n"),
        (".github/dependabot.yml", "version: 2\n"),
        IGNORE,
    ]);
    let before = outside(&alone, true);
    _ = fs::remove_file(alone.root().join("Cargo.lock"));
    let manifest = alone.read("Cargo.toml");
    init(&alone, &["."]).expect_success().expect_stdout("   12 + members = [\"xtask\"]");
    assert_eq!(
        alone.read("Cargo.toml"),
        manifest.replace(
            "edition = \"2021\"\n",
            "edition = \"2021\"\nexclude = [\"/.cargo/config.toml\", \"/.github/workflows/coverage.yml\"]\n"
        ) + "\n[workspace]\nmembers = [\"xtask\"]\nexclude = [\"derive\", \"examples\"]\n"
    );
    assert!(!alone.root().join("Cargo.lock").exists(), "there was none");
    assert_eq!(members(&alone), names(&["alone", "xtask"]));
    assert_eq!(outside(&alone, true), before);
    for below in ["derive", "examples/a", "fuzz"] {
        Program::cargo().current_dir(alone.root().join(below)).arg("build").run().expect_success();
    }
    let workflow = alone.read(".github/workflows/coverage.yml");
    for line in ["branches: [trunk]", "contents: read", "timeout-minutes: 30", "run: cargo xtask coverage"] {
        assert!(workflow.contains(line), "{line} is not in {workflow}");
    }
    is_stable(&alone, &[], 0);

    let tasks = "\
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some(\"hello\") => println!(\"hello\"),
        _ => return Err(\"no such task\".into()),
    }
    Ok(())
}
";
    let with_tasks = committed(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\n    \"app\",\n    \"tasks\", # theirs\n]\nresolver = \"2\"\n",
        ),
        ("app/Cargo.toml", &package("app", "")),
        ("app/src/lib.rs", LIB),
        ("tasks/Cargo.toml", &package("xtask", "publish = false\n")),
        ("tasks/src/main.rs", tasks),
        IGNORE,
    ]);
    let before = compiled(&with_tasks, &["build", "--package", "app"]);
    commit(&with_tasks);
    let root = with_tasks.read("Cargo.toml");
    init(&with_tasks, &[]).expect_success().expect_stderr("it does not show which CI service");
    assert_eq!(with_tasks.read("Cargo.toml"), root, "the crate is a member as it is");
    let guard = "    if let Some(code) = xtask_coverage::run_if_asked() {\n        std::process::exit(code.into());\n    }\n";
    assert_eq!(
        with_tasks.read("tasks/src/main.rs"),
        tasks.replace("Error>> {\n", &format!("Error>> {{\n{guard}"))
    );
    assert_eq!(compiled(&with_tasks, &["build", "--package", "app"]), before);
    is_stable(&with_tasks, &["--allow-dirty"], 0);

    // What both depend on is compiled once, and kept from run to run.
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("init");
    let xtask = |workspace: &Workspace, arguments: &[&str]| {
        let program = workspace.cargo().env("CARGO_TARGET_DIR", &shared).arg("xtask").args(arguments);
        program.deadline(Duration::from_secs(900)).run()
    };
    let measured = xtask(&alone, &["coverage"]).expect_success();
    assert!(measured.stdout.contains("src/lib.rs") && measured.stdout.contains("100.00%"), "{measured}");
    assert!(!measured.stdout.contains("xtask/src"), "{measured}");
    let measured = xtask(&with_tasks, &["coverage"]).expect_success();
    assert!(measured.stdout.contains("app/src/lib.rs") && measured.stdout.contains("100.00%"), "{measured}");
    xtask(&with_tasks, &["hello"]).expect_success().expect_stdout("hello");
    xtask(&with_tasks, &["coverage", "--wrong"]).expect_code(1).expect_stderr("unknown flag");
}

#[test]
fn a_virtual_workspace_builds_what_it_built() {
    let manifest = "# Ours.\n[workspace]\nmembers = [\n\t\"crates/*\", # all of them\n\t\"tool\"\n]\n\n[workspace.package]\nedition = \"2021\"\n";
    let workspace = committed(&[
        ("Cargo.toml", &manifest.replace('\n', "\r\n")),
        ("crates/a/Cargo.toml", &package("a", "")),
        ("crates/a/src/lib.rs", LIB),
        ("tool/Cargo.toml", &package("tool", "\n[dependencies]\na = { path = \"../crates/a\" }\n")),
        ("tool/src/main.rs", "fn main() {}\n"),
        (".gitignore", "*.swp\r\n*~"),
        (
            ".cargo/config.toml",
            "# mine\nalias.b = 'build'\n[profile.xtask.package]\nadler2 = { opt-level = 1 }\n",
        ),
    ]);
    let before = outside(&workspace, false);
    let lock = workspace.read("Cargo.lock");
    git(&workspace, &["clean", "-q", "-d", "-f", "-x", "target"]);
    commit(&workspace);
    // From a directory of a member.
    init(&workspace, &["crates/a", "--ci", "gitlab"])
        .expect_success()
        .expect_stderr("`default-members` keeps plain")
        .expect_stdout("    - cargo xtask coverage --cobertura --lcov --patch");
    let expected = manifest
        .replace(
            "\t\"tool\"\n]\n",
            "\t\"tool\",\n\t\"xtask\"\n]\ndefault-members = [\"crates/*\", \"tool\"]\n",
        )
        .replace('\n', "\r\n");
    assert_eq!(workspace.read("Cargo.toml"), expected);
    assert_eq!(workspace.read(".gitignore"), "*.swp\r\n*~\r\n/target\r\n");
    let config = workspace.read(".cargo/config.toml");
    let front = "# mine\nalias.b = 'build'\nalias.xtask = \"run --package xtask --profile xtask --\"\n[profile.xtask.package]\nadler2 = { opt-level = 1 }\nxtask-coverage-engine = ";
    assert!(config.starts_with(front), "{config}");
    assert_eq!(members(&workspace), names(&["a", "tool", "xtask"]));
    assert_eq!(outside(&workspace, false), before);
    for package in lock.split("\n\n").filter(|part| part.starts_with("[[package]]")) {
        assert!(workspace.read("Cargo.lock").contains(package.trim_end()), "{package} is gone");
    }
    is_stable(&workspace, &[], 0);
}

#[test]
fn patterns_may_take_in_the_new_crate() {
    let workspace = files(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"*\"]\nexclude = [\"target\"]\nresolver = \"2\"\n"),
        ("a/Cargo.toml", &package("a", "")),
        ("a/src/lib.rs", LIB),
    ]);
    let before = outside(&workspace, false);
    init(&workspace, &[]).expect_success().expect_stderr("this is no git checkout");
    let manifest = workspace.read("Cargo.toml");
    let expected = "exclude = [\"target\", \".cargo\"]\nresolver = \"2\"\ndefault-members = [\"a\"]\n";
    assert!(manifest.ends_with(expected), "{manifest}");
    assert_eq!(members(&workspace), names(&["a", "xtask"]));
    assert_eq!(outside(&workspace, false), before);
    assert!(!workspace.root().join(".gitignore").exists() && !workspace.root().join(".github").exists());
    is_stable(&workspace, &[], 0);
}

/// A lock file that would get other versions is a change that nobody asked for.
#[test]
fn locked_versions_stay() {
    let lock = "\
version = 4

[[package]]
name = \"alone\"
version = \"0.1.0\"
dependencies = [
 \"lexopt\",
]

[[package]]
name = \"lexopt\"
version = \"0.3.0\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
checksum = \"baff4b617f7df3d896f97fe922b64817f6cd9a756bb81d40f8883f2f66dcb401\"
";
    let workspace = committed(&[
        ("Cargo.toml", &package("alone", "\n[dependencies]\nlexopt = \"0.3\"\n")),
        ("Cargo.lock", lock),
        ("src/lib.rs", LIB),
        IGNORE,
    ]);
    let arguments = ["--ci", "none"];
    is_refused(
        &workspace,
        &arguments,
        "other versions of what the workspace depends on (lexopt 0.3.0 (then 0.3.",
        "`cargo update lexopt`",
    );
    init(&workspace, &["--ci", "none", "--allow-updates"]).expect_success();
    assert_ne!(workspace.read("Cargo.lock"), lock);
    is_stable(&workspace, &arguments, 0);
}

#[test]
fn a_newer_format_of_the_lock_file_is_noted() {
    let check = |rust_version: &str, format: &str| {
        let manifest = package("alone", rust_version);
        let workspace = files(&[("Cargo.toml", &manifest), ("Cargo.lock", OLD_LOCK), ("src/lib.rs", LIB)]);
        let adopted = init(&workspace, &[]).expect_success();
        assert_eq!(
            adopted.stderr.contains("has written `Cargo.lock` in format 4"),
            format == "4",
            "{adopted}"
        );
        assert!(workspace.read("Cargo.lock").contains(&format!("\nversion = {format}\n")));
    };
    check("", "4");
    check("rust-version = \"1.70\"\n", "3");
}

/// A `target` that nothing ignores is no change of anybody's; a new file that git ignores is worth a note.
#[test]
fn what_git_ignores_and_what_it_does_not() {
    let workspace =
        committed(&[("Cargo.toml", &package("alone", "")), ("src/lib.rs", LIB), (".gitignore", "xtask/src")]);
    workspace.cargo().arg("build").run().expect_success();
    git(&workspace, &["add", "Cargo.lock"]);
    git(&workspace, &["commit", "-q", "-m", "lock"]);
    init(&workspace, &["--ci", "none"])
        .expect_success()
        .expect_stderr("git ignores `xtask/src/main.rs`; `git add --force` adds it all the same");
    assert_eq!(workspace.read(".gitignore"), "xtask/src\n/target\n");
    is_stable(&workspace, &["--ci", "none"], 0);
}

/// The workflow belongs to the repository, all else to the workspace.
#[test]
fn a_workspace_within_a_repository() {
    let workspace = committed(&[
        ("Cargo.toml", &package("outer", "\n[workspace]\nexclude = [\"inner\"]\n")),
        ("src/lib.rs", LIB),
        ("inner/Cargo.toml", "[workspace]\nmembers = ['a']\ndefault-members = ['a']\nresolver = '2'\n"),
        ("inner/a/Cargo.toml", &package("a", "")),
        ("inner/a/src/lib.rs", LIB),
        ("inner/rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n"),
        (".github/workflows/ci.yml", "name: ci\n"),
        (".github/workflows/coverage.yml", "name: theirs\n"),
        (".gitignore", "target\nCargo.lock\n"),
    ]);
    let outer = workspace.read("Cargo.toml");
    let planned = init(&workspace, &["inner/a", "--dry-run"]).expect_success();
    assert_eq!(git(&workspace, &["status", "--porcelain"]).stdout, "", "{planned}");
    // A file of that name stays, whatever is in it.
    init(&workspace, &["inner/a"]).expect_success().expect_stdout("working-directory: inner");
    assert_eq!(workspace.read(".github/workflows/coverage.yml"), "name: theirs\n");
    fs::remove_file(workspace.root().join(".github/workflows/coverage.yml")).expect("can be removed");
    init(&workspace, &["inner", "--allow-dirty"]).expect_success();
    let workflow = workspace.read(".github/workflows/coverage.yml");
    assert!(
        workflow.contains("        working-directory: inner\n")
            && workflow.contains("            inner/target\n")
    );
    assert!(workflow.contains("- run: rustup toolchain install\n"), "{workflow}");
    assert_eq!(workspace.read("Cargo.toml"), outer);
    assert_eq!(
        workspace.read("inner/Cargo.toml"),
        "[workspace]\nmembers = ['a', \"xtask\"]\ndefault-members = ['a']\nresolver = '2'\n"
    );
    for path in ["inner/xtask/Cargo.toml", "inner/.cargo/config.toml"] {
        assert!(workspace.files().contains(path), "{path}");
    }
    is_stable(&workspace, &["inner", "--allow-dirty"], 0);
    // A workflow under another name that runs the command will do.
    fs::remove_file(workspace.root().join(".github/workflows/coverage.yml")).expect("can be removed");
    workspace.write(".github/workflows/ci.yml", "steps:\n  - run: cargo xtask coverage --lcov\n");
    is_stable(&workspace, &["inner", "--allow-dirty"], 0);
}

#[test]
fn an_alias_that_is_there_stays() {
    let main = "fn main() { std::process::exit(if std::env::args().len() > 1 { 0 } else { 1 }) }\n";
    let workspace = committed(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\", \"ci\"]\nresolver = \"2\"\n\n[profile.dev.package]\nmd5 = { opt-level = 3 }\n",
        ),
        ("a/Cargo.toml", &package("a", "")),
        ("a/src/lib.rs", LIB),
        ("ci/Cargo.toml", &package("ci", "")),
        ("ci/src/main.rs", main),
        (".cargo/config", "alias = { xtask = [\"run\", \"-q\", \"-p\", \"ci\", \"--\"] } # ours\n"),
        IGNORE,
    ]);
    let cargo = workspace.cargo().args(["xtask", "one"]).run();
    cargo.expect_success();
    commit(&workspace);
    init(&workspace, &["--ci", "none"]).expect_success();
    let config = workspace.read(".cargo/config");
    assert!(
        config.starts_with("alias = { xtask = [\"run\", \"-q\", \"-p\", \"ci\", \"--\"] } # ours\n\n[profile.dev.package]\nxtask-coverage-engine = "),
        "{config}"
    );
    assert!(!config.contains("md5"), "the manifest has it: {config}");
    assert!(!workspace.root().join(".cargo/config.toml").exists());
    assert!(workspace.read("ci/Cargo.toml").contains("\n[dependencies]\nxtask-coverage = { path = "));
    let guarded = workspace.read("ci/src/main.rs");
    assert!(guarded.starts_with("fn main() {\n    if let Some(code)"), "{guarded}");
    assert_eq!(members(&workspace), names(&["a", "ci"]));
    is_stable(&workspace, &["--ci", "none", "--allow-dirty"], 0);
}

/// What a machine should not decide is printed, and the exit code says so, each time until it is done.
#[test]
fn what_is_left_to_do_is_printed() {
    let main = "mod tasks;\nfn main() {\n    tasks::coverage();\n}\n";
    let workspace = committed(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"xtask\", \"a\"]\nresolver = \"2\"\n"),
        ("a/Cargo.toml", &package("a", "")),
        ("a/src/lib.rs", LIB),
        ("xtask/Cargo.toml", &package("xtask", "\n[dependencies] # none yet\n\n[features]\n")),
        ("xtask/src/main.rs", main),
        ("xtask/src/tasks.rs", "pub fn coverage() {}\n"),
        (".cargo/config.toml", "[alias]\nxtask = \"run --package xtask --release --\"\n"),
        IGNORE,
    ]);
    init(&workspace, &["--ci", "none"])
        .expect_code(2)
        .expect_stdout("Left to do by hand:")
        .expect_stdout("in `xtask/src/main.rs`, first thing in `main`: the crate says `coverage` already")
        .expect_stdout("      if let Some(code) = xtask_coverage::run_if_asked() {");
    assert_eq!(workspace.read("xtask/src/main.rs"), main);
    assert_eq!(
        workspace.read(".cargo/config.toml"),
        "[alias]\nxtask = \"run --package xtask --release --\"\n"
    );
    assert!(workspace.read("xtask/Cargo.toml").contains("[dependencies] # none yet\nxtask-coverage = "));
    is_stable(&workspace, &["--ci", "none", "--allow-dirty"], 2);
    workspace.replace("xtask/src/tasks.rs", "{}", "{ _ = xtask_coverage::run_if_asked(); }");
    is_stable(&workspace, &["--ci", "none", "--allow-dirty"], 0);
}

#[test]
fn an_xtask_that_is_a_workspace_of_its_own() {
    let workspace = committed(&[
        ("Cargo.toml", &package("a", "include = [\"/src\"]\n\n[workspace]\nexclude = [\"xtask\"]\n")),
        ("src/lib.rs", LIB),
        ("xtask/Cargo.toml", &package("xtask", "\n[workspace]\n")),
        ("xtask/src/main.rs", "fn main() {}\n"),
        (".cargo/config.toml", "[alias]\nxtask = \"run --manifest-path xtask/Cargo.toml --\"\n"),
        (".gitignore", "target\n"),
    ]);
    let before = outside(&workspace, true);
    commit(&workspace);
    let manifest = workspace.read("Cargo.toml");
    is_refused(&workspace, &["xtask"], "the workspace is the xtask crate itself", "init ..`");
    // Cargo reads that workspace too.
    let url = format!("file://{}/nothing.git", workspace.root().display());
    let before_files = contents(&workspace);
    let program = Program::ours(env!("CARGO_BIN_EXE_xtask-coverage")).current_dir(workspace.root());
    let program = program.args(["coverage", "init", "--ci", "none", "--offline", "--from-git", &url]);
    program.run().expect_code(1).expect_stderr("cargo cannot read the workspace with these changes");
    assert_eq!(contents(&workspace), before_files);

    init(&workspace, &["--ci", "github"]).expect_success();
    assert_eq!(workspace.read("Cargo.toml"), manifest);
    assert!(workspace.read("xtask/src/main.rs").contains("run_if_asked"));
    assert_eq!(outside(&workspace, true), before);
    assert!(!workspace.files().contains("xtask/Cargo.lock"), "there was none");
    is_stable(&workspace, &["--ci", "github"], 0);
}

/// `--locked` goes on working where the tasks have a lock file of their own.
#[test]
fn the_lock_file_of_the_tasks_is_kept_up() {
    let workspace = files(&[
        ("Cargo.toml", &package("a", "\n[workspace]\nexclude = [\"xtask\"]\n")),
        ("src/lib.rs", LIB),
        ("xtask/Cargo.toml", &package("xtask", "\n[workspace]\n")),
        ("xtask/src/main.rs", "fn main() {}\n"),
        (".cargo/config.toml", "[alias]\nxtask = \"run --manifest-path xtask/Cargo.toml --locked --\"\n"),
    ]);
    let metadata = ["metadata", "--format-version", "1", "--offline", "--manifest-path", "xtask/Cargo.toml"];
    workspace.cargo().args(metadata).run().expect_success();
    let lock = workspace.read("xtask/Cargo.lock");
    init(&workspace, &[]).expect_success();
    assert_ne!(workspace.read("xtask/Cargo.lock"), lock);
    workspace.cargo().args(metadata).arg("--locked").run().expect_success();
}

/// Cargo warns of a member whose edition has another resolver.
#[test]
fn a_virtual_workspace_without_a_resolver_gets_no_new_warning() {
    let old = |name: &str| package(name, "").replace("2021", "2018");
    let workspace = files(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
        ("a/Cargo.toml", &old("a")),
        ("a/src/lib.rs", LIB),
    ]);
    init(&workspace, &[]).expect_success();
    assert!(workspace.read("xtask/Cargo.toml").contains("edition = \"2018\"\n"));
    let read = workspace.cargo().args(["metadata", "--no-deps", "--format-version", "1"]).run();
    assert!(!read.expect_success().stderr.contains("warning"));
}

#[test]
fn members_may_lie_outside_of_the_workspace() {
    let workspace = committed(&[
        ("in/Cargo.toml", "[workspace]\nmembers = [\"a\", \"../shared\"]\nresolver = \"2\"\n"),
        ("in/a/Cargo.toml", &package("a", "")),
        ("in/a/src/lib.rs", LIB),
        ("shared/Cargo.toml", &package("shared", "workspace = \"../in\"\n")),
        ("shared/src/lib.rs", LIB),
        (".gitignore", "target\n"),
    ]);
    init(&workspace, &["in", "--ci", "none"]).expect_success();
    assert_eq!(
        workspace.read("in/Cargo.toml"),
        "[workspace]\nmembers = [\"a\", \"../shared\", \"xtask\"]\nresolver = \"2\"\ndefault-members = [\"a\", \"../shared\"]\n"
    );
    is_stable(&workspace, &["in", "--ci", "none", "--allow-dirty"], 0);
}

/// A submodule is at the same place in every clone, so its path is written from the crate on.
#[test]
fn a_checkout_of_ours_within_the_repository() {
    let workspace = committed(&[
        ("Cargo.toml", &package("alone", "")),
        ("src/lib.rs", LIB),
        ("third/ours/Cargo.toml", &package("xtask-coverage", "\n[workspace]\n")),
        ("third/ours/src/lib.rs", ""),
        IGNORE,
    ]);
    let arguments = ["--ci", "none", "--from-path", "third/ours"];
    let adopted = init(&workspace, &arguments).expect_success();
    assert!(!adopted.stderr.contains("of this machine"), "{adopted}");
    assert!(workspace.read("xtask/Cargo.toml").ends_with("xtask-coverage = { path = \"../third/ours\" }\n"));
    let manifest = workspace.read("Cargo.toml");
    let expected = "[workspace]\nmembers = [\"xtask\"]\nexclude = [\"third/ours\"]\n";
    assert!(manifest.ends_with(expected), "{manifest}");
    is_stable(&workspace, &arguments, 0);
}

/// What rustfmt has been told, and what the lines around look like.
#[test]
fn new_lines_are_indented_like_the_others() {
    let manifest = "[workspace]\nmembers = [\"a\"]\nresolver = \"2\"\n";
    let a = package("a", "");
    let list = [("Cargo.toml", manifest), ("a/Cargo.toml", &a), ("a/src/lib.rs", LIB)];
    let workspace = files(&[&list[..], &[("rustfmt.toml", "hard_tabs = true\n")]].concat());
    init(&workspace, &[]).expect_success();
    assert!(workspace.read("xtask/src/main.rs").contains("{\n\txtask_coverage::main()\n}\n"));

    let tasks = [
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"xtask\"]\nresolver = \"2\"\n"),
        ("xtask/Cargo.toml", &package("xtask", "")),
        ("xtask/src/main.rs", "fn main() {\n  run();\n}\n"),
    ];
    let workspace = files(&[&list[1..], &tasks[..]].concat());
    init(&workspace, &[]).expect_success().expect_stderr("so they compile xtask-coverage too");
    let guard =
        "  if let Some(code) = xtask_coverage::run_if_asked() {\n    std::process::exit(code.into());\n  }\n";
    assert_eq!(workspace.read("xtask/src/main.rs"), format!("fn main() {{\n{guard}  run();\n}}\n"));
}

/// The tasks can be in the library of the xtask crate, and `main` can begin with attributes.
#[test]
fn all_of_the_xtask_crate_is_looked_at() {
    let workspace = |main: &str, library: &str| {
        files(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"xtask\"]\nresolver = \"2\"\n"),
            ("xtask/Cargo.toml", &package("xtask", "")),
            ("xtask/src/bin/xtask.rs", main),
            ("xtask/src/lib.rs", library),
        ])
    };
    let main = "fn main() {\n    xtask::run();\n}\n";
    let has_task = workspace(main, "pub fn run() { coverage() }\nfn coverage() {}\n");
    init(&has_task, &[]).expect_code(2).expect_stdout("the crate says `coverage` already");
    assert_eq!(has_task.read("xtask/src/bin/xtask.rs"), main);
    is_stable(&has_task, &[], 2);
    init(&workspace(main, "pub fn run() {}\n"), &[]).expect_success();
    let main = "fn main() {\n    #![allow(unused)]\n    xtask::run();\n}\n";
    init(&workspace(main, "pub fn run() {}\n"), &[]).expect_code(2).expect_stdout("behind its attributes");
}

#[test]
fn an_inherited_list_of_what_is_not_published_grows() {
    let manifest = package("a", "exclude.workspace = true\n\n[workspace.package]\nexclude = [\"/notes\"]\n");
    let workspace = committed(&[("Cargo.toml", &manifest), ("src/lib.rs", LIB), ("notes", "\n"), IGNORE]);
    let before = outside(&workspace, true);
    commit(&workspace);
    init(&workspace, &["--ci", "none"]).expect_success();
    assert!(workspace.read("Cargo.toml").contains("\nexclude = [\"/notes\", \"/.cargo/config.toml\"]\n"));
    assert_eq!(outside(&workspace, true), before);
    is_stable(&workspace, &["--ci", "none"], 0);
}

#[test]
fn what_was_written_before_a_failure_is_taken_back() {
    let workspace = files(&[("Cargo.toml", &package("alone", "")), ("src/lib.rs", LIB), (".github", "\n")]);
    let reason = "the changes cannot be written, so they were taken back: failed to create";
    is_refused(&workspace, &["--ci", "github"], reason, "make the workspace writable");
    // Neither is anything there that cargo has made meanwhile.
    for made in ["xtask", ".cargo", "target", "Cargo.lock"] {
        assert!(!workspace.root().join(made).exists(), "{made}");
    }
}

#[test]
fn an_alias_in_an_included_file_stays() {
    let include = "include = [\"tasks.toml\"]\n";
    let workspace = files(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"ci\"]\nresolver = \"2\"\n"),
        ("ci/Cargo.toml", &package("ci", "")),
        ("ci/src/main.rs", "fn main() {}\n"),
        (".cargo/config.toml", include),
        (".cargo/tasks.toml", "[alias]\nxtask = \"run --package ci --profile dev --\"\n"),
    ]);
    init(&workspace, &[]).expect_success();
    let config = workspace.read(".cargo/config.toml");
    assert!(config.starts_with(&format!("{include}\n[profile.dev.package]\n")), "{config}");
    assert!(workspace.read("ci/src/main.rs").contains("run_if_asked"));
    is_stable(&workspace, &[], 0);
}

/// Directories can be called as they like, whatever YAML and shells make of it.
#[test]
fn odd_names_of_directories_are_quoted_for_services() {
    let workspace = committed(&[
        ("it's # 1/Cargo.toml", &package("a", "")),
        ("it's # 1/src/lib.rs", LIB),
        (".gitignore", "target\n"),
    ]);
    let dry = |ci: &str| init(&workspace, &["it's # 1", "--dry-run", "--ci", ci]).expect_success();
    dry("github").expect_stdout("working-directory: 'it''s # 1'\n");
    dry("gitlab")
        .expect_stdout(r"    - 'cd ''it''\''''s # 1'''")
        .expect_stdout("path: 'it''s # 1/target/coverage/cobertura.xml'\n");
}

#[test]
fn what_stands_in_the_way_is_named() {
    let alone = |more: &[(&str, &str)]| {
        let manifest = package("alone", "");
        let mut list = vec![("Cargo.toml", manifest.as_str()), ("src/lib.rs", LIB), IGNORE];
        list.extend(more);
        committed(&list)
    };
    let alias = |alias: &str| alone(&[(".cargo/config.toml", &format!("[alias]\nxtask = {alias}\n"))]);
    is_refused(
        &alias("\"nextest run\""),
        &[],
        "`.cargo/config.toml` has an alias `xtask` that runs no package: `nextest run`",
        "rename it",
    );
    is_refused(
        &alias("\"run -p tasks --\""),
        &[],
        "no package of the workspace is called or has `tasks`",
        "correct",
    );
    is_refused(&alias("\"run --manifest-path x/Cargo.toml\""), &[], "there is no `x/Cargo.toml`", "correct");
    is_refused(&alone(&[("xtask", "a file\n")]), &[], "`xtask` is there, but is no package", "move it");
    is_refused(
        &alone(&[("xtask/Cargo.toml", &package("xtask", "")), ("xtask/src/main.rs", "fn main() {}\n")]),
        &[],
        "`xtask/Cargo.toml` is there, but no member",
        "make it a member",
    );
    is_refused(
        &alone(&[("rust-toolchain", "1.70.0\n")]),
        &[],
        "rust-toolchain` pins Rust 1.70.0, and xtask-coverage needs 1.89 or later",
        "pin a later one",
    );
    is_refused(
        &alone(&[
            ("src/bin/tasks.rs", "fn main() {}\n"),
            (".cargo/config.toml", "alias.xtask = 'run --bin tasks --'\n"),
        ]),
        &[],
        "the tasks are in the package `alone`, for which xtask-coverage would be compiled",
        "a crate of their own",
    );
    is_refused(
        &alone(&[("rust-toolchain.toml", "toolchain = { channel = \"nightly-2024-05-01\" }\n")]),
        &[],
        "pins Rust nightly-2024-05-01",
        "pin a later one",
    );
    is_refused(
        &alone(&[(".cargo/config.toml", "profile = { dev = { debug = 1 } }\n")]),
        &[],
        "failed to change `.cargo/config.toml`: line 1: `profile` is written on one line",
        "as a table with a `[header]` of its own",
    );
    let vendored = "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n[build]\ntarget = \"x\"\n";
    let vendored = alone(&[(".cargo/config.toml", vendored), ("vendor/.keep", "")]);
    is_refused(&vendored, &[], "`build.target` is `x`", "then `cargo vendor`, and put it back");
    let above = committed(&[
        (".cargo/config.toml", "[alias]\nxtask = [\"run\", \"-p\", \"tasks\"]\n"),
        ("in/Cargo.toml", &package("alone", "")),
        ("in/src/lib.rs", LIB),
        IGNORE,
    ]);
    is_refused(&above, &["in"], "has an alias `xtask` as a list", "write it there as one text");
    // What git does not read may have changes.
    let broken = files(&[("Cargo.toml", &package("alone", "")), ("src/lib.rs", LIB), (".git", "no\n")]);
    is_refused(&broken, &[], "failed to see what is committed: git failed in", "");
    let odd = alone(&[(".cargo/config.toml", "[alias]\nb = \"no end\n")]);
    is_refused(&odd, &[], "config.toml", "");
    is_refused(&alone(&[]), &["no/such"], "there is no `no/such`", "name a directory");
    is_refused(&files(&[("README.md", "")]), &[], "could not find `Cargo.toml`", "");

    let dirty = alone(&[]);
    dirty.write("src/lib.rs", "");
    dirty.write("new.rs", "");
    is_refused(&dirty, &[], "changes that are not committed: `src/lib.rs` and 1 more", "`--allow-dirty`");
    init(&dirty, &["--allow-dirty", "--ci", "none"]).expect_success();

    // Cargo has the last word: there is nothing of that name where it may look.
    let unknown = alone(&[]);
    let before = contents(&unknown);
    let program = Program::ours(env!("CARGO_BIN_EXE_xtask-coverage")).current_dir(unknown.root());
    let url = format!("file://{}/nothing.git", unknown.root().display());
    program
        .args(["coverage", "init", "--offline", "--from-git", &url])
        .run()
        .expect_code(1)
        .expect_stderr("cargo cannot read the workspace with these changes, so they were taken back");
    assert_eq!(contents(&unknown), before);
    assert!(!unknown.root().join("xtask").exists() && !unknown.root().join(".cargo").exists());
}

#[cfg(unix)]
#[test]
fn files_that_are_not_ours_to_write() {
    let workspace = committed(&[
        ("Cargo.toml", &package("alone", "")),
        ("src/lib.rs", LIB),
        (".cargo/config.toml", "# read-only\n"),
        IGNORE,
    ]);
    let config = workspace.root().join(".cargo/config.toml");
    let mut permissions = fs::metadata(&config).expect("is there").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&config, permissions).expect("can be set");
    is_refused(
        &workspace,
        &[],
        ".cargo/config.toml` is read-only, and would have to be changed",
        "make it writable",
    );

    // A link within the repository is followed and stays; one that leads out of it is not.
    fs::remove_file(&config).expect("can be removed");
    workspace.write("tools/cargo.toml", "# linked\n");
    std::os::unix::fs::symlink("../tools/cargo.toml", &config).expect("can be linked");
    init(&workspace, &["--allow-dirty", "--ci", "none"]).expect_success();
    assert!(config.is_symlink());
    assert!(workspace.read("tools/cargo.toml").starts_with("# linked\n\n[alias]\nxtask = "));
    git(&workspace, &["reset", "-q", "--hard"]);
    git(&workspace, &["clean", "-q", "-d", "-f", "-x"]);
    fs::remove_file(&config).expect("can be removed");
    let elsewhere = workspace.beside("elsewhere").join("config.toml");
    fs::write(&elsewhere, "# theirs\n").expect("can be written");
    std::os::unix::fs::symlink(&elsewhere, &config).expect("can be linked");
    is_refused(&workspace, &["--allow-dirty"], "which is outside of the repository", "by hand");
    fs::remove_dir_all(workspace.root().join(".cargo")).expect("can be removed");
    std::os::unix::fs::symlink(workspace.beside("empty"), workspace.root().join(".cargo"))
        .expect("can be linked");
    is_refused(&workspace, &["--allow-dirty"], "which is outside of the repository", "by hand");
    assert_eq!(fs::read_to_string(&elsewhere).expect("is there"), "# theirs\n");
}
