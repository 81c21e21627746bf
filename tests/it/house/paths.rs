//! Every path a Rust file names, with groups of `use` unfolded and `super` climbed.

use super::Source;
use super::rust::{Token, block_end, reads};

/// A path as the compiler would start to read it.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedPath {
    /// `["crate", "chat", "room"]` for ours, `["tokio", "net"]` for others'.
    pub segments: Vec<String>,
    /// Where it stands.
    pub line: usize,
}

impl NamedPath {
    /// The path inside this crate, without `crate`; none for another crate's.
    pub fn ours(&self) -> Option<&[String]> {
        (self.segments[0] == "crate").then_some(&self.segments[1..])
    }

    /// Whether the path is `a::b` or something below it.
    pub fn is_under(&self, path: &str) -> bool {
        let mut segments = self.segments.iter();
        path.split("::").all(|wanted| segments.next().is_some_and(|segment| segment == wanted))
    }
}

/// Every path of the file. Ours all begin with `crate`.
pub fn paths(source: &Source) -> Vec<NamedPath> {
    let tokens = source.tokens();
    let home = module(&source.path);
    let mut open_mods: Vec<(String, usize)> = Vec::new();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        open_mods.retain(|(_, end)| at <= *end);
        let here: Vec<String> = home.iter().chain(open_mods.iter().map(|(name, _)| name)).cloned().collect();
        if tokens[at].text == "mod" && reads(&tokens, at + 2, &["{"]) {
            open_mods.push((tokens[at + 1].text.clone(), block_end(&tokens, at + 2)));
        }
        let first = found.len();
        at = match tokens[at].text.as_str() {
            // `impl X + use<'a>` imports nothing.
            "use" if !reads(&tokens, at + 1, &["<"]) => use_tree(&tokens, at + 1, &[], &mut found),
            "extern" if reads(&tokens, at + 1, &["crate"]) => use_tree(&tokens, at + 2, &[], &mut found),
            _ => expression_path(&tokens, at, &mut found),
        };
        for path in &mut found[first..] {
            climb(&mut path.segments, &here);
        }
    }
    found
}

/// The module a file is: `src/doors/http/mod.rs` is `doors::http`.
fn module(path: &str) -> Vec<String> {
    let inside = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    let mut names: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

/// Turns `super`, `self` and `linnet` into a path from `crate`.
fn climb(segments: &mut Vec<String>, here: &[String]) {
    let supers = segments.iter().take_while(|segment| *segment == "super").count();
    match segments[0].as_str() {
        "linnet" => segments[0] = "crate".to_owned(),
        "self" => drop(segments.splice(..1, from_crate(here))),
        "super" => {
            let parents = &here[..here.len().saturating_sub(supers)];
            segments.splice(..supers, from_crate(parents));
        }
        _ => {}
    }
}

fn from_crate(module: &[String]) -> Vec<String> {
    std::iter::once("crate".to_owned()).chain(module.iter().cloned()).collect()
}

/// Reads one branch of a `use` from `at`; gives where it ends.
fn use_tree(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<NamedPath>) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "::" => {}
            "{" => {
                let end = block_end(tokens, at);
                let mut branch = at + 1;
                while branch < end {
                    let is_comma = tokens[branch].text == ",";
                    branch = if is_comma { branch + 1 } else { use_tree(tokens, branch, &segments, found) };
                }
                return end + 1;
            }
            "as" => at += 1,
            "," | "}" | ";" => break,
            "self" if !segments.is_empty() => {}
            word => segments.push(word.to_owned()),
        }
        at += 1;
    }
    if !segments.is_empty() {
        found.push(NamedPath { segments, line });
    }
    at + 1
}

/// Reads a path in code that begins at `at`, if one does; gives where to go on.
fn expression_path(tokens: &[Token], at: usize, found: &mut Vec<NamedPath>) -> usize {
    let is_word = |at: usize| {
        tokens.get(at).is_some_and(|token| token.text.starts_with(|c: char| c.is_alphabetic() || c == '_'))
    };
    if !is_word(at) || !reads(tokens, at + 1, &["::"]) {
        return at + 1;
    }
    let mut segments = vec![tokens[at].text.clone()];
    let mut next = at + 1;
    while reads(tokens, next, &["::"]) && is_word(next + 1) {
        segments.push(tokens[next + 1].text.clone());
        next += 2;
    }
    // The tail of `<T as X>::tokio::y` is no path of its own; a leading `::` is.
    let is_tail = at > 1 && tokens[at - 1].text == "::" && tokens[at - 2].text == ">";
    if segments.len() > 1 && !is_tail {
        found.push(NamedPath { segments, line: tokens[at].line });
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = paths(&Source::new(path, text));
        let found: Vec<String> = found.iter().map(|path| path.segments.join("::")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn paths_are_found_wherever_they_hide() {
        let cases: [(&str, &[&str]); 12] = [
            ("fn f() -> impl X + use<'_> { crate::base::x() }", &["crate::base::x"]),
            (
                "use crate::{chat::{room, user as u}, store};",
                &["crate::chat::room", "crate::chat::user", "crate::store"],
            ),
            ("pub use linnet::node::*;", &["crate::node::*"]),
            ("fn f() { crate::store::open::<u8>(); }", &["crate::store::open"]),
            ("use {std::fs, tokio};", &["std::fs", "tokio"]),
            ("extern crate sled;", &["sled"]),
            ("#[tokio::test] fn f() {}", &["tokio::test"]),
            ("fn f() -> ::tokio::net::X {}", &["tokio::net::X"]),
            ("fn f(x: <u8 as crate::base::X>::Y) {}", &["crate::base::X"]),
            ("// crate::store\nfn f() { \"crate::store\"; tokio(); x.tokio; }", &[]),
            (
                "mod inner { use super::super::post; }\nuse super::post;",
                &["crate::node::post", "crate::node::post"],
            ),
            (
                "use self::inner::X;\nuse std::{self, net::{self, TcpStream}};",
                &["crate::node::run::inner::X", "std", "std::net", "std::net::TcpStream"],
            ),
        ];
        for (text, expected) in cases {
            check("src/node/run.rs", text, expected);
        }
        check("src/doors/http/mod.rs", "use super::mqtt::X;", &["crate::doors::mqtt::X"]);
        check("src/main.rs", "use super::x;", &["crate::x"]);
    }
}
