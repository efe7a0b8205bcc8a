//! The help pages, laid out from the table of flags. Pure text; says nothing that the table does not.

#[cfg(test)]
mod tests;

use super::config::Command;
use super::flags::{Choice, Flag, SECTIONS, Takes};
use crate::ui::color::{Style, paint};

/// One page of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it is about.
    pub topic: Topic,
    /// How much it says.
    pub length: Length,
}

/// What a page of the help is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The list of tasks: `cargo xtask --help`.
    Tasks,
    /// One command.
    Command(Command),
}

/// How much a page of the help says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// `-h`: a line for each flag.
    Short,
    /// `--help`: all there is to know.
    Long,
}

/// No line of help is longer than this, however wide the terminal: longer ones are hard to read.
const WIDEST: usize = 100;

/// The text of `page` for a terminal with `width` columns, in ANSI colors or plain.
pub fn render(page: Page, width: usize, color: bool) -> String {
    let mut sheet = Sheet { text: String::new(), width: width.clamp(40, WIDEST), color };
    match page.topic {
        Topic::Tasks => tasks(&mut sheet),
        Topic::Command(command) => self::command(&mut sheet, command, page.length),
    }
    sheet.text
}

/// What a page says about a command besides its flags.
struct Story {
    /// One line.
    about: &'static str,
    /// What may follow the command.
    usage: &'static [&'static str],
    /// Paragraphs.
    description: &'static [&'static str],
    /// What to type, and what it does.
    examples: &'static [(&'static str, &'static str)],
}

