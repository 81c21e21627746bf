//! Becoming a user with an invitation.

use super::done;
use super::given::Given;
use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::name::{Name, line};
use crate::chat::refusal::Refusal;
use crate::doors::http::route::route;
use crate::doors::http::wire::{Dates, user};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::accounts::NewUser;
use smol_str::SmolStr;

/// The rows of this family.
pub const ROUTES: &[Route] =
    &[route!(POST "/api/v1/users.register", Open, BODY_BYTES_MAX, Entering, register)];

async fn register(call: Call) -> Result<Reply, Problem> {
    if call.caller.is_some() {
        return Err(Problem::error("Logged in users can not register again."));
    }
    let given = Given::of(&call)?;
    let wanted = |key: &'static str| {
        let missing = || Problem::invalid_params(&format!("must have required property '{key}'"));
        given.word(key).ok_or_else(missing)
    };
    let username = Name::parse(wanted("username")?).map_err(|_| {
        Problem::error("The username provided is not valid: use 1 to 64 of 0-9 a-z A-Z - _ .")
    })?;
    let (name, password) = (given.word("name").unwrap_or_default(), wanted("pass")?);
    let uninvited = || {
        Problem::coded("error-user-registration-secret", "Ask for an invitation: its code is the secretURL")
    };
    let code = given.word("secretURL").ok_or_else(uninvited)?.to_owned();
    // A guessed code does not cost a hash.
    call.site.node.read(|reading| reading.room_of_code(&code)).map_err(|refusal| match refusal {
        Refusal::CodeUnknown => uninvited(),
        other => other.into(),
    })?;
    let mut new = NewUser::person(username, name, SmolStr::default());
    new.password = Some(super::accounts::hash(&call, password).await?);
    new.email = given.word("email").map(line);
    let made = call.node_for_nobody(move |node| node.join_by_code(&code, new)).await;
    let made = made.map_err(|problem| match problem {
        Problem::Refused(Refusal::UsernameTaken(_)) => Problem::error("Username is already in use"),
        other => other,
    })?;
    Ok(done::one("user", user::shown(&made, false, user::Sight::Full, Dates::Iso)))
}
