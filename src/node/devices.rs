//! Devices: what they are called, what they may do, and their keys.

mod login;
mod rights;

use crate::base::id::{RoomId, UserId};
use crate::base::limits::{DEVICE_ROOMS_MAX, SCAN_ENTRIES_MAX};
use crate::base::time::WallMs;
use crate::chat::change::What;
use crate::chat::device::{Binding, Device, TopicRights};
use crate::chat::name::Name;
use crate::chat::policy::{self, Actor};
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::{Role, Roles, User};
use crate::node::accounts::NewUser;
use crate::node::caller::Caller;
use crate::node::rooms::NewRoom;
use crate::node::{Node, Reading, refuse};
use crate::store::index::catalog::Catalog;
use crate::store::index::heard;
use smol_str::SmolStr;
use std::sync::Arc;

/// How every device's key begins, so that people recognise one.
pub const KEY_PREFIX: &str = "dv_";

/// What a device may do in its rooms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rights {
    /// Post and read.
    Both,
    /// Only read: its key may travel in an address.
    Read,
    /// Only post.
    Post,
}

impl Rights {
    fn binding(self, room: RoomId) -> Binding {
        Binding { room, post: self != Rights::Read, read: self != Rights::Post }
    }
}

/// A device that was just added, with the key that is told once.
#[derive(Clone, Debug)]
pub struct Added {
    /// The user it is.
    pub user: Arc<User>,
    /// Its key.
    pub key: String,
    /// The room it is bound to, which is made when there was none.
    pub room: Arc<Room>,
}

/// A device to be added.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its name.
    pub name: Name,
    /// The room it is bound to and what it may do there, if it is bound to one.
    pub room: Option<(SmolStr, Rights)>,
    /// What it may publish, hear and command. Where nothing to publish or hear is named, it is what begins with its name.
    pub topics: TopicRights,
    /// Whether a certificate logs it in.
    pub certificate: bool,
}

/// A device that was just made, with the key that is told once.
#[derive(Clone, Debug)]
pub struct Made {
    /// The user it is.
    pub user: Arc<User>,
    /// Its key.
    pub key: String,
    /// The room it is bound to, if there is one.
    pub room: Option<Arc<Room>>,
}

/// A device as administrators see it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The user it is.
    pub user: Arc<User>,
    /// What it may do, and the rooms by name.
    pub bindings: Vec<(Binding, SmolStr)>,
    /// What it may publish, hear and command.
    pub topics: TopicRights,
    /// Whether a certificate logs it in.
    pub certificate: bool,
    /// When it was last heard.
    pub heard: Option<WallMs>,
}

impl Reading {
    /// When this device was last heard: never later than now, whatever the clock did.
    pub fn heard_of(&self, device: &UserId) -> Result<Option<WallMs>, Refusal> {
        let heard = heard::heard(self, device).map_err(refuse)?;
        Ok(heard.map(|at| at.min(self.now().wall_ms)))
    }

    /// All devices, for those who may add them.
    pub fn devices_heard(&self, actor: &Actor) -> Result<Vec<Heard>, Refusal> {
        policy::may_administer(actor, Right::ManageDevices)?;
        let mut devices = Vec::new();
        for device in self.devices(None, SCAN_ENTRIES_MAX).map_err(refuse)? {
            devices.extend(self.heard_with(&device)?);
        }
        Ok(devices)
    }

    /// The device of this name, for those who may add devices.
    pub fn device_heard(&self, actor: &Actor, name: &str) -> Result<Heard, Refusal> {
        policy::may_administer(actor, Right::ManageDevices)?;
        let user = self.user_named(name).map_err(refuse)?.ok_or(Refusal::NoSuchDevice)?;
        let device = self.device(&user.id).map_err(refuse)?.ok_or(Refusal::NoSuchDevice)?;
        self.heard_with(&device)?.ok_or(Refusal::NoSuchDevice)
    }

    fn heard_with(&self, device: &Device) -> Result<Option<Heard>, Refusal> {
        let Some(user) = self.user(&device.user).map_err(refuse)? else { return Ok(None) };
        let mut bindings = Vec::with_capacity(device.bindings.len());
        for binding in &device.bindings {
            let room = self.room(&binding.room).map_err(refuse)?;
            bindings.push((binding.clone(), room.map_or_else(SmolStr::default, |room| room.label().into())));
        }
        let (topics, certificate) = (device.topics.clone(), device.certificate);
        Ok(Some(Heard { heard: self.heard_of(&user.id)?, user, bindings, topics, certificate }))
    }
}

