//! A macro whose errors only UI tests see.

use proc_macro::TokenStream;

#[proc_macro]
pub fn number(input: TokenStream) -> TokenStream {
    match input.to_string().as_str() {
        "" => missing(),
        "by_cargo" => by_cargo(),
        "by_rustc" => by_rustc(),
        _ => input,
    }
}

/// In a file that must not compile.
fn missing() -> TokenStream {
    "compile_error!(\"a number is missing\")".parse().unwrap() // cov: 1
}

/// In a project that a test has built by cargo: another workspace with its own build of this crate, without counters.
fn by_cargo() -> TokenStream {
    "2".parse().unwrap() // cov: 0
}

/// In a file that a test has compiled against this build of the crate.
fn by_rustc() -> TokenStream {
    "3".parse().unwrap() // cov: 1
}
