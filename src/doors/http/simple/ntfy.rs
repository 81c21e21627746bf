//! ntfy's words: headers and JSON of a post in, messages out.

use super::base64;
use super::words::bad;
use crate::base::id::MessageId;
use crate::base::limits::{NAME_CHARS_MAX, TAGS_MAX};
use crate::chat::message::{Draft, Message, Notice};
use crate::chat::name::{Text, clip, line};
use crate::doors::http::query::Query;
use crate::doors::http::{Call, Problem, body};
use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

/// What a post without a text says, as at ntfy.
const SAID_WITHOUT_WORDS: &str = "triggered";
/// The priority of a post that names none.
const ORDINARY: u8 = 3;

const MESSAGE: [&str; 3] = ["x-message", "message", "m"];
/// linnet's own.
const THREAD: [&str; 2] = ["x-thread", "thread"];
const TITLE: [&str; 4] = ["x-title", "title", "ti", "t"];
const PRIORITY: [&str; 4] = ["x-priority", "priority", "prio", "p"];
const TAGS: [&str; 4] = ["x-tags", "tags", "tag", "ta"];

/// What a call wants to say, and the room its JSON names.
pub struct Post {
    pub draft: Draft,
    pub topic: Option<String>,
}

/// Reads a call: a JSON body where it says so, else the body is the text.
pub fn post(call: &Call) -> Result<Post, Problem> {
    let given = Given { headers: &call.headers, query: &call.query };
    if is_json(&call.headers) {
        return given.with_json(&body::object(&call.headers, &call.body)?);
    }
    let text = std::str::from_utf8(&call.body).map_err(|error| {
        let place = error.valid_up_to();
        bad(format!("the body is not UTF-8 (at byte {place}): send text, as in curl -d \"door open\""))
    })?;
    Ok(Post { draft: given.draft(text.trim(), None, None, None)?, topic: None })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Headers, or the same names in the query.
struct Given<'a> {
    headers: &'a HeaderMap,
    query: &'a Query,
}

impl Given<'_> {
    fn with_json(&self, object: &Map<String, Value>) -> Result<Post, Problem> {
        let text = |key: &str| match object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(bad(format!("\"{key}\" must be a text"))),
        };
        let said = text("text")?.or(text("message")?).unwrap_or_default();
        let priority = match object.get("priority") {
            None | Some(Value::Null) => None,
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::String(word)) => Some(word.clone()),
            Some(_) => return Err(bad(PRIORITY_WANTED)),
        };
        let tags = match object.get("tags") {
            None | Some(Value::Null) => None,
            Some(Value::String(tags)) => Some(tags.clone()),
            Some(Value::Array(tags)) => {
                let tags: Option<Vec<&str>> = tags.iter().map(Value::as_str).collect();
                Some(tags.ok_or_else(|| bad(TAGS_WANTED))?.join(","))
            }
            Some(_) => return Err(bad(TAGS_WANTED)),
        };
        let mut draft = self.draft(said.trim(), text("title")?.map(str::to_owned), priority, tags)?;
        if let Some(id) = text("thread")? {
            draft.thread = Some(message_of(id)?);
        }
        Ok(Post { draft, topic: text("topic")?.map(str::to_owned) })
    }

    /// A draft of what the body gives and, where it gives nothing, headers and query.
    fn draft(
        &self,
        said: &str,
        title: Option<String>,
        priority: Option<String>,
        tags: Option<String>,
    ) -> Result<Draft, Problem> {
        let said = if said.is_empty() { self.word(MESSAGE)?.unwrap_or_default() } else { said.to_owned() };
        let said = if said.is_empty() { SAID_WITHOUT_WORDS } else { &said };
        let text = Text::parse(said)?;
        let title = line(&title.or(self.word(TITLE)?).unwrap_or_default());
        let priority = match priority.or(self.word(PRIORITY)?) {
            Some(word) => priority_of(&word).ok_or_else(|| bad(PRIORITY_WANTED))?,
            None => ORDINARY,
        };
        let tags = tags_of(&tags.or(self.word(TAGS)?).unwrap_or_default())?;
        let is_plain = title.is_empty() && priority == ORDINARY && tags.is_empty();
        let notice = (!is_plain).then(|| Box::new(Notice { title, priority, tags }));
        let thread = self.word(THREAD)?.map(|id| message_of(&id)).transpose()?;
        Ok(Draft { text, thread, notice, ..Draft::default() })
    }

    /// What stands under the first of these names.
    fn word<const N: usize>(&self, names: [&'static str; N]) -> Result<Option<String>, Problem> {
        for name in names {
            if let Some(value) = self.headers.get(name) {
                // curl sends UTF-8 as it is; mail-like clients encode it.
                let text = std::str::from_utf8(value.as_bytes());
                let text = text.map_err(|_| bad(format!("the header {name} is not UTF-8")))?;
                return Ok(Some(words_decoded(text.trim())));
            }
        }
        Ok(names.iter().find_map(|name| self.query.get(name)).map(str::to_owned))
    }
}

