//! `const` code runs in the compiler, where nothing counts, or at run time, where it is a function like any other.

/// Evaluated by the compiler only: cannot be told from a function that is never called.
pub const fn compile_time(value: u32) -> u32 {
    value + 1 // cov: 0
}

pub const fn run_time(value: u32) -> u32 {
    value + 2 // cov: 1
}

/// Three times by the compiler, twice at run time.
pub const fn both(value: u32) -> u32 {
    if value > 1 {
        value + 3 // cov: 2
    } else {
        value + 4 // cov: 0
    }
}

pub const LIMIT: u32 = compile_time(1) + both(1) + both(2); // cov: -

pub static TABLE: [u32; 2] = [both(3), 0]; // cov: -

/// The initialiser of a `thread_local` or a `LazyLock` is run-time code.
pub static LAZY: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
    let value = 4; // cov: 1
    value + 1 // cov: 1
});

/// A constant has no region; the function around it has.
pub fn inline_const() -> u32 { // cov: 1
    const { compile_time(3) }
} // cov: 1

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(LIMIT, 2 + 5 + 5);
        assert_eq!(TABLE[0] + TABLE[1], 6);
        assert_eq!(run_time(1), 3);
        assert_eq!(both(2) + both(3), 11);
        assert_eq!(*LAZY + *LAZY, 10);
        assert_eq!(inline_const(), 4);
    }
}
