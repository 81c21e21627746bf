//! What a client wants to say, from its JSON to a draft.

use super::{attachment, extra};
use crate::base::id::MessageId;
use crate::chat::message::{Draft, Guise};
use crate::chat::name::{Opaque, Text, clip, line};
use crate::chat::refusal::Refusal;
use serde_json::{Map, Value};
use smol_str::SmolStr;

/// Characters of the address of a picture; longer ones are pictures themselves.
const AVATAR_CHARS: usize = 1_024;

/// The draft in a body of `chat.postMessage`, the message of `chat.sendMessage` or of the realtime `sendMessage`.
pub fn parse(body: &Map<String, Value>) -> Result<Draft, Refusal> {
    let text = match given(body, "text") {
        Some(text) => Some(text),
        None => given(body, "msg"),
    };
    let text = text.map(|text| text.as_str().ok_or(wants_text("text"))).transpose()?.unwrap_or_default();
    Ok(Draft {
        id: id(body, "_id")?,
        text: Text::parse(text)?,
        thread: id(body, "tmid")?,
        notice: None,
        guise: guise(body)?,
        extra: carried(body)?,
    })
}

/// The bytes of an object that linnet only carries, such as the custom fields of a room.
pub fn opaque(value: &impl serde::Serialize) -> Result<Opaque, Refusal> {
    let bytes = serde_json::to_vec(value).expect("a value is always JSON");
    if bytes.windows(6).any(|six| six == b"\\u0000") {
        return Err(Refusal::TextHasNul);
    }
    Opaque::parse(&bytes)
}

fn wants_text(what: &'static str) -> Refusal {
    Refusal::Invalid { what, want: "a text" }
}

/// A value that is there and not null.
fn given<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    body.get(key).filter(|value| !value.is_null())
}

fn id(body: &Map<String, Value>, key: &'static str) -> Result<Option<MessageId>, Refusal> {
    let Some(value) = given(body, key).filter(|value| value.as_str() != Some("")) else { return Ok(None) };
    let id = value.as_str().and_then(MessageId::parse);
    id.map(Some).ok_or(Refusal::Invalid { what: key, want: "an id" })
}

fn guise(body: &Map<String, Value>) -> Result<Option<Box<Guise>>, Refusal> {
    let text = |key: &'static str| match given(body, key) {
        Some(value) => value.as_str().ok_or(wants_text(key)),
        None => Ok(""),
    };
    let avatar: SmolStr = clip(text("avatar")?.trim(), AVATAR_CHARS);
    let guise = Guise { alias: line(text("alias")?), emoji: line(text("emoji")?), avatar };
    Ok((guise != Guise::default()).then(|| Box::new(guise)))
}

fn carried(body: &Map<String, Value>) -> Result<Option<Opaque>, Refusal> {
    let mut kept = Map::new();
    for key in extra::CARRIED {
        let Some(value) = given(body, key) else { continue };
        match key {
            "attachments" => attachment::check(value)?,
            "customFields" if !value.is_object() => {
                return Err(Refusal::Invalid { what: "customFields", want: "an object" });
            }
            _ => {}
        }
        let mut value = value.clone();
        if let Some(fields) = value.as_object_mut().filter(|_| key == "customFields") {
            // What a device added is drawn from there; nobody else writes it.
            fields.remove("linnet");
        }
        let empty =
            value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        if !empty {
            kept.insert(key.to_owned(), value);
        }
    }
    if kept.is_empty() { Ok(None) } else { opaque(&kept).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(body: Value) -> Result<Draft, Refusal> {
        parse(body.as_object().expect("the case is an object"))
    }

    #[test]
    fn a_body_becomes_a_draft_with_only_what_is_known() {
        let body = json!({ "channel": "#general", "msg": "hi", "alias": "Door", "emoji": ":door:", "tmid": "abc",
            "attachments": [], "customFields": { "a": 1, "linnet": { "title": "forged" } }, "bot": { "i": "js" }, "nonsense": 1, "text": null });
        let draft = check(body).unwrap();
        assert_eq!((draft.text.as_str(), draft.thread.unwrap().as_str()), ("hi", "abc"));
        assert_eq!(draft.guise.unwrap().alias, "Door");
        assert_eq!(draft.extra.unwrap().as_bytes(), br#"{"bot":{"i":"js"},"customFields":{"a":1}}"#);
    }

    #[test]
    fn wrong_types_and_nul_are_refused() {
        for body in [
            json!({ "text": 3 }),
            json!({ "text": "x", "alias": [] }),
            json!({ "text": "x", "_id": "a b" }),
            json!({ "text": "x", "customFields": "y" }),
            json!({ "text": "x", "customFields": { "a": "\u{0}" } }),
            json!({ "text": "\u{0}" }),
            json!({ "text": "x", "customFields": { "a": "y".repeat(9_000) } }),
        ] {
            assert!(check(body.clone()).is_err(), "{body}");
        }
    }
}
