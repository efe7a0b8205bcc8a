//! A program of another workspace, built by the build script and by the test of the outer one.

// cov-file: absent (not a member of the workspace that is measured)

fn main() {
    println!("from the inner workspace");
}