fn story(command: Command) -> Story {
    match command {
        Command::Coverage => Story {
            about: "Run the tests with coverage counters and report which code they ran.",
            usage: &["[FLAGS] [TESTNAME] [-- TEST ARGUMENTS]", "<COMMAND> [FLAGS]"],
            description: &[
                "Without flags, this tests the whole workspace as `cargo test` does, writes \
                 `target/coverage/lcov.info` for editors and services, and prints a table of files. Nothing but \
                 cargo and rustc is needed. Dependencies are compiled once, for this and for `cargo test`.",
                "TESTNAME runs only tests whose names contain it. TEST ARGUMENTS go to every test binary; \
                 `cargo test -- --help` lists them. With `--nextest` they go to `cargo nextest run`.",
            ],
            examples: &[
                ("cargo xtask coverage", "Test everything; print a table, worst file first."),
                (
                    "cargo xtask coverage -p app parse -- --ignored",
                    "Run the ignored tests of the package `app` whose names contain `parse`.",
                ),
                (
                    "cargo xtask coverage --no-fail-fast --lcov --output-path lcov.info",
                    "Write a tracefile for a coverage service, even if tests fail.",
                ),
                (
                    "cargo xtask coverage report --show-missing-lines",
                    "Say which lines were missed, without running anything again.",
                ),
                (
                    "cargo xtask coverage --manifest-path ../other/Cargo.toml",
                    "Measure another workspace on this disk.",
                ),
            ],
        },
        Command::Run => Story {
            about: "Run one program with coverage counters and report which code it ran.",
            usage: &["[FLAGS] [-- ARGUMENTS OF THE PROGRAM]"],
            description: &[
                "Takes the program that `cargo run` would take and starts it as `cargo run` does: in the current \
                 directory, with the standard streams of this command. Code of the whole workspace counts.",
                "Standard output belongs to the program. The table goes to standard error, reports go to files; \
                 `--output-path -` prints a report behind what the program has printed.",
                "Ctrl-C ends the program, not the report. When this command itself is ended in another way, the counts \
                 are still there, and `cargo xtask coverage report` reports on them.",
            ],
            examples: &[
                (
                    "cargo xtask coverage run -- --help",
                    "Say what of the workspace the help of its program needs.",
                ),
                (
                    "cargo xtask coverage run --bin server",
                    "Run a server until Ctrl-C, and report on what it was asked for.",
                ),
                (
                    "cargo xtask coverage run --no-clean --example demo",
                    "Report on the last run and an example together.",
                ),
            ],
        },
        Command::ShowEnv => Story {
            about: "Print what another test harness must set in its environment to be measured.",
            usage: &["[FLAGS]"],
            description: &[
                "A shell that evaluates the printed lines builds the workspace with coverage counters, whatever calls \
                 cargo there: a makefile, `cargo nextest`, pytest. Each process leaves its counts, and \
                 `cargo xtask coverage report` finds them, from any shell.",
                "Ordinary programs stay as they are: what is built with counters goes to `target/coverage/build`, and \
                 CARGO_TARGET_DIR says so.",
                "Each call begins anew: counts of the processes before it are removed.",
            ],
            examples: &[
                (
                    "eval \"$(cargo xtask coverage show-env)\"",
                    "Set the environment in sh, bash or zsh. Then build and test; then \
                     `cargo xtask coverage report`.",
                ),
                ("cargo xtask coverage show-env --fish | source", "The same in fish."),
                (
                    "cargo xtask coverage show-env --pwsh | Out-String | Invoke-Expression",
                    "The same in PowerShell.",
                ),
            ],
        },
        Command::Report => Story {
            about: "Report again on the last run, or on what another test harness left.",
            usage: &["[FLAGS]", "[FLAGS] --object <PATH>... --profraw <PATH>..."],
            description: &[
                "Nothing is built and no test is run. Without a format, the table is printed. The last run may be one of \
                 a harness in the environment of `cargo xtask coverage show-env`.",
                "With `--object` and `--profraw`, the data may come from any harness that ran a program built with \
                 `-C instrument-coverage`.",
            ],
            examples: &[
                ("cargo xtask coverage report", "Print the table of the last run again."),
                (
                    "cargo xtask coverage report --json --summary-only",
                    "Print the numbers of each file as JSON.",
                ),
                (
                    "cargo xtask coverage report --lcov --object app --profraw profiles/ > lcov.info",
                    "Report on a program that was run by hand.",
                ),
            ],
        },
        Command::Merge => Story {
            about: "Report on several runs, perhaps of other machines, as if they were one.",
            usage: &["[FLAGS] <FILE>..."],
            description: &[
                "Each FILE is one that `--partial` has written. Parts of one run under `--partition` give what the whole run \
                 would have given, byte for byte. Runs with other features, for other targets or on other operating \
                 systems add up by source position: code that only one of them compiled is no miss of the others.",
                "The sources must be those of the runs: files that differ are named, and nothing is reported. So are parts \
                 that are missing, and test binaries that ran in none of them.",
            ],
            examples: &[
                (
                    "cargo xtask coverage --partition slice:1/3 --partial part-1.cov",
                    "Run a third of the test binaries; two other machines run the rest.",
                ),
                (
                    "cargo xtask coverage merge part-*.cov --lcov --output-path lcov.info",
                    "Write the report on all three, and print the table.",
                ),
                (
                    "cargo xtask coverage merge linux.cov windows.cov --fail-under-lines 80",
                    "Hold what ran on either system against a threshold.",
                ),
            ],
        },
        Command::Cache => Story {
            about: "Say what runs keep for later ones, or remove it.",
            usage: &["[FLAGS]"],
            description: &[
                "That is results of tests for `--reuse`, in `.coverage-cache`, and in the target directory the times of files \
                 and artifacts with counters.",
            ],
            examples: &[
                ("cargo xtask coverage cache", "Say what there is."),
                ("cargo xtask coverage cache --prune", "Make it smaller before a CI service stores it."),
            ],
        },
        Command::Clean => Story {
            about: "Remove what the other commands left in the target directory, and nothing else.",
            usage: &["[FLAGS]"],
            description: &[],
            examples: &[("cargo xtask coverage clean", "Remove `target/coverage`.")],
        },
        Command::Init => Story {
            about: "Make `cargo xtask coverage` a command of another workspace.",
            usage: &["[FLAGS] [PATH]"],
            description: &[
                "PATH is a directory of the workspace; without it, the current one. What is missing is added: the xtask \
                 crate, or a few lines in the one there is; its membership in the workspace; the alias and the xtask's \
                 profile in `.cargo/config.toml`; a workflow; `/target` in `.gitignore`. Each line is shown. Whatever \
                 else stands in these files stays as it is, byte for byte, and so do the packages that plain \
                 `cargo build` and `cargo test` take and the files that `cargo publish` packs.",
                "Afterwards cargo reads the workspace, which adds the new dependencies to `Cargo.lock`. If it refuses, \
                 everything is put back. Called again, the command changes nothing.",
            ],
            examples: &[
                ("cargo xtask coverage init ../project --dry-run", "Show what adopting it there means."),
                ("cargo xtask coverage init ../project", "Do it."),
            ],
        },
        Command::Verify => Story {
            about: "Compare our numbers with those of LLVM's own tools.",
            usage: &["[FLAGS] [TESTNAME] [-- TEST ARGUMENTS]"],
            description: &[
                "Runs the tests as `cargo xtask coverage` does and reads the same objects and profiles twice: once \
                 by itself, once with `llvm-profdata` and `llvm-cov`, which must be installed. Says how many files \
                 and lines were compared, and prints every difference with its place.",
            ],
            examples: &[
                ("cargo xtask verify", "Compare on this workspace."),
                ("cargo xtask verify --manifest-path ../other/Cargo.toml", "Compare on another one."),
            ],
        },
    }
}

