//! Lists of rooms, people and the like as one caller may see them. Every listing looks at a bounded number of
//! entries and gives one page of them.

use crate::base::id::{MessageId, RoomId, UserId};
use crate::base::limits::{INVITATIONS_MAX, PAGE_ENTRIES_MAX, SCAN_ENTRIES_MAX};
use crate::chat::invitation::{Invitation, InvitationKind};
use crate::chat::membership::Membership;
use crate::chat::message::Message;
use crate::chat::policy::{self, Actor, MayRead};
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::{Room, RoomKind};
use crate::chat::token::{Token, TokenKind};
use crate::chat::user::User;
use crate::node::books::Books;
use crate::node::caller::{NODE_USER, hash_token};
use crate::node::invitations::{bare, is_good};
use crate::node::reading::Granted;
use crate::node::{Reading, refuse};
use crate::store::index::catalog::Catalog;
use std::sync::Arc;

/// Which part of a list is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// Entries to leave out at the beginning.
    pub offset: usize,
    /// Entries wanted, at most [`PAGE_ENTRIES_MAX`].
    pub max: usize,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Entries of the whole list, as far as it was looked at.
    pub total: usize,
}

impl Slice {
    /// This part of these.
    pub fn of<T>(self, all: impl IntoIterator<Item = T>) -> Listed<T> {
        let max = self.max.min(PAGE_ENTRIES_MAX);
        let (mut items, mut total) = (Vec::new(), 0);
        for item in all {
            if total >= self.offset && items.len() < max {
                items.push(item);
            }
            total += 1;
        }
        Listed { items, total }
    }
}

/// A user as somebody names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// By id.
    Id(String),
    /// By username.
    Name(String),
}

impl Reading {
    /// A room the actor may know of, though perhaps not read: what they want to do with it is judged when they do it.
    pub fn room_known(&self, actor: &Actor, id_or_name: &str) -> Result<Arc<Room>, Refusal> {
        let room = self.room_by(id_or_name)?;
        match self.may_read(actor, &room) {
            Ok(_) | Err(Refusal::NotAllowed(_)) => Ok(room),
            Err(hidden) => Err(hidden),
        }
    }

    /// Public rooms the actor may read, by name.
    pub fn public_rooms(
        &self,
        actor: &Actor,
        wanted: impl Fn(&Room) -> bool,
        slice: Slice,
    ) -> Result<Listed<Arc<Room>>, Refusal> {
        let rooms = self.rooms(None, SCAN_ENTRIES_MAX).map_err(refuse)?;
        let seen = |room: &Arc<Room>| {
            room.kind == RoomKind::Public && wanted(room) && policy::may_read(actor, room, None).is_ok()
        };
        Ok(slice.of(rooms.into_iter().filter(seen)))
    }

    /// All rooms that have a name, for those who run the node.
    pub fn all_rooms(
        &self,
        actor: &Actor,
        wanted: impl Fn(&Room) -> bool,
        slice: Slice,
    ) -> Result<Listed<Arc<Room>>, Refusal> {
        policy::may_administer(actor, Right::ManageRoom)?;
        let rooms = self.rooms(None, SCAN_ENTRIES_MAX).map_err(refuse)?;
        Ok(slice.of(rooms.into_iter().filter(|room| wanted(room))))
    }

    /// Whether a room of this name exists, for those who could make one.
    pub fn room_name_taken(&self, actor: &Actor, name: &str) -> Result<bool, Refusal> {
        policy::may_create(actor, RoomKind::Public)?;
        Ok(self.room_named(name).map_err(refuse)?.is_some())
    }

    /// Users, by username.
    pub fn users_seen(
        &self,
        actor: &Actor,
        wanted: impl Fn(&User) -> bool,
        slice: Slice,
    ) -> Result<Listed<Arc<User>>, Refusal> {
        policy::may_see_users(actor)?;
        let users = self.users(None, SCAN_ENTRIES_MAX).map_err(refuse)?;
        Ok(slice.of(users.into_iter().filter(|user| user.id != NODE_USER && wanted(user))))
    }

