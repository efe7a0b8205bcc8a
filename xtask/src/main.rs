//! This repository's tasks: `cargo xtask coverage`, `cargo xtask verify`.

fn main() -> std::process::ExitCode {
    xtask_coverage::main()
}
