//! What a device says in a room: plain text, or JSON with a text and what may stand beside it.

use crate::base::id::MessageId;
use crate::base::limits::{NAME_CHARS_MAX, TAGS_MAX};
use crate::chat::message::{Draft, Notice};
use crate::chat::name::{Text, clip, line};
use crate::chat::refusal::Refusal;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;

/// What a post without a word says, as in other doors.
const SAID_WITHOUT_WORDS: &str = "triggered";
/// The priority of a post that names none.
const ORDINARY: u8 = 3;

#[derive(Deserialize)]
struct Said {
    #[serde(alias = "message")]
    text: String,
    id: Option<String>,
    title: Option<String>,
    #[serde(default)]
    priority: Value,
    #[serde(default)]
    tags: Value,
    /// The message it answers.
    #[serde(alias = "re")]
    thread: Option<String>,
}

/// Reads a payload. JSON that has no text is text itself: a sensor's report is shown as it is.
pub fn draft(payload: &[u8]) -> Result<Draft, Refusal> {
    let text = std::str::from_utf8(payload)
        .map_err(|_| Refusal::Invalid { what: "what is said in a room", want: "UTF-8 text" })?;
    let text = text.trim();
    if text.starts_with('{')
        && let Ok(said) = serde_json::from_str::<Said>(text)
    {
        return said.draft();
    }
    let said = if text.is_empty() { SAID_WITHOUT_WORDS } else { text };
    Ok(Draft { text: Text::parse(said)?, ..Draft::default() })
}

impl Said {
    fn draft(self) -> Result<Draft, Refusal> {
        let said = self.text.trim();
        let text = Text::parse(if said.is_empty() { SAID_WITHOUT_WORDS } else { said })?;
        let title = line(&self.title.unwrap_or_default());
        let (priority, tags) = (priority(&self.priority)?, tags(&self.tags)?);
        let is_plain = title.is_empty() && priority == ORDINARY && tags.is_empty();
        let notice = (!is_plain).then(|| Box::new(Notice { title, priority, tags }));
        let (id, thread) = (message_id(self.id)?, message_id(self.thread)?);
        Ok(Draft { id, text, thread, notice, ..Draft::default() })
    }
}

fn message_id(text: Option<String>) -> Result<Option<MessageId>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let id = MessageId::parse(&text);
    id.map(Some).ok_or(Refusal::Invalid { what: "a message's id", want: "letters, digits, '-' and '_'" })
}

fn priority(value: &Value) -> Result<u8, Refusal> {
    let wrong = Refusal::Invalid { what: "priority", want: "1 to 5, or min, low, default, high or max" };
    match value {
        Value::Null => Ok(ORDINARY),
        Value::Number(number) => match number.as_u64() {
            Some(number @ 1..=5) => Ok(number as u8),
            _ => Err(wrong),
        },
        Value::String(word) => {
            let words = [["1", "min"], ["2", "low"], ["3", "default"], ["4", "high"], ["5", "max"]];
            let at = words.iter().position(|words| words.contains(&word.as_str()));
            at.map(|at| at as u8 + 1).ok_or(wrong)
        }
        _ => Err(wrong),
    }
}

fn tags(value: &Value) -> Result<Vec<SmolStr>, Refusal> {
    let wrong = Refusal::Invalid { what: "tags", want: "a list of texts, or one text with commas" };
    let listed: Vec<&str> = match value {
        Value::Null => Vec::new(),
        Value::String(list) => list.split(',').collect(),
        Value::Array(list) => list.iter().map(Value::as_str).collect::<Option<_>>().ok_or(wrong)?,
        _ => return Err(wrong),
    };
    let tags: Vec<SmolStr> = listed
        .iter()
        .map(|tag| clip(tag.trim(), NAME_CHARS_MAX))
        .filter(|tag| !tag.is_empty())
        .take(TAGS_MAX + 1)
        .collect();
    if tags.len() > TAGS_MAX { Err(Refusal::TooMany { what: "tags", max: TAGS_MAX }) } else { Ok(tags) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(payload: &str) -> String {
        draft(payload.as_bytes()).unwrap().text.as_str().to_owned()
    }

    #[test]
    fn text_is_said_as_it_is_and_json_by_its_fields() {
        for (payload, text) in [
            (" door open\n", "door open"),
            ("", "triggered"),
            (r#"{"temperature":21.5}"#, r#"{"temperature":21.5}"#),
            (r#"{"text":"door open"}"#, "door open"),
            (r#"{"message":"door open"}"#, "door open"),
            ("{half", "{half"),
        ] {
            assert_eq!(text_of(payload), text, "{payload}");
        }
        let all = br#"{"text":"a","title":"b","priority":"high","tags":["c","d"],"thread":"q1","id":"q2"}"#;
        let draft = draft(all).unwrap();
        let notice = draft.notice.unwrap();
        assert_eq!((notice.title.as_str(), notice.priority, notice.tags.len()), ("b", 4, 2));
        assert_eq!((draft.thread, draft.id), (MessageId::parse("q1"), MessageId::parse("q2")));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for payload in [
            &b"\xff"[..],
            br#"{"text":"a","priority":9}"#,
            br#"{"text":"a","tags":[1]}"#,
            br#"{"text":"a","thread":"b c"}"#,
            br#"{"text":"a","tags":"a,b,c,d,e,f,g,h,i"}"#,
        ] {
            assert!(draft(payload).is_err(), "{}", String::from_utf8_lossy(payload));
        }
    }
}
