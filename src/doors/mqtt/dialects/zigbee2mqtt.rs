//! Zigbee2MQTT: the retained list `<base>/bridge/devices` says what every device exposes.

use super::{Found, Hear, json, literal, text};
use serde_json::Value;

const DIALECT: &str = "Zigbee2MQTT";

/// What one message tells.
pub(super) fn find(topic: &str, payload: &[u8]) -> Vec<Found> {
    let Some(base) = topic.strip_suffix("/bridge/devices") else { return Vec::new() };
    let Some(Value::Array(devices)) = json(payload) else { return Vec::new() };
    devices.iter().flat_map(|device| device_found(base, device)).collect()
}

fn device_found(base: &str, device: &Value) -> Vec<Found> {
    let Some(name) = text(device, &["friendly_name"]) else { return Vec::new() };
    if text(device, &["type"]) == Some("Coordinator") {
        return Vec::new();
    }
    // Below a name there are commands too: one that has levels is heard by itself.
    let hear = match name.contains('/') {
        true => Hear {
            filter: format!("{base}/{name}"),
            lead: format!("{}: {{payload}}", literal(name)),
            part: None,
        },
        false => {
            let level = base.split('/').count();
            Hear { filter: format!("{base}/+"), lead: format!("{{topic.{level}}}: {{payload}}"), part: None }
        }
    };
    let hear = Some(hear).filter(|_| !name.contains(['+', '#']));
    let found = |value| Found { dialect: DIALECT, device: name.to_owned(), value, hear: hear.clone() };
    let exposes = device.get("definition").and_then(|definition| definition.get("exposes"));
    let mut all = vec![found(None)];
    all.extend(values(exposes).into_iter().map(|value| found(Some(value))));
    all
}

/// Properties with their units; a switch or a light has its own as features.
fn values(exposes: Option<&Value>) -> Vec<(String, String)> {
    let entries = exposes.and_then(Value::as_array).into_iter().flatten();
    let with_features = entries.flat_map(|entry| {
        let features = entry.get("features").and_then(Value::as_array).into_iter().flatten();
        std::iter::once(entry).chain(features)
    });
    let value = |entry: &Value| {
        let property = text(entry, &["property"])?.to_owned();
        Some((property, text(entry, &["unit"]).unwrap_or_default().to_owned()))
    };
    with_features.filter_map(value).collect()
}
