//! Procedural macros. They run inside rustc, once for each place that invokes them, and not at all when cargo finds what uses
//! them compiled: the counts of the first run have to stay.
//!
//! `app` is compiled as a library, as its tests of each kind and as its build script; each has other invocations.

mod text;

use proc_macro::TokenStream;

/// Derived in the library, which is compiled alone and as a test.
#[proc_macro_derive(Named)]
pub fn named(input: TokenStream) -> TokenStream { // cov: 2
    text::implementation(&input.to_string()).parse().unwrap() // cov: 2
} // cov: 2

/// On a function of the unit tests, and of the test without a harness.
#[proc_macro_attribute]
pub fn unchanged(_: TokenStream, item: TokenStream) -> TokenStream {
    item // cov: 2
}

/// In the integration test.
#[proc_macro]
pub fn count_tokens(input: TokenStream) -> TokenStream {
    input.into_iter().count().to_string().parse().unwrap() // cov: 1
}

/// In the build script, which the wrapper compiles without counters: the macro has them nevertheless.
#[proc_macro]
pub fn in_build_script(_: TokenStream) -> TokenStream {
    "7".parse().unwrap() // cov: 1
}

/// In a crate outside of the workspace, whose compiler is not wrapped.
#[proc_macro]
pub fn outside(_: TokenStream) -> TokenStream {
    "8".parse().unwrap() // cov: 1
}

/// Invoked by nobody.
#[proc_macro]
pub fn nothing(_: TokenStream) -> TokenStream {
    TokenStream::new() // cov: 0
}
