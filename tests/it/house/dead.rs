//! No file lies about that nothing uses.

use std::collections::BTreeSet;

use super::rust::{block_end, reads};
use super::{Finding, Source, hold, manifest, tree, whats};

const BOARDS_READER: &str = "src/base/board.rs";
const WEB_APP: &str = "src/doors/http/web/app/";

/// Browsers and robots ask for these by themselves; nothing links to them.
const ASKED_FOR_UNLINKED: [&str; 2] = ["favicon.ico", "robots.txt"];

#[test]
fn every_rust_file_is_reached_from_a_root() {
    let mut roots = manifest::roots(tree::file("Cargo.toml").unwrap());
    // A package of its own: libFuzzer needs what the product must not.
    let fuzzing = manifest::roots(tree::file("tests/fuzz/Cargo.toml").unwrap());
    roots.extend(fuzzing.into_iter().map(|root| format!("tests/fuzz/{root}")));
    hold("no dead Rust files", &unreached(&tree::FILES, &roots));
}

#[test]
fn every_other_file_of_the_product_is_embedded() {
    hold("no dead files beside the code", &unembedded(&tree::FILES));
}

#[test]
fn every_file_of_the_web_client_is_linked() {
    hold("the web client is reached from its pages", &unlinked(&tree::FILES));
}

fn unreached(files: &[Source], roots: &[String]) -> Vec<Finding> {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> = roots.to_vec();
    while let Some(path) = waiting.pop() {
        let Some(source) = files.iter().find(|file| file.path == path) else { continue };
        if reached.insert(path) {
            waiting.extend(modules(source, roots));
        }
    }
    let rust = files
        .iter()
        .filter(|file| file.is_rust() && ["src/", "tests/"].iter().any(|at| file.path.starts_with(at)));
    let dead = rust.filter(|file| !reached.contains(&file.path));
    dead.map(|file| file.finding(1, "no `mod` leads here from a root: declare it or delete it")).collect()
}

/// The files that the `mod x;` of this one may mean.
fn modules(source: &Source, roots: &[String]) -> Vec<String> {
    let (folder, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let owns_folder = name == "mod.rs" || roots.contains(&source.path);
    let home = if owns_folder { folder.to_owned() } else { source.path.trim_end_matches(".rs").to_owned() };
    let tokens = source.tokens();
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        open.retain(|(_, end)| at <= *end);
        if tokens[at].text != "mod" {
            continue;
        }
        let name = tokens.get(at + 1).map_or("", |token| token.text.as_str());
        if reads(&tokens, at + 2, &["{"]) {
            open.push((name.to_owned(), block_end(&tokens, at + 2)));
        } else if reads(&tokens, at + 2, &[";"]) {
            let inner: String = open.iter().map(|(name, _)| format!("{name}/")).collect();
            found.push(format!("{home}/{inner}{name}.rs"));
            found.push(format!("{home}/{inner}{name}/mod.rs"));
        }
    }
    found
}

fn unembedded(files: &[Source]) -> Vec<Finding> {
    let code: Vec<&Source> = files.iter().filter(|file| file.is_product()).collect();
    let boards: Vec<&Source> = files.iter().filter(|file| file.path == BOARDS_READER).collect();
    let mut findings = Vec::new();
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if file.path.starts_with("src/") && !file.is_rust() && !names(&code, name) {
            findings.push(
                file.finding(1, format!("no Rust file under src/ names {name}: embed it or delete it")),
            );
        }
        if file.path.starts_with("boards/") && !names(&boards, &file.path) {
            findings
                .push(file.finding(1, format!("{BOARDS_READER} does not include it: add a line to FILES")));
        }
    }
    findings
}

fn unlinked(files: &[Source]) -> Vec<Finding> {
    let app: Vec<&Source> = files.iter().filter(|file| file.path.starts_with(WEB_APP)).collect();
    let (mut linked, mut loose): (Vec<&Source>, Vec<&Source>) = app.into_iter().partition(|file| {
        let unlinked = ASKED_FOR_UNLINKED.iter().any(|name| file.path.ends_with(name));
        file.path.ends_with(".html") || unlinked
    });
    // Each round takes in what the linked files name; what is left at the end is dead.
    loop {
        let (named, rest): (Vec<&Source>, Vec<&Source>) = loose
            .into_iter()
            .partition(|file| names(&linked, file.path.rsplit('/').next().unwrap_or_default()));
        loose = rest;
        if named.is_empty() {
            break;
        }
        linked.extend(named);
    }
    loose.iter().map(|file| file.finding(1, "no page and nothing a page loads names this file")).collect()
}

/// Whether a file is named, and not merely the tail of a longer name.
fn names(files: &[&Source], name: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || "._-".contains(char);
    let whole = |text: &str, at: usize| {
        let before = text[..at].chars().next_back();
        // "./store.js" names store.js; "keystore.js" does not.
        let dot_slash = text[..at].ends_with("./");
        dot_slash || !before.is_some_and(is_part)
    };
    files.iter().any(|file| file.text.match_indices(name).any(|(at, _)| whole(&file.text, at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_of(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(path, text)| Source::new(path, text)).collect()
    }

    fn paths(findings: &[Finding]) -> Vec<&str> {
        assert!(whats(findings).iter().all(|what| !what.is_empty()));
        findings.iter().map(|finding| finding.path.as_str()).collect()
    }

    #[test]
    fn a_rust_file_nobody_declares_is_caught() {
        let files = tree_of(&[
            ("src/lib.rs", "pub mod base;\nmod inner { mod deep; }\n// mod ghost;"),
            ("src/base/mod.rs", "mod id;"),
            ("src/base/id.rs", "#[cfg(test)] mod tests;"),
            ("src/base/id/tests.rs", ""),
            ("src/base/ghost.rs", ""),
            ("src/ghost.rs", ""),
            ("src/inner/deep.rs", ""),
            ("tests/it/main.rs", "mod story;"),
            ("tests/it/story.rs", ""),
            ("tests/it/other.rs", ""),
        ]);
        let roots = ["src/lib.rs".to_owned(), "tests/it/main.rs".to_owned()];
        assert_eq!(
            paths(&unreached(&files, &roots)),
            ["src/base/ghost.rs", "src/ghost.rs", "tests/it/other.rs"]
        );
    }

    #[test]
    fn a_file_nobody_embeds_is_caught() {
        let files = tree_of(&[
            ("src/base/board.rs", "include_str!(\"../../boards/sim.toml\")"),
            ("src/config.rs", "include_str!(\"config.default.toml\"); \"xold.txt\""),
            ("src/config.default.toml", ""),
            ("src/old.txt", ""),
            ("boards/sim.toml", ""),
            ("boards/pi-9.toml", ""),
        ]);
        assert_eq!(paths(&unembedded(&files)), ["src/old.txt", "boards/pi-9.toml"]);
    }

    #[test]
    fn a_script_no_page_loads_is_caught() {
        let files = tree_of(&[
            ("src/doors/http/web/app/index.html", "<script src=\"/app/main.js\">"),
            ("src/doors/http/web/app/main.js", "import './rooms/list.js'"),
            ("src/doors/http/web/app/rooms/list.js", "fetch('keystore.js')"),
            ("src/doors/http/web/app/store.js", "import './loop.js'"),
            ("src/doors/http/web/app/loop.js", "import './store.js'"),
            ("src/doors/http/web/app/favicon.ico", ""),
        ]);
        let dead = ["src/doors/http/web/app/store.js", "src/doors/http/web/app/loop.js"];
        assert_eq!(paths(&unlinked(&files)), dead);
    }
}
