//! The library's tasks as a program of its own, for those who would rather install it than adopt it, and for the tests.

fn main() -> std::process::ExitCode {
    xtask_coverage::main()
}
