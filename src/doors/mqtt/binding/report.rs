//! One publication as a binding looks at it: its topic, what it says, and values inside.

use crate::base::limits::{TEMPLATE_JSON_BYTES_MAX, TEMPLATE_PATH_KEYS_MAX};
use serde_json::Value;
use std::borrow::Cow;

/// What stands where a value is missing.
pub const MISSING: &str = "?";

/// A way into JSON: keys between dots, a number picks from a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads a path such as `DS18B20.Temperature`; the error says what to write.
    pub fn parse(text: &str) -> Result<Path, &'static str> {
        const WANTED: &str =
            "keys into the payload's JSON with dots between them such as \"DS18B20.Temperature\", at most 16";
        // As JSONPath begins.
        let text = text.strip_prefix("$.").unwrap_or(text);
        let keys: Vec<String> = text.split('.').take(TEMPLATE_PATH_KEYS_MAX + 1).map(str::to_owned).collect();
        let fits = keys.len() <= TEMPLATE_PATH_KEYS_MAX && keys.iter().all(|key| !key.is_empty());
        fits.then_some(Path(keys)).ok_or(WANTED)
    }

    /// The last key, which names what it leads to.
    pub fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The path as it is written.
    pub fn text(&self) -> String {
        self.0.join(".")
    }
}

/// A publication.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Where it was published.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
    /// The same, where it is JSON and somebody looks inside.
    pub json: Option<Value>,
    /// What the binding is about.
    pub value: Option<Cow<'a, str>>,
    /// In what.
    pub unit: &'a str,
    /// Who says so.
    pub device: &'a str,
}

impl<'a> Report<'a> {
    /// A publication without a binding.
    pub fn of(topic: &'a str, payload: &'a [u8], looks_inside: bool) -> Self {
        let json = looks_inside.then(|| parse_json(payload)).flatten();
        Report { topic, payload, json, value: None, unit: "", device: topic }
    }

    /// What a path leads to, if there is anything.
    pub fn at(&self, path: &Path) -> Option<Cow<'_, str>> {
        value_at(self.json.as_ref()?, path)
    }
}

fn parse_json(payload: &[u8]) -> Option<Value> {
    // The parser stops at 128 levels by itself, so depth needs no bound here.
    (payload.len() <= TEMPLATE_JSON_BYTES_MAX).then(|| serde_json::from_slice(payload).ok()).flatten()
}

fn value_at<'a>(json: &'a Value, path: &Path) -> Option<Cow<'a, str>> {
    let found = path.0.iter().try_fold(json, |value, key| match value {
        Value::Object(map) => map.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    });
    match found? {
        // Zigbee2MQTT writes null for "not known yet".
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// A payload for people.
pub fn readable(payload: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(payload) {
        Ok(text) if text.trim().is_empty() => Cow::Borrowed("(empty)"),
        Ok(text) if !text.chars().any(is_unprintable) => Cow::Borrowed(text),
        _ => Cow::Owned(format!("({} bytes, not text)", payload.len())),
    }
}

/// Whether a letter has no place in a message.
pub fn is_unprintable(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')
}
