//! What a door holds for one session: it follows rooms, waits, and takes what is there.

use super::follows::Kind;
use super::hub::Hub;
use super::live::Signal;
use super::rights::Ended;
use crate::base::id::{RoomId, Seq, UserId};
use crate::chat::change::Change;
use crate::chat::policy::MayRead;
use crate::chat::token::TokenHash;
use crate::chat::user::Roles;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Who listens, as they were found when they logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    /// The user.
    pub user: UserId,
    /// Their roles on the node.
    pub roles: Roles,
    /// The token they showed, if they did: its end ends the listening.
    pub token: Option<TokenHash>,
}

/// Why nothing was followed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refused {
    /// The node serves as many listeners as it can.
    TooManyListeners,
    /// One listener follows no more rooms.
    TooManyRooms,
    /// One session, or all together, hear no more filters.
    TooManyFilters,
    /// What the caller relies on may have ended since: ask the policy again.
    Stale,
    /// A permit of somebody else.
    NotTheirPermit,
    /// Listening is over.
    Ended,
}

/// For what a Change is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Reach {
    /// Its room is followed by [`Listener::follow_room`].
    pub room: bool,
    /// Its room is one of [`Listener::follow_mine`].
    pub mine: bool,
    /// It is about the user, or for everyone.
    pub own: bool,
}

impl Reach {
    /// Whether it is told at all.
    pub fn is_some(self) -> bool {
        self.room || self.mine || self.own
    }

    pub(super) fn of(kind: Kind) -> Self {
        let mut reach = Self::default();
        reach.add(kind);
        reach
    }

    pub(super) fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Room => self.room = true,
            Kind::Mine => self.mine = true,
        }
    }
}

/// What a listener is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something happened.
    Change {
        /// What.
        change: Arc<Change>,
        /// For which of the follows.
        reach: Reach,
    },
    /// From here on nothing of this room is told: the right ended, or must be asked for again.
    RoomRevoked {
        /// Which.
        room: RoomId,
        /// The place of the Change that ended it; what is after it was not told.
        at: Seq,
        /// Which of the follows ended.
        reach: Reach,
    },
    /// Typing, presence or the like.
    Signal(Arc<Signal>),
    /// Too far behind. All follows are over; everything up to `since` was told, and of what is settled by now perhaps
    /// some.
    Resync {
        /// The place to read on from.
        since: Seq,
    },
    /// Nothing comes any more.
    Ended(Ended),
}

/// What one drain gave.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drained {
    /// What happened, in order. Can be empty after a wake-up.
    pub events: Vec<Event>,
    /// Whether there is more right now.
    pub more: bool,
    /// How many signals were lost since the last drain.
    pub signals_missed: u32,
}

/// One who listens; dropping it ends that.
pub struct Listener {
    hub: Arc<Hub>,
    id: u32,
}

impl Listener {
    pub(super) fn new(hub: Arc<Hub>, id: u32) -> Self {
        Self { hub, id }
    }

    /// Follows a room: tells everything of it after `as_of`, the settled place at which the permit was given.
    ///
    /// Following again starts anew from the new place. [`Refused::Stale`] when the right may have ended since.
    pub fn follow_room(&self, permit: MayRead, as_of: Seq) -> Result<(), Refused> {
        self.hub.follow(self.id, Kind::Room, &[permit], as_of)
    }

    /// No longer follows the room by [`follow_room`](Self::follow_room).
    pub fn unfollow_room(&self, room: &RoomId) {
        self.hub.seats().unfollow_room(self.id, room);
    }

    /// Follows all rooms the user is a member of after `as_of`, and those they join from then on.
    ///
    /// Following again replaces these rooms and their place.
    pub fn follow_mine(&self, permits: Vec<MayRead>, as_of: Seq) -> Result<(), Refused> {
        self.hub.follow(self.id, Kind::Mine, &permits, as_of)
    }

    /// No longer follows the user's rooms by [`follow_mine`](Self::follow_mine).
    pub fn unfollow_mine(&self) {
        self.hub.seats().unfollow_mine(self.id);
    }

    /// Whether to hear who comes and goes.
    pub fn follow_presence(&self, hears: bool) {
        self.hub.seats().hear_presence(self.id, hears);
    }

    /// Waits until something can be drained. Never ends once listening is over.
    pub async fn ready(&mut self) {
        poll_fn(|context| self.poll_ready(context)).await;
    }

    /// [`ready`](Self::ready) for those who poll by hand. Only the last waker is woken.
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (poll, replaced) = self.hub.seats().poll_ready(self.id, context.waker());
        drop(replaced);
        poll
    }

    /// Takes what is there, up to about `events_max` events: those of one Change are never parted.
    pub fn drain(&self, events_max: usize) -> Drained {
        self.hub.drain(self.id, events_max.max(1))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hub.detach(self.id);
    }
}