impl Node {
    /// Adds a device bound to a room, with a key of its own and the topics that begin with its name.
    pub fn add_device(
        &mut self,
        caller: &Caller,
        name: Name,
        room_name: &str,
        rights: Rights,
    ) -> Result<Added, Refusal> {
        let room = Some((room_name.into(), rights));
        let made = self.make_device(
            caller,
            NewDevice { name, room, topics: TopicRights::default(), certificate: false },
        )?;
        let room = made.room.expect("a room was asked for");
        Ok(Added { user: made.user, key: made.key, room })
    }

    /// Makes a device with a key of its own. A room of that name is made if there is none.
    pub fn make_device(&mut self, caller: &Caller, new: NewDevice) -> Result<Made, Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::ManageDevices)?;
        let topics = new.granted()?;
        let room = new.room.as_ref().map(|(name, _)| self.room_or_new(caller, name)).transpose()?;
        if let Some(room) = &room {
            self.may_bind(caller, &actor, room)?;
        }
        let user = self.make_user(NewUser::without_password(new.name, Role::Device))?;
        let binding = room.as_ref().zip(new.room).map(|(room, (_, rights))| rights.binding(room.id.clone()));
        self.append(What::DeviceSet(Device {
            user: user.id.clone(),
            bindings: binding.into_iter().collect(),
            topics,
            certificate: new.certificate,
            added_by: Some(actor.user.id.clone()),
            created: self.now().wall_ms,
        }))?;
        let key = self.make_key(&user)?;
        Ok(Made { user, key, room })
    }

    /// Binds a device to one more room, or changes what it may do there.
    pub fn bind_device(
        &mut self,
        caller: &Caller,
        device: &UserId,
        room: &RoomId,
        rights: Rights,
    ) -> Result<Device, Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::ManageDevices)?;
        let known = self.device(device).map_err(refuse)?.ok_or(Refusal::NoSuchDevice)?;
        let room_there = self.room(room).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
        self.may_bind(caller, &actor, &room_there)?;
        let mut changed = (*known).clone();
        changed.bindings.retain(|binding| binding.room != *room);
        if changed.bindings.len() >= DEVICE_ROOMS_MAX {
            return Err(Refusal::TooMany { what: "rooms of one device", max: DEVICE_ROOMS_MAX });
        }
        changed.bindings.push(rights.binding(room.clone()));
        self.append(What::DeviceSet(changed.clone()))?;
        Ok(changed)
    }

    fn may_bind(&self, caller: &Caller, actor: &Actor, room: &Room) -> Result<(), Refusal> {
        let membership = self.membership(&room.id, &actor.user.id).map_err(refuse)?;
        policy::may_bind(actor, room, membership.as_ref(), *caller == Caller::Operator).map(drop)
    }

    /// Removes a device; its key is no longer good, also for connections that are open.
    pub fn remove_device(&mut self, caller: &Caller, name: &str) -> Result<(), Refusal> {
        let (user, _) = self.managed_device(caller, name)?;
        self.append(What::UserRemoved { user: user.id.clone(), username: user.username.clone() })?;
        Ok(())
    }

    /// What a bridge of the operator's settings needs: the bot user it speaks as and the room it speaks in, which are made
    /// when there are none. In a room that is not open to everyone the bot becomes a member.
    pub fn set_up_bridge(&mut self, bridge: &Name, room_name: &Name) -> Result<(UserId, RoomId), Refusal> {
        let user = self.bridge_user(bridge)?;
        let room = self.room_or_new(&Caller::Operator, room_name.as_str())?;
        if room.kind != RoomKind::Public && self.membership(&room.id, &user).map_err(refuse)?.is_none() {
            let bot = self.user(&user).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
            self.enter(&bot, &room, Roles::NONE)?;
        }
        Ok((user, room.id.clone()))
    }

    pub(super) fn room_or_new(&mut self, caller: &Caller, name: &str) -> Result<Arc<Room>, Refusal> {
        match self.room_named(name).map_err(refuse)? {
            Some(room) => Ok(room),
            None => self.create_room(caller, NewRoom::named(RoomKind::Public, Name::parse_room(name)?)),
        }
    }

    /// The bot user a bridge speaks as; made when there is none.
    pub fn bridge_user(&mut self, bridge: &Name) -> Result<UserId, Refusal> {
        let id =
            UserId::parse(&format!("bridge.{bridge}")).ok_or(Refusal::NameInvalid(bridge.as_str().into()))?;
        if self.user(&id).map_err(refuse)?.is_none() {
            let mut new = NewUser::without_password(bridge.clone(), Role::Bot);
            if self.user_named(bridge.as_str()).map_err(refuse)?.is_some() {
                new.username = Name::parse(&format!("{bridge}.bridge"))?;
            }
            new.id = Some(id.clone());
            self.make_user(new)?;
        }
        Ok(id)
    }
}
