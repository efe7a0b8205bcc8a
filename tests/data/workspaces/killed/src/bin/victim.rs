//! Runs some lines, then ends in the way that its argument names.
//!
//! No line of `main` is marked: how often the code of a function counts that never returns depends on where rustc puts the
//! counters. What it called is exact.

use std::io::Write;

extern "C" {
    fn _exit(code: i32) -> !;
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

fn main() {
    let way = std::env::args().nth(1).unwrap_or_default();
    match way.as_str() {
        "sigkill" => {
            killed::before_sigkill();
            wait_for_signal();
        }
        "sigterm" => {
            killed::before_sigterm();
            wait_for_signal();
        }
        "abort" => {
            killed::before_abort();
            std::process::abort();
        }
        "exit" => {
            killed::before_exit();
            std::process::exit(4);
        }
        "_exit" => {
            killed::before_underscore_exit();
            unsafe { _exit(5) }
        }
        "exec" => {
            killed::before_exec();
            become_another();
        }
        "after-exec" => {
            killed::after_exec();
        }
        "shell" => {
            killed::through_shell();
            assert_eq!(std::env::current_dir().unwrap(), std::path::Path::new("/"));
        }
        "fork" => {
            killed::before_fork();
            forked();
        }
        "stack-overflow" => {
            killed::before_stack_overflow();
            println!("{}", deeper(1));
        }
        "panic" => {
            killed::before_panic();
            panic!("ends by a panic");
        }
        "never" => {
            killed::never();
        }
        _ => panic!("unknown way {way:?}"),
    }
}

/// Says that the lines are run, then waits for the end.
fn wait_for_signal() -> ! {
    println!("ready");
    std::io::stdout().flush().unwrap();
    // Not for ever, should nobody end it.
    std::thread::sleep(std::time::Duration::from_secs(60));
    panic!("nobody ended this process");
}

fn become_another() {
    use std::os::unix::process::CommandExt;
    let this = std::env::current_exe().unwrap();
    panic!("{}", std::process::Command::new(this).arg("after-exec").exec());
}

fn forked() {
    let pid = unsafe { fork() };
    if pid == 0 {
        killed::after_fork_in_child();
        std::process::exit(0);
    }
    let mut status = 0;
    assert_eq!(unsafe { waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0);
    killed::after_fork_in_parent();
}

#[allow(unconditional_recursion)]
fn deeper(level: u64) -> u64 {
    std::hint::black_box([level; 1000])[0] + deeper(level + 1) + level
}
