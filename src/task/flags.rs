//! From the words behind `cargo xtask` to a command and its configuration. Prints nothing and reads no file.
//!
//! # Which value holds
//!
//! Command line over environment over manifest over what the configuration held before. Within one of them, the last of
//! several values holds, so that an alias can give a flag and the command line another value; lists collect all of theirs. A
//! list is taken from the first of them that gives any of it; flags that select packages, targets or formats make up one list
//! each, so that `--lib` tests the libraries alone, whatever the manifest selects.
//!
//! Every flag that is no list can be set by a variable: `COVERAGE_` and the flag's name in capitals, with `_` for `-`, as in
//! `COVERAGE_JOBS=4` or `COVERAGE_NO_FAIL_FAST=1`. Flags without a value take `1`, `true`, `yes`, `on` or `0`, `false`, `no`,
//! `off`; the latter takes back what the configuration held. An empty variable is as good as none. Flags that together make
//! up a list, which are those that select targets or formats, have no variable.

mod flag;
mod keys;
mod suggest;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::bail;

use self::flag::PREFIX;
pub(crate) use self::flag::{Choice, Flag, Takes};
pub(crate) use self::keys::{Keys, WORKSPACE_TABLE, keys, read, read_threshold, threshold_keys, why_no_key};
pub(crate) use self::suggest::nearest;
pub(crate) use self::table::SECTIONS;

use super::config::{Command, Config, Destination, Engine, Format, Place};
use super::help::{Length, Page, Topic};
use crate::coverage::Model;
use crate::ui::message::Advised;

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// Print this page of the help.
    Help(Page),
    /// Print our version.
    Version,
    /// Do something.
    Run(Box<Invocation>),
}

/// A command with all that was said about it.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// What to do.
    pub command: Command,
    /// Remarks about the environment, each fit for a warning with the slug [`UNKNOWN_VARIABLE`].
    pub warnings: Vec<String>,
    /// What the program that calls us wants where nobody says otherwise; [`parse`] leaves [`Config::new`] here.
    pub base: Config,
    settings: Vec<Setting>,
    /// The table of keys and its file, for messages.
    manifest: String,
    filter: Option<String>,
    partials: Vec<PathBuf>,
    test_arguments: Vec<OsString>,
    /// The workspace to adopt.
    path: Option<PathBuf>,
}

/// The slug of warnings about `COVERAGE_` variables that mean nothing.
pub const UNKNOWN_VARIABLE: &str = "unknown-variable";

/// Reads the words behind `cargo xtask` and those variables of `environment` that begin with `COVERAGE_`.
///
/// # Errors
/// Anything that would not do what it seems to ask for. The message quotes it and comes with a cure.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Request> {
    let mut words: Vec<OsString> = arguments.into_iter().collect();
    let command = match leading_command(&mut words)? {
        Lead::Command(command) => command,
        Lead::Request(request) => return Ok(request),
    };
    let variables: BTreeMap<String, OsString> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
        .collect();
    let mut invocation = Invocation {
        command,
        warnings: suggest::unknown_variables(&variables),
        base: Config::new(),
        settings: settings_from(command, &variables)?,
        manifest: String::new(),
        filter: None,
        partials: Vec::new(),
        test_arguments: Vec::new(),
        path: None,
    };
    if let Some(request) = read_arguments(&mut invocation, words)? {
        return Ok(request);
    }
    if command == Command::Merge && invocation.partials.is_empty() {
        bail!(Advised::new(
            "`cargo xtask coverage merge` needs the files that are to be merged",
            "each run writes one with `--partial <FILE>`; then `cargo xtask coverage merge FILE...`"
        ));
    }
    // What cannot be applied shall be known before anything is done.
    invocation.config(Config::new())?;
    Ok(Request::Run(Box::new(invocation)))
}

