//! Rooms of every kind.

use super::done;
use super::family::{make, settings};
use super::given::Given;
use crate::base::limits::{BODY_BYTES_MAX, PAGE_ENTRIES_MAX, TOPIC_CHARS_MAX};
use crate::chat::name::{Name, clip};
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::doors::http::route::route;
use crate::doors::http::wire::{Dates, room, subscription};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::listing::Slice;
use crate::node::rooms::RoomPatch;
use serde_json::{Value, json};
use std::sync::Arc;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/rooms.get", LoggedIn, BODY_BYTES_MAX, Reading, get),
    route!(GET "/api/v1/rooms.info", LoggedIn, BODY_BYTES_MAX, Reading, info),
    route!(GET "/api/v1/rooms.nameExists", LoggedIn, BODY_BYTES_MAX, Reading, name_exists),
    route!(GET "/api/v1/rooms.isMember", LoggedIn, BODY_BYTES_MAX, Reading, is_member),
    route!(GET "/api/v1/rooms.adminRooms", LoggedIn, BODY_BYTES_MAX, Reading, admin_rooms),
    route!(GET "/api/v1/rooms.autocomplete.channelAndPrivate", LoggedIn, BODY_BYTES_MAX, Reading, autocomplete),
    route!(POST "/api/v1/rooms.favorite", LoggedIn, BODY_BYTES_MAX, Posting, favorite),
    route!(POST "/api/v1/rooms.leave", LoggedIn, BODY_BYTES_MAX, Posting, leave),
    route!(POST "/api/v1/rooms.delete", LoggedIn, BODY_BYTES_MAX, Posting, delete),
    route!(POST "/api/v1/rooms.saveRoomSettings", LoggedIn, BODY_BYTES_MAX, Posting, save_settings),
    route!(POST "/api/v1/rooms.changeArchivationState", LoggedIn, BODY_BYTES_MAX, Posting, change_archivation),
];

fn room_meant(call: &Call, meant: &str) -> Result<Arc<Room>, Problem> {
    call.read(|reading, actor| reading.room_known(actor, meant))
}

async fn get(call: Call) -> Result<Reply, Problem> {
    let since = Given::of(&call)?.date("updatedSince", "error-updatedSince-param-invalid")?;
    call.read(|reading, actor| {
        let mut counting = room::Counting::default();
        let mut places = reading.places(actor)?;
        places.retain(|place| since.is_none_or(|since| subscription::updated(place) > since));
        let shown = places.iter().map(|place| {
            let granted = reading.may_read(actor, &place.room)?;
            room::shown(reading, &place.room, Some(&granted.permit), &mut counting, Dates::Iso)
        });
        let update = shown.collect::<Result<Vec<_>, Refusal>>()?;
        Ok(done::many(&[("update", &update), ("remove", &[(); 0])]))
    })
}

async fn info(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = room_meant(&call, given.room()?).map_err(|problem| match problem {
        Problem::Refused(Refusal::NoSuchRoom) => Problem::error("not-allowed"),
        other => other,
    })?;
    super::family::show(&call, "room", &room)
}

async fn name_exists(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let name = given.word("roomName");
    let name = name.ok_or_else(|| Problem::invalid_params("must have required property 'roomName'"))?;
    let exists = call.read(|reading, actor| reading.room_name_taken(actor, name))?;
    Ok(done::one("exists", exists))
}

async fn is_member(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let (meant, who) = (given.room()?, given.user_if());
    let is_member = call.read(|reading, actor| {
        let (_, granted) = reading.room_for(actor, meant)?;
        let user = match &who {
            Some(who) => reading.user_seen(actor, who)?.id.clone(),
            None => actor.user.id.clone(),
        };
        reading.is_member(&granted.permit, &user)
    })?;
    Ok(done::one("isMember", is_member))
}

async fn admin_rooms(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let (slice, types) = (given.slice(), given.list("types"));
    let filter = given.word("filter").unwrap_or_default().to_lowercase();
    let wanted = |room: &Room| {
        let typed = types.is_empty() || types.iter().any(|letter| letter == room::letter(room.kind));
        typed && room.label().to_lowercase().contains(&filter)
    };
    call.read(|reading, actor| {
        let listed = reading.all_rooms(actor, wanted, slice)?;
        make::page(reading, actor, "rooms", slice, listed)
    })
}

