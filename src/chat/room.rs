//! Rooms. Nothing here knows how a room is drawn or sent.

use crate::base::id::{RoomId, UserId};
use crate::base::time::WallMs;
use crate::chat::name::{Name, Opaque};
use smol_str::SmolStr;

/// Who can find and enter a room.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RoomKind {
    /// Everyone.
    Public,
    /// Those who were invited.
    Private,
    /// The people it was made for.
    Direct,
}

/// A place where things are said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    /// The id, never reused.
    pub id: RoomId,
    /// Who can find and enter it.
    pub kind: RoomKind,
    /// The name in addresses, unique without case; a direct room has none.
    pub name: Option<Name>,
    /// Who made it.
    pub creator: UserId,
    /// When it was made.
    pub created: WallMs,
    /// One line on what it is about.
    pub topic: SmolStr,
    /// A longer text on what it is for.
    pub description: SmolStr,
    /// A text shown on top of it.
    pub announcement: SmolStr,
    /// Only owners, moderators and admins post.
    pub read_only: bool,
    /// Newcomers join it without asking.
    pub joined_by_default: bool,
    /// Nobody posts any more.
    pub archived: bool,
    /// The people of a direct room, in the order of their ids; empty otherwise.
    pub people: Vec<UserId>,
    /// What clients keep here: custom fields.
    pub extra: Option<Opaque>,
}

impl Room {
    /// The room everyone is in from the start.
    pub const GENERAL: RoomId = RoomId::fixed("GENERAL");

    /// The name for a log or an error: the name, or the id of a direct room.
    pub fn label(&self) -> &str {
        self.name.as_ref().map_or(self.id.as_str(), Name::as_str)
    }
}
