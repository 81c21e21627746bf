//! House rules as tests: they read the tree and say file, line and what to do instead.
//!
//! Each rule is a function over sources and has a test of its own that a violating snippet is caught.

mod banned;
mod dead;
mod floors;
mod foreign;
mod js;
mod limits;
mod manifest;
mod paths;
mod rust;
mod size;
mod tree;

use std::fmt;

use rust::Token;

/// One file of the repository, with its path from the root.
pub struct Source {
    /// `src/base/board.rs`
    pub path: String,
    /// Its whole text; broken UTF-8 is replaced.
    pub text: String,
}

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Source {
    /// A file that exists only in a test.
    pub fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether this is Rust under `src/`.
    pub fn is_product(&self) -> bool {
        self.path.starts_with("src/") && self.is_rust()
    }

    /// Whether the name ends in `.rs`.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The words of a Rust file, without comments and with strings emptied.
    pub fn tokens(&self) -> Vec<Token> {
        rust::tokens(&rust::mask(&self.text))
    }

    /// A finding in this file.
    pub fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Fails with every finding, one a line.
#[track_caller]
fn hold(rule: &str, findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "\nhouse rule broken: {rule}\n  {}\n", lines.join("\n  "));
}

/// What the findings say, for the rules' own tests.
#[cfg(test)]
fn whats(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.what.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "src/a.rs:7: too long")]
    fn a_finding_fails_with_file_and_line() {
        hold("sizes", &[Source::new("src/a.rs", "").finding(7, "too long")]);
    }
}
