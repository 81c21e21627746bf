//! Invitations: one-time or counted codes by which somebody becomes the owner, or a user.

use crate::base::id::{RoomId, UserId};
use crate::base::time::WallMs;
use crate::chat::token::TokenHash;
use smol_str::SmolStr;

/// What a code makes of who brings it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvitationKind {
    /// The owner of the node; there is one such code at a time.
    Owner,
    /// A user, who also joins this room.
    Join(RoomId),
}

/// A code as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// The hash of the code.
    pub hash: TokenHash,
    /// What it makes of who brings it.
    pub kind: InvitationKind,
    /// Its public id for lists.
    pub id: SmolStr,
    /// Who made it; `None` when the node did.
    pub by: Option<UserId>,
    /// When it was made.
    pub created: WallMs,
    /// When it ends; `None` for never.
    pub expires: Option<WallMs>,
    /// How often it can be used; 0 for any number.
    pub uses_max: u32,
    /// How often it was used.
    pub uses: u32,
}