/// The commands that deal with measurements.
const MEASURING: &[Command] = &[
    Command::Coverage,
    Command::Run,
    Command::ShowEnv,
    Command::Report,
    Command::Merge,
    Command::Cache,
    Command::Clean,
    Command::Verify,
];

/// Exit codes, and the commands that can end with them.
const EXIT_CODES: &[(&str, &[Command], &str)] = &[
    ("0", &Command::ALL, "all is well"),
    ("1", &[Command::Init], "nothing was changed, and the message says what stands in the way"),
    ("2", &[Command::Init], "what can be done by a machine is done, and the rest is printed"),
    ("1", MEASURING, "nothing could be measured, for example for a wrong flag or unreadable data"),
    (
        "2",
        &[Command::Coverage, Command::Run, Command::Report, Command::Merge],
        "less ran than a threshold demands, or than in the baseline; the reports are written",
    ),
    (
        "3",
        &[Command::Coverage, Command::Run, Command::Report, Command::Merge],
        "less of the changed lines ran than `--fail-under-patch` demands, and nothing else is wrong",
    ),
    ("100", &[Command::Coverage, Command::Verify], "tests failed; the reports are written"),
    ("100", &[Command::Run], "the program failed; the reports are written"),
    ("101", &[Command::Coverage, Command::Run, Command::Verify], "the build failed"),
];

fn tasks(sheet: &mut Sheet) {
    sheet.line("Tasks of this workspace.");
    sheet.heading("Usage:");
    sheet.literal_line(2, "cargo xtask <TASK> [FLAGS]");
    sheet.heading("Tasks:");
    for command in Command::ALL {
        let words = command.words().join(" ");
        sheet.two_columns(&words, 17, story(command).about);
    }
    sheet.text.push('\n');
    sheet.line("`cargo xtask <TASK> --help` explains a task.");
}

fn command(sheet: &mut Sheet, command: Command, length: Length) {
    let story = story(command);
    sheet.line(story.about);
    sheet.heading("Usage:");
    for usage in story.usage {
        sheet.literal_line(2, &format!("{command} {usage}"));
    }
    if length == Length::Long {
        for paragraph in story.description {
            sheet.text.push('\n');
            sheet.paragraph(0, paragraph);
        }
    }
    if command == Command::Coverage {
        sheet.heading("Commands:");
        for sub in [
            Command::Run,
            Command::ShowEnv,
            Command::Report,
            Command::Merge,
            Command::Cache,
            Command::Clean,
            Command::Init,
        ] {
            sheet.two_columns(sub.words().last().copied().unwrap_or_default(), 8, self::story(sub).about);
        }
        sheet.two_columns("help", 8, "Print the help of a command.");
    }
    if length == Length::Long {
        sheet.heading("Examples:");
        for (typed, does) in story.examples {
            sheet.literal_line(2, typed);
            sheet.paragraph(6, does);
        }
    }
    for section in SECTIONS {
        let flags: Vec<&Flag> =
            section.flags.iter().filter(|flag| flag.commands.contains(&command)).collect();
        if flags.is_empty() {
            continue;
        }
        sheet.heading(&format!("{}:", section.title));
        for (index, flag) in flags.into_iter().enumerate() {
            match length {
                Length::Short => sheet.two_columns(&spelling(flag), SPELLING, first_sentence(flag.help)),
                Length::Long => {
                    if index > 0 {
                        sheet.text.push('\n');
                    }
                    long_flag(sheet, flag);
                }
            }
        }
    }
    match length {
        Length::Short => {
            sheet.text.push('\n');
            sheet.line(&format!("`{command} --help` says more about each."));
        }
        Length::Long => epilogue(sheet, command),
    }
}

/// Columns for the spelling of a flag in the short help; what is longer pushes its sentence to the next line.
const SPELLING: usize = 31;

/// `-p, --package <SPEC>`
fn spelling(flag: &Flag) -> String {
    let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    format!("{short}--{} {}", flag.long, flag.placeholder()).trim_end().to_owned()
}

pub(super) fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| text.get(..=end).unwrap_or(text))
}

