//! One process: its streams, its end. Knows nothing of tests.

use crate::runner::guard::Guard;
use std::io::{self, IsTerminal, PipeReader, Read};
use std::mem;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long output may still come when the process has ended. Something that it started and left behind can hold the pipe
/// open for ever.
const LEAK_GRACE: Duration = Duration::from_millis(200);

/// How a process went.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; an error if it could not be started or waited for.
    pub(super) status: io::Result<ExitStatus>,
    /// From start to end.
    pub(super) duration: Duration,
    /// Stdout and stderr in the order in which they were written; empty if they were inherited.
    pub(super) output: Vec<u8>,
    /// Whether something that the process started still held its streams when it was gone.
    pub(super) leaked: bool,
}

/// Runs `command` to its end with our own streams, as cargo does: in our process group, reading from our stdin.
pub(super) fn run_inherited(mut command: Command) -> Ended {
    let start = Instant::now();
    let status = spawn(&mut command).and_then(|mut child| child.wait());
    Ended { status, duration: start.elapsed(), output: Vec::new(), leaked: false }
}

/// Runs `command` to its end and keeps what it prints; `on_line` sees each line at once.
///
/// Stdin is inherited as under cargo, unless it is a terminal: of several processes in the background none may read it.
pub(super) fn run_captured(
    command: Command,
    guard: Option<&Guard>,
    on_line: impl FnMut(&str) + Send + 'static,
) -> Ended {
    let start = Instant::now();
    let (child, capture) = match start_captured(command, guard, on_line) {
        Ok(started) => started,
        Err(error) => {
            return Ended {
                status: Err(error),
                duration: start.elapsed(),
                output: Vec::new(),
                leaked: false,
            };
        }
    };
    let status = wait(child, guard);
    let duration = start.elapsed();
    let leaked = capture.done.recv_timeout(LEAK_GRACE).is_err();
    let output = mem::take(&mut *capture.output.lock().unwrap_or_else(PoisonError::into_inner));
    Ended { status, duration, output, leaked }
}

/// Output that is being read by a thread of its own, which nobody waits for: it may never come to an end.
struct Capture {
    output: Arc<Mutex<Vec<u8>>>,
    done: Receiver<()>,
}

fn start_captured(
    mut command: Command,
    guard: Option<&Guard>,
    on_line: impl FnMut(&str) + Send + 'static,
) -> io::Result<(Child, Capture)> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    command.stdin(if io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() });
    if guard.is_some() {
        Guard::separate(&mut command);
    }
    let child = spawn(&mut command)?;
    if let Some(guard) = guard {
        guard.watch(child.id());
    }
    // It holds the writing end, and the pipe ends only when nobody does.
    drop(command);
    let output = Arc::new(Mutex::new(Vec::new()));
    let (sender, done) = mpsc::channel();
    let shared = Arc::clone(&output);
    thread::spawn(move || {
        read_lines(reader, &shared, on_line);
        // Nobody listens any more if the process left something behind that held the pipe.
        let _ = sender.send(());
    });
    Ok((child, Capture { output, done }))
}

fn wait(mut child: Child, guard: Option<&Guard>) -> io::Result<ExitStatus> {
    let status = child.wait();
    if let Some(guard) = guard {
        guard.release(child.id());
    }
    status
}

/// Starts `command`. A program that was written a moment ago may still be open for writing in a child that another
/// thread is about to start; that passes.
fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..10 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
    command.spawn()
}

/// Adds everything from `reader` to `output`, until the end or an error, and hands over each line.
fn read_lines(mut reader: PipeReader, output: &Mutex<Vec<u8>>, mut on_line: impl FnMut(&str)) {
    let mut buffer = vec![0; 64 * 1024];
    let mut line: Vec<u8> = Vec::new();
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let chunk = &buffer[..count];
        output.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(chunk);
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                on_line(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Ended, run_captured};
    use std::process::Command;
    use std::sync::{Arc, Mutex};

    fn shell(script: &str) -> (Ended, Vec<String>) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&lines);
        let ended =
            run_captured(command, None, move |line| seen.lock().expect("no panic").push(line.to_owned()));
        let lines = lines.lock().expect("no panic").clone();
        (ended, lines)
    }

    #[test]
    fn both_streams_keep_their_order() {
        let (ended, lines) =
            shell("echo one; echo two >&2; printf three; echo ' four' >&2; printf last; exit 7");
        assert_eq!(String::from_utf8_lossy(&ended.output), "one\ntwo\nthree four\nlast");
        assert_eq!(lines, ["one", "two", "three four"]);
        assert_eq!(ended.status.expect("ran").code(), Some(7));
        assert!(!ended.leaked);
    }

    #[test]
    fn a_process_left_behind_holds_up_nobody() {
        let (ended, _) = shell("sleep 3 & echo out");
        assert_eq!(String::from_utf8_lossy(&ended.output), "out\n");
        assert!(ended.leaked);
    }

    #[test]
    fn a_program_that_is_not_there() {
        let ended = run_captured(Command::new("/nonexistent/program"), None, |_| {});
        assert_eq!(ended.status.expect_err("cannot start").kind(), std::io::ErrorKind::NotFound);
    }
}