/// The words somebody typed into a selector: `{"name":"gar"}` or `{"term":"al"}`.
pub fn selector(given: &Given, key: &str) -> Result<Value, Problem> {
    let text = given.word("selector").ok_or_else(|| Problem::error("The 'selector' param is required"))?;
    let selector: Value =
        serde_json::from_str(text).map_err(|_| Problem::coded("error-invalid-query", "Invalid query"))?;
    match selector.get(key) {
        Some(Value::String(_)) | None => Ok(selector),
        Some(_) => Err(Problem::coded("error-invalid-query", "Invalid query")),
    }
}

/// Matches shown while somebody types.
const SUGGESTIONS: usize = 10;

async fn autocomplete(call: Call) -> Result<Reply, Problem> {
    let selector = selector(&Given::of(&call)?, "name")?;
    let typed = selector["name"].as_str().unwrap_or_default().to_lowercase();
    let fits = |room: &Room| room.kind != RoomKind::Direct && room.label().to_lowercase().contains(&typed);
    let items = call.read(|reading, actor| {
        let places = reading.places(actor)?;
        let mut rooms: Vec<Arc<Room>> =
            places.into_iter().map(|place| place.room).filter(|room| fits(room)).collect();
        let public = reading.public_rooms(actor, fits, Slice { offset: 0, max: PAGE_ENTRIES_MAX })?;
        for room in public.items {
            if !rooms.iter().any(|known| known.id == room.id) {
                rooms.push(room);
            }
        }
        rooms.truncate(SUGGESTIONS);
        Ok(rooms)
    })?;
    let items = items.iter().map(|room| {
        json!({ "_id": room.id.as_str(), "name": room.label(), "fname": room.label(), "t": room::letter(room.kind) })
    });
    Ok(done::one("items", items.collect::<Vec<_>>()))
}

async fn favorite(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let favourite =
        given.flag("favorite").ok_or_else(|| Problem::error("The 'favorite' param is required"))?;
    let room = room_meant(&call, given.room()?)?;
    call.node(move |node, caller| node.arrange_room(caller, &room.id, None, Some(favourite))).await?;
    Ok(done::nothing())
}

async fn leave(call: Call) -> Result<Reply, Problem> {
    let room = room_meant(&call, Given::of(&call)?.room()?)?;
    call.node(move |node, caller| node.leave_room(caller, &room.id)).await?;
    Ok(done::nothing())
}

async fn delete(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let id = given.word("roomId").ok_or_else(|| Problem::error("The 'roomId' param is required"))?;
    let room = room_meant(&call, id)?;
    call.node(move |node, caller| node.remove_room(caller, &room.id)).await?;
    Ok(done::nothing())
}

async fn save_settings(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let id = given.word("rid").ok_or_else(|| Problem::coded("error-invalid-room", "Invalid room"))?;
    let room = room_meant(&call, id)?;
    let line = |key: &str| given.text(key).map(|text| clip(text, TOPIC_CHARS_MAX));
    let patch = RoomPatch {
        name: given.word("roomName").map(Name::parse_room).transpose()?,
        kind: given.word("roomType").map(settings::kind).transpose()?,
        topic: line("roomTopic"),
        description: line("roomDescription"),
        announcement: line("roomAnnouncement"),
        read_only: given.flag("readOnly"),
        archived: None,
        joined_by_default: given.flag("default"),
        extra: None,
    };
    let rid = room.id.clone();
    if let Some(favourite) = given.flag("favorite") {
        let rid = rid.clone();
        call.node(move |node, caller| node.arrange_room(caller, &rid, None, Some(favourite))).await?;
    }
    if patch != RoomPatch::default() {
        call.node(move |node, caller| node.change_room(caller, &room.id, patch)).await?;
    }
    Ok(done::one("rid", rid.as_str()))
}

async fn change_archivation(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = room_meant(&call, given.word_wanted("rid")?)?;
    let archived = match given.word("action") {
        Some("archive") => true,
        Some("unarchive") => false,
        _ => return Err(Problem::invalid_params("action must be archive or unarchive")),
    };
    let patch = RoomPatch { archived: Some(archived), ..RoomPatch::default() };
    let room = call.node(move |node, caller| node.change_room(caller, &room.id, patch)).await?;
    Ok(done::one("result", room.archived == archived))
}
