//! What was done to break the program: each is a row of `src/faults.md`, which names the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::program::{Finished, Program};
use crate::support::workspace::Workspace;
use crate::{lcov, read_lcov, xtask};

/// A workspace that was measured.
fn measured() -> Workspace {
    let workspace = Workspace::copy("only-bin");
    xtask(&workspace).arg("coverage").run().expect_success();
    workspace
}

/// What a bare run of `only-bin` prints under `-q --total`.
const TOTAL: &str = "TOTAL 13 of 13 lines 100.00%\n";

fn total(workspace: &Workspace) -> Program {
    xtask(workspace).args(["coverage", "-q", "--total"])
}

/// Another report on the last run.
fn report(workspace: &Workspace, arguments: &[&str]) -> Finished {
    xtask(workspace).args(["coverage", "report"]).args(arguments).run()
}

/// That a command fails with exit code 1, says so in one line that holds `error`, and what helps, if `help` is not empty.
#[track_caller]
fn refused(finished: Finished, error: &str, help: &str) {
    let finished = finished.expect_code(1);
    let stderr = &finished.stderr;
    // Cargo may have been ended within a line.
    let errors: Vec<&str> = stderr.lines().filter(|line| line.contains("error: ")).collect();
    assert!(errors.len() == 1 && errors[0].contains(error), "`{error}` in {errors:?}\n{stderr}");
    assert!(
        help.is_empty() || stderr.lines().any(|it| it.starts_with("help: ") && it.contains(help)),
        "{stderr}"
    );
    assert!(!stderr.contains("panicked"), "{stderr}");
}

fn run_json(workspace: &Workspace) -> PathBuf {
    workspace.root().join("target/coverage/run.json")
}

fn record(workspace: &Workspace) -> Value {
    serde_json::from_slice(&fs::read(run_json(workspace)).expect("a record")).expect("JSON")
}

/// The objects of the last run, then its profiles.
fn recorded(workspace: &Workspace) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let record = record(workspace);
    let paths = |key: &str| {
        let paths = record[key].as_array().expect("a list").iter();
        paths.map(|path| path.as_str().expect("a path").into()).collect()
    };
    (paths("objects"), paths("profiles"))
}

fn warnings_in(json: &str) -> Value {
    let json: Value = serde_json::from_str(json).expect("JSON");
    json["warnings"].clone()
}

