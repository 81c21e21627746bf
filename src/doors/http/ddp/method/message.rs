//! Saying something, changing it, and marking it as read.

use super::super::flight::Given;
use super::{MethodCall, readable, wants};
use crate::base::id::{MessageId, RoomId};
use crate::base::limits::PAGE_MESSAGES_MAX;
use crate::chat::message::Message;
use crate::chat::name::Text;
use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::doors::http::wire::Dates;
use crate::doors::http::wire::{draft, message};
use crate::node::Reading;
use crate::node::books::Books;
use serde_json::{Map, Value, json};

fn object(value: &Value) -> Result<&Map<String, Value>, super::MethodError> {
    value.as_object().ok_or_else(|| wants("message", "an object"))
}

fn message_id(value: Option<&Value>) -> Result<MessageId, Refusal> {
    value.and_then(Value::as_str).and_then(MessageId::parse).ok_or(Refusal::NoSuchMessage)
}

/// Says something; gives the message.
pub async fn send(call: MethodCall) -> Given {
    let body = object(call.param(0))?;
    let room = body.get("rid").and_then(Value::as_str).and_then(RoomId::parse).ok_or(Refusal::NoSuchRoom)?;
    let draft = draft::parse(body)?;
    let message = call.node(move |node, caller| node.post_message(caller, &room, draft)).await?;
    Ok(call.shown(&message))
}

/// Changes the text of a message.
pub async fn update(call: MethodCall) -> Given {
    let body = object(call.param(0))?;
    let id = message_id(body.get("_id"))?;
    let text = Text::parse(body.get("msg").and_then(Value::as_str).ok_or_else(|| wants("msg", "a text"))?)?;
    call.node(move |node, caller| node.edit_message(caller, &id, text)).await?;
    Ok(Value::Null)
}

/// Removes a message.
pub async fn delete(call: MethodCall) -> Given {
    let id = message_id(call.param(0).get("_id"))?;
    call.node(move |node, caller| node.delete_message(caller, &id)).await?;
    Ok(Value::Null)
}

/// Adds or takes back a reaction.
pub async fn react(call: MethodCall) -> Given {
    let emoji = call.text(0, "emoji")?.to_owned();
    let id = message_id(Some(call.param(1)))?;
    let on = call.param(2).as_bool();
    call.node(move |node, caller| node.react(caller, &id, &emoji, on)).await?;
    Ok(Value::Null)
}

/// Marks a room as read.
pub async fn read(call: MethodCall) -> Given {
    let room = call.room_id(0)?;
    call.node(move |node, caller| node.mark_read(caller, &room, None)).await?;
    Ok(Value::Null)
}

fn find(reading: &Reading, actor: &Actor, id: &MessageId) -> Result<Message, Refusal> {
    let message = reading.message(id)?.ok_or(Refusal::NoSuchMessage)?;
    // Whoever may not read the room may not learn that the message is there.
    readable(reading, actor, &message.room).map_err(|_| Refusal::NoSuchMessage)?;
    Ok(message)
}

/// One message by its id.
pub fn single(call: &MethodCall) -> Given {
    let id = message_id(Some(call.param(0)))?;
    call.read(|reading, actor| Ok(json!(message::shown(&find(reading, actor, &id)?, Dates::Ejson, reading))))
}

/// Messages by their ids; those that are not there, or not for the caller, are left out.
pub fn several(call: &MethodCall) -> Given {
    let ids = call.param(0).as_array().ok_or_else(|| wants("messages", "a list of ids"))?;
    let ids: Vec<MessageId> =
        ids.iter().take(PAGE_MESSAGES_MAX).filter_map(|id| message_id(Some(id)).ok()).collect();
    call.read(|reading, actor| {
        let found = ids.iter().filter_map(|id| find(reading, actor, id).ok());
        Ok(found.map(|found| json!(message::shown(&found, Dates::Ejson, reading))).collect())
    })
}
