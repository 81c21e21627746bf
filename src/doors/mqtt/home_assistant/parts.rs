//! The components of a device as Home Assistant knows them: sensors, events and what they are read from.

use crate::base::limits::{HA_PART_BYTES_MAX, HA_PARTS_MAX, HA_STATE_BYTES_MAX};
use crate::node::NodeHandle;
use crate::node::clock::Trust;
use crate::node::health::Severity;
use serde_json::{Map, Value, json};

/// A figure: its key and name; its class, its unit and how it grows.
type Figure = (&'static str, &'static str, [Option<&'static str>; 3]);

/// What the node tells of itself.
const FIGURES: [Figure; 6] = [
    ("disk_free", "Disk free", [Some("data_size"), Some("MB"), Some("measurement")]),
    ("sessions", "Sessions", [None, None, Some("measurement")]),
    ("messages", "Messages", [None, None, Some("total_increasing")]),
    ("uptime", "Uptime", [Some("duration"), Some("s"), Some("measurement")]),
    ("version", "Version", [None; 3]),
    ("clock", "Clock", [None; 3]),
];

/// The components of the node, read from its state.
pub fn of_node(state: &str) -> Map<String, Value> {
    let mut parts = Map::new();
    let problem = json!({
        "p": "binary_sensor",
        "name": "Problem",
        "device_class": "problem",
        "entity_category": "diagnostic",
        "state_topic": state,
        "value_template": "{{ 'ON' if value_json.troubles else 'OFF' }}",
        "json_attributes_topic": state,
        "json_attributes_template": "{{ {'troubles': value_json.troubles} | tojson }}",
    });
    parts.insert("problem".into(), problem);
    for (key, name, more) in FIGURES {
        let mut part = json!({
            "p": "sensor",
            "name": name,
            "entity_category": "diagnostic",
            "state_topic": state,
            "value_template": format!("{{{{ value_json.{key} }}}}"),
        });
        for (key, value) in ["device_class", "unit_of_measurement", "state_class"].into_iter().zip(more) {
            if let Some(value) = value {
                part[key] = value.into();
            }
        }
        parts.insert(key.into(), part);
    }
    parts
}

/// How the node is: what [`of_node`] reads.
pub fn node_state(node: &NodeHandle, sessions: usize, version: &str) -> Vec<u8> {
    let (uptime, trust) = node
        .read(|reading| Ok((reading.world().mono_ms() / 1_000, reading.clock().standing().trust)))
        .unwrap_or((0, Trust::Nobody));
    let clock = match trust {
        Trust::Machine => "machine",
        Trust::Person => "person",
        Trust::Nobody => "nobody",
    };
    let state = json!({
        "troubles": troubles(node),
        "disk_free": node.disk.space().map(|space| space.free / 1_000_000),
        "sessions": sessions + node.hub.listeners(),
        "messages": node.counts().messages(),
        "uptime": uptime,
        "version": version,
        "clock": clock,
    });
    state.to_string().into_bytes()
}

/// What is not well now, each kind once.
pub fn troubles(node: &NodeHandle) -> Vec<&'static str> {
    let current = node.health.current().into_iter().map(|trouble| trouble.kind);
    let mut kinds: Vec<_> =
        current.filter(|kind| kind.severity() > Severity::Info).map(|kind| kind.word()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// What is said in a room, as an event.
pub(super) fn said(topic: &str) -> Value {
    let event =
        "{{ {'event_type': 'message', 'text': value_json.text, 'author': value_json.author} | tojson }}";
    json!({"p": "event", "name": "Said", "event_types": ["message"], "state_topic": topic, "value_template": event})
}

/// Whether a device is connected.
pub(super) fn connected(topic: &str) -> Value {
    json!({
        "p": "binary_sensor",
        "name": "Connected",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topic,
        "payload_on": "online",
        "payload_off": "offline",
    })
}

/// What a device reports: its state as a whole, and each part of it that is seen.
pub(super) fn reported(topic: &str, state: Option<&[u8]>) -> Map<String, Value> {
    let seen = state.filter(|state| state.len() <= HA_STATE_BYTES_MAX);
    let seen: Option<Map<String, Value>> = seen.and_then(|state| serde_json::from_slice(state).ok());
    let mut parts = Map::new();
    let mut whole = json!({"p": "sensor", "name": "State", "state_topic": topic});
    // A state of Home Assistant has at most 255 characters.
    whole["value_template"] = match &seen {
        Some(seen) if seen.contains_key("state") => "{{ (value_json.state | string)[:250] }}".into(),
        Some(_) | None => "{{ value[:250] }}".into(),
    };
    if seen.is_some() {
        whole["json_attributes_topic"] = topic.into();
    }
    parts.insert("state".into(), whole);
    let known = seen.into_iter().flatten().filter(|(key, _)| key != "state" && is_name(key));
    for (key, value) in known.take(HA_PARTS_MAX) {
        if let Some(part) = part_of(topic, &key, &value) {
            parts.insert(format!("state_{key}"), part);
        }
    }
    parts
}

fn is_name(key: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=HA_PART_BYTES_MAX).contains(&key.len()) && key.bytes().all(fits)
}

/// A sensor for one part of a state: a number, a text, yes or no, or a value with its unit.
fn part_of(topic: &str, key: &str, value: &Value) -> Option<Value> {
    let (path, value, unit) = match value {
        Value::Object(parts) => (
            format!("value_json.{key}.value"),
            parts.get("value")?,
            parts.get("unit").and_then(Value::as_str),
        ),
        value => (format!("value_json.{key}"), value, None),
    };
    let mut part = json!({"p": "sensor", "name": key, "state_topic": topic});
    part["value_template"] = match value {
        Value::Bool(_) => {
            part["p"] = "binary_sensor".into();
            format!("{{{{ 'ON' if {path} else 'OFF' }}}}").into()
        }
        Value::Number(_) => {
            part["state_class"] = "measurement".into();
            format!("{{{{ {path} }}}}").into()
        }
        Value::String(_) => format!("{{{{ {path}[:250] }}}}").into(),
        _ => return None,
    };
    if let (Some(unit), true) = (unit, value.is_number()) {
        part["unit_of_measurement"] = unit.into();
    }
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(state: &str) -> Vec<(String, String)> {
        let parts = reported("t", Some(state.as_bytes()));
        parts
            .into_iter()
            .map(|(key, part)| (key, part["p"].as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    #[test]
    fn what_a_device_reports_becomes_sensors() {
        let state = r#"{"state":"on","temperature":21.5,"open":true,"mode":"eco","a b":1,"list":[1],
            "power":{"value":12,"unit":"W"},"nested":{"x":1}}"#;
        let owned = |kinds: &[(&str, &str)]| {
            kinds.iter().map(|(key, kind)| ((*key).to_owned(), (*kind).to_owned())).collect::<Vec<_>>()
        };
        let expected = [
            ("state", "sensor"),
            ("state_mode", "sensor"),
            ("state_open", "binary_sensor"),
            ("state_power", "sensor"),
            ("state_temperature", "sensor"),
        ];
        assert_eq!(kinds(state), owned(&expected));
        assert_eq!(reported("t", Some(state.as_bytes()))["state_power"]["unit_of_measurement"], "W");
        for other in ["21.5", "on", "[1]", ""] {
            assert_eq!(kinds(other), owned(&[("state", "sensor")]), "{other}");
        }
    }

    #[test]
    fn a_state_with_many_parts_has_some_of_them() {
        let many: Map<String, Value> = (0..HA_PARTS_MAX * 2).map(|n| (format!("k{n}"), n.into())).collect();
        let many = Value::Object(many).to_string();
        assert_eq!(kinds(&many).len(), HA_PARTS_MAX + 1);
    }
}