/// The files in the directory of reports, without directories.
fn outputs(workspace: &Workspace) -> Vec<String> {
    let entries = fs::read_dir(workspace.root().join("target/coverage")).expect("a directory");
    let files = entries.map(|entry| entry.expect("an entry")).filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_warning_is_counted_and_can_be_denied() {
    let workspace = measured();
    let json = |arguments: &[&str]| report(&workspace, &[&["--json"], arguments].concat());
    assert_eq!(warnings_in(&json(&["--deny-warnings"]).expect_success().stdout), serde_json::json!({}));
    assert_eq!(record(&workspace)["warnings"], serde_json::json!({}));

    let (_, profiles) = recorded(&workspace);
    fs::write(&profiles[0], b"no profile").expect("ours");
    fs::write(&profiles[1], b"").expect("ours");
    let expected = serde_json::json!({"empty-profile": 1, "unreadable-profile": 1});
    assert_eq!(warnings_in(&json(&[]).expect_success().stdout), expected);
    assert_eq!(warnings_in(&json(&["--summary-only"]).expect_success().stdout), expected);
    let denied = json(&["--deny-warnings"]).expect_code(1);
    assert_eq!(warnings_in(&denied.stdout), expected, "reports are written all the same");
    denied.expect_stderr(
        "error: there were warnings, and `--deny-warnings` allows none: 1 empty-profile, 1 unreadable-profile\n",
    );
    // LLVM's own format has no such key.
    let llvm: Value =
        serde_json::from_str(&json(&["--model", "llvm"]).expect_success().stdout).expect("JSON");
    assert!(llvm.get("warnings").is_none() && llvm.get("version").is_some());

    // From the environment, and from the manifest, over which the environment holds.
    let variable =
        |value| xtask(&workspace).args(["coverage", "report"]).env("COVERAGE_DENY_WARNINGS", value).run();
    variable("1").expect_code(1);
    let manifest = workspace.read("Cargo.toml");
    workspace
        .write("Cargo.toml", &format!("{manifest}\n[workspace.metadata.coverage]\ndeny-warnings = true\n"));
    report(&workspace, &[]).expect_code(1).expect_stderr("`--deny-warnings` allows none");
    variable("0").expect_success();

    // A baseline of numbers that are not good enough is none.
    report(&workspace, &["--save-baseline", "baseline"]).expect_code(1).expect_stderr("[baseline-not-saved]");
    assert!(!workspace.root().join("baseline").exists());
}

#[test]
fn a_run_keeps_its_warnings_for_later_reports() {
    let workspace = Workspace::copy("no-profile");
    let run = xtask(&workspace).args(["coverage", "--no-fail-fast"]).run().expect_code(1);
    run.expect_stderr("no raw profile was written by test binary `no-profile::leaves_none`");
    assert_eq!(record(&workspace)["warnings"], serde_json::json!({"missing-profile": 1}));
    let later = report(&workspace, &["--json"]).expect_success();
    assert_eq!(warnings_in(&later.stdout), serde_json::json!({"missing-profile": 1}));
    later.expect_stderr("warning: the run that is reported on warned of this once [missing-profile]");
    report(&workspace, &["--deny-warnings"]).expect_code(1);
}

#[test]
fn a_thousand_damaged_profiles_are_told_in_a_few_lines() {
    let workspace = measured();
    let (objects, profiles) = recorded(&workspace);
    let directory = workspace.beside("profiles");
    for number in 0..1000 {
        fs::write(directory.join(format!("{number}.profraw")), b"no profile").expect("ours");
    }
    fs::copy(&profiles[0], directory.join("good.profraw")).expect("ours");
    let mut program = xtask(&workspace).args(["coverage", "report", "--json", "--profraw"]).arg(&directory);
    for object in objects {
        program = program.arg("--object").arg(object);
    }
    let finished = program.run().expect_success();
    assert_eq!(warnings_in(&finished.stdout), serde_json::json!({"unreadable-profile": 1000}));
    assert_eq!(finished.stderr.matches("[unreadable-profile]").count(), 11, "{}", finished.stderr);
    finished.expect_stderr("warning: the same is so of 990 more [unreadable-profile]");
}

/// Our program as a child that can be killed, with the arguments of a bare run.
fn start(workspace: &Workspace) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-coverage"));
    command.arg("coverage").current_dir(workspace.root());
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| {
        ["CARGO_HOME", "HOME", "PATH", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"]
            .iter()
            .any(|kept| name == kept)
    }));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("starts")
}

#[test]
#[cfg(unix)]
fn killed_at_any_moment() {
    let workspace = measured();
    let path = workspace.root().join("target/coverage/lcov.info");
    let expected = fs::read(&path).expect("a report");
    // Half of the kills fall into a build, the others into tests and reports.
    for delay in [0, 10, 30, 60, 100, 150, 220, 300, 400, 600] {
        if delay % 20 == 0 {
            fs::File::open(workspace.root().join("src/main.rs"))
                .and_then(|file| file.set_modified(SystemTime::now()))
                .expect("ours");
        }
        let mut child = start(&workspace);
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().expect("ours");
        child.wait().expect("ours");
        // Old and new are the same here, so anything else is a part.
        assert_eq!(fs::read(&path).expect("an old report"), expected, "killed after {delay} ms");
        // What it had started may still be at work; the next run waits for it.
        let next = total(&workspace).run().expect_success();
        assert_eq!(next.stdout, TOTAL, "after a kill after {delay} ms: {}", next.stderr);
        assert_eq!(fs::read(&path).expect("a report"), expected);
    }
}

