// cov-file: excluded (a bench target)

fn main() { // cov: 1
    assert_eq!(excludes::all(), 14); // cov: 1
} // cov: 1
