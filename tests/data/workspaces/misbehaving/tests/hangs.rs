// cov-file: excluded (a test target)

/// Says that it is about to hang, and hangs, together with a program that it has started.
#[test]
fn hangs() {
    assert_eq!(misbehaving::before_the_hang(), 1);
    let file = std::env::var("MARK").expect("the path of a file");
    std::fs::write(&file, "").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_lingers")).arg(&file).status().unwrap();
    assert!(status.success());
    misbehaving::after_the_hang();
}
