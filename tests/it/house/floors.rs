//! Floors: who may name whom inside the crate.

use std::collections::BTreeSet;

use super::paths::{NamedPath, paths};
use super::{Finding, Source, hold, tree, whats};

/// A floor and the floors it may use. What is not written here is forbidden.
const MAY_USE: [(&str, &[&str]); 7] = [
    ("base", &["base"]),
    ("chat", &["chat", "base"]),
    ("store", &["store", "chat", "base"]),
    ("delivery", &["delivery", "chat", "base"]),
    ("node", &["node", "store", "delivery", "chat", "base"]),
    ("doors", &["doors", "node", "delivery", "chat", "base"]),
    // The composition root, the command line and the settings wire everything and decide nothing.
    ("app", &["app", "cli", "config", "doors", "node", "store", "delivery", "chat", "base"]),
];

/// Narrower than a floor: who, what, and what to do instead.
const NEVER: [(&str, &str, &str); 1] = [(
    "store",
    "chat::policy",
    "the store remembers, it permits nothing: take the permit away and check in node/",
)];

#[test]
fn floors_are_kept() {
    let doors = doors(tree::product().map(|source| source.path.as_str()));
    let findings: Vec<Finding> = tree::product().flat_map(|source| findings(source, &doors)).collect();
    hold("main -> app -> doors -> node -> { store, delivery } -> chat -> base", &findings);
}

/// What every door stands on, so that any may name it; it names none.
const GROUND: &str = "reach";

/// The folders of `src/doors/`: each is one door, but for the ground.
fn doors<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let inside = paths.filter_map(|path| path.strip_prefix("src/doors/")?.split_once('/'));
    inside.map(|(door, _)| door.to_owned()).filter(|door| door != GROUND).collect()
}

fn findings(source: &Source, doors: &BTreeSet<String>) -> Vec<Finding> {
    let Some(floor) = floor(&source.path) else {
        return vec![source.finding(
            1,
            "stands on no floor: put it under one of base, chat, store, delivery, node, doors, cli",
        )];
    };
    let broken = |path: &NamedPath| {
        let ours = path.ours()?;
        let what = wrong_floor(floor, ours).or_else(|| wrong_door(&source.path, ours, doors))?;
        Some(source.finding(path.line, what))
    };
    paths(source).iter().filter_map(broken).collect()
}

/// The floor of a file; `lib` is the map, which names every floor and uses none.
fn floor(path: &str) -> Option<&'static str> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split(['/', '.']).next()?;
    match first {
        "main" | "cli" | "config" | "app" => Some("app"),
        "lib" | "build" => Some("lib"),
        _ => MAY_USE.iter().map(|(floor, _)| *floor).find(|floor| *floor == first),
    }
}

fn wrong_floor(floor: &str, ours: &[String]) -> Option<String> {
    let target = ours.first()?.as_str();
    let full = ours.join("::");
    if floor == "lib" {
        return Some(format!(
            "lib -> {target}: lib.rs is the map, it declares the floors and re-exports nothing"
        ));
    }
    let (_, allowed) = MAY_USE.iter().find(|(name, _)| *name == floor)?;
    let app = MAY_USE[MAY_USE.len() - 1].1;
    if !app.contains(&target) {
        return Some(format!(
            "{floor} -> crate::{full}: the root of the crate has only floors, name the one it lives on"
        ));
    }
    if !allowed.contains(&target) {
        return Some(format!(
            "{floor} -> {target} (crate::{full}): {floor} may use only {}",
            allowed.join(", ")
        ));
    }
    let under = |narrow: &str| full == narrow || full.starts_with(&format!("{narrow}::"));
    if let Some((_, narrow, instead)) = NEVER.iter().find(|(who, narrow, _)| *who == floor && under(narrow)) {
        return Some(format!("{floor} -> {narrow} (crate::{full}): {instead}"));
    }
    if floor != "doors" {
        return None;
    }
    let checks = full.starts_with("chat::policy::may_");
    checks.then(|| format!("doors -> policy (crate::{full}): doors never check, they say who is calling"))
}

