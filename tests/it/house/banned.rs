//! Calls that nobody makes: other sources of time and chance, panics in disguise, sleeps in tests.

use super::rust::{Token, reads, test_ranges};
use super::{Finding, Source, hold, paths, tree, whats};

/// Words in code, what is wrong with them.
type Ban = (&'static [&'static str], &'static str);

/// The one file that asks the machine for time and chance.
const WORLD: &str = "src/base/world.rs";

/// The one file of the tests that may pause between two looks at a thing it waits for.
const WAIT: &str = "tests/it/harness/wait.rs";

const CLOCKS: [Ban; 2] = [
    (&["SystemTime", "::", "now"], "time comes from the World: world.now()"),
    (&["Instant", "::", "now"], "time comes from the World: world.now()"),
];

/// The one file that may ask for the machine's wall clock.
const CLOCK: &str = "src/node/clock.rs";

const WALL: [Ban; 1] =
    [(&[".", "wall_ms", "("], "the machine's wall clock may be wrong: ask the node, now().wall_ms")];

const CHANCE: [&str; 5] = ["rand", "getrandom", "fastrand", "rand_core", "tempfile"];

const UNWRAP: Ban =
    (&[".", "unwrap", "("], "unwrap() outside tests: answer with an error, or expect(\"why this holds\")");

const LEFTOVERS: [Ban; 3] = [
    (&["dbg", "!"], "dbg! is a leftover: use tracing or remove it"),
    (&["todo", "!"], "todo! is a stub: build it or leave it out"),
    (&["unimplemented", "!"], "unimplemented! is a stub: build it or leave it out"),
];

const SLEEPS: [Ban; 3] = [
    (&["thread", "::", "sleep"], "no sleeps in tests: wait for the thing itself, with a limit"),
    (&["time", "::", "sleep"], "no sleeps in tests: wait for the thing itself, with a limit"),
    (&["sleep_until", "("], "no sleeps in tests: wait for the thing itself, with a limit"),
];

#[test]
fn time_and_chance_come_from_the_world() {
    let findings: Vec<Finding> = tree::product().flat_map(world_findings).collect();
    hold("the World is the only source of time and chance", &findings);
}

#[test]
fn nothing_unfinished_is_left() {
    let rust = tree::FILES.iter().filter(|file| file.is_rust());
    let findings: Vec<Finding> = rust.flat_map(leftover_findings).collect();
    hold("no unwrap outside tests, no dbg!, todo!, unimplemented!, no allow without a reason", &findings);
}

#[test]
fn tests_never_sleep() {
    let findings: Vec<Finding> = tree::FILES.iter().flat_map(sleep_findings).collect();
    hold("tests wait for the thing itself", &findings);
}

fn world_findings(source: &Source) -> Vec<Finding> {
    if source.path == WORLD {
        return Vec::new();
    }
    let tokens = source.tokens();
    let tests = test_ranges(&tokens);
    let named = paths::paths(source);
    let in_test = |line: usize| is_test_file(source) || is_within(&tests, line);
    let for_tests = |path: &paths::NamedPath| path.segments[0] == "tempfile" && in_test(path.line);
    let chance = named.iter().filter(|path| CHANCE.contains(&path.segments[0].as_str()) && !for_tests(path));
    let what = |path: &paths::NamedPath| format!("names {}: chance comes from the World", path.segments[0]);
    let mut findings: Vec<Finding> = chance.map(|path| source.finding(path.line, what(path))).collect();
    if source.path != CLOCK && !is_test_file(source) {
        let walls = find(&tokens, &WALL).into_iter().filter(|(line, ..)| !in_test(*line));
        findings.extend(walls.map(|(line, _, what)| source.finding(line, what)));
    }
    let is_timeout_clock = uses_tokio_clock(source, &named);
    let clocks = find(&tokens, &CLOCKS)
        .into_iter()
        .filter(|(_, words, _)| !(is_timeout_clock && words[0] == "Instant"));
    findings.extend(
        clocks.map(|(line, words, what)| source.finding(line, format!("{}: {what}", words.concat()))),
    );
    findings
}

