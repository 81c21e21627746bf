//! No file over 400 lines, no function over 60.

use super::rust::{self, Function};
use super::{Finding, Source, hold, js, tree, whats};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    JavaScript,
    Python,
    Shell,
    Css,
}

#[test]
fn no_file_is_too_long() {
    let findings: Vec<Finding> = tree::FILES.iter().filter_map(file_finding).collect();
    hold("no file over 400 lines: give a part of it a name and a file", &findings);
}

#[test]
fn no_function_is_too_long() {
    let findings: Vec<Finding> = tree::FILES.iter().flat_map(function_findings).collect();
    hold("no function over 60 lines: branch in the parent, compute in the leaf", &findings);
}

fn file_finding(source: &Source) -> Option<Finding> {
    language(source)?;
    let lines = source.text.lines().count();
    let what = || format!("{lines} lines, {FILE_LINES_MAX} are allowed");
    (lines > FILE_LINES_MAX).then(|| source.finding(FILE_LINES_MAX + 1, what()))
}

fn function_findings(source: &Source) -> Vec<Finding> {
    let functions = match language(source) {
        Some(Language::Rust) => rust::functions(&source.tokens()),
        Some(Language::JavaScript) => js::functions(&source.text),
        Some(Language::Python) => python_functions(&source.text),
        Some(Language::Shell) => shell_functions(&source.text),
        Some(Language::Css) | None => Vec::new(),
    };
    let long = functions.into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
    let what = |function: &Function| {
        format!("fn {} has {} lines, {FUNCTION_LINES_MAX} are allowed", function.name, function.lines)
    };
    long.map(|function| source.finding(function.line, what(&function))).collect()
}

/// By its ending, or for a program without one by its first line.
fn language(source: &Source) -> Option<Language> {
    let name = source.path.rsplit('/').next()?;
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("rs") => Some(Language::Rust),
        Some("js" | "mjs") => Some(Language::JavaScript),
        Some("py") => Some(Language::Python),
        Some("sh") => Some(Language::Shell),
        Some("css") => Some(Language::Css),
        Some(_) => None,
        None => program(source.text.lines().next()?),
    }
}

fn program(first_line: &str) -> Option<Language> {
    let interpreter = first_line.strip_prefix("#!")?;
    let known = [("python", Language::Python), ("sh", Language::Shell), ("node", Language::JavaScript)];
    known.into_iter().find(|(name, _)| interpreter.contains(name)).map(|(_, language)| language)
}

/// A function ends before the next line that is not deeper than its `def`.
fn python_functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let starts = lines.iter().enumerate().filter_map(|(at, line)| {
        let name = line.trim_start().trim_start_matches("async ").strip_prefix("def ")?;
        Some((at, name.split('(').next()?.to_owned()))
    });
    let function = |(at, name): (usize, String)| {
        let is_inside = |line: &&&str| {
            let words = line.trim_start();
            // The signature of a long list of arguments ends at the depth of its `def`.
            words.is_empty() || words.starts_with(')') || indent(line) > indent(lines[at])
        };
        let inside: Vec<&&str> = lines[at + 1..].iter().take_while(is_inside).collect();
        let blank_tail = inside.iter().rev().take_while(|line| line.trim().is_empty()).count();
        Function { name, line: at + 1, lines: 1 + inside.len() - blank_tail }
    };
    starts.map(function).collect()
}

/// `name() {` at the margin up to `}` at the margin.
fn shell_functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let starts =
        lines.iter().enumerate().filter(|(_, line)| line.ends_with("() {") && !line.starts_with(' '));
    let function = |(at, line): (usize, &&str)| {
        let inside = lines[at..].iter().take_while(|line| **line != "}").count();
        Function { name: line.trim_end_matches("() {").to_owned(), line: at + 1, lines: inside + 1 }
    };
    starts.map(function).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_one_line_too_long_is_caught() {
        for path in ["src/a.rs", "src/a.js", "src/a.mjs", "src/a.css", "tests/a.py", "tests/a.sh"] {
            assert_eq!(file_finding(&Source::new(path, &"\n".repeat(400))), None, "{path}");
            assert!(file_finding(&Source::new(path, &"\n".repeat(401))).is_some(), "{path}");
        }
        assert!(
            file_finding(&Source::new("tests/run", &format!("#!/bin/bash{}", "\n".repeat(401)))).is_some()
        );
        assert_eq!(file_finding(&Source::new("Cargo.lock", &"\n".repeat(500))), None);
    }

    #[test]
    fn a_function_one_line_too_long_is_caught() {
        let cases = [
            ("a.rs", "fn f() {\n", "    f();\n", "}\nfn g() {}\n"),
            ("a.js", "function f() {\n", "  f();\n", "}\nfunction g() {}\n"),
            ("a.py", "def f():\n    f()\n", "    f()\n", "\ndef g():\n    f()\n"),
            ("a.sh", "f() {\n", "  f\n", "}\ng() {\n}\n"),
        ];
        for (path, head, line, tail) in cases {
            let text = |lines: usize| Source::new(path, &format!("{head}{}{tail}", line.repeat(lines)));
            assert_eq!(whats(&function_findings(&text(58))), Vec::<&str>::new(), "{path}");
            let found = function_findings(&text(59));
            assert_eq!(whats(&found), ["fn f has 61 lines, 60 are allowed"], "{path}");
            assert_eq!(found[0].line, 1, "{path}");
        }
    }

    #[test]
    fn python_signatures_may_span_lines() {
        let found = python_functions(
            "class C:\n    async def f(\n        self,\n    ):\n        pass\n\n    x = 1\n",
        );
        assert_eq!(found, [Function { name: "f".into(), line: 2, lines: 4 }]);
    }
}
