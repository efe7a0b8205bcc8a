//! One model, many writers. Pure: text in memory or to a sink; no environment, no clock, no file names of its own.

pub mod json;
pub mod lcov;
pub mod table;
pub mod text;
