//! A message as clients know it, written straight from the noun.

use super::Dates;
use super::date::Date;
use super::extra::Extra;
use super::md;
use super::mention::{self, Channel, Mentioned};
use crate::chat::message::{Message, MessageKind, Notice, Reaction};
use crate::node::Catalog;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Somebody in a message.
#[derive(Serialize)]
pub struct Person<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// A page that a message links to. linnet looks at none of them.
#[derive(Serialize)]
pub struct Url {
    url: String,
}

/// A message in the form of section 5.4 of the API, ready to be written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    rid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<&'static str>,
    msg: Cow<'a, str>,
    ts: Date,
    u: Person<'a>,
    #[serde(rename = "_updatedAt")]
    updated: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    md: Option<Box<RawValue>>,
    urls: Vec<Url>,
    mentions: Vec<Mentioned>,
    channels: Vec<Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tmid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_by: Option<Person<'a>>,
    #[serde(skip_serializing_if = "Reactions::is_none")]
    reactions: Reactions<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    alias: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    emoji: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    avatar: &'a str,
    #[serde(skip_serializing_if = "Attachments::is_none")]
    attachments: Attachments<'a>,
    #[serde(skip_serializing_if = "CustomFields::is_none")]
    custom_fields: CustomFields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groupable: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parse_urls: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tshow: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a RawValue>,
    // linnet's own: the clock had not been set when it was posted.
    #[serde(rename = "_untrusted", skip_serializing_if = "std::ops::Not::not")]
    untrusted: bool,
}

/// The message as clients know it. `books` tells who is meant by the names in it.
pub fn shown<'a>(message: &'a Message, dates: Dates, books: &dyn Catalog) -> Shown<'a> {
    let extra = Extra::of(message);
    let guise = message.guise.as_deref();
    let notice = message.notice.as_deref();
    let (t, msg, role) = told(message);
    let said = message.kind == MessageKind::Said;
    let drawn = if said { md::drawn(&msg) } else { md::Drawn::default() };
    let author = &message.author;
    Shown {
        id: message.id.as_str(),
        rid: message.room.as_str(),
        t,
        mentions: mention::people(&drawn.people, books),
        channels: mention::channels(&drawn.rooms, books),
        urls: drawn.urls.into_iter().map(|url| Url { url }).collect(),
        md: drawn.tree,
        msg,
        ts: dates.date(message.at),
        u: Person { id: author.id.as_str(), username: author.username.as_str(), name: Some(&author.name) },
        updated: dates.date(message.touched),
        role,
        tmid: message.thread.as_ref().map(|thread| thread.as_str()),
        edited_at: message.edited.as_ref().map(|(at, _, _)| dates.date(*at)),
        edited_by: message.edited.as_ref().map(|(_, id, username)| Person {
            id: id.as_str(),
            username: username.as_str(),
            name: None,
        }),
        reactions: Reactions(&message.reactions),
        alias: guise.map_or("", |guise| &guise.alias),
        emoji: guise.map_or("", |guise| &guise.emoji),
        avatar: guise.map_or("", |guise| &guise.avatar),
        attachments: Attachments { notice, given: extra.attachments },
        custom_fields: CustomFields { notice, given: extra.custom_fields },
        bot: extra.bot,
        groupable: extra.groupable,
        parse_urls: extra.parse_urls,
        tshow: extra.tshow,
        location: extra.location,
        untrusted: !message.trusted,
    }
}

/// Writes the message behind what `out` holds.
pub fn write(message: &Message, dates: Dates, books: &dyn Catalog, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &shown(message, dates, books)).expect("writing to memory does not fail");
}

/// The type, text and role of what the node tells, in Rocket.Chat's words.
fn told(message: &Message) -> (Option<&'static str>, Cow<'_, str>, Option<&str>) {
    let text = message.text.as_str();
    let by = message.author.username.as_str();
    let (t, msg) = match message.kind {
        MessageKind::Said => return (None, text.into(), None),
        MessageKind::UserJoined => ("uj", by),
        MessageKind::UserLeft => ("ul", by),
        MessageKind::UserAdded => ("au", text),
        MessageKind::UserRemoved => ("ru", text),
        MessageKind::RoomRenamed => ("r", text),
        MessageKind::TopicChanged => ("room_changed_topic", text),
        MessageKind::DescriptionChanged => ("room_changed_description", text),
        MessageKind::AnnouncementChanged => ("room_changed_announcement", text),
        MessageKind::PrivacyChanged => ("room_changed_privacy", text),
        MessageKind::ReadOnlyChanged if text == "true" => ("room-set-read-only", by),
        MessageKind::ReadOnlyChanged => ("room-removed-read-only", by),
        MessageKind::ArchivedChanged if text == "true" => ("room-archived", by),
        MessageKind::ArchivedChanged => ("room-unarchived", by),
        MessageKind::RoleGiven => ("subscription-role-added", text),
        MessageKind::RoleTaken => ("subscription-role-removed", text),
    };
    let gives_role = matches!(message.kind, MessageKind::RoleGiven | MessageKind::RoleTaken);
    match msg.rsplit_once(' ').filter(|_| gives_role) {
        Some((username, role)) => (Some(t), username.into(), Some(role)),
        None => (Some(t), msg.into(), None),
    }
}

struct Reactions<'a>(&'a [Reaction]);

impl Reactions<'_> {
    fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Reactions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for reaction in self.0 {
            let usernames: Vec<&str> = reaction.by.iter().map(|(_, name)| name.as_str()).collect();
            let by = BTreeMap::from([("usernames", usernames)]);
            map.serialize_entry(&format!(":{}:", reaction.emoji), &by)?;
        }
        map.end()
    }
}

/// What a device added, drawn as an attachment before those the client gave.
struct Attachments<'a> {
    notice: Option<&'a Notice>,
    given: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct NoticeAttachment<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
}

impl Attachments<'_> {
    fn is_none(&self) -> bool {
        self.notice.is_none() && self.given.is_none()
    }
}

impl Serialize for Attachments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(notice) = self.notice else { return self.given.serialize(serializer) };
        let given: Vec<&RawValue> =
            self.given.and_then(|given| serde_json::from_str(given.get()).ok()).unwrap_or_default();
        let mut seq = serializer.serialize_seq(None)?;
        let color = match notice.priority {
            5.. => Some("#D9534F"),
            4 => Some("#F0AD4E"),
            _ => None,
        };
        seq.serialize_element(&NoticeAttachment {
            title: &notice.title,
            text: notice.tags.join(" "),
            color,
        })?;
        for attachment in given {
            seq.serialize_element(attachment)?;
        }
        seq.end()
    }
}

/// The client's own fields, and under `linnet` what a device added.
struct CustomFields<'a> {
    notice: Option<&'a Notice>,
    given: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct NoticeFields<'a> {
    title: &'a str,
    priority: u8,
    tags: Vec<&'a str>,
}

impl CustomFields<'_> {
    fn is_none(&self) -> bool {
        self.notice.is_none() && self.given.is_none()
    }
}

impl Serialize for CustomFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(notice) = self.notice else { return self.given.serialize(serializer) };
        let given: BTreeMap<Cow<'_, str>, &RawValue> =
            self.given.and_then(|given| serde_json::from_str(given.get()).ok()).unwrap_or_default();
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in given.iter().filter(|(key, _)| *key != "linnet") {
            map.serialize_entry(key, value)?;
        }
        let tags = notice.tags.iter().map(|tag| tag.as_str()).collect();
        let fields = NoticeFields { title: &notice.title, priority: notice.priority, tags };
        map.serialize_entry("linnet", &fields)?;
        map.end()
    }
}
