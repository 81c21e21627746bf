//! Tasmota: `tele/<device>/SENSOR`, or `<device>/tele/SENSOR` where the order was swapped; JSON with the units beside the
//! values. Devices without sensors are known by their last will.

use super::{Found, Hear, json, leaves, text};
use serde_json::Value;

const DIALECT: &str = "Tasmota";

/// What one message tells.
pub(super) fn find(topic: &str, payload: &[u8]) -> Vec<Found> {
    let levels: Vec<&str> = topic.split('/').collect();
    let (device, filter, lead) = match levels[..] {
        ["tele", device, kind @ ("SENSOR" | "LWT" | "STATE")] => {
            (device, kind, ("tele/+/SENSOR", "{topic.1}: "))
        }
        [device, "tele", kind @ ("SENSOR" | "LWT" | "STATE")] => {
            (device, kind, ("+/tele/SENSOR", "{topic.0}: "))
        }
        _ => return Vec::new(),
    };
    let (kind, (filter, lead)) = (filter, lead);
    let found = |value, hear| Found { dialect: DIALECT, device: device.to_owned(), value, hear };
    match kind {
        "SENSOR" => {
            let Some(report) = json(payload) else { return Vec::new() };
            let hear = Hear { filter: filter.to_owned(), lead: format!("{lead}{{payload}}"), part: None };
            let values =
                leaves(&report).into_iter().filter(|(path, value)| path.contains('.') && value.is_number());
            let values = values.map(|(path, _)| {
                let unit = unit(&report, &path);
                found(Some((path, unit)), Some(hear.clone()))
            });
            values.collect()
        }
        "LWT" if [&b"Online"[..], b"Offline"].contains(&payload) => vec![found(None, None)],
        // Its Wi-Fi tells a report of Tasmota from others' JSON.
        "STATE" if json(payload).is_some_and(|state| state.get("Wifi").is_some()) => vec![found(None, None)],
        _ => Vec::new(),
    }
}

/// Units stand in the report, or are those of Tasmota's documentation.
fn unit(report: &Value, path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    let usual = match name {
        "Temperature" | "DewPoint" => return text(report, &["TempUnit"]).unwrap_or("C").to_owned(),
        "Pressure" | "SeaPressure" => return text(report, &["PressureUnit"]).unwrap_or("hPa").to_owned(),
        "Humidity" => "%",
        "Power" => "W",
        "ApparentPower" => "VA",
        "ReactivePower" => "VAr",
        "Voltage" => "V",
        "Current" => "A",
        "Total" | "Yesterday" | "Today" => "kWh",
        "Illuminance" => "lx",
        "CarbonDioxide" => "ppm",
        "Distance" => "cm",
        _ => "",
    };
    usual.to_owned()
}
