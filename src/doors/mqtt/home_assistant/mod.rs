//! What Home Assistant is told so that it finds the node, its rooms and its devices by itself: one configuration for each,
//! in the form of a device with all its components that it reads since 2024.11 (`<prefix>/device/<id>/config`).
//!
//! A room is a notify entity and an event; a device has its state, what it reports, and a notify entity for its `in`. Ids
//! never change: what is renamed keeps its place there.

mod asset;
pub mod parts;

pub use asset::{Asset, assets};

use crate::base::id::{RoomId, UserId};
use crate::base::limits::HA_PREFIX_BYTES_MAX;
use crate::chat::room::Room;
use crate::chat::topic::Topic;
use crate::chat::user::User;
use serde_json::{Map, Value, json};

/// How the names of states that stand for the node begin in its own topics.
const NODE_STATE: &str = "status/node";

/// What a configuration is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thing {
    /// The node itself.
    Node,
    /// A room.
    Room(RoomId),
    /// A device.
    Device(UserId),
}

/// Where Home Assistant looks, and where it finds what it is told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discovery {
    /// What its topics begin with.
    pub prefix: String,
    /// What the topics of the node begin with, `linnet` at its own broker.
    pub base: String,
    /// Whether that is so: elsewhere there is only what a bridge brings there.
    pub is_own: bool,
    /// The node's number.
    pub node: u64,
    /// How the node is called.
    pub name: String,
    /// The program's version.
    pub version: &'static str,
}

/// Whether topics may begin so: a name as in Home Assistant's settings.
pub fn is_prefix(text: &str) -> bool {
    let fits = !text.starts_with(['$', '/']) && !text.ends_with('/') && !text.starts_with("linnet/");
    fits && text != "linnet" && text.len() <= HA_PREFIX_BYTES_MAX && Topic::parse(text).is_ok()
}

impl Discovery {
    /// Where Home Assistant says that it has come.
    pub fn birth(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// Where a room takes what is to be said there.
    pub fn post(&self, room: &str) -> String {
        self.path(&format!("room/{room}/post"))
    }

    /// The room of such a topic.
    pub fn room_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(&self.base)?.strip_prefix("/room/")?.strip_suffix("/post")
    }

    /// Where the state of a device is.
    pub fn device_state(&self, device: &str) -> String {
        self.path(&format!("device/{device}/state"))
    }

    /// Where the node says whether it is there.
    pub fn status(&self) -> String {
        self.path("status")
    }

    /// Where it says how it is.
    pub fn node_state(&self) -> String {
        self.path(NODE_STATE)
    }

    /// Where it says whether a device is connected.
    pub fn here(&self, device: &str) -> String {
        self.path(&format!("status/device/{device}"))
    }

    /// The topic of a configuration.
    pub fn topic(&self, thing: &Thing) -> String {
        format!("{}/device/{}/config", self.prefix, self.id(thing))
    }

    /// What a configuration of this topic is about, if it is one of this node.
    pub fn thing(&self, topic: &str) -> Option<Thing> {
        let id = topic.strip_prefix(&self.prefix)?.strip_prefix("/device/")?.strip_suffix("/config")?;
        let rest = id.strip_prefix(&self.id(&Thing::Node))?;
        if rest.is_empty() {
            return Some(Thing::Node);
        }
        let (kind, id) = rest.strip_prefix('_')?.split_once('_')?;
        let id = unescaped(id)?;
        match kind {
            "room" => RoomId::parse(&id).map(Thing::Room),
            "device" => UserId::parse(&id).map(Thing::Device),
            _ => None,
        }
    }

