//! Making, showing, listing, archiving and removing rooms.

use super::{Family, room_meant, show};
use crate::chat::name::{Name, line};
use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::doors::http::rest::done;
use crate::doors::http::rest::given::Given;
use crate::doors::http::wire::draft::opaque;
use crate::doors::http::wire::{Dates, room};
use crate::doors::http::{Call, Problem, Reply};
use crate::node::Reading;
use crate::node::listing::{Listed, Slice, Who};
use crate::node::rooms::{NewRoom, RoomPatch};
use serde_json::Value;
use std::sync::Arc;

/// Makes a room.
pub async fn create(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let name = given.value("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err(Problem::error("Body param \"name\" is required"));
    }
    let wants = |key: &str, fits: fn(&Value) -> bool, what: &str| match given.value(key) {
        Some(value) if !fits(value) => {
            Err(Problem::error(format!("Body param \"{key}\" must be {what} if provided")))
        }
        _ => Ok(()),
    };
    wants("members", |value| value.is_array() || value.is_string(), "an array")?;
    wants("customFields", Value::is_object, "an object")?;
    wants("extraData", Value::is_object, "an object")?;
    let mut new = NewRoom::named(of.kind, Name::parse_room(name)?);
    let members = given.list("members");
    new.members = call.read(|reading, actor| {
        let users = members.iter().map(|name| reading.user_seen(actor, &Who::Name(name.clone())));
        users.map(|user| Ok(user?.id.clone())).collect()
    })?;
    new.read_only = given.flag("readOnly").unwrap_or(false);
    new.without_creator = given.flag("excludeSelf").unwrap_or(false);
    let topic = given.value("extraData").and_then(|extra| extra.get("topic")?.as_str());
    new.topic = line(topic.unwrap_or_default());
    new.extra = given.value("customFields").map(opaque).transpose()?;
    let room = call.node(move |node, caller| node.create_room(caller, new)).await?;
    show(&call, of.one, &room)
}

/// Shows a room.
pub async fn info(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    show(&call, of.one, &*room_meant(&call, &given, of)?)
}

/// Removes a room.
pub async fn delete(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let room = room_meant(&call, &Given::of(&call)?, of)?;
    call.node(move |node, caller| node.remove_room(caller, &room.id)).await?;
    Ok(done::nothing())
}

/// Nobody posts any more.
pub async fn archive(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_archived(&call, of, true).await
}

/// Everybody posts again.
pub async fn unarchive(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_archived(&call, of, false).await
}

async fn set_archived(call: &Call, of: &Family, archived: bool) -> Result<Reply, Problem> {
    let room = room_meant(call, &Given::of(call)?, of)?;
    if room.archived == archived {
        let not = if archived { "already" } else { "not" };
        return Err(Problem::error(format!("The {}, {}, is {not} archived", of.noun, room.label())));
    }
    let patch = RoomPatch { archived: Some(archived), ..RoomPatch::default() };
    call.node(move |node, caller| node.change_room(caller, &room.id, patch)).await?;
    Ok(done::nothing())
}

/// Lists the room for the caller again.
pub async fn open(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_open(&call, of, true).await
}

/// No longer lists the room for the caller.
pub async fn close(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    set_open(&call, of, false).await
}

async fn set_open(call: &Call, of: &Family, open: bool) -> Result<Reply, Problem> {
    let room = room_meant(call, &Given::of(call)?, of)?;
    let place = call.read(|reading, actor| reading.place_of(&room.id, &actor.user.id))?;
    let is_open = place.map(|place| place.membership.open).ok_or_else(|| {
        Problem::error(format!("The user/callee is not in the {} \"{}\".", of.noun, room.label()))
    })?;
    if is_open == open {
        let word = if open { "open" } else { "closed" };
        let label = room.label();
        return Err(Problem::error(format!("The {}, {label}, is already {word} to the sender", of.noun)));
    }
    call.node(move |node, caller| node.arrange_room(caller, &room.id, Some(open), None)).await?;
    Ok(done::nothing())
}

/// The rooms of this kind the caller is in.
pub async fn list_joined(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let slice = Given::of(&call)?.slice();
    call.read(|reading, actor| {
        let mut places = reading.places(actor)?;
        places.retain(|place| place.room.kind == of.kind);
        places.sort_by_key(|place| {
            (place.room.name.as_ref().map(Name::folded), std::cmp::Reverse(place.tail.at))
        });
        page(reading, actor, of.many, slice, slice.of(places.into_iter().map(|place| place.room)))
    })
}

/// The rooms of this kind the caller may find.
pub async fn list_found(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let (slice, filter) = (given.slice(), given.word("filter").unwrap_or_default().to_lowercase());
    let wanted = |room: &Room| room.label().to_lowercase().contains(&filter);
    call.read(|reading, actor| {
        page(reading, actor, of.many, slice, reading.public_rooms(actor, wanted, slice)?)
    })
}

/// All rooms of this kind, for those who run the node.
pub async fn list_all(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let slice = Given::of(&call)?.slice();
    call.read(|reading, actor| {
        let listed = reading.all_rooms(actor, |room| room.kind == of.kind, slice)?;
        page(reading, actor, of.many, slice, listed)
    })
}

/// Becomes a member of a public room.
pub async fn join(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let room = room_meant(&call, &Given::of(&call)?, of)?;
    let room = call.node(move |node, caller| node.join_room(caller, &room.id)).await?;
    show(&call, of.one, &room)
}

/// The answer that shows a page of rooms.
pub fn page(
    reading: &Reading,
    actor: &Actor,
    key: &'static str,
    slice: Slice,
    listed: Listed<Arc<Room>>,
) -> Result<Reply, Refusal> {
    let mut counting = room::Counting::default();
    let items = listed.items.iter().map(|room| {
        let permit = reading.may_read(actor, room).ok().map(|granted| granted.permit);
        room::shown(reading, room, permit.as_ref(), &mut counting, Dates::Iso)
    });
    let items = items.collect::<Result<Vec<_>, _>>()?;
    Ok(done::page(key, slice, &Listed { items, total: listed.total }))
}
