//! Finding people and rooms by what somebody types.

use super::done;
use super::family::make;
use super::family::people::is_online;
use super::given::Given;
use super::users::{SUGGESTIONS, is_named, shown};
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::room::Room;
use crate::chat::user::User;
use crate::doors::http::route::route;
use crate::doors::http::wire::{room, user};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::listing::Listed;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/spotlight", LoggedIn, BODY_BYTES_MAX, Reading, spotlight),
    route!(GET "/api/v1/directory", LoggedIn, BODY_BYTES_MAX, Reading, directory),
];

async fn spotlight(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let query = given.word("query");
    let query = query.ok_or_else(|| Problem::invalid_params("must have required property 'query'"))?;
    let (users_too, rooms_too) = (!query.starts_with('#'), !query.starts_with('@'));
    let typed = query.trim_start_matches(['#', '@']).to_lowercase();
    call.read(|reading, actor| {
        let mut users: Vec<Value> = Vec::new();
        if users_too {
            let found = reading.users_seen(actor, |seen| is_named(seen, &typed), SUGGESTIONS)?;
            users.extend(found.items.iter().map(|seen| user::brief(seen, is_online(&call, seen))));
        }
        let mut rooms: Vec<Value> = Vec::new();
        if rooms_too {
            let found = reading.public_rooms(actor, |room| is_like(room, &typed), SUGGESTIONS)?;
            rooms.extend(found.items.iter().map(|found| {
                json!({ "_id": found.id.as_str(), "name": found.label(), "t": room::letter(found.kind) })
            }));
        }
        Ok(done::many(&[("users", &users), ("rooms", &rooms)]))
    })
}

fn is_like(room: &Room, typed: &str) -> bool {
    room.label().to_lowercase().contains(typed) || room.topic.to_lowercase().contains(typed)
}

async fn directory(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    // Older clients put everything into one JSON text, newer ones into parameters of their own.
    let query: Value = match given.word("query") {
        Some(text) => {
            serde_json::from_str(text).map_err(|_| Problem::error("Please verify the parameters"))?
        }
        None => json!({ "type": given.word("type"), "text": given.word("text") }),
    };
    let typed = query["text"].as_str().unwrap_or_default().to_lowercase();
    let slice = given.slice();
    match query["type"].as_str().unwrap_or("channels") {
        "channels" => call.read(|reading, actor| {
            let listed = reading.public_rooms(actor, |room| is_like(room, &typed), slice)?;
            make::page(reading, actor, "result", slice, listed)
        }),
        "users" => call.read(|reading, actor| {
            let listed = reading.users_seen(actor, |seen: &User| is_named(seen, &typed), slice)?;
            let items = listed.items.iter().map(|seen| shown(&call, actor, seen)).collect();
            Ok(done::page("result", slice, &Listed { items, total: listed.total }))
        }),
        // linnet has no teams, so there are none to list.
        "teams" => Ok(done::page::<Value>("result", slice, &Listed { items: Vec::new(), total: 0 })),
        _ => Err(Problem::error("Please verify the parameters")),
    }
}
