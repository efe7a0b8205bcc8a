//! The line at the bottom of a terminal that says what is going on. It is gone before anything else is printed.

use std::io::Write;
use std::time::{Duration, Instant};

use super::Ui;
use super::color::{Style, paint};
use super::settings::USUAL_WIDTH;

/// A handle on the progress line of a [`Ui`], which disappears with it. Where nobody watches, all of it does nothing.
///
/// Any thread may call it as often as it likes: the line is painted at most ten times a second.
pub struct Progress<'ui> {
    pub(super) ui: &'ui Ui,
}

impl Progress<'_> {
    /// `done` of `total` steps are over, and `running` is what goes on now, most interesting first.
    pub fn set(&self, done: usize, total: usize, running: &[impl AsRef<str>]) {
        self.paint(|painter| {
            painter.done = done;
            painter.total = total;
            painter.running.clear();
            painter.running.extend(running.iter().map(|name| name.as_ref().to_owned()));
        });
    }

    /// Lets the clock in the line go on. For whoever waits: about every 100 ms.
    pub fn tick(&self) {
        self.paint(|_| {});
    }

    fn paint(&self, change: impl FnOnce(&mut Painter)) {
        let settings = self.ui.settings();
        let mut state = self.ui.lock();
        let state = &mut *state;
        if let Some(painter) = &mut state.progress {
            change(painter);
            if state.beside_another {
                return;
            }
            let width = settings.stderr_width.unwrap_or(USUAL_WIDTH);
            painter.paint(&mut state.stderr, Instant::now(), width, settings.stderr_color);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        let mut state = self.ui.lock();
        state.erase_progress();
        state.progress = None;
    }
}

/// The least time between two paintings.
const PAUSE: Duration = Duration::from_millis(100);

/// Columns between the brackets of the bar.
const BAR: usize = 20;

/// A terminal narrower than this gets no bar.
const ROOM_FOR_BAR: usize = 60;

/// What the line says and whether it stands on the terminal.
pub(super) struct Painter {
    verb: &'static str,
    started: Instant,
    done: usize,
    total: usize,
    running: Vec<String>,
    last_painted: Option<Instant>,
    /// Columns of the line that stands on the terminal now; zero for none.
    shown: usize,
}

impl Painter {
    pub(super) fn new(verb: &'static str) -> Painter {
        Painter {
            verb,
            started: Instant::now(),
            done: 0,
            total: 0,
            running: Vec::new(),
            last_painted: None,
            shown: 0,
        }
    }

    /// Removes the line. With blanks, which need no escape sequence and so work on every console.
    pub(super) fn erase(&mut self, out: &mut impl Write) {
        if self.shown > 0 {
            let _ = write!(out, "\r{:1$}\r", "", self.shown);
            let _ = out.flush();
            self.shown = 0;
        }
    }

    fn paint(&mut self, out: &mut impl Write, now: Instant, width: usize, color: bool) {
        if self.last_painted.is_some_and(|last| now.duration_since(last) < PAUSE) {
            return;
        }
        self.last_painted = Some(now);
        let verb = format!("{:>12}", self.verb);
        let text = self.text(now.duration_since(self.started), width.saturating_sub(verb.len() + 1));
        let columns = verb.len() + columns(&text);
        let rest = self.shown.saturating_sub(columns);
        let verb = paint(Style::Progress, &verb, color);
        let _ = write!(out, "\r{verb}{text}{:rest$}", "");
        let _ = out.flush();
        self.shown = columns;
    }

    /// What stands behind the verb, in at most `room` columns.
    fn text(&self, elapsed: Duration, room: usize) -> String {
        let mut text = String::from(" ");
        if room + 1 + 12 >= ROOM_FOR_BAR {
            let filled = (BAR * self.done.min(self.total)).checked_div(self.total).unwrap_or(0);
            let head = if filled < BAR { ">" } else { "" };
            text.push_str(&format!("[{:BAR$}] ", "=".repeat(filled) + head));
        }
        text.push_str(&format!("{}/{} {}", self.done, self.total, clock(elapsed)));
        if !self.running.is_empty() {
            text.push_str(": ");
            text.push_str(&super::message::one_line(&self.running.join(", ")));
        }
        cut(text, room)
    }
}

/// `minutes:seconds`, from an hour on `hours:minutes:seconds`.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}:{seconds:02}"),
        (hours, minutes) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Columns that `text` may take. Whatever is not ASCII counts as wide: a line that is too short does no harm, one that
/// wraps cannot be erased.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// `text` in at most `room` columns, with `...` where its end is missing.
fn cut(text: String, room: usize) -> String {
    if columns(&text) <= room {
        return text;
    }
    let mut kept = String::new();
    for c in text.chars() {
        if columns(&kept) + columns(c.encode_utf8(&mut [0; 4])) + 3 > room {
            break;
        }
        kept.push(c);
    }
    kept + "..."
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{PAUSE, Painter, clock, columns};

    fn painter(done: usize, total: usize, running: &[&str]) -> Painter {
        let running = running.iter().map(|name| (*name).to_owned()).collect();
        Painter { done, total, running, ..Painter::new("Testing") }
    }

    fn check(done: usize, total: usize, running: &[&str], room: usize, expected: &str) {
        let text = painter(done, total, running).text(Duration::from_secs(67), room);
        assert_eq!(text, expected, "{running:?} in {room} columns");
        assert!(columns(&text) <= room, "{text}");
    }

    #[test]
    fn the_line_fits() {
        check(0, 0, &[], 67, " [>                   ] 0/0 1:07");
        check(3, 12, &["app::it", "core"], 67, " [=====>              ] 3/12 1:07: app::it, core");
        check(12, 12, &[], 67, " [====================] 12/12 1:07");
        check(99, 12, &[], 67, " [====================] 99/12 1:07");
        check(3, 12, &["app::it", "core"], 40, " 3/12 1:07: app::it, core");
        check(3, 12, &["app::it", "core"], 20, " 3/12 1:07: app::...");
        check(3, 12, &["日本語", "core"], 20, " 3/12 1:07: 日本...");
        check(3, 12, &["evil\u{1b}[2J\n"], 30, " 3/12 1:07: evil\\u{1b}[2J");
    }

    #[test]
    fn time_is_readable() {
        for (seconds, expected) in
            [(0, "0:00"), (9, "0:09"), (3599, "59:59"), (3600, "1:00:00"), (90061, "25:01:01")]
        {
            assert_eq!(clock(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn it_is_painted_over_and_not_too_often() {
        let mut painter = painter(1, 2, &["a_long_name"]);
        let start = Instant::now();
        painter.started = start;
        let mut out = Vec::new();
        painter.paint(&mut out, start, 40, false);
        painter.paint(&mut out, start + PAUSE / 2, 40, false);
        assert_eq!(String::from_utf8_lossy(&out), "\r     Testing 1/2 0:00: a_long_name");
        out.clear();
        painter.running = vec!["b".to_owned()];
        painter.paint(&mut out, start + PAUSE, 40, false);
        assert_eq!(String::from_utf8_lossy(&out), "\r     Testing 1/2 0:00: b          ");
        out.clear();
        painter.erase(&mut out);
        painter.erase(&mut out);
        assert_eq!(String::from_utf8_lossy(&out), format!("\r{}\r", " ".repeat(24)));
    }
}
