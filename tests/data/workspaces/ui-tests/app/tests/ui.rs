//! Compiles other files, as trybuild does through cargo and compiletest does through rustc.

// cov-file: excluded (a test target)

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap())
}

/// The target directory as trybuild asks for it.
fn target_directory() -> PathBuf {
    let output = cargo().args(["metadata", "--no-deps", "--offline", "--format-version=1"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = text.split_once("\"target_directory\":\"").unwrap();
    rest.split_once('"').unwrap().0.replace("\\\\", "\\").into()
}

#[test]
fn by_cargo() {
    let project = target_directory().join("tests/trybuild/app");
    fs::create_dir_all(&project).unwrap();
    let app = env!("CARGO_MANIFEST_DIR").replace('\\', "/");
    let manifest = format!(
        "[workspace]\n[package]\nname = \"app-tests\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         [[bin]]\nname = \"main\"\npath = \"main.rs\"\n[dependencies]\napp = {{ path = \"{app}\" }}\n"
    );
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    fs::write(project.join("main.rs"), "fn main() { assert_eq!(app::number!(by_cargo), 2) }\n").unwrap();
    let status = cargo()
        .current_dir(&project)
        .env("CARGO_TARGET_DIR", project.parent().unwrap())
        .args(["run", "--offline", "--quiet", "--config=build.rustflags=[\"--cfg\", \"trybuild\"]"])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The crate as it lies beside this test; of several builds the last.
fn library(name: &str, extension: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let prefix = format!("{}{name}-", if cfg!(windows) && extension != "rlib" { "" } else { "lib" });
    let is_library = |path: &PathBuf| {
        let file = path.file_name().unwrap().to_str().unwrap();
        file.starts_with(&prefix) && path.extension().is_some_and(|it| it == extension)
    };
    let time = |path: &PathBuf| path.metadata().and_then(|it| it.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let files = fs::read_dir(deps).unwrap().map(|entry| entry.unwrap().path());
    files.filter(is_library).max_by_key(time).expect("the library lies beside this test")
}

fn rustc(source: &Path, program: &Path) -> Output {
    let app = library("app", "rlib");
    let mut command = Command::new("rustc");
    command.args(["--edition=2021", "--error-format=short", "-L"]).arg(app.parent().unwrap());
    command.arg("--extern").arg(format!("app={}", app.display())).arg(source).arg("-o").arg(program);
    command.output().unwrap()
}

#[test]
fn by_rustc() {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("passes{}", std::env::consts::EXE_SUFFIX));
    let output = rustc(Path::new("tests/ui/passes.rs"), &program);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(Command::new(&program).status().unwrap().success());

    // The whole of what the compiler says is compared: counters add no line of their own.
    let output = rustc(Path::new("tests/ui/missing.rs"), &program);
    assert!(!output.status.success());
    let expected = "tests/ui/missing.rs:3:5: error: a number is missing\nerror: aborting due to 1 previous error";
    assert_eq!(String::from_utf8_lossy(&output.stderr).trim_end(), expected);
}
