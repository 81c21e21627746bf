//! What a client hears of its own rooms: worked out from what happened, once a room and wake-up, and never stored.

use super::session::{Member, Session};
use super::subscriptions::want;
use crate::base::id::RoomId;
use crate::chat::change::{Change, What};
use crate::chat::message::{Message, MessageKind};
use crate::chat::refusal::Refusal;
use crate::chat::room::RoomKind;
use crate::delivery::Reach;
use crate::doors::http::wire::{self, Dates};
use crate::node::{Catalog, NodeHandle, Reading, refuse};
use serde_json::{Value, json};

/// What of one room must be told.
struct Touched {
    room: RoomId,
    /// Bits of [`want`].
    bits: u16,
    is_new: bool,
}

/// The rooms that something happened to since the client was last told.
#[derive(Default)]
pub(super) struct Derived {
    touched: Vec<Touched>,
}

impl Derived {
    fn touch(&mut self, room: &RoomId, bits: u16) -> &mut Touched {
        let at = self.touched.iter().position(|touched| touched.room == *room).unwrap_or_else(|| {
            self.touched.push(Touched { room: room.clone(), bits: 0, is_new: false });
            self.touched.len() - 1
        });
        self.touched[at].bits |= bits;
        &mut self.touched[at]
    }

    fn forget(&mut self, room: &RoomId) {
        self.touched.retain(|touched| touched.room != *room);
    }
}

impl Session {
    /// Notes what a Change means for the client's own rooms.
    pub(super) fn derive(&mut self, derived: &mut Derived, change: &Change, reach: Reach) {
        let wanted = self.subscriptions.own(want::MINE | want::USER_DATA);
        let Some(member) = &self.member else { return };
        if wanted & !want::MY_MESSAGES == 0 || !(reach.mine || reach.own) {
            return;
        }
        let both = wanted & (want::ROOMS | want::SUBSCRIPTIONS);
        match &change.what {
            What::Posted { message, .. } => {
                derived.touch(&message.room, both);
                if wanted & want::NOTIFICATIONS != 0 {
                    self.notify(message);
                }
            }
            What::Revised { message, .. } => {
                derived.touch(&message.room, wanted & want::ROOMS);
            }
            What::Deleted { room, .. } => {
                derived.touch(room, both);
            }
            What::RoomChanged { room, .. } => {
                derived.touch(&room.id, both);
            }
            What::Read { room, .. } => {
                derived.touch(room, wanted & want::SUBSCRIPTIONS);
            }
            What::MembershipChanged(membership) => {
                derived.touch(&membership.room, wanted & want::SUBSCRIPTIONS);
            }
            What::Joined(joined) if joined.user == member.user.id => {
                derived.touch(&joined.room, both).is_new = true;
            }
            What::Joined(joined) => {
                derived.touch(&joined.room, wanted & want::ROOMS);
            }
            What::Left { room, user, .. } if *user != member.user.id => {
                derived.touch(room, wanted & want::ROOMS);
            }
            What::Left { room, .. } | What::RoomRemoved { room, .. } => {
                derived.forget(room);
                self.tell_removed(room, both);
            }
            What::UserChanged(user) if user.id == member.user.id && wanted & want::USER_DATA != 0 => {
                let user = user.clone();
                self.tell_user(user);
            }
            _ => {}
        }
    }

    /// Tells how the rooms that something happened to are now.
    pub(super) fn tell_derived(&mut self, derived: Derived) {
        for Touched { room, bits, is_new } in derived.touched.iter().filter(|touched| touched.bits != 0) {
            let Some(member) = &self.member else { return };
            // The right is asked for anew: what the room is now may be younger than what was told.
            let Ok(Some((subscription, shown))) = self.node.read(|reading| state(reading, member, room))
            else {
                continue;
            };
            let how = if *is_new { "inserted" } else { "updated" };
            let me = member.user.id.clone();
            if bits & want::SUBSCRIPTIONS != 0 {
                self.put_own(&me, "subscriptions-changed", &json!([how, subscription]));
            }
            if bits & want::ROOMS != 0 {
                self.put_own(&me, "rooms-changed", &json!([how, shown]));
            }
        }
    }

