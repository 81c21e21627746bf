//! Saying something, and changing what was said.

use super::done;
use super::given::Given;
use crate::base::id::{MessageId, RoomId};
use crate::base::limits::{BODY_BYTES_MAX, POST_TARGETS_MAX};
use crate::chat::message::Message;
use crate::chat::name::Text;
use crate::chat::refusal::Refusal;
use crate::doors::http::route::route;
use crate::doors::http::wire::{Dates, date, draft, message};
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::listing::Who;
use hyper::StatusCode;
use serde_json::{Map, Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(POST "/api/v1/chat.postMessage", LoggedIn, BODY_BYTES_MAX, Posting, post_message),
    route!(POST "/api/v1/chat.sendMessage", LoggedIn, BODY_BYTES_MAX, Posting, send_message),
    route!(POST "/api/v1/chat.update", LoggedIn, BODY_BYTES_MAX, Posting, update),
    route!(POST "/api/v1/chat.delete", LoggedIn, BODY_BYTES_MAX, Posting, delete),
    route!(POST "/api/v1/chat.react", LoggedIn, BODY_BYTES_MAX, Posting, react),
    route!(GET "/api/v1/chat.getMessage", LoggedIn, BODY_BYTES_MAX, Reading, get_message),
    route!(GET "/api/v1/chat.syncMessages", LoggedIn, BODY_BYTES_MAX, Reading, sync_messages),
];

/// A place to post to as clients write it.
fn targets(given: &Given) -> Result<Vec<String>, Problem> {
    let value = given.value("roomId").or_else(|| given.value("channel"));
    let targets: Vec<&str> = match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) if many.len() <= POST_TARGETS_MAX => {
            many.iter().filter_map(Value::as_str).collect()
        }
        Some(Value::Array(_)) => {
            return Err(Problem::invalid_params(&format!("At most {POST_TARGETS_MAX} rooms in one call")));
        }
        _ => Vec::new(),
    };
    if targets.iter().all(|target| target.trim().is_empty()) {
        return Err(nowhere());
    }
    Ok(targets.into_iter().map(|target| target.trim().to_owned()).collect())
}

fn nowhere() -> Problem {
    Problem::coded("invalid-channel", "")
}

/// The room of `#name`, `name` or an id, or the direct room with `@name`.
async fn target(call: &Call, target: &str) -> Result<RoomId, Problem> {
    let nowhere_if_hidden = |problem| match problem {
        Problem::Refused(Refusal::NoSuchRoom | Refusal::NoSuchUser) => nowhere(),
        other => other,
    };
    if let Some(name) = target.strip_prefix('@') {
        let who = Who::Name(name.to_owned());
        let peer = call.read(|reading, actor| Ok(reading.user_seen(actor, &who)?.id.clone()));
        let peer = peer.map_err(nowhere_if_hidden)?;
        let room = call.node(move |node, caller| node.direct_room(caller, &[peer])).await?;
        return Ok(room.id.clone());
    }
    let name = target.strip_prefix('#').unwrap_or(target);
    let room = call.read(|reading, actor| Ok(reading.room_known(actor, name)?.id.clone()));
    room.map_err(nowhere_if_hidden)
}

async fn post_message(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let targets = targets(&given)?;
    let mut body = given.body().clone();
    // An id of the client's own is for chat.sendMessage: one draft may go to several rooms here.
    body.remove("_id");
    let draft = draft::parse(&body)?;
    let mut first = None;
    for name in targets {
        let room = target(&call, &name).await?;
        let draft = draft.clone();
        let posted = call.node(move |node, caller| node.post_message(caller, &room, draft)).await?;
        first.get_or_insert((name, posted));
    }
    let (channel, posted) = first.ok_or_else(nowhere)?;
    call.read(|reading, _| {
        let shown = message::shown(&posted, Dates::Iso, reading);
        Ok(done::many(&[("ts", &posted.at), ("channel", &channel), ("message", &shown)]))
    })
}

fn show(call: &Call, message: &Message) -> Result<Reply, Problem> {
    call.read(|reading, _| Ok(done::one("message", message::shown(message, Dates::Iso, reading))))
}

async fn send_message(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let wanted = "The 'message' object is missing";
    let body = given.value("message").and_then(Value::as_object);
    let body: &Map<String, Value> = body.ok_or_else(|| Problem::coded("error-invalid-params", wanted))?;
    let rid = body.get("rid").and_then(Value::as_str).filter(|rid| !rid.is_empty());
    let rid = rid.ok_or_else(|| Problem::error("The 'rid' property on the message object is missing."))?;
    if body.get("t").is_some_and(|t| !t.is_null()) {
        return Err(Problem::error("Cannot send system messages using chat.sendMessage"));
    }
    let room = RoomId::parse(rid).ok_or(Refusal::NoSuchRoom)?;
    let mut body = body.clone();
    // Here only `msg` is the text.
    body.remove("text");
    let draft = draft::parse(&body)?;
    let posted = call.node(move |node, caller| node.post_message(caller, &room, draft)).await?;
    show(&call, &posted)
}

