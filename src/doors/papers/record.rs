//! A message as every paper has it: what a line of JSONL says. Other formats carry a part of it.

use crate::base::date::iso;
use crate::chat::message::{Message, MessageKind};
use crate::chat::room::Room;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Somebody, as they were called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their id on the node it is from; empty when nobody knows it.
    #[serde(default)]
    pub id: String,
    /// Their username.
    pub username: String,
    /// Their shown name, where it differs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// When and by whom a message was last changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// `2024-05-01T12:00:00.000Z`.
    pub time: String,
    /// Who.
    pub by: Person,
}

/// A reaction and who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reacted {
    /// The emoji's name, without colons.
    pub emoji: String,
    /// Who.
    pub by: Vec<Person>,
}

/// What a device added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// A title line.
    #[serde(default)]
    pub title: String,
    /// 1 to 5.
    pub priority: u8,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// How the author wanted to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// A name.
    #[serde(default)]
    pub alias: String,
    /// An emoji.
    #[serde(default)]
    pub emoji: String,
    /// The address of a picture.
    #[serde(default)]
    pub avatar: String,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its id; empty when nobody knows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The room's name.
    #[serde(default)]
    pub room: String,
    /// Its place in the order of the node it is from.
    #[serde(default)]
    pub seq: u64,
    /// `2024-05-01T12:00:00.000Z`.
    pub time: String,
    /// Whether the clock had been set by then.
    #[serde(default)]
    pub trusted: bool,
    /// Who said it.
    pub author: Person,
    /// `said`, or what the node told in the author's name.
    #[serde(default = "said", skip_serializing_if = "is_said")]
    pub kind: String,
    /// What was said.
    pub text: String,
    /// The id of the message it answers in a thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// When it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Edited>,
    /// Reactions, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reacted>,
    /// What a device added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Noticed>,
    /// How the author wanted to be drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guise: Option<Drawn>,
    /// What clients attached: attachments, custom fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Value>,
}

fn said() -> String {
    kind_word(MessageKind::Said).to_owned()
}

fn is_said(kind: &String) -> bool {
    kind == kind_word(MessageKind::Said)
}

/// The word for a kind of message.
pub fn kind_word(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Said => "said",
        MessageKind::UserJoined => "joined",
        MessageKind::UserLeft => "left",
        MessageKind::UserAdded => "added",
        MessageKind::UserRemoved => "removed",
        MessageKind::RoomRenamed => "renamed",
        MessageKind::TopicChanged => "topic",
        MessageKind::DescriptionChanged => "description",
        MessageKind::AnnouncementChanged => "announcement",
        MessageKind::PrivacyChanged => "privacy",
        MessageKind::ReadOnlyChanged => "read-only",
        MessageKind::ArchivedChanged => "archived",
        MessageKind::RoleGiven => "role-given",
        MessageKind::RoleTaken => "role-taken",
    }
}

impl Record {
    /// A message of this room.
    pub fn of(room: &Room, message: &Message) -> Record {
        let person = |id: &str, username: &str| Person {
            id: id.to_owned(),
            username: username.to_owned(),
            name: String::new(),
        };
        let (author, extra) = (&message.author, &message.extra);
        let mut by = person(author.id.as_str(), author.username.as_str());
        if author.name != author.username.as_str() {
            by.name = author.name.to_string();
        }
        let edited = message
            .edited
            .as_ref()
            .map(|(at, id, name)| Edited { time: iso(*at), by: person(id.as_str(), name.as_str()) });
        let reactions = message.reactions.iter().map(|reaction| Reacted {
            emoji: reaction.emoji.to_string(),
            by: reaction.by.iter().map(|(id, name)| person(id.as_str(), name.as_str())).collect(),
        });
        Record {
            id: message.id.to_string(),
            room: room.label().to_owned(),
            seq: message.seq.0,
            time: iso(message.at),
            trusted: message.trusted,
            author: by,
            kind: kind_word(message.kind).to_owned(),
            text: message.text.as_str().to_owned(),
            thread: message.thread.as_ref().map(ToString::to_string),
            edited,
            reactions: reactions.collect(),
            notice: message.notice.as_ref().map(|notice| Noticed {
                title: notice.title.to_string(),
                priority: notice.priority,
                tags: notice.tags.iter().map(ToString::to_string).collect(),
            }),
            guise: message.guise.as_ref().map(|guise| Drawn {
                alias: guise.alias.to_string(),
                emoji: guise.emoji.to_string(),
                avatar: guise.avatar.to_string(),
            }),
            extra: extra.as_ref().and_then(|extra| serde_json::from_slice(extra.as_bytes()).ok()),
        }
    }

    /// The record as one line of JSON.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("records are plain JSON")
    }

    /// The name to show for the author.
    pub fn shown_author(&self) -> &str {
        let alias = self.guise.as_ref().map_or("", |guise| &guise.alias);
        let names = [alias, &self.author.name, &self.author.username];
        names.into_iter().find(|name| !name.is_empty()).unwrap_or("somebody")
    }

    /// The text as people read it: what the node told is said in words, a device's title goes first.
    pub fn shown_text(&self) -> String {
        if !is_said(&self.kind) {
            return format!("({} {})", self.kind, self.text).replace(" )", ")");
        }
        match &self.notice {
            Some(notice) if !notice.title.is_empty() => format!("{}\n{}", notice.title, self.text),
            _ => self.text.clone(),
        }
    }
}