fn long_flag(sheet: &mut Sheet, flag: &Flag) {
    sheet.literal_line(2, &spelling(flag));
    sheet.paragraph(10, flag.help);
    if let Takes::Choice(choices) = flag.takes {
        let widest = choices.iter().map(|choice| choice.name.len()).max().unwrap_or(0);
        for Choice { name, help, .. } in choices {
            sheet.definition(10, &format!("{name:widest$}"), help);
        }
    }
    let mut remarks = Vec::new();
    if !flag.aliases.is_empty() {
        let aliases: Vec<String> = flag.aliases.iter().map(|alias| format!("--{alias}")).collect();
        remarks.push(format!("[also: {}]", aliases.join(", ")));
    }
    remarks.extend(flag.variable().map(|variable| format!("[variable: {variable}]")));
    if !remarks.is_empty() {
        sheet.paragraph(10, &remarks.join(" "));
    }
}

fn epilogue(sheet: &mut Sheet, command: Command) {
    sheet.heading("Environment:");
    sheet.paragraph(
        2,
        "Where a variable is named with a flag, it sets that flag when the command line does not. Flags without a value \
         take `1` or `0`. An empty variable counts as none.",
    );
    if !matches!(command, Command::Clean | Command::Init) {
        sheet.heading("Configuration:");
        sheet.paragraph(
            2,
            "`[workspace.metadata.coverage]` in `Cargo.toml` takes flags by name, as in `fail-under-lines = 80`, for when neither \
             the command line nor a variable says otherwise.",
        );
    }
    sheet.heading("Values:");
    sheet.paragraph(
        2,
        "`--flag value` and `--flag=value` mean the same; a value that begins with `-` needs the second form. Of a flag \
         that is given several times, the last value holds, unless the flag says that it can be given several times.",
    );
    if command != Command::Clean {
        sheet.heading("Exit codes:");
        for (code, _, meaning) in EXIT_CODES.iter().filter(|(_, commands, _)| commands.contains(&command)) {
            sheet.two_columns(code, 4, meaning);
        }
    }
}

/// A page while it is written.
struct Sheet {
    text: String,
    width: usize,
    color: bool,
}

impl Sheet {
    fn heading(&mut self, title: &str) {
        self.text.push('\n');
        self.text.push_str(&paint(Style::Heading, title, self.color));
        self.text.push('\n');
    }

    fn line(&mut self, text: &str) {
        self.paragraph(0, text);
    }

    /// Something to type, on a line of its own.
    fn literal_line(&mut self, indent: usize, text: &str) {
        let blanks = text.len() - text.trim_start().len();
        self.text.push_str(&" ".repeat(indent + blanks));
        self.text.push_str(&paint(Style::Literal, text.trim_start(), self.color));
        self.text.push('\n');
    }

    fn paragraph(&mut self, indent: usize, text: &str) {
        let margin = " ".repeat(indent);
        for line in wrap(text, self.width - indent) {
            self.text.push_str(&margin);
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// `- name: text`, wrapped under the text.
    fn definition(&mut self, indent: usize, name: &str, text: &str) {
        let column = indent + "- ".len() + name.len() + ": ".len();
        let margin = " ".repeat(column);
        for (index, line) in wrap(text, self.width - column).iter().enumerate() {
            if index == 0 {
                let name = paint(Style::Literal, name.trim_end(), self.color)
                    + ":"
                    + &" ".repeat(name.len() - name.trim_end().len());
                self.text.push_str(&format!("{:indent$}- {name} {line}\n", ""));
            } else {
                self.text.push_str(&format!("{margin}{line}\n"));
            }
        }
    }

    /// `name` in a column of `name_width`, and `text` beside it.
    fn two_columns(&mut self, name: &str, name_width: usize, text: &str) {
        let column = 2 + name_width + 2;
        let margin = " ".repeat(column);
        let lines = wrap(text, self.width.saturating_sub(column).max(20));
        let blanks = " ".repeat(name.len() - name.trim_start().len());
        let painted = format!("  {blanks}{}", paint(Style::Literal, name.trim_start(), self.color));
        let mut lines = lines.iter();
        self.text.push_str(&painted);
        if name.len() <= name_width {
            let gap = " ".repeat(column - 2 - name.len());
            self.text.push_str(&gap);
            self.text.push_str(lines.next().map_or("", String::as_str));
        }
        self.text.push('\n');
        for line in lines {
            self.text.push_str(&format!("{margin}{line}\n"));
        }
    }
}

/// The words of `text` in lines of at most `width` characters, where words allow. What stands in backticks is one word.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_backticks = false;
    for part in text.split_whitespace() {
        match words.last_mut() {
            Some(word) if in_backticks => {
                word.push(' ');
                word.push_str(part);
            }
            _ => words.push(part.to_owned()),
        }
        in_backticks ^= part.matches('`').count() % 2 == 1;
    }
    words
}
