//! What the build shares with ordinary builds, and what it leaves alone.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::support::env_dump::EnvDump;
use crate::support::program::{Finished, Program};
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{host, lcov, read_lcov, xtask};

/// The crates that cargo says it compiled.
pub(crate) fn compiled(finished: &Finished) -> Vec<String> {
    let name = |line: &str| Some(line.trim_start().strip_prefix("Compiling ")?.split(' ').next()?.to_owned());
    finished.stderr.lines().filter_map(name).collect()
}

/// A workspace whose member depends on a crate outside of it, which stands for a dependency from a registry.
pub(crate) fn with_dependency() -> Workspace {
    let workspace = Workspace::copy("only-bin");
    let dependency = workspace.beside("dependency");
    fs::create_dir_all(dependency.join("src")).expect("a directory");
    let manifest =
        "[package]\nname = \"dependency\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\n[workspace]\n";
    fs::write(dependency.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(dependency.join("src/lib.rs"), "pub fn one() -> u32 {\n    1\n}\n").expect("a source");
    let path = dependency.to_string_lossy().replace('\\', "/");
    let manifest = workspace.read("Cargo.toml");
    workspace
        .write("Cargo.toml", &format!("{manifest}\n[dependencies]\ndependency = {{ path = \"{path}\" }}\n"));
    // The lock file follows the manifest before anything is measured.
    workspace.cargo().args(["metadata", "--format-version=1"]).run().expect_success();
    workspace
}

#[test]
fn dependencies_are_compiled_once_and_members_once_for_each_kind_of_build() {
    let workspace = with_dependency();
    let plain = workspace.cargo().args(["test", "--no-run"]).run().expect_success();
    assert_eq!(compiled(&plain), ["dependency", "only-bin"]);
    let first = xtask(&workspace).arg("coverage").run().expect_success();
    assert_eq!(compiled(&first), ["only-bin"]);
    let second = xtask(&workspace).arg("coverage").run().expect_success();
    assert!(compiled(&second).is_empty(), "{}", second.stderr);
    let plain = workspace.cargo().args(["test", "--no-run"]).run().expect_success();
    assert!(compiled(&plain).is_empty(), "{}", plain.stderr);
}

#[test]
fn the_users_own_programs_are_never_instrumented() {
    let workspace = Workspace::copy("only-bin");
    workspace.cargo().arg("build").run().expect_success();
    xtask(&workspace).arg("coverage").run().expect_success();
    assert!(!has_map(&workspace, "target/debug/only-bin"));
    if cfg!(target_os = "linux") {
        assert!(has_map(&workspace, "target/coverage/build/debug/only-bin"));
    }
}

/// Whether a program, by its path from the root, has a coverage map in it.
pub(crate) fn has_map(workspace: &Workspace, path: &str) -> bool {
    let path = workspace.root().join(format!("{path}{}", std::env::consts::EXE_SUFFIX));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()));
    bytes.windows(13).any(|window| window == b"__llvm_covmap" || window == b"__llvm_covfun")
}

#[test]
fn an_edit_is_measured() {
    let workspace = Workspace::copy("only-bin");
    xtask(&workspace).arg("coverage").run().expect_success();
    let before = lcov(&workspace).file("src/answer.rs").lines.len();
    let source = workspace.read("src/answer.rs");
    workspace.write("src/answer.rs", &format!("{source}\npub fn never_called() -> u32 {{\n    7\n}}\n"));
    xtask(&workspace).arg("coverage").run().expect_success();
    assert_eq!(lcov(&workspace).file("src/answer.rs").lines.len(), before + 3);
}

/// What the processes of `env-dump` were started with, by their kind.
pub(crate) fn dumps(workspace: &Workspace, name: &str, run: impl FnOnce(&Path)) -> BTreeMap<String, EnvDump> {
    let directory = workspace.beside(name);
    run(&directory);
    let files = fs::read_dir(&directory)
        .expect("the directory is there")
        .map(|entry| entry.expect("an entry").path());
    let kind = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    files.map(|path| (kind(&path), EnvDump::read(&path))).collect()
}

#[test]
fn test_processes_start_as_under_cargo_test() {
    check_environments(&Workspace::copy("env-dump"), &[]);
}

#[test]
fn test_processes_for_a_named_target_start_as_under_cargo_test() {
    let host = host();
    check_environments(&Workspace::copy("env-dump"), &[("CARGO_BUILD_TARGET", OsStr::new(&host))]);
}

