//! Which attachments are taken from a client: their known keys have the types that every client draws.

use crate::base::limits::ATTACHMENT_DEPTH_MAX;
use crate::chat::refusal::Refusal;
use serde_json::{Map, Value};

const TEXTS: [&str; 22] = [
    "color",
    "text",
    "pretext",
    "thumb_url",
    "message_link",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "image_url",
    "image_type",
    "image_preview",
    "audio_url",
    "audio_type",
    "video_url",
    "video_type",
    "description",
    "type",
    "format",
    "button_alignment",
    "fallback",
];
const SWITCHES: [&str; 2] = ["collapsed", "title_link_download"];
const NUMBERS: [&str; 4] = ["size", "image_size", "audio_size", "video_size"];

const REFUSED: Refusal = Refusal::Invalid {
    what: "attachments",
    want: "a list of objects whose keys have their documented types",
};

/// Whether a client's `attachments` can be taken.
pub fn check(attachments: &Value) -> Result<(), Refusal> {
    check_list(attachments, 0)
}

fn check_list(list: &Value, depth: usize) -> Result<(), Refusal> {
    let list = list.as_array().filter(|_| depth < ATTACHMENT_DEPTH_MAX).ok_or(REFUSED)?;
    list.iter().try_for_each(|attachment| check_one(attachment.as_object().ok_or(REFUSED)?, depth))
}

fn check_one(attachment: &Map<String, Value>, depth: usize) -> Result<(), Refusal> {
    for (key, value) in attachment.iter().filter(|(_, value)| !value.is_null()) {
        let key = key.as_str();
        let fine = match value {
            value if TEXTS.contains(&key) => value.is_string(),
            value if SWITCHES.contains(&key) => value.is_boolean(),
            value if NUMBERS.contains(&key) => value.is_number(),
            value => match key {
                "image_dimensions" => value.is_object(),
                "ts" => value.is_string() || value.is_number() || value.is_object(),
                "fields" => all(value, is_field),
                "actions" => all(value, is_action),
                "attachments" => return check_list(value, depth + 1),
                _ => true,
            },
        };
        if !fine {
            return Err(REFUSED);
        }
    }
    Ok(())
}

fn all(list: &Value, fits: fn(&Map<String, Value>) -> bool) -> bool {
    list.as_array().is_some_and(|list| list.iter().all(|one| one.as_object().is_some_and(fits)))
}

fn is_field(field: &Map<String, Value>) -> bool {
    let short = field.get("short").is_none_or(|short| short.is_boolean() || short.is_null());
    let title = field.get("title").is_some_and(Value::is_string);
    let value = field.get("value").is_some_and(|value| !value.is_object() && !value.is_array());
    short && title && value
}

fn is_action(action: &Map<String, Value>) -> bool {
    let text = |key: &str| action.get(key).is_none_or(|value| value.is_string() || value.is_null());
    action.get("type").and_then(Value::as_str) == Some("button")
        && ["text", "url", "msg", "image_url"].into_iter().all(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attachments_that_no_client_can_draw_are_refused() {
        let fine = json!([{ "color": "#ff0000", "text": "Yay", "ts": "2016-12-09T16:53:06.761Z", "collapsed": false,
            "fields": [{ "short": true, "title": "Test", "value": "Testing" }, { "title": "n", "value": 3 }],
            "actions": [{ "type": "button", "text": "b", "url": "https://x.org" }], "own": { "key": 1 },
            "attachments": [{ "text": "quoted" }] }]);
        assert_eq!(check(&fine), Ok(()));
        for bad in [
            json!({}),
            json!(["x"]),
            json!([{ "color": 3 }]),
            json!([{ "fields": {} }]),
            json!([{ "fields": [{ "title": 1, "value": "x" }] }]),
            json!([{ "actions": [{ "type": "button", "url": 12 }] }]),
            json!([{ "attachments": [{ "attachments": [{ "attachments": [{ "attachments": [] }] }] }] }]),
        ] {
            assert_eq!(check(&bad), Err(REFUSED), "{bad}");
        }
    }
}
