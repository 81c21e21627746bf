//! How a message of a room reads at a broker: JSON with everything a program may want, or a text of a template.
//!
//! | field | becomes |
//! |---|---|
//! | `{text}` | what was said |
//! | `{author}` | the username of who said it |
//! | `{name}` | how they are called, or the username |
//! | `{room}` | the room's name |
//! | `{id}` | the message's id |
//! | `{time}` | when, as `2024-05-01T12:00:00.000Z`; nothing while the clock is not believable |
//! | `{{` and `}}` | the braces themselves |

use super::guard::{Origin, room_topic};
use crate::base::date::iso;
use crate::base::limits::{TEMPLATE_CHARS_MAX, TEMPLATE_PARTS_MAX};
use crate::chat::message::Message;
use serde::Serialize;
use serde_json::json;
use std::borrow::Cow;

/// How messages are said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// As JSON.
    Json,
    /// As a template says.
    Form(Form),
}

/// A template that was checked when the settings were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Text,
    Author,
    Name,
    Room,
    Id,
    Time,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    room: &'a str,
    author: &'a str,
    name: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    origin: serde_json::Value,
}

impl Saying {
    /// The payload of one message for this topic, and of its room by this name.
    pub(super) fn say(&self, topic: &str, message: &Message, room: &str, origin: &Origin) -> Vec<u8> {
        match self {
            Saying::Form(form) => form.fill(message, room).into_bytes(),
            Saying::Json => {
                let text = message.text.as_str();
                // What is posted at a linnet's broker is said by the bridge's device there.
                let text = match room_topic(topic, "/post") {
                    true => Cow::Owned(format!("{}: {text}", message.author.username)),
                    false => Cow::Borrowed(text),
                };
                let line = Line {
                    id: message.id.as_str(),
                    room,
                    author: message.author.username.as_str(),
                    name: called(message),
                    text: &text,
                    time: time(message),
                    origin: json!({"node": origin.node_text(), "seq": origin.seq}),
                };
                serde_json::to_vec(&line).expect("texts and numbers always make JSON")
            }
        }
    }
}

fn called(message: &Message) -> &str {
    let author = &message.author;
    if author.name.is_empty() { author.username.as_str() } else { author.name.as_str() }
}

/// A time that nobody vouches for is not told.
fn time(message: &Message) -> Option<String> {
    message.trusted.then(|| iso(message.at))
}

impl Form {
    /// Checks a template as written in the settings; the error says what to write.
    pub fn parse(source: &str) -> Result<Form, String> {
        if source.trim().is_empty() || source.chars().count() > TEMPLATE_CHARS_MAX {
            return Err(format!("needs 1 to {TEMPLATE_CHARS_MAX} characters; {FIELDS}"));
        }
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), source);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            literal.push_str(before);
            let doubled = brace.starts_with("{{") || brace.starts_with("}}");
            if doubled {
                literal.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let field = brace.strip_prefix('{').and_then(|field| field.split_once('}'));
            let Some((field, after)) = field else {
                return Err(format!(
                    "has a brace without its other: write '{{{{' or '}}}}' for one itself; {FIELDS}"
                ));
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::named(field).ok_or_else(|| format!("does not know '{{{field}}}'; {FIELDS}"))?);
            if parts.len() > TEMPLATE_PARTS_MAX {
                return Err(format!("has more than {} fields", TEMPLATE_PARTS_MAX / 2));
            }
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Form { source: source.to_owned(), parts })
    }

    /// The template as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn fill(&self, message: &Message, room: &str) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Text => text.push_str(message.text.as_str()),
                Part::Author => text.push_str(message.author.username.as_str()),
                Part::Name => text.push_str(called(message)),
                Part::Room => text.push_str(room),
                Part::Id => text.push_str(message.id.as_str()),
                Part::Time => text.push_str(&time(message).unwrap_or_default()),
            }
        }
        text
    }
}

const FIELDS: &str = "fields are {text}, {author}, {name}, {room}, {id} and {time}";

impl Part {
    fn named(field: &str) -> Option<Part> {
        Some(match field {
            "text" => Part::Text,
            "author" => Part::Author,
            "name" => Part::Name,
            "room" => Part::Room,
            "id" => Part::Id,
            "time" => Part::Time,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{MessageId, RoomId, Seq, UserId};
    use crate::chat::message::{Author, MessageKind};
    use crate::chat::name::{Name, Text};

    fn message(trusted: bool) -> Message {
        Message {
            id: MessageId::parse("abc").expect("an id"),
            seq: Seq(7),
            room: RoomId::parse("r").expect("an id"),
            author: Author { id: UserId::fixed("u"), username: Name::fixed("bob"), name: "Bob B.".into() },
            at: 0,
            trusted,
            kind: MessageKind::Said,
            text: Text::parse("say \"hi\"").expect("a text"),
            thread: None,
            edited: None,
            touched: 0,
            reactions: Vec::new(),
            notice: None,
            guise: None,
            extra: None,
        }
    }

    fn origin() -> Origin {
        Origin { node: 0xAB, seq: 7, id: MessageId::parse("abc").expect("an id") }
    }

    #[test]
    fn json_tells_everything_and_a_time_only_when_it_is_known() {
        let said =
            String::from_utf8(Saying::Json.say("t", &message(true), "garden", &origin())).expect("UTF-8");
        let expected = r#"{"id":"abc","room":"garden","author":"bob","name":"Bob B.","text":"say \"hi\"","time":"1970-01-01T00:00:00.000Z","origin":{"node":"00000000000000ab","seq":7}}"#;
        assert_eq!(said, expected);
        let said =
            String::from_utf8(Saying::Json.say("t", &message(false), "garden", &origin())).expect("UTF-8");
        assert!(!said.contains("time"), "{said}");
        let post = Saying::Json.say("linnet/room/garden/post", &message(true), "garden", &origin());
        let post: serde_json::Value = serde_json::from_slice(&post).expect("JSON");
        assert_eq!(post["text"], "bob: say \"hi\"");
    }

    #[test]
    fn a_template_is_filled() {
        let form = Form::parse("{{{name}}} ({author}) in #{room}: {text} [{id}] {time}").expect("a template");
        let said = Saying::Form(form).say("t", &message(false), "garden", &origin());
        assert_eq!(String::from_utf8(said).expect("UTF-8"), "{Bob B.} (bob) in #garden: say \"hi\" [abc] ");
    }

    #[test]
    fn a_wrong_template_says_what_to_write() {
        for (source, says) in [
            ("", "needs 1"),
            ("{txt}", "'{txt}'"),
            ("{text", "without its other"),
            ("a } b", "without its other"),
        ] {
            assert!(Form::parse(source).expect_err(source).contains(says), "{source}");
        }
    }
}
