//! Subscriptions: which there are, what each asks for, and who may have it is asked of the node.

use super::message::{MethodError, added, nosub, ready};
use super::session::{Member, Session};
use super::subscriptions::{Wanted, want};
use crate::base::id::{RoomId, UserId};
use crate::base::limits::STALE_RETRIES_MAX;
use crate::chat::policy::MayRead;
use crate::chat::refusal::Refusal;
use crate::delivery::Refused;
use crate::node::{Catalog, NodeHandle, Reading, refuse};
use serde_json::{Value, json};

/// Publications that are on at once and of which nothing comes.
const QUIET: [&str; 4] =
    ["meteor.loginServiceConfiguration", "meteor_autoupdate_clientVersions", "userData", "activeUsers"];

/// How a subscription began.
enum Begun {
    Stays,
    EndsAtOnce,
}

impl Session {
    /// A client wants to hear of something.
    pub(super) fn subscribe(&mut self, id: &str, name: &str, params: &[Value]) {
        if self.subscriptions.has(id) {
            return;
        }
        match self.begin(id, name, params) {
            Ok(Begun::Stays) => self.socket.put(&ready(id)),
            Ok(Begun::EndsAtOnce) => {
                self.socket.put(&ready(id));
                self.socket.put(&nosub(id, None));
            }
            Err(error) => self.socket.put(&nosub(id, Some(&error))),
        }
    }

    fn begin(&mut self, id: &str, name: &str, params: &[Value]) -> Result<Begun, MethodError> {
        if self.subscriptions.is_full() {
            return Err(MethodError::new("too-many-subscriptions", "Too many subscriptions: end some first"));
        }
        if QUIET.contains(&name) {
            self.subscriptions.add(id, Wanted { room: None, bits: want::SILENT });
            return Ok(Begun::Stays);
        }
        let event = params.first().and_then(Value::as_str).unwrap_or_default();
        let me = self.member.as_ref().map(|member| &member.user.id);
        let wanted = wanted(name, event, me)?;
        if wanted.bits == want::PRESENCE {
            return self.watch(id, wanted, params.get(1));
        }
        self.follow(&wanted)?;
        if uses_collection(params.get(1)) {
            self.socket.put(&added(name, "id", json!({ "eventName": event })));
        }
        self.subscriptions.add(id, wanted);
        Ok(Begun::Stays)
    }

    /// Has the listener follow what is wanted, unless it does already: following anew would skip what waits.
    fn follow(&mut self, wanted: &Wanted) -> Result<(), MethodError> {
        let Some(member) = &self.member else { return Ok(()) };
        match &wanted.room {
            Some(room) if self.subscriptions.of_room(room) == 0 => follow_room(&self.node, member, room),
            Some(room) => self.node.read(|reading| granted(reading, member, room)).map(|_| ()),
            None if wanted.bits & want::MINE != 0 && self.subscriptions.own(want::MINE) == 0 => {
                follow_mine(&self.node, member)
            }
            None if wanted.bits & want::COMING != 0 => {
                let seen = self.node.read(|reading| reading.may_see_users(&reading.actor(&member.caller)?));
                seen.map(|()| member.listener.follow_presence(true))
            }
            None => Ok(()),
        }
        .map_err(|_| not_allowed())
    }

    /// One subscription gathers whom to watch; later ones only change whom, and end at once.
    fn watch(&mut self, id: &str, wanted: Wanted, whom: Option<&Value>) -> Result<Begun, MethodError> {
        let users = |key: &str| -> Vec<UserId> {
            let list = whom.and_then(|whom| whom.get(key)).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(|id| UserId::parse(id.as_str()?)).collect()
        };
        self.subscriptions.watch(users("added"), &users("removed"));
        if self.subscriptions.own(want::PRESENCE) != 0 {
            return Ok(Begun::EndsAtOnce);
        }
        self.follow(&wanted)?;
        self.subscriptions.add(id, wanted);
        Ok(Begun::Stays)
    }

