//! The ways of a `[[bridge]]`: in, out, and what it says of itself; and what only all blocks together tell.

use super::quoted;
use crate::chat::name::Name;
use crate::config::binding::{FORMER_TEMPLATE, KEYS_OF_VALUES};
use crate::config::block::Block;
use crate::config::origin::{Origin, Row};
use crate::config::problem::Problem;
use crate::config::settings::Given;
use crate::doors::mqtt::binding::TopicFilter;
use crate::doors::mqtt::bridge::rule::{BridgeRule, Found, Hears, Tells};
use crate::doors::mqtt::bridge::saying::{Form, Saying};
use crate::doors::mqtt::home_assistant::is_prefix;

/// How what another linnet says reads unless something else is written.
const LINNETS_TEMPLATE: &str = "{json.author}: {json.text}";

/// Which ways a bridge goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
    Both,
}

impl Direction {
    /// One of the three words.
    pub(super) fn parse(given: &Given) -> Option<Direction> {
        match given {
            Given::Text(word) if word == "in" => Some(Direction::In),
            Given::Text(word) if word == "out" => Some(Direction::Out),
            Given::Text(word) if word == "both" => Some(Direction::Both),
            _ => None,
        }
    }
}

impl Block<'_> {
    /// The way in, if there is one; without its own topic it hears where it tells.
    pub(super) fn hears(
        &mut self,
        direction: Direction,
        tells: Option<&Option<Tells>>,
    ) -> Option<Option<Hears>> {
        if direction == Direction::Out {
            let keys = [&["topic", FORMER_TEMPLATE, "qos"], &KEYS_OF_VALUES[..]].concat();
            return self.unused(&keys, "direction is \"out\"").then_some(None);
        }
        let told = tells.and_then(Option::as_ref).map(|tells| tells.topic.clone());
        let topic = match told.filter(|_| self.entry("topic").is_none()) {
            Some(told) => {
                self.row("topic", quoted(&told), Origin::Default);
                TopicFilter::parse(&told).ok()
            }
            None => self.needed("topic", "a topic filter such as tele/+/SENSOR", TopicFilter::parse),
        };
        let usual = (direction == Direction::Both).then_some(LINNETS_TEMPLATE);
        let binding = topic.and_then(|topic| self.binding(topic, usual));
        let qos = self.qos();
        Some(Some(Hears { binding: binding?, qos: qos? }))
    }

    /// The way out, if there is one.
    pub(super) fn tells(&mut self, direction: Direction, room: &Name) -> Option<Option<Tells>> {
        if direction == Direction::In {
            return self.unused(&["out_topic", "out_template"], "direction is \"in\"").then_some(None);
        }
        let topic = match self.entry("out_topic") {
            Some(_) => self.optional("out_topic", "a topic", TopicFilter::parse_topic),
            None => {
                let topic = format!("linnet/room/{}/msg", level(room.as_str()));
                self.row("out_topic", quoted(&topic), Origin::Default);
                Some(topic)
            }
        };
        let saying = match self.entry("out_template") {
            Some(_) => self.said("out_template", "", Form::parse).map(Saying::Form),
            None => Some(Saying::Json),
        };
        Some(Some(Tells { topic: topic?, saying: saying? }))
    }

    /// Refuses keys that would do nothing.
    fn unused(&mut self, keys: &[&str], because: &str) -> bool {
        let written = self.entries.iter().find(|entry| keys.contains(&entry.key.as_str()));
        if let Some(entry) = written {
            let what = format!("bridge.{} does nothing here: {because}", entry.key);
            self.problems.push(Problem::at(&entry.origin, what));
        }
        written.is_none()
    }

    /// The topic that was written; `None` for none. The usual one depends on the other bridges.
    pub(super) fn status_topic(&mut self) -> Option<String> {
        if self.entry("status_topic").is_none() {
            self.row(STATUS_TOPIC, quoted(""), Origin::Default);
            return None;
        }
        let parse =
            |text: &str| if text.is_empty() { Ok(String::new()) } else { TopicFilter::parse_topic(text) };
        self.optional(STATUS_TOPIC, "a topic, or \"\" for none", parse).filter(|topic| !topic.is_empty())
    }
}

impl Block<'_> {
    /// Home Assistant at the broker, if it is to find the node; how that is called, all blocks together tell.
    pub(super) fn found(&mut self) -> Option<Found> {
        const WANTED: &str = "Home Assistant's discovery prefix such as homeassistant, not under linnet/";
        let parse = |text: &str| is_prefix(text).then(|| text.to_owned()).ok_or(WANTED);
        let prefix = self.optional("home_assistant", "a text", parse)?;
        Some(Found { prefix, base: String::new(), name: String::new() })
    }
}

/// A name as one level of a topic.
fn level(name: &str) -> String {
    name.replace(|letter: char| "/+#$".contains(letter) || letter.is_control() || letter == ' ', "-")
}

/// What only all bridges together tell: who else is at the same broker, and which of them says that the node is there.
pub(in crate::config) fn gather(bridges: &mut [BridgeRule], rows: &mut [Row], node: &str) {
    let places: Vec<(String, String)> =
        bridges.iter().map(|rule| (rule.broker.place(), rule.name.clone())).collect();
    for (at, rule) in bridges.iter_mut().enumerate() {
        let is_fellow = |(place, name): &&(String, String)| *place == places[at].0 && *name != rule.name;
        rule.fellows = places.iter().filter(is_fellow).map(|(_, name)| name.clone()).collect();
        if let Some(found) = &mut rule.found {
            (found.base, found.name) = (format!("linnet/{}/ha", level(node)), node.to_owned());
        }
        let key = format!("bridge.{}.{STATUS_TOPIC}", rule.name);
        let usual = rows.iter_mut().find(|row| row.key == key && row.origin == Origin::Default);
        let is_first = places.iter().position(|(place, _)| *place == places[at].0) == Some(at);
        if let (Some(row), true) = (usual, is_first) {
            let topic = format!("linnet/{}/status", level(node));
            row.value = quoted(&topic);
            rule.status_topic = Some(topic);
        }
    }
}

const STATUS_TOPIC: &str = "status_topic";
