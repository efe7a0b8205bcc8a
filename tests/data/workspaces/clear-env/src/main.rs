//! Started by tests in every way. Without an environment nothing tells this program where its profile belongs, and the runtime
//! writes `default_*.profraw` into the working directory. The counts are no less true for it.

fn main() { // cov: 8
    let how = std::env::args().nth(1).unwrap_or_default(); // cov: 8
    let say: fn() = match how.as_str() { // cov: 8
        "in-package" => in_package,
        "elsewhere" => elsewhere,
        "temporary" => temporary,
        "shell" => shell,
        "beside" => beside,
        _ => emptied,
    };
    say(); // cov: 8
} // cov: 8

fn in_package() {
    println!("1"); // cov: 1
}

fn elsewhere() {
    println!("2"); // cov: 2
}

fn temporary() {
    println!("3"); // cov: 1
}

fn shell() {
    println!("4"); // cov: 2
}

fn beside() {
    println!("5"); // cov: 1
}

fn emptied() {
    println!("6"); // cov: 1
}
