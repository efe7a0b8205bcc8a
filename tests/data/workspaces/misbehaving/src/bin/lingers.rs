//! Waits for a file to be gone, as a server would wait for its end.

fn main() {
    let file = std::env::args().nth(1).expect("a file");
    while std::path::Path::new(&file).exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
