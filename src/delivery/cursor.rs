//! How far one listener has read and what it may still hear. Pure: no lock, no waker.
//!
//! `from` is the first place that concerns it and was not judged; without one it is level with the relay. Each follow
//! has a place of its own (`after`), so that going back for a new one repeats nothing of the others.

use super::follows::{Follows, Kind, Move};
use super::listener::{Event, Reach, Refused, Who};
use super::rights::{self, Ended};
use super::tail::{Entry, Tail};
use crate::base::id::{RoomId, Seq, UserId};
use crate::base::limits::DRAIN_SCAN_MAX;
use crate::chat::change::{Audience, Change, What};
use crate::chat::policy::MayRead;
use crate::chat::token::TokenHash;
use crate::chat::user::{Role, Roles};

/// What a user is at some place in the order.
#[derive(Clone, Copy)]
struct Standing {
    roles: Roles,
    is_device: bool,
}

impl Standing {
    fn follow(&mut self, what: &What, user: &UserId) {
        match what {
            What::UserChanged(now) if now.id == *user => self.roles = now.roles,
            What::DeviceSet(device) if device.user == *user => self.is_device = true,
            _ => {}
        }
    }
}

/// One listener's place in the order, and its rights there.
pub(super) struct Cursor {
    user: UserId,
    token: Option<TokenHash>,
    /// As of what was judged.
    standing: Standing,
    /// As of what was relayed.
    standing_relayed: Standing,
    from: Option<Seq>,
    own_after: Seq,
    mine_after: Option<Seq>,
    follows: Follows,
    /// Whether what was relayed ends everything.
    ended: Option<Ended>,
    over: bool,
}

impl Cursor {
    /// A cursor after `as_of`, where the user and the token were found good; refused if that may no longer hold.
    pub fn new(who: Who, as_of: Seq, tail: &Tail) -> Result<Self, Refused> {
        let ends =
            |entry: &Entry| rights::ending(&entry.change.what, &who.user, who.token.as_ref()).is_some();
        if as_of < tail.lost() || tail.after(as_of).any(ends) {
            return Err(Refused::Stale);
        }
        let standing = Standing { roles: who.roles, is_device: who.roles.has(Role::Device) };
        let mut cursor = Self {
            user: who.user,
            token: who.token,
            standing,
            standing_relayed: standing,
            from: None,
            own_after: as_of,
            mine_after: None,
            follows: Follows::default(),
            ended: None,
            over: false,
        };
        for entry in tail.relayed_from(as_of.next()) {
            if entry.is_for(&cursor.user) {
                cursor.mark(&entry.change);
            }
        }
        Ok(cursor)
    }

    pub fn user(&self) -> &UserId {
        &self.user
    }

