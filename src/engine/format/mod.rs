//! Bytes in, structs out: raw profiles, coverage maps, function records and names.
//!
//! No I/O, no panic and no allocation beyond a small multiple of the input, whatever the bytes: every input is
//! untrusted. Nothing here knows what a count means; that is [`crate::coverage`].

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::as_conversions
    )
)]

pub mod covfun;
pub mod covmap;
pub mod cursor;
pub mod error;
pub mod prf_names;
pub mod profraw;
pub(crate) mod zlib;
