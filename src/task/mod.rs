//! The story: from the command line to reports and an exit code.

pub mod record;
pub mod verify;
