//! A room as bytes.

use crate::base::id::UserId;
use crate::chat::name::Name;
use crate::chat::room::Room;
use crate::store::record::RecordError;
use crate::store::record::codes::room_kind;
use crate::store::record::form::{self, Blob, List};
use serde::{Deserialize, Serialize};

/// The layout written today.
pub(super) const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    id: &'a str,
    kind: u8,
    name: Option<&'a str>,
    creator: &'a str,
    created: u64,
    topic: &'a str,
    description: &'a str,
    announcement: &'a str,
    read_only: bool,
    joined_by_default: bool,
    archived: bool,
    #[serde(borrow)]
    people: List<&'a str>,
    #[serde(borrow)]
    extra: Option<Blob<'a>>,
}

impl<'a> From<&'a Room> for Form<'a> {
    fn from(room: &'a Room) -> Self {
        Self {
            id: room.id.as_str(),
            kind: room_kind::code(room.kind),
            name: room.name.as_ref().map(Name::as_str),
            creator: room.creator.as_str(),
            created: room.created,
            topic: &room.topic,
            description: &room.description,
            announcement: &room.announcement,
            read_only: room.read_only,
            joined_by_default: room.joined_by_default,
            archived: room.archived,
            people: room.people.iter().map(UserId::as_str).collect(),
            extra: form::blob_if(room.extra.as_ref()),
        }
    }
}

impl TryFrom<Form<'_>> for Room {
    type Error = RecordError;

    fn try_from(form: Form<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            id: form::room_id(form.id)?,
            kind: room_kind::parse(form.kind)?,
            name: form::name_if(form.name)?,
            creator: form::user_id(form.creator)?,
            created: form.created,
            topic: form.topic.into(),
            description: form.description.into(),
            announcement: form.announcement.into(),
            read_only: form.read_only,
            joined_by_default: form.joined_by_default,
            archived: form.archived,
            people: form.people.0.into_iter().map(form::user_id).collect::<Result<_, _>>()?,
            extra: form::opaque_if(form.extra)?,
        })
    }
}

/// Appends a room's value.
pub fn encode(room: &Room, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &Form::from(room), out)
}

/// The room in a value.
pub fn decode(bytes: &[u8]) -> Result<Room, RecordError> {
    form::decode::<Form<'_>>(VERSION, bytes)?.try_into()
}
