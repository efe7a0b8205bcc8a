//! What a person sees: messages on stderr, reports on stdout. The only place in the library that prints.
//!
//! Knows nothing of coverage. Nothing is global: whoever speaks was handed a [`Ui`].

pub mod color;
pub mod message;
pub mod progress;
pub mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;

use self::color::{ColorChoice, Style, paint};
use self::message::{cures, one_line, one_line_chain};
use self::progress::{Painter, Progress};
use self::settings::{Settings, Verbosity};

/// The two streams of the process, shared by all threads: each message comes out whole.
///
/// A message that cannot be written to stderr is lost, since there is no place left to complain.
pub struct Ui {
    settings: Settings,
    state: Mutex<State>,
}

/// What changes while we talk.
struct State {
    stderr: Box<dyn Write + Send>,
    /// `None` once the reader has gone away.
    stdout: Option<Box<dyn Write + Send>>,
    warnings: BTreeMap<&'static str, u64>,
    progress: Option<Painter>,
    /// Whether another program draws a progress line on our terminal.
    beside_another: bool,
}

impl Ui {
    /// A `Ui` on the streams of this process. `variable` looks up environment variables; [`Settings::decide`] lists them.
    pub fn new(verbosity: Verbosity, color: ColorChoice, variable: impl Fn(&str) -> Option<OsString>) -> Ui {
        let settings = Settings::decide(verbosity, color, variable, settings::terminals());
        // Rust flushes its own standard output after every line: too often for reports of many megabytes.
        let stdout = BufWriter::with_capacity(1 << 16, io::stdout());
        Ui::with_streams(settings, Box::new(io::stderr()), Box::new(stdout))
    }

    /// A `Ui` on any two streams, for tests.
    pub fn with_streams(
        settings: Settings,
        stderr: Box<dyn Write + Send>,
        stdout: Box<dyn Write + Send>,
    ) -> Ui {
        let state = State {
            stderr,
            stdout: Some(stdout),
            warnings: BTreeMap::new(),
            progress: None,
            beside_another: false,
        };
        Ui { settings, state: Mutex::new(state) }
    }

    /// How this `Ui` was told to behave: verbosity, colors, widths.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A step of the work, in cargo's layout: `     Running tests of app`. Silent under `-q`.
    pub fn status(&self, verb: &str, message: impl Display) {
        self.status_at(Verbosity::Normal, verb, message);
    }

    /// A status line that only `-v` shows.
    pub fn detail(&self, verb: &str, message: impl Display) {
        self.status_at(Verbosity::Verbose, verb, message);
    }

    fn status_at(&self, least: Verbosity, verb: &str, message: impl Display) {
        if self.settings.verbosity < least {
            return;
        }
        let verb = paint(Style::Status, &format!("{verb:>12}"), self.settings.stderr_color);
        self.say(&format!("{verb} {}\n", one_line(&message.to_string())));
    }

    /// `note: …`: something to know that changes no number. Silent under `-q`.
    pub fn note(&self, message: impl Display) {
        if self.settings.verbosity > Verbosity::Quiet {
            self.labelled(Style::Note, "note", &one_line(&message.to_string()));
        }
    }

    /// `warning: … [slug]`, counted by slug. Shown under `-q` too: the numbers may be wrong.
    ///
    /// The slug names the kind of warning in the documentation.
    pub fn warning(&self, slug: &'static str, message: impl Display) {
        self.warning_of(1, slug, message);
    }

    /// The same for a message that speaks of several things, `count` of them: what is counted is what was lost, however many
    /// lines say so.
    pub fn warning_of(&self, count: u64, slug: &'static str, message: impl Display) {
        self.count_warnings(count, slug);
        self.labelled(Style::Warning, "warning", &format!("{} [{slug}]", one_line(&message.to_string())));
    }

    /// Counts what an error says, in place of a warning.
    pub fn count_warning(&self, slug: &'static str) {
        self.count_warnings(1, slug);
    }

