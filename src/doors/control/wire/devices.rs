//! Devices, as the command line asks for and reads them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a device's token may do in its room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// Post, and read what is said.
    #[default]
    PostAndRead,
    /// Post only.
    Post,
    /// Read only.
    Read,
}

impl Rights {
    /// Whether it may post, and whether it may read.
    pub fn allow(self) -> (bool, bool) {
        (self != Rights::Read, self != Rights::Post)
    }

    /// Those of one who may post, who may read.
    pub fn of(post: bool, read: bool) -> Self {
        match (post, read) {
            (true, false) => Rights::Post,
            (false, true) => Rights::Read,
            _ => Rights::PostAndRead,
        }
    }
}

/// Topic filters and names of devices, as they are typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopicFilters {
    /// What may be published.
    pub publish: Vec<String>,
    /// What may be subscribed to.
    pub subscribe: Vec<String>,
    /// The devices that may be commanded; `+` for all.
    pub command: Vec<String>,
}

impl TopicFilters {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.publish.is_empty() && self.subscribe.is_empty() && self.command.is_empty()
    }

    /// Whether none of them is a topic.
    pub fn names_no_topic(&self) -> bool {
        self.publish.is_empty() && self.subscribe.is_empty()
    }
}

/// A device and its new token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAdded {
    /// `dv_...`, shown this once.
    pub token: String,
    /// The node's own address for people, when it runs: `http://192.168.1.42:3000`.
    pub url: Option<String>,
    /// What it is and may.
    #[serde(flatten)]
    pub device: DeviceLine,
}

/// A device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLine {
    /// The device's name.
    pub name: String,
    /// Its room by name, if it has one.
    pub room: Option<String>,
    /// What the token may do there.
    pub rights: Rights,
    /// All its rooms by name, and what the token may do in each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<String, Rights>,
    /// Its topics, beside those that begin with `linnet/device/` and its name.
    #[serde(flatten)]
    pub topics: TopicFilters,
    /// Whether a client certificate with its name logs it in.
    #[serde(default)]
    pub certificate: bool,
    /// When it last said something, in milliseconds since 1970.
    pub last_seen_ms: Option<u64>,
    /// Where MQTT listens, for one device of a node that runs: `0.0.0.0:1883`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<String>,
}
