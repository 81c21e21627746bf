//! Who may do what. The only place that hands out permits; whatever changes or reads something takes one.

use crate::base::id::{RoomId, UserId};
use crate::chat::device::Device;
use crate::chat::membership::Membership;
use crate::chat::message::{Message, MessageKind};
use crate::chat::permission::{Permission, Permissions};
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::{Role, Roles, User};
use std::sync::Arc;

macro_rules! permit {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name { $($field: $type),* }

        impl $name {
            $(
                /// For whom or what the permit holds.
                pub fn $field(&self) -> &$type {
                    &self.$field
                }
            )*
        }
    };
}

mod topics;

pub use topics::{
    MayPublish, MaySubscribe, OWN_TOPICS, may_ask, may_hear, may_hold_session, may_note, may_publish,
    may_say_bound, may_subscribe, may_tell,
};

/// Who acts, as the node knows them at this place in the order.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user.
    pub user: Arc<User>,
    /// The device record, for users that are devices.
    pub device: Option<Arc<Device>>,
    /// What roles may do here.
    pub permissions: Arc<Permissions>,
}

impl Actor {
    /// Holds a role on the node. A device holds none, whatever stands in its user: its bindings are all it may.
    fn is(&self, role: Role) -> bool {
        self.device.is_none() && self.user.is(role)
    }

    /// May do this by a role on the node. A device holds none.
    fn may(&self, permission: Permission) -> bool {
        self.device.is_none() && self.permissions.allow(self.user.roles, permission)
    }

    /// May do this in a room: by a role there, or by one on the node. Of the latter only administrators may where they
    /// are not and not everyone may be.
    fn may_in(&self, room: &Room, membership: Option<&Membership>, permission: Permission) -> bool {
        let here = room.kind == RoomKind::Public || membership.is_some();
        let everywhere = if here || self.is(Role::Admin) { self.user.roles } else { Roles::NONE };
        let roles = membership.map_or(everywhere, |place| place.roles.and(everywhere));
        self.device.is_none() && self.permissions.allow(roles, permission)
    }

    /// Has an account of their own: not a guest, not a device.
    fn is_resident(&self) -> bool {
        self.is(Role::Admin) || self.is(Role::Moderator) || self.is(Role::User) || self.is(Role::Bot)
    }
}

/// Why somebody may read a room, and so what would have to change for the right to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadsBy {
    /// They are a member.
    Membership,
    /// The room is public and they are not a member.
    OpenRoom,
    /// They are a device with a binding that reads the room.
    Binding,
    /// They run the machine and take the room along as a file; nothing is followed by this right.
    Machine,
}

permit!(
    /// May post in this room.
    MayPost { room: RoomId, user: UserId }
);
permit!(
    /// May read what is said in this room.
    MayRead { room: RoomId, user: UserId, by: ReadsBy }
);
permit!(
    /// May change this room and who is in it.
    MayManage { room: RoomId }
);
permit!(
    /// May become a member of this room.
    MayJoin { room: RoomId, user: UserId }
);
permit!(
    /// May change or remove this message's content.
    MayRevise { message: crate::base::id::MessageId }
);
permit!(
    /// May make a room of this kind.
    MayCreate { kind: RoomKind }
);
permit!(
    /// May take all that the node keeps along, passwords' hashes and private rooms included.
    MayBackUp { user: UserId }
);
permit!(
    /// May manage users, devices and the node.
    MayAdminister { right: Right }
);

