//! Uses the dylib itself, and a program that uses it.

// cov-file: excluded (a test target)

#[test]
fn linked() {
    assert_eq!(app::four_times(2) + shared::twice(3), 14);
}

#[test]
fn started() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_app")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), "11");
}