/// The message that a post answers.
fn message_of(id: &str) -> Result<MessageId, Problem> {
    MessageId::parse(id).ok_or_else(|| bad("a thread is the id of the message it answers"))
}

const PRIORITY_WANTED: &str = "priority is 1 to 5, or min, low, default, high, max or urgent";
const TAGS_WANTED: &str = "tags are a list of texts, or one text with commas";

/// 1 to 5; `None` for what is no priority.
fn priority_of(word: &str) -> Option<u8> {
    match word.trim().to_ascii_lowercase().as_str() {
        "" | "0" => Some(ORDINARY),
        "1" | "min" => Some(1),
        "2" | "low" => Some(2),
        "3" | "default" => Some(3),
        "4" | "high" => Some(4),
        "5" | "max" | "urgent" => Some(5),
        // The Priority header of RFC 9218 (`u=1, i`), which browsers and proxies send with anything.
        word if word.starts_with("u=") || word == "i" => Some(ORDINARY),
        _ => None,
    }
}

fn tags_of(list: &str) -> Result<Vec<SmolStr>, Problem> {
    let tags = list.split(',').map(|tag| clip(tag.trim(), NAME_CHARS_MAX)).filter(|tag| !tag.is_empty());
    let tags: Vec<SmolStr> = tags.take(TAGS_MAX + 1).collect();
    if tags.len() > TAGS_MAX { Err(bad(format!("too many tags: at most {TAGS_MAX}"))) } else { Ok(tags) }
}

/// A header with its encoded words (RFC 2047, in UTF-8) read; what is none of these stays as it is.
fn words_decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let Some((word, after)) = encoded_word(&rest[start..]) else {
            decoded.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        decoded.push_str(&rest[..start]);
        decoded.push_str(&word);
        // Space between two encoded words only parts them.
        let gap = after.trim_start();
        rest = if gap.starts_with("=?") { gap } else { after };
    }
    decoded.push_str(rest);
    decoded
}

/// `=?UTF-8?B?...?=` or `=?UTF-8?Q?...?=` at the beginning, and what follows it.
fn encoded_word(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (encoded, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => base64::decode(encoded)?,
        "Q" | "q" => quoted(encoded)?,
        _ => return None,
    };
    let word = String::from_utf8(bytes).ok().filter(|_| charset.eq_ignore_ascii_case("utf-8"))?;
    Some((word, after))
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let mut digit = || (rest.next()? as char).to_digit(16).map(|digit| digit as u8);
                digit()? << 4 | digit()?
            }
            byte => byte,
        });
    }
    Some(bytes)
}

/// A message as ntfy's subscribers know it, with its place in the order.
#[derive(Serialize)]
pub struct Line<'a> {
    id: &'a str,
    time: u64,
    event: &'static str,
    topic: &'a str,
    seq: u64,
    user: &'a str,
    message: &'a str,
    /// linnet's own: the message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: Vec<&'a str>,
    /// linnet's own: nobody knew the time when it was said.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    time_uncertain: bool,
}

impl<'a> Line<'a> {
    /// The message in a room of this name.
    pub fn new(topic: &'a str, message: &'a Message) -> Self {
        let notice = message.notice.as_deref();
        Line {
            id: message.id.as_str(),
            time: message.at / 1_000,
            event: "message",
            topic,
            seq: message.seq.0,
            user: message.author.username.as_str(),
            message: message.text.as_str(),
            thread: message.thread.as_ref().map(|thread| thread.as_str()),
            title: notice.map_or("", |notice| notice.title.as_str()),
            priority: notice.map(|notice| notice.priority),
            tags: notice.map_or(Vec::new(), |notice| notice.tags.iter().map(SmolStr::as_str).collect()),
            time_uncertain: !message.trusted,
        }
    }
}

#[cfg(test)]
mod tests;
