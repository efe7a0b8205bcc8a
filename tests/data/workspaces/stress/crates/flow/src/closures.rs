//! Closures are functions of their own on lines of the function around them.

pub fn counted(values: &[u32]) -> u32 { // cov: 1
    values
        .iter()
        .map(|value| {
            value * 2 // cov: 3
        })
        .sum()
} // cov: 1

/// The line has the count of the function or of the closure, whichever is larger.
pub fn on_one_line(values: &[u32]) -> u32 {
    values.iter().filter(|value| **value > 1).sum() // cov: 3
}

pub fn never_called(value: Option<u32>) -> u32 { // cov: 1
    value.unwrap_or_else(|| { // cov: 1
        let fallback = 1; // cov: 0
        fallback + 1 // cov: 0
    }) // cov: 0 the closure ends here, and nothing begins
} // cov: 1

pub fn nested() -> u32 { // cov: 1
    let outer = |a: u32| { // cov: 2
        let inner = |b: u32| {
            b + 1 // cov: 4
        };
        let unused = |c: u32| {
            c + 2 // cov: 0
        };
        let _ = unused; // cov: 2
        inner(a) + inner(a + 1) // cov: 2
    };
    outer(1) + outer(2) // cov: 1
} // cov: 1

pub fn returned(offset: u32) -> impl Fn(u32) -> u32 { // cov: 1
    move |value| {
        value + offset // cov: 2
    }
} // cov: 1

pub fn boxed(twice: bool) -> Box<dyn Fn(u32) -> u32> { // cov: 1
    if twice { // cov: 1
        Box::new(|value| {
            value * 2 // cov: 1
        })
    } else {
        Box::new(|value| {
            value * 3 // cov: 0
        })
    }
} // cov: 1

#[expect(dead_code, reason = "a function that is never called, with a closure in it")]
fn dead() -> u32 {
    let closure = |value: u32| {
        value + 1 // cov: 0
    };
    closure(1) // cov: 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls() {
        assert_eq!(counted(&[1, 2, 3]), 12);
        assert_eq!(on_one_line(&[1, 2, 3]), 5);
        assert_eq!(never_called(Some(4)), 4);
        assert_eq!(nested(), 2 + 3 + 3 + 4);
        let add = returned(1);
        assert_eq!(add(1) + add(2), 5);
        assert_eq!(boxed(true)(2), 4);
    }
}