/// May the actor read what is said in the room?
///
/// Members always may; those with `view-c-room` may read public rooms; a device reads where a binding says so.
pub fn may_read(actor: &Actor, room: &Room, membership: Option<&Membership>) -> Result<MayRead, Refusal> {
    let open = room.kind == RoomKind::Public && actor.may(Permission::VIEW_C_ROOM);
    let by = match &actor.device {
        Some(device) => {
            let bound = device.bindings.iter().any(|binding| binding.room == room.id && binding.read);
            bound.then_some(ReadsBy::Binding)
        }
        None if membership.is_some() => Some(ReadsBy::Membership),
        None => open.then_some(ReadsBy::OpenRoom),
    };
    if let Some(by) = by {
        return Ok(MayRead { room: room.id.clone(), user: actor.user.id.clone(), by });
    }
    Err(hidden_or(actor, room, membership, Right::ReadRoom))
}

/// May the actor post in the room?
pub fn may_post(actor: &Actor, room: &Room, membership: Option<&Membership>) -> Result<MayPost, Refusal> {
    let allowed = match &actor.device {
        Some(device) => device.bindings.iter().any(|binding| binding.room == room.id && binding.post),
        None if membership.is_some() => true,
        None => room.kind == RoomKind::Public && actor.is_resident() && actor.may(Permission::VIEW_C_ROOM),
    };
    if !allowed {
        return Err(hidden_or(actor, room, membership, Right::Post));
    }
    if room.archived {
        return Err(Refusal::RoomArchived);
    }
    let keeps = actor.device.is_some() || actor.may_in(room, membership, Permission::POST_READONLY);
    if room.read_only && !keeps {
        return Err(Refusal::RoomReadOnly);
    }
    Ok(MayPost { room: room.id.clone(), user: actor.user.id.clone() })
}

/// May the actor become a member without being invited?
pub fn may_join(actor: &Actor, room: &Room, membership: Option<&Membership>) -> Result<MayJoin, Refusal> {
    let open = room.kind == RoomKind::Public && actor.may(Permission::VIEW_C_ROOM);
    if membership.is_some() || open {
        return Ok(MayJoin { room: room.id.clone(), user: actor.user.id.clone() });
    }
    Err(hidden_or(actor, room, membership, Right::JoinRoom))
}

/// May the actor do this to the room, as changing its name or its roles, or removing it? To a direct room nobody may.
pub fn may_manage(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
    permission: Permission,
) -> Result<MayManage, Refusal> {
    if room.kind != RoomKind::Direct && actor.may_in(room, membership, permission) {
        return Ok(MayManage { room: room.id.clone() });
    }
    Err(hidden_or(actor, room, membership, Right::ManageRoom))
}

/// May the actor say how much of a room is kept? Whoever manages it may; of a direct room, which nobody does, the admins,
/// who answer for the disk.
pub fn may_limit(actor: &Actor, room: &Room, membership: Option<&Membership>) -> Result<MayManage, Refusal> {
    if room.kind == RoomKind::Direct && actor.device.is_none() && actor.is(Role::Admin) {
        return Ok(MayManage { room: room.id.clone() });
    }
    may_manage(actor, room, membership, Permission::EDIT_ROOM_RETENTION_POLICY)
}

/// May the actor set the topic? Those who may change the room may, and in a direct room every member.
pub fn may_set_topic(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
) -> Result<MayManage, Refusal> {
    if room.kind == RoomKind::Direct && actor.device.is_none() && membership.is_some() {
        return Ok(MayManage { room: room.id.clone() });
    }
    may_manage(actor, room, membership, Permission::EDIT_ROOM)
}

/// May the actor bring others into the room? Members of a public room may; else only those who keep it.
pub fn may_invite(actor: &Actor, room: &Room, membership: Option<&Membership>) -> Result<MayManage, Refusal> {
    let public = room.kind == RoomKind::Public
        && membership.is_some()
        && actor.may(Permission::ADD_USER_TO_ANY_C_ROOM);
    let keeps = actor.may_in(room, membership, Permission::ADD_USER_TO_JOINED_ROOM);
    if room.kind != RoomKind::Direct && (public || keeps) {
        return Ok(MayManage { room: room.id.clone() });
    }
    Err(hidden_or(actor, room, membership, Right::Invite))
}

