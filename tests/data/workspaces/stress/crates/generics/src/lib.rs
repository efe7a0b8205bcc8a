//! Generics and traits. One source line stands for many functions here: each instantiation, in each binary that
//! links this crate, has counters of its own, and the line's count is their sum.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};

/// Instantiated by the unit tests (`u8`, `&str`), an integration test (`u8`) and the crate `user` (`i64`).
pub fn pair<T: Clone>(value: &T) -> (T, T) { // cov: 4
    let copy = value.clone(); // cov: 4
    (copy, value.clone()) // cov: 4
} // cov: 4

/// Instantiated only by the unit tests.
pub fn only_unit<T: Debug>(value: T) -> String {
    format!("{value:?}") // cov: 2
}

/// Instantiated only by the integration test: the library's own record is an unused one.
pub fn only_integration<T: Debug>(value: T) -> String {
    format!("<{value:?}>") // cov: 1
}

/// Instantiated only in another crate.
pub fn only_elsewhere<T: Default>() -> T {
    T::default() // cov: 3
}

/// Instantiated nowhere.
pub fn never<T: Debug>(value: T) -> String { // cov: 0
    format!("[{value:?}]") // cov: 0
} // cov: 0

/// Each arm is run by another instantiation: `i64` in `user`, `u8` in the unit tests.
pub fn by_size<T>(_: T) -> &'static str {
    if size_of::<T>() > 4 {
        "wide" // cov: 1
    } else {
        "narrow" // cov: 2
    }
}

/// One instantiation for each length.
pub fn sum<const N: usize>(values: [u32; N]) -> u32 {
    let mut total = 0; // cov: 3
    for value in values {
        total += value; // cov: 5
    }
    total // cov: 3
}

/// Default methods: called, replaced, never called.
pub trait Shape {
    /// No body, no region.
    fn sides(&self) -> u32; // cov: -

    fn doubled(&self) -> u32 {
        self.sides() * 2 // cov: 2
    }

    fn replaced(&self) -> u32 {
        self.sides() + 1 // cov: 1 by `Square`; `Circle` replaces it
    }

    fn unwanted(&self) -> u32 { // cov: 0
        self.sides() + 2 // cov: 0
    } // cov: 0
}

pub struct Square; // cov: -

impl Shape for Square { // cov: -
    fn sides(&self) -> u32 {
        4 // cov: 3
    }
}

pub struct Circle;

impl Shape for Circle {
    fn sides(&self) -> u32 {
        1 // cov: 1
    }

    fn replaced(&self) -> u32 {
        7 // cov: 1
    }
}

/// Calls through a vtable.
pub fn total(shapes: &[Box<dyn Shape>]) -> u32 {
    shapes.iter().map(|shape| shape.doubled() + shape.replaced()).sum() // cov: 2 the closure runs more often than the line
}

pub static DROPPED: AtomicU32 = AtomicU32::new(0);

/// Drop glue calls this without a call in the source.
pub struct Guard(pub u32);

impl Drop for Guard {
    fn drop(&mut self) {
        DROPPED.fetch_add(self.0, Ordering::Relaxed); // cov: 3
    }
}

/// Never dropped by anything.
pub struct Quiet;

impl Drop for Quiet {
    fn drop(&mut self) { // cov: 0
        DROPPED.fetch_add(1, Ordering::Relaxed); // cov: 0
    }
}

/// Derived code has no regions of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

impl Point {
    /// An associated function in an `impl` that has generics of its own.
    pub fn map<F: Fn(i32) -> i32>(&self, f: F) -> Point {
        Point { x: f(self.x), y: f(self.y) } // cov: 2
    }
}

/// Inlined by MIR, where it has lost no counter.
#[inline(always)]
pub fn inlined(value: u32) -> u32 {
    value + 1 // cov: 3
}

/// Inlined into nothing.
#[inline(always)]
pub fn inlined_never(value: u32) -> u32 {
    value + 2 // cov: 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instantiations() {
        assert_eq!(pair(&1_u8), (1, 1));
        assert_eq!(pair(&"a"), ("a", "a"));
        assert_eq!(only_unit(1_u8), "1");
        assert_eq!(only_unit("a"), "\"a\"");
        assert_eq!(by_size(1_u8), "narrow");
        assert_eq!(by_size(2_u8), "narrow");
        assert_eq!(sum([]), 0);
        assert_eq!(sum([1, 2]), 3);
        assert_eq!(sum([1, 2, 3]), 6);
        assert_eq!(inlined(inlined(1)), 3);
    }

    #[test]
    fn traits() {
        assert_eq!(total(&[Box::new(Square), Box::new(Circle)]), 8 + 5 + 2 + 7);
        assert_eq!(Square.sides(), 4);
        let moved = Point { x: 1, y: 2 }.map(|v| v + 1);
        assert_eq!(moved, Point { x: 2, y: 3 });
        assert_eq!(Point::default().map(|v| v - 1), Point { x: -1, y: -1 });
    }

    #[test]
    fn drops() {
        let guards = vec![Guard(1), Guard(2)];
        drop(guards);
        std::panic::catch_unwind(|| {
            let _guard = Guard(4);
            panic!("drops while unwinding");
        })
        .unwrap_err();
        assert_eq!(DROPPED.load(Ordering::Relaxed), 7);
        std::mem::forget(Quiet);
    }
}
