//! Lines that the programs of this package run before they end in one way or another. Each test starts one program once,
//! and each way has a function of its own: a way that loses its counts is named by the lines that show 0.

pub fn before_sigkill() -> u32 { // cov: 1
    1 // cov: 1
} // cov: 1

pub fn before_sigterm() -> u32 { // cov: 1
    2 // cov: 1
} // cov: 1

pub fn before_abort() -> u32 { // cov: 1
    3 // cov: 1
} // cov: 1

pub fn before_exit() -> u32 { // cov: 1
    4 // cov: 1
} // cov: 1

pub fn before_underscore_exit() -> u32 { // cov: 1
    5 // cov: 1
} // cov: 1

pub fn before_exec() -> u32 { // cov: 1
    6 // cov: 1
} // cov: 1

pub fn after_exec() -> u32 { // cov: 1
    7 // cov: 1
} // cov: 1

pub fn through_shell() -> u32 { // cov: 1
    8 // cov: 1
} // cov: 1

/// Once in the parent: the child inherits the memory, not the count.
pub fn before_fork() -> u32 { // cov: 1
    9 // cov: 1
} // cov: 1

pub fn after_fork_in_child() -> u32 { // cov: 1
    10 // cov: 1
} // cov: 1

pub fn after_fork_in_parent() -> u32 { // cov: 1
    11 // cov: 1
} // cov: 1

pub fn before_stack_overflow() -> u32 { // cov: 1
    12 // cov: 1
} // cov: 1

pub fn before_panic() -> u32 { // cov: 1
    13 // cov: 1
} // cov: 1

/// A way that no test takes.
pub fn never() -> u32 { // cov: 0
    14 // cov: 0
} // cov: 0
