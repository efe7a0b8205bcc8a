//! Coverage for people: the table and annotated source. Pure text; no environment, no clock, no file names of its own.

pub mod table;
pub mod text;