/// May the actor make a code that brings strangers into the room, and to the node? Only those who keep the room.
pub fn may_invite_by_code(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
) -> Result<MayManage, Refusal> {
    let keeps = actor.may_in(room, membership, Permission::CREATE_INVITE_LINKS);
    if room.kind != RoomKind::Direct && keeps {
        return Ok(MayManage { room: room.id.clone() });
    }
    Err(hidden_or(actor, room, membership, Right::Invite))
}

/// May the actor remove this member from the room? An owner is removed by an owner or an administrator only.
pub fn may_kick(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
    other: &Membership,
) -> Result<MayManage, Refusal> {
    let owns = membership.is_some_and(|m| m.roles.has(Role::Owner)) || actor.is(Role::Admin);
    let keeps = actor.may_in(room, membership, Permission::REMOVE_USER);
    if room.kind != RoomKind::Direct && keeps && (owns || !other.roles.has(Role::Owner)) {
        return Ok(MayManage { room: room.id.clone() });
    }
    Err(hidden_or(actor, room, membership, Right::Kick))
}

/// May the actor give a device rights in this room? Nobody sees a device listen, so what is said in a private room
/// stays among those who are in it, and a direct room takes none.
pub fn may_bind(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
    is_operator: bool,
) -> Result<MayAdminister, Refusal> {
    let permit = may_administer(actor, Right::ManageDevices)?;
    let known = match room.kind {
        RoomKind::Public => true,
        RoomKind::Private => membership.is_some() || is_operator,
        RoomKind::Direct => false,
    };
    if known { Ok(permit) } else { Err(Refusal::NotAllowed(Right::ManageDevices)) }
}

/// May the actor change the text of a message? Its author, while they may post, and whoever was given the right to; devices
/// never. What the node told is nobody's to change.
pub fn may_edit(
    actor: &Actor,
    (room, membership): (&Room, Option<&Membership>),
    post: &MayPost,
    message: &Message,
) -> Result<MayRevise, Refusal> {
    let own = spoke(actor, message);
    let keeper = room.kind != RoomKind::Direct && actor.may_in(room, membership, Permission::EDIT_MESSAGE);
    let is_here = *post.room() == message.room && room.id == message.room;
    if is_here && actor.device.is_none() && message.kind == MessageKind::Said && (own || keeper) {
        return Ok(MayRevise { message: message.id.clone() });
    }
    Err(Refusal::NotAllowed(Right::EditMessage))
}

/// May the actor remove a message? Its author, the keepers of the room and of the node.
pub fn may_delete(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
    message: &Message,
) -> Result<MayRevise, Refusal> {
    may_read(actor, room, membership)?;
    let own = spoke(actor, message) && actor.may(Permission::DELETE_OWN_MESSAGE);
    let keeper = room.kind != RoomKind::Direct && actor.may_in(room, membership, Permission::DELETE_MESSAGE);
    if message.room == room.id && (own || keeper) {
        return Ok(MayRevise { message: message.id.clone() });
    }
    Err(Refusal::NotAllowed(Right::DeleteMessage))
}

/// May the actor react? Whoever may post there and read what they react to.
pub fn may_react(read: &MayRead, post: &MayPost, message: &Message) -> Result<MayRevise, Refusal> {
    if *post.room() == message.room && *read.room() == message.room {
        return Ok(MayRevise { message: message.id.clone() });
    }
    Err(Refusal::NoSuchMessage)
}

/// May the actor make a room of this kind?
pub fn may_create(actor: &Actor, kind: RoomKind) -> Result<MayCreate, Refusal> {
    let (permission, right) = match kind {
        RoomKind::Public => (Permission::CREATE_C, Right::CreatePublicRoom),
        RoomKind::Private => (Permission::CREATE_P, Right::CreatePrivateRoom),
        RoomKind::Direct => (Permission::CREATE_D, Right::CreateDirectRoom),
    };
    if actor.may(permission) { Ok(MayCreate { kind }) } else { Err(Refusal::NotAllowed(right)) }
}

