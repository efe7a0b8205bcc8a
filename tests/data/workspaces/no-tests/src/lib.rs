//! A library without a single test. Its test binary is built and run all the same, and has no instrumented function in it:
//! it can leave no profile, which is no fault of its own.

pub fn untested(value: u32) -> u32 {
    value + 1
}
