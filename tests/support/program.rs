//! Programs that a test starts: in a clean environment, with both streams kept, and never for ever.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a program needs to find its own files and the toolchain, and nothing that changes what it does. In particular nothing
/// of what `cargo test` has put into our own environment.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "HOME",
    "PATH",
    "RUSTUP_HOME",
    // Under `cargo +nightly test` the programs are to use nightly too.
    "RUSTUP_TOOLCHAIN",
    "TMPDIR",
    // Windows.
    "APPDATA",
    "ComSpec",
    "LOCALAPPDATA",
    "PATHEXT",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "windir",
];

/// Far beyond what any test needs; a test that waits for a lock that it holds itself would never end.
const DEADLINE: Duration = Duration::from_secs(300);

/// A program about to be started.
pub(crate) struct Program {
    command: Command,
    input: Option<String>,
    deadline: Duration,
}

impl Program {
    /// Any program, with an environment of [`KEPT`] and `CARGO_NET_OFFLINE`.
    pub(crate) fn new(path: impl AsRef<OsStr>) -> Program {
        let mut command = Command::new(path);
        command.env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("CARGO_NET_OFFLINE", "true");
        Program { command, input: None, deadline: DEADLINE }
    }

    /// A program of this repository: when these tests are measured themselves, its lines count.
    pub(crate) fn ours(path: impl AsRef<OsStr>) -> Program {
        let program = Program::new(path);
        match std::env::var_os("LLVM_PROFILE_FILE") {
            Some(pattern) => program.env("LLVM_PROFILE_FILE", pattern),
            None => program,
        }
    }

    /// The cargo that runs this test.
    pub(crate) fn cargo() -> Program {
        Program::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Program {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away.
    pub(crate) fn env_remove(mut self, name: impl AsRef<OsStr>) -> Program {
        self.command.env_remove(name);
        self
    }

    /// Sets the working directory.
    pub(crate) fn current_dir(mut self, directory: impl AsRef<Path>) -> Program {
        self.command.current_dir(directory);
        self
    }

    /// Sets what the program reads from its standard input, which is empty otherwise.
    pub(crate) fn input(mut self, text: &str) -> Program {
        self.input = Some(text.to_string());
        self
    }

    /// Ends the program after so long instead of five minutes, with everything that it has started.
    pub(crate) fn deadline(mut self, deadline: Duration) -> Program {
        self.deadline = deadline;
        self
    }

    /// Runs the program to its end. Panics when it cannot be started or does not end in time.
    pub(crate) fn run(mut self) -> Finished {
        let command_line = self.command_line();
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        own_process_group(&mut self.command);
        let mut child =
            self.command.spawn().unwrap_or_else(|error| panic!("failed to start {command_line}: {error}"));
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let input = self.input.unwrap_or_default();
        // A program that does not read all of it is none of our business.
        thread::spawn(move || _ = stdin.write_all(input.as_bytes()));
        let stdout = read_in_background(child.stdout.take().expect("standard output is a pipe"));
        let stderr = read_in_background(child.stderr.take().expect("standard error is a pipe"));
        let status = wait(&mut child, self.deadline);
        let text = |thread: thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&thread.join().expect("reading does not panic")).into_owned()
        };
        let (stdout, stderr) = (text(stdout), text(stderr));
        match status {
            Some(status) => Finished { command_line, status, stdout, stderr },
            None => panic!(
                "{command_line} did not end within {:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
                self.deadline
            ),
        }
    }

    fn command_line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<OsString> = words.map(OsStr::to_os_string).collect();
        format!("`{}`", words.join(OsStr::new(" ")).display())
    }
}

/// A program that has ended, with everything that it wrote. What is not UTF-8 has become U+FFFD.
pub(crate) struct Finished {
    command_line: String,
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// The exit code, `None` after a signal.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Panics with all that is known unless the exit code is this one.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Finished {
        assert!(self.code() == Some(code), "expected exit code {code}\n{self}");
        self
    }

    /// Panics with all that is known unless the program succeeded.
    #[track_caller]
    pub(crate) fn expect_success(self) -> Finished {
        self.expect_code(0)
    }

    /// Panics with all that is known unless standard error contains the text.
    #[track_caller]
    pub(crate) fn expect_stderr(self, text: &str) -> Finished {
        assert!(self.stderr.contains(text), "expected `{text}` on stderr\n{self}");
        self
    }

    /// Panics with all that is known unless standard output contains the text.
    #[track_caller]
    pub(crate) fn expect_stdout(self, text: &str) -> Finished {
        assert!(self.stdout.contains(text), "expected `{text}` on stdout\n{self}");
        self
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finished { command_line, status, stdout, stderr } = self;
        write!(f, "{command_line}: {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

fn read_in_background(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could be read is worth more than the error.
        _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// `None` when the program was still running at the deadline, and has been killed.
fn wait(child: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        if start.elapsed() > deadline {
            kill_process_group(child);
            child.wait().expect("a child can be waited for");
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// What the program starts must end with it: a grandchild that is left holds our ends of the pipes open.
#[cfg(unix)]
fn own_process_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_process_group(_: &mut Command) {}

fn kill_process_group(child: &mut Child) {
    let id = child.id();
    let mut kill;
    if cfg!(windows) {
        kill = Command::new("taskkill");
        kill.args(["/T", "/F", "/PID", &id.to_string()]);
    } else {
        kill = Command::new("kill");
        kill.args(["-KILL", "--", &format!("-{id}")]);
    }
    if !kill.stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        // At least this one. It may have ended by itself meanwhile.
        _ = child.kill();
    }
}
