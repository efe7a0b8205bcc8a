//! One process: its streams, its end. Knows nothing of tests.

use super::guard::{Guard, Signal};
use super::leftover::{self, Leftover};
use crate::interrupt::Interrupt;
use anyhow::Result;
use std::io::{self, IsTerminal, PipeReader, Read};
use std::mem;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long output may still come when the process has ended. Something that it started and left behind can hold the pipe
/// open for ever.
const LEAK_GRACE: Duration = Duration::from_millis(200);

/// The same where nobody can be seen to hold the pipe: then it is most likely us who are slow to read, on a busy machine.
const BUSY_GRACE: Duration = Duration::from_secs(5);

/// The longest time between two looks at a process that prints nothing.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How long a process may take to end once it was asked to.
const TERM_GRACE: Duration = Duration::from_secs(5);

/// After an interrupt somebody waits in front of the terminal.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);

/// How often somebody is told that a process still runs.
const NOTICE: Duration = Duration::from_secs(60);

/// How a process went.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; an error if it could not be started or waited for.
    pub(super) status: Result<ExitStatus>,
    /// From start to end.
    pub(super) duration: Duration,
    /// Stdout and stderr in the order in which they were written; empty if they were inherited.
    pub(super) output: Vec<u8>,
    /// What it had started and still held its streams when it was gone.
    pub(super) leftovers: Vec<Leftover>,
    /// Why we have ended it, if we have.
    pub(super) cut_short: Option<CutShort>,
}

/// Why a process was ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutShort {
    /// It took longer than this.
    TimedOut(Duration),
    /// The user wanted to stop.
    Interrupted,
}

/// What a process is watched for while it runs.
pub(super) struct Watch<'a> {
    /// Passes signals on, where there are process groups.
    pub(super) guard: Option<&'a Guard>,
    /// How long it may run.
    pub(super) timeout: Option<Duration>,
    /// Whether to stop altogether: the user's wish, and ours.
    pub(super) interrupts: [&'a Interrupt; 2],
    /// Told each minute how long it has been running.
    pub(super) on_notice: &'a dyn Fn(Duration),
}

/// Runs `command` to its end with our own streams, as cargo does: in our process group, reading from our stdin.
pub(super) fn run_inherited(mut command: Command, watch: &Watch<'_>) -> Ended {
    let start = Instant::now();
    match spawn(&mut command) {
        Ok(child) => {
            let (status, cut_short) = wait(child, false, watch, &mpsc::channel().1);
            Ended { status, duration: start.elapsed(), output: Vec::new(), leftovers: Vec::new(), cut_short }
        }
        Err(error) => Ended::not_started(error.into()),
    }
}

/// Runs `command` to its end and keeps what it prints; `on_line` sees each line at once, with the time since the start.
///
/// Stdin is inherited as under cargo, unless it is a terminal: of several processes in the background none may read it.
pub(super) fn run_captured(
    command: Command,
    watch: &Watch<'_>,
    on_line: impl FnMut(&str, Duration) + Send + 'static,
) -> Ended {
    let start = Instant::now();
    let (child, capture) = match start_captured(command, watch.guard, on_line) {
        Ok(started) => started,
        Err(error) => return Ended::not_started(error.into()),
    };
    let leader = child.id();
    let (status, cut_short) = wait(child, true, watch, &capture.done);
    let duration = start.elapsed();
    // Without a sender, everything was read; a message says the same.
    let is_open = |grace| capture.done.recv_timeout(grace) == Err(RecvTimeoutError::Timeout);
    let mut leftovers = Vec::new();
    if is_open(LEAK_GRACE) {
        leftovers = leftover::find(leader, capture.pipe.as_deref());
        if leftovers.is_empty() && is_open(BUSY_GRACE) {
            leftovers.push(Leftover::UNSEEN);
        }
    }
    let output = mem::take(&mut *capture.output.lock().unwrap_or_else(PoisonError::into_inner));
    Ended { status, duration, output, leftovers, cut_short }
}

impl Ended {
    /// A process that never was.
    pub(super) fn not_started(error: anyhow::Error) -> Ended {
        Ended {
            status: Err(error),
            duration: Duration::ZERO,
            output: Vec::new(),
            leftovers: Vec::new(),
            cut_short: None,
        }
    }
}

