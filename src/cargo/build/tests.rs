//! What cargo's messages become: test binaries, objects, identities.

use super::outputs::Outputs;
use super::place::Place;
use super::{Event, binary_id};
use crate::cargo::environment::DYLIB_PATH;
use crate::cargo::invocation::{BuildDir, BuildOptions};
use crate::cargo::workspace::CargoTarget;
use crate::cargo::workspace::tests::{metadata, target, workspace};
use crate::cargo::wrapper::{Instrumentation, Wrapper};
use serde_json::{Value, json};
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

#[test]
fn ids_of_binaries() {
    let rows = [
        ("lib", "my-lib", "app"),
        ("proc-macro", "m", "app"),
        ("test", "it", "app::it"),
        ("bin", "tool", "app::bin/tool"),
        ("example", "demo", "app::example/demo"),
        ("bench", "speed", "app::bench/speed"),
    ];
    for (kind, name, expected) in rows {
        let target = CargoTarget::parse(&target(kind, name)).expect("complete");
        assert_eq!(binary_id("app", &target), expected);
    }
}

#[test]
fn places_of_programs() {
    let rows = [
        ("/b/debug/deps/it-1", "debug", None, true),
        ("/b/debug/examples/demo-1", "debug", None, true),
        ("/b/triple/release/deps/it-1", "triple/release", Some("triple"), true),
        ("/b/debug/build/app/0123/out/it-0123", "debug", None, false),
        ("/b/triple/fast/build/app/0123/out/it", "triple/fast", Some("triple"), false),
        ("/own/debug/app", "debug", None, true),
    ];
    for (executable, profile_dir, triple, in_deps) in rows {
        let place = Place::of(Path::new(executable), &[Path::new("/own"), Path::new("/b")]);
        let expected = Place {
            profile_dir: PathBuf::from(profile_dir),
            target_triple: triple.map(str::to_owned),
            in_deps,
        };
        assert_eq!(place, expected, "{executable}");
    }
}

/// A message about a unit of the package `package`.
fn artifact(package: &str, target: &Value, test: bool, files: &[&str], executable: Option<&str>) -> String {
    json!({
        "reason": "compiler-artifact", "package_id": format!("path+file:///w/{package}#0.1.0"),
        "manifest_path": format!("/w/{package}/Cargo.toml"), "target": target, "profile": {"test": test},
        "features": [], "filenames": files, "executable": executable, "fresh": test,
    })
    .to_string()
}

