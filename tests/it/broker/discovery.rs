//! What Home Assistant takes for a configuration, by its documentation of MQTT discovery and of each component: strict
//! where it would log a warning or pass something over.

use linnet::chat::topic::{Filter, Topic};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Abbreviations that are used, and what they stand for.
const SHORT: [(&str, &str); 9] = [
    ("dev", "device"),
    ("o", "origin"),
    ("cmps", "components"),
    ("p", "platform"),
    ("ids", "identifiers"),
    ("mf", "manufacturer"),
    ("mdl", "model"),
    ("sw", "sw_version"),
    ("sa", "suggested_area"),
];

/// What stands for a whole device.
const ROOT: [&str; 11] = [
    "device",
    "origin",
    "components",
    "availability",
    "availability_mode",
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "qos",
    "encoding",
];
const DEVICE: [&str; 8] = [
    "identifiers",
    "connections",
    "name",
    "manufacturer",
    "model",
    "sw_version",
    "via_device",
    "suggested_area",
];
const ORIGIN: [&str; 3] = ["name", "sw_version", "support_url"];
/// What every component may say of itself.
const COMMON: [&str; 9] = [
    "platform",
    "unique_id",
    "name",
    "icon",
    "enabled_by_default",
    "entity_category",
    "json_attributes_topic",
    "json_attributes_template",
    "qos",
];

/// Components: what they need, and what else they know.
const COMPONENTS: [(&str, &[&str], &[&str]); 4] = [
    (
        "sensor",
        &["state_topic"],
        &[
            "value_template",
            "device_class",
            "state_class",
            "unit_of_measurement",
            "expire_after",
            "force_update",
        ],
    ),
    (
        "binary_sensor",
        &["state_topic"],
        &["value_template", "device_class", "payload_on", "payload_off", "expire_after", "off_delay"],
    ),
    ("event", &["state_topic", "event_types"], &["value_template", "device_class"]),
    ("notify", &["command_topic"], &["command_template", "retain"]),
];

/// Units of the classes of sensors that are used.
const UNITS: [(&str, &[&str]); 2] =
    [("data_size", &["B", "kB", "MB", "GB"]), ("duration", &["s", "min", "h", "d", "ms"])];

/// A device as Home Assistant knows it.
#[derive(Clone, Debug)]
pub struct Device {
    pub name: String,
    /// What it hangs on.
    pub via: Option<String>,
    pub ids: Vec<String>,
    /// Where it is told whether all of it is there.
    pub availability: String,
    pub components: Map<String, Value>,
}

/// Reads a configuration; panics with what Home Assistant would not take.
pub fn read(topic: &str, payload: &str) -> Device {
    let levels: Vec<&str> = topic.split('/').collect();
    let [.., "device", id, "config"] = levels[..] else { panic!("{topic} is no topic of a configuration") };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    assert!(!id.is_empty() && id.bytes().all(fits), "{topic}");
    let parsed: Value = serde_json::from_str(payload).unwrap_or_else(|error| panic!("{topic}: {error}"));
    let root = whole(topic, &parsed, &ROOT);
    let origin = whole(topic, &root["origin"], &ORIGIN);
    assert!(origin["name"].is_string(), "{topic}: an origin needs a name");
    let device = whole(topic, &root["device"], &DEVICE);
    let ids: Vec<String> = serde_json::from_value(device["identifiers"].clone()).unwrap();
    assert!(!ids.is_empty(), "{topic}: a device has an id");
    let availability = root["availability_topic"].as_str().expect(topic).to_owned();
    assert!(Filter::parse(&availability).is_ok());
    template(topic, root.get("availability_template"));
    let components = root["components"].as_object().expect(topic);
    let components: Map<String, Value> = components
        .iter()
        .map(|(key, part)| (key.clone(), component(&format!("{topic} {key}"), part)))
        .collect();
    assert!(!components.is_empty(), "{topic}");
    let text = |key: &str| device.get(key).and_then(Value::as_str).map(str::to_owned);
    Device { name: text("name").expect(topic), via: text("via_device"), ids, availability, components }
}

/// Every unique id of some devices; panics when one is there twice.
pub fn unique_ids<'a>(devices: impl Iterator<Item = &'a Device>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for component in devices.flat_map(|device| device.components.values()) {
        let id = component["unique_id"].as_str().unwrap().to_owned();
        assert!(all.insert(id.clone()), "{id} twice");
    }
    all
}

/// An object without abbreviations and with nothing that is not known.
fn whole(what: &str, value: &Value, known: &[&str]) -> Map<String, Value> {
    let object = value.as_object().unwrap_or_else(|| panic!("{what}: {value} is no object"));
    let long = |key: &String| {
        let long = SHORT.iter().find(|(short, _)| short == key).map(|(_, long)| (*long).to_owned());
        long.unwrap_or_else(|| key.clone())
    };
    let object: Map<String, Value> = object.iter().map(|(key, value)| (long(key), value.clone())).collect();
    for key in object.keys() {
        assert!(known.contains(&key.as_str()), "{what}: '{key}' is not known");
    }
    object
}

fn component(what: &str, value: &Value) -> Value {
    let platform = value["p"].as_str().unwrap_or_else(|| panic!("{what} needs a platform"));
    let (_, needed, more) = COMPONENTS.iter().find(|(name, ..)| *name == platform).expect(what);
    let known: Vec<&str> = COMMON.iter().chain(*needed).chain(*more).copied().collect();
    let part = whole(what, value, &known);
    for key in needed.iter().chain(&["unique_id"]) {
        assert!(part.get(*key).is_some_and(|value| !value.is_null()), "{what} needs {key}");
    }
    for (key, value) in &part {
        match key.as_str() {
            "command_topic" => assert!(Topic::parse(value.as_str().expect(what)).is_ok(), "{what}"),
            key if key.ends_with("_topic") => assert!(Filter::parse(value.as_str().expect(what)).is_ok()),
            key if key.ends_with("_template") => template(what, Some(value)),
            "name" => assert!(value.is_string() || value.is_null(), "{what}"),
            "event_types" => assert!(value.as_array().is_some_and(|types| !types.is_empty()), "{what}"),
            "entity_category" => assert_eq!(value, "diagnostic", "{what}: no sensor is a setting"),
            "state_class" => {
                assert!(["measurement", "total", "total_increasing"].contains(&value.as_str().expect(what)));
            }
            "qos" => assert!(value.as_u64().is_some_and(|qos| qos < 3), "{what}"),
            // A command that is retained comes again at each start of what it is for.
            "retain" => assert_eq!(value, false, "{what}"),
            _ => {}
        }
    }
    if let (Some(class), "sensor") = (part.get("device_class"), platform) {
        let (_, units) = UNITS.iter().find(|(name, _)| class == name).expect(what);
        assert!(units.iter().any(|unit| part["unit_of_measurement"] == **unit), "{what}");
    }
    Value::Object(part)
}

fn template(what: &str, value: Option<&Value>) {
    let text = value.and_then(Value::as_str).unwrap_or_else(|| panic!("{what}: a template is a text"));
    let (opened, closed) = (text.matches("{{").count(), text.matches("}}").count());
    assert!(opened == 1 && closed == 1 && text.starts_with("{{ ") && text.ends_with(" }}"), "{what}: {text}");
}
