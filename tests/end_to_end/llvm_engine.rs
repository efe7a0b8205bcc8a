//! `--engine llvm` with stand-ins for LLVM's tools, which say what they were told and what they are made to say. That the real ones
//! agree with us is seen by `cargo xtask verify`, which needs them.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::program::Program;
use crate::support::workspace::Workspace;
use crate::{read_lcov, xtask};

/// The major version of rustc's LLVM.
fn llvm_major() -> String {
    let version = Program::new("rustc").arg("-vV").run().expect_success();
    let llvm = version.stdout.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    llvm.expect("rustc is built on LLVM").split('.').next().expect("a number").to_owned()
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\nset -eu\n{text}")).expect("writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
}

/// Two tools of this version. `llvm-profdata` warns of one profile; `llvm-cov` exports two files of the workspace, whatever it is
/// told to leave out. Both write down their arguments.
fn stand_ins(workspace: &Workspace, version: &str) -> (PathBuf, PathBuf) {
    let dir = workspace.beside("tools");
    let (profdata, cov) = (dir.join("profdata"), dir.join("cov"));
    let says = format!(
        "if [ \"$1\" = --version ]; then echo \"LLVM version {version}\"; exit 0; fi\nprintf '%s\\n' \"$@\" >\"$0.arguments\"\n"
    );
    script(
        &profdata,
        &format!(
            "{says}echo 'warning: torn.profraw: truncated profile data' >&2\n\
             while [ $# -gt 1 ]; do case $1 in -o) echo merged >\"$2\";; -f) cat \"$2\" >\"$0.profiles\";; esac; shift; done\n"
        ),
    );
    script(&cov, &format!("{says}echo 'warning: 3 functions have mismatched data' >&2\ncat \"$0.json\"\n"));
    let summary = [
        ("branches", 0, 0),
        ("functions", 1, 1),
        ("instantiations", 1, 1),
        ("lines", 1, 2),
        ("mcdc", 0, 0),
        ("regions", 1, 2),
    ]
    .map(|(name, covered, count)| format!(r#""{name}":{{"count":{count},"covered":{covered},"percent":0}}"#))
    .join(",");
    let file = |path: &str| {
        let path = workspace.root().join(path);
        format!(
            r#"{{"branches":[],"expansions":[],"filename":"{}","mcdc_records":[],
            "segments":[[1,1,7,true,true,false],[1,9,0,false,false,false],[2,1,0,true,true,false],[2,12,0,false,false,false]],"summary":{{{summary}}}}}"#,
            path.display()
        )
    };
    let json = format!(
        r#"{{"data":[{{"files":[{},{}],"functions":[{{"branches":[],"count":7,"filenames":["{}"],"mcdc_records":[],"name":"main",
        "regions":[[1,1,2,12,7,0,0,0]]}}],"totals":{{{summary}}}}}],"type":"llvm.coverage.json.export","version":"9.9.9"}}"#,
        file("src/main.rs"),
        file("tests/asks.rs"),
        workspace.root().join("src/main.rs").display()
    );
    fs::write(dir.join("cov.json"), json.replace("9.9.9", "3.1.0")).expect("writable");
    (profdata, cov)
}

#[test]
fn reports_are_made_of_what_the_tools_say() {
    let workspace = Workspace::copy("only-bin");
    let (profdata, cov) = stand_ins(&workspace, &format!("{}.1.2", llvm_major()));
    workspace.write("a,b.profraw", "");
    let output = workspace.beside("output");
    let finished = xtask(&workspace)
        .args([
            "coverage",
            "report",
            "--engine",
            "llvm",
            "--object",
            "Cargo.toml",
            "--profraw",
            "a,b.profraw",
        ])
        .args(["--lcov", "--cobertura", "--codecov", "--markdown", "--text", "--json", "--output-dir"])
        .arg(&output)
        .env("LLVM_PROFDATA", &profdata)
        .env("LLVM_COV", &cov)
        .run()
        .expect_success()
        .expect_stderr("warning: llvm-profdata merge: torn.profraw: truncated profile data")
        .expect_stderr("[unreadable-profile]")
        .expect_stderr("warning: llvm-cov export: 3 functions have mismatched data")
        .expect_stderr("[llvm-cov]");
    // A path with a comma would be a weight and a path.
    let told = |name: &str| fs::read_to_string(workspace.beside("tools").join(name)).expect("was called");
    assert_eq!(told("profdata.profiles"), "1,a,b.profraw\n");
    let arguments = told("cov.arguments");
    let tests = format!("-ignore-filename-regex=^{}/(.*/)?tests", workspace.root().display());
    assert!(arguments.lines().any(|argument| argument.starts_with(&tests)), "{arguments}");
    assert!(arguments.lines().any(|argument| argument == "Cargo.toml"), "{arguments}");
    // The stand-in does not leave out what it was told; we do.
    let lcov = read_lcov(&output.join("lcov.info"));
    let main = workspace.root().join("src/main.rs");
    assert_eq!(lcov.paths(), [main.to_str().expect("UTF-8")]);
    assert!(finished.stdout.contains("50.00%"), "{}", finished.stdout);
    for report in ["cobertura.xml", "codecov.json", "summary.md", "coverage.txt", "coverage.json"] {
        let text = fs::read_to_string(output.join(report)).expect(report);
        assert!(text.contains("main.rs") && !text.contains("asks.rs"), "{report}: {text}");
    }
}

#[test]
fn tools_of_another_version_are_refused_before_anything_is_built() {
    let workspace = Workspace::copy("only-bin");
    let (profdata, cov) = stand_ins(&workspace, "3.1.4");
    let major = llvm_major();
    let finished = xtask(&workspace)
        .args(["coverage", "--engine", "llvm"])
        .env("LLVM_PROFDATA", profdata)
        .env("LLVM_COV", cov)
        .run()
        .expect_code(1)
        .expect_stderr(&format!(
            "is of LLVM 3, but rustc is built on LLVM {major}; `rustup component add llvm-tools`"
        ))
        .expect_stderr(&format!("`apt-get install llvm-{major}`"));
    assert!(!finished.stderr.contains("Building"), "{}", finished.stderr);
}

#[test]
fn a_format_that_is_newer_than_this_program_names_the_way_out() {
    let workspace = Workspace::copy("only-bin");
    let finished = xtask(&workspace).args(["coverage", "--no-report"]).run().expect_success();
    assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
    // Little-endian magic and version 99.
    let mut profile = b"\x81rforpl\xff".to_vec();
    profile.extend_from_slice(&99_u64.to_le_bytes());
    fs::write(workspace.root().join("new.profraw"), profile).expect("writable");
    let binary = workspace.root().join("target/coverage/build/debug/only-bin");
    xtask(&workspace)
        .args(["coverage", "report", "--profraw", "new.profraw", "--object"])
        .arg(binary)
        .run()
        .expect_code(1)
        .expect_stderr("unsupported raw profile version 99 (this build reads 8 to 10)")
        .expect_stderr("let LLVM's own tools read it: `--engine llvm`");
}
