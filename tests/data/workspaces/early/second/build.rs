//! Fails unless a test of the other package runs while this one is being built.

fn main() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/second-waits"), "").unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/first-has-run");
    for _ in 0..1200 {
        if std::path::Path::new(file).exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("no test has run");
}
