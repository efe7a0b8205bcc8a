//! Not a member of the workspace that is measured, but a user of one of its macros.

// cov-file: absent (not a member)

pub fn eight() -> u32 {
    macros::outside!()
}