    /// A client wants to hear of something no more.
    pub(super) fn unsubscribe(&mut self, id: &str) {
        if let Some(wanted) = self.subscriptions.remove(id)
            && let Some(member) = &self.member
        {
            match &wanted.room {
                Some(room) if self.subscriptions.of_room(room) == 0 => member.listener.unfollow_room(room),
                Some(_) => {}
                None if wanted.bits & want::MINE != 0 && self.subscriptions.own(want::MINE) == 0 => {
                    member.listener.unfollow_mine();
                }
                None if wanted.bits & want::COMING != 0 && self.subscriptions.own(want::COMING) == 0 => {
                    member.listener.follow_presence(false);
                }
                None => {}
            }
        }
        self.socket.put(&nosub(id, None));
    }

    /// The right to read a room has ended, or must be asked for again; `after` is the place of its end.
    pub(super) fn room_revoked(&mut self, room: &RoomId, after: crate::base::id::Seq) {
        let Some(member) = &self.member else { return };
        let again = self.node.read(|reading| granted(reading, member, room));
        if let Ok((permit, _)) = again
            && member.listener.follow_room(permit, after).is_ok()
        {
            return;
        }
        for id in self.subscriptions.remove_room(room) {
            self.socket.put(&nosub(&id, Some(&not_allowed())));
        }
    }
}

fn follow_room(node: &NodeHandle, member: &Member, room: &RoomId) -> Result<(), Refusal> {
    for _ in 0..STALE_RETRIES_MAX {
        let (permit, as_of) = node.read(|reading| granted(reading, member, room))?;
        match member.listener.follow_room(permit, as_of) {
            Err(Refused::Stale) => {}
            Err(_) => return Err(Refusal::NoSuchRoom),
            Ok(()) => return Ok(()),
        }
    }
    Err(Refusal::Busy)
}

type Granted = (MayRead, crate::base::id::Seq);

fn granted(reading: &Reading, member: &Member, room: &RoomId) -> Result<Granted, Refusal> {
    let actor = reading.actor(&member.caller)?;
    let room = reading.room(room).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
    let granted = reading.may_read(&actor, &room)?;
    Ok((granted.permit, granted.as_of))
}

/// Has the listener follow all rooms of its user.
fn follow_mine(node: &NodeHandle, member: &Member) -> Result<(), Refusal> {
    for _ in 0..STALE_RETRIES_MAX {
        let (permits, as_of) = node.read(|reading| {
            let as_of = reading.newest();
            let actor = reading.actor(&member.caller)?;
            let mut permits = Vec::new();
            for membership in reading.memberships(&actor.user.id).map_err(refuse)? {
                let Some(room) = reading.room(&membership.room).map_err(refuse)? else { continue };
                // A device is a member where it posts, and reads only where a binding says so.
                if let Ok(granted) = reading.may_read(&actor, &room) {
                    permits.push(granted.permit);
                }
            }
            Ok((permits, as_of))
        })?;
        match member.listener.follow_mine(permits, as_of) {
            Err(Refused::Stale) => {}
            Err(_) => return Err(Refusal::NoSuchRoom),
            Ok(()) => return Ok(()),
        }
    }
    Err(Refusal::Busy)
}

fn not_allowed() -> MethodError {
    MethodError::new("not-allowed", "You may not hear of this: join the room, or log in as its member")
}

fn uses_collection(options: Option<&Value>) -> bool {
    match options {
        Some(Value::Bool(uses)) => *uses,
        Some(options) => options.get("useCollection").and_then(Value::as_bool).unwrap_or(false),
        None => false,
    }
}

