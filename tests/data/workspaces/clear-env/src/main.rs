//! Started by tests without an environment: nothing tells this program where its profile belongs, and the runtime writes
//! `default_*.profraw` into the working directory. The counts are no less true for it.

fn main() { // cov: 3
    let directory = std::env::args().nth(1); // cov: 3
    if directory.as_deref() == Some("in-package") { // cov: 3
        in_package(); // cov: 1
    } else if directory.as_deref() == Some("elsewhere") { // cov: 2
        elsewhere(); // cov: 1
    } else {
        emptied(); // cov: 1
    }
} // cov: 3

fn in_package() {
    println!("1"); // cov: 1
}

fn elsewhere() {
    println!("2"); // cov: 1
}

fn emptied() {
    println!("3"); // cov: 1
}
