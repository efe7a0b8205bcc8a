//! Toolchains, targets, wrappers, flags and directories that a user has chosen: they keep working, and the counts are the same.

use std::collections::BTreeSet;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};

use crate::build::{compiled, with_dependency};
use crate::counts::{check, check_with};
use crate::support::program::Program;
use crate::support::truth::{Exclusions, check_lines};
use crate::support::workspace::{Workspace, data};
use crate::{host, lcov, xtask};

#[test]
fn the_host_as_a_named_target() {
    let host = host();
    for name in ["clear-env", "libraries", "proc-macros"] {
        let workspace = Workspace::copy(name);
        check_with(&workspace, &["--target", &host]);
        let by_flag = lcov(&workspace);
        workspace.write(".cargo/config.toml", &format!("[build]\ntarget = \"{host}\"\n"));
        check(&workspace);
        assert_eq!(lcov(&workspace), by_flag);
        workspace.write(".cargo/config.toml", &format!("[build]\ntarget = [\"{host}\"]\n"));
        check(&workspace);
    }
    check_with(&Workspace::copy("build-scripts"), &["--include-build-script", "--target", &host]);
}

/// A compiler wrapper of the user's own, and the crates that it was called for since the last question.
struct CompilerWrapper {
    program: PathBuf,
}

impl CompilerWrapper {
    fn in_directory(directory: &Path, name: &str) -> CompilerWrapper {
        let program = directory.join(format!("{name}{EXE_SUFFIX}"));
        let source = data().join("compiler_wrapper.rs");
        Program::new("rustc").arg(source).arg("-o").arg(&program).run().expect_success();
        CompilerWrapper { program }
    }

