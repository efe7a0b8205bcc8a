//! A package without a library: its unit tests run in one build of this file, and a program that a test starts in another.

mod answer;

fn main() { // cov: 2
    let question = std::env::args().nth(1); // cov: 2
    match question { // cov: 2
        Some(question) => println!("{}", answer::to(&question)), // cov: 1
        None => {
            eprintln!("no question"); // cov: 1
            std::process::exit(2); // cov: 1
        }
    }
} // cov: 1

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::answer::to(""), 0);
    }
}
