//! Making, changing and removing users.

use super::done;
use super::given::Given;
use super::users::shown;
use crate::base::limits::{BIO_CHARS_MAX, BODY_BYTES_MAX};
use crate::chat::name::{Name, line};
use crate::chat::refusal::Refusal;
use crate::chat::user::{Role, Roles, User};
use crate::doors::http::route::route;
use crate::doors::http::wire::user::Profile;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::accounts::{NewUser, UserPatch};
use crate::node::passwords::Digested;
use crate::node::{Catalog, refuse};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/api/v1/users.create", LoggedIn, BODY_BYTES_MAX, Posting, create),
    route!(POST "/api/v1/users.update", LoggedIn, BODY_BYTES_MAX, Posting, update),
    route!(POST "/api/v1/users.updateOwnBasicInfo", LoggedIn, BODY_BYTES_MAX, Entering, update_own),
    route!(POST "/api/v1/users.delete", LoggedIn, BODY_BYTES_MAX, Posting, delete),
    route!(POST "/api/v1/users.setActiveStatus", LoggedIn, BODY_BYTES_MAX, Posting, set_active),
];

fn show(call: &Call, user: &User) -> Result<Reply, Problem> {
    call.read(|_, actor| Ok(done::one("user", shown(call, actor, user))))
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn missing(key: &str) -> Problem {
    Problem::invalid_params(&format!("must have required property '{key}'"))
}

/// The hash to keep for a password as a client sends it: plain, or a digest of its own making.
pub async fn hash(call: &Call, password: &str) -> Result<SmolStr, Problem> {
    Ok(call.site.node.passwords().hash(Digested::of_plain(password)?).await?)
}

fn roles(body: &Map<String, Value>) -> Result<Option<Roles>, Problem> {
    let Some(list) = body.get("roles").filter(|roles| !roles.is_null()) else { return Ok(None) };
    let words = list.as_array().ok_or_else(|| Problem::invalid_params("roles must be array"))?;
    let parse = |word: &Value| word.as_str().and_then(Role::parse);
    let roles: Option<Vec<Role>> = words.iter().map(parse).collect();
    // What a device may do is in its own record; a role alone makes none.
    let roles = roles.filter(|roles| !roles.is_empty() && !roles.contains(&Role::Device));
    let words = "The field roles must be a list of admin, moderator, user, bot and guest";
    roles.map(|roles| Some(Roles::of(&roles))).ok_or_else(|| Problem::coded("error-invalid-roles", words))
}

/// What of a body belongs to what clients keep with a user.
fn change_profile(body: &Map<String, Value>, profile: &mut Profile) -> Result<(), Problem> {
    for (key, part) in [("bio", &mut profile.bio), ("nickname", &mut profile.nickname)] {
        if let Some(text) = text(body, key) {
            if text.chars().count() > BIO_CHARS_MAX {
                let (code, words) = (
                    format!("error-{key}-size-exceeded"),
                    format!("size exceeds {BIO_CHARS_MAX} characters"),
                );
                let name = if key == "bio" { "Bio" } else { "Nickname" };
                return Err(Problem::coded(&code, &format!("{name} {words}")));
            }
            *part = text.to_owned();
        }
    }
    if let Some(text) = text(body, "statusText") {
        profile.status_text = line(text).to_string();
    }
    if let Some(fields) = body.get("customFields").and_then(Value::as_object) {
        profile.custom_fields.extend(fields.clone());
    }
    Ok(())
}

async fn create(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let body = given.body();
    let wanted =
        |key: &'static str| text(body, key).filter(|text| !text.is_empty()).ok_or_else(|| missing(key));
    let username = Name::parse(wanted("username")?)?;
    let mut new = NewUser::person(username, wanted("name")?, SmolStr::default());
    let password = wanted("password");
    new.email = Some(line(wanted("email")?));
    new.roles = roles(body)?.unwrap_or(new.roles);
    new.join_default_rooms = given.flag("joinDefaultChannels").unwrap_or(true);
    let mut profile = Profile::default();
    change_profile(body, &mut profile)?;
    if profile != Profile::default() {
        new.extra = Some(profile.to_opaque()?);
    }
    let active = given.flag("active").unwrap_or(true);
    // Whether the caller may is asked before a hash is spent on it; the node asks again.
    super::lists::administers(&call)?;
    new.password = match given.flag("setRandomPassword") {
        Some(true) => None,
        _ => Some(hash(&call, password?).await?),
    };
    let made = call
        .node(move |node, caller| {
            let made = node.add_user(caller, new)?;
            if active {
                return Ok(made);
            }
            node.change_user(caller, &made.id, UserPatch { active: Some(false), ..UserPatch::default() })
        })
        .await?;
    show(&call, &made)
}

/// What of a body a user's record takes, without the password.
fn patch(body: &Map<String, Value>) -> Result<UserPatch, Problem> {
    Ok(UserPatch {
        username: text(body, "username").map(Name::parse).transpose()?,
        name: text(body, "name").map(line),
        email: text(body, "email").map(line),
        roles: roles(body)?,
        active: body.get("active").and_then(Value::as_bool),
        password: None,
        extra: None,
    })
}

/// Changes the user: the record, and what clients keep with it.
async fn change(
    call: &Call,
    id: crate::base::id::UserId,
    body: Map<String, Value>,
    mut patch: UserPatch,
) -> Result<Reply, Problem> {
    let current = call.read(|reading, actor| {
        if id == actor.user.id {
            return Ok(actor.user.clone());
        }
        reading.user(&id).map_err(refuse)?.ok_or(Refusal::NoSuchUser)
    })?;
    let mut profile = Profile::of(&current);
    let before = profile.clone();
    change_profile(&body, &mut profile)?;
    if profile != before {
        patch.extra = Some(profile.to_opaque()?);
    }
    let changed = call.node(move |node, caller| node.change_user(caller, &id, patch)).await?;
    show(call, &changed)
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let data = given.value("data").and_then(Value::as_object).cloned().ok_or_else(|| missing("data"))?;
    let id = given.word("userId").ok_or_else(|| missing("userId"))?;
    super::lists::administers(&call).map_err(|problem| match problem {
        Problem::Refused(Refusal::NotAllowed(_)) => {
            Problem::coded("error-action-not-allowed", "Editing user is not allowed")
        }
        other => other,
    })?;
    let id = crate::base::id::UserId::parse(id).ok_or(Refusal::NoSuchUser)?;
    let mut patch = patch(&data)?;
    if let Some(password) = text(&data, "password").filter(|password| !password.is_empty()) {
        patch.password = Some(hash(&call, password).await?);
    }
    change(&call, id, data, patch).await
}

async fn update_own(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let mut data = given.value("data").and_then(Value::as_object).cloned().ok_or_else(|| missing("data"))?;
    data.remove("roles");
    data.remove("active");
    if let Some(fields) = given.value("customFields") {
        data.insert("customFields".into(), fields.clone());
    }
    let user = call.read(|_, actor| Ok(actor.user.clone()))?;
    let mut patch = patch(&data)?;
    if let Some(password) = text(&data, "newPassword").filter(|password| !password.is_empty()) {
        // Whoever found an open session does not own the account.
        let current = text(&data, "currentPassword").unwrap_or_default();
        let current = Digested::parse(current).or_else(|_| Digested::of_plain(current))?;
        if user.password.is_some() && !call.site.node.passwords().fits(current, user.password.clone()).await?
        {
            return Err(Problem::coded("totp-required", "The currentPassword is not the right one"));
        }
        patch.password = Some(hash(&call, password).await?);
    }
    change(&call, user.id.clone(), data, patch).await
}

async fn delete(call: Call) -> Result<Reply, Problem> {
    let who = Given::of(&call)?.user()?;
    super::lists::administers(&call)?;
    let id = call.read(|reading, actor| Ok(reading.user_seen(actor, &who)?.id.clone()))?;
    call.node(move |node, caller| node.remove_user(caller, &id)).await?;
    Ok(done::nothing())
}

async fn set_active(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let active = given.flag("activeStatus").ok_or_else(|| missing("activeStatus"))?;
    let who = given.user()?;
    let id = call.read(|reading, actor| Ok(reading.user_seen(actor, &who)?.id.clone()))?;
    let patch = UserPatch { active: Some(active), ..UserPatch::default() };
    let changed = call.node(move |node, caller| node.change_user(caller, &id, patch)).await?;
    Ok(done::one("user", json!({ "_id": changed.id.as_str(), "active": changed.active })))
}
