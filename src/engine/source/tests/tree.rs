//! Which files are test code, in small trees of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::super::tree::{FileScan, walk};
use super::USUAL;

/// A path as it is written here, on every system.
fn shown(path: &Path) -> String {
    path.to_str().expect("all paths here are text").replace('\\', "/")
}

/// Walks through files, given as path and text, with roots and other files that count. Returns what each file is: `live`, or
/// the reason.
fn walked(files: &[(&str, &str)], roots: &[&str], others: &[&str]) -> BTreeMap<String, String> {
    let paths = |paths: &[&str]| -> Vec<PathBuf> { paths.iter().map(PathBuf::from).collect() };
    let reads = Mutex::new(Vec::new());
    let read = |path: &Path| {
        let path = shown(path);
        reads.lock().expect("no read fails").push(path.clone());
        let file = files.iter().find(|(file, _)| *file == path);
        file.map(|(_, text)| text.as_bytes().to_vec())
    };
    let found = walk(&paths(roots), &paths(others), &USUAL, 3, &read);
    let mut reads = reads.into_inner().expect("no read fails");
    reads.sort();
    let n_reads = reads.len();
    reads.dedup();
    assert_eq!(reads.len(), n_reads, "a file was read twice");
    let state = |scan: FileScan| match scan.whole {
        Some(reason) => reason.relative_to(Path::new("/s")).to_string().replace('\\', "/"),
        None => "live".to_owned(),
    };
    found.into_iter().map(|(path, scan)| (shown(&path), state(scan))).collect()
}

/// Checks which files are found and which are test code: those whose name has a `t_` in it.
#[track_caller]
fn check(files: &[(&str, &str)], roots: &[&str], others: &[&str]) {
    let states = walked(files, roots, others);
    for (path, _) in files {
        let state = states.get(*path).map_or("not found", String::as_str);
        let expected = !path.contains("t_");
        assert_eq!(state == "live", expected, "{path}: {state}\nall: {states:#?}");
        assert!(expected || state.starts_with("test code"), "{path}: {state}");
    }
}

#[test]
fn modules_are_where_rustc_looks_for_them() {
    check(
        &[
            ("/s/lib.rs", "mod a; mod b; mod c { mod d; mod e { mod f; } } #[cfg(test)] mod t_g;"),
            ("/s/a.rs", "mod a; #[cfg(test)] mod t_b; mod c { mod d; } #[path = \"p.rs\"] mod p;"),
            ("/s/a/a.rs", ""),
            ("/s/a/t_b.rs", ""),
            ("/s/a/c/d.rs", ""),
            ("/s/p.rs", "mod q;"),
            ("/s/q.rs", ""),
            ("/s/b/mod.rs", "mod a; #[cfg(test)] mod t_b;"),
            ("/s/b/a.rs", "mod b;"),
            ("/s/b/a/b.rs", ""),
            ("/s/b/t_b.rs", "mod t_c;"),
            ("/s/b/t_b/t_c.rs", ""),
            ("/s/c/d.rs", ""),
            ("/s/c/e/f.rs", ""),
            ("/s/t_g.rs", "mod a; #[cfg(not(test))] mod t_b;"),
            ("/s/t_g/a.rs", ""),
            ("/s/t_g/t_b.rs", ""),
        ],
        &["/s/lib.rs"],
        &[],
    );
}

#[test]
fn path_attributes_are_followed() {
    check(
        &[
            (
                "/s/x.rs",
                "#[cfg(test)] #[path = \"../tests/t_a.rs\"] mod a;\n\
                 mod b { #[path = \"c.rs\"] mod c; #[path = \"d/e.rs\"] mod e; }\n\
                 #[path = \"f\"] mod f { mod g; #[path = \"h.rs\"] mod i; mod j { mod k; } }\n\
                 #[cfg_attr(unix, path = \"u.rs\")] #[cfg_attr(windows, path = \"w/w.rs\")] mod l;\n\
                 #[cfg_attr(test, path = \"mock.rs\")] mod m;",
            ),
            ("/tests/t_a.rs", "mod t_b;"),
            ("/tests/t_b.rs", ""),
            ("/s/x/b/c.rs", ""),
            ("/s/x/b/d/e.rs", ""),
            ("/s/f/g.rs", ""),
            ("/s/f/h.rs", ""),
            ("/s/f/j/k.rs", ""),
            ("/s/u.rs", "mod n;"),
            ("/s/n.rs", ""),
            ("/s/w/w.rs", "mod n;"),
            ("/s/w/n.rs", ""),
            ("/s/x/l.rs", ""),
            ("/s/mock.rs", ""),
            ("/s/x/m/mod.rs", ""),
        ],
        // A file that is no root, so that its modules are in `x/`.
        &[],
        &["/s/x.rs"],
    );
}

