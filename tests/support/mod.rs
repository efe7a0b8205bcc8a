//! What the integration tests share: copies of the workspaces under `tests/data/workspaces`, programs in a clean
//! environment, goldens, and the truth that fixture sources carry in comments. Nothing here knows the library's own types:
//! its outputs are read back as anybody else would read them.
#![allow(dead_code, reason = "each test target uses its own part of this")]

pub(crate) mod env_dump;
pub(crate) mod golden;
pub(crate) mod lcov;
pub(crate) mod outputs;
pub(crate) mod program;
pub(crate) mod redact;
pub(crate) mod truth;
pub(crate) mod workspace;