/// Output that is being read by a thread of its own, which nobody waits for: it may never come to an end.
struct Capture {
    output: Arc<Mutex<Vec<u8>>>,
    /// Closed when all of it was read.
    done: Receiver<()>,
    /// What the system calls the pipe, where it tells.
    pipe: Option<String>,
}

fn start_captured(
    mut command: Command,
    guard: Option<&Guard>,
    mut on_line: impl FnMut(&str, Duration) + Send + 'static,
) -> io::Result<(Child, Capture)> {
    let (reader, writer) = io::pipe()?;
    let pipe = leftover::name_of(&reader);
    command.stdout(writer.try_clone()?).stderr(writer);
    command.stdin(if io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() });
    if guard.is_some() {
        Guard::separate(&mut command);
    }
    let start = Instant::now();
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
        read_lines(reader, &shared, |line| on_line(line, start.elapsed()));
        drop(sender);
    });
    Ok((child, Capture { output, done, pipe }))
}

/// Waits for `child`, a leader of a group of its own or not, and ends it when it has to be. `done` is closed when it has closed
/// its output, which mostly means that it is about to end.
fn wait(
    mut child: Child,
    leads_group: bool,
    watch: &Watch<'_>,
    done: &Receiver<()>,
) -> (Result<ExitStatus>, Option<CutShort>) {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut next_notice = NOTICE;
    let mut ending: Option<Ending> = None;
    let signal = |signal: Signal, child: &mut Child| match watch.guard {
        Some(guard) if leads_group => guard.signal_group(signal, child.id()),
        Some(guard) => guard.signal(signal, child.id()),
        // It may have ended a moment ago.
        None => drop(child.kill()),
    };
    let status = loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => break Ok(status),
            Err(error) => break Err(error.into()),
        }
        let elapsed = start.elapsed();
        match &mut ending {
            None => {
                let timed_out = watch.timeout.filter(|timeout| elapsed >= *timeout);
                let cut_short = match timed_out {
                    _ if watch.interrupts.iter().any(|it| it.is_set()) => {
                        Some((CutShort::Interrupted, INTERRUPT_GRACE))
                    }
                    Some(timeout) => Some((CutShort::TimedOut(timeout), TERM_GRACE)),
                    None => None,
                };
                if let Some((why, grace)) = cut_short {
                    signal(Signal::Term, &mut child);
                    ending = Some(Ending { why, kill_at: elapsed + grace, killed: false });
                } else if elapsed >= next_notice {
                    (watch.on_notice)(elapsed);
                    next_notice += NOTICE;
                }
            }
            Some(ending) if elapsed >= ending.kill_at && !ending.killed => {
                signal(Signal::Kill, &mut child);
                ending.killed = true;
            }
            Some(_) => {}
        }
        match done.recv_timeout(pause) {
            // Nobody will speak any more, so sleeping is left to us.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(pause.min(Duration::from_millis(2))),
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    if let Some(guard) = watch.guard.filter(|_| leads_group) {
        if ending.is_some() {
            // What it had started may not have listened.
            guard.signal_group(Signal::Kill, child.id());
        }
        guard.release(child.id());
    }
    let interrupted = watch.interrupts.iter().any(|it| it.is_set());
    let cut_short = match &status {
        Ok(status) if !leads_group => ended_with_us(*status, interrupted),
        _ => None,
    };
    (status, ending.map(|ending| ending.why).or(cut_short))
}

/// Why a process of our own group has ended before we asked it to: a terminal's Ctrl-C goes to all of the group, and most do not
/// survive it.
fn ended_with_us(status: ExitStatus, interrupted: bool) -> Option<CutShort> {
    (interrupted && !status.success()).then_some(CutShort::Interrupted)
}

