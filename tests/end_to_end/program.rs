//! `coverage run`: a program that is started by hand, as `cargo run` starts it.

use std::path::{Path, PathBuf};

use xtask_coverage::cargo::environment::DYLIB_PATH;

use crate::build::{compiled, dumps, without_hashes};
use crate::support::program::{Finished, Program};
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::Workspace;
use crate::{lcov, xtask};

fn run(workspace: &Workspace, arguments: &[&str]) -> Finished {
    xtask(workspace).args(["coverage", "run"]).args(arguments).run()
}

/// The count of a line of `src/main.rs`, told by what it begins with.
fn count(workspace: &Workspace, begin: &str) -> Option<u64> {
    let source = workspace.read("src/main.rs");
    let position = source.lines().position(|line| line.trim_start().starts_with(begin)).expect("such a line");
    let line = u32::try_from(position + 1).expect("a short file");
    lcov(workspace).file("src/main.rs").lines.get(&line).copied()
}

#[test]
fn tests_and_a_program_count_together() {
    let workspace = Workspace::copy("harness");
    let before = workspace.files();
    xtask(&workspace).args(["coverage", "--no-report"]).run().expect_success();
    run(&workspace, &["--no-clean", "--", "greet", "you"]).expect_success();
    check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
    assert_eq!(workspace.files(), before, "left in the tree");

    // Without the flag, the program alone; twice and once more with it.
    run(&workspace, &["--", "greet", "you"]).expect_success();
    assert_eq!(count(&workspace, "\"greet\""), Some(1));
    let again = run(&workspace, &["--no-clean", "--", "greet", "you"]).expect_success();
    assert!(compiled(&again).is_empty(), "{}", again.stderr);
    assert_eq!(count(&workspace, "\"greet\""), Some(2));
    run(&workspace, &["--no-clean", "--no-continuous", "--", "greet", "you"]).expect_success();
    assert_eq!(count(&workspace, "\"greet\""), Some(3));
}

#[test]
fn standard_streams_belong_to_the_program() {
    let workspace = Workspace::copy("harness");
    let finished = xtask(&workspace)
        .args(["coverage", "run", "--lcov", "--", "echo"])
        .input("said\nto it")
        .run()
        .expect_success();
    assert_eq!(finished.stdout, "said\nto it");
    assert!(finished.stderr.contains("TOTAL"), "{}", finished.stderr);
    assert_eq!(count(&workspace, "print!"), Some(1));

    let asked = run(&workspace, &["--lcov", "--output-path", "-", "--", "greet"]).expect_success();
    assert!(asked.stdout.starts_with("hello\nSF:src/lib.rs"), "{}", asked.stdout);
    assert!(asked.stdout.ends_with("end_of_record\n"), "{}", asked.stdout);
}

#[test]
fn a_program_that_fails_is_reported_on() {
    let workspace = Workspace::copy("harness");
    let failed = run(&workspace, &["--", "exit", "3"]).expect_code(100);
    let error = failed.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(error.ends_with("harness` failed (exit status: 3)") || cfg!(windows), "{error}");
    assert_eq!(count(&workspace, "\"exit\""), Some(1));
    run(&workspace, &["--ignore-run-fail", "--", "exit", "3"]).expect_success();
    let below = run(&workspace, &["--fail-under-lines", "99", "--", "greet"]).expect_code(2);
    assert!(below.stderr.contains("is below the threshold 99%"), "{}", below.stderr);
}

#[test]
fn the_program_is_chosen_as_by_cargo_run() {
    let workspace = Workspace::copy("harness");
    assert_eq!(run(&workspace, &["--bin", "other"]).expect_success().stdout, "hello, other\n");
    assert_eq!(lcov(&workspace).paths(), ["src/bin/other.rs", "src/lib.rs"]);
    assert_eq!(run(&workspace, &["--example", "demo"]).expect_success().stdout, "hello\n");
    assert_eq!(
        run(&workspace, &["-F", "loud", "--", "greet", "you"]).expect_success().stdout,
        "hello, YOU\n"
    );

    workspace.replace("Cargo.toml", "default-run = \"harness\"\n", "");
    let ambiguous = run(&workspace, &[]).expect_code(101);
    assert!(ambiguous.stderr.contains("available binaries: harness, other"), "{}", ambiguous.stderr);
    workspace.replace("src/lib.rs", "pub fn greet", "pub fun greet");
    let broken = run(&workspace, &["--bin", "other"]).expect_code(101);
    assert!(broken.stderr.contains("pub fun greet"), "{}", broken.stderr);
    assert!(broken.stderr.ends_with("error: the build failed (exit status: 101)\n"), "{}", broken.stderr);

    // Nobody means the task runner.
    let workspace = Workspace::copy("xtask-member");
    workspace.write("app/src/main.rs", "fn main() {\n    println!(\"app\");\n}\n");
    assert_eq!(run(&workspace, &[]).expect_success().stdout, "app\n");
}

#[test]
fn warnings_are_printed_once() {
    let workspace = Workspace::copy("harness");
    workspace.write("src/bin/other.rs", "fn main() {\n    let unused = 1;\n}\n");
    for _ in 0..2 {
        let finished = run(&workspace, &["--bin", "other"]).expect_success();
        assert_eq!(finished.stderr.matches("unused variable: `unused`").count(), 1, "{}", finished.stderr);
    }
}