/// What a whole build comes to, from the lines of cargo's stdout.
#[test]
fn a_stream_of_messages() {
    let (lib, mac) = (target("lib", "app"), target("proc-macro", "mac"));
    let (bin, hidden, it) = (target("bin", "tool"), target("bin", "hidden"), target("test", "it"));
    let script = target("custom-build", "build-script-build");
    let data = metadata(&[("mac", json!([mac])), ("app", json!([lib, bin, hidden, it, script]))]);
    let scratch = env::temp_dir().join(format!("xtask-coverage-stream-{}", std::process::id()));
    let mut workspace = workspace(&data, &[("CARGO", "/bin/cargo"), (DYLIB_PATH, "/opt/x")]);
    workspace.target_dir = scratch.clone();
    let layout = workspace.layout();
    let own = layout.build();
    let tool = own.join("debug/tool");
    let run = json!({"reason": "build-script-executed", "package_id": "path+file:///w/app#0.1.0", "cfgs": [],
        "linked_paths": ["native=/b/debug/build/app-1/out", "/usr/lib"], "env": [["A", "1"]], "linked_libs": [],
        "out_dir": "/b/debug/build/app-1/out"});
    let lines = [
        artifact("app", &script, false, &["/b/debug/build/app-0/build-script-build"], None),
        "warning: from somewhere".to_owned(),
        run.to_string(),
        artifact("mac", &mac, false, &["/b/debug/deps/libmac-1.so"], None),
        artifact("app", &it, true, &["/b/debug/deps/it-4"], Some("/b/debug/deps/it-4")),
        artifact("app", &lib, false, &["/b/debug/deps/libapp-2.rlib", "/b/debug/deps/libapp-2.rmeta"], None),
        artifact("other", &lib, false, &["/b/debug/deps/libother-3.rlib"], None),
        artifact("app", &bin, false, &[tool.to_str().expect("text")], tool.to_str()),
        artifact("app", &lib, true, &["/b/debug/deps/app-5"], Some("/b/debug/deps/app-5")),
        r#"{"reason":"from-the-future"}"#.to_owned(),
        r#"{"reason":"build-finished","success":true}"#.to_owned(),
    ]
    .join("\n");

    let wrapper = Wrapper::for_tests(layout.wrapper("0"));
    let build_dir = BuildDir::Shared(PathBuf::from("/b"));
    let options = BuildOptions::default();
    let mut outputs = Outputs::new(&workspace, wrapper, &build_dir, &options, &Instrumentation::default());
    let mut seen = Vec::new();
    let read = outputs.read(lines.as_bytes(), &mut |event| {
        seen.push(match event {
            Event::TestBinary(test) => test.binary_id.clone(),
            Event::Line(line) => line.to_owned(),
        });
        Ok(())
    });
    assert_eq!(outputs.awaited.len(), 1, "only `hidden`, a program that never comes");
    outputs.awaited.clear();
    let read = read.and_then(|()| {
        outputs.release_all(&mut |event| {
            if let Event::TestBinary(test) = event {
                seen.push(format!("{} at last", test.binary_id));
            }
            Ok(())
        })
    });
    let build = read.and_then(|()| outputs.finish());
    // Where build scripts ran is written down, for `clean`.
    std::fs::remove_dir_all(&scratch).expect("something was written");
    let build = build.expect("messages of members are complete");

    let order = ["warning: from somewhere", "app::it at last", "app at last"];
    assert_eq!(seen, order, "not before all programs are there, in the order in which cargo says so");
    let ids: Vec<&str> = build.test_binaries.iter().map(|test| test.binary_id.as_str()).collect();
    assert_eq!(ids, ["app", "app::it"], "in the order in which cargo runs them");
    assert_eq!((build.members_compiled, build.dependencies_compiled), (4, 1));
    let objects = ["/b/debug/deps/libmac-1.so", "/b/debug/deps/app-5", "own", "/b/debug/deps/it-4"];
    let objects = objects.map(|path| if path == "own" { tool.clone() } else { path.into() });
    assert_eq!(build.objects, objects, "by member, kind and name, nothing that is no object");

    let [unit_tests, it] = build.test_binaries.as_slice() else { panic!("two") };
    let value = |test: &super::TestBinary, name: &str| test.variables.get(OsStr::new(name)).cloned();
    assert_eq!(it.current_dir, Path::new("/w/app"));
    assert_eq!(value(it, "OUT_DIR"), Some("/b/debug/build/app-1/out".into()));
    assert_eq!(value(it, "A"), Some("1".into()));
    assert_eq!(value(it, "CARGO_BIN_EXE_tool"), Some(tool.into()), "although it came later");
    let hidden = own.join(format!("debug/hidden{}", env::consts::EXE_SUFFIX));
    assert_eq!(value(it, "CARGO_BIN_EXE_hidden"), Some(hidden.into()), "although it was not built");
    assert_eq!(value(unit_tests, "CARGO_BIN_EXE_tool"), None);
    let own_debug = own.join("debug");
    let library_path = [
        Path::new("/b/debug/build/app-1/out"),
        &own_debug,
        Path::new("/b/debug/deps"),
        Path::new("/s/lib/rustlib/x86_64-unknown-linux-gnu/lib"),
        Path::new("/opt/x"),
    ];
    assert_eq!(value(unit_tests, DYLIB_PATH), Some(env::join_paths(library_path).expect("no separators")));
}
