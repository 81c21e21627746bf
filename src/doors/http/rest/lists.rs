//! Lists that clients load at their start: roles, commands, emoji.

use super::done;
use super::given::Given;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::policy;
use crate::chat::refusal::Right;
use crate::chat::user::Role;
use crate::doors::http::route::route;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::listing::Listed;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/roles.list", LoggedIn, BODY_BYTES_MAX, Reading, roles),
    route!(GET "/api/v1/commands.list", LoggedIn, BODY_BYTES_MAX, Reading, commands),
    route!(GET "/api/v1/emoji-custom.list", LoggedIn, BODY_BYTES_MAX, Reading, emoji),
];

/// Whether the caller runs the node; the node itself asks again when something is done.
pub fn administers(call: &Call) -> Result<(), Problem> {
    call.read(|_, actor| policy::may_administer(actor, Right::ManageUsers).map(|_| ()))
}

async fn roles(call: Call) -> Result<Reply, Problem> {
    let _ = call.caller()?;
    let shown = Role::ALL.into_iter().map(|role| {
        let in_room = matches!(role, Role::Owner | Role::Moderator | Role::Leader);
        json!({ "_id": role.word(), "name": role.word(), "description": "", "protected": true, "mandatory2fa": false,
            "scope": if in_room { "Subscriptions" } else { "Users" } })
    });
    Ok(done::one("roles", shown.collect::<Vec<_>>()))
}

async fn commands(call: Call) -> Result<Reply, Problem> {
    let slice = Given::of(&call)?.slice();
    Ok(done::page::<Value>("commands", slice, &Listed { items: Vec::new(), total: 0 }))
}

async fn emoji(call: Call) -> Result<Reply, Problem> {
    let _ = call.caller()?;
    Ok(done::one("emojis", json!({ "update": [], "remove": [] })))
}
