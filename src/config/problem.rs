//! What is wrong with the settings, in words that say what to write instead.

use super::origin::Origin;
use crate::base::limits::CONFIG_PROBLEMS_MAX;
use std::fmt;

/// Everything found wrong, in the order it was read; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `linnet.toml:3`, `environment LINNET_ACCESS`, `flag --http`, or a file as a whole.
    pub place: String,
    /// What was found and what is expected.
    pub what: String,
}

impl Problem {
    /// A problem with a value from `origin`.
    pub(super) fn at(origin: &Origin, what: impl Into<String>) -> Problem {
        Problem { place: origin.to_string(), what: what.into() }
    }

    /// A value that is not what the setting takes.
    pub(super) fn unfit(origin: &Origin, key: &str, found: &str, expected: &str) -> Problem {
        Problem::at(origin, format!("{key} is {found}; expected {expected}"))
    }
}

impl ConfigError {
    /// The error, if there is any problem.
    pub(super) fn from(mut problems: Vec<Problem>) -> Option<ConfigError> {
        problems.truncate(CONFIG_PROBLEMS_MAX);
        (!problems.is_empty()).then_some(ConfigError { problems })
    }

    /// What is wrong, in the order it was read.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether only flags are at fault: then the command was wrong, not the settings.
    pub fn is_usage(&self) -> bool {
        self.problems.iter().all(|problem| problem.place.starts_with("flag "))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(out, "{}: {}", problem.place, problem.what)?;
        }
        write!(out, "'linnet config' prints every setting with its meaning")
    }
}

impl std::error::Error for ConfigError {}
