//! Which floor may name which outside crate or part of the standard library.

use super::paths::paths;
use super::{Finding, Source, hold, tree, whats};

/// What the files under a path never name.
struct Rule {
    under: &'static str,
    but_not: &'static [&'static str],
    never: &'static [&'static str],
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        under: "src/base/",
        but_not: &[],
        never: &["tokio", "hyper", "serde_json", "rumqttc", "tokio_tungstenite", "std::net"],
        reason: "base knows no I/O and no protocol",
    },
    Rule {
        under: "src/base/",
        but_not: &["src/base/world.rs", "src/base/board.rs"],
        never: &["std::fs", "std::process", "serde", "toml"],
        reason: "only the World and the board files come from outside",
    },
    Rule {
        under: "src/chat/",
        but_not: &[],
        never: &[
            "serde",
            "serde_json",
            "toml",
            "tokio",
            "hyper",
            "http",
            "rumqttc",
            "std::fs",
            "std::net",
            "std::thread",
            "std::process",
            "std::env",
            "std::time::SystemTime",
            "std::time::Instant",
        ],
        reason: "chat is nouns: no I/O, no serde, no clock",
    },
    Rule {
        under: "src/delivery/",
        but_not: &[],
        never: &[
            "hyper",
            "http",
            "serde_json",
            "rumqttc",
            "tokio_tungstenite",
            "tokio::net",
            "std::net",
            "std::fs",
        ],
        reason: "delivery knows no protocol, no socket and no store",
    },
    Rule {
        under: "src/node/",
        but_not: &[],
        never: &[
            "tokio",
            "hyper",
            "hyper_util",
            "http",
            "http_body_util",
            "serde_json",
            "rumqttc",
            "tokio_tungstenite",
        ],
        reason: "the node is plain and synchronous and has never heard of JSON or packets; doors wait, it answers",
    },
    Rule {
        under: "src/store/",
        but_not: &[],
        never: &["hyper", "http", "rumqttc", "tokio_tungstenite", "tokio::net", "std::net"],
        reason: "the store remembers; it speaks to nobody",
    },
    Rule {
        under: "src/",
        but_not: &["src/store/index/"],
        never: &["sled"],
        reason: "only src/store/index/ names sled",
    },
    Rule {
        under: "src/",
        but_not: &["src/store/record/"],
        never: &["postcard"],
        reason: "only src/store/record/ names postcard",
    },
    Rule {
        under: "src/",
        but_not: &["src/doors/gpio/rpi.rs"],
        never: &["rppal"],
        reason: "only src/doors/gpio/rpi.rs names rppal",
    },
];

/// Words of protocols; the inner floors have none in the names they give.
const DIALECT_WORDS: [&str; 4] = ["rocketchat", "rocket_chat", "mqtt", "ddp"];

#[test]
fn each_floor_names_only_the_crates_it_may() {
    let findings: Vec<Finding> = tree::product().flat_map(crate_findings).collect();
    hold("outside crates per floor", &findings);
}

#[test]
fn inner_floors_speak_no_dialect() {
    let findings: Vec<Finding> = tree::product().flat_map(dialect_findings).collect();
    hold("chat and delivery know no protocol's words", &findings);
}

fn crate_findings(source: &Source) -> Vec<Finding> {
    let exempt = |but_not: &[&str]| but_not.iter().any(|path| source.path.starts_with(path));
    let rules = RULES.iter().filter(|rule| source.path.starts_with(rule.under) && !exempt(rule.but_not));
    let named = paths(source);
    let broken = rules.flat_map(|rule| {
        let found = named.iter().filter_map(|path| {
            let crate_path = rule.never.iter().find(|never| path.is_under(never))?;
            Some(source.finding(path.line, format!("names {crate_path}: {}", rule.reason)))
        });
        found.collect::<Vec<_>>()
    });
    broken.collect()
}

fn dialect_findings(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("src/chat/") && !source.path.starts_with("src/delivery/") {
        return Vec::new();
    }
    let tokens = source.tokens();
    let broken =
        tokens.iter().filter_map(|token| {
            let name = token.text.to_lowercase();
            let word = DIALECT_WORDS.iter().find(|word| name.contains(*word))?;
            Some(source.finding(
                token.line,
                format!("the name {} says {word}: only doors know dialects", token.text),
            ))
        });
    broken.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_on_the_wrong_floor_is_caught() {
        let cases = [
            ("src/chat/room.rs", "#[derive(serde::Serialize)] struct X;", "names serde:"),
            ("src/chat/room.rs", "use std::{fmt, fs};", "names std::fs:"),
            ("src/chat/room.rs", "use std::time::{Duration, Instant};", "names std::time::Instant:"),
            ("src/node/run.rs", "use tokio::sync::oneshot;", "names tokio:"),
            ("src/node/post.rs", "fn f() { serde_json::to_string(&1); }", "names serde_json:"),
            ("src/delivery/hub.rs", "use hyper::body::Bytes;", "names hyper:"),
            ("src/store/journal/mod.rs", "use sled::Tree;", "names sled:"),
            ("src/store/index/mod.rs", "use postcard::to_vec;", "names postcard:"),
            ("src/doors/gpio/mod.rs", "use rppal::gpio::Gpio;", "names rppal:"),
            ("src/base/id.rs", "use serde::Serialize;", "names serde:"),
        ];
        for (path, text, expected) in cases {
            let found = crate_findings(&Source::new(path, text));
            assert_eq!(found.len(), 1, "{path}: {text}: {:?}", whats(&found));
            assert!(found[0].what.starts_with(expected), "{expected}: {}", found[0]);
        }
    }

    #[test]
    fn a_crate_in_its_place_passes() {
        let cases = [
            ("src/store/index/mod.rs", "use sled::Tree;"),
            ("src/store/record/room.rs", "use postcard::to_vec; use serde::Serialize;"),
            ("src/doors/gpio/rpi.rs", "use rppal::system::DeviceInfo;"),
            ("src/doors/http/mod.rs", "use tokio::net::TcpListener; use serde_json::Value;"),
            ("src/chat/room.rs", "use std::time::Duration; // serde::Serialize\nfn serde() {}"),
        ];
        for (path, text) in cases {
            assert_eq!(
                whats(&crate_findings(&Source::new(path, text))),
                Vec::<&str>::new(),
                "{path}: {text}"
            );
        }
    }

    #[test]
    fn a_dialect_inside_is_caught() {
        let found = dialect_findings(&Source::new("src/chat/user.rs", "enum Via {\n    Mqtt,\n}"));
        assert_eq!(
            found,
            [Finding { path: "src/chat/user.rs".into(), line: 2, what: whats(&found)[0].into() }]
        );
        assert!(
            dialect_findings(&Source::new("src/chat/user.rs", "// as MQTT does\nfn f() { \"ddp\" }"))
                .is_empty()
        );
        assert!(dialect_findings(&Source::new("src/doors/mqtt/mod.rs", "struct Mqtt;")).is_empty());
    }
}
