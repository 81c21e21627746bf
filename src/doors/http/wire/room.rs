//! Rooms as clients know them.

use super::date::Date;
use super::{Dates, message};
use crate::base::limits::{DIRECT_PEOPLE_MAX, SCAN_ENTRIES_MAX};
use crate::chat::message::Message;
use crate::chat::name::Opaque;
use crate::chat::policy::MayRead;
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::node::history::Stretch;
use crate::node::{Catalog, Reading, refuse};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// A user inside another object.
#[derive(Serialize, Clone, Debug)]
pub struct Person {
    /// The id.
    #[serde(rename = "_id")]
    pub id: String,
    /// The username.
    pub username: String,
    /// The name shown.
    pub name: String,
}

impl From<&crate::chat::user::User> for Person {
    fn from(user: &crate::chat::user::User) -> Self {
        let (id, username) = (user.id.to_string(), user.username.to_string());
        Self { id, username, name: user.name.to_string() }
    }
}

/// A room in the form of section 5.2 of the API, ready to be written.
#[derive(Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    t: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usernames: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uids: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    u: Option<Person>,
    msgs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    users_count: Option<usize>,
    ts: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    lm: Option<Date>,
    #[serde(rename = "_updatedAt")]
    updated: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    topic: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    announcement: &'a str,
    ro: bool,
    sys_mes: bool,
    default: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_fields: Option<Box<RawValue>>,
}

/// The letter for a kind of room.
pub fn letter(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Public => "c",
        RoomKind::Private => "p",
        RoomKind::Direct => "d",
    }
}

/// Members that one answer may still count: a list of large rooms tells their sizes until this is used up.
pub struct Counting(usize);

impl Default for Counting {
    fn default() -> Self {
        Self(SCAN_ENTRIES_MAX)
    }
}

impl Counting {
    /// How many are in the room; `None` when that would be too many to count now.
    pub fn members(&mut self, room: &Room, books: &dyn Catalog) -> Result<Option<usize>, Refusal> {
        if room.kind == RoomKind::Direct {
            return Ok(Some(room.people.len()));
        }
        if self.0 == 0 {
            return Ok(None);
        }
        let members = books.members(&room.id, None, self.0).map_err(refuse)?.len();
        let all = members < self.0;
        self.0 -= members;
        Ok(all.then_some(members))
    }
}

/// The room as clients know it. With the right to read it, its newest message is in it.
pub fn shown<'a>(
    reading: &Reading,
    room: &'a Room,
    may_read: Option<&MayRead>,
    counting: &mut Counting,
    dates: Dates,
) -> Result<Shown<'a>, Refusal> {
    let tail = reading.room_tail(&room.id).map_err(refuse)?.unwrap_or_default();
    let creator = reading.user(&room.creator).map_err(refuse)?;
    let direct = room.kind == RoomKind::Direct;
    let last = may_read.map(|permit| newest(reading, permit)).transpose()?.flatten();
    let name = room.name.as_ref().map(|name| name.as_str());
    Ok(Shown {
        id: room.id.as_str(),
        t: letter(room.kind),
        name,
        fname: name,
        usernames: direct.then(|| usernames(reading, room)).transpose()?,
        uids: direct.then(|| room.people.iter().map(|id| id.as_str()).collect()),
        u: creator.as_deref().map(Person::from),
        msgs: tail.count,
        users_count: counting.members(room, reading)?,
        ts: dates.date(room.created),
        lm: (tail.count > 0).then(|| dates.date(tail.at)),
        updated: dates.date(room.created.max(tail.at)),
        last_message: last.as_ref().map(|last| raw(&message::shown(last, dates, reading))),
        topic: &room.topic,
        description: &room.description,
        announcement: &room.announcement,
        ro: room.read_only,
        sys_mes: true,
        default: room.joined_by_default,
        archived: room.archived,
        custom_fields: room.extra.as_ref().and_then(fields),
    })
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("writing to memory does not fail")
}

fn fields(extra: &Opaque) -> Option<Box<RawValue>> {
    serde_json::from_slice(extra.as_bytes()).ok()
}

fn newest(reading: &Reading, permit: &MayRead) -> Result<Option<Message>, Refusal> {
    let newest = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: 1 };
    Ok(reading.history(permit, newest)?.messages.pop())
}

fn usernames(reading: &Reading, room: &Room) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for id in room.people.iter().take(DIRECT_PEOPLE_MAX) {
        names.extend(reading.user(id).map_err(refuse)?.map(|user| user.username.to_string()));
    }
    Ok(names)
}