/// What a subscription asks for.
fn wanted(name: &str, event: &str, me: Option<&UserId>) -> Result<Wanted, MethodError> {
    let unknown =
        || MethodError::numbered(404, format!("Subscription '{}' not found", crate::chat::name::line(name)));
    let stream = name.strip_prefix("stream-").ok_or_else(unknown)?;
    let of_all = |bits| Ok(Wanted { room: None, bits });
    let is_known = KNOWN.contains(&stream);
    if !is_known {
        return Err(unknown());
    }
    if event.is_empty() && stream != "user-presence" {
        return Err(MethodError::new("invalid-event-name", "Event names are not empty"));
    }
    if stream == "notify-all" {
        return of_all(want::SILENT);
    }
    let me = me.ok_or_else(|| MethodError::new("not-allowed", "Log in first"))?;
    let (place, what) = event.split_once('/').unwrap_or((event, ""));
    let of_room = |bits| {
        let room = RoomId::parse(place).ok_or_else(not_allowed)?;
        Ok(Wanted { room: Some(room), bits })
    };
    match stream {
        "room-messages" if event == "__my_messages__" => of_all(want::MY_MESSAGES),
        "room-messages" => of_room(want::MESSAGES),
        "notify-room" if what.is_empty() => {
            Err(MethodError::new("invalid-event-name", "Events of a room are <room id>/<event>"))
        }
        "notify-room" => of_room(match what {
            "user-activity" => want::ACTIVITY,
            "typing" => want::TYPING,
            "deleteMessage" => want::DELETIONS,
            _ => want::SILENT,
        }),
        "notify-user" if place != me.as_str() => Err(not_allowed()),
        "notify-user" => of_all(match what {
            "subscriptions-changed" => want::SUBSCRIPTIONS,
            "rooms-changed" => want::ROOMS,
            "notification" => want::NOTIFICATIONS,
            "userData" => want::USER_DATA,
            _ => want::SILENT,
        }),
        "notify-logged" if event == "user-status" => of_all(want::USER_STATUS),
        "user-presence" => of_all(want::PRESENCE),
        _ => of_all(want::SILENT),
    }
}

/// Streams there are.
const KNOWN: [&str; 8] = [
    "room-messages",
    "notify-room",
    "notify-user",
    "notify-all",
    "notify-logged",
    "notify-room-users",
    "user-presence",
    "roles",
];

#[cfg(test)]
mod tests {
    use super::*;

    const ME: UserId = UserId::fixed("me");

    fn check(name: &str, event: &str) -> Result<(Option<&'static str>, u16), Value> {
        let room = |wanted: &Wanted| wanted.room.as_ref().map(|_| "a room");
        wanted(name, event, Some(&ME)).map(|wanted| (room(&wanted), wanted.bits)).map_err(|error| error.error)
    }

    #[test]
    fn streams_and_events_are_told_apart() {
        assert_eq!(check("stream-room-messages", "GENERAL"), Ok((Some("a room"), want::MESSAGES)));
        assert_eq!(check("stream-room-messages", "__my_messages__"), Ok((None, want::MY_MESSAGES)));
        assert_eq!(
            check("stream-notify-room", "GENERAL/deleteMessage"),
            Ok((Some("a room"), want::DELETIONS))
        );
        assert_eq!(check("stream-notify-user", "me/rooms-changed"), Ok((None, want::ROOMS)));
        assert_eq!(check("stream-user-presence", ""), Ok((None, want::PRESENCE)));
        assert_eq!(check("stream-roles", "roles"), Ok((None, want::SILENT)));
    }

    #[test]
    fn what_cannot_be_heard_is_refused() {
        assert_eq!(check("stream-notify-user", "you/rooms-changed"), Err("not-allowed".into()));
        assert_eq!(check("stream-room-messages", ""), Err("invalid-event-name".into()));
        assert_eq!(check("stream-notify-room", "GENERAL"), Err("invalid-event-name".into()));
        assert_eq!(check("stream-stdout", "stdout"), Err(404.into()));
        assert_eq!(check("users", "x"), Err(404.into()));
        assert_eq!(
            wanted("stream-roles", "roles", None).map_err(|error| error.error),
            Err("not-allowed".into())
        );
        assert!(wanted("stream-notify-all", "public-settings-changed", None).is_ok());
    }
}
