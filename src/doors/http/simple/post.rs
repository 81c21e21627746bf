//! `POST /garden`: somebody says something with one line of curl.

use super::ntfy::{self, Line};
use super::who;
use super::words::{bad, refused, token_missing};
use crate::base::id::RoomId;
use crate::chat::message::{Draft, Message};
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::doors::http::here::is_from_this_machine;
use crate::doors::http::{Call, Problem, Reply};
use crate::node::{Caller, Catalog, Reading, refuse};
use hyper::StatusCode;
use std::sync::Arc;

/// Says the body in the room of the address.
pub async fn to_room(call: Call) -> Result<Reply, Problem> {
    let post = ntfy::post(&call);
    say(&call, call.params.get("room"), post.map(|post| post.draft)).await
}

/// Says what the JSON body says in the room it names as `topic`.
pub async fn to_topic(call: Call) -> Result<Reply, Problem> {
    let post = ntfy::post(&call)?;
    let wanted = "name the room in the address, as in /garden, or as \"topic\" in a JSON body with 'Content-Type: \
                  application/json'";
    let topic = post.topic.ok_or_else(|| bad(wanted))?;
    say(&call, &topic, Ok(post.draft)).await
}

async fn say(call: &Call, name: &str, draft: Result<Draft, Problem>) -> Result<Reply, Problem> {
    let caller = who::by_header(call)?;
    let found = call.site.node.read(|reading| room_named(reading, name));
    let is_general = matches!(&found, Ok(room) if room.id == Room::GENERAL);
    if caller.is_none() && !(is_general && is_from_this_machine(call)) {
        return Err(token_missing(name));
    }
    let room = found.map_err(|refusal| refused(refusal, name))?;
    // What is wrong with the body is told to those who may post at all.
    let draft = draft?;
    let said = match caller {
        Some(caller) => post(call, caller, room.id.clone(), draft).await,
        None => {
            let node = &call.site.node;
            node.call(&Caller::Operator, move |node| node.post_before_owner(draft)).await
        }
    };
    let message = said.map_err(|refusal| refused(refusal, name))?;
    Ok(Reply::json(StatusCode::OK, &Line::new(room.label(), &message)))
}

async fn post(call: &Call, caller: Caller, room: RoomId, draft: Draft) -> Result<Message, Refusal> {
    let name = caller.clone();
    call.site.node.call(&caller, move |node| node.post_message(&name, &room, draft)).await
}

/// A room by name or id. Whether the caller may know of it, the node says where it is used.
fn room_named(reading: &Reading, name: &str) -> Result<Arc<Room>, Refusal> {
    if let Some(room) = reading.room_named(name).map_err(refuse)? {
        return Ok(room);
    }
    let by_id = RoomId::parse(name).map(|id| reading.room(&id)).transpose().map_err(refuse)?;
    by_id.flatten().ok_or(Refusal::NoSuchRoom)
}