    fn crates(&self) -> BTreeSet<String> {
        let log = self.program.with_extension("log");
        let Ok(text) = fs::read_to_string(&log) else { return BTreeSet::new() };
        fs::remove_file(&log).expect("ours");
        text.lines().map(str::to_owned).collect()
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Measures with a variable set, checks the counts, and that a second run compiles nothing.
fn check_with_variable(workspace: &Workspace, name: &str, value: impl AsRef<std::ffi::OsStr>) {
    let run = || xtask(workspace).arg("coverage").env(name, value.as_ref()).run().expect_success();
    let first = run();
    assert!(!compiled(&first).is_empty(), "{name}: {}", first.stderr);
    check_lines(&lcov(workspace), workspace.root(), Exclusions::Default);
    let second = run();
    assert!(compiled(&second).is_empty(), "{name}: {}", second.stderr);
    check_lines(&lcov(workspace), workspace.root(), Exclusions::Default);
}

#[test]
fn a_compiler_wrapper_sees_every_crate() {
    let workspace = with_dependency();
    let wrapper = CompilerWrapper::in_directory(&workspace.beside("tools"), "every");
    check_with_variable(&workspace, "RUSTC_WRAPPER", &wrapper.program);
    let all = names(&["dependency", "only_bin", "asks"]);
    assert_eq!(wrapper.crates(), all);

    let workspace = with_dependency();
    let wrapper = CompilerWrapper::in_directory(&workspace.beside("tools"), "every");
    let path = wrapper.program.to_string_lossy().replace('\\', "/");
    workspace.write(".cargo/config.toml", &format!("[build]\nrustc-wrapper = \"{path}\"\n"));
    check(&workspace);
    assert_eq!(wrapper.crates(), all);
}

#[test]
fn a_compiler_cache_leaves_macros_without_counts() {
    let workspace = Workspace::copy("proc-macros");
    let wrapper = CompilerWrapper::in_directory(&workspace.beside("tools"), "cache");
    let run = |cached: &str| {
        let run =
            xtask(&workspace).arg("coverage").env("RUSTC_WRAPPER", &wrapper.program).env("CACHED", cached);
        run.run().expect_success()
    };
    run("app").expect_stderr(
        "1 libraries came from a compiler cache, `app` for one, so that macros in them did not run; their counts are missing \
         [cached-library]",
    );
    xtask(&workspace).args(["coverage", "clean"]).run().expect_success();
    fs::remove_dir_all(workspace.root().join("target")).expect("ours");
    assert!(!run("").stderr.contains("[cached-library]"));
}

#[test]
fn a_workspace_wrapper_is_called_for_members() {
    let workspace = with_dependency();
    let members = names(&["only_bin", "asks"]);
    let tools = workspace.beside("tools");
    let by_variable = CompilerWrapper::in_directory(&tools, "by-variable");
    check_with_variable(&workspace, "RUSTC_WORKSPACE_WRAPPER", &by_variable.program);
    assert_eq!(by_variable.crates(), members);

    // In a file, relative to the directory that holds `.cargo`; with a wrapper for all crates around it.
    let in_file = CompilerWrapper::in_directory(&workspace.beside("tools"), "in-file");
    let around = CompilerWrapper::in_directory(&workspace.beside("tools"), "around");
    let path = format!("../beside tools/in-file{EXE_SUFFIX}");
    workspace.write(".cargo/config.toml", &format!("[build]\nrustc-workspace-wrapper = \"{path}\"\n"));
    check_with_variable(&workspace, "RUSTC_WRAPPER", &around.program);
    assert_eq!(in_file.crates(), members);
    assert!(around.crates().is_superset(&members));
    // The variable goes before the file, as in cargo. That build is there already.
    let again = xtask(&workspace)
        .arg("coverage")
        .env("RUSTC_WORKSPACE_WRAPPER", &by_variable.program)
        .run()
        .expect_success();
    assert!(compiled(&again).is_empty(), "{}", again.stderr);
    assert_eq!(in_file.crates(), BTreeSet::new());
}

#[test]
fn flags_that_the_users_build_depends_on() {
    let lost = Workspace::copy("flags");
    xtask(&lost).arg("coverage").run().expect_code(101).expect_stderr("the user's flags are lost");
    check_with_variable(&Workspace::copy("flags"), "RUSTFLAGS", "--cfg wanted");
    check_with_variable(&Workspace::copy("flags"), "CARGO_ENCODED_RUSTFLAGS", "--cfg\u{1f}wanted");
    let flags = "rustflags = [\"--cfg\", \"wanted\"]";
    for table in ["build".to_owned(), format!("target.{}", host()), "target.'cfg(all())'".to_owned()] {
        let workspace = Workspace::copy("flags");
        workspace.write(".cargo/config.toml", &format!("[{table}]\n{flags}\n"));
        check(&workspace);
    }
    let workspace = Workspace::copy("flags");
    check_with(&workspace, &["--target", &host(), "--config", &format!("build.{flags}")]);
}

#[test]
fn sources_that_the_users_flags_call_by_another_path() {
    let workspace = Workspace::copy("flags");
    let root = workspace.root().to_str().expect("UTF-8").to_owned();
    let above = workspace.root().parent().expect("a directory").to_str().expect("UTF-8");
    // Hidden behind a name of the user's, made relative as `trim-paths` does, cut off, a part of it, one above it.
    let app = format!("{root}/app=/a");
    let remaps =
        [format!("{root}=/build"), format!("{root}=."), format!("{root}="), app, format!("{above}=~")];
    for remap in remaps {
        let flags = format!("--cfg\u{1f}wanted\u{1f}--remap-path-prefix\u{1f}{remap}");
        xtask(&workspace).arg("coverage").env("CARGO_ENCODED_RUSTFLAGS", flags).run().expect_success();
        check_lines(&lcov(&workspace), workspace.root(), Exclusions::Default);
        let annotated = xtask(&workspace).args(["coverage", "report", "--text"]).run().expect_success();
        assert!(annotated.stdout.contains("app/src/lib.rs: 3 of 3 lines"), "{remap}: {}", annotated.stdout);
    }
}

#[test]
fn directories_that_the_user_has_chosen() {
    let measured = |workspace: &Workspace, target_dir: &Path| {
        let report = target_dir.join("coverage/lcov.info");
        check_lines(&crate::read_lcov(&report), workspace.root(), Exclusions::Default);
        let again = xtask(workspace).args(["coverage", "report"]);
        let is_default = target_dir == workspace.root().join("target");
        assert!(is_default || !workspace.root().join("target").exists());
        again
    };
    let workspace = Workspace::copy("only-bin");
    let elsewhere = workspace.beside("elsewhere");
    let run = |workspace: &Workspace| xtask(workspace).arg("coverage");
    run(&workspace).env("CARGO_TARGET_DIR", &elsewhere).run().expect_success();
    measured(&workspace, &elsewhere).env("CARGO_TARGET_DIR", &elsewhere).run().expect_success();

    // A relative one starts from where cargo is called, in a file from the directory that holds `.cargo`.
    let workspace = Workspace::copy("only-bin");
    run(&workspace)
        .current_dir(workspace.root().join("src"))
        .env("CARGO_TARGET_DIR", "../out")
        .run()
        .expect_success();
    measured(&workspace, &workspace.root().join("out")).env("CARGO_TARGET_DIR", "out").run().expect_success();

    let workspace = Workspace::copy("only-bin");
    workspace.write(".cargo/config.toml", "[build]\ntarget-dir = \"out/put\"\n");
    run(&workspace).run().expect_success();
    measured(&workspace, &workspace.root().join("out/put")).run().expect_success();
    // The flag goes before both.
    run(&workspace).args(["--target-dir", "by flag"]).env("CARGO_TARGET_DIR", "out").run().expect_success();
    measured(&workspace, &workspace.root().join("by flag"))
        .args(["--target-dir", "by flag"])
        .run()
        .expect_success();
}

/// A compiler that claims another sysroot, which has the standard library of `target_triple` without the profiler runtime.
#[cfg(unix)]
fn compiler_without_profiler(workspace: &Workspace, target_triple: &str) -> PathBuf {
    let sysroot = workspace.beside("sysroot");
    let libdir = sysroot.join("lib/rustlib").join(target_triple).join("lib");
    fs::create_dir_all(&libdir).expect("writable");
    fs::write(libdir.join("libstd-0123456789abcdef.rlib"), "").expect("writable");
    let program = workspace.beside("tools").join("rustc");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in '--print sysroot') echo '{}' ;; *) exec rustc \"$@\" ;; esac\n",
        sysroot.display()
    );
    fs::write(&program, script).expect("writable");
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, permissions).expect("ours");
    program
}

#[test]
#[cfg(unix)]
fn a_target_that_cannot_be_measured() {
    let workspace = Workspace::copy("only-bin");
    let triple = "wasm32-unknown-unknown";
    let rustc = compiler_without_profiler(&workspace, triple);
    let run = |triple: &str| {
        xtask(&workspace).args(["coverage", "--target", triple]).env("RUSTC", &rustc).run().expect_code(1)
    };
    let without_runtime = run(triple);
    let error = without_runtime.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(error.contains("has no profiler runtime for `wasm32-unknown-unknown`"), "{error}");
    assert!(error.contains("use a toolchain from rustup"), "{error}");
    run("aarch64-unknown-none").expect_stderr("`rustup target add aarch64-unknown-none` installs it");
    // As cargo's configuration has it.
    workspace.write(".cargo/config.toml", &format!("[build]\ntarget = \"{triple}\"\n"));
    let configured = xtask(&workspace).arg("coverage").env("RUSTC", &rustc).run().expect_code(1);
    configured.expect_stderr("has no profiler runtime for `wasm32-unknown-unknown`");
    assert!(!workspace.root().join("target/debug").exists(), "it is known before anything is built");
}
