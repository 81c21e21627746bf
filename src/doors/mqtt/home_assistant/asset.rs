//! What there is to be found: the node, its rooms and its devices, and who finds which.

use super::{Discovery, Thing};
use crate::base::id::RoomId;
use crate::base::limits::{HA_DEVICES_MAX, HA_ROOMS_LOOKED_MAX, HA_ROOMS_MAX};
use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::chat::topic::{Filter, Topic};
use crate::chat::user::User;
use crate::node::{Catalog, Reading, refuse};
use std::sync::Arc;

/// One thing as it is now.
#[derive(Clone, Debug)]
pub enum Asset {
    /// The node itself.
    Node,
    /// A room, and the devices that speak there.
    Room(Arc<Room>, usize),
    /// A device.
    Device(Arc<User>),
}

/// All that may be found: the node, rooms that people or devices may speak in, and devices.
pub fn assets(reading: &Reading) -> Result<Vec<Asset>, Refusal> {
    let devices = reading.devices(None, HA_DEVICES_MAX).map_err(refuse)?;
    let bindings = devices.iter().flat_map(|device| &device.bindings).filter(|binding| binding.post);
    let mut bound: Vec<&RoomId> = bindings.map(|binding| &binding.room).collect();
    bound.sort_unstable();
    let rooms = reading.rooms(None, HA_ROOMS_LOOKED_MAX).map_err(refuse)?;
    // A private room is found by a device that was let in there, and by nobody else.
    let is_shown = |room: &Arc<Room>| {
        room.name.is_some()
            && !room.archived
            && (room.kind == RoomKind::Public || bound.binary_search(&&room.id).is_ok())
    };
    let rooms = rooms.into_iter().filter(is_shown).take(HA_ROOMS_MAX).map(|room| {
        let speakers = bound.iter().filter(|bound| ***bound == room.id).count();
        Asset::Room(room, speakers)
    });
    let mut all: Vec<Asset> = std::iter::once(Asset::Node).chain(rooms).collect();
    for device in &devices {
        all.extend(reading.user(&device.user).map_err(refuse)?.map(Asset::Device));
    }
    Ok(all)
}

impl Asset {
    /// Which it is.
    pub fn thing(&self) -> Thing {
        match self {
            Asset::Node => Thing::Node,
            Asset::Room(room, _) => Thing::Room(room.id.clone()),
            Asset::Device(user) => Thing::Device(user.id.clone()),
        }
    }
}

impl Discovery {
    /// The configuration of something as it is now.
    pub fn config_of(&self, reading: &Reading, asset: &Asset) -> Vec<u8> {
        match asset {
            Asset::Node => self.of_node(),
            Asset::Room(room, _) => self.of_room(room),
            Asset::Device(user) => {
                let topic = Topic::parse(&format!("linnet/device/{}/state", user.username));
                let state = topic.and_then(|topic| reading.retained_of(&topic)).ok().flatten();
                self.of_device(user, state.as_ref().map(|(_, state)| &state.payload[..]))
            }
        }
    }

    /// Whether somebody finds this: a room in which they may speak, a device whose state they may hear.
    pub fn is_for(&self, reading: &Reading, actor: &Actor, thing: &Thing) -> bool {
        match thing {
            Thing::Node => true,
            Thing::Room(id) => reading.room(id).ok().flatten().is_some_and(|room| {
                let is_open = room.kind == RoomKind::Public || actor.device.is_some();
                is_open && reading.may_post(actor, &room).is_ok()
            }),
            Thing::Device(id) => {
                let Ok(Some(user)) = reading.user(id) else { return false };
                let state = Filter::parse(&format!("linnet/device/{}/state", user.username));
                let heard = state.and_then(|state| reading.may_subscribe(actor, &state));
                heard.is_ok() && actor.user.id != *id
            }
        }
    }
}
