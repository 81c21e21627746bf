//! Who is in which room, and how far each has read.

use crate::base::id::{RoomId, Seq, UserId};
use crate::base::time::WallMs;
use crate::chat::user::Roles;

/// A user's place in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// Roles in this room: owner, moderator, leader.
    pub roles: Roles,
    /// Since when.
    pub joined: WallMs,
    /// Whether the client lists the room (a closed direct room stays a membership).
    pub open: bool,
    /// Whether the client lists it first.
    pub favourite: bool,
}

/// How far someone has read in a room. Unread counts are differences of `count`, never counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReadMark {
    /// Messages of the room up to the mark, counted from its first.
    pub count: u64,
    /// The journal's sequence of the last message read.
    pub seq: Seq,
    /// When.
    pub at: WallMs,
}