impl Invocation {
    /// `base` with all that was said on top of it.
    ///
    /// # Errors
    /// A value that its flag does not take; flags that contradict each other.
    pub fn config(&self, base: Config) -> anyhow::Result<Config> {
        let mut config = base;
        let settings: Vec<&Setting> = self.settings.iter().filter(|it| !self.is_replaced(it)).collect();
        for setting in &settings {
            setting.apply(&mut config)?;
        }
        // Whoever wrote a format into a manifest has not redirected standard output.
        config.output.to_files |=
            settings.iter().any(|it| it.layer == Layer::Manifest && it.asks_for_format());
        if self.filter.is_some() {
            config.tests.filter.clone_from(&self.filter);
        }
        config.input.partials.clone_from(&self.partials);
        if self.path.is_some() {
            config.adoption.path.clone_from(&self.path);
        }
        if !self.test_arguments.is_empty() {
            config.tests.arguments.clone_from(&self.test_arguments);
        }
        self.refuse_conflicts()?;
        self.refuse_contradictions(&config)?;
        Ok(config)
    }

    /// Whether a setting is part of a list that a stronger layer gives anew.
    fn is_replaced(&self, setting: &Setting) -> bool {
        let Some(list) = setting.flag.list() else { return false };
        let mut stronger = self.settings.iter().filter(|other| other.layer > setting.layer);
        // The reports of a workspace's own runs are not asked for where another harness's data are read.
        stronger.any(|other| {
            other.flag.list() == Some(list) || (list == table::FORMATS && other.flag.long == "object")
        })
    }

    /// Refuses flags that the table declares incompatible, if they come from the same layer.
    fn refuse_conflicts(&self) -> anyhow::Result<()> {
        for setting in &self.settings {
            for (name, cure) in setting.flag.conflicts {
                let rival = self.settings.iter().find(|rival| {
                    rival.flag.long == *name && rival.layer == setting.layer && rival.given != Given::Off
                });
                if let Some(rival) = rival
                    && setting.given != Given::Off
                {
                    let place = match setting.layer {
                        Layer::Manifest => format!(" in {}", self.manifest),
                        Layer::Environment | Layer::CommandLine => String::new(),
                    };
                    let what =
                        format!("{} and {} cannot be combined{place}", setting.quoted(), rival.quoted());
                    bail!(Advised::new(what, *cure));
                }
            }
        }
        Ok(())
    }

    /// Refuses what the table cannot know: flags that are fine by themselves and do nothing with all the others.
    fn refuse_contradictions(&self, config: &Config) -> anyhow::Result<()> {
        let given = |name: &str| {
            let mut settings = self.settings.iter();
            settings.any(|setting| setting.flag.long == name && setting.layer == Layer::CommandLine)
        };
        let output = &config.output;
        match (&output.place, output.formats.as_slice()) {
            (Place::File(_), []) if output.enabled => {
                bail!(Advised::new("an output path needs a format", "add one, such as `--lcov`"))
            }
            (Place::File(_), [_, _, ..]) => bail!(Advised::new(
                format!("an output path takes one format, but {} are asked for", output.formats.len()),
                "give a directory for all of them: `--output-dir <DIRECTORY>`",
            )),
            (Place::Directory(_), [])
                if matches!(self.command, Command::Report | Command::Merge) && given("output-dir") =>
            {
                bail!(Advised::new("`--output-dir` needs a format", "add one, such as `--lcov`"))
            }
            _ => {}
        }
        if config.engine == Engine::Llvm && config.model == Some(Model::Union) {
            bail!(Advised::new(
                "LLVM's tools do not know the model `union`",
                "drop `--engine llvm`, or add `--model llvm`: numbers as `llvm-cov` shows them"
            ));
        }
        if self.command == Command::Merge && config.engine == Engine::Llvm {
            bail!(Advised::new(
                "LLVM's tools read programs and profiles, and the files to merge have none of them",
                "`--engine embedded` reads these files; with `--model llvm` it gives the numbers that `llvm-cov` shows"
            ));
        }
        let input = &config.input;
        for (here, there, missing) in [
            (&input.objects, &input.profiles, "`--object` needs `--profraw`: counts come from raw profiles"),
            (
                &input.profiles,
                &input.objects,
                "`--profraw` needs `--object`: source positions come from objects",
            ),
        ] {
            if !here.is_empty() && there.is_empty() {
                bail!(Advised::new(
                    missing,
                    "give both, or none of them to report on the last run of `cargo xtask coverage`"
                ));
            }
        }
        if !input.objects.is_empty() && output.formats.len() > 1 && output.place == Place::Usual {
            bail!(Advised::new(
                "several formats of another harness's data need a directory",
                "add `--output-dir <DIRECTORY>`"
            ));
        }
        let requests = output.requests(self.command, Path::new(""));
        if given("skip-functions")
            && !requests.iter().any(|request| matches!(request.format, Format::Lcov | Format::Json))
        {
            bail!(Advised::new(
                "`--skip-functions` needs `--lcov` or `--json`: it means no other report",
                "add one of them, or drop it"
            ));
        }
        let stdout = requests.iter().find(|request| request.destination == Destination::Stdout);
        if stdout.is_some_and(|request| request.format != Format::Table)
            && let Some(name) =
                ["show-missing-lines", "show-missing-functions", "total"].into_iter().find(|name| given(name))
        {
            bail!(Advised::new(
                format!("`--{name}` prints on stdout, where the report goes"),
                "write the report into a file: `--output-path <PATH>`"
            ));
        }
        Ok(())
    }
}

