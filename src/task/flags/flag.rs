//! What a row of the table of flags says. Knows no particular flag.

use std::ffi::OsStr;

use crate::task::config::{Command, Config};

/// A flag: one row of the table.
#[derive(Debug)]
pub(crate) struct Flag {
    /// The long name, without dashes.
    pub(crate) long: &'static str,
    /// The short name, without its dash.
    pub(crate) short: Option<char>,
    /// Other long names.
    pub(crate) aliases: &'static [&'static str],
    /// The name of its value in the help; empty when it takes none, or words of which the help lists all.
    value_name: &'static str,
    /// What it does.
    pub(crate) takes: Takes,
    /// Which commands know it.
    pub(crate) commands: &'static [Command],
    /// Long names of flags that contradict it, each with the cure. One of two rivals names the other.
    pub(crate) conflicts: &'static [(&'static str, &'static str)],
    /// Whether a variable can set it.
    in_environment: bool,
    /// Why no manifest can set it; empty if one can.
    pub(super) not_a_key: &'static str,
    /// The list that it belongs to, with other flags perhaps: a stronger layer replaces all of it.
    list: Option<&'static str>,
    /// Whether parts of the workspace can have it too.
    pub(super) is_threshold: bool,
    /// A paragraph. Its first sentence stands alone in the short help.
    pub(crate) help: &'static str,
}

/// What a flag does with what follows it.
#[derive(Debug)]
pub(crate) enum Takes {
    /// No value. The environment can say `false`.
    Nothing(fn(&mut Config, bool)),
    /// One of these words.
    Choice(&'static [Choice]),
    /// A value; of several the last holds. The function says what it expected.
    One(fn(&mut Config, &OsStr) -> Result<(), String>),
    /// A value for a list. The function says what it expected.
    Many(fn(&mut Config, &OsStr) -> Result<(), String>),
    /// Prints help.
    Help,
    /// Prints the version.
    Version,
}

/// A word that a flag takes.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) name: &'static str,
    /// What it stands for, as part of a sentence.
    pub(crate) help: &'static str,
    pub(crate) set: fn(&mut Config),
}

/// What a flag takes as a key of a manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyType {
    /// `true` or `false`.
    Switch,
    /// One of these words, as a string.
    Choice(&'static [Choice]),
    /// A number.
    Number,
    /// A string.
    Text,
    /// A string: a path from the directory of the manifest.
    Path,
    /// A list of strings, which the command line writes with commas between them.
    Words,
    /// A list of strings.
    List,
}

/// Flags that belong together in the help.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) flags: &'static [Flag],
}

impl Flag {
    pub(super) const fn new(long: &'static str, takes: Takes) -> Flag {
        Flag {
            long,
            short: None,
            aliases: &[],
            value_name: "",
            takes,
            commands: &[],
            conflicts: &[],
            in_environment: true,
            not_a_key: "",
            list: None,
            is_threshold: false,
            help: "",
        }
    }

    pub(super) const fn switch(long: &'static str, set: fn(&mut Config, bool)) -> Flag {
        Flag::new(long, Takes::Nothing(set))
    }

    pub(super) const fn choice(long: &'static str, choices: &'static [Choice]) -> Flag {
        Flag::new(long, Takes::Choice(choices))
    }

    pub(super) const fn one(
        long: &'static str,
        value_name: &'static str,
        set: fn(&mut Config, &OsStr) -> Result<(), String>,
    ) -> Flag {
        Flag { value_name, ..Flag::new(long, Takes::One(set)) }
    }

    pub(super) const fn many(
        long: &'static str,
        value_name: &'static str,
        add: fn(&mut Config, &OsStr) -> Result<(), String>,
    ) -> Flag {
        Flag { value_name, ..Flag::new(long, Takes::Many(add)) }
    }

    pub(super) const fn short(self, short: char) -> Flag {
        Flag { short: Some(short), ..self }
    }

    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> Flag {
        Flag { aliases, ..self }
    }

    pub(super) const fn of(self, commands: &'static [Command]) -> Flag {
        Flag { commands, ..self }
    }

    pub(super) const fn conflicts(self, conflicts: &'static [(&'static str, &'static str)]) -> Flag {
        Flag { conflicts, ..self }
    }

    pub(super) const fn not_in_environment(self) -> Flag {
        Flag { in_environment: false, ..self }
    }

    pub(super) const fn not_a_key(self, why: &'static str) -> Flag {
        Flag { not_a_key: why, ..self }
    }

    pub(super) const fn part_of(self, list: &'static str) -> Flag {
        Flag { list: Some(list), ..self }
    }

    pub(super) const fn threshold(self) -> Flag {
        Flag { is_threshold: true, ..self }
    }

    pub(super) const fn help(self, help: &'static str) -> Flag {
        Flag { help, ..self }
    }

    /// What stands for its value in the help: `<NAME>`, `<this|that>`, or nothing.
    pub(crate) fn placeholder(&self) -> String {
        match self.takes {
            Takes::Choice(choices) => {
                let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
                format!("<{}>", names.join("|"))
            }
            Takes::One(_) | Takes::Many(_) => format!("<{}>", self.value_name),
            Takes::Nothing(_) | Takes::Help | Takes::Version => String::new(),
        }
    }

    /// The variable that sets it, if one does.
    pub(crate) fn variable(&self) -> Option<String> {
        let single = matches!(self.takes, Takes::Nothing(_) | Takes::Choice(_) | Takes::One(_));
        (single && self.in_environment).then(|| self.variable_name())
    }

    /// The name that its variable has, or would have.
    pub(super) fn variable_name(&self) -> String {
        format!("{PREFIX}{}", self.long.to_uppercase().replace('-', "_"))
    }

    /// The name of the list that it adds to. A flag that takes several values is a list of its own.
    pub(super) fn list(&self) -> Option<&'static str> {
        let own = matches!(self.takes, Takes::Many(_)).then_some(self.long);
        self.list.or(own)
    }

    /// What it takes as a key of a manifest, or why it is none.
    pub(crate) fn key(&self) -> Result<KeyType, &'static str> {
        match (&self.takes, self.value_name) {
            (Takes::Help | Takes::Version, _) => Err("it prints and ends"),
            _ if !self.not_a_key.is_empty() => Err(self.not_a_key),
            (Takes::Nothing(_), _) => Ok(KeyType::Switch),
            (Takes::Choice(choices), _) => Ok(KeyType::Choice(choices)),
            (Takes::Many(_), _) => Ok(KeyType::List),
            (Takes::One(_), "SETS") => Ok(KeyType::Words),
            (Takes::One(_), "N" | "PERCENT" | "MAX" | "SECONDS") => Ok(KeyType::Number),
            (Takes::One(_), "PATH" | "DIRECTORY" | "FILE") => Ok(KeyType::Path),
            (Takes::One(_), _) => Ok(KeyType::Text),
        }
    }

    pub(super) fn has_value(&self) -> bool {
        matches!(self.takes, Takes::Choice(_) | Takes::One(_) | Takes::Many(_))
    }

    pub(super) fn is_called(&self, long: &str) -> bool {
        self.long == long || self.aliases.contains(&long)
    }
}

/// What the names of variables begin with.
pub(super) const PREFIX: &str = "COVERAGE_";
