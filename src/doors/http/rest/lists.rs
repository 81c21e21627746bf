//! Lists that clients load at their start: roles and what they allow, commands, emoji.

use super::done;
use super::given::Given;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::policy;
use crate::chat::refusal::Right;
use crate::chat::user::Role;
use crate::doors::http::route::route;
use crate::doors::http::wire::date;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::listing::Listed;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/roles.list", LoggedIn, BODY_BYTES_MAX, Reading, roles),
    route!(GET "/api/v1/permissions.listAll", LoggedIn, BODY_BYTES_MAX, Reading, permissions),
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

const ADMIN: &[&str] = &["admin"];
const OWNER: &[&str] = &["admin", "owner"];
const KEEPERS: &[&str] = &["admin", "moderator", "owner"];
const RESIDENTS: &[&str] = &["admin", "moderator", "user", "bot"];
const PEOPLE: &[&str] = &["admin", "moderator", "user", "bot", "guest"];

/// What `policy` allows, in the words of Rocket.Chat's clients: they draw or hide their buttons by it.
pub const PERMISSIONS: [(&str, &[&str]); 41] = [
    ("add-user-to-any-c-room", RESIDENTS),
    ("add-user-to-any-p-room", &["admin", "moderator"]),
    ("add-user-to-joined-room", KEEPERS),
    ("archive-room", OWNER),
    ("create-c", RESIDENTS),
    ("create-d", RESIDENTS),
    ("create-invite-links", KEEPERS),
    ("create-p", RESIDENTS),
    ("create-personal-access-tokens", RESIDENTS),
    ("create-user", ADMIN),
    ("delete-c", OWNER),
    ("delete-message", KEEPERS),
    ("delete-own-message", PEOPLE),
    ("delete-p", OWNER),
    ("delete-user", ADMIN),
    ("edit-message", &[]),
    ("edit-other-user-active-status", ADMIN),
    ("edit-other-user-info", ADMIN),
    ("edit-other-user-password", ADMIN),
    ("edit-privileged-setting", ADMIN),
    ("edit-room", OWNER),
    ("force-delete-message", KEEPERS),
    ("leave-c", PEOPLE),
    ("leave-p", PEOPLE),
    ("mention-all", PEOPLE),
    ("mention-here", PEOPLE),
    ("message-impersonate", &["admin", "moderator", "bot", "device"]),
    ("post-readonly", KEEPERS),
    ("remove-user", KEEPERS),
    ("set-leader", OWNER),
    ("set-moderator", OWNER),
    ("set-owner", OWNER),
    ("set-readonly", OWNER),
    ("unarchive-room", OWNER),
    ("user-generate-access-token", ADMIN),
    ("view-c-room", PEOPLE),
    ("view-d-room", PEOPLE),
    ("view-full-other-user-info", ADMIN),
    ("view-joined-room", PEOPLE),
    ("view-outside-room", PEOPLE),
    ("view-room-administration", ADMIN),
];

async fn permissions(call: Call) -> Result<Reply, Problem> {
    let since = Given::of(&call)?.date("updatedSince", "error-updatedSince-param-invalid")?;
    // They come with the program and change with it alone: whoever has asked once has them.
    let known = if since.is_some_and(|since| since > 0) { &[][..] } else { &PERMISSIONS[..] };
    let shown =
        known.iter().map(|(id, roles)| json!({ "_id": id, "roles": roles, "_updatedAt": date::iso(0) }));
    Ok(done::many(&[("update", &shown.collect::<Vec<Value>>()), ("remove", &[(); 0])]))
}

async fn commands(call: Call) -> Result<Reply, Problem> {
    let slice = Given::of(&call)?.slice();
    Ok(done::page::<Value>("commands", slice, &Listed { items: Vec::new(), total: 0 }))
}

async fn emoji(call: Call) -> Result<Reply, Problem> {
    let _ = call.caller()?;
    Ok(done::one("emojis", json!({ "update": [], "remove": [] })))
}
