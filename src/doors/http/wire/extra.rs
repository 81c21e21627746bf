//! What clients attach to a message and linnet carries: the few keys it knows, taken from the stored bytes as they are.

use crate::chat::message::Message;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The keys of a message that linnet carries without looking inside.
pub const CARRIED: [&str; 7] =
    ["attachments", "customFields", "bot", "groupable", "parseUrls", "tshow", "location"];

/// The carried parts of one message, borrowed from its bytes.
#[derive(Deserialize, Default)]
pub struct Extra<'a> {
    /// Attachments: a list.
    #[serde(borrow, default)]
    pub attachments: Option<&'a RawValue>,
    /// Custom fields: an object.
    #[serde(borrow, default, rename = "customFields")]
    pub custom_fields: Option<&'a RawValue>,
    /// The integration it came by.
    #[serde(borrow, default)]
    pub bot: Option<&'a RawValue>,
    /// Whether it may be drawn together with its neighbours.
    #[serde(borrow, default)]
    pub groupable: Option<&'a RawValue>,
    /// Whether links in it are looked into.
    #[serde(borrow, default, rename = "parseUrls")]
    pub parse_urls: Option<&'a RawValue>,
    /// Whether an answer in a thread is shown in the room too.
    #[serde(borrow, default)]
    pub tshow: Option<&'a RawValue>,
    /// Where it was sent from.
    #[serde(borrow, default)]
    pub location: Option<&'a RawValue>,
}

impl<'a> Extra<'a> {
    /// What this message carries. Bytes that are no JSON object carry nothing.
    pub fn of(message: &'a Message) -> Self {
        let bytes = message.extra.as_ref().map(|extra| extra.as_bytes());
        bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }
}
