//! Typing and presence: what clients tell each other through the node, and what they hear of it.

use super::message::MethodError;
use super::session::Session;
use super::subscriptions::want;
use crate::base::id::{RoomId, UserId};
use crate::chat::refusal::Refusal;
use crate::delivery::{Place, Signal, SignalKind};
use crate::doors::http::wire;
use crate::node::{Caller, Catalog, NodeHandle, refuse};
use serde_json::{Value, json};

const TYPING: &str = "user-typing";

/// How clients number a status.
fn number(status: &str) -> u8 {
    match status {
        "online" => 1,
        "away" => 2,
        "busy" => 3,
        _ => 0,
    }
}

impl Session {
    /// Tells the client of a signal, if it wants to hear of it.
    pub(super) fn tell_signal(&mut self, signal: &Signal) {
        match &signal.place {
            Place::Room(room) => {
                let wanted = self.subscriptions.of_room(room);
                if wanted & (want::ACTIVITY | want::TYPING) != 0 {
                    self.tell_activity(room, signal, wanted);
                }
            }
            Place::Presence => {
                if let SignalKind::Online(online) = signal.kind {
                    self.tell_presence(&signal.by, online);
                }
            }
        }
    }

    fn tell_activity(&mut self, room: &RoomId, signal: &Signal, wanted: u16) {
        let user = self.node.read(|reading| reading.user(&signal.by).map_err(refuse)).ok().flatten();
        let Some(user) = user else { return };
        let (activities, extra) = match &signal.kind {
            SignalKind::Typing(true) => (json!([TYPING]), json!({})),
            SignalKind::Typing(false) => (json!([]), json!({})),
            SignalKind::Other(bytes) => match serde_json::from_slice(bytes) {
                Ok(Activity(activities, extra)) => (activities, extra),
                Err(_) => return,
            },
            SignalKind::Online(_) => return,
        };
        let name = user.username.as_str();
        if wanted & want::TYPING != 0 {
            let types = activities.as_array().is_some_and(|all| all.iter().any(|one| one == TYPING));
            let args = json!([name, types]).to_string();
            self.put_event("stream-notify-room", &format!("{room}/typing"), args.as_bytes());
        }
        if wanted & want::ACTIVITY != 0 {
            let args = json!([name, activities, extra]).to_string();
            self.put_event("stream-notify-room", &format!("{room}/user-activity"), args.as_bytes());
        }
    }

    fn tell_presence(&mut self, who: &UserId, online: bool) {
        let user = self.node.read(|reading| reading.user(who).map_err(refuse)).ok().flatten();
        let Some(user) = user else { return };
        let profile = wire::user::Profile::of(&user);
        let (name, status) = (user.username.as_str(), number(profile.status(online)));
        let text = profile.status_text;
        if self.subscriptions.own(want::USER_STATUS) != 0 {
            let roles = wire::user::roles(user.roles);
            let args = json!([[who.as_str(), name, status, text, user.name.as_str(), roles]]).to_string();
            self.put_event("stream-notify-logged", "user-status", args.as_bytes());
        }
        if self.subscriptions.own(want::PRESENCE) != 0 && self.subscriptions.is_watched(who) {
            // The one stream whose documents are not all called "id".
            let fields = json!({ "uid": who.as_str(), "args": [[name, status, text]] });
            self.socket.put(&json!({
                "msg": "changed", "collection": "stream-user-presence", "id": who.as_str(), "fields": fields,
            }));
        }
    }
}

/// What somebody is doing besides typing, as one client told it for others: activities and more.
#[derive(serde::Serialize, serde::Deserialize)]
struct Activity(Value, Value);

/// Passes on what the caller says of themselves in a room: the method `stream-notify-room`.
pub fn relay(node: &NodeHandle, caller: &Caller, params: &[Value]) -> Result<Value, MethodError> {
    let event = params.first().and_then(Value::as_str).unwrap_or_default();
    let refused =
        || MethodError::new("not-allowed", "Only <room id>/user-activity and <room id>/typing are passed on");
    let (room, what) = event.split_once('/').ok_or_else(refused)?;
    let kind = match what {
        "typing" => Some(SignalKind::Typing(params.get(2).and_then(Value::as_bool).unwrap_or(false))),
        "user-activity" => activity(params),
        _ => return Err(refused()),
    };
    let kind =
        kind.ok_or_else(|| MethodError::new("error-invalid-params", "Activities: a short list of texts"))?;
    let permit = node.read(|reading| {
        let actor = reading.actor(caller)?;
        let id = RoomId::parse(room).ok_or(Refusal::NoSuchRoom)?;
        let room = reading.room(&id).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
        reading.may_post(&actor, &room)
    })?;
    node.hub.signal(&permit, kind);
    Ok(Value::Null)
}

fn activity(params: &[Value]) -> Option<SignalKind> {
    let activities = params.get(2).cloned().unwrap_or_else(|| json!([]));
    let extra = params.get(3).filter(|extra| extra.is_object()).cloned().unwrap_or_else(|| json!({}));
    let all = activities.as_array()?;
    if all.iter().any(|one| !one.is_string()) {
        return None;
    }
    let plain = extra.as_object().is_some_and(|extra| extra.is_empty());
    match all.as_slice() {
        [] if plain => Some(SignalKind::Typing(false)),
        [one] if plain && one == TYPING => Some(SignalKind::Typing(true)),
        _ => SignalKind::other(&serde_json::to_vec(&Activity(activities, extra)).ok()?),
    }
}