/// All flags of all commands.
fn flags() -> impl Iterator<Item = &'static Flag> {
    SECTIONS.iter().flat_map(|section| section.flags)
}

/// The flag of `command` that `is_meant` is true of; where it has none, one of another command.
fn find_flag(command: Command, is_meant: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
    let mut meant = flags().filter(|flag| is_meant(flag)).peekable();
    let first = meant.peek().copied();
    meant.find(|flag| flag.commands.contains(&command)).or(first)
}

/// Where a setting comes from. The later one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Manifest,
    Environment,
    CommandLine,
}

/// What a setting says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    On,
    Off,
    Value(OsString),
}

/// A flag that was given.
#[derive(Clone, Debug)]
struct Setting {
    flag: &'static Flag,
    given: Given,
    layer: Layer,
    /// As it was spelled: `-j`, `--jobs`, `COVERAGE_JOBS`, in a manifest `jobs`.
    spelled: String,
}

impl Setting {
    fn quoted(&self) -> String {
        format!("`{}`", self.spelled)
    }

    fn asks_for_format(&self) -> bool {
        self.flag.list() == Some(table::FORMATS) && self.given != Given::Off
    }

    fn apply(&self, config: &mut Config) -> anyhow::Result<()> {
        match (&self.flag.takes, &self.given) {
            (Takes::Nothing(set), Given::On) => set(config, true),
            (Takes::Nothing(set), Given::Off) => set(config, false),
            (Takes::Choice(choices), Given::Value(value)) => {
                let Some(choice) = choices.iter().find(|choice| value == choice.name) else {
                    let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
                    return Err(self.invalid(value, &format!("expected {}", suggest::one_of(&names))));
                };
                (choice.set)(config);
            }
            (Takes::One(set) | Takes::Many(set), Given::Value(value)) => {
                set(config, value).map_err(|expected| self.invalid(value, &expected))?;
            }
            // Neither is made: values belong to flags that take one, and help and version are no settings.
            (_, Given::Value(_)) | (_, Given::On | Given::Off) => {}
        }
        Ok(())
    }

    fn invalid(&self, value: &OsStr, expected: &str) -> anyhow::Error {
        anyhow::anyhow!("invalid value `{}` for {}: {expected}", value.to_string_lossy(), self.quoted())
    }
}

/// What the words in front of all flags say.
enum Lead {
    Command(Command),
    Request(Request),
}

/// Takes the words that name the command off the front of `words`.
fn leading_command(words: &mut Vec<OsString>) -> anyhow::Result<Lead> {
    let word =
        |words: &[OsString], index: usize| words.get(index).and_then(|word| word.to_str()).map(str::to_owned);
    let first = match words.first() {
        None => return Ok(Lead::Request(Request::Help(Page { topic: Topic::Tasks, length: Length::Long }))),
        Some(first) => first.to_string_lossy().into_owned(),
    };
    match first.as_str() {
        "-h" => return Ok(Lead::Request(Request::Help(Page { topic: Topic::Tasks, length: Length::Short }))),
        "--help" => {
            return Ok(Lead::Request(Request::Help(Page { topic: Topic::Tasks, length: Length::Long })));
        }
        "-V" | "--version" => return Ok(Lead::Request(Request::Version)),
        "help" => return help_on(words.get(1..).unwrap_or_default(), &[]),
        _ => {}
    }
    let Some(command) = Command::ALL.into_iter().find(|command| command.words() == [first.as_str()]) else {
        return Err(suggest::unknown_task(&first));
    };
    words.remove(0);
    let Some(second) = word(words, 0) else { return Ok(Lead::Command(command)) };
    if second == "help" && subcommands(command).next().is_some() {
        return help_on(words.get(1..).unwrap_or_default(), command.words());
    }
    if let Some(subcommand) = subcommands(command).find(|sub| sub.words().last() == Some(&second.as_str())) {
        words.remove(0);
        return Ok(Lead::Command(subcommand));
    }
    if let Some(error) = suggest::misspelled_subcommand(command, &second) {
        return Err(error);
    }
    Ok(Lead::Command(command))
}

