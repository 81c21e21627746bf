//! What is said in a room.

use super::{Family, reading_room};
use crate::base::limits::PAGE_MESSAGES_MAX;
use crate::doors::http::rest::done;
use crate::doors::http::rest::given::Given;
use crate::doors::http::wire::{Dates, date, message, room};
use crate::doors::http::{Call, Problem, Reply};
use crate::node::Catalog;
use crate::node::history::Stretch;
use crate::node::listing::Listed;
use crate::node::refuse;
use serde_json::json;

/// Messages of a page of history whose size nobody named.
const HISTORY_COUNT_DEFAULT: usize = 20;

/// A stretch of the history, newest first.
pub async fn history(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let slice = given.slice_or(HISTORY_COUNT_DEFAULT);
    let stretch = Stretch {
        latest: given.date("latest", "error-latest-param-invalid")?,
        oldest: given.date("oldest", "error-oldest-param-invalid")?,
        inclusive: given.flag("inclusive").unwrap_or(false),
        skip: slice.offset as u64,
        max: slice.max.min(PAGE_MESSAGES_MAX),
    };
    reading_room(&call, &given, of, |reading, _, _, granted| {
        let page = reading.history(&granted.permit, stretch)?;
        let shown = page.messages.iter().map(|message| message::shown(message, Dates::Iso, reading));
        Ok(done::one("messages", shown.collect::<Vec<_>>()))
    })
}

/// A page of all messages, newest first.
pub async fn messages(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let slice = given.slice();
    let skip = slice.offset as u64;
    let stretch = Stretch { latest: None, oldest: None, inclusive: false, skip, max: slice.max };
    reading_room(&call, &given, of, |reading, _, _, granted| {
        let page = reading.history(&granted.permit, stretch)?;
        let items: Vec<_> =
            page.messages.iter().map(|message| message::shown(message, Dates::Iso, reading)).collect();
        Ok(done::page("messages", slice, &Listed { items, total: page.total as usize }))
    })
}

/// How much there is, and how much of it the caller has not read.
pub async fn counters(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    reading_room(&call, &given, of, |reading, actor, shown, _| {
        let tail = reading.room_tail(&shown.id).map_err(refuse)?.unwrap_or_default();
        let place = reading.place_of(&shown.id, &actor.user.id)?;
        let unread = place.as_ref().map(|place| place.unread());
        let since = place.as_ref().map(|place| date::iso(place.mark.at.max(place.membership.joined)));
        let direct = shown.kind == crate::chat::room::RoomKind::Direct;
        Ok(Reply::success(json!({
            "joined": place.is_some(),
            "members": room::Counting::default().members(shown, reading)?,
            "unreads": unread,
            "unreadsFrom": since,
            "msgs": tail.count,
            "latest": (tail.count > 0).then(|| date::iso(tail.at)),
            "userMentions": unread.filter(|_| direct).unwrap_or(0),
        })))
    })
}
