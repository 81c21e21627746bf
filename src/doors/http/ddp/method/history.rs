//! Pages of a room's history.

use super::super::flight::Given;
use super::super::message::date_of;
use super::{MethodCall, readable, wants};
use crate::base::id::MessageId;
use crate::base::limits::PAGE_MESSAGES_MAX;
use crate::chat::message::Message;
use crate::chat::refusal::Refusal;
use crate::doors::http::wire::{Dates, message};
use crate::node::books::Books;
use crate::node::history::Stretch;
use crate::node::{Catalog, Reading, refuse};
use serde_json::{Value, json};

/// Messages of a page where the client names no number.
const PAGE: u64 = 20;

fn page_max(value: &Value) -> usize {
    value.as_u64().filter(|max| *max > 0).unwrap_or(PAGE).min(PAGE_MESSAGES_MAX as u64) as usize
}

fn shown(reading: &Reading, messages: &[Message]) -> Vec<Value> {
    messages.iter().map(|one| json!(message::shown(one, Dates::Ejson, reading))).collect()
}

/// The newest messages before a time, newest first, and how many of the caller's unread ones are older still.
pub fn load(call: &MethodCall) -> Given {
    let room = call.room_id(0)?;
    let (latest, max) = (date_of(call.param(1)), page_max(call.param(2)));
    let last_seen = date_of(call.param(3));
    call.read(|reading, actor| {
        let (_, granted) = readable(reading, actor, &room)?;
        let stretch = Stretch { latest, oldest: None, inclusive: false, skip: 0, max };
        let page = reading.history(&granted.permit, stretch)?;
        let mut answer = json!({ "messages": shown(reading, &page.messages) });
        let oldest = page.messages.last().map(|oldest| oldest.at);
        if let (Some(seen), Some(oldest)) = (last_seen, oldest) {
            let unread =
                Stretch { latest: Some(oldest), oldest: Some(seen), inclusive: false, skip: 0, max: 0 };
            answer["unreadNotLoaded"] = reading.history(&granted.permit, unread)?.total.into();
            let first = reading.messages_from(&granted.permit, seen + 1, 1)?;
            if let Some(first) = first.first() {
                answer["firstUnread"] = json!(message::shown(first, Dates::Ejson, reading));
            }
        }
        Ok(answer)
    })
}

/// Messages after a time, newest first.
pub fn missed(call: &MethodCall) -> Given {
    let room = call.room_id(0)?;
    let oldest = date_of(call.param(1)).ok_or_else(|| wants("start", "a date"))?;
    call.read(|reading, actor| {
        let (_, granted) = readable(reading, actor, &room)?;
        let mut messages = reading.messages_from(&granted.permit, oldest + 1, PAGE_MESSAGES_MAX)?;
        messages.reverse();
        Ok(json!(shown(reading, &messages)))
    })
}

/// Messages after a time, oldest first.
pub fn next(call: &MethodCall) -> Given {
    let room = call.room_id(0)?;
    let (after, max) = (date_of(call.param(1)), page_max(call.param(2)));
    call.read(|reading, actor| {
        let (_, granted) = readable(reading, actor, &room)?;
        let messages = reading.messages_from(&granted.permit, after.map_or(0, |after| after + 1), max)?;
        Ok(json!({ "messages": shown(reading, &messages) }))
    })
}

/// A message with as many before as after it, oldest first.
pub fn surrounding(call: &MethodCall) -> Given {
    let id = call.param(0).get("_id").and_then(Value::as_str).and_then(MessageId::parse);
    let id = id.ok_or(Refusal::NoSuchMessage)?;
    let side = page_max(call.param(1)) / 2;
    call.read(|reading, actor| {
        let middle = reading.message(&id)?.ok_or(Refusal::NoSuchMessage)?;
        let (room, granted) = readable(reading, actor, &middle.room).map_err(|_| Refusal::NoSuchMessage)?;
        let tail = reading.room_tail(&room.id).map_err(refuse)?.unwrap_or_default();
        let mut messages = reading.messages_before(&granted.permit, middle.seq, side + 1)?;
        let more_before = messages.len() > side;
        messages.truncate(side);
        messages.reverse();
        let mut after = reading.messages_after(&granted.permit, middle.seq, side)?;
        let more_after = after.last().is_some_and(|last| last.seq < tail.seq);
        messages.push(middle);
        messages.append(&mut after);
        Ok(json!({ "messages": shown(reading, &messages), "moreBefore": more_before, "moreAfter": more_after }))
    })
}
