//! Devices: users of the role `device`, whose rights are a short list of rooms.

use crate::base::id::{RoomId, UserId};
use crate::base::time::WallMs;

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

/// A device and its rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The user it is.
    pub user: UserId,
    /// Its rights, at most [`DEVICE_ROOMS_MAX`](crate::base::limits::DEVICE_ROOMS_MAX); nothing else is allowed.
    pub bindings: Vec<Binding>,
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
