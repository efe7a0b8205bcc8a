//! One model, many writers. Each sees the coverage alone: no bytes of LLVM's, no environment, no clock.

pub mod json;
pub mod lcov;
pub mod text;