/// Doors measure their timeouts on tokio's clock, which tests can pause.
fn uses_tokio_clock(source: &Source, named: &[paths::NamedPath]) -> bool {
    let names = |clock: &str| named.iter().any(|path| path.is_under(clock));
    source.path.starts_with("src/doors/") && names("tokio::time::Instant") && !names("std::time::Instant")
}

fn leftover_findings(source: &Source) -> Vec<Finding> {
    let tokens = source.tokens();
    let tests = test_ranges(&tokens);
    let is_test =
        |line: usize| source.path.starts_with("tests/") || is_test_file(source) || is_within(&tests, line);
    let mut findings: Vec<Finding> =
        find(&tokens, &LEFTOVERS).into_iter().map(|(line, _, what)| source.finding(line, what)).collect();
    let unwraps = find(&tokens, &[UNWRAP]).into_iter().filter(|(line, ..)| !is_test(*line));
    findings.extend(unwraps.map(|(line, _, what)| source.finding(line, what)));
    findings.extend(silent_allows(source, &tokens));
    findings
}

/// `#[allow]` and `#[expect]` that do not say why.
fn silent_allows(source: &Source, tokens: &[Token]) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let opens = (0..tokens.len()).filter(|at| {
        let inner = usize::from(reads(tokens, at + 1, &["!"]));
        let named = ["allow", "expect"].iter().any(|word| reads(tokens, at + 1 + inner, &["[", word, "("]));
        tokens[*at].text == "#" && named
    });
    let silent = opens.filter(|at| {
        let words = tokens[*at..].iter().take_while(|token| token.text != "]");
        let line = tokens[*at].line - 1;
        let comment = |line: &str| line.contains("//") && !line.trim_start().starts_with("///");
        let above = line
            .checked_sub(1)
            .is_some_and(|above| comment(lines[above]) && !lines[above].starts_with("//!"));
        let has_reason = words.clone().any(|token| token.text == "reason");
        !has_reason && !comment(lines[line]) && !above
    });
    let what = "an allow without a reason: add reason = \"...\" or a comment";
    silent.map(|at| source.finding(tokens[at].line, what)).collect()
}

fn sleep_findings(source: &Source) -> Vec<Finding> {
    if source.path.starts_with("tests/browser/") {
        return browser_sleeps(source);
    }
    if !source.is_rust() || source.path == WAIT || source.path.starts_with("tests/bench/") {
        return Vec::new();
    }
    let tokens = source.tokens();
    let tests = test_ranges(&tokens);
    let is_test =
        |line: usize| source.path.starts_with("tests/") || is_test_file(source) || is_within(&tests, line);
    let mut findings: Vec<Finding> = find(&tokens, &SLEEPS)
        .into_iter()
        .filter(|(line, ..)| is_test(*line))
        .map(|(line, _, what)| source.finding(line, what))
        .collect();
    let imported = paths::paths(source).into_iter().filter(|path| {
        let sleep = ["std::thread::sleep", "tokio::time::sleep", "tokio::time::sleep_until"];
        sleep.iter().any(|sleep| path.is_under(sleep)) && is_test(path.line)
    });
    findings.extend(imported.map(|path| source.finding(path.line, SLEEPS[0].1)));
    findings.dedup_by_key(|finding| finding.line);
    findings
}

fn browser_sleeps(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate().filter(|(_, line)| line.contains("waitForTimeout"));
    lines
        .map(|(at, _)| source.finding(at + 1, "waitForTimeout is a sleep: wait for what should appear"))
        .collect()
}

/// A file of unit tests beside the code, declared under `#[cfg(test)]` there.
fn is_test_file(source: &Source) -> bool {
    source.path.ends_with("/tests.rs") || source.path.contains("/tests/")
}

fn is_within(ranges: &[(usize, usize)], line: usize) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&line))
}

