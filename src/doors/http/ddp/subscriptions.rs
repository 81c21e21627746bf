//! What one session has subscribed to: a few bits a room, and a few for the rest.

use crate::base::id::{RoomId, UserId};
use crate::base::limits::{DDP_SUBSCRIPTIONS_MAX, DDP_WATCHED_USERS_MAX};
use smol_str::SmolStr;

/// Kinds of things to hear of, as bits.
pub mod want {
    /// Messages of one room.
    pub const MESSAGES: u16 = 1;
    /// Who is typing in one room.
    pub const ACTIVITY: u16 = 1 << 1;
    /// The same, as older clients know it.
    pub const TYPING: u16 = 1 << 2;
    /// Messages that are gone from one room.
    pub const DELETIONS: u16 = 1 << 3;
    /// Messages of all rooms of the user.
    pub const MY_MESSAGES: u16 = 1 << 4;
    /// How the user stands in their rooms.
    pub const SUBSCRIPTIONS: u16 = 1 << 5;
    /// How the user's rooms are.
    pub const ROOMS: u16 = 1 << 6;
    /// Messages to the user themselves.
    pub const NOTIFICATIONS: u16 = 1 << 7;
    /// What changes about the user.
    pub const USER_DATA: u16 = 1 << 8;
    /// Who comes and goes.
    pub const USER_STATUS: u16 = 1 << 9;
    /// Who comes and goes of those watched.
    pub const PRESENCE: u16 = 1 << 10;
    /// Accepted; nothing of it happens on this node.
    pub const SILENT: u16 = 1 << 11;

    /// Those that concern all rooms of the user.
    pub const MINE: u16 = MY_MESSAGES | SUBSCRIPTIONS | ROOMS | NOTIFICATIONS;
    /// Those that concern who comes and goes.
    pub const COMING: u16 = USER_STATUS | PRESENCE;
}

/// What a subscription asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The one room it is about.
    pub room: Option<RoomId>,
    /// A bit of [`want`].
    pub bits: u16,
}

struct Sub {
    id: SmolStr,
    wanted: Wanted,
}

/// What a session has subscribed to.
#[derive(Default)]
pub struct Subscriptions {
    subs: Vec<Sub>,
    /// Sorted; what is wanted of each room.
    rooms: Vec<(RoomId, u16)>,
    /// What is wanted besides.
    own: u16,
    watched: Vec<UserId>,
}

impl Subscriptions {
    /// Whether one more would be too many.
    pub fn is_full(&self) -> bool {
        self.subs.len() >= DDP_SUBSCRIPTIONS_MAX
    }

    /// Whether there is one of this id.
    pub fn has(&self, id: &str) -> bool {
        self.subs.iter().any(|sub| sub.id == id)
    }

    /// Adds one.
    pub fn add(&mut self, id: &str, wanted: Wanted) {
        self.subs.reserve_exact(1);
        self.subs.push(Sub { id: id.into(), wanted });
        self.count();
    }

    /// Removes one; gives what it asked for.
    pub fn remove(&mut self, id: &str) -> Option<Wanted> {
        let at = self.subs.iter().position(|sub| sub.id == id)?;
        let removed = self.subs.remove(at).wanted;
        self.count();
        if self.own & want::PRESENCE == 0 {
            self.watched = Vec::new();
        }
        Some(removed)
    }

    /// Removes those for a room; gives their ids.
    pub fn remove_room(&mut self, room: &RoomId) -> Vec<SmolStr> {
        self.remove_if(|sub| sub.wanted.room.as_ref() == Some(room))
    }

    /// Removes everything; gives the ids.
    pub fn clear(&mut self) -> Vec<SmolStr> {
        self.watched = Vec::new();
        self.remove_if(|_| true)
    }

    fn remove_if(&mut self, goes: impl Fn(&Sub) -> bool) -> Vec<SmolStr> {
        let (gone, stay) = std::mem::take(&mut self.subs).into_iter().partition(goes);
        self.subs = stay;
        self.count();
        let gone: Vec<Sub> = gone;
        gone.into_iter().map(|sub| sub.id).collect()
    }

    fn count(&mut self) {
        self.own = 0;
        self.rooms.clear();
        for sub in &self.subs {
            let Some(room) = &sub.wanted.room else {
                self.own |= sub.wanted.bits;
                continue;
            };
            match self.rooms.binary_search_by(|(known, _)| known.cmp(room)) {
                Ok(at) => self.rooms[at].1 |= sub.wanted.bits,
                Err(at) => {
                    self.rooms.reserve_exact(1);
                    self.rooms.insert(at, (room.clone(), sub.wanted.bits));
                }
            }
        }
    }

    /// What is wanted of a room.
    pub fn of_room(&self, room: &RoomId) -> u16 {
        match self.rooms.binary_search_by(|(known, _)| known.cmp(room)) {
            Ok(at) => self.rooms[at].1,
            Err(_) => 0,
        }
    }

    /// What is wanted besides rooms, of these.
    pub fn own(&self, bits: u16) -> u16 {
        self.own & bits
    }

    /// Watches people, and others no longer. Those beyond the bound are not watched.
    pub fn watch(&mut self, added: Vec<UserId>, removed: &[UserId]) {
        self.watched.retain(|user| !removed.contains(user));
        for user in added {
            if self.watched.len() < DDP_WATCHED_USERS_MAX && !self.is_watched(&user) {
                self.watched.push(user);
            }
        }
    }

    /// Whether someone is watched.
    pub fn is_watched(&self, user: &UserId) -> bool {
        self.watched.contains(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GARDEN: RoomId = RoomId::fixed("garden");

    #[test]
    fn what_is_wanted_is_the_sum_of_the_subscriptions() {
        let mut subscriptions = Subscriptions::default();
        let of_garden = |bits| Wanted { room: Some(GARDEN), bits };
        subscriptions.add("1", of_garden(want::MESSAGES));
        subscriptions.add("2", of_garden(want::DELETIONS));
        subscriptions.add("3", of_garden(want::DELETIONS));
        subscriptions.add("4", Wanted { room: None, bits: want::ROOMS });
        assert_eq!(subscriptions.of_room(&GARDEN), want::MESSAGES | want::DELETIONS);
        assert_eq!(subscriptions.remove("2"), Some(of_garden(want::DELETIONS)));
        assert_eq!(subscriptions.of_room(&GARDEN), want::MESSAGES | want::DELETIONS);
        assert_eq!(subscriptions.own(want::MINE), want::ROOMS);
        assert_eq!(subscriptions.remove_room(&GARDEN), ["1", "3"]);
        assert_eq!(subscriptions.of_room(&GARDEN), 0);
        assert!(subscriptions.has("4") && subscriptions.remove("1").is_none());
        assert_eq!(subscriptions.clear(), ["4"]);
        assert_eq!(subscriptions.own(want::MINE), 0);
    }

    #[test]
    fn those_watched_are_bounded() {
        let mut subscriptions = Subscriptions::default();
        let many = (0..2 * DDP_WATCHED_USERS_MAX).filter_map(|number| UserId::parse(&format!("u{number}")));
        subscriptions.watch(many.collect(), &[]);
        assert_eq!(subscriptions.watched.len(), DDP_WATCHED_USERS_MAX);
        subscriptions.watch(Vec::new(), &[UserId::fixed("u0")]);
        assert!(
            !subscriptions.is_watched(&UserId::fixed("u0")) && subscriptions.is_watched(&UserId::fixed("u1"))
        );
    }
}
