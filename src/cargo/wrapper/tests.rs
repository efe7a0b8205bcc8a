//! What the wrapper decides for made-up calls of rustc.

use super::{
    Decision, Instrumentation, Member, Options, decide, expand_argument_file, hash_value, options_hash,
};
use crate::cargo::unit::Unit;
use crate::cargo::workspace::tests::Pairs;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::{env, fs, process};

fn options() -> Options {
    Options {
        members: vec![
            Member { dir: "/w/app".into(), build_scripts: vec!["build_script_build".to_owned()] },
            Member { dir: "/w/lib".into(), build_scripts: Vec::new() },
        ],
        flags: vec!["-C".to_owned(), "instrument-coverage".to_owned()],
        build_scripts: false,
        source_dirs: vec!["/w".into(), "/real/w".into()],
        host: "host".to_owned(),
        profiler_triples: vec!["host".to_owned(), "with-runtime".to_owned()],
        chained: Some("/bin/chained".into()),
        units: "/w/target/coverage/units".into(),
        incremental: "/w/target/coverage/incremental".into(),
        environment: vec![("HOME".to_owned(), u64::MAX)],
    }
}

fn decide_for(arguments: &str, variables: Pairs<'_>, options: &Options) -> Decision {
    let arguments: Vec<OsString> = arguments.split_whitespace().map(OsString::from).collect();
    let variable = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
    };
    decide(&arguments, &variable, options, "0011223344556677")
}

const UNIT: &str = "--crate-name my_app --edition=2024 src/lib.rs --crate-type lib --emit=dep-info,metadata,link \
    -C debuginfo=2 --check-cfg cfg(test) -C metadata=aa -C extra-filename=-0123456789abcdef --out-dir /w/target/debug/deps \
    -C incremental=/w/target/debug/incremental -L dependency=/w/target/debug/deps";
const VARIABLES: [(&str, &str); 3] =
    [("CARGO_MANIFEST_DIR", "/w/app"), ("CARGO_CRATE_NAME", "my_app"), ("CARGO_PKG_NAME", "my-app")];

fn compile(arguments: &str, variables: Pairs<'_>, options: &Options) -> (Unit, Vec<String>) {
    match decide_for(arguments, variables, options) {
        Decision::Compile { unit, arguments } => {
            (*unit, arguments.into_iter().map(|it| it.into_string().expect("text")).collect())
        }
        other => panic!("{other:?} for {arguments}"),
    }
}

#[test]
fn a_unit_of_a_member_is_instrumented_and_recorded() {
    let (unit, added) = compile(UNIT, &VARIABLES, &options());
    let lines = ["-C", "debuginfo=line-tables-only"];
    let counters = ["-C", "instrument-coverage", "-C", "incremental=/w/target/coverage/incremental"];
    assert_eq!(added, [&lines[..], &counters].concat());
    let expected = Unit {
        name: "my_app-0123456789abcdef".to_owned(),
        package: "my-app".to_owned(),
        manifest_path: PathBuf::from("/w/app").join("Cargo.toml"),
        crate_name: "my_app".to_owned(),
        crate_types: vec!["lib".to_owned()],
        test: false,
        out_dir: "/w/target/debug/deps".into(),
        extra_filename: "-0123456789abcdef".to_owned(),
        wrapper: "0011223344556677".to_owned(),
        instrumented: true,
    };
    assert_eq!(unit, expected);
}

#[test]
fn debug_info_is_only_ever_made_less() {
    for (debuginfo, lowered) in
        [("2", true), ("full", true), ("1", false), ("0", false), ("line-tables-only", false)]
    {
        let unit = UNIT.replace("debuginfo=2", &format!("debuginfo={debuginfo}"));
        let (_, added) = compile(&unit, &VARIABLES, &options());
        assert_eq!(added.contains(&"debuginfo=line-tables-only".to_owned()), lowered, "{debuginfo}");
    }
}

