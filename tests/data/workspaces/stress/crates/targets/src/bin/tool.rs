//! Started by the integration test, once with and once without an argument.

fn main() { // cov: 2
    let value = targets::by_binary() + targets::by_all(); // cov: 2
    match std::env::args().nth(1) { // cov: 2
        Some(name) => println!("{name} {value}"), // cov: 1
        None => std::process::exit(value as i32), // cov: 1
    }
} // cov: 1

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(targets::by_binarys_unit_test() + targets::by_all(), 12);
    }
}