    /// One user. Everybody may see themselves.
    pub fn user_seen(&self, actor: &Actor, who: &Who) -> Result<Arc<User>, Refusal> {
        let found = match who {
            Who::Id(id) => UserId::parse(id).map(|id| self.user(&id)),
            Who::Name(name) => Some(self.user_named(name)),
        };
        let user = found.transpose().map_err(refuse)?.flatten();
        if user.as_ref().is_none_or(|user| user.id != actor.user.id) {
            policy::may_see_users(actor)?;
        }
        user.ok_or(Refusal::NoSuchUser)
    }

    /// The members of a room with their places in it, by username.
    pub fn members_seen(
        &self,
        actor: &Actor,
        permit: &MayRead,
        wanted: impl Fn(&User, &Membership) -> bool,
        slice: Slice,
    ) -> Result<Listed<(Arc<User>, Membership)>, Refusal> {
        policy::may_see_users(actor)?;
        let mut members = Vec::new();
        for id in self.members(permit.room(), None, SCAN_ENTRIES_MAX).map_err(refuse)? {
            let Some(user) = self.user(&id).map_err(refuse)? else { continue };
            let Some(place) = self.membership(permit.room(), &id).map_err(refuse)? else { continue };
            if wanted(&user, &place) {
                members.push((user.username.folded(), user, place));
            }
        }
        members.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(slice.of(members.into_iter().map(|(_, user, place)| (user, place))))
    }

    /// Whether somebody is a member of a room the actor may read.
    pub fn is_member(&self, permit: &MayRead, user: &UserId) -> Result<bool, Refusal> {
        Ok(self.membership(permit.room(), user).map_err(refuse)?.is_some())
    }

    /// The message of this id, if the actor may read its room.
    pub fn message_for(&self, actor: &Actor, id: &MessageId) -> Result<(Message, Granted), Refusal> {
        let message = self.message(id)?.ok_or(Refusal::NoSuchMessage)?;
        let room = self.room(&message.room).map_err(refuse)?.ok_or(Refusal::NoSuchMessage)?;
        match self.may_read(actor, &room) {
            Ok(granted) => Ok((message, granted)),
            // Whoever may not read the room does not learn which ids there are.
            Err(_) => Err(Refusal::NoSuchMessage),
        }
    }

    /// The actor's own personal access tokens.
    pub fn personal_tokens(&self, actor: &Actor) -> Result<Vec<Token>, Refusal> {
        policy::may_create_tokens(actor)?;
        let mut tokens = self.tokens_of(&actor.user.id).map_err(refuse)?;
        tokens.retain(|token| token.kind == TokenKind::Personal);
        Ok(tokens)
    }

    /// The invitations into rooms that the actor made; all of them for those who run the node.
    pub fn invitations_seen(&self, actor: &Actor) -> Result<Vec<Invitation>, Refusal> {
        let all = policy::may_administer(actor, Right::ManageNode).is_ok();
        let mut known = self.invitations(INVITATIONS_MAX).map_err(refuse)?;
        known.retain(|known| {
            let own = known.by.as_ref() == Some(&actor.user.id);
            matches!(known.kind, InvitationKind::Join(_)) && (all || own) && is_good(known, self.clock())
        });
        Ok(known)
    }

    /// The room a code leads to, while it can be used. Whoever has the code may ask.
    pub fn room_of_code(&self, code: &str) -> Result<RoomId, Refusal> {
        let found = self.invitation(&hash_token(&bare(code))).map_err(refuse)?.ok_or(Refusal::CodeUnknown)?;
        match &found.kind {
            InvitationKind::Join(room) if is_good(&found, self.clock()) => Ok(room.clone()),
            InvitationKind::Join(_) | InvitationKind::Owner => Err(Refusal::CodeUnknown),
        }
    }
}
