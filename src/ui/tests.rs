//! What is said, where and how: streams in memory stand for those of a process.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::anyhow;

use super::Ui;
use super::message::Advised;
use super::settings::{Settings, Verbosity};

/// A stream that keeps what was written, each `write` call as a piece of its own.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<String>>>);

impl Tape {
    fn pieces(&self) -> Vec<String> {
        self.0.lock().expect("no writer panicked").clone()
    }

    fn text(&self) -> String {
        self.pieces().concat()
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panicked").push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that fails from the start.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

const PLAIN: Settings = Settings {
    verbosity: Verbosity::Normal,
    stderr_color: false,
    stdout_color: false,
    progress: false,
    stderr_width: Some(40),
    stdout_width: None,
};

fn check(settings: Settings, speak: impl FnOnce(&Ui), expected_stderr: &str) {
    let (stderr, stdout) = (Tape::default(), Tape::default());
    let ui = Ui::with_streams(settings, Box::new(stderr.clone()), Box::new(stdout.clone()));
    speak(&ui);
    // However slow the machine is, the clock of the progress line stands still.
    let frozen = (1..10).fold(stderr.text(), |text, n| text.replace(&format!(" 0:0{n}: "), " 0:00: "));
    assert_eq!(frozen, expected_stderr);
    assert_eq!(stdout.text(), "");
}

fn say_all(ui: &Ui) {
    ui.status("Running", "tests of app");
    ui.detail("Running", "cargo test");
    ui.note("a\nnote");
    ui.warning("old-profile", "profile is old");
    ui.error(&anyhow!(Advised::new("no data", "run tests")).context("failed"));
}

#[test]
fn messages_look_like_cargos() {
    check(
        PLAIN,
        say_all,
        concat!(
            "     Running tests of app\n",
            "note: a note\n",
            "warning: profile is old [old-profile]\n",
            "error: failed: no data\n",
            "help: run tests\n",
        ),
    );
    check(
        Settings { stderr_color: true, verbosity: Verbosity::Verbose, ..PLAIN },
        say_all,
        concat!(
            "\x1b[1;32m     Running\x1b[0m tests of app\n",
            "\x1b[1;32m     Running\x1b[0m cargo test\n",
            "\x1b[1;36mnote:\x1b[0m a note\n",
            "\x1b[1;33mwarning:\x1b[0m profile is old [old-profile]\n",
            "\x1b[1;31merror:\x1b[0m failed: no data\n",
            "\x1b[1;36mhelp:\x1b[0m run tests\n",
        ),
    );
    check(
        Settings { verbosity: Verbosity::Quiet, ..PLAIN },
        say_all,
        concat!("warning: profile is old [old-profile]\n", "error: failed: no data\n", "help: run tests\n"),
    );
}

#[test]
fn warnings_are_counted_by_slug() {
    let ui = Ui::with_streams(PLAIN, Box::new(io::sink()), Box::new(io::sink()));
    assert!(ui.warning_counts().is_empty());
    for slug in ["z", "a", "z", "z"] {
        ui.warning(slug, "something");
    }
    ui.warning_of(40, "z", "forty things on one line");
    ui.warning_of(u64::MAX, "m", "more than there can be");
    ui.warning("m", "something");
    assert_eq!(ui.warning_counts().into_iter().collect::<Vec<_>>(), [("a", 1), ("m", u64::MAX), ("z", 43)]);
}

#[test]
fn the_progress_line_makes_way_and_goes() {
    let progress = Settings { progress: true, ..PLAIN };
    let speak = |ui: &Ui| {
        let progress = ui.progress("Testing");
        progress.set(1, 2, &["it"]);
        ui.status("Finished", "unit");
        ui.relay(b"output");
        drop(progress);
    };
    let line = "     Testing 1/2 0:00: it";
    let erased = format!("\r{}\r", " ".repeat(line.len()));
    check(progress, speak, &format!("\r{line}{erased}    Finished unit\noutput\n"));
    check(PLAIN, speak, "    Finished unit\noutput\n");
}

#[test]
fn a_dropped_progress_line_is_erased() {
    check(
        Settings { progress: true, ..PLAIN },
        |ui| ui.progress("Testing").set(1, 2, &["it"]),
        &format!("\r     Testing 1/2 0:00: it\r{}\r", " ".repeat(25)),
    );
}

#[test]
fn reports_go_to_stdout() {
    let (stderr, stdout) = (Tape::default(), Tape::default());
    let ui = Ui::with_streams(PLAIN, Box::new(stderr.clone()), Box::new(stdout.clone()));
    ui.print("a report\n").expect("the stream takes it");
    writeln!(ui.stdout(), "{}", 1).expect("the stream takes it");
    assert_eq!(stdout.text(), "a report\n1\n");
    assert_eq!(stderr.text(), "");
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is() {
    let with_stdout = |kind| Ui::with_streams(PLAIN, Box::new(io::sink()), Box::new(Broken(kind)));
    let ui = with_stdout(io::ErrorKind::BrokenPipe);
    assert!(ui.print("a report").is_ok());
    assert!(ui.print("another").is_ok());
    let ui = with_stdout(io::ErrorKind::StorageFull);
    let error = ui.print("a report").expect_err("the report is lost");
    assert!(format!("{error:#}").starts_with("failed to write to standard output: "), "{error:#}");
}

#[test]
fn threads_do_not_tear_each_others_messages() {
    let stderr = Tape::default();
    let ui = Ui::with_streams(PLAIN, Box::new(stderr.clone()), Box::new(io::sink()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| ui.status("Running", "x".repeat(50))));
        }
    });
    let expected = format!("     Running {}\n", "x".repeat(50));
    let text = stderr.text();
    assert_eq!(text.split_inclusive('\n').filter(|line| **line == expected).count(), 200);
    assert_eq!(text.len(), expected.len() * 200);
}