fn wrong_door(path: &str, ours: &[String], doors: &BTreeSet<String>) -> Option<String> {
    let own = path.strip_prefix("src/doors/")?.split_once('/').map_or("doors/mod.rs", |(own, _)| own);
    let [floor, door, ..] = ours else { return None };
    let is_other = floor == "doors" && door != own && doors.contains(door);
    is_other.then(|| format!("doors::{own} -> doors::{door}: a door never names another; share it in src/doors/ or move it to the node"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<Finding> {
        findings(&Source::new(path, text), &BTreeSet::from(["http".to_owned(), "mqtt".to_owned()]))
    }

    #[test]
    fn every_forbidden_pair_is_caught() {
        let cases = [
            ("src/base/id.rs", "use crate::chat::room::Room;", "base -> chat"),
            ("src/chat/room.rs", "use crate::{base::id, store::keys};", "chat -> store"),
            ("src/store/keys.rs", "fn f() { crate::delivery::hub::wake() }", "store -> delivery"),
            ("src/store/keys.rs", "use crate::node::Node;", "store -> node"),
            ("src/store/keys.rs", "use crate::chat::policy;", "store -> chat::policy"),
            ("src/store/index/mod.rs", "use super::super::node::Node;", "store -> node"),
            ("src/delivery/hub.rs", "use crate::store::disk;", "delivery -> store"),
            ("src/node/post.rs", "use crate::doors::http;", "node -> doors"),
            ("src/node/run.rs", "use crate::config::Settings;", "node -> config"),
            ("src/doors/http/rest/chat.rs", "use crate::store::keys;", "doors -> store"),
            ("src/doors/http/rest/chat.rs", "use crate::store::keys;", "doors -> store"),
            ("src/doors/http/rest/chat.rs", "use crate::chat::policy::may_post;", "doors -> policy"),
            ("src/doors/http/mod.rs", "use super::mqtt::topic;", "doors::http -> doors::mqtt"),
            ("src/doors/shared.rs", "use crate::doors::http::X;", "doors::doors/mod.rs -> doors::http"),
            ("src/doors/reach/mod.rs", "use crate::doors::http::X;", "doors::reach -> doors::http"),
            ("src/doors/http/mod.rs", "use crate::config::X;", "doors -> config"),
            ("src/cli/post.rs", "use crate::Node;", "app -> crate::Node"),
            ("src/lib.rs", "pub use crate::node::Node;", "lib -> node"),
            ("src/helpers.rs", "", "stands on no floor"),
        ];
        for (path, text, expected) in cases {
            let found = check(path, text);
            assert_eq!(found.len(), 1, "{path}: {text}: {:?}", whats(&found));
            assert!(found[0].what.starts_with(expected), "{expected}: {}", found[0]);
        }
    }

    #[test]
    fn what_the_table_allows_passes() {
        let cases = [
            ("src/main.rs", "fn main() { linnet::cli::run() }"),
            ("src/app.rs", "use crate::{store::journal, doors::mqtt, node::Node, config::Settings};"),
            (
                "src/doors/http/ddp/session.rs",
                "use crate::{delivery::frames, node::Node}; use crate::doors::http::wire; use super::super::auth;",
            ),
            ("src/doors/http/mod.rs", "use crate::doors::shared::Listener;"),
            ("src/doors/http/mod.rs", "use crate::doors::reach::Stream;"),
            (
                "src/node/post.rs",
                "use crate::{store::index, delivery::hub, chat::policy};\nmod tests { use super::*; }",
            ),
            ("src/lib.rs", "//! [`crate::node`]\npub mod node;"),
        ];
        for (path, text) in cases {
            assert_eq!(whats(&check(path, text)), Vec::<&str>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn a_door_is_a_folder() {
        let paths = [
            "src/doors/mod.rs",
            "src/doors/http/mod.rs",
            "src/doors/mqtt/bridge/mod.rs",
            "src/doors/reach/mod.rs",
        ];
        assert_eq!(doors(paths.into_iter()), BTreeSet::from(["http".to_owned(), "mqtt".to_owned()]));
    }
}
