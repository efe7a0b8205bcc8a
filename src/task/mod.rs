//! The tasks: what is asked for, and the story of doing it. Uses every other layer.

pub mod config;
pub mod flags;
pub mod help;
pub mod record;
pub mod verify;
