//! Compares text with files below `tests/data`. Only for tests; knows nothing of what the text means.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Checks that `actual` is the content of `tests/data/<name>`, and collects what is wrong in `findings`.
///
/// With `UPDATE_EXPECT=1` the file is written instead, which is refused where `CI` is set. Otherwise text that differs is
/// kept under `target/actual/`, and the finding is the command that shows the difference.
pub(crate) fn check(findings: &mut Vec<String>, name: &str, actual: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let expected_path = root.join("tests/data").join(name);
    if env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        assert!(
            env::var_os("CI").is_none(),
            "UPDATE_EXPECT rewrites the expected files; it is refused in CI"
        );
        write(&expected_path, actual);
        return;
    }
    // An editor or git may have turned line ends into CRLF on Windows; the text has none of its own.
    let expected = fs::read_to_string(&expected_path).map(|text| text.replace("\r\n", "\n"));
    if expected.as_deref().is_ok_and(|expected| expected == actual) {
        return;
    }
    let actual_path = root.join("target/actual").join(name);
    write(&actual_path, actual);
    findings.push(format!(
        "diff -u {} {}  # UPDATE_EXPECT=1 accepts",
        relative(&expected_path, root).display(),
        relative(&actual_path, root).display()
    ));
}

/// Checks that the file at `path`, from the root of this repository, has each of these texts between the comments
/// `<!-- begin: NAME -->` and `<!-- end: NAME -->`. `UPDATE_EXPECT=1` puts them there, as above.
pub(crate) fn check_tables(path: &str, tables: &[(&str, String)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let expected = fs::read_to_string(root.join(path)).expect("the file is there").replace("\r\n", "\n");
    let mut actual = expected.clone();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->\n"));
        let (front, rest) = actual.split_once(&begin).unwrap_or_else(|| panic!("no `{begin}` in `{path}`"));
        let (_, back) = rest.split_once(&end).unwrap_or_else(|| panic!("no `{end}` in `{path}`"));
        actual = format!("{front}{begin}{table}{end}{back}");
    }
    if actual == expected {
        return;
    }
    if env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        assert!(env::var_os("CI").is_none(), "UPDATE_EXPECT rewrites `{path}`; it is refused in CI");
        write(&root.join(path), &actual);
        return;
    }
    write(&root.join("target/actual").join(path), &actual);
    panic!("diff -u {path} target/actual/{path}  # UPDATE_EXPECT=1 accepts");
}

/// Fails with all `findings`, and with every file in `tests/data/<directory>` that is not in `names`.
pub(crate) fn finish(mut findings: Vec<String>, directory: &str, names: &[String]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(directory);
    for entry in fs::read_dir(&folder).expect("the folder of expected files is there") {
        let file = entry.expect("the folder can be listed").file_name();
        let file = format!("{directory}/{}", file.to_string_lossy());
        if !names.contains(&file) {
            findings.push(format!("tests/data/{file} belongs to no test"));
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// `text` without ANSI colors.
pub(crate) fn without_color(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

fn write(path: &PathBuf, text: &str) {
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(path, text).expect("the file can be written");
}

fn relative<'a>(path: &'a Path, root: &Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}