#[test]
fn other_spellings_of_arguments() {
    let (unit, added) = compile(
        "--crate-name=my_app --crate-type=rlib,cdylib --test -Cextra-filename=-ff --codegen=metadata=x --out-dir=/o \
         --codegen incremental=/i src/lib.rs",
        &VARIABLES,
        &options(),
    );
    assert_eq!((unit.name.as_str(), unit.test), ("my_app-ff", true));
    assert_eq!(unit.crate_types, ["rlib", "cdylib"]);
    assert_eq!(unit.out_dir, PathBuf::from("/o"));
    assert_eq!(added.last().map(String::as_str), Some("incremental=/w/target/coverage/incremental"));
}

#[test]
fn without_incremental_compilation_none_is_added() {
    let (_, added) =
        compile(&UNIT.replace("-C incremental=/w/target/debug/incremental", ""), &VARIABLES, &options());
    assert_eq!(added, ["-C", "debuginfo=line-tables-only", "-C", "instrument-coverage"]);
}

#[test]
fn sources_of_members_keep_their_paths() {
    for remap in ["--remap-path-prefix=/w=/build", "--remap-path-prefix /w=/build"] {
        let (_, added) = compile(&format!("{UNIT} {remap}"), &VARIABLES, &options());
        let own: Vec<&str> = added.iter().filter_map(|it| it.strip_prefix("--remap-path-prefix=")).collect();
        assert_eq!(own, ["/w=/w", "/real/w=/real/w"]);
        let (_, added) = compile(&format!("{UNIT} {remap} --target without-runtime"), &VARIABLES, &options());
        assert_eq!(added, ["-C", "incremental=/w/target/coverage/incremental"]);
    }
}

