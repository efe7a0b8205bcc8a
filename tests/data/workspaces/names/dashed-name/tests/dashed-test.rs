//! A test with a dash in its name.

// cov-file: excluded (a test target)

#[test]
fn dashed() {
    assert_eq!(dashed_name::dashed(), 50);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_dashed-tool")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), "50");
}
