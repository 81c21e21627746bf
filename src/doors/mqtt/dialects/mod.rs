//! What devices at a broker say of themselves, by the conventions they follow: which device, which values, in which unit,
//! and how a bridge would hear them. Each dialect is a pure function of a topic and a payload.

mod esphome;
mod home_assistant;
mod homie;
mod meshtastic;
mod tasmota;
mod zigbee2mqtt;

use super::binding::{Template, TopicFilter};
use crate::base::limits::{
    DIALECT_DEVICES_MAX, DIALECT_FOUND_MAX, DIALECT_HEARS_MAX, DIALECT_PARTS_MAX, DIALECT_PAYLOAD_BYTES_MAX,
    DIALECT_VALUES_MAX, DIALECT_WORD_CHARS_MAX,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Something a message tells of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The convention it follows.
    pub dialect: &'static str,
    /// The device's name.
    pub device: String,
    /// A value it has and its unit, which may be empty.
    pub value: Option<(String, String)>,
    /// How a bridge would hear it.
    pub hear: Option<Hear>,
}

/// What a bridge would listen for, and how it would read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hear {
    /// The topic filter.
    pub filter: String,
    /// A template, or its beginning.
    pub lead: String,
    /// What this value adds to the template.
    pub part: Option<String>,
}

/// A device as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// Values and their units, by name.
    pub values: BTreeMap<String, String>,
}

/// A bridge that could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The convention.
    pub dialect: &'static str,
    /// The topic filter.
    pub filter: TopicFilter,
    /// The template, which is one.
    pub template: String,
}

type Dialect = fn(&str, &[u8]) -> Vec<Found>;

/// Home Assistant is last: what others describe better is theirs.
const DIALECTS: [Dialect; 6] =
    [zigbee2mqtt::find, tasmota::find, esphome::find, homie::find, meshtastic::find, home_assistant::find];

/// Everything found at a broker; bounded.
#[derive(Debug, Default)]
pub struct Finds {
    devices: BTreeMap<(&'static str, String), Device>,
    hears: Vec<(&'static str, String, String, Vec<String>)>,
}

impl Finds {
    /// Takes one message into account.
    pub fn hear(&mut self, topic: &str, payload: &[u8]) {
        if payload.len() > DIALECT_PAYLOAD_BYTES_MAX {
            return;
        }
        for dialect in DIALECTS {
            dialect(topic, payload).into_iter().take(DIALECT_FOUND_MAX).for_each(|found| self.add(found));
        }
    }

    fn add(&mut self, found: Found) {
        let key = (found.dialect, word(&found.device));
        if key.1.is_empty() || (self.devices.len() >= DIALECT_DEVICES_MAX && !self.devices.contains_key(&key))
        {
            return;
        }
        let device = self.devices.entry(key).or_default();
        if let Some((name, unit)) = found.value {
            let (name, unit) = (word(&name), word(&unit));
            let is_known = device.values.get(&name).is_some_and(|known| !known.is_empty() || unit.is_empty());
            if !is_known && (device.values.len() < DIALECT_VALUES_MAX || device.values.contains_key(&name)) {
                device.values.insert(name, unit);
            }
        }
        if let Some(hear) = found.hear {
            self.add_hear(found.dialect, hear);
        }
    }

    fn add_hear(&mut self, dialect: &'static str, hear: Hear) {
        let at = self.hears.iter().position(|(of, filter, ..)| *of == dialect && *filter == hear.filter);
        let at = match at {
            Some(at) => at,
            None if self.hears.len() < DIALECT_HEARS_MAX => {
                self.hears.push((dialect, hear.filter, hear.lead, Vec::new()));
                self.hears.len() - 1
            }
            None => return,
        };
        let parts = &mut self.hears[at].3;
        if let Some(part) = hear.part.filter(|part| parts.len() < DIALECT_PARTS_MAX && !parts.contains(part))
        {
            parts.push(part);
        }
    }

    /// The devices, by dialect and name.
    pub fn devices(&self) -> impl Iterator<Item = (&'static str, &str, &Device)> {
        self.devices.iter().map(|((dialect, name), device)| (*dialect, name.as_str(), device))
    }

    /// The bridges that would hear them, none of them twice the same.
    pub fn proposals(&self) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        for (dialect, filter, lead, parts) in &self.hears {
            let Ok(filter) = TopicFilter::parse(filter) else { continue };
            let mut template = format!("{lead}{}", parts.join(", "));
            if Template::parse(&template).is_err() {
                template = "{topic}: {payload}".to_owned();
            }
            // Others know better than Home Assistant's discovery how they are read as a whole.
            let is_heard = |(of, other, ..): &(&str, String, String, Vec<String>)| {
                of != dialect && TopicFilter::parse(other).is_ok_and(|other| other.matches(filter.as_str()))
            };
            if *dialect != home_assistant::DIALECT || !self.hears.iter().any(is_heard) {
                proposals.push(Proposal { dialect, filter, template });
            }
        }
        // In the order of the dialects, whichever spoke first.
        proposals.sort_by_key(|proposal| proposal.dialect);
        proposals
    }
}

/// A name without what steers a terminal, and not too long.
fn word(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(DIALECT_WORD_CHARS_MAX)
        .collect::<String>()
        .trim()
        .into()
}

/// Words as they stand in a template.
fn literal(text: &str) -> String {
    word(text).replace('{', "{{").replace('}', "}}")
}

fn json(payload: &[u8]) -> Option<Value> {
    serde_json::from_slice(payload).ok()
}

fn text<'a>(object: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| object.get(key)?.as_str()).filter(|text| !text.is_empty())
}

/// The leaves of a JSON object that are numbers, texts or switches, with their paths; at most as many as are shown.
fn leaves(object: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    walk("", object, &mut found, 0);
    found
}

fn walk<'a>(path: &str, value: &'a Value, found: &mut Vec<(String, &'a Value)>, depth: usize) {
    if found.len() >= DIALECT_VALUES_MAX {
        return;
    }
    match value {
        Value::Object(map) if depth < 4 => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(&path, value, found, depth + 1);
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::String(_) if !path.is_empty() => {
            found.push((path.to_owned(), value));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
