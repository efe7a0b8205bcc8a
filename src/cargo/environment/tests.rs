//! Environments for cargo and for tests, from made-up ones.

use super::{DYLIB_PATH, Environment, TestProcess, Variables, Version, test_variables};
use crate::cargo::message::BuildScript;
use crate::cargo::workspace::tests::{metadata, workspace};
use serde_json::json;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

fn scrub(variables: &[(&str, &str)]) -> Environment {
    Environment::scrub(variables.iter().map(|(name, value)| (name.into(), value.into())))
}

fn joined(entries: &[&str]) -> OsString {
    env::join_paths(entries).expect("no separators")
}

#[test]
fn what_cargo_run_adds_goes_and_the_rest_stays() {
    let rows = [
        ("CARGO", false),
        ("CARGO_MANIFEST_DIR", false),
        ("CARGO_MANIFEST_PATH", false),
        ("CARGO_PKG_NAME", false),
        ("CARGO_PKG_VERSION_PRE", false),
        ("CARGO_BIN_EXE_my-app", false),
        ("CARGO_BIN_NAME", false),
        ("CARGO_CRATE_NAME", false),
        ("CARGO_PRIMARY_PACKAGE", false),
        ("CARGO_TARGET_TMPDIR", false),
        ("OUT_DIR", false),
        ("__LLVM_PROFILE_RT_INIT_ONCE", false),
        ("CARGO_HOME", true),
        ("CARGO_TARGET_DIR", true),
        ("CARGO_BUILD_JOBS", true),
        ("CARGO_TERM_COLOR", true),
        ("CARGO_PROFILE_DEV_DEBUG", true),
        ("RUSTFLAGS", true),
        ("RUSTUP_TOOLCHAIN", true),
        ("RUST_RECURSION_COUNT", true),
        ("RUST_BACKTRACE", true),
        ("PATH", true),
        ("MY_CARGO", true),
    ];
    let variables: Vec<(&str, &str)> = rows.iter().map(|(name, _)| (*name, "x")).collect();
    let environment = scrub(&variables);
    for (name, stays) in rows {
        assert_eq!(environment.get(name).is_some(), stays, "{name}");
    }
    assert_eq!(environment.cargo(), "x");
    let outer = environment.started_by().expect("cargo started it");
    assert_eq!((outer.dir.as_path(), outer.name.as_str()), (Path::new("x"), "x"));
}

#[test]
fn a_process_that_cargo_did_not_start_keeps_its_own() {
    let path = joined(&["/w/target/debug", "/s/lib/rustlib/t/lib"]);
    let environment =
        Environment::scrub([(DYLIB_PATH.into(), path.clone()), ("OUT_DIR".into(), "/o".into())]);
    assert_eq!(environment.get(DYLIB_PATH), Some(path.as_os_str()));
    assert_eq!(environment.get("OUT_DIR"), Some(OsStr::new("/o")));
    assert_eq!(environment.cargo(), "cargo");
    assert_eq!(environment.started_by(), None);
}

#[test]
fn cargo_s_part_of_the_library_path_goes() {
    let rows: [(&[&str], Option<&[&str]>); 5] = [
        (&["/w/target/debug", "/w/target/debug/deps", "/s/lib/rustlib/t/lib"], None),
        (&["/w/target/debug", "/s/lib/rustlib/t/lib", "/s/lib", "/opt/x"], Some(&["/s/lib", "/opt/x"])),
        // The user's own entry of the same kind stays.
        (&["/d", "/s/lib/rustlib/t/lib", "/s/lib/rustlib/t/lib"], Some(&["/s/lib/rustlib/t/lib"])),
        (&["/opt/x", "/opt/rustlib/lib"], Some(&["/opt/x", "/opt/rustlib/lib"])),
        (&["/opt/x"], Some(&["/opt/x"])),
    ];
    for (before, after) in rows {
        let environment = Environment::scrub([
            ("CARGO_MANIFEST_DIR".into(), "/w/xtask".into()),
            ("CARGO_PKG_NAME".into(), "xtask".into()),
            (DYLIB_PATH.into(), joined(before)),
        ]);
        assert_eq!(environment.get(DYLIB_PATH).map(OsStr::to_owned), after.map(joined), "{before:?}");
    }
}