    pub fn is_pending(&self) -> bool {
        self.from.is_some()
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn follows(&self) -> &Follows {
        &self.follows
    }

    /// The relay passes here: notes where there is something, and what it does to the user.
    ///
    /// Says whether there was nothing before.
    pub fn mark(&mut self, change: &Change) -> bool {
        if self.over {
            return false;
        }
        // Known at once, because a laggard may never see the place itself.
        if change.seq > self.own_after {
            let ending = rights::ending(&change.what, &self.user, self.token.as_ref());
            self.ended = self.ended.or(ending);
            self.standing_relayed.follow(&change.what, &self.user);
        }
        let news = self.from.is_none();
        self.from.get_or_insert(change.seq);
        news
    }

    /// Follows the rooms of these permits after `as_of`, where they were given.
    pub fn follow(
        &mut self,
        kind: Kind,
        permits: &[MayRead],
        as_of: Seq,
        tail: &Tail,
    ) -> Result<Vec<Move>, Refused> {
        if self.over {
            return Err(Refused::Ended);
        }
        let fresh = Follows::of_permits(kind, permits, as_of);
        if self.follows.is_full_for(kind, &fresh) {
            return Err(Refused::TooManyRooms);
        }
        if let Some(first) = self.look_back(kind, &fresh, as_of, tail)? {
            self.go_back_to(first, tail);
        }
        let mut moves = Vec::new();
        if kind == Kind::Mine {
            self.follows.remove_mine(&mut moves);
            self.mine_after = Some(as_of);
        }
        self.follows.insert(fresh, &mut moves);
        Ok(moves)
    }

    /// No longer follows the room for itself.
    pub fn unfollow(&mut self, room: &RoomId) -> Option<Move> {
        self.follows.remove(room, Kind::Room)
    }

    /// No longer follows the user's own rooms.
    pub fn unfollow_mine(&mut self) -> Vec<Move> {
        let mut moves = Vec::new();
        self.mine_after = None;
        self.follows.remove_mine(&mut moves);
        moves
    }

    /// Judges what is pending in order, until about `events_max` events are told or nothing is left.
    pub fn advance(&mut self, tail: &Tail, events_max: usize, events: &mut Vec<Event>) -> Vec<Move> {
        let mut moves = Vec::new();
        let Some(from) = self.from else { return moves };
        if from <= tail.lost() {
            self.resync(from, tail, events, &mut moves);
            return moves;
        }
        for (scanned, entry) in tail.relayed_from(from).enumerate() {
            let full = events.len() >= events_max && self.concerns(entry);
            if full || scanned == DRAIN_SCAN_MAX {
                self.from = Some(entry.seq());
                return moves;
            }
            self.judge(entry, events, &mut moves);
            if self.over {
                break;
            }
        }
        self.from = None;
        moves
    }

    /// What lies between is no longer here, and with it what may have ended a right: every follow is over.
    fn resync(&mut self, from: Seq, tail: &Tail, events: &mut Vec<Event>, moves: &mut Vec<Move>) {
        self.follows.clear(moves);
        self.mine_after = None;
        self.from = None;
        self.own_after = self.own_after.max(tail.relayed());
        self.standing = self.standing_relayed;
        match self.ended {
            Some(ended) => self.end(ended, events, moves),
            None => events.push(Event::Resync { since: Seq(from.0 - 1) }),
        }
    }

    fn end(&mut self, ended: Ended, events: &mut Vec<Event>, moves: &mut Vec<Move>) {
        self.follows.clear(moves);
        self.over = true;
        self.from = None;
        events.push(Event::Ended(ended));
    }

    /// Tells what one Change means to this listener, and carries what it does to its rights.
    fn judge(&mut self, entry: &Entry, events: &mut Vec<Event>, moves: &mut Vec<Move>) {
        let what = &entry.change.what;
        let is_new = entry.seq() > self.own_after;
        if is_new && let Some(ended) = rights::ending(what, &self.user, self.token.as_ref()) {
            return self.end(ended, events, moves);
        }
        if let Some(room) = self.becomes_mine(entry) {
            self.follows.insert_joined(room, entry.seq(), moves);
        }
        let reach_before = self.reach(entry);
        let revoked = self.follows.revoke(&entry.change, &self.user, self.standing.roles, moves);
        // How the room is now is no longer for those whom it shuts out; that someone left, they may hear as the last.
        let shuts_out = matches!(what, What::RoomChanged { .. });
        let reach = if shuts_out { self.reach(entry) } else { reach_before };
        if reach.is_some() {
            events.push(Event::Change { change: entry.change.clone(), reach });
        }
        let at = entry.seq();
        events.extend(revoked.into_iter().map(|(room, reach)| Event::RoomRevoked { room, at, reach }));
        if is_new {
            self.standing.follow(what, &self.user);
        }
    }

    /// The room that becomes one of those followed as the user's own, if they join one here.
    fn becomes_mine<'a>(&self, entry: &'a Entry) -> Option<&'a RoomId> {
        let What::Joined(membership) = &entry.change.what else { return None };
        let room = &membership.room;
        // A device reads where its bindings say so, whatever it is a member of.
        let becomes = membership.user == self.user
            && !self.standing.is_device
            && self.mine_after.is_some_and(|after| entry.seq() > after)
            && !self.follows.has(room, Kind::Mine)
            && !self.follows.is_full_of_mine();
        becomes.then_some(room)
    }

    /// What of this listener a Change reaches, as its rights are now.
    fn reach(&self, entry: &Entry) -> Reach {
        let mut reach = Reach::default();
        for audience in &entry.audiences {
            match audience {
                Audience::All => reach.own |= entry.seq() > self.own_after,
                Audience::User(user) => reach.own |= *user == self.user && entry.seq() > self.own_after,
                Audience::Room(room) => self.follows.reach(room, entry.seq(), &mut reach),
                Audience::Topics => {}
            }
        }
        reach
    }

    fn concerns(&self, entry: &Entry) -> bool {
        self.reach(entry).is_some() || self.becomes_mine(entry).is_some()
    }

    /// Refuses permits that something after `as_of` may have ended; else gives the first place to go back to.
    fn look_back(
        &self,
        kind: Kind,
        fresh: &Follows,
        as_of: Seq,
        tail: &Tail,
    ) -> Result<Option<Seq>, Refused> {
        if as_of < tail.lost() {
            return Err(Refused::Stale);
        }
        let mut first = None;
        for entry in tail.after(as_of) {
            let what = &entry.change.what;
            if fresh.any_ends(what, &self.user) {
                return Err(Refused::Stale);
            }
            let joins = matches!(what, What::Joined(joined) if joined.user == self.user);
            let concerns = (kind == Kind::Mine && joins)
                || entry
                    .audiences
                    .iter()
                    .any(|audience| matches!(audience, Audience::Room(room) if fresh.has_room(room)));
            if concerns && entry.seq() <= tail.relayed() {
                first.get_or_insert(entry.seq());
            }
        }
        Ok(first)
    }

    /// Reads again from a place, for the sake of a new follow: what was judged before stays judged.
    fn go_back_to(&mut self, first: Seq, tail: &Tail) {
        let judged = self.from.map_or(tail.relayed(), |from| Seq(from.0 - 1));
        if first > judged {
            return;
        }
        self.own_after = self.own_after.max(judged);
        self.mine_after = self.mine_after.map(|after| after.max(judged));
        self.follows.raise(judged);
        self.from = Some(first);
    }
}
