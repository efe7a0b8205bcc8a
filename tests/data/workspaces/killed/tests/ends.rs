//! Starts `victim` once for each way to end.

// cov-file: excluded (a test target)

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
}

fn run(way: &str) -> ExitStatus { // cov: 8
    Command::new(VICTIM).arg(way).stderr(Stdio::null()).status().unwrap() // cov: 8
} // cov: 8

/// Starts a program that waits, and returns once it has run its lines.
fn start(way: &str) -> Child { // cov: 2
    let mut child = Command::new(VICTIM).arg(way).stdout(Stdio::piped()).spawn().unwrap(); // cov: 2
    let mut line = String::new(); // cov: 2
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap(); // cov: 2
    assert_eq!(line, "ready\n"); // cov: 2
    child // cov: 2
} // cov: 2

#[test]
fn sigkill() {
    let mut child = start("sigkill"); // cov: 1
    child.kill().unwrap(); // cov: 1
    assert_eq!(child.wait().unwrap().signal(), Some(SIGKILL)); // cov: 1
}

#[test]
fn sigterm() {
    let mut child = start("sigterm");
    assert_eq!(unsafe { kill(child.id() as i32, SIGTERM) }, 0);
    assert_eq!(child.wait().unwrap().signal(), Some(SIGTERM));
}

#[test]
fn abort() {
    assert_eq!(run("abort").signal(), Some(SIGABRT));
}

#[test]
fn exit() {
    assert_eq!(run("exit").code(), Some(4));
}

#[test]
fn underscore_exit() {
    assert_eq!(run("_exit").code(), Some(5));
}

#[test]
fn exec() {
    assert_eq!(run("exec").code(), Some(0));
}

#[test]
fn fork() {
    assert_eq!(run("fork").code(), Some(0));
}

#[test]
fn stack_overflow() {
    assert_eq!(run("stack-overflow").signal(), Some(SIGABRT));
}

#[test]
fn panic() {
    assert_eq!(run("panic").code(), Some(101));
}

#[test]
fn unknown() {
    assert_eq!(run("?").code(), Some(101));
}

#[test]
fn through_shell() {
    let status = Command::new("sh").args(["-c", "cd / && exec \"$0\" shell", VICTIM]).status().unwrap();
    assert!(status.success());
}