    fn tell_removed(&mut self, room: &RoomId, bits: u16) {
        let Some(member) = &self.member else { return };
        let me = member.user.id.clone();
        let user = json!({ "_id": me.as_str(), "username": member.user.username.as_str() });
        if bits & want::SUBSCRIPTIONS != 0 {
            let gone = json!({ "_id": wire::subscription::id(room, &me), "u": user, "rid": room.as_str() });
            self.put_own(&me, "subscriptions-changed", &json!(["removed", gone]));
        }
        if bits & want::ROOMS != 0 {
            self.put_own(&me, "rooms-changed", &json!(["removed", { "_id": room.as_str() }]));
        }
    }

    fn tell_user(&mut self, user: crate::chat::user::User) {
        let me = user.id.clone();
        let profile = wire::user::Profile::of(&user);
        let diff = json!({
            "username": user.username.as_str(),
            "name": user.name.as_str(),
            "roles": wire::user::roles(user.roles),
            "statusText": profile.status_text,
            "settings": { "preferences": wire::user::preferences(&user) },
        });
        self.put_own(
            &me,
            "userData",
            &json!([{ "type": "updated", "id": me.as_str(), "diff": diff, "unset": {} }]),
        );
        if let Some(member) = &mut self.member {
            member.user = user.into();
        }
    }

    /// Tells of a message that is meant for the client's user: said in a direct room, or with their name in it.
    fn notify(&mut self, message: &Message) {
        let Some(member) = &self.member else { return };
        if message.kind != MessageKind::Said || message.author.id == member.user.id {
            return;
        }
        if let Some(notification) = notification(&self.node, member, message) {
            let me = member.user.id.clone();
            self.put_own(&me, "notification", &json!([notification]));
        }
    }

    fn put_own(&mut self, me: &crate::base::id::UserId, event: &str, args: &Value) {
        self.put_event("stream-notify-user", &format!("{me}/{event}"), args.to_string().as_bytes());
    }
}

/// The subscription and the room as the member sees them now; nothing if they are not in it any more.
fn state(reading: &Reading, member: &Member, room: &RoomId) -> Result<Option<(Value, Value)>, Refusal> {
    let actor = reading.actor(&member.caller)?;
    let Some(place) = reading.place_of(room, &actor.user.id)? else { return Ok(None) };
    let granted = reading.may_read(&actor, &place.room)?;
    let mut counting = wire::room::Counting::default();
    let shown = wire::room::shown(reading, &place.room, Some(&granted.permit), &mut counting, Dates::Ejson)?;
    let subscription = wire::subscription::shown(&place, &actor.user, reading, Dates::Ejson)?;
    Ok(Some((json!(subscription), json!(shown))))
}

fn notification(node: &NodeHandle, member: &Member, message: &Message) -> Option<Value> {
    let room = node.read(|reading| reading.room(&message.room).map_err(refuse)).ok().flatten()?;
    let direct = room.kind == RoomKind::Direct;
    if !direct && !mentions(message.text.as_str(), member.user.username.as_str()) {
        return None;
    }
    let author = &message.author;
    let title = if direct { author.name.to_string() } else { format!("#{}", room.label()) };
    Some(json!({
        "title": title,
        "text": message.text.as_str(),
        "payload": {
            "_id": message.id.as_str(),
            "rid": room.id.as_str(),
            "tmid": message.thread.as_ref().map(|thread| thread.as_str()),
            "sender": { "_id": author.id.as_str(), "username": author.username.as_str(), "name": author.name.as_str() },
            "type": wire::room::letter(room.kind),
            "name": room.name.as_ref().map(|name| name.as_str()),
            "message": { "msg": message.text.as_str() },
        },
    }))
}

/// Whether a text speaks to this user: by name, or to all.
fn mentions(text: &str, username: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.match_indices('@').any(|(at, _)| {
        let rest = &text[at + 1..];
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches('.');
        let glued = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        !glued && (word.eq_ignore_ascii_case(username) || word == "all" || word == "here")
    })
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_name_speaks_to_its_bearer_only() {
        assert!(mentions("ask @Bob.", "bob") && mentions("@all tea", "bob") && mentions("(@here)", "bob"));
        assert!(!mentions("ask @bobby", "bob") && !mentions("mail a@bob", "bob") && !mentions("bob", "bob"));
    }
}