    fn count_warnings(&self, count: u64, slug: &'static str) {
        let mut state = self.lock();
        let counted = state.warnings.entry(slug).or_insert(0);
        *counted = counted.saturating_add(count);
    }

    /// How many things were warned of, by slug.
    pub fn warning_counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().warnings.clone()
    }

    /// `error: …`: the whole chain of causes on one line, each cause once, then a `help: …` line for each cure in it.
    pub fn error(&self, error: &anyhow::Error) {
        self.labelled(Style::Error, "error", &one_line_chain(error));
        for cure in cures(error) {
            self.labelled(Style::Help, "help", &one_line(&cure));
        }
    }

    /// `failed: …`: one thing of many that did not succeed. Shown under `-q` too.
    pub fn failure(&self, message: impl Display) {
        self.labelled(Style::Error, "failed", &one_line(&message.to_string()));
    }

    fn labelled(&self, style: Style, label: &str, message: &str) {
        let label = paint(style, &format!("{label}:"), self.settings.stderr_color);
        self.say(&format!("{label} {message}\n"));
    }

    /// Passes on what a child process wrote, or a report that makes way for one, on stderr and as it is, in one piece. A missing
    /// line end is added.
    pub fn relay(&self, output: &[u8]) {
        let mut state = self.lock();
        state.erase_progress();
        let _ = state.stderr.write_all(output);
        if output.last().is_some_and(|last| *last != b'\n') {
            let _ = state.stderr.write_all(b"\n");
        }
        let _ = state.stderr.flush();
    }

    /// Prints a report on stdout.
    ///
    /// A reader that goes away, as `head` does, has all that it wants: that is success, for this and all later reports.
    ///
    /// # Errors
    /// Anything else that keeps the report from being written, for example a full disk behind `>`.
    pub fn print(&self, report: &str) -> anyhow::Result<()> {
        let mut stdout = self.stdout();
        stdout
            .write_all(report.as_bytes())
            .and_then(|()| stdout.flush())
            .context("failed to write to standard output")
    }

    /// Standard output for a report that is written piece by piece; see [`Ui::print`]. Ends with [`Write::flush`].
    pub fn stdout(&self) -> Stdout<'_> {
        Stdout { ui: self }
    }

    /// Starts a progress line; see [`Progress`]. There is one at a time: a new one replaces the old.
    pub fn progress(&self, verb: &'static str) -> Progress<'_> {
        if self.settings.progress {
            let mut state = self.lock();
            state.erase_progress();
            state.progress = Some(Painter::new(verb));
        }
        Progress { ui: self }
    }

    /// Whether another program, such as cargo, draws a progress line on our terminal from now on. Ours waits until then, and what we
    /// print takes the place of the other's line, which leaves the cursor at its start and draws it again.
    pub fn beside_another_program(&self, yes: bool) {
        let mut state = self.lock();
        state.erase_progress();
        state.beside_another = yes && self.settings.progress;
    }

    fn say(&self, line: &str) {
        let mut state = self.lock();
        state.erase_progress();
        let _ = state.stderr.write_all(line.as_bytes());
        let _ = state.stderr.flush();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it spoke left nothing half-changed that matters for the next message.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn erase_progress(&mut self) {
        if self.beside_another {
            let _ = self.stderr.write_all(b"\r\x1b[K");
        }
        if let Some(painter) = &mut self.progress {
            painter.erase(&mut self.stderr);
        }
    }

    /// Does `step` on stdout, unless its reader has gone away before or does so now.
    fn on_stdout(&mut self, step: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
        self.erase_progress();
        let Some(stdout) = &mut self.stdout else { return Ok(()) };
        match step(stdout.as_mut()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.stdout = None;
                Ok(())
            }
            result => result,
        }
    }
}

/// Standard output as a sink. A broken pipe is success; the progress line makes way.
pub struct Stdout<'ui> {
    ui: &'ui Ui,
}

impl Write for Stdout<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.ui.lock().on_stdout(|stdout| stdout.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ui.lock().on_stdout(|stdout| stdout.flush())
    }
}
