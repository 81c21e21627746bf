//! Reading a command line against what a command takes. Nothing here knows what a command does.

use crate::base::near::nearest;
use crate::config::{Flag, Sources};
use lexopt::Arg;
use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

/// A command line that cannot be understood: what is wrong, and which help tells more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usage {
    /// Without a full stop.
    pub message: String,
    /// The command whose `--help` tells more; empty for the program's.
    pub command: String,
}

/// What one command takes.
pub(super) struct Spec {
    /// `serve`, `device add`.
    pub words: &'static str,
    /// `NAME` is needed, `[TEXT]` may be missing and takes all words that are left.
    pub operands: &'static [&'static str],
    /// Its own options; `--data`, `--config` and `--help` belong to every command.
    pub options: &'static [Opt],
    /// What `--help` prints, shared by the commands of a group.
    pub help: &'static str,
    /// From what was given to what is to be done; may read a password or text from the input.
    pub build: fn(Given, &mut dyn Read) -> Result<super::Action, Usage>,
}

/// An option, with the name of its value when it takes one.
pub(super) struct Opt {
    /// With its dashes.
    pub name: &'static str,
    /// `ROOM` in `--room ROOM`.
    pub value: Option<&'static str>,
    /// The setting it overrides.
    pub key: Option<&'static str>,
    /// Whether it may be given more than once.
    pub repeats: bool,
}

const EVERYWHERE: [Opt; 3] =
    [Opt::setting("--data", "DIR", "data"), Opt::valued("--config", "FILE"), Opt::switch("--help")];

impl Opt {
    /// An option that is there or not.
    pub(super) const fn switch(name: &'static str) -> Opt {
        Opt { name, value: None, key: None, repeats: false }
    }

    /// An option with a value.
    pub(super) const fn valued(name: &'static str, value: &'static str) -> Opt {
        Opt { name, value: Some(value), key: None, repeats: false }
    }

    /// An option with a value that may be given more than once.
    pub(super) const fn repeated(name: &'static str, value: &'static str) -> Opt {
        Opt { name, value: Some(value), key: None, repeats: true }
    }

    /// An option whose value is a setting.
    pub(super) const fn setting(name: &'static str, value: &'static str, key: &'static str) -> Opt {
        Opt { name, value: Some(value), key: Some(key), repeats: false }
    }
}

/// What was given to a command.
#[derive(Debug)]
pub(super) struct Given {
    words: &'static str,
    operands: Vec<String>,
    options: Vec<(&'static str, String)>,
    flags: Vec<Flag>,
    /// Whether help was asked for; then nothing else counts.
    pub help: bool,
}

impl Given {
    /// Whether a switch is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == name)
    }

    /// The value of an option.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    /// All values of an option that may be given more than once.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let of_name = self.options.iter().filter(|(given, _)| *given == name);
        of_name.map(|(_, value)| value.as_str()).collect()
    }

    /// The first operand, which the command needs.
    pub(super) fn operand(&self) -> String {
        self.operands.first().cloned().expect("needed operands were counted")
    }

    /// The first operand, for a command that can do without.
    pub(super) fn first(&self) -> Option<&str> {
        self.operands.first().map(String::as_str)
    }

    /// All operands behind the first, as one text.
    pub(super) fn rest(&self) -> Option<String> {
        let rest = self.operands.get(1..).unwrap_or(&[]);
        (!rest.is_empty()).then(|| rest.join(" "))
    }

    /// Where the settings come from, with the flags that were given.
    pub(super) fn sources(&self) -> Sources {
        Sources::of_process(self.value("--config").map(PathBuf::from), self.flags.clone())
    }

    /// A refusal of this command line.
    pub(super) fn usage(&self, message: impl Into<String>) -> Usage {
        Usage { message: message.into(), command: self.words.to_owned() }
    }
}

impl Spec {
    /// Reads what follows the command's words.
    pub(super) fn read(&self, args: &[OsString]) -> Result<Given, Usage> {
        let mut given = Given {
            words: self.words,
            operands: Vec::new(),
            options: Vec::new(),
            flags: Vec::new(),
            help: false,
        };
        let mut parser = lexopt::Parser::from_args(args);
        let wrong = |message: String| Usage { message, command: self.words.to_owned() };
        loop {
            let name = match parser.next().map_err(|error| wrong(error.to_string()))? {
                None => break,
                Some(Arg::Short('h')) => "--help".to_owned(),
                Some(Arg::Short(letter)) => {
                    return Err(wrong(format!(
                        "unknown option '-{letter}'; a text that begins with '-' goes behind '--'"
                    )));
                }
                Some(Arg::Long(name)) => format!("--{name}"),
                Some(Arg::Value(word)) => {
                    given.operands.push(text(word).map_err(wrong)?);
                    continue;
                }
            };
            let option = self.option(&name).ok_or_else(|| wrong(self.unknown(&name)))?;
            if given.has(option.name) && !option.repeats {
                return Err(wrong(format!("'{name}' is given twice")));
            }
            let value = match option.value {
                None => String::new(),
                Some(value) => parser
                    .value()
                    .map_err(|_| format!("'{name}' needs a value: {name} {value}"))
                    .and_then(text)
                    .map_err(wrong)?,
            };
            if let Some(key) = option.key {
                given.flags.push(Flag { key, flag: option.name, value: value.clone() });
            }
            given.options.push((option.name, value));
        }
        given.help = given.has("--help");
        self.count_operands(&given)?;
        Ok(given)
    }

    fn option(&self, name: &str) -> Option<&Opt> {
        self.options.iter().chain(&EVERYWHERE).find(|option| option.name == name)
    }

    fn unknown(&self, name: &str) -> String {
        let names = self.options.iter().chain(&EVERYWHERE).map(|option| option.name);
        let meant = nearest(name, names).map_or(String::new(), |meant| format!("; did you mean '{meant}'?"));
        format!("'{}' has no option '{}'{meant}", self.words, name.escape_debug())
    }

    fn count_operands(&self, given: &Given) -> Result<(), Usage> {
        if given.help {
            return Ok(());
        }
        let found = given.operands.len();
        if let Some(missing) = self.operands.get(found).filter(|operand| !operand.starts_with('[')) {
            return Err(given.usage(format!("'{}' needs a {missing}", self.words)));
        }
        let takes_rest = self.operands.last().is_some_and(|operand| operand.starts_with('['));
        match given.operands.get(self.operands.len()) {
            Some(extra) if !takes_rest => {
                let extra = extra.escape_debug();
                Err(given.usage(format!("'{}' does not take '{extra}'; the command comes first", self.words)))
            }
            _ => Ok(()),
        }
    }
}

fn text(word: OsString) -> Result<String, String> {
    word.into_string().map_err(|word| format!("{word:?} is not UTF-8 text"))
}