#[test]
fn one_way_without_a_gate_is_enough() {
    check(
        &[
            ("/s/lib.rs", "#[cfg(test)] mod t_a; #[cfg(test)] mod b; mod c; #[cfg(test)] mod d; mod e;"),
            ("/s/t_a.rs", "#[path = \"b.rs\"] mod b;"),
            ("/s/b.rs", ""),
            ("/s/c.rs", "#[path = \"b.rs\"] mod b; #[path = \"d.rs\"] mod d;"),
            ("/s/d.rs", ""),
            (
                "/s/e.rs",
                "#[cfg(not(test))] #[path = \"f.rs\"] mod f; #[cfg(test)] #[path = \"t_f.rs\"] mod f;",
            ),
            ("/s/f.rs", ""),
            ("/s/t_f.rs", ""),
        ],
        &["/s/lib.rs"],
        &["/s/b.rs", "/s/t_a.rs"],
    );
}

#[test]
fn included_files_are_followed() {
    check(
        &[
            (
                "/s/a/b.rs",
                "include!(\"../t/c.in\"); #[cfg(test)] include!(\"t_d.rs\"); include!(concat!(\"e\"));",
            ),
            ("/s/t/c.in", "mod f;"),
            ("/s/t/f.rs", ""),
            ("/s/a/t_d.rs", "#[path = \"t_e.rs\"] mod e;"),
            ("/s/a/t_e.rs", ""),
        ],
        &["/s/a/b.rs"],
        &[],
    );
}

#[test]
fn other_files_are_live_unless_only_tests_declare_them() {
    check(
        &[
            ("/s/a.rs", "mod b; #[cfg(test)] mod t_c;"),
            ("/s/a/b.rs", ""),
            ("/s/a/t_c.rs", "mod d;"),
            ("/s/a/t_c/d.rs", ""),
            ("/s/alone.rs", ""),
            ("/s/m/mod.rs", "mod n; #[cfg(test)] mod t_o;"),
            ("/s/m/n.rs", ""),
            ("/s/m/t_o.rs", ""),
        ],
        &["/s/gone.rs"],
        &["/s/a/t_c.rs", "/s/a.rs", "/s/./m/../alone.rs", "/s/m/mod.rs", "/s/m/t_o.rs", "/s/missing.rs"],
    );
    // Files that declare each other.
    check(
        &[
            ("/s/a.rs", "#[path = \"b.rs\"] mod b; #[cfg(test)] #[path = \"t_c.rs\"] mod c;"),
            ("/s/b.rs", "#[path = \"a.rs\"] mod a;"),
            ("/s/t_c.rs", ""),
        ],
        &[],
        &["/s/a.rs", "/s/b.rs"],
    );
}

#[test]
fn reasons_name_the_file_that_declares_a_module() {
    let states = walked(
        &[
            ("/s/main.rs", "\n#[cfg(test)]\nmod a;\nmod b;\n// coverage:ignore: ffi\nmod c;\nmod d;"),
            ("/s/a.rs", "mod e;"),
            ("/s/a/e.rs", ""),
            ("/s/b.rs", "#![cfg(test)]\nmod f;"),
            ("/s/b/f.rs", ""),
            ("/s/c.rs", ""),
            ("/s/d.rs", "// @generated\nmod g;"),
            ("/s/d/g.rs", ""),
        ],
        &["/s/main.rs"],
        &[],
    );
    let expected = [
        ("/s/a.rs", "test code: `#[cfg(test)]` on line 2 of main.rs"),
        ("/s/a/e.rs", "test code: `#[cfg(test)]` on line 2 of main.rs"),
        ("/s/b.rs", "test code: `#![cfg(test)]` on line 1"),
        ("/s/b/f.rs", "test code: `#![cfg(test)]` on line 1 of b.rs"),
        ("/s/c.rs", "`coverage:ignore` on line 5 of main.rs: ffi"),
        ("/s/d.rs", "generated file: `@generated` on line 1"),
        ("/s/d/g.rs", "live"),
        ("/s/main.rs", "live"),
    ];
    assert_eq!(states, expected.map(|(path, state)| (path.to_owned(), state.to_owned())).into());
}

#[test]
fn circles_and_long_ways_end() {
    // Each file declares the next, and all declare the first and themselves.
    let files: Vec<(String, String)> = (0..3000)
        .map(|number| {
            let text = format!(
                "#[path = \"{}.rs\"] mod a; #[path = \"0.rs\"] mod b; #[path = \"{number}.rs\"] mod c;",
                number + 1
            );
            (format!("/s/{number}.rs"), text)
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(walked(&files, &["/s/0.rs"], &[]).len(), 3000);

    // Directories that link to themselves hold every path.
    let read = |_: &Path| Some(b"mod x;".to_vec());
    let found = walk(&[PathBuf::from("/s/x.rs")], &[], &USUAL, 2, &read);
    assert!(found.len() < 1000, "{}", found.len());
}
