//! Direct rooms, under their two names.

use super::done;
use super::family::{DIRECT, Family, family, make, people, settings, talk};
use super::given::Given;
use crate::doors::http::wire::{Dates, room};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::listing::Who;
use serde_json::{Map, Value};

macro_rules! direct {
    ($prefix:literal) => {
        family!($prefix, DIRECT, [
            POST "create" Posting create;
            GET "list" Reading make::list_joined;
            POST "open" Posting make::open;
            POST "close" Posting make::close;
            POST "setTopic" Posting settings::set_topic;
            GET "members" Reading people::members;
            GET "history" Reading talk::history;
            GET "messages" Reading talk::messages;
            GET "counters" Reading talk::counters;
        ])
    };
}

/// The rows under `im`.
pub const ROUTES: &[Route] = direct!("im");
/// The same rows under `dm`.
pub const ALIASES: &[Route] = direct!("dm");

/// The direct room with these people: the one there is, or a new one.
async fn create(call: Call, of: &'static Family) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let mut names = given.list("usernames");
    names.extend(given.word("username").map(str::to_owned));
    if names.is_empty() {
        return Err(Problem::coded(
            "error-invalid-params",
            "must have required property 'username' or 'usernames'",
        ));
    }
    let users = call.read(|reading, actor| {
        let users = names.iter().map(|name| reading.user_seen(actor, &Who::Name(name.clone())));
        users.map(|user| Ok(user?.id.clone())).collect::<Result<Vec<_>, _>>()
    })?;
    let found = call.node(move |node, caller| node.direct_room(caller, &users)).await?;
    call.read(|reading, actor| {
        let granted = reading.may_read(actor, &found)?;
        let mut counting = room::Counting::default();
        let shown = room::shown(reading, &found, Some(&granted.permit), &mut counting, Dates::Iso)?;
        let mut fields: Map<String, Value> = match serde_json::to_value(shown) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        fields.insert("rid".into(), found.id.as_str().into());
        Ok(done::one(of.one, fields))
    })
}
