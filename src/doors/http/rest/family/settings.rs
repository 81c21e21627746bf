//! Changing a room.

use super::{Family, room_meant, show};
use crate::base::limits::TOPIC_CHARS_MAX;
use crate::chat::name::{Name, clip};
use crate::chat::room::{Room, RoomKind};
use crate::doors::http::rest::done;
use crate::doors::http::rest::given::Given;
use crate::doors::http::wire::draft::opaque;
use crate::doors::http::{Call, Problem, Reply};
use crate::node::rooms::RoomPatch;
use serde_json::Value;
use std::sync::Arc;

/// Gives it another name.
pub async fn rename(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let name = Name::parse_room(given.word_wanted("name")?)?;
    let room = room_meant(&call, &given, of)?;
    differs(of, "name", room.name.as_ref() != Some(&name), "renamed to")?;
    change_and_show(call, of, room, RoomPatch { name: Some(name), ..RoomPatch::default() }).await
}

/// What is set as a text and told back under the name it was given.
async fn set_text(
    call: Call,
    of: &Family,
    key: &'static str,
    patch: fn(smol_str::SmolStr) -> RoomPatch,
) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let text = given.text_wanted(key)?;
    if text.chars().count() > TOPIC_CHARS_MAX {
        return Err(Problem::invalid_params(&format!("{key} may have at most {TOPIC_CHARS_MAX} characters")));
    }
    let room = room_meant(&call, &given, of)?;
    let (text, patch) = (text.to_owned(), patch(clip(text, TOPIC_CHARS_MAX)));
    call.node(move |node, caller| node.change_room(caller, &room.id, patch)).await?;
    Ok(done::one(key, text))
}

/// Sets the topic.
pub async fn set_topic(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_text(call, of, "topic", |text| RoomPatch { topic: Some(text), ..RoomPatch::default() }).await
}

/// Sets the description.
pub async fn set_description(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_text(call, of, "description", |text| RoomPatch { description: Some(text), ..RoomPatch::default() })
        .await
}

/// Sets the description under its older name.
pub async fn set_purpose(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_text(call, of, "purpose", |text| RoomPatch { description: Some(text), ..RoomPatch::default() }).await
}

/// Sets the announcement.
pub async fn set_announcement(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_text(call, of, "announcement", |text| RoomPatch { announcement: Some(text), ..RoomPatch::default() })
        .await
}

/// Only its keepers post, or everybody.
pub async fn set_read_only(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let read_only = flag_wanted(&given, "readOnly")?;
    let room = room_meant(&call, &given, of)?;
    differs(of, "read only setting", room.read_only != read_only, "changed to")?;
    change_and_show(call, of, room, RoomPatch { read_only: Some(read_only), ..RoomPatch::default() }).await
}

/// Newcomers join it without asking, or not.
pub async fn set_default(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let default = flag_wanted(&given, "default")?;
    let room = room_meant(&call, &given, of)?;
    differs(of, "default setting", room.joined_by_default != default, "changed to")?;
    change_and_show(call, of, room, RoomPatch { joined_by_default: Some(default), ..RoomPatch::default() })
        .await
}

/// Makes it public or private.
pub async fn set_type(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let kind = kind(given.word_wanted("type")?)?;
    let room = room_meant(&call, &given, of)?;
    differs(of, "type", room.kind != kind, "changed to")?;
    change_and_show(call, of, room, RoomPatch { kind: Some(kind), ..RoomPatch::default() }).await
}

/// The kind of room a letter stands for.
pub fn kind(letter: &str) -> Result<RoomKind, Problem> {
    match letter {
        "c" => Ok(RoomKind::Public),
        "p" => Ok(RoomKind::Private),
        _ => Err(Problem::coded("error-invalid-room-type", "The type must be c or p")),
    }
}

/// Sets what clients keep with it.
pub async fn set_custom_fields(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let fields = given.value("customFields").filter(|fields| fields.is_object()).ok_or_else(|| {
        Problem::error("The bodyParam \"customFields\" is required with a type like object.")
    })?;
    let extra = Some(opaque(fields)?);
    let room = room_meant(&call, &given, of)?;
    change_and_show(call, of, room, RoomPatch { extra, ..RoomPatch::default() }).await
}

fn flag_wanted(given: &Given, key: &str) -> Result<bool, Problem> {
    let flag = given.flag(key);
    flag.ok_or_else(|| match given.value(key) {
        Some(Value::Null) | None => Problem::error(format!("The bodyParam \"{key}\" is required")),
        Some(_) => Problem::error(format!("The bodyParam \"{key}\" must be a boolean")),
    })
}

fn differs(of: &Family, what: &str, differs: bool, done: &str) -> Result<(), Problem> {
    if differs {
        return Ok(());
    }
    Err(Problem::error(format!("The {} {what} is the same as what it would be {done}.", of.noun)))
}

async fn change_and_show(
    call: Call,
    of: &Family,
    room: Arc<Room>,
    patch: RoomPatch,
) -> Result<Reply, Problem> {
    let room = call.node(move |node, caller| node.change_room(caller, &room.id, patch)).await?;
    show(&call, of.one, &room)
}
