//! `macro_rules!` for the crate `user`.

/// Expands to an expression: counted where it is invoked.
#[macro_export]
macro_rules! doubled { // cov: -
    ($value:expr) => { // cov: -
        $value * 2 // cov: -
    };
}

/// Expands to a whole function: counted here, in another crate's file, over all invocations.
#[macro_export]
macro_rules! function {
    ($name:ident, $add:expr) => {
        pub fn $name(value: u32) -> u32 { // cov: 3
            if value > 10 { // cov: 3
                return value; // cov: 1
            } // cov: 2
            value + $add // cov: 2
        } // cov: 3
    };
}

/// Never expanded: there is no function to count.
#[macro_export]
macro_rules! unused_function {
    ($name:ident) => {
        pub fn $name(value: u32) -> u32 { // cov: -
            value // cov: -
        }
    };
}

/// Expands to a function that is never called.
#[macro_export]
macro_rules! uncalled_function {
    ($name:ident) => {
        pub fn $name(value: u32) -> u32 {
            value + 3 // cov: 0
        }
    };
}

#[doc(hidden)]
pub fn support(value: u32) -> u32 {
    value + 100 // cov: 2
}

/// Calls a function of this crate from the one that invokes it.
#[macro_export]
macro_rules! supported {
    ($value:expr) => {
        $crate::support($value)
    };
}
