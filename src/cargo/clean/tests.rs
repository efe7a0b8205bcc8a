//! What clean removes in made-up build directories, and what it leaves.

use super::{Cleaned, clean_layout};
use crate::cargo::unit::Unit;
use crate::layout::Layout;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::{env, process};

fn unit(name: &str, package: &str, crate_name: &str, out_dir: PathBuf, extra_filename: &str) -> Unit {
    Unit {
        name: name.to_owned(),
        package: package.to_owned(),
        manifest_path: PathBuf::from("/w/Cargo.toml"),
        crate_name: crate_name.to_owned(),
        crate_types: vec!["bin".to_owned()],
        test: false,
        out_dir,
        extra_filename: extra_filename.to_owned(),
        wrapper: "0".to_owned(),
        instrumented: true,
    }
}

fn files_below(root: &Path, directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("can be listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).expect("below").to_string_lossy().replace('\\', "/"));
        }
    }
}

#[test]
fn removes_what_was_recorded_and_nothing_else() {
    // A workspace in `build/<package>/`, which looks like a unit's directory and is none.
    let scratch = env::temp_dir().join(format!("xtask-coverage-clean-{}", process::id()));
    let target = scratch.join("build/app/target");
    let (kept_hash, hash) = ("0000000000000001", "0123456789abcdef");
    let kept = [
        format!("debug/deps/libapp-{kept_hash}.rlib"),
        format!("debug/deps/app-{kept_hash}"),
        format!("debug/deps/libdep-{hash}.rlib"),
        format!("debug/deps/app-{hash}0.d"),
        format!("debug/.fingerprint/app-{kept_hash}/lib-app"),
        format!("debug/build/app-{kept_hash}/out/generated.rs"),
        format!("debug/build/app/{kept_hash}/out/app"),
        "debug/app".to_owned(),
        "../Cargo.toml".to_owned(),
    ];
    let doomed = [
        format!("debug/deps/libapp-{hash}.rlib"),
        format!("debug/deps/libapp-{hash}.rmeta"),
        format!("debug/deps/app-{hash}"),
        format!("debug/deps/app-{hash}.d"),
        format!("debug/deps/app-{hash}.1a2b.rcgu.o"),
        format!("debug/.fingerprint/app-{hash}/lib-app"),
        format!("debug/build/app-{hash}/build-script-build"),
        "debug/build/app-1123456789abcdef/out/generated.rs".to_owned(),
        "debug/.fingerprint/app-1123456789abcdef/run-build-script".to_owned(),
        format!("debug/build/app/{hash}/out/app"),
        format!("debug/build/app/{hash}/fingerprint/bin-app"),
        "coverage/lcov.info".to_owned(),
    ];
    for file in kept.iter().chain(&doomed) {
        let path = target.join(file);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("can be made");
        fs::write(&path, "12345").expect("can be written");
    }
    let layout = Layout::new(&target);
    let debug = target.join("debug");
    let units = [
        unit("1", "app", "app", debug.join("deps"), &format!("-{hash}")),
        unit("2", "app", "build_script_build", debug.join(format!("build/app-{hash}")), &format!("-{hash}")),
        unit("3", "app", "", debug.join("build/app-1123456789abcdef/out"), ""),
        unit("4", "app", "app", debug.join(format!("build/app/{hash}/out")), ""),
        // Nothing is there any more.
        unit("5", "gone", "gone", debug.join("deps"), "-2222222222222222"),
        unit("6", "gone", "gone", debug.join("nowhere"), "-2222222222222222"),
        // Not in the build directory.
        unit("7", "app", "app", scratch.join("build/app"), &format!("-{kept_hash}")),
    ];
    for unit in &units {
        unit.write(&layout.units()).expect("can be written");
    }
    let records = units.len() as u64;

    let cleaned = clean_layout(&layout, &target);
    let mut left = BTreeSet::new();
    files_below(&scratch.join("build/app"), &scratch.join("build/app"), &mut left);
    let again = clean_layout(&layout, &target);
    fs::remove_dir_all(&scratch).expect("can be removed");

    let name =
        |file: &String| file.strip_prefix("../").map_or_else(|| format!("target/{file}"), str::to_owned);
    assert_eq!(left, kept.iter().map(name).collect::<BTreeSet<_>>());
    let cleaned = cleaned.expect("can be removed");
    assert_eq!(cleaned.files, doomed.len() as u64 + records);
    assert!(cleaned.bytes > 5 * doomed.len() as u64, "{cleaned:?}");
    assert_eq!(again.expect("nothing is there"), Cleaned::default());
}
