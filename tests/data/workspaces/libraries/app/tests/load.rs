//! Finds the libraries beside itself, as those do that test a plugin.

// cov-file: excluded (a test target)
#![cfg(unix)]

use std::path::PathBuf;
use std::process::Command;

/// `target/debug/deps/load-…` and `target/debug/deps/libplugin.so`: only `cargo build` puts libraries one level higher.
fn library(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let suffix = if cfg!(target_os = "macos") { "dylib" } else { "so" };
    own.with_file_name(format!("lib{name}.{suffix}"))
}

#[test]
fn loaded_here() {
    assert_eq!(app::call(&library("plugin"), "plugin_add", 1), 2);
    assert_eq!(app::call(&library("plugin"), "plugin_add", 2), 3);
    assert_eq!(app::call(&library("mixed"), "mixed_add", 1), 2);
}

#[test]
fn loaded_by_a_program() {
    let output = Command::new(env!("CARGO_BIN_EXE_app")).arg(library("plugin")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), "11");
}

#[test]
fn linked() {
    assert_eq!(mixed::mixed_add(2) + mixed::linked_only::<u32>(), 7);
}
