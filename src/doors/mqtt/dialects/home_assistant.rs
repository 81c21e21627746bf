//! Home Assistant's discovery: `<prefix>/<component>/[<node>/]<object>/config`, or one message for a device and all of its
//! components. Keys may be abbreviated, and `~` stands for a part that topics share.

use super::{Found, Hear, json, literal, text};
use serde_json::Value;

pub(super) const DIALECT: &str = "Home Assistant";

/// What one message tells.
pub(super) fn find(topic: &str, payload: &[u8]) -> Vec<Found> {
    let levels: Vec<&str> = topic.split('/').collect();
    let object = match levels[..] {
        [_, _, object, "config"] | [_, _, _, object, "config"] => object,
        _ => return Vec::new(),
    };
    let Some(config) = json(payload) else { return Vec::new() };
    let device = config.get("device").or(config.get("dev"));
    let device = device.and_then(|device| text(device, &["name"]));
    match config.get("components").or(config.get("cmps")).and_then(Value::as_object) {
        Some(components) => {
            let entity = |(id, part): (&String, &Value)| entity(device.unwrap_or(object), id, part, &config);
            components.iter().filter_map(entity).collect()
        }
        None => entity(device.unwrap_or(object), object, &config, &config).into_iter().collect(),
    }
}

/// One component of a device; what it does not say itself is said for all of them.
fn entity(device: &str, id: &str, config: &Value, shared: &Value) -> Option<Found> {
    let of = |keys: &[&str]| text(config, keys).or_else(|| text(shared, keys));
    let state = of(&["state_topic", "stat_t"])?;
    let base = of(&["~"]).unwrap_or_default();
    let state = match (state.strip_prefix('~'), state.strip_suffix('~')) {
        (Some(rest), _) => format!("{base}{rest}"),
        (_, Some(rest)) => format!("{rest}{base}"),
        _ => state.to_owned(),
    };
    let name = text(config, &["name"]).unwrap_or(id);
    let unit = text(config, &["unit_of_measurement", "unit_of_meas"]).unwrap_or_default();
    let field = text(config, &["value_template", "val_tpl"])
        .and_then(path)
        .map_or_else(|| "{payload}".to_owned(), |path| format!("{{json.{path}}}"));
    let part = format!("{} {field} {}", literal(name), literal(unit));
    let hear = Hear {
        filter: state,
        lead: format!("{}: ", literal(device)),
        part: Some(part.trim_end().to_owned()),
    };
    let value = Some((name.to_owned(), unit.to_owned()));
    Some(Found { dialect: DIALECT, device: device.to_owned(), value, hear: Some(hear) })
}

/// The path behind `value_json` in a template of Home Assistant.
fn path(template: &str) -> Option<String> {
    let mut rest = template.split_once("value_json")?.1;
    let mut keys = Vec::new();
    loop {
        let (key, after) = if let Some(dotted) = rest.strip_prefix('.') {
            let end = dotted
                .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .unwrap_or(dotted.len());
            dotted.split_at(end)
        } else if let Some(quoted) = rest.strip_prefix("['").or(rest.strip_prefix("[\"")) {
            let end = quoted.find(['\'', '"'])?;
            (&quoted[..end], quoted[end + 1..].strip_prefix(']')?)
        } else {
            break;
        };
        if key.is_empty() || key.contains(['.', '{', '}']) {
            return None;
        }
        keys.push(key);
        rest = after;
    }
    (!keys.is_empty()).then(|| keys.join("."))
}
