//! Rooms, as the command line reads them.

use serde::{Deserialize, Serialize};

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomLine {
    /// The room's name.
    pub name: String,
    /// `public`, `private` or `direct`.
    pub kind: String,
    /// How many are in it.
    pub members: u64,
    /// How many messages it holds.
    pub messages: u64,
}

/// How much a room is told to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// What the settings of the node say.
    Default,
    /// What this says, whatever the settings of the node say; 0 sets no limit.
    Own {
        /// Older messages go.
        days: u32,
        /// The oldest messages go when the room takes more, about.
        megabytes: u32,
    },
}

/// Value of [`Request::RoomRetention`](super::Request::RoomRetention).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionLine {
    /// The room's name.
    pub room: String,
    /// Whether the room has a rule of its own.
    pub own: bool,
    /// Older messages go; 0 for never, nothing where the settings of the node hold and no node runs.
    pub days: Option<u32>,
    /// The oldest messages go when the room takes more; 0 for never, nothing as above.
    pub megabytes: Option<u32>,
}
