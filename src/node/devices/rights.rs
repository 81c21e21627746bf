//! What devices may do, changed later; and new keys for them.

use super::{KEY_PREFIX, NewDevice, Rights};
use crate::base::id::RoomId;
use crate::base::limits::DEVICE_ROOMS_MAX;
use crate::chat::change::What;
use crate::chat::device::{Binding, Device, DeviceChange, Rooms, TopicRights};
use crate::chat::policy;
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::Room;
use crate::chat::token::TokenKind;
use crate::chat::user::User;
use crate::node::{Caller, Catalog, Node, refuse};
use std::sync::Arc;

impl NewDevice {
    /// Its rights among topics. One that only reads its room is to go on with a key that may travel in an address, so
    /// unless told otherwise it publishes nothing.
    pub(super) fn granted(&self) -> Result<TopicRights, Refusal> {
        let mut topics = self.topics.clone();
        if topics.publish.is_empty() && topics.subscribe.is_empty() {
            let own = TopicRights::named_after(&self.name)?;
            topics.subscribe = own.subscribe;
            if !matches!(self.room, Some((_, Rights::Read))) {
                topics.publish = own.publish;
            }
        }
        topics.check().map(|()| topics)
    }
}

impl Node {
    /// Changes what a device may; what it may no longer, it may no longer at once.
    pub fn change_device(
        &mut self,
        caller: &Caller,
        name: &str,
        change: DeviceChange,
    ) -> Result<Device, Refusal> {
        let (_, device) = self.managed_device(caller, name)?;
        let bindings = self.bindings_after(caller, &device, &change.rooms)?;
        let changed = Device { bindings, ..change.apply(&device)? };
        if changed != *device {
            self.append(What::DeviceSet(changed.clone()))?;
        }
        Ok(changed)
    }

    fn bindings_after(
        &self,
        caller: &Caller,
        device: &Device,
        rooms: &Rooms,
    ) -> Result<Vec<Binding>, Refusal> {
        let (mut bindings, give) = match rooms {
            Rooms::Stay => return Ok(device.bindings.clone()),
            Rooms::Become(give) => (Vec::new(), give),
            Rooms::Change { take, give } => {
                let mut left = device.bindings.clone();
                for name in take {
                    let room = self.room_called(name)?.id.clone();
                    let at = left.iter().position(|binding| binding.room == room);
                    left.remove(at.ok_or(Refusal::Invalid {
                        what: "room to take away",
                        want: "one that the device has, as it is listed",
                    })?);
                }
                (left, give)
            }
        };
        let actor = self.actor(caller)?;
        for (name, post, read) in give {
            let room = self.room_called(name)?;
            let binding = Binding { room: room.id.clone(), post: *post, read: *read };
            if !post && !read {
                return Err(Refusal::Invalid { what: "right in a room", want: "to post, to read, or both" });
            }
            // What somebody else was let give stays.
            if !device.bindings.contains(&binding) {
                self.may_bind(caller, &actor, &room)?;
            }
            match bindings.iter_mut().find(|known| known.room == room.id) {
                Some(known) => *known = binding,
                None => bindings.push(binding),
            }
        }
        match bindings.len() > DEVICE_ROOMS_MAX {
            true => Err(Refusal::TooMany { what: "rooms of one device", max: DEVICE_ROOMS_MAX }),
            false => Ok(bindings),
        }
    }

    /// A room by name or id.
    fn room_called(&self, name: &str) -> Result<Arc<Room>, Refusal> {
        if let Some(room) = self.room_named(name).map_err(refuse)? {
            return Ok(room);
        }
        let by_id = RoomId::parse(name).map(|id| self.room(&id)).transpose().map_err(refuse)?;
        by_id.flatten().ok_or(Refusal::NoSuchRoom)
    }

    /// Gives a device a new key. The old one is no longer good, also for connections that are open.
    pub fn change_key(&mut self, caller: &Caller, name: &str) -> Result<(Arc<User>, String), Refusal> {
        let (user, _) = self.managed_device(caller, name)?;
        for token in self.tokens_of(&user.id).map_err(refuse)? {
            self.append(What::TokenRevoked { hash: token.hash, user: user.id.clone() })?;
        }
        let key = self.make_key(&user)?;
        Ok((user, key))
    }

    pub(super) fn make_key(&mut self, device: &User) -> Result<String, Refusal> {
        let label = device.username.as_str().into();
        Ok(self.make_token(&device.id, TokenKind::Device, label, None, KEY_PREFIX)?.0)
    }

    /// A device by its name, for a caller who may manage devices.
    pub(super) fn managed_device(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<(Arc<User>, Arc<Device>), Refusal> {
        policy::may_administer(&self.actor(caller)?, Right::ManageDevices)?;
        let user = self.user_named(name).map_err(refuse)?.ok_or(Refusal::NoSuchDevice)?;
        let device = self.device(&user.id).map_err(refuse)?.ok_or(Refusal::NoSuchDevice)?;
        Ok((user, device))
    }
}
