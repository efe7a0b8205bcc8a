//! A test that is called like the library and the binary.

// cov-file: excluded (a test target)

#[test]
fn same() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_app")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), "31");
}
