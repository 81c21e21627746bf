//! What a binding of topics nobody has bound yet might be, from what they say; and a binding as the settings write it.

use super::{Binding, Deadband, Path, Template, TopicFilter};
use crate::base::limits::{BIND_GUESS_DEPTH_MAX, BIND_GUESS_VALUES_MAX};
use serde_json::Value;
use std::time::Duration;

/// Names of values, the one people want to hear of first; their unit, and what is little of it. Without one it is a state.
const KNOWN: [(&str, &str, Option<Deadband>); 22] = [
    ("temperature", "°C", Some(Deadband::By(0.5))),
    ("humidity", "%", Some(Deadband::By(2.0))),
    ("moisture", "%", Some(Deadband::By(2.0))),
    ("co2", "ppm", Some(Deadband::By(50.0))),
    ("carbondioxide", "ppm", Some(Deadband::By(50.0))),
    ("water_leak", "", None),
    ("smoke", "", None),
    ("contact", "", None),
    ("occupancy", "", None),
    ("motion", "", None),
    ("action", "", None),
    ("state", "", None),
    ("status", "", None),
    ("lwt", "", None),
    ("pressure", "hPa", Some(Deadband::By(1.0))),
    ("illuminance", "lx", Some(Deadband::Percent(20.0))),
    ("pm25", "µg/m³", Some(Deadband::By(5.0))),
    ("energy", "kWh", Some(Deadband::By(0.1))),
    ("power", "W", Some(Deadband::Percent(10.0))),
    ("current", "A", Some(Deadband::Percent(10.0))),
    ("voltage", "V", Some(Deadband::By(2.0))),
    ("battery", "%", Some(Deadband::By(5.0))),
];
/// Numbers that are about the telling and not about what is told.
const ASIDE: [&str; 6] = ["linkquality", "rssi", "time", "uptime", "id", "heap"];
/// How often a number is told at most, unless somebody writes something else.
const EVERY: Duration = Duration::from_secs(600);

/// How a value reads.
const VALUE: &str = "{device}: {value}";
const VALUE_WITH_UNIT: &str = "{device}: {value} {unit}";
/// How anything reads.
const ANYTHING: &str = "{topic}: {payload}";

/// The text of a binding for which none is written: by its unit where it has one.
pub fn usual_text(is_about_a_value: bool, unit: &str) -> &'static str {
    match (is_about_a_value, unit) {
        (false, _) => ANYTHING,
        (true, "") => VALUE,
        (true, _) => VALUE_WITH_UNIT,
    }
}

/// A binding that says what matters of such publications; of everything else, what they say.
pub fn guess(filter: &TopicFilter, topic: &str, payload: &[u8]) -> Binding {
    let text = std::str::from_utf8(payload).unwrap_or_default().trim();
    let json = serde_json::from_str(text).ok();
    if let Some(json @ (Value::Object(_) | Value::Array(_))) = &json {
        let found = best(json).and_then(|(path, value)| Some((Path::parse(&path).ok()?, value)));
        return match found {
            Some((path, value)) => about(filter, Some(path), value.is_number(), ""),
            None => say_all(filter),
        };
    }
    let is_number = matches!(&json, Some(Value::Number(_)));
    let name = topic.rsplit('/').find(|level| known(level).is_some()).unwrap_or_default();
    let is_word = !text.is_empty() && text.len() <= 32;
    if is_number || is_word { about(filter, None, is_number, name) } else { say_all(filter) }
}

/// A binding about the value at a path, or about the payload, which `name` tells more of.
pub fn about(filter: &TopicFilter, path: Option<Path>, is_number: bool, name: &str) -> Binding {
    let name = path.as_ref().map_or(name, Path::last);
    let (unit, little) =
        known(name).map_or(("", Some(Deadband::Percent(5.0))), |at| (KNOWN[at].1, KNOWN[at].2));
    let deadband = little.filter(|_| is_number);
    let unit = if deadband.is_some() { unit } else { "" };
    let text = Template::parse(usual_text(true, unit)).expect("a template");
    Binding {
        value: path,
        unit: unit.to_owned(),
        every: deadband.map(|_| EVERY),
        on_change: deadband.is_none(),
        deadband,
        ..Binding::of(filter.clone(), text)
    }
}

fn say_all(filter: &TopicFilter) -> Binding {
    Binding::of(filter.clone(), Template::parse(ANYTHING).expect("a template"))
}

/// The place of a name in the table of those known.
fn known(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    KNOWN.iter().position(|(known, ..)| name == *known || name.ends_with(&format!("_{known}")))
}

/// The value people want to hear of first, by its path.
fn best(json: &Value) -> Option<(String, &Value)> {
    let mut found = Vec::new();
    collect(json, "", 0, &mut found);
    let rank = |path: &str| known(path.rsplit('.').next().unwrap_or(path));
    let aside = |path: &str| ASIDE.iter().any(|word| path.to_lowercase().ends_with(word));
    let ranked = found.iter().enumerate().filter_map(|(at, (path, _))| Some((rank(path)?, at))).min();
    let first = || found.iter().position(|(path, value)| value.is_number() && !aside(path));
    let at = ranked.map(|(_, at)| at).or_else(first)?;
    Some(found.swap_remove(at))
}

fn collect<'a>(json: &'a Value, path: &str, depth: usize, found: &mut Vec<(String, &'a Value)>) {
    let under = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match json {
        _ if depth > BIND_GUESS_DEPTH_MAX || found.len() >= BIND_GUESS_VALUES_MAX => {}
        Value::Object(map) => {
            // A key that has a dot cannot be written in a path.
            for (key, value) in map.iter().filter(|(key, _)| !key.contains('.')).take(BIND_GUESS_VALUES_MAX) {
                collect(value, &under(key), depth + 1, found);
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate().take(BIND_GUESS_VALUES_MAX) {
                collect(value, &under(&at.to_string()), depth + 1, found);
            }
        }
        Value::Null => {}
        value => found.push((path.to_owned(), value)),
    }
}

/// The keys of a binding as a block of the settings has them.
pub fn toml(binding: &Binding, room: &str) -> String {
    let mut lines = format!("topic = {}\nroom = {}\n", quoted(binding.topic.as_str()), quoted(room));
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            lines += &format!("{key} = {value}\n");
        }
    };
    line("value", binding.value.as_ref().map(|path| quoted(&path.text())));
    line("unit", Some(quoted(&binding.unit)).filter(|_| !binding.unit.is_empty()));
    line("deadband", binding.deadband.map(deadband_words));
    line("every", binding.every.map(|every| quoted(&span_words(every))));
    line("on", binding.on_change.then(|| quoted("change")));
    line("above", binding.above.map(|bound| bound.to_string()));
    line("below", binding.below.map(|bound| bound.to_string()));
    line("text", Some(quoted(binding.text.source())));
    lines
}

/// A deadband as the settings write it.
pub fn deadband_words(deadband: Deadband) -> String {
    match deadband {
        Deadband::By(by) => by.to_string(),
        Deadband::Percent(percent) => quoted(&format!("{percent}%")),
    }
}

fn span_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let fits = units.into_iter().find(|(_, unit)| seconds.is_multiple_of(*unit));
    fits.map_or(String::new(), |(unit, of)| format!("{}{unit}", seconds / of))
}

/// Text as TOML takes it: JSON's escapes are among TOML's.
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|letter| *letter != '\u{7f}').collect();
    Value::String(text).to_string()
}
