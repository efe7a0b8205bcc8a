// cov-file: excluded (an example target)

fn main() { // cov: 1
    assert_eq!(excludes::all(), 14); // cov: 1
} // cov: 1