/// May the actor manage users, devices or the node?
pub fn may_administer(actor: &Actor, right: Right) -> Result<MayAdminister, Refusal> {
    if actor.is(Role::Admin) { Ok(MayAdminister { right }) } else { Err(Refusal::NotAllowed(right)) }
}

/// May the actor change what roles may do?
pub fn may_set_permissions(actor: &Actor) -> Result<MayAdminister, Refusal> {
    let right = Right::ManageRoles;
    if actor.may(Permission::ACCESS_PERMISSIONS) {
        Ok(MayAdminister { right })
    } else {
        Err(Refusal::NotAllowed(right))
    }
}

/// May the actor take a backup of everything? Whoever holds one can read all of it.
pub fn may_back_up(actor: &Actor) -> Result<MayBackUp, Refusal> {
    may_administer(actor, Right::BackUp)?;
    Ok(MayBackUp { user: actor.user.id.clone() })
}

/// May the actor take along what was said in the room, as a file? Administrators may where they may read, as in
/// Rocket.Chat; the operator may everywhere: they could read the disk as well.
pub fn may_export(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
    is_operator: bool,
) -> Result<MayRead, Refusal> {
    may_administer(actor, Right::BackUp)?;
    if is_operator {
        return Ok(MayRead { room: room.id.clone(), user: actor.user.id.clone(), by: ReadsBy::Machine });
    }
    may_read(actor, room, membership)
}

/// May the actor bring messages into the room that were said elsewhere? Whoever does is believed when they say who said
/// what, and when: the operator, and administrators where they may read, who could set anybody's password as well.
pub fn may_import(
    actor: &Actor,
    room: &Room,
    membership: Option<&Membership>,
    is_operator: bool,
) -> Result<MayPost, Refusal> {
    may_export(actor, room, membership, is_operator)?;
    if room.archived {
        return Err(Refusal::RoomArchived);
    }
    Ok(MayPost { room: room.id.clone(), user: actor.user.id.clone() })
}

/// May the actor speak under another name or picture? Bots and those who keep order may, and devices by their role.
pub fn may_impersonate(actor: &Actor) -> Result<(), Refusal> {
    let roles = if actor.device.is_some() { Roles::of(&[Role::Device]) } else { actor.user.roles };
    if actor.permissions.allow(roles, Permission::MESSAGE_IMPERSONATE) {
        Ok(())
    } else {
        Err(Refusal::NotAllowed(Right::Impersonate))
    }
}

/// May the actor see who has an account here? Residents and guests may, devices not.
pub fn may_see_users(actor: &Actor) -> Result<(), Refusal> {
    if actor.device.is_none() { Ok(()) } else { Err(Refusal::NotAllowed(Right::SeeUsers)) }
}

/// May the actor make tokens for themselves?
pub fn may_create_tokens(actor: &Actor) -> Result<(), Refusal> {
    if actor.may(Permission::CREATE_PERSONAL_ACCESS_TOKENS) {
        Ok(())
    } else {
        Err(Refusal::NotAllowed(Right::CreateTokens))
    }
}

/// Said it themselves: that somebody joined or was removed is told by the node, only in their name.
fn spoke(actor: &Actor, message: &Message) -> bool {
    message.author.id == actor.user.id && message.kind == MessageKind::Said
}

/// A private room the actor is not in does not exist for them; a device knows only the rooms it is bound to.
fn hidden_or(actor: &Actor, room: &Room, membership: Option<&Membership>, right: Right) -> Refusal {
    let visible = match &actor.device {
        Some(device) => device.bindings.iter().any(|binding| binding.room == room.id),
        None => room.kind == RoomKind::Public || membership.is_some() || actor.is(Role::Admin),
    };
    if visible { Refusal::NotAllowed(right) } else { Refusal::NoSuchRoom }
}