/// The commands that are called by one more word than `command`.
fn subcommands(command: Command) -> impl Iterator<Item = Command> {
    let subcommands = Command::ALL.into_iter();
    subcommands.filter(move |sub| sub.words().split_last().is_some_and(|(_, front)| front == command.words()))
}

/// The help on the command that `words` name behind `front`.
fn help_on(words: &[OsString], front: &[&str]) -> anyhow::Result<Lead> {
    let named: Vec<String> = front
        .iter()
        .map(|word| (*word).to_owned())
        .chain(words.iter().map(|word| word.to_string_lossy().into_owned()))
        .collect();
    let topic = if named.is_empty() {
        Topic::Tasks
    } else if let Some(command) = Command::ALL.into_iter().find(|command| command.words() == named) {
        Topic::Command(command)
    } else {
        return Err(suggest::unknown_task(&named.join(" ")));
    };
    Ok(Lead::Request(Request::Help(Page { topic, length: Length::Long })))
}

/// The settings that the environment makes for `command`.
fn settings_from(command: Command, variables: &BTreeMap<String, OsString>) -> anyhow::Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for flag in flags().filter(|flag| flag.commands.contains(&command)) {
        let Some(spelled) = flag.variable() else { continue };
        let Some(value) = variables.get(&spelled) else { continue };
        let given = if flag.has_value() {
            Given::Value(value.clone())
        } else {
            match value.to_str().map(str::to_ascii_lowercase).as_deref() {
                Some("1" | "true" | "yes" | "on") => Given::On,
                Some("0" | "false" | "no" | "off") => Given::Off,
                _ => {
                    bail!("invalid value `{}` for `{spelled}`: expected `1` or `0`", value.to_string_lossy())
                }
            }
        };
        settings.push(Setting { flag, given, layer: Layer::Environment, spelled });
    }
    Ok(settings)
}

/// Reads all that follows the command. `Some` when it asks for help or the version.
fn read_arguments(invocation: &mut Invocation, words: Vec<OsString>) -> anyhow::Result<Option<Request>> {
    let command = invocation.command;
    let mut parser = lexopt::Parser::from_args(words);
    // The word that an argument comes from; several, when short flags are written together.
    let mut word = OsString::new();
    loop {
        if let Some(mut rest) = parser.try_raw_args()
            && let Some(next) = rest.peek()
        {
            word = next.to_owned();
            if word == "--" {
                rest.next();
                let rest: Vec<OsString> = rest.collect();
                take_test_arguments(invocation, rest)?;
                return Ok(None);
            }
        }
        let (flag, spelled) = match parser.next().map_err(unwanted_value)? {
            None => return Ok(None),
            Some(lexopt::Arg::Value(value)) => {
                take_filter(invocation, &value)?;
                continue;
            }
            Some(lexopt::Arg::Long(name)) => {
                (find_flag(command, |flag| flag.is_called(name)), format!("--{name}"))
            }
            Some(lexopt::Arg::Short(name)) => {
                (find_flag(command, |flag| flag.short == Some(name)), format!("-{name}"))
            }
        };
        let Some(flag) = flag.filter(|flag| flag.commands.contains(&command)) else {
            return Err(suggest::unknown_flag(command, flag, &spelled, &word));
        };
        let given = match flag.takes {
            Takes::Help => {
                let length = if spelled == "-h" { Length::Short } else { Length::Long };
                return Ok(Some(Request::Help(Page { topic: Topic::Command(command), length })));
            }
            Takes::Version => return Ok(Some(Request::Version)),
            Takes::Nothing(_) => Given::On,
            Takes::Choice(_) | Takes::One(_) | Takes::Many(_) => {
                Given::Value(take_value(&mut parser, flag, &spelled)?)
            }
        };
        invocation.settings.push(Setting { flag, given, layer: Layer::CommandLine, spelled });
    }
}

