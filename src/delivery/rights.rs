//! Which Changes end a right to listen. The policy says who may; this says when it is over.

use crate::base::id::{RoomId, UserId};
use crate::chat::change::What;
use crate::chat::permission::Permission;
use crate::chat::policy::ReadsBy;
use crate::chat::room::RoomKind;
use crate::chat::token::TokenHash;
use crate::chat::user::Roles;

/// Why a listener will hear nothing more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ended {
    /// The token it showed is no longer good.
    TokenRevoked,
    /// Certificates no longer log it in.
    CertificateRefused,
    /// The user is gone.
    UserRemoved,
    /// The user may no longer act.
    UserInactive,
}

/// Whether a Change ends listening altogether for this user with this token.
pub(super) fn ending(what: &What, user: &UserId, token: Option<&TokenHash>) -> Option<Ended> {
    match what {
        What::TokenRevoked { hash, .. } if token == Some(hash) => Some(Ended::TokenRevoked),
        What::UserRemoved { user: gone, .. } if gone == user => Some(Ended::UserRemoved),
        What::UserChanged(now) if now.id == *user && !now.active => Some(Ended::UserInactive),
        _ => None,
    }
}

/// What a Change does to the right to read a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bearing {
    /// Nothing.
    Stays,
    /// The right goes on for another reason.
    Becomes(ReadsBy),
    /// The right is over.
    Ends,
}

/// Whether a Change can bear on any right of this user: the rest is passed without a look at what is followed.
pub(super) fn can_bear(what: &What, user: &UserId) -> bool {
    match what {
        What::Left { user: who, .. } => who == user,
        What::Joined(membership) => membership.user == *user,
        What::DeviceSet(device) => device.user == *user,
        What::UserChanged(now) => now.id == *user,
        What::RoomRemoved { .. } | What::RoomChanged { .. } | What::PermissionsSet(_) => true,
        _ => false,
    }
}

/// What a Change does to this user's right to read this room.
///
/// `roles` are those the right was given under; without them any change of the user counts as one of roles.
pub(super) fn bearing(
    what: &What,
    room: &RoomId,
    user: &UserId,
    by: ReadsBy,
    roles: Option<Roles>,
) -> Bearing {
    match what {
        What::Left { room: left, user: who, .. } if left == room && who == user => Bearing::Ends,
        What::RoomRemoved { room: gone, .. } if gone == room => Bearing::Ends,
        What::RoomChanged { room: now, .. }
            if now.id == *room && by == ReadsBy::OpenRoom && now.kind != RoomKind::Public =>
        {
            Bearing::Ends
        }
        // Who reads a public room without being in it does so by this permission alone.
        What::PermissionsSet(table)
            if by == ReadsBy::OpenRoom
                && !roles.is_some_and(|roles| table.allow(roles, Permission::VIEW_C_ROOM)) =>
        {
            Bearing::Ends
        }
        What::Joined(membership)
            if membership.room == *room && membership.user == *user && by == ReadsBy::OpenRoom =>
        {
            Bearing::Becomes(ReadsBy::Membership)
        }
        What::DeviceSet(device) if device.user == *user => {
            let reads = device.bindings.iter().any(|binding| binding.room == *room && binding.read);
            if reads { Bearing::Becomes(ReadsBy::Binding) } else { Bearing::Ends }
        }
        // Whether the new roles still allow it is the policy's to say: the door asks again.
        What::UserChanged(now)
            if now.id == *user && by != ReadsBy::Membership && roles != Some(now.roles) =>
        {
            Bearing::Ends
        }
        _ => Bearing::Stays,
    }
}
