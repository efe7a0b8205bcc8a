//! An example that is a test without a harness.

fn main() {
    env_dump::write("example");
}
