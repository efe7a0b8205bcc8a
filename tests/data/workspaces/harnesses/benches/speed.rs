//! A bench with a harness of its own, such as criterion's: `--bench` asks it to measure, without it it runs once.

// cov-file: excluded (a bench target)

fn main() { // cov: 1
    let times = if std::env::args().any(|argument| argument == "--bench") { 100 } else { 1 };
    for _ in 0..times { // cov: 1
        assert_eq!(harnesses::by_bench(), 6); // cov: 1
    }
} // cov: 1
