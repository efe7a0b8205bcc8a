//! Ways that end in a panic, and code that runs while one unwinds.

pub fn arm(value: u32) -> u32 { // cov: 2
    match value { // cov: 2
        0 => 1, // cov: 1
        1 => unreachable!("callers never pass 1"), // cov: 0
        2 => todo!(), // cov: 0
        _ => panic!("{value} is too large"), // cov: 1
    }
}

pub fn index(values: &[u32], at: usize) -> u32 { // cov: 2
    let value = values[at]; // cov: 2
    // Runs as often as the line above for LLVM: an index that panics does not end a region.
    value + 1 // cov: 2
}

pub fn unwrapped(text: &str) -> u32 {
    text.parse::<u32>().expect("a number") // cov: 2
}

fn diverges() -> ! {
    panic!("never returns") // cov: 1
}

pub fn after_diverging(stop: bool) -> u32 { // cov: 2
    if stop { // cov: 2
        diverges(); // cov: 1
    }
    5 // cov: 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "too large")]
    fn too_large() {
        assert_eq!(arm(0), 1);
        arm(9);
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn out_of_bounds() {
        assert_eq!(index(&[1], 0), 2);
        index(&[1], 1);
    }

    #[test]
    fn caught() {
        assert_eq!(unwrapped("1"), 1);
        std::panic::catch_unwind(|| unwrapped("x")).unwrap_err();
        assert_eq!(after_diverging(false), 5);
        std::panic::catch_unwind(|| after_diverging(true)).unwrap_err();
    }
}
