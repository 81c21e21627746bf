//! Looking up users.

use super::done;
use super::family::people::is_online;
use super::given::Given;
use super::rooms::selector;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::policy::{self, Actor};
use crate::chat::refusal::{Refusal, Right};
use crate::chat::user::User;
use crate::doors::http::route::route;
use crate::doors::http::wire::{Dates, user};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::listing::{Listed, Slice};
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/v1/users.info", LoggedIn, BODY_BYTES_MAX, Reading, info),
    route!(GET "/api/v1/users.list", LoggedIn, BODY_BYTES_MAX, Reading, list),
    route!(GET "/api/v1/users.autocomplete", LoggedIn, BODY_BYTES_MAX, Reading, autocomplete),
    route!(GET "/api/v1/users.getPreferences", LoggedIn, BODY_BYTES_MAX, Reading, get_preferences),
    route!(POST "/api/v1/users.setPreferences", LoggedIn, BODY_BYTES_MAX, Posting, set_preferences),
];

/// A user as this actor may see them.
pub fn shown(call: &Call, actor: &Actor, seen: &User) -> Value {
    let full = actor.user.id == seen.id || policy::may_administer(actor, Right::ManageUsers).is_ok();
    let sight = if full { user::Sight::Full } else { user::Sight::Public };
    user::shown(seen, is_online(call, seen), sight, Dates::Iso)
}

async fn info(call: Call) -> Result<Reply, Problem> {
    let who = Given::of(&call)?.user()?;
    let found = call.read(|reading, actor| {
        let seen = reading.user_seen(actor, &who)?;
        let mut shown = shown(&call, actor, &seen);
        shown["canViewAllInfo"] = policy::may_administer(actor, Right::ManageUsers).is_ok().into();
        Ok(done::one("user", shown))
    });
    found.map_err(|problem| match problem {
        Problem::Refused(Refusal::NoSuchUser) => Problem::error("User not found."),
        other => other,
    })
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let slice = Given::of(&call)?.slice();
    call.read(|reading, actor| {
        let listed = reading.users_seen(actor, |_| true, slice)?;
        let items = listed.items.iter().map(|seen| shown(&call, actor, seen)).collect();
        Ok(done::page("users", slice, &Listed { items, total: listed.total }))
    })
}

/// Whether a user's names hold what somebody typed, in lower case.
pub fn is_named(seen: &User, typed: &str) -> bool {
    seen.active && (seen.username.folded().contains(typed) || seen.name.to_lowercase().contains(typed))
}

/// Matches shown while somebody types.
pub const SUGGESTIONS: Slice = Slice { offset: 0, max: 10 };

async fn autocomplete(call: Call) -> Result<Reply, Problem> {
    let selector = selector(&Given::of(&call)?, "term")?;
    let typed = selector["term"].as_str().unwrap_or_default().to_lowercase();
    let exceptions: Vec<&str> =
        selector["exceptions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let wanted = |seen: &User| is_named(seen, &typed) && !exceptions.contains(&seen.username.as_str());
    let listed = call.read(|reading, actor| reading.users_seen(actor, wanted, SUGGESTIONS))?;
    let items = listed.items.iter().map(|seen| user::brief(seen, is_online(&call, seen)));
    Ok(done::one("items", items.collect::<Vec<_>>()))
}

async fn get_preferences(call: Call) -> Result<Reply, Problem> {
    let preferences = call.read(|_, actor| Ok(user::preferences(&actor.user)))?;
    Ok(done::one("preferences", preferences))
}

async fn set_preferences(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let data = given.value("data").and_then(Value::as_object).cloned();
    let data = data.ok_or_else(|| Problem::invalid_params("must have required property 'data'"))?;
    let who = given.user_if();
    let id = call.read(|reading, actor| {
        Ok(who.as_ref().map_or(Ok(actor.user.clone()), |who| reading.user_seen(actor, who))?.id.clone())
    })?;
    let changed = super::presence::change_profile(&call, id, move |profile| profile.preferences.extend(data));
    let changed = changed.await.map_err(|problem| match problem {
        Problem::Refused(Refusal::NotAllowed(_)) => {
            Problem::coded("error-action-not-allowed", "Editing user is not allowed")
        }
        other => other,
    })?;
    let settings = json!({ "preferences": user::preferences(&changed) });
    Ok(done::one("user", json!({ "_id": changed.id.as_str(), "settings": settings })))
}
