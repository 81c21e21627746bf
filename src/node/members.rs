//! Who is in a room: entering, leaving, being brought in and sent out, and how far each has read.

use crate::base::id::{RoomId, UserId};
use crate::base::limits::{INVITED_AT_ONCE_MAX, MEMBERSHIPS_MAX, SCAN_ENTRIES_MAX};
use crate::chat::change::What;
use crate::chat::membership::{Membership, ReadMark};
use crate::chat::message::{Draft, MessageKind};
use crate::chat::name::Text;
use crate::chat::permission::Permission;
use crate::chat::policy::{self, Actor};
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::{Role, Roles, User};
use crate::node::caller::Caller;
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;
use std::sync::Arc;

impl Node {
    /// Becomes a member of a public room.
    pub fn join_room(&mut self, caller: &Caller, room: &RoomId) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        policy::may_join(&actor, &room, membership.as_ref())?;
        if membership.is_none() {
            self.enter(&actor.user.clone(), &room, Roles::NONE)?;
        }
        Ok(room)
    }

    /// Makes a user a member and says so in the room.
    pub(super) fn enter(&mut self, user: &Arc<User>, room: &Room, roles: Roles) -> Result<(), Refusal> {
        self.add_member(user, room, roles)?;
        self.tell(room, user, MessageKind::UserJoined, "")
    }

    /// Makes a user a member who has read everything so far.
    pub(super) fn add_member(&mut self, user: &Arc<User>, room: &Room, roles: Roles) -> Result<(), Refusal> {
        if self.memberships(&user.id).map_err(refuse)?.len() >= MEMBERSHIPS_MAX {
            return Err(Refusal::TooMany { what: "rooms of one person", max: MEMBERSHIPS_MAX });
        }
        let joined = self.now().wall_ms;
        let (room, user) = (room.id.clone(), user.id.clone());
        let tail = self.room_tail(&room).map_err(refuse)?.unwrap_or_default();
        let mark = ReadMark { count: tail.count, seq: tail.seq, at: joined };
        let membership = Membership {
            room: room.clone(),
            user: user.clone(),
            roles,
            joined,
            open: true,
            favourite: false,
        };
        self.append(What::Joined(membership))?;
        if mark.count > 0 {
            self.append(What::Read { room, user, mark })?;
        }
        Ok(())
    }

    pub(super) fn enter_default_rooms(&mut self, user: &Arc<User>) -> Result<(), Refusal> {
        let rooms = self.rooms(None, SCAN_ENTRIES_MAX).map_err(refuse)?;
        for room in rooms.iter().filter(|room| room.joined_by_default && !room.archived) {
            self.enter(user, room, Roles::NONE)?;
        }
        Ok(())
    }

    /// Says in the room what happened there, in the name of `who`. An archived room is not told.
    pub(super) fn tell(
        &mut self,
        room: &Room,
        who: &Arc<User>,
        kind: MessageKind,
        text: &str,
    ) -> Result<(), Refusal> {
        // The event itself was permitted; that it is told needs no right of the one it happened to.
        let teller = self.actor(&Caller::Operator)?;
        let Ok(permit) = policy::may_post(&teller, room, Some(&node_membership(room))) else { return Ok(()) };
        let actor = Actor { user: who.clone(), ..teller };
        let draft = Draft { text: Text::parse(text)?, ..Draft::default() };
        self.say(permit, &actor, kind, draft, None)?;
        Ok(())
    }

    /// Brings people into a room.
    pub fn invite(&mut self, caller: &Caller, room: &RoomId, users: &[UserId]) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        if users.len() > INVITED_AT_ONCE_MAX {
            return Err(Refusal::TooMany { what: "members named at once", max: INVITED_AT_ONCE_MAX });
        }
        let (room, membership) = self.room_and_place(&actor, room)?;
        policy::may_invite(&actor, &room, membership.as_ref())?;
        for id in users {
            let user = self.user(id).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
            if user.is(Role::Device) {
                return Err(Refusal::NoSuchUser);
            }
            if self.membership(&room.id, id).map_err(refuse)?.is_none() {
                self.add_member(&user, &room, Roles::NONE)?;
                self.tell(&room, &actor.user, MessageKind::UserAdded, user.username.as_str())?;
            }
        }
        Ok(room)
    }

    /// Leaves a room. Its only owner stays, unless nobody else is in it.
    pub fn leave_room(&mut self, caller: &Caller, room: &RoomId) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        let membership = membership.ok_or(Refusal::NotMember)?;
        if room.kind == RoomKind::Direct {
            return Err(Refusal::Invalid { what: "room", want: "a room that is not a direct one" });
        }
        self.another_owner_stays(&room, &membership)?;
        self.append(What::Left { room: room.id.clone(), user: actor.user.id.clone(), by: None })?;
        self.tell(&room, &actor.user, MessageKind::UserLeft, "")?;
        Ok(room)
    }

    fn another_owner_stays(&self, room: &Room, leaving: &Membership) -> Result<(), Refusal> {
        if !leaving.roles.has(Role::Owner) {
            return Ok(());
        }
        let members = self.members(&room.id, None, SCAN_ENTRIES_MAX).map_err(refuse)?;
        let mut others = members.iter().filter(|user| **user != leaving.user).peekable();
        if others.peek().is_none() {
            return Ok(());
        }
        for user in others {
            if self.membership(&room.id, user).map_err(refuse)?.is_some_and(|m| m.roles.has(Role::Owner)) {
                return Ok(());
            }
        }
        Err(Refusal::LastOwner)
    }

    /// Removes somebody from a room. Whoever listens there for them hears nothing that comes after.
    pub fn kick(&mut self, caller: &Caller, room: &RoomId, user: &UserId) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        let place = self.membership(&room.id, user).map_err(refuse)?;
        // Who may not remove anybody is not told who is in.
        let other = place.clone().unwrap_or_else(|| nobody_special(&room, user));
        policy::may_kick(&actor, &room, membership.as_ref(), &other)?;
        let kicked = self.user(user).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
        let place = place.ok_or(Refusal::NotMember)?;
        self.another_owner_stays(&room, &place)?;
        let by = Some(actor.user.id.clone());
        self.append(What::Left { room: room.id.clone(), user: user.clone(), by })?;
        self.tell(&room, &actor.user, MessageKind::UserRemoved, kicked.username.as_str())?;
        Ok(room)
    }

    /// Gives or takes a role in a room.
    pub fn set_room_role(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        user: &UserId,
        role: Role,
        on: bool,
    ) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        let permission = match role {
            Role::Owner => Permission::SET_OWNER,
            Role::Moderator => Permission::SET_MODERATOR,
            Role::Leader => Permission::SET_LEADER,
            _ => return Err(Refusal::Invalid { what: "role", want: "owner, moderator or leader" }),
        };
        policy::may_manage(&actor, &room, membership.as_ref(), permission)?;
        let target = self.user(user).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
        let place = self.membership(&room.id, user).map_err(refuse)?.ok_or(Refusal::NotMember)?;
        if place.roles.has(role) == on {
            return Ok(());
        }
        if role == Role::Owner && !on {
            self.another_owner_stays(&room, &place)?;
        }
        let roles = if on { place.roles.with(role) } else { place.roles.without(role) };
        self.append(What::MembershipChanged(Membership { roles, ..place }))?;
        let kind = if on { MessageKind::RoleGiven } else { MessageKind::RoleTaken };
        self.tell(&room, &actor.user, kind, &format!("{} {}", target.username, role.word()))
    }

    /// Lists a room again or no longer, first or among the others, for the caller alone.
    pub fn arrange_room(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        open: Option<bool>,
        favourite: Option<bool>,
    ) -> Result<Membership, Refusal> {
        let actor = self.actor(caller)?;
        let place = self.membership(room, &actor.user.id).map_err(refuse)?.ok_or(Refusal::NotMember)?;
        let mut changed = place.clone();
        changed.open = open.unwrap_or(changed.open);
        changed.favourite = favourite.unwrap_or(changed.favourite);
        if changed != place {
            self.append(What::MembershipChanged(changed.clone()))?;
        }
        Ok(changed)
    }

    /// Marks everything in a room as read by the caller, up to and with message number `upto`, or to the end.
    pub fn mark_read(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        upto: Option<u64>,
    ) -> Result<ReadMark, Refusal> {
        let actor = self.actor(caller)?;
        self.membership(room, &actor.user.id).map_err(refuse)?.ok_or(Refusal::NotMember)?;
        let tail = self.room_tail(room).map_err(refuse)?.unwrap_or_default();
        let former = self.read_mark(room, &actor.user.id).map_err(refuse)?;
        let count = upto.unwrap_or(tail.count).min(tail.count);
        if former.count == count {
            return Ok(former);
        }
        let mark = ReadMark { count, seq: tail.seq, at: self.now().wall_ms };
        self.append(What::Read { room: room.clone(), user: actor.user.id.clone(), mark })?;
        Ok(mark)
    }
}

/// What the node shows where it tells a room what happened there: the right of a keeper.
fn node_membership(room: &Room) -> Membership {
    let roles = Roles::of(&[Role::Owner]);
    Membership { roles, ..nobody_special(room, &crate::node::caller::NODE_USER) }
}

/// A place in the room without any role.
fn nobody_special(room: &Room, user: &UserId) -> Membership {
    let (room, user, joined) = (room.id.clone(), user.clone(), room.created);
    Membership { room, user, roles: Roles::NONE, joined, open: false, favourite: false }
}
