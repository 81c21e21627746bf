//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

/// The place that decided a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a file, from 1.
    File {
        /// As it was found.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Environment(String),
    /// A flag of the command line, with its dashes.
    Flag(&'static str),
}

/// One setting as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `http.address`, `bridge.sensors.url`.
    pub key: String,
    /// The value as TOML would have it, or `***`.
    pub value: String,
    /// Who decided it.
    pub origin: Origin,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => out.write_str("default"),
            Origin::File { path, line } => write!(out, "{}:{line}", path.display()),
            Origin::Environment(name) => write!(out, "environment {name}"),
            Origin::Flag(flag) => write!(out, "flag {flag}"),
        }
    }
}