#[test]
fn versions_are_split_as_cargo_does() {
    let rows = [
        ("1.2.3", ["1", "2", "3", ""]),
        ("0.10.0-alpha.1", ["0", "10", "0", "alpha.1"]),
        ("1.2.3-a-b+c-d.4", ["1", "2", "3", "a-b"]),
        ("1.2.3+b-1", ["1", "2", "3", ""]),
    ];
    for (version, expected) in rows {
        let parts = Version::split(version);
        assert_eq!([parts.major, parts.minor, parts.patch, parts.pre], expected, "{version}");
    }
}

fn text<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(OsStr::new(name)).and_then(|value| value.to_str())
}

#[test]
fn a_test_process_gets_what_cargo_test_sets() {
    let user = [("HOME", "/home/u"), ("FORCED", "user"), ("CARGO_PKG_NAME", "outer"), (DYLIB_PATH, "/opt/x")];
    let workspace = workspace(&metadata(&[("app", json!([]))]), &user);
    let script = BuildScript {
        package_id: String::new(),
        linked_paths: Vec::new(),
        env: vec![("FROM_SCRIPT".to_owned(), "1".to_owned()), ("FORCED".to_owned(), "script".to_owned())],
        out_dir: PathBuf::from("/o"),
    };
    let pairs =
        [("FORCED", "config"), ("PLAIN", "config"), ("CARGO_PKG_NAME", "config"), (DYLIB_PATH, "config")];
    let configured: Variables = pairs.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let front = [PathBuf::from("/b/debug/deps"), PathBuf::from("/s/lib")];
    let mut process = TestProcess {
        cargo: OsStr::new("/bin/cargo"),
        build_script: Some(&script),
        programs: &[("my-app".to_owned(), PathBuf::from("/t/my-app"))],
        library_path: &front,
        configured: &configured,
    };
    let variables =
        test_variables(&workspace.environment, &workspace.members[0], &process).expect("no separators");
    let library_path = joined(&["/b/debug/deps", "/s/lib", "/opt/x"]);
    let rows = [
        ("HOME", Some("/home/u")),
        ("CARGO", Some("/bin/cargo")),
        ("CARGO_MANIFEST_DIR", Some("/w/app")),
        ("CARGO_PKG_NAME", Some("app")),
        ("CARGO_PKG_VERSION", Some("1.2.3-beta.1+build.5")),
        ("CARGO_PKG_VERSION_MAJOR", Some("1")),
        ("CARGO_PKG_VERSION_PRE", Some("beta.1")),
        ("CARGO_PKG_AUTHORS", Some("A <a@example.org>:B")),
        ("CARGO_PKG_DESCRIPTION", Some("")),
        ("CARGO_PKG_LICENSE_FILE", Some("")),
        ("CARGO_PKG_RUST_VERSION", Some("")),
        ("CARGO_PKG_README", Some("README.md")),
        ("CARGO_BIN_EXE_my-app", Some("/t/my-app")),
        ("OUT_DIR", Some("/o")),
        ("FROM_SCRIPT", Some("1")),
        // Cargo has set it for the process, so `[env]` does not.
        ("FORCED", Some("script")),
        ("PLAIN", Some("config")),
        (DYLIB_PATH, library_path.to_str()),
        ("CARGO_CRATE_NAME", None),
        ("CARGO_TARGET_TMPDIR", None),
    ];
    for (name, expected) in rows {
        assert_eq!(text(&variables, name), expected, "{name}");
    }
    let manifest_path = variables.get(OsStr::new("CARGO_MANIFEST_PATH")).map(PathBuf::from);
    assert_eq!(manifest_path, Some(Path::new("/w/app").join("Cargo.toml")));

    process.build_script = None;
    process.programs = &[];
    let variables =
        test_variables(&workspace.environment, &workspace.members[0], &process).expect("no separators");
    assert_eq!(text(&variables, "OUT_DIR"), None);
    assert_eq!(text(&variables, "CARGO_BIN_EXE_my-app"), None);
    assert_eq!(text(&variables, "FORCED"), Some("config"));
}
