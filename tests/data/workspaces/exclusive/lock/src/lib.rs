//! What only one test at a time can have.

use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Makes a file that must not be there, keeps it for a while, and removes it.
pub fn hold(directory: &str) {
    let path = Path::new(directory).join("lock");
    let file = File::options().write(true).create_new(true).open(&path); // cov: 3
    file.expect("nobody else has the lock"); // cov: 3
    thread::sleep(Duration::from_millis(300)); // cov: 3
    fs::remove_file(&path).unwrap(); // cov: 3
}
