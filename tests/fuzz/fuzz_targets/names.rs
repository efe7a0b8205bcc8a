#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| xtask_coverage_fuzz::names(input));
