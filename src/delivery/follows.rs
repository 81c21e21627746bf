//! The rooms one listener follows, each with its own place and the right it stands on.

use super::listener::Reach;
use super::rights::{self, Bearing};
use crate::base::id::{RoomId, Seq, UserId};
use crate::base::limits::{FOLLOWED_ROOMS_MAX, MEMBERSHIPS_MAX};
use crate::chat::change::{Change, What};
use crate::chat::policy::{MayRead, ReadsBy};
use crate::chat::user::Roles;

/// Why a room is followed: for itself, or as one of the user's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Room,
    Mine,
}

impl Kind {
    fn rooms_max(self) -> usize {
        match self {
            Kind::Room => FOLLOWED_ROOMS_MAX,
            // The node lets nobody be a member of more.
            Kind::Mine => MEMBERSHIPS_MAX,
        }
    }
}

/// A room that the index of followers must learn or forget.
#[derive(Debug)]
pub(super) enum Move {
    Enter(RoomId),
    Leave(RoomId),
}

/// One room, followed after a place by some right.
pub(super) struct Follow {
    pub room: RoomId,
    pub kind: Kind,
    pub after: Seq,
    pub by: ReadsBy,
}

/// Sorted by room and kind; at most one of each.
#[derive(Default)]
pub(super) struct Follows(Vec<Follow>);

impl Follows {
    /// Those of permits given at `as_of`.
    pub fn of_permits(kind: Kind, permits: &[MayRead], as_of: Seq) -> Self {
        let follow =
            |permit: &MayRead| Follow { room: permit.room().clone(), kind, after: as_of, by: *permit.by() };
        let mut follows: Vec<Follow> = permits.iter().map(follow).collect();
        follows.sort_unstable_by(|a, b| a.room.cmp(&b.room));
        follows.dedup_by(|a, b| a.room == b.room);
        Self(follows)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn has_room(&self, room: &RoomId) -> bool {
        self.of_room(room).next().is_some()
    }

    pub fn has(&self, room: &RoomId, kind: Kind) -> bool {
        self.place_of(room, kind).is_ok()
    }

    /// Whether one more of the user's own rooms would be too many.
    pub fn is_full_of_mine(&self) -> bool {
        self.0.iter().filter(|follow| follow.kind == Kind::Mine).count() >= Kind::Mine.rooms_max()
    }

    /// Whether these would be too many: the user's own rooms replace those before, others add to them.
    pub fn is_full_for(&self, kind: Kind, fresh: &Follows) -> bool {
        let stays = |held: &&Follow| held.kind == kind && !fresh.has(&held.room, kind);
        let held = if kind == Kind::Mine { 0 } else { self.0.iter().filter(stays).count() };
        held + fresh.len() > kind.rooms_max()
    }

    /// Every room, once.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomId> {
        self.0.chunk_by(|a, b| a.room == b.room).map(|of_room| &of_room[0].room)
    }

    /// Whether any of the rights ends with this, taking any change of the user for one of roles.
    pub fn any_ends(&self, what: &What, user: &UserId) -> bool {
        let ends = |f: &Follow| rights::bearing(what, &f.room, user, f.by, None) == Bearing::Ends;
        rights::can_bear(what, user) && self.0.iter().any(ends)
    }

    /// For which follows a Change of this room is told.
    pub fn reach(&self, room: &RoomId, seq: Seq, reach: &mut Reach) {
        self.of_room(room).filter(|follow| seq > follow.after).for_each(|follow| reach.add(follow.kind));
    }

    /// Puts follows in their place, over those of the same room and kind.
    pub fn insert(&mut self, fresh: Follows, moves: &mut Vec<Move>) {
        self.0.reserve_exact(fresh.len());
        for follow in fresh.0 {
            if !self.has_room(&follow.room) {
                moves.push(Move::Enter(follow.room.clone()));
            }
            match self.place_of(&follow.room, follow.kind) {
                Ok(at) => self.0[at] = follow,
                Err(at) => self.0.insert(at, follow),
            }
        }
    }

    /// One more of the user's own rooms.
    pub fn insert_joined(&mut self, room: &RoomId, joined: Seq, moves: &mut Vec<Move>) {
        let (room, after) = (room.clone(), Seq(joined.0 - 1));
        let follow = Follow { room, kind: Kind::Mine, after, by: ReadsBy::Membership };
        self.insert(Follows(vec![follow]), moves);
    }

    pub fn remove(&mut self, room: &RoomId, kind: Kind) -> Option<Move> {
        let at = self.place_of(room, kind).ok()?;
        self.0.remove(at);
        (!self.has_room(room)).then(|| Move::Leave(room.clone()))
    }

    pub fn remove_mine(&mut self, moves: &mut Vec<Move>) {
        moves.extend(self.rooms().cloned().map(Move::Leave));
        self.0.retain(|follow| follow.kind != Kind::Mine);
        moves.extend(self.rooms().cloned().map(Move::Enter));
    }

    pub fn clear(&mut self, moves: &mut Vec<Move>) {
        moves.extend(self.rooms().cloned().map(Move::Leave));
        self.0 = Vec::new();
    }

    /// Nothing up to a place is told again.
    pub fn raise(&mut self, judged: Seq) {
        for follow in &mut self.0 {
            follow.after = follow.after.max(judged);
        }
    }

    /// Carries what a Change does to the rights: gives the rooms whose right ends, and what each was followed for.
    pub fn revoke(
        &mut self,
        change: &Change,
        user: &UserId,
        roles: Roles,
        moves: &mut Vec<Move>,
    ) -> Vec<(RoomId, Reach)> {
        let mut revoked: Vec<(RoomId, Reach)> = Vec::new();
        if !rights::can_bear(&change.what, user) {
            return revoked;
        }
        self.0.retain_mut(|follow| {
            if change.seq <= follow.after {
                return true;
            }
            match rights::bearing(&change.what, &follow.room, user, follow.by, Some(roles)) {
                Bearing::Stays => return true,
                Bearing::Becomes(by) => {
                    follow.by = by;
                    return true;
                }
                Bearing::Ends => {}
            }
            match revoked.last_mut().filter(|(room, _)| *room == follow.room) {
                Some((_, reach)) => reach.add(follow.kind),
                None => revoked.push((follow.room.clone(), Reach::of(follow.kind))),
            }
            false
        });
        let gone = revoked.iter().filter(|(room, _)| !self.has_room(room));
        moves.extend(gone.map(|(room, _)| Move::Leave(room.clone())));
        revoked
    }

    fn place_of(&self, room: &RoomId, kind: Kind) -> Result<usize, usize> {
        self.0.binary_search_by(|follow| follow.room.cmp(room).then(follow.kind.cmp(&kind)))
    }

    fn of_room<'a>(&'a self, room: &'a RoomId) -> impl Iterator<Item = &'a Follow> {
        let first = self.0.partition_point(|follow| follow.room < *room);
        self.0[first..].iter().take_while(move |follow| follow.room == *room)
    }
}
