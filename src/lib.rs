//! `cargo xtask coverage` for any Rust workspace, from nothing but `cargo` and `rustc`.

pub mod coverage;
pub mod filter;
pub mod format;
pub mod llvm_tools;
pub mod load;
pub mod parallel;
pub mod report;
pub mod task;
pub mod ui;

#[cfg(test)]
mod golden;

/// The whole of an xtask's `main`.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
