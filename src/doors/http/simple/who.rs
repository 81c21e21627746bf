//! Who posts or listens: a token in any of the places where devices can put one.

use super::base64;
use super::words::{self, problem};
use crate::chat::refusal::Refusal;
use crate::doors::http::call::Shown;
use crate::doors::http::{Call, Problem};
use crate::node::Caller;
use hyper::StatusCode;
use hyper::header::AUTHORIZATION;

/// The caller by a header; `None` when none was shown, a problem when it is not good.
pub fn by_header(call: &Call) -> Result<Option<Caller>, Problem> {
    match (&call.caller, call.shown) {
        (Some(caller), _) => Ok(Some(caller.clone())),
        (None, Shown::Bad) => Err(words::token_unknown()),
        (None, _) => by_basic(call),
    }
}

/// The caller of a stream: by a header, or by a reading key in the address.
pub fn by_header_or_address(call: &Call) -> Result<Option<Caller>, Problem> {
    match call.query.get("auth") {
        Some(token) => by_address(call, token).map(Some),
        None => by_header(call),
    }
}

/// `Authorization: Basic` with the token as the password; a name, if there is one, must be its owner's.
fn by_basic(call: &Call) -> Result<Option<Caller>, Problem> {
    let Some(value) = call.headers.get(AUTHORIZATION) else { return Ok(None) };
    let pair = value.to_str().ok().and_then(|value| value.split_once(' '));
    let pair = pair.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let pair = pair.and_then(|(_, encoded)| base64::decode(encoded.trim()));
    let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(words::token_unknown)?;
    let (name, token) = pair.split_once(':').ok_or_else(words::token_unknown)?;
    let caller = Caller::with_token(token);
    let owner = call.site.node.read(|reading| Ok(reading.actor(&caller)?.user.username.clone()));
    match owner {
        Ok(owner) if name.is_empty() || name.eq_ignore_ascii_case(owner.as_str()) => Ok(Some(caller)),
        Ok(_) | Err(Refusal::TokenUnknown | Refusal::UserInactive) => Err(words::token_unknown()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn by_address(call: &Call, token: &str) -> Result<Caller, Problem> {
    let caller = Caller::with_token(token);
    let actor = call.site.node.read(|reading| reading.actor(&caller));
    let only_reads = match actor {
        Ok(actor) => actor.device.is_some_and(|device| device.only_reads()),
        Err(Refusal::TokenUnknown | Refusal::UserInactive) => return Err(words::token_unknown()),
        Err(refusal) => return Err(refusal.into()),
    };
    if only_reads {
        return Ok(caller);
    }
    Err(problem(
        StatusCode::FORBIDDEN,
        "addresses are seen by others: only the key of a device that can do nothing but read may stand in one; send \
         this one as 'Authorization: Bearer ...'",
    ))
}
