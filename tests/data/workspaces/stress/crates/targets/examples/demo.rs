//! An example with a unit test of its own.

// cov-file: excluded (an example target)

fn main() { // cov: 0
    println!("{}", targets::by_example()); // cov: 0
} // cov: 0

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(targets::by_examples_unit_test() + targets::by_all(), 13);
    }
}
