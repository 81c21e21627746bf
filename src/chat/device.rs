//! Devices: users of the role `device`, whose rights are a short list of rooms.

use crate::base::id::{RoomId, UserId};
use crate::base::time::WallMs;
use crate::chat::topic::Filter;

/// What a device may do in one room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// Where.
    pub room: RoomId,
    /// Whether it may post.
    pub post: bool,
    /// Whether it may read.
    pub read: bool,
}

/// Which topics a device may have beyond its own, `linnet/device/<name>/...`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TopicRights {
    /// What it may publish; at most [`DEVICE_FILTERS_MAX`](crate::base::limits::DEVICE_FILTERS_MAX).
    pub publish: Vec<Filter>,
    /// What it may subscribe to; as many.
    pub subscribe: Vec<Filter>,
    /// The devices it may command, by filters over their names: `pump`, or `+` for all; as many.
    pub command: Vec<Filter>,
}

/// A device and its rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The user it is.
    pub user: UserId,
    /// Its rights, at most [`DEVICE_ROOMS_MAX`](crate::base::limits::DEVICE_ROOMS_MAX); nothing else is allowed.
    pub bindings: Vec<Binding>,
    /// Its rights among devices.
    pub topics: TopicRights,
    /// Who added it.
    pub added_by: Option<UserId>,
    /// When it was added.
    pub created: WallMs,
}

impl Device {
    /// Whether every right it has is reading: only then may its key travel in an address.
    pub fn only_reads(&self) -> bool {
        self.bindings.iter().all(|binding| binding.read && !binding.post)
    }
}
