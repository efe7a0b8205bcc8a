//! Procedural macros. They run inside rustc, as often as it compiles a crate that uses them, and not at all when cargo
//! finds that crate compiled: a `+` asks for at least once. Lines that only the unit tests run are exact.

use proc_macro::{TokenStream, TokenTree};

/// Implements `fn name() -> &'static str` for a struct.
#[proc_macro_derive(Named, attributes(named))]
pub fn named(input: TokenStream) -> TokenStream { // cov: +
    let name = struct_name(input); // cov: +
    implementation(&name).parse().unwrap() // cov: +
} // cov: +

/// Returns the item as it is.
#[proc_macro_attribute]
pub fn unchanged(_: TokenStream, item: TokenStream) -> TokenStream {
    item // cov: +
}

/// The number of tokens given.
#[proc_macro]
pub fn count_tokens(input: TokenStream) -> TokenStream {
    input.into_iter().count().to_string().parse().unwrap() // cov: +
}

/// Invoked by nobody.
#[proc_macro]
pub fn nothing(_: TokenStream) -> TokenStream {
    TokenStream::new() // cov: 0
}

fn struct_name(input: TokenStream) -> String { // cov: +
    let mut after_struct = false; // cov: +
    for tree in input {
        if let TokenTree::Ident(ident) = tree {
            let ident = ident.to_string(); // cov: +
            if after_struct { // cov: +
                return ident; // cov: +
            }
            after_struct = ident == "struct"; // cov: +
        }
    }
    panic!("not a struct") // cov: 0
}

fn implementation(name: &str) -> String {
    format!("impl {name} {{ pub fn name() -> &'static str {{ {name:?} }} }}") // cov: +
}

/// Called by the unit tests only.
#[cfg_attr(not(test), allow(dead_code))]
fn checked(name: &str) -> bool { // cov: 2
    let Some(first) = name.chars().next() else { // cov: 2
        return false; // cov: 1
    };
    first.is_alphabetic() // cov: 1
} // cov: 2

#[cfg(test)]
mod tests {
    #[test]
    fn names() {
        assert!(super::checked("A") && !super::checked(""));
    }
}
