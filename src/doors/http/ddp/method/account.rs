//! Logging in and out, and what users say of themselves.

use super::super::flight::Given;
use super::super::message::{MethodError, date};
use super::{MethodCall, wants};
use crate::chat::name::line;
use crate::doors::http::login;
use crate::doors::http::rest::session::Credentials;
use crate::doors::http::wire::user::{Profile, roles};
use crate::node::accounts::UserPatch;
use serde_json::{Value, json};

/// What never ends is told as ending far ahead: clients read the date without asking whether there is one.
const FAR_MS: u64 = 10 * 365 * 24 * 3_600 * 1_000;

/// Logs in with a password or a token.
pub async fn login(call: MethodCall) -> Given {
    let given = call.param(0).as_object().ok_or_else(|| wants("credentials", "an object"))?;
    let (session, how) = match Credentials::parse(given)? {
        Credentials::Resume(token) => (login::resume(&call.site, &token)?, "resume"),
        Credentials::Password(account, password) => {
            let from = call.peer.ip().to_canonical();
            (login::with_password(&call.site, from, &account, password).await?, "password")
        }
    };
    let now = call.site.node.read(|reading| Ok(reading.now().wall_ms))?;
    let expires = date(session.expires.unwrap_or(now + FAR_MS));
    let id = session.user.as_str();
    Ok(json!({ "id": id, "token": session.token, "tokenExpires": expires, "type": how }))
}

/// Ends the caller's session.
pub async fn logout(call: MethodCall) -> Given {
    call.node(|node, caller| node.log_out(caller)).await?;
    Ok(Value::Null)
}

/// Who has which role on the node.
pub fn user_roles(call: &MethodCall) -> Given {
    call.read(|_, actor| {
        let user = &actor.user;
        Ok(json!([{ "_id": user.id.as_str(), "username": user.username.as_str(), "roles": roles(user.roles) }]))
    })
}

/// Sets the words beside the caller's status, and the status itself where it is given.
pub async fn set_status(call: MethodCall) -> Given {
    let status = call.param(0).as_str().map(str::to_owned);
    let text = call.param(1).as_str().map(|text| line(text).to_string());
    change_profile(call, status, text).await
}

/// Sets the status shown while the caller is connected.
pub async fn set_default_status(call: MethodCall) -> Given {
    let status = call.text(0, "status")?.to_owned();
    change_profile(call, Some(status), None).await
}

async fn change_profile(call: MethodCall, status: Option<String>, text: Option<String>) -> Given {
    let known = ["online", "away", "busy", "offline"];
    if status.as_ref().is_some_and(|status| !known.contains(&status.as_str())) {
        return Err(MethodError::new("error-invalid-status", "Invalid status"));
    }
    let changed = call.node(move |node, caller| {
        let actor = node.actor(caller)?;
        let mut profile = Profile::of(&actor.user);
        profile.status_default = status.or(profile.status_default);
        profile.status_text = text.unwrap_or(profile.status_text);
        let patch = UserPatch { extra: Some(profile.to_opaque()?), ..UserPatch::default() };
        node.change_user(caller, &actor.user.id, patch)
    });
    changed.await?;
    Ok(Value::Null)
}
