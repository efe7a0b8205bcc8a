//! LLVM's raw profiles and coverage maps, read and evaluated: bytes in, counts out; and what does not count in Rust sources.
//! No files, no cargo, no reports.
//!
//! This is a package of its own because it is the arithmetic on megabytes: it is compiled with optimizations where the rest of
//! `xtask-coverage` is not, which is what keeps both reports and cold builds fast. Its functions are not generic over
//! closures, as such functions would be compiled where they are called.

pub mod coverage;
pub mod export;
pub mod format;
mod parallel;
pub mod source;
