//! Homie: in version 4 each attribute has a topic of its own, in version 5 one `$description` tells everything.

use super::{Found, Hear, json, text};
use serde_json::Value;

const DIALECT: &str = "Homie";

/// What one message tells.
pub(super) fn find(topic: &str, payload: &[u8]) -> Vec<Found> {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels[..] {
        [base, "5", device, "$description"] => {
            json(payload).map_or_else(Vec::new, |all| described(base, device, &all))
        }
        [base, device, "$homie"] if payload.starts_with(b"3") || payload.starts_with(b"4") => {
            vec![four(base, device, None)]
        }
        // Only a property has a unit or a data type.
        ["homie", device, node, property, "$unit"] => {
            let unit = String::from_utf8_lossy(payload).into_owned();
            vec![four("homie", device, Some((format!("{node}.{property}"), unit)))]
        }
        ["homie", device, node, property, "$datatype"] => {
            vec![four("homie", device, Some((format!("{node}.{property}"), String::new())))]
        }
        _ => Vec::new(),
    }
}

fn four(base: &str, device: &str, value: Option<(String, String)>) -> Found {
    let hear = Hear {
        filter: format!("{base}/+/+/+"),
        lead: "{topic.1} {topic.2} {topic.3}: {payload}".to_owned(),
        part: None,
    };
    Found { dialect: DIALECT, device: device.to_owned(), value, hear: Some(hear) }
}

fn described(base: &str, device: &str, description: &Value) -> Vec<Found> {
    let Some(nodes) = description.get("nodes").and_then(Value::as_object) else { return Vec::new() };
    let hear = Hear {
        filter: format!("{base}/5/+/+/+"),
        lead: "{topic.2} {topic.3} {topic.4}: {payload}".to_owned(),
        part: None,
    };
    let name = text(description, &["name"]).unwrap_or(device);
    let found = |value| Found { dialect: DIALECT, device: name.to_owned(), value, hear: Some(hear.clone()) };
    let properties = nodes.iter().flat_map(|(node, about)| {
        let properties = about.get("properties").and_then(Value::as_object).into_iter().flatten();
        properties.map(move |(property, about)| {
            let unit = text(about, &["unit"]).unwrap_or_default().to_owned();
            (format!("{node}.{property}"), unit)
        })
    });
    std::iter::once(found(None)).chain(properties.map(|value| found(Some(value)))).collect()
}
