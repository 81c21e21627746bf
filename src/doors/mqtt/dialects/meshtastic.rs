//! Meshtastic's JSON: `msh/<region>/2/json/<channel>/<gateway>`, where the region may have several levels.

use super::{Found, Hear, json, leaves, text};

const DIALECT: &str = "Meshtastic";

/// What one message tells.
pub(super) fn find(topic: &str, payload: &[u8]) -> Vec<Found> {
    let Some((root, rest)) = topic.split_once("/2/json/") else { return Vec::new() };
    let Some((channel, gateway)) = rest.split_once('/') else { return Vec::new() };
    let Some(packet) = json(payload).filter(|_| root.starts_with("msh") && gateway.starts_with('!')) else {
        return Vec::new();
    };
    let (Some(kind), Some(inside)) = (text(&packet, &["type"]), packet.get("payload")) else {
        return Vec::new();
    };
    let level = root.split('/').count() + 2;
    let hear = Hear {
        filter: format!("{root}/2/json/+/+"),
        lead: format!("{{topic.{level}}} {{json.sender}} {{json.type}}: {{json.payload.text}}"),
        part: None,
    };
    // A node tells its name once in a while; until then it is its number.
    let device = match (kind, packet.get("from").and_then(serde_json::Value::as_u64)) {
        ("nodeinfo", _) => text(inside, &["longname", "shortname"]).unwrap_or(gateway).to_owned(),
        (_, Some(from)) => format!("!{from:08x}"),
        (_, None) => gateway.to_owned(),
    };
    let found = |value| Found { dialect: DIALECT, device: device.clone(), value, hear: Some(hear.clone()) };
    match kind {
        "telemetry" => {
            let values = leaves(inside).into_iter().filter(|(_, value)| value.is_number());
            values.map(|(path, _)| found(Some((path.clone(), unit(&path).to_owned())))).collect()
        }
        "text" => vec![found(Some((format!("text on {channel}"), String::new())))],
        "position" => vec![found(Some(("position".to_owned(), String::new())))],
        _ => vec![found(None)],
    }
}

fn unit(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or(name) {
        "battery_level" | "relative_humidity" | "air_util_tx" | "channel_utilization" => "%",
        "temperature" => "°C",
        "barometric_pressure" => "hPa",
        "voltage" => "V",
        "current" => "mA",
        "uptime_seconds" => "s",
        _ => "",
    }
}