#[test]
fn what_a_killed_writer_leaves_is_removed() {
    let workspace = measured();
    for name in ["lcov.info.4711.tmp", "run.json.4711.tmp", "mine.4711.tmp"] {
        workspace.write(&format!("target/coverage/{name}"), "half of");
    }
    xtask(&workspace).arg("coverage").run().expect_success();
    assert_eq!(outputs(&workspace), ["durations.json", "lcov.info", "lock", "mine.4711.tmp", "run.json"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_does_not_fit_leaves_the_old_one() {
    let workspace = measured();
    let path = workspace.beside("reports").join("coverage.json");
    fs::write(&path, "the old one").expect("ours");
    let write = |limit: &str| {
        // What exceeds the limit fails, as on a full disk, if the signal is ignored.
        let script = format!(
            "trap '' XFSZ; ulimit -f {limit}; exec \"$0\" coverage report --json --output-path \"$1\""
        );
        let program = Program::new("/bin/sh").args(["-c", &script, env!("CARGO_BIN_EXE_xtask-coverage")]);
        program.arg(&path).current_dir(workspace.root()).run()
    };
    refused(write("1"), "coverage.json`: File too large", "");
    assert_eq!(fs::read_to_string(&path).expect("there"), "the old one");
    assert_eq!(fs::read_dir(path.parent().expect("has one")).expect("there").count(), 1, "nothing beside it");
    write("unlimited").expect_success();
    assert_ne!(fs::read_to_string(&path).expect("there"), "the old one");

    // A device that is always full, for a report by name, on standard output, and for messages.
    refused(
        report(&workspace, &["--lcov", "--output-path", "/dev/full"]),
        "`/dev/full`: No space left",
        "make room",
    );
    let script = |redirected: &str| {
        let script = format!("exec \"$0\" coverage report --lcov {redirected}");
        let program = Program::new("/bin/sh").args(["-c", &script, env!("CARGO_BIN_EXE_xtask-coverage")]);
        program.current_dir(workspace.root()).run()
    };
    refused(script(">/dev/full"), "failed to write to standard output: No space left", "");
    script("2>/dev/full").expect_success().expect_stdout("end_of_record");
}

#[test]
#[cfg(unix)]
fn something_else_stands_where_we_write() {
    let workspace = measured();
    let target = workspace.root().join("target");
    let coverage = target.join("coverage");
    let elsewhere = workspace.beside("elsewhere");
    for name in ["raw", "wrapper", "units", "durations.json", "incremental", "lcov.info", "run.json", "lock"]
    {
        let path = coverage.join(name);
        if path.is_dir() {
            fs::remove_dir_all(&path).expect("ours");
            fs::write(&path, "a file").expect("ours");
        } else {
            drop(fs::remove_file(&path));
            fs::create_dir_all(path.join("a directory")).expect("ours");
        }
        let finished = xtask(&workspace).arg("coverage").run();
        match name {
            // Kept for speed alone.
            "durations.json" | "incremental" => drop(finished.expect_success()),
            _ => refused(finished, &path.to_string_lossy(), ""),
        }
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.expect("ours");
        assert_eq!(total(&workspace).run().expect_success().stdout, TOTAL, "after `{name}`");
    }
    // The directory itself.
    fs::rename(&coverage, elsewhere.join("kept")).expect("ours");
    fs::write(&coverage, "a file").expect("ours");
    refused(total(&workspace).run(), "failed to create", "remove that");
    fs::remove_file(&coverage).expect("ours");
    std::os::unix::fs::symlink("/no/such/directory", &coverage).expect("ours");
    refused(total(&workspace).run(), "failed to create", "a link to nothing");
}

#[test]
#[cfg(unix)]
fn a_target_directory_behind_a_link_on_another_file_system() {
    // Memory is another file system than the disk, where there is one.
    let workspace = Workspace::copy("only-bin");
    let memory = Path::new("/dev/shm");
    let place = match memory.is_dir() {
        true => memory.join(workspace.root().parent().and_then(Path::file_name).expect("has a name")),
        false => workspace.beside("memory"),
    };
    fs::create_dir_all(place.join("coverage")).expect("ours");
    fs::create_dir(workspace.root().join("target")).expect("ours");
    let link = workspace.root().join("target/coverage");
    std::os::unix::fs::symlink(place.join("coverage"), &link).expect("ours");
    assert_eq!(total(&workspace).run().expect_success().stdout, TOTAL);
    assert_eq!(report(&workspace, &["--total"]).expect_success().stdout, TOTAL);
    xtask(&workspace).args(["coverage", "clean"]).run().expect_success();
    assert!(link.is_symlink(), "the link is the user's");
    assert_eq!(
        fs::read_dir(place.join("coverage")).expect("still there").count(),
        0,
        "what is behind it is ours"
    );
    assert_eq!(
        total(&workspace).args(["--target-dir".as_ref(), place.as_os_str()]).run().expect_success().stdout,
        TOTAL
    );

    // The workspace itself behind a link.
    let behind = workspace.beside("links").join("here");
    std::os::unix::fs::symlink(workspace.root(), &behind).expect("ours");
    let run =
        |arguments: &[&str]| xtask(&workspace).current_dir(&behind).args(arguments).run().expect_success();
    run(&["coverage"]);
    assert!(run(&["coverage", "report", "--lcov"]).stdout.contains("\nSF:src/main.rs\n"));
    assert_eq!(lcov(&workspace).paths().into_iter().collect::<Vec<_>>(), ["src/answer.rs", "src/main.rs"]);
    fs::remove_dir_all(&place).expect("ours");
}

#[test]
#[cfg(unix)]
fn without_a_home_directory() {
    let workspace = Workspace::copy("only-bin");
    assert_eq!(total(&workspace).env_remove("HOME").run().expect_success().stdout, TOTAL);
    let report = xtask(&workspace).args(["coverage", "report", "--total"]).env_remove("HOME").run();
    assert_eq!(report.expect_success().stdout, TOTAL);
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_are_not_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let odd = |text: &'static [u8]| OsStr::from_bytes(text);
    let workspace = measured();
    let (objects, profiles) = recorded(&workspace);
    let beside = workspace.beside("odd");
    let directory = beside.join(odd(b"pro\xfffiles")).join(odd(b"\xc3"));
    fs::create_dir_all(&directory).expect("ours");
    for (number, profile) in profiles.iter().enumerate() {
        let name = [&b"\xe9"[..], number.to_string().as_bytes(), b".profraw"].concat();
        fs::copy(profile, directory.join(OsStr::from_bytes(&name))).expect("ours");
    }
    let mut program = xtask(&workspace).args(["coverage", "report", "--lcov", "--profraw"]);
    program = program.arg(beside.join(odd(b"pro\xfffiles")));
    for (number, object) in objects.iter().enumerate() {
        let name = [&b"\xff"[..], number.to_string().as_bytes()].concat();
        let copy = beside.join(OsStr::from_bytes(&name));
        fs::copy(object, &copy).expect("ours");
        program = program.arg("--object").arg(copy);
    }
    let output = beside.join(odd(b"out\xff")).join(odd(b"\xfe.info"));
    program.arg("--output-path").arg(&output).run().expect_success();
    assert_eq!(read_lcov(&output).paths(), lcov(&workspace).paths());

    // Such names in the source tree are nobody's business, and cargo passes over such a test.
    fs::create_dir(workspace.root().join("src").join(odd(b"\xff"))).expect("ours");
    fs::write(workspace.root().join("tests").join(odd(b"\xff.rs")), "no Rust").expect("ours");
    assert_eq!(total(&workspace).run().expect_success().stdout, TOTAL);
    // Cargo works in no directory with such a name, and says so.
    let target = beside.join(odd(b"target\xff"));
    refused(total(&workspace).arg("--target-dir").arg(target).run(), "invalid UTF-8", "");
}

#[test]
#[cfg(unix)]
fn a_clock_that_jumps() {
    let workspace = measured();
    let day = Duration::from_secs(24 * 60 * 60);
    let set = |time: SystemTime| {
        for path in glob::glob(&format!("{}/**/*", workspace.root().display())).expect("a pattern") {
            let path = path.expect("an entry");
            // A link leads to this very program.
            if path.is_file() && !path.is_symlink() {
                let file = fs::File::options().append(true).open(&path).expect("ours");
                file.set_modified(time).expect("ours");
            }
        }
    };
    for time in
        [SystemTime::now() + 40_000 * day, SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH - 20_000 * day]
    {
        set(time);
        assert_eq!(report(&workspace, &["--total"]).expect_success().stdout, TOTAL);
        assert_eq!(total(&workspace).run().expect_success().stdout, TOTAL);
    }
}

/// Our report on these files alone, in a process that may have a gigabyte of memory and as many addresses.
#[cfg(target_os = "linux")]
fn in_little_memory(workspace: &Workspace, object: &Path, profiles: &Path, output: &Path) -> Finished {
    let script = "ulimit -v 1000000; exec \"$0\" coverage report --lcov --object \"$1\" --profraw \"$2\" --output-path \"$3\"";
    let program = Program::new("/bin/sh").args(["-c", script, env!("CARGO_BIN_EXE_xtask-coverage")]);
    program.args([object, profiles, output]).current_dir(workspace.root()).run()
}

/// The counts of the lines of `src/answer.rs`.
#[cfg(target_os = "linux")]
fn counts(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).expect("a report");
    let answer = text.split("end_of_record").find(|it| it.contains("SF:src/answer.rs")).expect("counts");
    let counts = answer.lines().filter_map(|line| line.strip_prefix("DA:")?.split_once(','));
    counts.map(|(_, count)| count.parse().expect("a number")).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_profiles_and_two_gigabytes_of_program() {
    let workspace = measured();
    let (objects, profiles) = recorded(&workspace);
    let beside = workspace.beside("large");
    let output = beside.join("lcov.info");
    let unit_tests = |path: &&PathBuf| path.parent().is_some_and(|it| it.ends_with("only-bin.bin.only-bin"));
    let profile = profiles.iter().find(unit_tests).expect("that of the unit tests");
    // Which of the objects it is of, shows when it is read.
    let object = objects
        .iter()
        .find(|object| in_little_memory(&workspace, object, profile, &output).code() == Some(0))
        .expect("one of them");
    let once = counts(&output);
    assert!(once.contains(&1) && once.contains(&0), "{once:?}");

    let many = beside.join("many");
    fs::create_dir(&many).expect("ours");
    for number in 0..10_000 {
        fs::hard_link(profile, many.join(format!("{number}.profraw")))
            .or_else(|_| fs::copy(profile, many.join(format!("{number}.profraw"))).map(drop))
            .expect("ours");
    }
    in_little_memory(&workspace, object, &many, &output).expect_success();
    assert_eq!(counts(&output), once.iter().map(|count| count * 10_000).collect::<Vec<_>>());

    // Most of it is nothing: it takes no room on the disk.
    let large = beside.join("program");
    fs::copy(object, &large).expect("ours");
    fs::File::options().append(true).open(&large).and_then(|file| file.set_len(2 << 30)).expect("ours");
    in_little_memory(&workspace, &large, profile, &output).expect_success();
    assert_eq!(counts(&output), once);
}

#[test]
#[cfg(unix)]
fn what_is_no_file_among_objects_and_profiles() {
    let workspace = measured();
    let (objects, profiles) = recorded(&workspace);
    let beside = workspace.beside("odd");
    let pipe = beside.join("pipe.profraw");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo").success());
    let [directory, dangling, endless] = ["directory", "dangling", "endless"].map(|name| beside.join(name));
    fs::create_dir(&directory).expect("ours");
    std::os::unix::fs::symlink("nowhere", &dangling).expect("ours");
    std::os::unix::fs::symlink("/dev/zero", &endless).expect("ours");
    let good = |mut program: Program| {
        for object in &objects {
            program = program.arg("--object").arg(object);
        }
        for profile in &profiles {
            program = program.arg("--profraw").arg(profile);
        }
        program.run()
    };
    let start =
        || xtask(&workspace).args(["coverage", "report", "--total"]).deadline(Duration::from_secs(60));
    for odd in [&pipe, &directory, &dangling, &endless] {
        let beside_good = good(start().arg("--object").arg(odd)).expect_success();
        assert_eq!(beside_good.stdout, TOTAL);
        beside_good.expect_stderr("[unreadable-object]");
        let alone = start().arg("--object").arg(odd).arg("--profraw").arg(&profiles[0]).run();
        refused(alone, "failed to read object", "");
        if odd != &directory {
            let beside_good = good(start().arg("--profraw").arg(odd)).expect_success();
            assert_eq!(beside_good.stdout, TOTAL);
            beside_good.expect_stderr("[unreadable-profile]");
        }
    }
    refused(good(start().arg("--profraw").arg(&directory)), "no `.profraw` file in", "LLVM_PROFILE_FILE");
}

#[test]
#[cfg(unix)]
fn a_record_that_is_damaged_or_lies() {
    let workspace = measured();
    let path = run_json(&workspace);
    let original = fs::read(&path).expect("a record");
    let again = "run `cargo xtask coverage` again";
    let report = || {
        let program = xtask(&workspace).args(["coverage", "report", "--total"]);
        program.deadline(Duration::from_secs(60)).run()
    };
    for length in [0, 1, original.len() / 2, original.len() - 3] {
        fs::write(&path, &original[..length]).expect("ours");
        refused(report(), again, "");
    }
    fs::write(&path, "[".repeat(1_000_000)).expect("ours");
    refused(report(), again, "");
    let with = |key: &str, value: Value| {
        let mut record: Value = serde_json::from_slice(&original).expect("JSON");
        record[key] = value;
        fs::write(&path, record.to_string()).expect("ours");
        report()
    };
    refused(with("warnings", serde_json::json!({"a": -1})), again, "");
    refused(with("objects", serde_json::json!(["/dev/zero"])), "not a regular file", "");
    refused(with("objects", serde_json::json!(["a\0b"])), "NUL", "");
    refused(with("profiles", serde_json::json!(["/dev/zero"])), "not a regular file", "");
    refused(with("workspace_root", serde_json::json!("/")), "was of the workspace in `/`", "");
    let mut manifests = record_of(&original)["manifests"].clone();
    manifests[0]["path"] = "/dev/zero".into();
    // A manifest that is another now is read again, by cargo.
    assert_eq!(with("manifests", manifests).expect_success().stdout, TOTAL);
    // Records of older versions have no warnings.
    let mut record = record_of(&original);
    record.as_object_mut().expect("an object").remove("warnings");
    fs::write(&path, record.to_string()).expect("ours");
    assert_eq!(report().expect_success().stdout, TOTAL);
}

#[cfg(unix)]
fn record_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// Does to the directory that holds its own counts what the variable `HOW` says.
#[cfg(unix)]
const RUDE: &str = r#"
use std::path::Path;
use std::process::Command;

#[test]
fn asks() {
    let coverage = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/coverage");
    let own = coverage.join("raw/only-bin.asks");
    match std::env::var("HOW").unwrap().as_str() {
        "coverage" => std::fs::remove_dir_all(&coverage).unwrap(),
        "target" => std::fs::remove_dir_all(coverage.parent().unwrap()).unwrap(),
        "file" => {
            std::fs::remove_dir_all(&own).unwrap();
            std::fs::write(&own, "no directory").unwrap();
        }
        "garbage" => {
            for entry in std::fs::read_dir(&own).unwrap() {
                std::fs::write(entry.unwrap().path(), "no profile").unwrap();
            }
        }
        "lock" => std::fs::remove_file(coverage.join("lock")).unwrap(),
        "nothing" => {}
        how => panic!("{how}"),
    }
    drop(Command::new(env!("CARGO_BIN_EXE_only-bin")).arg("why").output());
}
"#;

#[test]
#[cfg(unix)]
fn tests_that_remove_what_we_write() {
    let workspace = Workspace::copy("only-bin");
    workspace.write("tests/asks.rs", RUDE);
    let run = |how: &str| total(&workspace).env("HOW", how).run();
    let undisturbed = run("nothing").expect_success().stdout;
    for how in ["coverage", "target", "file"] {
        refused(run(how), "no raw profile was written by test binary", "remove its profiles");
        assert_eq!(run("nothing").expect_success().stdout, undisturbed, "after `{how}`");
    }
    run("garbage").expect_success().expect_stderr("[unreadable-profile]");
    run("lock").expect_success();
    assert_eq!(run("nothing").expect_success().stdout, undisturbed);
}

#[test]
fn two_runs_at_once() {
    let workspace = measured();
    let ran: Vec<Finished> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| total(&workspace).run())).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    for run in ran {
        assert_eq!(run.expect_success().stdout, TOTAL);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_map_that_claims_any_file() {
    let workspace = Workspace::empty("claims");
    let secret = workspace.beside("elsewhere").join("secret.rs");
    fs::write(&secret, "1\nthe secret\n").expect("ours");
    let secret = secret.to_string_lossy().into_owned();
    let up = format!("{}{secret}", "../".repeat(20));
    let claims = [
        secret.as_str(),
        up.as_str(),
        "/dev/zero",
        "/",
        "",
        "::error::a.rs",
        "b.rs\nend_of_record\nSF:c.rs",
        "</source>\u{1}\u{1b}[2J\u{202e}<script>&\"'|`.rs",
    ];
    let mut rustc = Program::new("rustc").current_dir(workspace.root());
    rustc = rustc.args(["-C", "instrument-coverage", "--edition", "2024", "main.rs", "-o", "program"]);
    let mut main = String::new();
    for (index, claim) in claims.iter().enumerate() {
        workspace.write(&format!("m{index}.rs"), "pub fn ran() {}\npub fn never() {}\n");
        main.push_str(&format!("mod m{index};\n"));
        rustc = rustc.arg("--remap-path-prefix").arg(format!("m{index}.rs={claim}"));
    }
    let calls: Vec<String> = (0..claims.len()).map(|index| format!("m{index}::ran();")).collect();
    workspace.write("main.rs", &format!("{main}fn main() {{ {} }}\n", calls.join(" ")));
    rustc.run().expect_success();
    let program = workspace.root().join("program");
    Program::new(&program)
        .env("LLVM_PROFILE_FILE", workspace.root().join("it.profraw"))
        .run()
        .expect_success();

    let directory = workspace.beside("reports").join("all");
    let before = workspace.files();
    let report = |arguments: &[&str]| {
        let base = ["coverage", "report", "--object", "program", "--profraw", "it.profraw"];
        let program = xtask(&workspace).args(base).args(arguments);
        program.deadline(Duration::from_secs(60)).run().expect_success()
    };
    let all = |arguments: &[&str]| {
        let formats = [
            "--lcov",
            "--json",
            "--text",
            "--cobertura",
            "--codecov",
            "--markdown",
            "--badge",
            "--badge-svg",
            "--output-dir",
        ];
        let directory = directory.to_string_lossy().into_owned();
        let told = report(&[&formats[..], &[&*directory], arguments].concat());
        let mut written: Vec<String> = fs::read_dir(&directory)
            .expect("reports")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        written.sort();
        let names = [
            "badge.json",
            "badge.svg",
            "cobertura.xml",
            "codecov.json",
            "coverage.json",
            "coverage.txt",
            "lcov.info",
            "summary.md",
        ];
        assert_eq!(written, names);
        let read = |name: &str| fs::read_to_string(Path::new(&directory).join(name)).expect("a report");
        for name in ["badge.json", "codecov.json", "coverage.json"] {
            serde_json::from_str::<Value>(&read(name)).expect("JSON");
        }
        for name in ["badge.svg", "cobertura.xml"] {
            roxmltree::Document::parse(&read(name)).expect("XML");
        }
        let harmful = |text: &str| text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        for text in [&told.stdout, &told.stderr, &read("summary.md"), &read("coverage.txt")] {
            assert!(!harmful(text), "{text}");
        }
        let lcov = read_lcov(&Path::new(&directory).join("lcov.info"));
        let paths: Vec<String> = lcov.paths().into_iter().map(|path| path.to_string()).collect();
        (read("coverage.txt"), paths)
    };

    // What lies outside does not count, so it is neither named nor shown.
    let (text, paths) = all(&[]);
    let within: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert!(within.iter().all(|path| !path.starts_with('/') && !path.contains("..")), "{within:?}");
    assert!(within.contains(&"main.rs") && within.contains(&"b.rs end_of_record SF:c.rs"), "{within:?}");
    assert!(!text.contains("the secret"));
    // Who counts it, sees it; what is no file is not read.
    let (text, paths) = all(&["--no-default-exclude"]);
    assert!(text.contains("the secret") && paths.contains(&secret), "{paths:?}");
    assert!(text.contains("/dev/zero: 1 of 2 lines\n     |       |(the source is not there)\n"));
    assert_eq!(workspace.files(), before, "nothing is written anywhere else");

    // GitHub takes a line that begins with two colons for a command.
    let github = report(&["--ci", "github", "--show-missing-lines"]);
    let is_command = |line: &&str| line.trim_start().starts_with("::");
    let commands: Vec<&str> = github.stdout.lines().chain(github.stderr.lines()).filter(is_command).collect();
    let known = ["::group::", "::endgroup::", "::warning file="];
    assert!(commands.iter().all(|it| known.iter().any(|known| it.starts_with(known))), "{commands:?}");
    assert!(github.stdout.contains("\n./::error::a.rs "), "{}", github.stdout);
}

#[test]
#[cfg(unix)]
fn nothing_in_the_workspace_is_run_for_its_name() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = Workspace::copy("only-bin");
    let names = [
        "cargo",
        "rustc",
        "rustdoc",
        "cc",
        "git",
        "sh",
        "ps",
        "kill",
        "llvm-cov",
        "llvm-profdata",
        "cargo-nextest",
    ];
    for name in names {
        workspace.write(name, "#!/bin/sh\ntouch was-run\nexit 1\n");
        let path = workspace.root().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    assert_eq!(total(&workspace).run().expect_success().stdout, TOTAL);
    // Whether these find what they need is not the question.
    for arguments in
        [&["coverage", "--patch"][..], &["coverage", "--nextest"], &["coverage", "report"], &["verify"]]
    {
        drop(xtask(&workspace).args(arguments).run());
    }
    xtask(&workspace).args(["coverage", "run", "--", "why"]).run().expect_success();
    let mark = workspace.root().join("was-run");
    assert!(!mark.exists());
    Program::new(workspace.root().join("ps")).current_dir(workspace.root()).run().expect_code(1);
    assert!(mark.exists(), "whoever runs one of them leaves a mark");
}

#[test]
fn the_list_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a file of this repository");
    let list = read("src/faults.md");
    let own = read("tests/end_to_end/faults.rs");
    let rows: Vec<&str> =
        list.lines().filter(|line| line.starts_with("| ") && !line.contains("| test |")).collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    let mut named = Vec::new();
    for row in rows {
        let last = row.trim_end_matches('|').rsplit(" | ").next().expect("a column").trim();
        let (file, test) =
            last.split_once(": ").map_or(("faults.rs", last), |(file, test)| (file.trim_matches('`'), test));
        if last == "by hand" {
            continue;
        }
        let test = test.trim_matches('`');
        let code = read(&format!("tests/end_to_end/{file}"));
        assert!(code.contains(&format!("fn {test}() {{")), "no test `{test}` in `{file}`: {row}");
        named.push(test.to_owned());
    }
    let tests = own.split("#[test]\n").skip(1).filter_map(|it| it.split_once("fn ")?.1.split_once('('));
    let missing: Vec<&str> =
        tests.map(|(name, _)| name).filter(|name| !named.iter().any(|it| it == name)).collect();
    // The first belongs to a workspace.
    assert_eq!(missing, ["asks", "the_list_names_tests_that_there_are"]);
}
