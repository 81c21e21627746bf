//! The caller's places in rooms.

use super::done;
use super::given::Given;
use crate::base::id::{MessageId, RoomId};
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::refusal::Refusal;
use crate::doors::http::route::route;
use crate::doors::http::wire::{Dates, subscription};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::Catalog;
use crate::node::refuse;
use serde_json::Value;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/subscriptions.get", LoggedIn, BODY_BYTES_MAX, Reading, get),
    route!(GET "/api/v1/subscriptions.getOne", LoggedIn, BODY_BYTES_MAX, Reading, get_one),
    route!(POST "/api/v1/subscriptions.read", LoggedIn, BODY_BYTES_MAX, Posting, read),
    route!(POST "/api/v1/subscriptions.unread", LoggedIn, BODY_BYTES_MAX, Posting, unread),
];

async fn get(call: Call) -> Result<Reply, Problem> {
    let since = Given::of(&call)?.date("updatedSince", "error-updatedSince-param-invalid")?;
    call.read(|reading, actor| {
        let mut places = reading.places(actor)?;
        places.retain(|place| since.is_none_or(|since| subscription::updated(place) > since));
        let shown = places.iter().map(|place| subscription::shown(place, &actor.user, reading, Dates::Iso));
        let update = shown.collect::<Result<Vec<_>, Refusal>>()?;
        Ok(done::many(&[("update", &update), ("remove", &[(); 0])]))
    })
}

async fn get_one(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = given.word("roomId");
    let room = room.ok_or_else(|| Problem::invalid_params("must have required property 'roomId'"))?;
    call.read(|reading, actor| {
        let place = match RoomId::parse(room) {
            Some(room) => reading.place_of(&room, &actor.user.id)?,
            None => None,
        };
        let shown = place.as_ref().map(|place| subscription::shown(place, &actor.user, reading, Dates::Iso));
        Ok(done::one("subscription", shown.transpose()?))
    })
}

async fn read(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = given.word("rid").or_else(|| given.word("roomId"));
    let room = room.ok_or_else(|| Problem::invalid_params("must have required property 'rid'"))?;
    let room = RoomId::parse(room).ok_or(Refusal::NoSuchRoom)?;
    call.node(move |node, caller| node.mark_read(caller, &room, None)).await?;
    Ok(done::nothing())
}

async fn unread(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let nothing_there =
        || Problem::coded("error-no-message-for-unread", "There are no messages to mark unread");
    let first = given.value("firstUnreadMessage").and_then(|first| first.get("_id")).and_then(Value::as_str);
    let (room, upto) = if let Some(id) = first {
        let id = MessageId::parse(id).ok_or_else(nothing_there)?;
        call.read(|reading, actor| {
            let (message, _) = reading.message_for(actor, &id)?;
            let lying =
                reading.lying(&message.room, message.seq).map_err(refuse)?.ok_or(Refusal::NoSuchMessage)?;
            Ok((message.room, lying.number))
        })?
    } else {
        let room = RoomId::parse(given.room()?).ok_or(Refusal::NoSuchRoom)?;
        let tail = call.read(|reading, actor| {
            reading.place_of(&room, &actor.user.id)?.map(|place| place.tail).ok_or(Refusal::NotMember)
        })?;
        (room, tail.count.checked_sub(1).ok_or_else(nothing_there)?)
    };
    call.node(move |node, caller| node.mark_read(caller, &room, Some(upto))).await?;
    Ok(done::nothing())
}
