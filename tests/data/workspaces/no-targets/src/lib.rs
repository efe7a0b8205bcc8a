//! A library that asks for no test binary: there is nothing to run.

pub fn untestable(value: u32) -> u32 {
    value + 1
}