/// The end of a process that was asked to end.
struct Ending {
    why: CutShort,
    /// When it is not asked any more but killed, since its start.
    kill_at: Duration,
    killed: bool,
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
    use super::{CutShort, Ended, LEAK_GRACE, Watch, ended_with_us, run_captured, run_inherited};
    use crate::interrupt::Interrupt;
    use crate::runner::guard::Guard;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus, Stdio};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    fn command(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn watched(script: &str, guard: Option<&Guard>, timeout: Option<Duration>) -> (Ended, Vec<String>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&lines);
        let never = Interrupt::default();
        let watch = Watch { guard, timeout, interrupts: [&never; 2], on_notice: &|_| {} };
        let ended = run_captured(command(script), &watch, move |line, _| {
            seen.lock().expect("no panic").push(line.to_owned())
        });
        let lines = lines.lock().expect("no panic").clone();
        (ended, lines)
    }

    fn shell(script: &str) -> (Ended, Vec<String>) {
        watched(script, None, None)
    }

    #[test]
    fn both_streams_keep_their_order() {
        let (ended, lines) =
            shell("echo one; echo two >&2; printf three; echo ' four' >&2; printf last; exit 7");
        assert_eq!(String::from_utf8_lossy(&ended.output), "one\ntwo\nthree four\nlast");
        assert_eq!(lines, ["one", "two", "three four"]);
        assert_eq!(ended.status.expect("ran").code(), Some(7));
        assert!(ended.leftovers.is_empty());
    }

    #[test]
    fn a_process_left_behind_holds_up_nobody_and_is_named() {
        let guard = Guard::start();
        let (ended, _) = watched("sleep 3 & echo out", guard.as_ref(), None);
        assert_eq!(String::from_utf8_lossy(&ended.output), "out\n");
        let [leftover] = ended.leftovers.as_slice() else { panic!("one: {:?}", ended.leftovers) };
        assert!(leftover.command.contains("sleep 3"), "{leftover:?}");
    }

    #[test]
    fn who_reads_slowly_sees_nobody_left_behind() {
        let never = Interrupt::default();
        let watch = Watch { guard: None, timeout: None, interrupts: [&never; 2], on_notice: &|_| {} };
        let ended = run_captured(command("echo out"), &watch, |_, _| thread::sleep(LEAK_GRACE * 2));
        assert_eq!(String::from_utf8_lossy(&ended.output), "out\n");
        assert!(ended.leftovers.is_empty(), "{:?}", ended.leftovers);
    }

    #[test]
    fn a_ctrl_c_that_reaches_all_is_no_failure() {
        let interrupted = Some(CutShort::Interrupted);
        assert_eq!(ended_with_us(ExitStatus::from_raw(2), true), interrupted);
        assert_eq!(ended_with_us(ExitStatus::from_raw(130 << 8), true), interrupted);
        assert_eq!(ended_with_us(ExitStatus::from_raw(0), true), None);
        assert_eq!(ended_with_us(ExitStatus::from_raw(2), false), None);
    }

    #[test]
    fn a_program_that_is_not_there() {
        let never = Interrupt::default();
        let watch = Watch { guard: None, timeout: None, interrupts: [&never; 2], on_notice: &|_| {} };
        let ended = run_captured(Command::new("/nonexistent/program"), &watch, |_, _| {});
        let error = ended.status.expect_err("cannot start");
        assert!(error.to_string().contains("No such file"), "{error}");
    }

    #[test]
    fn a_process_that_takes_too_long_ends_with_what_it_started() {
        let guard = Guard::start().expect("there is a shell");
        let timeout = Duration::from_millis(100);
        let script = "trap 'echo asked; exit 3' TERM; sleep 60 & echo begun; wait";
        let (ended, lines) = watched(script, Some(&guard), Some(timeout));
        assert_eq!(ended.cut_short, Some(CutShort::TimedOut(timeout)));
        assert_eq!(lines, ["begun", "asked"], "politely first, and nobody holds the output any more");
        assert_eq!(ended.status.expect("ran").code(), Some(3));
        assert!(ended.leftovers.is_empty());
    }

    #[test]
    fn without_capture_it_ends_too() {
        let guard = Guard::start();
        let timeout = Duration::from_millis(100);
        let never = Interrupt::default();
        let watch = Watch {
            guard: guard.as_ref(),
            timeout: Some(timeout),
            interrupts: [&never; 2],
            on_notice: &|_| {},
        };
        let mut command = command("exec sleep 60");
        command.stdin(Stdio::null());
        let ended = run_inherited(command, &watch);
        assert_eq!(ended.cut_short, Some(CutShort::TimedOut(timeout)));
        assert_eq!(ended.status.expect("ran").signal(), Some(15));
    }
}
