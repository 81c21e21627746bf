//! Rooms together: the caller's own, new ones, and looking for some.

use super::super::flight::Given;
use super::super::message::date_of;
use super::MethodCall;
use super::room::{named, names};
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::User;
use crate::doors::http::wire::{Dates, draft, room, subscription, user};
use crate::node::listing::Slice;
use crate::node::rooms::NewRoom;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// People and rooms that one search gives of each.
const FOUND_MAX: usize = 5;

/// Everything, or what is new since a time and what is gone: of that, nothing is kept, clients are told when it goes.
fn since(call: &MethodCall, all: Vec<(u64, Value)>) -> Value {
    match date_of(call.param(0)) {
        Some(since) => {
            let update: Vec<Value> =
                all.into_iter().filter(|(at, _)| *at > since).map(|(_, one)| one).collect();
            json!({ "update": update, "remove": [] })
        }
        None => all.into_iter().map(|(_, one)| one).collect(),
    }
}

/// The rooms the caller is in.
pub fn rooms(call: &MethodCall) -> Given {
    let all = call.read(|reading, actor| {
        let mut counting = room::Counting::default();
        let mut all = Vec::new();
        for place in reading.places(actor)? {
            let permit = reading.may_read(actor, &place.room).ok().map(|granted| granted.permit);
            let shown = room::shown(reading, &place.room, permit.as_ref(), &mut counting, Dates::Ejson)?;
            all.push((place.room.created.max(place.tail.at), json!(shown)));
        }
        Ok(all)
    })?;
    Ok(since(call, all))
}

/// How the caller stands in each of their rooms.
pub fn subscriptions(call: &MethodCall) -> Given {
    let all = call.read(|reading, actor| {
        let mut all = Vec::new();
        for place in reading.places(actor)? {
            let shown = subscription::shown(&place, &actor.user, reading, Dates::Ejson)?;
            all.push((subscription::updated(&place), json!(shown)));
        }
        Ok(all)
    })?;
    Ok(since(call, all))
}

/// The direct room with these people: the one there is, or a new one.
pub async fn create_direct(call: MethodCall) -> Given {
    let names: Vec<String> = call.params.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Refusal::NoSuchUser.into());
    }
    let users = call.read(|reading, _| named(reading, &names))?;
    let room = call.node(move |node, caller| node.direct_room(caller, &users)).await?;
    Ok(json!({ "rid": room.id.as_str(), "t": "d" }))
}

/// Makes a public room.
pub async fn create_channel(call: MethodCall) -> Given {
    create(call, RoomKind::Public).await
}

/// Makes a private room.
pub async fn create_group(call: MethodCall) -> Given {
    create(call, RoomKind::Private).await
}

async fn create(call: MethodCall, kind: RoomKind) -> Given {
    let name = Name::parse_room(call.text(0, "name")?)?;
    let names = names(call.param(1))?;
    let mut new = NewRoom::named(kind, name);
    new.members = call.read(|reading, _| named(reading, &names))?;
    new.read_only = call.param(2).as_bool().unwrap_or(false);
    if let Some(fields) = call.param(3).as_object().filter(|fields| !fields.is_empty()) {
        new.extra = Some(draft::opaque(fields)?);
    }
    let topic = call.param(4).get("topic").and_then(Value::as_str).unwrap_or_default();
    new.topic = crate::chat::name::clip(topic, crate::base::limits::TOPIC_CHARS_MAX);
    let made = call.node(move |node, caller| node.create_room(caller, new)).await?;
    let shown = call.read(|reading, actor| {
        let permit = reading.may_read(actor, &made)?.permit;
        let mut counting = room::Counting::default();
        Ok(json!(room::shown(reading, &made, Some(&permit), &mut counting, Dates::Ejson)?))
    })?;
    let mut answer = match shown {
        Value::Object(answer) => answer,
        _ => Map::new(),
    };
    answer.insert("rid".into(), made.id.as_str().into());
    Ok(Value::Object(answer))
}

/// People and rooms by a part of their name: `@` and `#` ask for one of them.
pub fn spotlight(call: &MethodCall) -> Given {
    let text = call.text(0, "text")?.to_lowercase();
    let (wants_users, wants_rooms) = (!text.starts_with('#'), !text.starts_with('@'));
    let part = text.trim_start_matches(['@', '#']);
    let excluded: Vec<&str> =
        call.param(1).as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let hub = &call.site.node.hub;
    call.read(|reading, actor| {
        let (mut users, mut rooms) = (Vec::new(), Vec::new());
        let slice = Slice { offset: 0, max: FOUND_MAX };
        if wants_users {
            let fits = |name: &str| name.to_lowercase().contains(part);
            let wanted = |one: &User| {
                let name = one.username.as_str();
                one.active && !excluded.contains(&name) && (fits(name) || fits(&one.name))
            };
            let found = reading.users_seen(actor, wanted, slice)?;
            users.extend(found.items.iter().map(|one| user::brief(one, hub.online(&one.id) > 0)));
        }
        if wants_rooms {
            let found =
                reading.public_rooms(actor, |one| one.label().to_lowercase().contains(part), slice)?;
            let shown =
                |one: &Arc<Room>| json!({ "_id": one.id.as_str(), "name": one.label(), "t": room::letter(one.kind) });
            rooms.extend(found.items.iter().map(shown));
        }
        Ok(json!({ "users": users, "rooms": rooms }))
    })
}
