//! One room: finding it, being in it, and who else is.

use super::super::flight::Given;
use super::super::message::MethodError;
use super::{MethodCall, readable, wants};
use crate::base::id::{RoomId, UserId};
use crate::base::limits::{INVITED_AT_ONCE_MAX, PAGE_ENTRIES_MAX};
use crate::chat::refusal::Refusal;
use crate::chat::user::User;
use crate::doors::http::wire::{Dates, room, user};
use crate::node::listing::Slice;
use crate::node::rooms::RoomPatch;
use crate::node::{Catalog, Reading, refuse};
use serde_json::{Value, json};

/// The id of a room by its name or id.
pub fn id(call: &MethodCall) -> Given {
    let text = call.text(0, "rid")?.trim_start_matches('#').to_owned();
    let room = call.read(|reading, actor| reading.room_for(actor, &text));
    match room {
        Ok((room, _)) => Ok(json!(room.id.as_str())),
        Err(_) => Err(MethodError::new("error-not-allowed", "Not allowed")),
    }
}

/// The name of a room by its id: of a direct room, the others in it.
pub fn name(call: &MethodCall) -> Given {
    let id = call.room_id(0)?;
    call.read(|reading, actor| {
        let (room, _) = readable(reading, actor, &id)?;
        if let Some(name) = &room.name {
            return Ok(json!(name.as_str()));
        }
        let mut names = Vec::new();
        for other in room.people.iter().filter(|other| **other != actor.user.id) {
            names.extend(reading.user(other).map_err(refuse)?.map(|user| user.username.to_string()));
        }
        Ok(json!(names.join(", ")))
    })
}

/// A room by its kind's letter and its name or id.
pub fn by_type_and_name(call: &MethodCall) -> Given {
    let (letter, text) = (call.text(0, "type")?, call.text(1, "name")?);
    call.read(|reading, actor| {
        let (found, granted) = reading.room_for(actor, text)?;
        if room::letter(found.kind) != letter {
            return Err(Refusal::NoSuchRoom);
        }
        let mut counting = room::Counting::default();
        Ok(json!(room::shown(reading, &found, Some(&granted.permit), &mut counting, Dates::Ejson)?))
    })
}

/// Who is in a room.
pub fn users(call: &MethodCall) -> Given {
    let id = call.room_id(0)?;
    let all = call.param(1).as_bool().unwrap_or(false);
    let number = |key: &str| call.param(2).get(key).and_then(Value::as_u64).map(|number| number as usize);
    let (limit, skip) = (number("limit").unwrap_or(PAGE_ENTRIES_MAX), number("skip").unwrap_or(0));
    let filter = call.param(3).as_str().unwrap_or_default().to_lowercase();
    let hub = &call.site.node.hub;
    call.read(|reading, actor| {
        let (_, granted) = readable(reading, actor, &id)?;
        let wanted = |member: &User| {
            let fits =
                member.username.folded().contains(&filter) || member.name.to_lowercase().contains(&filter);
            fits && (all || hub.online(&member.id) > 0)
        };
        let slice = Slice { offset: skip, max: limit };
        let members = reading.members_seen(actor, &granted.permit, |member, _| wanted(member), slice)?;
        let records = members.items.iter().map(|(member, _)| user::brief(member, hub.online(&member.id) > 0));
        Ok(json!({ "total": members.total, "records": records.collect::<Vec<Value>>() }))
    })
}

/// Becomes a member.
pub async fn join(call: MethodCall) -> Given {
    let room = call.room_id(0)?;
    call.node(move |node, caller| node.join_room(caller, &room)).await?;
    Ok(json!(true))
}

/// Leaves.
pub async fn leave(call: MethodCall) -> Given {
    let room = call.room_id(0)?;
    call.node(move |node, caller| node.leave_room(caller, &room)).await?;
    Ok(Value::Null)
}

/// No longer lists a room.
pub async fn hide(call: MethodCall) -> Given {
    arrange(call, Some(false), None).await
}

/// Lists a room again.
pub async fn open(call: MethodCall) -> Given {
    arrange(call, Some(true), None).await
}

/// Lists a room first, or among the others.
pub async fn favourite(call: MethodCall) -> Given {
    let favourite = call.param(1).as_bool().unwrap_or(true);
    arrange(call, None, Some(favourite)).await
}

async fn arrange(call: MethodCall, open: Option<bool>, favourite: Option<bool>) -> Given {
    let room = call.room_id(0)?;
    call.node(move |node, caller| node.arrange_room(caller, &room, open, favourite)).await?;
    Ok(json!(1))
}

/// Users by their names.
pub fn named(reading: &Reading, names: &[String]) -> Result<Vec<UserId>, Refusal> {
    let user = |name: &String| {
        let user = reading.user_named(name.trim_start_matches('@')).map_err(refuse)?;
        user.map(|user| user.id.clone()).ok_or(Refusal::NoSuchUser)
    };
    names.iter().map(user).collect()
}

/// Names in a parameter: a list, or one of them.
pub fn names(value: &Value) -> Result<Vec<String>, MethodError> {
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::String(one) => return Ok(vec![one.clone()]),
        Value::Array(list) if list.len() <= INVITED_AT_ONCE_MAX => list,
        Value::Array(_) => {
            return Err(Refusal::TooMany { what: "members named at once", max: INVITED_AT_ONCE_MAX }.into());
        }
        _ => return Err(wants("users", "a list of usernames")),
    };
    let name =
        |name: &Value| name.as_str().map(str::to_owned).ok_or_else(|| wants("users", "a list of usernames"));
    list.iter().map(name).collect()
}

fn rid(value: &Value) -> Result<RoomId, MethodError> {
    let id = value.get("rid").and_then(Value::as_str).and_then(RoomId::parse);
    id.ok_or_else(|| Refusal::NoSuchRoom.into())
}

/// Brings people into a room.
pub async fn add_users(call: MethodCall) -> Given {
    invite(&call, "users").await
}

/// Brings somebody into a room.
pub async fn add_user(call: MethodCall) -> Given {
    invite(&call, "username").await
}

async fn invite(call: &MethodCall, key: &str) -> Given {
    let room = rid(call.param(0))?;
    let names = names(&call.param(0)[key])?;
    let users = call.read(|reading, _| named(reading, &names))?;
    call.node(move |node, caller| node.invite(caller, &room, &users)).await?;
    Ok(json!(true))
}

/// Removes somebody from a room.
pub async fn remove_user(call: MethodCall) -> Given {
    let room = rid(call.param(0))?;
    let names = names(&call.param(0)["username"])?;
    let users = call.read(|reading, _| named(reading, &names))?;
    let user = users.into_iter().next().ok_or(Refusal::NoSuchUser)?;
    call.node(move |node, caller| node.kick(caller, &room, &user)).await?;
    Ok(json!(true))
}

/// Closes a room for everybody.
pub async fn archive(call: MethodCall) -> Given {
    set_archived(call, true).await
}

/// Opens it again.
pub async fn unarchive(call: MethodCall) -> Given {
    set_archived(call, false).await
}

async fn set_archived(call: MethodCall, archived: bool) -> Given {
    let room = call.room_id(0)?;
    let patch = RoomPatch { archived: Some(archived), ..RoomPatch::default() };
    call.node(move |node, caller| node.change_room(caller, &room, patch)).await?;
    Ok(Value::Null)
}

/// Removes a room with everything said in it.
pub async fn erase(call: MethodCall) -> Given {
    let room = call.room_id(0)?;
    call.node(move |node, caller| node.remove_room(caller, &room)).await?;
    Ok(json!(true))
}
