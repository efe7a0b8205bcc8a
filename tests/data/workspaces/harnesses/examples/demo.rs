//! An ordinary example, with a test that runs under `--examples` only.

// cov-file: excluded (an example target)

fn main() { // cov: 0
    println!("{}", harnesses::by_nobody()); // cov: 0
} // cov: 0

#[cfg(test)]
mod tests {
    #[test]
    fn example() {
        assert_eq!(harnesses::by_example_test(), 4); // cov: 1
    }
}
