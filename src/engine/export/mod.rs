//! What `llvm-cov export` writes: tracefiles and JSON, for other programs. Sees the coverage alone, no bytes of LLVM's.

pub mod json;
pub mod lcov;
