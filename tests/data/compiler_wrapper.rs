//! A compiler wrapper as users have them, such as sccache: writes down which crate it was called for, and runs the compiler.
//! Compiled by the tests that need one; the log is a file beside the program. A library that `CACHED` names is compiled as if
//! it came from a cache: the wrapper behind this one is never asked.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{exit, Command};

fn main() {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // As sccache has it: what is not called rustc is a compiler only if cargo puts it before rustc.
    let is_rustc = Path::new(&arguments[0]).file_stem() == Some("rustc".as_ref());
    assert!(is_rustc || std::env::var_os("CARGO").is_some(), "compiler not supported");

    let name = arguments.iter().skip_while(|it| *it != "--crate-name").nth(1).cloned();
    if let Some(name) = name.as_ref().filter(|name| *name != "___") {
        let log = std::env::current_exe().unwrap().with_extension("log");
        let mut log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        log.write_all(format!("{}\n", name.to_str().unwrap()).as_bytes()).unwrap();
    }
    let is_cached = name.is_some_and(|name| std::env::var_os("CACHED") == Some(name));
    if is_cached && !arguments.iter().any(|argument| argument == "--test") {
        arguments.remove(0);
    }
    let compiler = arguments.remove(0);
    exit(Command::new(compiler).args(arguments).status().unwrap().code().unwrap_or(1));
}
