//! Writes what a process was started with, for comparison with what cargo starts it with.
//!
//! ```
//! env_dump::write("doctest");
//! ```

use std::fmt::Write;
use std::path::PathBuf;

/// Writes `<kind>.txt` into the directory that `ENV_DUMP_DIR` names: a line for each argument, for the working directory and
/// for each variable, sorted by name, everything quoted as Rust does.
pub fn write(kind: &str) {
    let directory = std::env::var_os("ENV_DUMP_DIR").expect("ENV_DUMP_DIR must name a directory");
    let mut text = String::new();
    for argument in std::env::args_os() {
        writeln!(text, "arg {argument:?}").unwrap();
    }
    writeln!(text, "cwd {:?}", std::env::current_dir().unwrap()).unwrap();
    let mut variables: Vec<_> = std::env::vars_os().collect();
    variables.sort();
    for (name, value) in variables {
        writeln!(text, "env {name:?} {value:?}").unwrap();
    }
    std::fs::write(PathBuf::from(directory).join(format!("{kind}.txt")), text).unwrap();
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        super::write("unit");
        assert_eq!(env!("ENV_DUMP_BUILD_SCRIPT"), "set by the build script");
    }
}