/// The message named by `msgId`, which has to lie in `roomId`.
fn meant(call: &Call, given: &Given) -> Result<MessageId, Problem> {
    let (id, room) = (given.word_wanted("msgId")?, given.word_wanted("roomId")?);
    let unknown = || Problem::error(format!("No message found with the id of \"{id}\"."));
    let parsed = MessageId::parse(id).ok_or_else(unknown)?;
    let (found, _) = found(call, &parsed).map_err(|problem| match problem {
        Problem::Refused(Refusal::NoSuchMessage) => unknown(),
        other => other,
    })?;
    if found.room.as_str() != room {
        return Err(Problem::error("The room id provided does not match where the message is from."));
    }
    Ok(parsed)
}

fn found(call: &Call, id: &MessageId) -> Result<(Message, crate::node::reading::Granted), Problem> {
    call.read(|reading, actor| reading.message_for(actor, id))
}

async fn update(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let id = meant(&call, &given)?;
    let text = given.text("text").or_else(|| given.text("msg"));
    let text = Text::parse(text.ok_or_else(|| Problem::error("The bodyParam \"text\" is required"))?)?;
    let edited = call.node(move |node, caller| node.edit_message(caller, &id, text)).await?;
    show(&call, &edited)
}

async fn delete(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let id = meant(&call, &given)?;
    let gone = call.node(move |node, caller| node.delete_message(caller, &id)).await?;
    let author = &gone.author;
    Ok(Reply::success(json!({
        "_id": gone.id.as_str(),
        "ts": call.site.node.read(|reading| Ok(reading.now().wall_ms))?.to_string(),
        "message": { "_id": gone.id.as_str(), "rid": gone.room.as_str(),
            "u": { "_id": author.id.as_str(), "username": author.username.as_str(), "name": author.name.as_str() } },
    })))
}

async fn react(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let id = given.word("messageId").ok_or_else(|| {
        Problem::coded("error-messageid-param-not-provided", "The required \"messageId\" param is missing.")
    })?;
    let emoji = given.word("emoji").or_else(|| given.word("reaction")).ok_or_else(|| {
        Problem::coded("error-emoji-param-not-provided", "The required \"emoji\" param is missing.")
    })?;
    let emoji = emoji.trim_matches(':').to_owned();
    if emoji.is_empty() || !emoji.chars().all(|c| c.is_alphanumeric() || "_+-".contains(c)) {
        return Err(Problem::coded("error-not-allowed", "Invalid emoji provided."));
    }
    let unknown = || {
        Problem::coded(
            "error-message-not-found",
            "The provided \"messageId\" does not match any existing message.",
        )
    };
    let id = MessageId::parse(id).ok_or_else(unknown)?;
    found(&call, &id).map_err(|_| unknown())?;
    let on = given.flag("shouldReact");
    call.node(move |node, caller| node.react(caller, &id, &emoji, on)).await?;
    Ok(done::nothing())
}

async fn get_message(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let id = given
        .word("msgId")
        .ok_or_else(|| Problem::error("The \"msgId\" query parameter must be provided."))?;
    // Clients look at `success` alone here.
    let unknown = || {
        let fields = Map::from_iter([("success".to_owned(), Value::Bool(false))]);
        Problem::Fields(StatusCode::BAD_REQUEST, fields)
    };
    let id = MessageId::parse(id).ok_or_else(unknown)?;
    let (found, _) = found(&call, &id).map_err(|problem| match problem {
        Problem::Refused(Refusal::NoSuchMessage) => unknown(),
        other => other,
    })?;
    show(&call, &found)
}

async fn sync_messages(call: Call) -> Result<Reply, Problem> {
    let given = Given::of(&call)?;
    let room = given.word("roomId").ok_or_else(|| {
        Problem::coded("error-roomId-param-not-provided", "The required \"roomId\" query param is missing.")
    })?;
    let since = given.date("lastUpdate", "error-lastUpdate-param-invalid")?.ok_or_else(|| {
        Problem::coded(
            "error-lastUpdate-param-not-provided",
            "The required \"lastUpdate\" query param is missing.",
        )
    })?;
    call.read(|reading, actor| {
        let (_, granted) = reading.room_for(actor, room)?;
        let since = reading.changed_since(&granted.permit, since)?;
        let updated: Vec<_> =
            since.updated.iter().map(|message| message::shown(message, Dates::Iso, reading)).collect();
        let gone = |(id, at): &(MessageId, u64)| json!({ "_id": id.as_str(), "_deletedAt": date::iso(*at) });
        let deleted: Vec<Value> = since.removed.iter().map(gone).collect();
        Ok(done::one("result", done::object(&[("updated", &updated), ("deleted", &deleted)])))
    })
}
