// cov-file: excluded (a test target)

/// Leaves a program behind that holds our output.
#[test]
fn leaves() {
    let file = std::env::var("MARK").expect("the path of a file");
    std::fs::write(&file, "").unwrap();
    std::process::Command::new(env!("CARGO_BIN_EXE_lingers")).arg(&file).spawn().unwrap();
}
