//! An example that is a test without a harness.

// cov-file: excluded (an example target)

fn main() {
    env_dump::write("example");
}