/// Runs the tests of `env-dump` under cargo and under us, both with these `variables` besides, and compares what the processes
/// were started with.
pub(crate) fn check_environments(workspace: &Workspace, variables: &[(&str, &OsStr)]) {
    let with_variables =
        |program: Program| variables.iter().fold(program, |program, (name, value)| program.env(name, value));
    let cargos = dumps(workspace, "cargo", |directory| {
        with_variables(workspace.cargo())
            .args(["test", "--tests", "--examples"])
            .env("ENV_DUMP_DIR", directory)
            .run()
            .expect_success();
    });
    let ours = dumps(workspace, "ours", |directory| {
        // Under `cargo xtask` this variable names the cargo that runs it, past rustup's proxy.
        with_variables(xtask(workspace))
            .env("CARGO", std::env::var_os("CARGO").expect("cargo runs this test"))
            .args(["coverage", "--tests", "--examples"])
            .env("ENV_DUMP_DIR", directory)
            .run()
            .expect_success();
    });
    assert!(cargos.len() >= 4, "{:?}", cargos.keys());
    assert_eq!(ours.keys().collect::<Vec<_>>(), cargos.keys().collect::<Vec<_>>());
    let mut findings = Vec::new();
    for (kind, cargos) in &cargos {
        let ours = &ours[kind];
        assert_eq!(ours.current_dir, cargos.current_dir, "{kind}");
        assert_eq!(ours.arguments[1..], cargos.arguments[1..], "{kind}");
        // Where the dumps go, where counts go, how many threads: the difference that is meant. Programs and libraries
        // lie in the instrumented build.
        let is_meant = |name: &str| {
            const MEANT: [&str; 4] =
                ["ENV_DUMP_DIR", "LLVM_PROFILE_FILE", "RUST_TEST_THREADS", "__LLVM_PROFILE_RT_INIT_ONCE"];
            MEANT.contains(&name)
        };
        // The output directory of the build script has a hash in its name, which is another one for each kind of build.
        let own_place = |text: &str| without_hashes(&text.replace("target/coverage/build/", "target/"));
        let mut cargos = cargos.clone();
        for value in cargos.variables.values_mut() {
            *value = without_hashes(value);
        }
        let mut moved = ours.clone();
        for value in moved.variables.values_mut() {
            *value = own_place(value);
        }
        findings
            .extend(cargos.differences(&moved, is_meant).into_iter().map(|line| format!("{kind}: {line}")));
        assert!(ours.variables.contains_key("LLVM_PROFILE_FILE"), "{kind}");
        assert!(ours.variables.contains_key("RUST_TEST_THREADS"), "{kind}");
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// The text with `HASH` for each run of 16 hexadecimal digits behind a dash.
pub(crate) fn without_hashes(text: &str) -> String {
    let mut parts = text.split('-');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        result.push('-');
        match part.get(..16).filter(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            Some(hash) => result.push_str(&format!("HASH{}", &part[hash.len()..])),
            None => result.push_str(part),
        }
    }
    result
}

#[test]
fn the_users_thread_variables_hold() {
    let workspace = Workspace::copy("env-dump");
    let seen = dumps(&workspace, "three", |directory| {
        xtask(&workspace)
            .args(["coverage", "--lib"])
            .env("ENV_DUMP_DIR", directory)
            .env("RUST_TEST_THREADS", "3")
            .run()
            .expect_success();
    });
    assert_eq!(seen["unit"].variables["RUST_TEST_THREADS"], "3");
    let seen = dumps(&workspace, "flag", |directory| {
        xtask(&workspace)
            .args(["coverage", "--lib", "--test-threads", "3"])
            .env("ENV_DUMP_DIR", directory)
            .run()
            .expect_success();
    });
    assert!(seen["unit"].arguments.iter().any(|argument| argument == "--test-threads=3"));
}

#[test]
fn clean_removes_what_was_made_and_nothing_else() {
    let workspace = with_dependency();
    workspace.cargo().args(["test", "--no-run"]).run().expect_success();
    let before: Vec<String> = target_files(&workspace);
    xtask(&workspace).arg("coverage").run().expect_success();
    assert!(target_files(&workspace).len() > before.len());
    xtask(&workspace).args(["coverage", "clean"]).run().expect_success();
    let after = target_files(&workspace);
    let lost: Vec<_> = before.iter().filter(|path| !after.contains(path)).collect();
    assert!(lost.is_empty(), "clean removed {lost:?}");
    let left: Vec<_> =
        after.iter().filter(|path| !before.contains(path) && !is_cargos_bookkeeping(path)).collect();
    assert!(left.is_empty(), "clean left {left:?}");
    let plain = workspace.cargo().args(["test", "--no-run"]).run().expect_success();
    assert!(compiled(&plain).is_empty(), "{}", plain.stderr);
}

/// What cargo itself keeps about a build directory, whoever builds in it.
pub(crate) fn is_cargos_bookkeeping(path: &str) -> bool {
    path.contains(".rustc_info.json") || path.ends_with(".cargo-lock") || path.ends_with("CACHEDIR.TAG")
}

/// Every file below the target directory.
pub(crate) fn target_files(workspace: &Workspace) -> Vec<String> {
    let mut files = Vec::new();
    let mut pending = vec![workspace.root().join("target")];
    while let Some(path) = pending.pop() {
        if path.is_dir() && !path.is_symlink() {
            pending
                .extend(fs::read_dir(&path).expect("listable").map(|entry| entry.expect("an entry").path()));
        } else {
            let relative = path.strip_prefix(workspace.root()).expect("below the root");
            files.push(relative.display().to_string().replace('\\', "/"));
        }
    }
    files.sort();
    files
}

#[test]
#[cfg(unix)]
fn a_checkout_that_was_moved() {
    let workspace = Workspace::copy("only-bin");
    xtask(&workspace).arg("coverage").run().expect_success();
    let moved = workspace.beside("moved").join("checkout");
    fs::rename(workspace.root(), &moved).expect("ours");
    xtask(&workspace).current_dir(&moved).arg("coverage").run().expect_success();
    check_lines(&read_lcov(&moved.join("target/coverage/lcov.info")), &moved, Exclusions::Default);
    // trybuild looks here for the features that a test was built with. Since cargo 1.100 they are elsewhere.
    let fingerprints = moved.join("target/debug/.fingerprint");
    if fingerprints.exists() {
        let link = fs::read_link(moved.join("target/coverage/build/debug/.fingerprint")).expect("a link");
        assert_eq!(link, fingerprints);
    }
    fs::rename(&moved, workspace.root()).expect("ours");
}