/// Where the banned words stand: the line, the words, what is wrong with them.
fn find(tokens: &[Token], bans: &[Ban]) -> Vec<(usize, &'static [&'static str], &'static str)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let banned = bans.iter().filter(|(words, _)| reads(tokens, at, words));
        found.extend(banned.map(|(words, what)| (tokens[at].line, *words, *what)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str, lines: &[usize]) {
        let found = rule(&Source::new(path, text));
        let found_lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(found_lines, lines, "{path}: {text}: {:?}", whats(&found));
    }

    #[test]
    fn another_clock_is_caught() {
        check(world_findings, "src/node/mod.rs", "fn f() {\n std::time::SystemTime::now();\n}", &[2]);
        check(
            world_findings,
            "src/doors/http/mod.rs",
            "use std::time::Instant;\nfn f() { Instant::now(); }",
            &[2],
        );
        check(world_findings, "src/doors/http/mod.rs", "fn f() { tokio::time::Instant::now(); }", &[]);
        check(world_findings, "src/store/disk.rs", "fn f() { tokio::time::Instant::now(); }", &[1]);
        check(world_findings, "src/base/world.rs", "fn f() { SystemTime::now(); getrandom::fill(x); }", &[]);
        check(
            world_findings,
            "src/node/mod.rs",
            "// Instant::now\nconst A: &str = \"SystemTime::now\";",
            &[],
        );
    }

    #[test]
    fn another_chance_is_caught() {
        check(world_findings, "src/base/id.rs", "fn f() { getrandom::fill(&mut x); }", &[1]);
        check(world_findings, "src/base/id.rs", "use rand::Rng;", &[1]);
        check(
            world_findings,
            "src/cli/notify.rs",
            "#[cfg(test)]\nmod tests { fn f() { tempfile::tempdir(); } }",
            &[],
        );
        check(world_findings, "src/config/tests.rs", "fn f() { tempfile::tempdir(); }", &[]);
    }

    #[test]
    fn leftovers_are_caught() {
        let rule = leftover_findings;
        check(
            rule,
            "src/a.rs",
            "fn f() {\n x.unwrap();\n todo!();\n dbg!(x);\n unimplemented!()\n}",
            &[3, 4, 5, 2],
        );
        check(rule, "src/a.rs", "fn f() { x.unwrap_or(1); x.expect(\"holds\"); }", &[]);
        check(
            rule,
            "src/a.rs",
            "#[cfg(test)]\nmod tests {\n fn f() { x.unwrap(); }\n}\nfn g() { x.unwrap() }",
            &[5],
        );
        check(rule, "tests/it/a.rs", "fn f() { x.unwrap(); todo!() }", &[1]);
    }

    #[test]
    fn an_allow_says_why() {
        let rule = leftover_findings;
        check(rule, "src/a.rs", "#[allow(dead_code)]\nfn f() {}", &[1]);
        check(rule, "src/a.rs", "//! What lives here.\n#![allow(dead_code)]", &[2]);
        check(rule, "src/a.rs", "/// What it does.\n#[expect(dead_code)]\nfn f() {}", &[2]);
        check(rule, "src/a.rs", "// The clock itself.\n#[allow(clippy::disallowed_methods)]\nfn f() {}", &[]);
        check(rule, "src/a.rs", "#[allow(dead_code, reason = \"used on ARM\")]\nfn f() {}", &[]);
    }

    #[test]
    fn a_sleep_in_a_test_is_caught() {
        let rule = sleep_findings;
        check(rule, "tests/it/a.rs", "fn f() { std::thread::sleep(x); }", &[1]);
        check(rule, "tests/it/a.rs", "use tokio::time::{self, sleep};\nfn f() { sleep(x); }", &[1]);
        check(rule, "tests/it/a.rs", "async fn f() { tokio::time::sleep(x).await; }", &[1]);
        check(rule, "src/a.rs", "fn f() { thread::sleep(x) }\n#[test]\nfn g() { thread::sleep(x) }", &[3]);
        check(rule, WAIT, "fn f() { std::thread::sleep(x); }", &[]);
        check(rule, "tests/browser/story.mjs", "await page.waitForTimeout(500);", &[1]);
    }
}