#[test]
fn a_program_starts_as_under_cargo_run() {
    let workspace = Workspace::copy("env-dump");
    let directory = workspace.root().join("pkg/src");
    let arguments = ["--bin", "env-dump", "--", "an argument", "--help"];
    let cargos = dumps(&workspace, "cargo", |dumps| {
        let program = workspace.cargo().arg("run").args(arguments).current_dir(&directory);
        program.env("ENV_DUMP_DIR", dumps).run().expect_success();
    });
    let ours = dumps(&workspace, "ours", |dumps| {
        let program = xtask(&workspace).args(["coverage", "run"]).args(arguments).current_dir(&directory);
        // Under `cargo xtask` this variable names the cargo that runs it, past rustup's proxy.
        let program = program.env("CARGO", std::env::var_os("CARGO").expect("cargo runs this test"));
        program.env("ENV_DUMP_DIR", dumps).run().expect_success();
    });
    let (mut cargos, mut ours) = (cargos["bin"].clone(), ours["bin"].clone());
    assert_eq!(ours.arguments[1..], cargos.arguments[1..]);
    assert_eq!(Path::new(&ours.current_dir), directory);
    assert_eq!(ours.current_dir, cargos.current_dir);
    assert!(ours.variables.contains_key("LLVM_PROFILE_FILE"));
    for value in cargos.variables.values_mut() {
        *value = without_hashes(value);
    }
    for value in ours.variables.values_mut() {
        *value = without_hashes(&value.replace("target/coverage/build/", "target/"));
    }
    // A directory of native libraries comes behind cargo's own ones.
    for dump in [&mut cargos, &mut ours] {
        let path = dump.variables.get_mut(DYLIB_PATH).expect("cargo sets it");
        let mut entries: Vec<PathBuf> = std::env::split_paths(path).collect();
        assert_eq!(entries.iter().filter(|entry| entry.ends_with("out")).count(), 1, "{path}");
        entries.sort();
        *path = std::env::join_paths(entries).expect("they were joined").into_string().expect("is text");
    }
    let is_meant =
        |name: &str| ["ENV_DUMP_DIR", "LLVM_PROFILE_FILE", "__LLVM_PROFILE_RT_INIT_ONCE"].contains(&name);
    let differences = cargos.differences(&ours, is_meant);
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// The user's own runner starts the program.
#[test]
#[cfg(target_os = "linux")]
fn a_target_runner_is_kept() {
    let workspace = Workspace::copy("harness");
    workspace.write(
        ".cargo/config.toml",
        "[target.'cfg(unix)']\nrunner = [\"/bin/sh\", \"-c\", \"echo through it; exec \\\"$@\\\"\", \"sh\"]\n",
    );
    assert_eq!(run(&workspace, &["--", "greet"]).expect_success().stdout, "through it\nhello\n");
    assert_eq!(count(&workspace, "\"greet\""), Some(1));
}

/// Told nothing, the program leaves its profile where it runs.
#[test]
#[cfg(unix)]
fn a_program_that_loses_its_environment_counts() {
    let workspace = Workspace::copy("harness");
    workspace.write(
        ".cargo/config.toml",
        "[target.'cfg(unix)']\nrunner = [\"/bin/sh\", \"-c\", \"exec env -i \\\"$@\\\"\", \"sh\"]\n",
    );
    let before = workspace.files();
    run(&workspace, &["--", "greet"]).expect_success();
    assert_eq!(count(&workspace, "\"greet\""), Some(1));
    run(&workspace, &["--no-clean", "--", "greet"]).expect_success();
    assert_eq!(count(&workspace, "\"greet\""), Some(2));
    assert_eq!(workspace.files(), before, "left in the tree");
    let report = ["coverage", "report", "--lcov", "--output-path", "target/coverage/lcov.info"];
    xtask(&workspace).args(report).run().expect_success();
    assert_eq!(count(&workspace, "\"greet\""), Some(2));
}

/// Runs a program that waits for ever, in the background of a shell, and does something about it.
#[cfg(target_os = "linux")]
fn interrupted(workspace: &Workspace, what: &str) -> Finished {
    let script = format!(
        "trap : INT
        \"$XTASK\" coverage run -- wait >out.txt &
        xtask=$!
        until grep -q ready out.txt 2>/dev/null; do sleep 0.01; done
        {what}
        # The first one may end because of the signal.
        wait $xtask || wait $xtask"
    );
    Program::new("/bin/sh")
        .args(["-c", &script])
        .env("XTASK", env!("CARGO_BIN_EXE_xtask-coverage"))
        .current_dir(workspace.root())
        .run()
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_ends_the_program_but_not_the_report() {
    let workspace = Workspace::copy("harness");
    // As a terminal does: to the whole group.
    let finished = interrupted(&workspace, "kill -s INT 0").expect_code(100);
    assert!(finished.stderr.contains("harness` failed (signal: 2 (SIGINT))"), "{}", finished.stderr);
    assert!(finished.stderr.contains("TOTAL"), "{}", finished.stderr);
    assert_eq!(count(&workspace, "println!(\"ready"), Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn a_request_to_end_is_passed_on() {
    let workspace = Workspace::copy("harness");
    let finished = interrupted(&workspace, "kill $xtask").expect_code(100);
    assert!(finished.stderr.contains("harness` failed (signal: 15 (SIGTERM))"), "{}", finished.stderr);
    assert_eq!(count(&workspace, "println!(\"ready"), Some(1));
}

/// What is known is written down before the program starts.
#[test]
#[cfg(target_os = "linux")]
fn a_report_on_a_program_whose_run_was_killed() {
    let workspace = Workspace::copy("harness");
    let finished = interrupted(&workspace, "kill -s KILL $xtask $(sed 's/ready //' out.txt)");
    assert!(!finished.stderr.contains("TOTAL"), "{}", finished.stderr);
    xtask(&workspace)
        .args(["coverage", "report", "--lcov", "--output-path", "target/coverage/lcov.info"])
        .run()
        .expect_success();
    assert_eq!(count(&workspace, "println!(\"ready"), Some(1));
}
