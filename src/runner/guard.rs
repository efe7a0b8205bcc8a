//! Process groups: nothing that a test starts outlives this process, however this process ends.
//!
//! Each captured test binary leads a process group of its own, so that it can be ended together with what it started.
//! The price is that a terminal's Ctrl-C does not reach it, and that nobody is left to pass it on when this process is
//! killed. So a small shell watches: it holds the other end of a pipe and is told of each group that begins and ends.
//! When the pipe closes, it ends the groups that are left.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Reads `+ group` and `- group`, and `TERM target` or `KILL target` for a signal to be sent now, where a target is a process or,
/// behind a `-`, a group; at the end of its input ends the remaining groups, first politely.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
groups=' '
while read -r sign group; do
    case $sign in
        +) groups="$groups$group " ;;
        -) groups="${groups%% $group *} ${groups#* $group }" ;;
        *) kill -s "$sign" -- "$group" ;;
    esac
done
[ "$groups" = ' ' ] && exit
for group in $groups; do kill -s TERM -- "-$group"; done
sleep 1
for group in $groups; do kill -s KILL -- "-$group"; done
"#;

/// How a process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// It may clean up.
    Term,
    /// It may not.
    Kill,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Signal::Term => "TERM",
            Signal::Kill => "KILL",
        }
    }
}

/// The watching shell.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Mutex<Child>,
}

impl Guard {
    /// Starts to watch. `None` where there are no process groups or no shell; then tests stay in ours.
    pub(super) fn start() -> Option<Guard> {
        if !cfg!(unix) {
            return None;
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]);
        // None of our streams, or a reader of them would wait for the shell too.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Guard::separate(&mut command);
        Some(Guard { shell: Mutex::new(command.spawn().ok()?) })
    }

    /// Lets `command` start in a group of its own.
    #[cfg(unix)]
    pub(super) fn separate(command: &mut Command) {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
    }

    #[cfg(not(unix))]
    pub(super) fn separate(_command: &mut Command) {}

    /// The group of the process `leader` exists.
    pub(super) fn watch(&self, leader: u32) {
        self.tell(&format!("+ {leader}"));
    }

    /// The process `leader` has ended.
    pub(super) fn release(&self, leader: u32) {
        self.tell(&format!("- {leader}"));
    }

    /// Sends a signal to the group of the process `leader`.
    pub(super) fn signal_group(&self, signal: Signal, leader: u32) {
        self.tell(&format!("{} -{leader}", signal.name()));
    }

    /// Sends a signal to one process.
    pub(super) fn signal(&self, signal: Signal, process: u32) {
        self.tell(&format!("{} {process}", signal.name()));
    }

    /// A shell that is gone cannot be told; the tests go on without it.
    fn tell(&self, line: &str) {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let written: Option<io::Result<()>> =
            shell.stdin.as_mut().map(|stdin| stdin.write_all(format!("{line}\n").as_bytes()));
        drop(written);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(shell.stdin.take());
        let ended: io::Result<_> = shell.wait();
        drop(ended);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Guard, Signal};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};

    fn sleeper(guard: &Guard) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 60 & wait"]).stdin(Stdio::null());
        Guard::separate(&mut command);
        let child = command.spawn().expect("starts");
        guard.watch(child.id());
        child
    }

    #[test]
    fn signals_reach_a_group_and_a_single_process() {
        let guard = Guard::start().expect("there is a shell");
        let (mut group, mut single) = (sleeper(&guard), sleeper(&guard));
        guard.signal_group(Signal::Term, group.id());
        guard.signal(Signal::Kill, single.id());
        assert_eq!(group.wait().expect("ends").signal(), Some(15));
        assert_eq!(single.wait().expect("ends").signal(), Some(9));
        // What it has started would hold the output of this very test.
        guard.signal_group(Signal::Kill, single.id());
    }

    #[test]
    fn groups_that_were_not_released_end_with_the_guard() {
        let guard = Guard::start().expect("there is a shell");
        let (mut first, mut kept, mut last) = (sleeper(&guard), sleeper(&guard), sleeper(&guard));
        guard.release(kept.id());
        drop(guard);
        for child in [&mut first, &mut last] {
            let signal = child.wait().expect("ends").signal();
            assert!(matches!(signal, Some(9 | 15)), "{signal:?}");
        }
        assert_eq!(kept.try_wait().expect("can be asked"), None);
        let guard = Guard::start().expect("there is a shell");
        guard.signal_group(Signal::Kill, kept.id());
        kept.wait().expect("ends");
    }
}