    /// The id of a device of Home Assistant.
    fn id(&self, thing: &Thing) -> String {
        let node = format!("linnet_{:016x}", self.node);
        match thing {
            Thing::Node => node,
            Thing::Room(room) => format!("{node}_room_{}", escaped(room.as_str())),
            Thing::Device(device) => format!("{node}_device_{}", escaped(device.as_str())),
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{rest}", self.base)
    }

    /// The configuration of the node: how it is.
    pub fn of_node(&self) -> Vec<u8> {
        let parts = parts::of_node(&self.node_state());
        self.config(&Thing::Node, &self.name, "node", parts)
    }

    /// The configuration of a room: what is sent there is said there; and what is said, where that can be heard.
    pub fn of_room(&self, room: &Room) -> Vec<u8> {
        let label = room.label();
        let say = json!({"p": "notify", "name": null, "command_topic": self.post(label), "qos": 1});
        let mut parts = Map::new();
        parts.insert("say".into(), say);
        if self.is_own {
            parts.insert("said".into(), parts::said(&self.path(&format!("room/{label}/msg"))));
        }
        self.config(&Thing::Room(room.id.clone()), &format!("#{}", room.label()), "room", parts)
    }

    /// The configuration of a device whose state is this.
    pub fn of_device(&self, user: &User, state: Option<&[u8]>) -> Vec<u8> {
        let name = user.username.as_str();
        let mut parts = parts::reported(&self.device_state(name), state);
        parts.insert("connected".into(), parts::connected(&self.here(name)));
        if self.is_own {
            let command = self.path(&format!("device/{name}/in"));
            let say = json!({"p": "notify", "name": "Say", "command_topic": command, "qos": 1});
            parts.insert("say".into(), say);
        }
        let shown = if user.name.is_empty() { name } else { user.name.as_str() };
        self.config(&Thing::Device(user.id.clone()), shown, "device", parts)
    }

    fn config(&self, thing: &Thing, name: &str, model: &str, mut parts: Map<String, Value>) -> Vec<u8> {
        let (id, node) = (self.id(thing), self.id(&Thing::Node));
        for (part, config) in &mut parts {
            config["unique_id"] = format!("{id}_{part}").into();
        }
        let mut device = json!({"ids": [id], "name": name, "mf": "linnet", "mdl": model});
        match thing {
            Thing::Node => device["sw"] = self.version.into(),
            _ => device["via_device"] = node.into(),
        }
        let config = json!({
            "dev": device,
            "o": {"name": "linnet", "sw": self.version},
            "availability_topic": self.status(),
            "availability_template": "{{ value_json.state }}",
            "cmps": parts,
        });
        config.to_string().into_bytes()
    }
}

/// An id as Home Assistant takes it: what is neither letter, digit nor `_` is `-` and two digits.
fn escaped(id: &str) -> String {
    let letter = |byte: u8| match byte {
        b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        _ => format!("-{byte:02x}"),
    };
    id.bytes().map(letter).collect()
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let mut id = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = (part.get(..2)?, part.get(2..)?);
        id.push(char::from(u8::from_str_radix(code, 16).ok()?));
        id.push_str(rest);
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery() -> Discovery {
        let (prefix, base) = ("homeassistant".to_owned(), "linnet".to_owned());
        Discovery { prefix, base, is_own: true, node: 0xAB, name: "linnet".to_owned(), version: "0.1.0" }
    }

    #[test]
    fn a_topic_leads_back_to_what_it_is_about() {
        let room = |id| Thing::Room(RoomId::parse(id).expect("an id"));
        let device = |id| Thing::Device(UserId::parse(id).expect("an id"));
        for thing in [Thing::Node, room("GENERAL"), room("a-b.c:d_e"), device("bridge.porch"), device("_-_")]
        {
            let topic = discovery().topic(&thing);
            let id = topic.split('/').nth(2).expect("three levels");
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
            assert!(id.bytes().all(fits), "{topic}");
            assert_eq!(discovery().thing(&topic), Some(thing), "{topic}");
        }
        for other in ["homeassistant/status", "homeassistant/device/linnet_00/config", "a/b", "homeassistant"]
        {
            assert_eq!(discovery().thing(other), None, "{other}");
        }
    }

    #[test]
    fn a_prefix_is_a_topic_that_is_not_the_nodes() {
        assert!(is_prefix("homeassistant") && is_prefix("ha/one"));
        for bad in ["", "linnet", "linnet/ha", "$SYS", "a/#", "+", "/a", "a/"] {
            assert!(!is_prefix(bad), "{bad}");
        }
    }
}
