//! A library without unit tests. The linker takes what the integration test needs, in pieces as the compiler made them, and
//! leaves the others out of the test binary: only the library itself still knows of them.

pub mod linked;
pub mod unlinked;
