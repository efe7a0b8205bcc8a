//! What cargo knows and does: the workspace, the toolchain, the instrumented build, a test process's environment.
//! Nothing here runs a test or reads a profile.

pub mod adoption;
pub mod build;
pub mod clean;
pub mod configuration;
pub mod doctests;
pub mod environment;
pub mod invocation;
mod json;
pub mod message;
pub mod nextest;
pub mod outside;
pub mod program;
pub mod role;
pub mod selection;
pub mod target_runner;
pub mod toolchain;
pub mod unit;
pub mod workspace;
pub mod wrapper;