#[test]
fn what_is_instrumented() {
    let script =
        "--crate-name build_script_build build.rs --crate-type bin --out-dir /o -C extra-filename=-1";
    let in_script = [("CARGO_MANIFEST_DIR", "/w/app"), ("CARGO_CRATE_NAME", "build_script_build")];
    let in_lib = [("CARGO_MANIFEST_DIR", "/w/lib"), ("CARGO_CRATE_NAME", "build_script_build")];
    let with_scripts = Options { build_scripts: true, ..options() };
    let plain = options();
    let rows: [(String, Pairs<'_>, &Options, bool); 7] = [
        (UNIT.to_owned(), &VARIABLES, &plain, true),
        (format!("{UNIT} --target with-runtime"), &VARIABLES, &plain, true),
        (format!("{UNIT} --target without-runtime"), &VARIABLES, &plain, false),
        (script.to_owned(), &in_script, &plain, false),
        (script.to_owned(), &in_script, &with_scripts, true),
        // A program that is only called like one, in a package without a build script.
        (script.to_owned(), &in_lib, &plain, true),
        (format!("{script} --test"), &in_script, &plain, true),
    ];
    for (arguments, variables, options, expected) in rows {
        let (unit, added) = compile(&arguments, variables, options);
        assert_eq!(unit.instrumented, expected, "{arguments}");
        assert_eq!(added.contains(&"instrument-coverage".to_owned()), expected, "{arguments}");
    }
}

#[test]
fn what_goes_through() {
    let rows: [(&str, Pairs<'_>, Decision); 9] = [
        ("-vV", &[], Decision::Probe),
        ("--version --verbose", &[], Decision::Probe),
        // Asked by a build script, in whose environment `[env]` is not all there is.
        ("-vV", &[("CARGO_MANIFEST_DIR", "/w/app")], Decision::PassThrough),
        ("- --crate-name ___ --print=file-names --crate-type bin", &[], Decision::PassThrough),
        ("--print sysroot", &[], Decision::PassThrough),
        // A build script of a member tries out the compiler.
        ("--crate-name probe --crate-type lib -", &[("CARGO_MANIFEST_DIR", "/w/app")], Decision::PassThrough),
        // A unit of another workspace, in a build that a build script of a member started.
        (
            UNIT,
            &[("CARGO_MANIFEST_DIR", "/elsewhere/app"), ("CARGO_CRATE_NAME", "my_app")],
            Decision::PassThrough,
        ),
        ("--crate-name my_app --print=cfg src/lib.rs", &VARIABLES, Decision::PassThrough),
        ("src/lib.rs", &VARIABLES, Decision::PassThrough),
    ];
    for (arguments, variables, expected) in rows {
        assert_eq!(decide_for(arguments, variables, &options()), expected, "{arguments} {variables:?}");
    }
}

#[test]
fn units_without_a_hash_in_their_files_differ_by_what_they_are() {
    let names: Vec<String> = [
        "--crate-name my_app --crate-type bin --out-dir /b/1 -C metadata=a",
        "--crate-name my_app --crate-type bin --out-dir /b/2 -C metadata=a",
        "--crate-name my_app --crate-type bin --out-dir /b/1 -C metadata=b",
        "--crate-name my_app --crate-type cdylib --out-dir /b/1 -C metadata=a",
    ]
    .iter()
    .map(|arguments| compile(arguments, &VARIABLES, &options()).0.name)
    .collect();
    for (index, name) in names.iter().enumerate() {
        assert!(name.starts_with("my_app-") && !names[..index].contains(name), "{names:?}");
    }
}

#[test]
fn options_survive_the_file() {
    let options = options();
    assert_eq!(Options::from_json(&options.to_json()).expect("complete"), options);
    let bare = Options { chained: None, members: Vec::new(), ..options };
    assert_eq!(Options::from_json(&bare.to_json()).expect("complete"), bare);
}

#[test]
fn only_what_changes_the_code_is_hashed() {
    let same = [
        Options { members: Vec::new(), ..options() },
        Options { environment: Vec::new(), ..options() },
        Options { units: "/elsewhere".into(), ..options() },
    ];
    let other = [
        Options { flags: vec!["-C".to_owned()], ..options() },
        Options { build_scripts: true, ..options() },
        Options { chained: None, ..options() },
    ];
    let hash = options_hash(&options());
    assert_eq!(hash.len(), 16);
    assert!(same.iter().all(|options| options_hash(options) == hash));
    assert!(other.iter().all(|options| options_hash(options) != hash));
}

#[test]
fn arguments_for_rustc() {
    let base = Instrumentation::default();
    let all = Instrumentation {
        debuginfo: Some("0".to_owned()),
        strip: Some("symbols".to_owned()),
        branches: true,
        build_scripts: true,
        flags: vec!["--cfg=mine".to_owned()],
    };
    let check = "--cfg=coverage --check-cfg=cfg(coverage,coverage_nightly)";
    let relocation = "-C llvm-args=-runtime-counter-relocation";
    let linux = "x86_64-unknown-linux-gnu";
    let rows = [
        (&base, false, linux, format!("-C instrument-coverage {relocation} {check}")),
        (&base, true, linux, format!("-C instrument-coverage {relocation} {check} --cfg=coverage_nightly")),
        (&base, false, "aarch64-apple-darwin", format!("-C instrument-coverage {check}")),
        (
            &all,
            true,
            linux,
            format!(
                "-C instrument-coverage {relocation} -C debuginfo=0 -C strip=symbols {check} --cfg=coverage_nightly \
                 -Zcoverage-options=branch --cfg=mine"
            ),
        ),
    ];
    for (instrumentation, nightly, triple, expected) in rows {
        assert_eq!(instrumentation.arguments(nightly, triple).join(" "), expected);
    }
}

#[test]
fn a_hash_tells_nothing_without_its_number() {
    let (one, two) = (OsStr::new("1"), OsStr::new("2"));
    assert_eq!(hash_value(one, OsStr::new("secret")), hash_value(one, OsStr::new("secret")));
    assert_ne!(hash_value(one, OsStr::new("secret")), hash_value(two, OsStr::new("secret")));
    assert_ne!(hash_value(one, OsStr::new("secret")), hash_value(one, OsStr::new("other")));
}

#[test]
fn argument_files_are_read() {
    let file = env::temp_dir().join(format!("xtask-coverage-arguments-{}", process::id()));
    fs::write(&file, "--crate-name\nmy app\n--test\n").expect("can be written");
    let mut at = OsString::from("@");
    at.push(&file);
    let expanded = expand_argument_file(&["-v".into(), at]);
    fs::remove_file(&file).expect("can be removed");
    assert_eq!(
        expanded.expect("can be read"),
        ["-v", "--crate-name", "my app", "--test"].map(OsString::from)
    );
    let error = expand_argument_file(&["@/nonexistent/file".into()]).expect_err("is not there");
    assert!(error.to_string().contains("/nonexistent/file"), "{error}");
}
