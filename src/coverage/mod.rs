//! What the bytes mean: counts, lines, functions, totals. Pure functions on structs, no I/O.

pub mod summary;
