//! One message of a room, as a line of JSON for devices.

use crate::chat::message::Message;
use crate::chat::room::Room;
use serde::Serialize;
use smol_str::SmolStr;

/// A message as devices read it.
#[derive(Serialize)]
pub struct Line<'a> {
    text: &'a str,
    author: &'a str,
    room: &'a str,
    id: &'a str,
    seq: u64,
    /// Seconds since 1970.
    time: u64,
    /// Whether somebody spoke for the clock.
    trusted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<&'a str>>,
}

impl<'a> Line<'a> {
    /// A message of this room.
    pub fn new(room: &'a Room, message: &'a Message) -> Self {
        let notice = message.notice.as_deref();
        Line {
            text: message.text.as_str(),
            author: message.author.username.as_str(),
            room: room.label(),
            id: message.id.as_str(),
            seq: message.seq.0,
            time: message.at / 1_000,
            trusted: message.trusted,
            thread: message.thread.as_ref().map(|thread| thread.as_str()),
            title: notice.map(|notice| notice.title.as_str()).filter(|title| !title.is_empty()),
            priority: notice.map(|notice| notice.priority),
            tags: notice.map(|notice| notice.tags.iter().map(SmolStr::as_str).collect()),
        }
    }
}
