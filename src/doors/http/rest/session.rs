//! Coming, going, and who one is: login, logout, me.

use crate::base::limits::BODY_BYTES_MAX;
use crate::chat::refusal::Refusal;
use crate::doors::http::login::{self, Session};
use crate::doors::http::refusal::{self, Envelope};
use crate::doors::http::route::route;
use crate::doors::http::wire::{Dates, user};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::passwords::Digested;
use crate::node::{Catalog, refuse};
use serde_json::{Map, Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/api/v1/login", Open, BODY_BYTES_MAX, Entering, log_in),
    route!(POST "/api/v1/logout", LoggedIn, BODY_BYTES_MAX, Posting, log_out),
    route!(GET "/api/v1/me", LoggedIn, BODY_BYTES_MAX, Reading, me),
];

/// What somebody wants to come in with.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A username or an e-mail address, and a password.
    Password(String, Digested),
    /// A token of an earlier login, or a personal one.
    Resume(String),
}

impl Credentials {
    /// Reads any of the forms Rocket.Chat's clients send, in REST and in realtime.
    pub fn parse(body: &Map<String, Value>) -> Result<Self, Problem> {
        let body = match body.get("totp").and_then(|totp| totp.get("login")) {
            Some(Value::Object(login)) => login,
            _ => body,
        };
        if let Some(Value::String(token)) = body.get("resume") {
            return Ok(Credentials::Resume(token.clone()));
        }
        if ["ldap", "crowd", "cas", "saml", "serviceName"].iter().any(|way| body.contains_key(*way)) {
            let text = "This node knows only its own passwords and tokens: send user and password";
            return Err(Problem::coded("error-login-service-unknown", text));
        }
        let named = |value: &Value| value.as_str().map(str::to_owned);
        let inside =
            |value: &Value| ["username", "email"].iter().find_map(|key| value.get(*key).and_then(named));
        let account = ["user", "username", "email"]
            .iter()
            .find_map(|key| body.get(*key).and_then(|value| named(value).or_else(|| inside(value))));
        let password = ["password", "pass"].iter().find_map(|key| body.get(*key));
        let (Some(account), Some(password)) = (account, password) else {
            return Err(Problem::invalid_params("Send user and password, or resume with a token"));
        };
        let digest = ["digest", "hashed"].iter().find_map(|key| password.get(*key).and_then(Value::as_str));
        let password = match (password, digest) {
            (Value::String(plain), _) => Digested::of_plain(plain),
            (_, Some(hex)) => Digested::parse(hex),
            _ => {
                return Err(Problem::invalid_params(
                    "password must be a text or {digest, algorithm: \"sha-256\"}",
                ));
            }
        };
        // An impossible password is a wrong one: the words for a new password would mislead here.
        Ok(Credentials::Password(account, password.map_err(|_| Refusal::LoginWrong).map_err(turned_away)?))
    }
}

/// A refusal in the envelope of logging in.
pub fn turned_away(refused: Refusal) -> Problem {
    let refused = if refused == Refusal::TokenUnknown { Refusal::LoginWrong } else { refused };
    let words = refusal::words(&refused);
    let envelope =
        if words.status == hyper::StatusCode::UNAUTHORIZED { Envelope::Login } else { Envelope::Rest };
    Problem::Fields(words.status, words.fields(envelope))
}

async fn log_in(call: Call) -> Result<Reply, Problem> {
    let session = match Credentials::parse(&call.object()?)? {
        Credentials::Password(account, password) => {
            login::with_password(&call.site, call.peer_ip(), &account, password).await
        }
        Credentials::Resume(token) => login::resume(&call.site, &token),
    };
    let session = session.map_err(turned_away)?;
    let me = own(&call, &session)?;
    let data = json!({"userId": session.user.as_str(), "authToken": session.token, "me": me});
    Ok(Reply::json(hyper::StatusCode::OK, &json!({"status": "success", "data": data})))
}

fn own(call: &Call, session: &Session) -> Result<Value, Problem> {
    let found = call.site.node.read(|reading| reading.user(&session.user).map_err(refuse))?;
    let found = found.ok_or(Refusal::LoginWrong).map_err(turned_away)?;
    Ok(user::me(&found, true, &call.base(), Dates::Iso))
}

async fn log_out(call: Call) -> Result<Reply, Problem> {
    call.node(|node, caller| node.log_out(caller)).await?;
    let data = json!({"status": "success", "data": {"message": "You've been logged out!"}});
    Ok(Reply::json(hyper::StatusCode::OK, &data))
}

async fn me(call: Call) -> Result<Reply, Problem> {
    let found = call.read(|_, actor| Ok(actor.user.clone()))?;
    Ok(Reply::success(user::me(&found, true, &call.base(), Dates::Iso)))
}
