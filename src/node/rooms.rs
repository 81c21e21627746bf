//! Rooms, and who is in them.

use crate::base::id::{RoomId, UserId};
use crate::base::limits::{DIRECT_PEOPLE_MAX, INVITED_AT_ONCE_MAX};
use crate::chat::change::What;
use crate::chat::membership::Membership;
use crate::chat::message::MessageKind;
use crate::chat::name::{Name, Opaque};
use crate::chat::permission::Permission;
use crate::chat::policy::{self, Actor, MayManage};
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::{Role, Roles};
use crate::node::caller::Caller;
use crate::node::{Node, Reading, refuse};
use crate::store::index::catalog::Catalog;
use smol_str::SmolStr;
use std::sync::Arc;

/// A room to be.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// Public or private.
    pub kind: RoomKind,
    /// Its name.
    pub name: Name,
    /// Who is in it besides the one who makes it.
    pub members: Vec<UserId>,
    /// Only its keepers post.
    pub read_only: bool,
    /// One line on what it is about.
    pub topic: SmolStr,
    /// Whether the one who makes it stays out of it.
    pub without_creator: bool,
    /// What clients keep with it.
    pub extra: Option<Opaque>,
}

impl NewRoom {
    /// A room with a name and nothing else.
    pub fn named(kind: RoomKind, name: Name) -> Self {
        let topic = SmolStr::default();
        Self { kind, name, members: Vec::new(), read_only: false, topic, without_creator: false, extra: None }
    }
}

/// What changes about a room; `None` leaves it as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoomPatch {
    /// The name in addresses.
    pub name: Option<Name>,
    /// Public or private.
    pub kind: Option<RoomKind>,
    /// One line on what it is about.
    pub topic: Option<SmolStr>,
    /// A longer text on what it is for.
    pub description: Option<SmolStr>,
    /// A text shown on top.
    pub announcement: Option<SmolStr>,
    /// Only its keepers post.
    pub read_only: Option<bool>,
    /// Nobody posts any more.
    pub archived: Option<bool>,
    /// Newcomers join it without asking; only administrators may say so.
    pub joined_by_default: Option<bool>,
    /// What clients keep with it.
    pub extra: Option<Opaque>,
}

impl Node {
    /// Makes a room; who makes it owns it.
    pub fn create_room(&mut self, caller: &Caller, new: NewRoom) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        let permit = policy::may_create(&actor, new.kind)?;
        if *permit.kind() == RoomKind::Direct {
            return Err(Refusal::Invalid {
                what: "type",
                want: "c for a public room or p for a private one",
            });
        }
        if new.members.len() > INVITED_AT_ONCE_MAX {
            return Err(Refusal::TooMany { what: "members named at once", max: INVITED_AT_ONCE_MAX });
        }
        self.room_name_is_free(&new.name)?;
        let room = Room {
            id: RoomId::mint(self.world()),
            kind: new.kind,
            name: Some(new.name),
            creator: actor.user.id.clone(),
            created: self.now().wall_ms,
            topic: new.topic,
            description: SmolStr::default(),
            announcement: SmolStr::default(),
            read_only: new.read_only,
            joined_by_default: false,
            archived: false,
            people: Vec::new(),
            extra: new.extra,
        };
        let room = Arc::new(room);
        self.append(What::RoomMade((*room).clone()))?;
        if !new.without_creator && *caller != Caller::Operator {
            self.add_member(&actor.user, &room, Roles::of(&[Role::Owner]))?;
        }
        for id in new.members.iter().filter(|id| **id != actor.user.id) {
            let user = self.user(id).map_err(refuse)?.filter(|user| !user.is(Role::Device));
            self.add_member(&user.ok_or(Refusal::NoSuchUser)?, &room, Roles::NONE)?;
        }
        Ok(room)
    }

    fn room_name_is_free(&self, name: &Name) -> Result<(), Refusal> {
        match self.room_named(name.as_str()).map_err(refuse)? {
            Some(_) => Err(Refusal::RoomNameTaken(name.as_str().into())),
            None => Ok(()),
        }
    }

    /// The direct room of the caller and these people: the one there is, or a new one.
    pub fn direct_room(&mut self, caller: &Caller, with: &[UserId]) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        policy::may_create(&actor, RoomKind::Direct)?;
        let mut people: Vec<UserId> = with.iter().cloned().chain([actor.user.id.clone()]).collect();
        people.sort();
        people.dedup();
        if people.len() > DIRECT_PEOPLE_MAX {
            return Err(Refusal::TooMany { what: "people in a direct room", max: DIRECT_PEOPLE_MAX });
        }
        let id = direct_id(&people);
        if let Some(room) = self.room(&id).map_err(refuse)? {
            self.reopen(&actor, &room)?;
            return Ok(room);
        }
        let created = self.now().wall_ms;
        let none = SmolStr::default;
        let room = Arc::new(Room {
            id,
            kind: RoomKind::Direct,
            name: None,
            creator: actor.user.id.clone(),
            created,
            topic: none(),
            description: none(),
            announcement: none(),
            read_only: false,
            joined_by_default: false,
            archived: false,
            people: people.clone(),
            extra: None,
        });
        self.append(What::RoomMade((*room).clone()))?;
        for id in &people {
            let user = self.user(id).map_err(refuse)?.filter(|user| user.active && !user.is(Role::Device));
            self.add_member(&user.ok_or(Refusal::NoSuchUser)?, &room, Roles::NONE)?;
        }
        Ok(room)
    }

    fn reopen(&mut self, actor: &Actor, room: &Room) -> Result<(), Refusal> {
        let membership =
            self.membership(&room.id, &actor.user.id).map_err(refuse)?.ok_or(Refusal::NotMember)?;
        if !membership.open {
            self.append(What::MembershipChanged(Membership { open: true, ..membership }))?;
        }
        Ok(())
    }

    /// Changes a room and tells it what changed.
    pub fn change_room(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        patch: RoomPatch,
    ) -> Result<Arc<Room>, Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        let mut permit = None;
        for asked in patch.permissions() {
            permit = Some(policy::may_manage(&actor, &room, membership.as_ref(), asked)?);
        }
        let permit = match permit {
            Some(permit) => permit,
            None => policy::may_set_topic(&actor, &room, membership.as_ref())?,
        };
        if patch.joined_by_default.is_some() {
            policy::may_administer(&actor, crate::chat::refusal::Right::ManageRoom)?;
        }
        self.patch_room(permit, &actor, &room, patch)
    }

    fn patch_room(
        &mut self,
        permit: MayManage,
        actor: &Actor,
        room: &Room,
        patch: RoomPatch,
    ) -> Result<Arc<Room>, Refusal> {
        debug_assert_eq!(*permit.room(), room.id, "a permit is for one room");
        let mut changed = room.clone();
        if let Some(name) = patch.name {
            if room.name.as_ref().is_none_or(|former| former.folded() != name.folded()) {
                self.room_name_is_free(&name)?;
            }
            changed.name = Some(name);
        }
        if patch.kind == Some(RoomKind::Direct) {
            return Err(Refusal::Invalid {
                what: "type",
                want: "c for a public room or p for a private one",
            });
        }
        changed.kind = patch.kind.unwrap_or(changed.kind);
        changed.topic = patch.topic.unwrap_or(changed.topic);
        changed.description = patch.description.unwrap_or(changed.description);
        changed.announcement = patch.announcement.unwrap_or(changed.announcement);
        changed.read_only = patch.read_only.unwrap_or(changed.read_only);
        changed.archived = patch.archived.unwrap_or(changed.archived);
        changed.joined_by_default = patch.joined_by_default.unwrap_or(changed.joined_by_default);
        changed.extra = patch.extra.or(changed.extra);
        if changed == *room {
            return Ok(Arc::new(changed));
        }
        let renamed = changed.name.as_ref().map(Name::folded) != room.name.as_ref().map(Name::folded);
        let former_name = room.name.clone().filter(|_| renamed);
        self.append(What::RoomChanged { room: changed.clone(), former_name })?;
        for (kind, text) in differences(room, &changed) {
            self.tell(&changed, &actor.user, kind, &text)?;
        }
        Ok(Arc::new(changed))
    }

    /// Removes a room with everything said in it.
    pub fn remove_room(&mut self, caller: &Caller, room: &RoomId) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        let asked = match room.kind {
            RoomKind::Public => Permission::DELETE_C,
            RoomKind::Private | RoomKind::Direct => Permission::DELETE_P,
        };
        let permit = policy::may_manage(&actor, &room, membership.as_ref(), asked)?;
        if *permit.room() == Room::GENERAL {
            return Err(Refusal::Invalid { what: "room", want: "any room but #general" });
        }
        self.append(What::RoomRemoved { room: room.id.clone(), name: room.name.clone() })?;
        Ok(())
    }
}

