//! How the streams behave: how much is said, in color or not, how wide.

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use super::color::{ColorChoice, use_color};

/// How much is said. Each level says what the one before it says, and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: warnings, errors, failing tests, reports.
    Quiet,
    /// Also a status line for each step.
    Normal,
    /// `-v`: also what a step did in detail, such as the commands that it ran.
    Verbose,
    /// `-vv`: also what cargo says under `-vv`.
    VeryVerbose,
}

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, for reports.
    Stdout,
    /// Standard error, for messages.
    Stderr,
}

/// The decisions about the two streams, made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much is said.
    pub verbosity: Verbosity,
    /// Whether messages are colored.
    pub stderr_color: bool,
    /// Whether reports are colored.
    pub stdout_color: bool,
    /// Whether there is a progress line.
    pub progress: bool,
    /// Columns that a report on standard error may take; see `stdout_width`.
    pub stderr_width: Option<usize>,
    /// Columns that a report may take. `None` where it goes to a pipe or a file, which have no width: nothing is shortened
    /// there, so that what is searched for is found.
    pub stdout_width: Option<usize>,
}

/// The width in columns of each stream that is a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminals {
    /// Of standard error; `None` when it is no terminal.
    pub stderr: Option<usize>,
    /// Of standard output; `None` when it is no terminal.
    pub stdout: Option<usize>,
}

/// The width where none is known.
pub(super) const USUAL_WIDTH: usize = 80;

impl Settings {
    /// Decides from flags, environment and terminals.
    ///
    /// Color: see [`use_color`]. Width: `COLUMNS` where it is a positive number, else the terminal's. A progress line: on a
    /// terminal, unless `-q`, or `CI` or `TF_BUILD` is set, or `TERM` is `dumb`, or `CARGO_TERM_PROGRESS_WHEN` is `never`,
    /// which are the conditions of cargo's own progress bar.
    pub fn decide(
        verbosity: Verbosity,
        color: ColorChoice,
        variable: impl Fn(&str) -> Option<OsString>,
        terminals: Terminals,
    ) -> Settings {
        let is = |name: &str, expected: &str| variable(name).is_some_and(|value| value == expected);
        let columns = variable("COLUMNS")
            .and_then(|columns| columns.to_str()?.trim().parse().ok())
            .filter(|columns: &usize| *columns > 0);
        Settings {
            verbosity,
            stderr_color: use_color(color, &variable, terminals.stderr.is_some()),
            stdout_color: use_color(color, &variable, terminals.stdout.is_some()),
            progress: terminals.stderr.is_some()
                && verbosity > Verbosity::Quiet
                && !["CI", "TF_BUILD"].iter().any(|name| variable(name).is_some())
                && !is("TERM", "dumb")
                && !is("CARGO_TERM_PROGRESS_WHEN", "never"),
            stderr_width: columns.or(terminals.stderr),
            stdout_width: columns.or(terminals.stdout),
        }
    }
}

/// Asks the system about the streams of this process.
pub(super) fn terminals() -> Terminals {
    // A terminal that does not tell its width, or tells zero, as some pseudo-terminals do, still is one.
    let known = |size: Option<(terminal_size::Width, terminal_size::Height)>| match size {
        Some((terminal_size::Width(columns), _)) if columns > 0 => usize::from(columns),
        _ => USUAL_WIDTH,
    };
    let (stderr, stdout) = (io::stderr(), io::stdout());
    Terminals {
        stderr: stderr.is_terminal().then(|| known(terminal_size::terminal_size_of(&stderr))),
        stdout: stdout.is_terminal().then(|| known(terminal_size::terminal_size_of(&stdout))),
    }
}

/// Whether a stream ends in a file on disk, and is no log that somebody reads as it grows.
pub fn is_file(stream: Stream) -> bool {
    #[cfg(unix)]
    let file = {
        use std::os::fd::AsFd;
        match stream {
            Stream::Stdout => io::stdout().as_fd().try_clone_to_owned(),
            Stream::Stderr => io::stderr().as_fd().try_clone_to_owned(),
        }
    };
    #[cfg(windows)]
    let file = {
        use std::os::windows::io::AsHandle;
        match stream {
            Stream::Stdout => io::stdout().as_handle().try_clone_to_owned(),
            Stream::Stderr => io::stderr().as_handle().try_clone_to_owned(),
        }
    };
    file.is_ok_and(|file| std::fs::File::from(file).metadata().is_ok_and(|metadata| metadata.is_file()))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{ColorChoice, Settings, Terminals, Verbosity};

    const BOTH: Terminals = Terminals { stderr: Some(120), stdout: Some(100) };
    const PIPES: Terminals = Terminals { stderr: None, stdout: None };

    fn decide(verbosity: Verbosity, environment: &[(&str, &str)], terminals: Terminals) -> Settings {
        let variable = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        Settings::decide(verbosity, ColorChoice::Auto, variable, terminals)
    }

    #[test]
    fn progress_is_for_people_who_watch() {
        for (verbosity, environment, terminals, expected) in [
            (Verbosity::Normal, &[][..], BOTH, true),
            (Verbosity::Verbose, &[("TERM", "xterm"), ("CARGO_TERM_PROGRESS_WHEN", "auto")], BOTH, true),
            (Verbosity::Normal, &[], Terminals { stdout: None, ..BOTH }, true),
            (Verbosity::Normal, &[("NO_COLOR", "1")], BOTH, true),
            (Verbosity::Normal, &[], PIPES, false),
            (Verbosity::Normal, &[], Terminals { stderr: None, ..BOTH }, false),
            (Verbosity::Quiet, &[], BOTH, false),
            (Verbosity::Normal, &[("CI", "true")], BOTH, false),
            (Verbosity::Normal, &[("TF_BUILD", "True")], BOTH, false),
            (Verbosity::Normal, &[("TERM", "dumb")], BOTH, false),
            (Verbosity::Normal, &[("CARGO_TERM_PROGRESS_WHEN", "never")], BOTH, false),
        ] {
            let actual = decide(verbosity, environment, terminals).progress;
            assert_eq!(actual, expected, "{verbosity:?} {environment:?} {terminals:?}");
        }
    }

    #[test]
    fn width_is_that_of_columns_or_the_terminal() {
        for (environment, terminals, expected) in [
            (&[][..], BOTH, (Some(120), Some(100))),
            (&[], PIPES, (None, None)),
            (&[("COLUMNS", "61")], BOTH, (Some(61), Some(61))),
            (&[("COLUMNS", "61")], PIPES, (Some(61), Some(61))),
            (&[("COLUMNS", "")], BOTH, (Some(120), Some(100))),
            (&[("COLUMNS", "0")], BOTH, (Some(120), Some(100))),
            (&[("COLUMNS", "wide")], PIPES, (None, None)),
        ] {
            let settings = decide(Verbosity::Normal, environment, terminals);
            assert_eq!((settings.stderr_width, settings.stdout_width), expected, "{environment:?}");
        }
    }

    #[test]
    fn each_stream_has_its_own_color() {
        let settings = decide(Verbosity::Normal, &[], Terminals { stdout: None, ..BOTH });
        assert!(settings.stderr_color && !settings.stdout_color);
        let settings = decide(Verbosity::Normal, &[], Terminals { stderr: None, ..BOTH });
        assert!(!settings.stderr_color && settings.stdout_color);
    }
}
