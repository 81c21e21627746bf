//! ESPHome: `<node>/<component>/<object>/state`, `<node>/status`, and what it answers to a search.

use super::{Found, Hear, json, text};

const DIALECT: &str = "ESPHome";
const COMPONENTS: [&str; 12] = [
    "sensor",
    "binary_sensor",
    "text_sensor",
    "switch",
    "light",
    "fan",
    "cover",
    "number",
    "select",
    "lock",
    "climate",
    "button",
];

/// What one message tells.
pub(super) fn find(topic: &str, payload: &[u8]) -> Vec<Found> {
    let levels: Vec<&str> = topic.split('/').collect();
    match levels[..] {
        [node, component, object, "state"] if COMPONENTS.contains(&component) && !node.is_empty() => {
            let hear = Hear {
                filter: format!("+/{component}/+/state"),
                lead: "{topic.0} {topic.2}: {payload}".to_owned(),
                part: None,
            };
            let value = Some((object.to_owned(), String::new()));
            vec![Found { dialect: DIALECT, device: node.to_owned(), value, hear: Some(hear) }]
        }
        ["esphome", "discover", node] => {
            let about = json(payload).filter(|about| about.get("version").is_some());
            let named = |about| text(&about, &["friendly_name", "name"]).unwrap_or(node).to_owned();
            let device = about.map(named).into_iter();
            device.map(|device| Found { dialect: DIALECT, device, value: None, hear: None }).collect()
        }
        _ => Vec::new(),
    }
}