impl RoomPatch {
    /// What it takes to make it, beside the topic.
    fn permissions(&self) -> impl Iterator<Item = Permission> {
        let texts = self.description.is_some() || self.announcement.is_some() || self.name.is_some();
        let edits = texts || self.kind.is_some() || self.extra.is_some() || self.joined_by_default.is_some();
        let archives = self.archived.map(|archived| match archived {
            true => Permission::ARCHIVE_ROOM,
            false => Permission::UNARCHIVE_ROOM,
        });
        let silences = self.read_only.map(|_| Permission::SET_READONLY);
        [edits.then_some(Permission::EDIT_ROOM), archives, silences].into_iter().flatten()
    }
}

impl Reading {
    /// The direct room of these people, if they have one.
    pub fn direct_room_of(&self, mut people: Vec<UserId>) -> Result<Option<Arc<Room>>, Refusal> {
        people.sort();
        people.dedup();
        self.room(&direct_id(&people)).map_err(refuse)
    }
}

/// The id of the direct room of these people, sorted: the ids of two side by side, as Rocket.Chat's clients expect.
fn direct_id(people: &[UserId]) -> RoomId {
    use sha2::{Digest, Sha256};
    let joined = match people {
        [one] => format!("{one}{one}"),
        [one, two] => format!("{one}{two}"),
        many => many.iter().map(UserId::as_str).collect::<Vec<_>>().join(" "),
    };
    RoomId::parse(&joined).filter(|_| people.len() <= 2).unwrap_or_else(|| {
        let digest = Sha256::digest(joined.as_bytes());
        let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        RoomId::parse(&hex).expect("hexadecimal digits make an id")
    })
}

fn differences(before: &Room, now: &Room) -> Vec<(MessageKind, String)> {
    let mut told = Vec::new();
    let mut tell = |changed: bool, kind, text: &str| {
        if changed {
            told.push((kind, text.to_owned()));
        }
    };
    tell(before.name != now.name, MessageKind::RoomRenamed, now.label());
    tell(before.topic != now.topic, MessageKind::TopicChanged, &now.topic);
    tell(before.description != now.description, MessageKind::DescriptionChanged, &now.description);
    tell(before.announcement != now.announcement, MessageKind::AnnouncementChanged, &now.announcement);
    let privacy = if now.kind == RoomKind::Public { "public" } else { "private" };
    tell(before.kind != now.kind, MessageKind::PrivacyChanged, privacy);
    tell(before.read_only != now.read_only, MessageKind::ReadOnlyChanged, &now.read_only.to_string());
    tell(before.archived != now.archived, MessageKind::ArchivedChanged, &now.archived.to_string());
    told
}