/// The value of `flag`: what is attached to it, else the next word, unless that looks like a flag.
fn take_value(parser: &mut lexopt::Parser, flag: &Flag, spelled: &str) -> anyhow::Result<OsString> {
    let usage = format!("write `{spelled} {}`", flag.placeholder());
    let value = match parser.optional_value() {
        Some(value) => value,
        None => {
            let mut rest = parser.raw_args()?;
            match rest.peek() {
                None => bail!(Advised::new(format!("`{spelled}` needs a value"), usage)),
                Some(next) if looks_like_a_flag(next) => {
                    let next = next.to_string_lossy();
                    bail!(Advised::new(
                        format!("`{spelled}` needs a value, but the flag `{next}` follows"),
                        format!("if `{next}` is the value, write `--{}={next}`", flag.long),
                    ))
                }
                Some(_) => rest.next().unwrap_or_default(),
            }
        }
    };
    if value.is_empty() {
        bail!(Advised::new(format!("`{spelled}` needs a value, but it is empty"), usage));
    }
    Ok(value)
}

/// Whether `word` begins with a dash and is neither `-` alone nor a negative number.
fn looks_like_a_flag(word: &OsStr) -> bool {
    match word.as_encoded_bytes() {
        [b'-', b'0'..=b'9', ..] | [b'-'] => false,
        [b'-', ..] => true,
        _ => false,
    }
}

fn unwanted_value(error: lexopt::Error) -> anyhow::Error {
    match error {
        lexopt::Error::UnexpectedValue { option, value } => {
            let value = value.to_string_lossy();
            Advised::new(format!("`{option}` takes no value, but has `{value}`"), format!("write `{option}`"))
                .into()
        }
        other => anyhow::Error::new(other),
    }
}

fn take_filter(invocation: &mut Invocation, word: &OsStr) -> anyhow::Result<()> {
    let command = invocation.command;
    let shown = word.to_string_lossy();
    if command == Command::Merge {
        invocation.partials.push(PathBuf::from(word));
        return Ok(());
    }
    if command == Command::Run {
        bail!(Advised::new(
            format!("unexpected argument `{shown}`"),
            format!("arguments of the program stand behind `--`: `{command} -- {shown}`")
        ));
    }
    if command == Command::Init {
        if let Some(first) = &invocation.path {
            bail!(Advised::new(
                format!("unexpected argument `{shown}`: there is a path already, `{}`", first.display()),
                "one workspace is adopted at a time"
            ));
        }
        invocation.path = Some(PathBuf::from(word));
        return Ok(());
    }
    if !runs_tests(command) {
        bail!(Advised::new(
            format!("unexpected argument `{shown}`"),
            format!("`{command} --help` lists what it takes")
        ));
    }
    if let Some(subcommand) =
        subcommands(command).find(|sub| sub.words().last().is_some_and(|last| word == *last))
    {
        bail!(Advised::new(
            format!("`{shown}` stands behind a flag, where the name of a test is expected"),
            format!(
                "for the command write `{subcommand}` first; for tests with that name, `{command} -- {shown}`"
            ),
        ));
    }
    if let Some(first) = &invocation.filter {
        bail!(Advised::new(
            format!("unexpected argument `{shown}`: there is a test name already, `{first}`"),
            format!("test binaries take several: `{command} -- {first} {shown}`"),
        ));
    }
    match word.to_str() {
        Some(name) => invocation.filter = Some(name.to_owned()),
        None => bail!("invalid test name `{shown}`: expected UTF-8 text"),
    }
    Ok(())
}

fn take_test_arguments(invocation: &mut Invocation, rest: Vec<OsString>) -> anyhow::Result<()> {
    if !runs_tests(invocation.command) && invocation.command != Command::Run && !rest.is_empty() {
        bail!(Advised::new(
            format!("`{}` runs no tests, so nothing can follow `--`", invocation.command),
            "drop `--` and what follows it"
        ));
    }
    invocation.test_arguments = rest;
    Ok(())
}

fn runs_tests(command: Command) -> bool {
    matches!(command, Command::Coverage | Command::Verify)
}
