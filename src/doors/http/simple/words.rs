//! What devices and scripts are told when something does not go: as ntfy says it, and what to do about it.

use crate::chat::refusal::Refusal;
use crate::doors::http::Problem;
use crate::doors::http::refusal;
use hyper::StatusCode;
use serde_json::Map;

/// A problem in ntfy's shape: `{"code":40001,"http":400,"error":"..."}`.
pub fn problem(status: StatusCode, error: impl Into<String>) -> Problem {
    let http = status.as_u16();
    let mut fields = Map::new();
    fields.insert("code".into(), (u64::from(http) * 100 + 1).into());
    fields.insert("http".into(), http.into());
    fields.insert("error".into(), error.into().into());
    Problem::Fields(status, fields)
}

/// 400 with what to send instead.
pub fn bad(error: impl Into<String>) -> Problem {
    problem(StatusCode::BAD_REQUEST, error)
}

/// 401 for a token that is none.
pub fn token_unknown() -> Problem {
    problem(StatusCode::UNAUTHORIZED, "token unknown: create one with 'linnet device add porch'")
}

/// 401 for nobody.
pub fn token_missing(room: &str) -> Problem {
    let room = short(room);
    problem(
        StatusCode::UNAUTHORIZED,
        format!(
            "a token is missing: create one with 'linnet device add porch --room {room}' and send it as \
             'Authorization: Bearer dv_...'"
        ),
    )
}

/// What a refusal means to somebody at this room.
pub fn refused(refusal: Refusal, room: &str) -> Problem {
    let room = short(room);
    match refusal {
        Refusal::TokenUnknown | Refusal::UserInactive => token_unknown(),
        Refusal::NotLoggedIn => token_missing(&room),
        Refusal::NoSuchRoom => problem(
            StatusCode::NOT_FOUND,
            format!(
                "no room '{room}' for this token: 'linnet room list' names the rooms, 'linnet device list' the \
                 rights of each token"
            ),
        ),
        Refusal::NotAllowed(_) => problem(
            StatusCode::FORBIDDEN,
            format!("this token has no such right in '{room}': 'linnet device list' shows what it may do"),
        ),
        refusal => {
            let words = refusal::words(&refusal);
            problem(words.status, words.reason)
        }
    }
}

/// A name as it came, fit to be shown back.
fn short(room: &str) -> String {
    crate::chat::name::clip(room, crate::base::limits::NAME_CHARS_MAX).to_string()
}
