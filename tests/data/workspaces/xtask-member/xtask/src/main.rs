//! The workspace's own tasks, which are not what anybody wants to measure.

// cov-file: absent (the xtask crate)

fn main() { // cov: 0
    println!("{}", greeting()); // cov: 0
} // cov: 0

fn greeting() -> &'static str {
    "a task of its own" // cov: 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets() {
        assert_eq!(super::greeting(), "a task of its own");
    }
}
