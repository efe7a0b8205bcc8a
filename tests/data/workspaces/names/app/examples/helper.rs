//! An example that is called like a dependency, with a function that is called like the dependency's.

// cov-file: excluded (an example target)

fn help() -> u32 {
    30 // cov: 1
}

fn main() { // cov: 0
    println!("{}", help()); // cov: 0
} // cov: 0

#[cfg(test)]
mod tests {
    #[test]
    fn help() {
        assert_eq!(super::help(), 30);
    }
}
