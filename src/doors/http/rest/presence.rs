//! Who is there, and the words beside it.

use super::done;
use super::family::people::is_online;
use super::given::Given;
use crate::base::id::UserId;
use crate::base::limits::{BODY_BYTES_MAX, PAGE_ENTRIES_MAX};
use crate::chat::name::line;
use crate::chat::refusal::Refusal;
use crate::chat::user::User;
use crate::doors::http::route::route;
use crate::doors::http::wire::user::{self, Profile};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::accounts::UserPatch;
use crate::node::listing::{Slice, Who};
use crate::node::{Catalog, refuse};
use serde_json::{Value, json};
use std::sync::Arc;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/users.getPresence", LoggedIn, BODY_BYTES_MAX, Reading, get_presence),
    route!(GET "/api/v1/users.presence", LoggedIn, BODY_BYTES_MAX, Reading, presence),
    route!(GET "/api/v1/users.getStatus", LoggedIn, BODY_BYTES_MAX, Reading, get_status),
    route!(POST "/api/v1/users.setStatus", LoggedIn, BODY_BYTES_MAX, Posting, set_status),
];

const STATUSES: [&str; 4] = ["online", "away", "busy", "offline"];

/// Changes what clients keep with a user, in the caller's name.
pub async fn change_profile(
    call: &Call,
    id: UserId,
    change: impl FnOnce(&mut Profile) + Send + 'static,
) -> Result<Arc<User>, Problem> {
    call.node(move |node, caller| {
        // Read where it is written, so that two changes at once do not undo each other.
        let user = node.user(&id).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
        let mut profile = Profile::of(&user);
        change(&mut profile);
        let extra = Some(profile.to_opaque()?);
        node.change_user(caller, &id, UserPatch { extra, ..UserPatch::default() })
    })
    .await
}

/// The user named, or the caller.
fn meant(call: &Call, given: &Given) -> Result<Arc<User>, Problem> {
    let who = given.user_if();
    call.read(|reading, actor| match &who {
        Some(who) => reading.user_seen(actor, who),
        None => Ok(actor.user.clone()),
    })
}

async fn get_presence(call: Call) -> Result<Reply, Problem> {
    let found = meant(&call, &Given::of(&call)?)?;
    let connected = is_online(&call, &found);
    let connection = if connected { "online" } else { "offline" };
    let presence = Profile::of(&found).status(connected).to_owned();
    Ok(Reply::success(json!({ "presence": presence, "connectionStatus": connection })))
}

async fn presence(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let ids: Vec<Who> = given.list("ids").into_iter().map(Who::Id).collect();
    let page = Slice { offset: 0, max: PAGE_ENTRIES_MAX };
    let users = call.read(|reading, actor| {
        if ids.is_empty() {
            return Ok(reading.users_seen(actor, |seen| is_online(&call, seen), page)?.items);
        }
        let found = ids.iter().map(|who| reading.user_seen(actor, who));
        found.filter(|found| !matches!(found, Err(Refusal::NoSuchUser))).collect()
    })?;
    let shown: Vec<Value> = users.iter().map(|seen| user::brief(seen, is_online(&call, seen))).collect();
    Ok(done::many(&[("users", &shown), ("full", &ids.is_empty())]))
}

async fn get_status(call: Call) -> Result<Reply, Problem> {
    let found = meant(&call, &Given::of(&call)?)?;
    let (profile, connected) = (Profile::of(&found), is_online(&call, &found));
    Ok(Reply::success(json!({
        "_id": found.id.as_str(), "status": profile.status(connected), "message": profile.status_text,
        "connectionStatus": if connected { "online" } else { "offline" },
    })))
}

async fn set_status(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let status = given.word("status").map(str::to_owned);
    if status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        let words = "Valid status types include online, away, offline, and busy.";
        return Err(Problem::coded("error-invalid-status", words));
    }
    let message = given.text("message").map(|text| line(text).to_string());
    if status.is_none() && message.is_none() {
        return Err(Problem::invalid_params("must have required property 'status' or 'message'"));
    }
    let id = meant(&call, &given)?.id.clone();
    change_profile(&call, id, move |profile| {
        profile.status_default = status.or(profile.status_default.take());
        profile.status_text = message.unwrap_or(std::mem::take(&mut profile.status_text));
    })
    .await?;
    Ok(done::nothing())
}
