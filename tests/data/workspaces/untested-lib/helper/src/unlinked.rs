//! Called by what nobody calls.

pub fn also_never() -> u32 {
    5 // cov: 0
}
