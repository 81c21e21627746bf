//! What the command line and a running node say to each other: one JSON object a line over `linnet.sock`.
//!
//! The command line writes one [`Request`]. The node answers with one [`Reply::Ok`] or [`Reply::Refused`]; a
//! [`Request::Tail`] is first answered with any number of [`Reply::Item`], as messages appear. Then the node closes.
//! The same request may be answered from the store alone when no node runs, with the same replies.
//!
//! The second half of this file is what the `value` of each reply holds. Unknown fields are ignored by both sides, so
//! that a new command line can talk to an older node.

mod carried;
mod check;
mod devices;
mod rooms;

pub use carried::{BackupLine, Fetched, ImportLine, Imported, NotTaken};
pub use check::{CheckReport, EarlierLine, LostLine};
pub use devices::{DeviceAdded, DeviceLine, Rights, TopicFilters};
pub use rooms::{Keep, RetentionLine, RoomLine};

use crate::base::secret::Secret;
use crate::doors::control::vitals::{BudgetLine, Vitals};
use crate::doors::trial::Order;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The name of the socket in the data folder.
pub const SOCKET_NAME: &str = "linnet.sock";

/// The socket of the node that holds this data folder.
pub fn socket_path(data: &Path) -> PathBuf {
    data.join(SOCKET_NAME)
}

/// What the command line asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// A fresh link that makes its opener the owner: [`OwnerLink`].
    OwnerLink,
    /// A new account: [`UserLine`].
    UserAdd {
        /// The user name.
        name: String,
        /// `user`, `admin`, `bot`, ...; the node knows which.
        role: String,
        /// In clear: the node hashes it.
        #[serde(serialize_with = "write_secret", deserialize_with = "read_secret")]
        password: Secret,
    },
    /// All accounts: a list of [`UserLine`].
    UserList,
    /// A new password for an account, ending its sessions: [`UserLine`].
    UserPasswd {
        /// The user name.
        name: String,
        /// In clear: the node hashes it.
        #[serde(serialize_with = "write_secret", deserialize_with = "read_secret")]
        password: Secret,
    },
    /// A new device with a token: [`DeviceAdded`].
    DeviceAdd {
        /// The device's name.
        name: String,
        /// Its room by name; the node's first room when no topics are given either.
        room: Option<String>,
        /// What its token may do there.
        rights: Rights,
        /// What it may publish, hear and command; all that begins with its name where nothing to publish or hear is given.
        #[serde(default, skip_serializing_if = "TopicFilters::is_empty")]
        topics: TopicFilters,
    },
    /// Changes what a device may: [`DeviceLine`].
    DeviceAllow {
        /// The device's name.
        name: String,
        /// What it may from now on.
        give: TopicFilters,
        /// What it may no longer; goes first.
        take: TopicFilters,
        /// The rooms it may be in from now on, and what it may there.
        #[serde(default)]
        rooms: std::collections::BTreeMap<String, Rights>,
        /// The rooms it may be in no longer; go first.
        #[serde(default)]
        not_rooms: Vec<String>,
        /// Whether a client certificate with its name logs it in, if that is to change.
        certificate: Option<bool>,
    },
    /// A new token for a device; the old one ends at once: [`DeviceAdded`].
    DeviceKey {
        /// The device's name.
        name: String,
    },
    /// All devices: a list of [`DeviceLine`].
    DeviceList,
    /// One device: [`DeviceLine`].
    DeviceShow {
        /// The device's name.
        name: String,
    },
    /// Removes a device; its token ends at once: [`DeviceLine`] as it was.
    DeviceRemove {
        /// The device's name.
        name: String,
    },
    /// All rooms: a list of [`RoomLine`].
    RoomList,
    /// How much a room keeps: [`RetentionLine`].
    RoomRetention {
        /// The room by name.
        room: String,
        /// What it is to keep from now on, if that is to change.
        keep: Option<Keep>,
    },
    /// A message in a room: [`TailLine`] as it was stored.
    Post {
        /// The room by name.
        room: String,
        /// At most TEXT_CHARS_MAX characters.
        text: String,
    },
    /// Messages of a room: [`TailLine`] in [`Reply::Item`]; a running node goes on with new ones until we leave.
    Tail {
        /// The room by name.
        room: String,
        /// Only messages after this sequence number; without it the newest few.
        since: Option<u64>,
    },
    /// Takes what was deleted, edited or trimmed off the disk now: [`Compacted`].
    Compact,
    /// How the node is: [`StatusReport`].
    Status,
    /// What time it is: [`ClockLine`].
    Clock,
    /// Sets the time of a node whose machine does not know it: [`ClockLine`] as it is then.
    ClockSet {
        /// Milliseconds since 1970; what the machine's clock says unless given.
        time_ms: Option<u64>,
    },
    /// Whether the journal can be read and the index fits it: [`CheckReport`].
    Check {
        /// Whether an index that does not fit is set aside and built anew.
        repair: bool,
        /// The backup for what the journal lost; without one, the newest in the folder of scheduled ones that has it.
        #[serde(default)]
        backup: Option<String>,
        /// Whether what is lost is known from now on, and no trouble any more.
        #[serde(default)]
        accept: bool,
    },
    /// Sets the index aside and builds it anew from the journal, whatever it is like: [`CheckReport`].
    RebuildIndex,
    /// What topics say, and how it would read in a room: [`Tried`](crate::doors::trial::Tried).
    MqttTry(Order),
    /// Rooms as one stream of bytes, as [`stream`](super::stream) says: [`Fetched`].
    Export {
        /// By name, or a direct room's id; all that have a name when empty.
        rooms: Vec<String>,
        /// `jsonl`, `html`, `csv` or `mbox`.
        format: String,
        /// Only messages of this time or later, in milliseconds since 1970.
        since: Option<u64>,
        /// Only messages of this time or before.
        until: Option<u64>,
    },
    /// Messages that were said elsewhere: [`Imported`].
    Import {
        /// The room by name.
        room: String,
        /// The messages in order, at most IMPORT_LINES_AT_ONCE_MAX.
        lines: Vec<ImportLine>,
    },
    /// Everything as one stream of bytes, as [`stream`](super::stream) says: [`Fetched`].
    Backup,
}

/// What the node answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// Done; the last line.
    Ok {
        /// What the request says it gives.
        value: Value,
    },
    /// One of several; more follow.
    Item {
        /// What the request says it gives.
        value: Value,
    },
    /// Not done; the last line.
    Refused {
        /// What is wrong, without a full stop.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl Reply {
    /// Done, with what the request gives.
    pub fn ok(value: &impl Serialize) -> Reply {
        Reply::Ok { value: serde_json::to_value(value).expect("reply shapes are plain JSON") }
    }

    /// One of several.
    pub fn item(value: &impl Serialize) -> Reply {
        Reply::Item { value: serde_json::to_value(value).expect("reply shapes are plain JSON") }
    }

    /// Not done, and what to do about it.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Reply {
        Reply::Refused { message: message.into(), hint: Some(hint.into()) }
    }
}

/// Value of [`Request::OwnerLink`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerLink {
    /// What follows the address of the node: `/#own-...`.
    pub path: String,
    /// The node's own address for people, when it runs: `http://192.168.1.42:3000`.
    pub url: Option<String>,
    /// How long the link works.
    pub expires_s: u64,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLine {
    /// The user name.
    pub name: String,
    /// Such as `["admin", "owner"]`.
    pub roles: Vec<String>,
    /// Whether it may log in.
    pub active: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TailLine {
    /// Its place in the order; what `--since` takes.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// The room by name.
    pub room: String,
    /// Who said it, by user name.
    pub from: String,
    /// What was said.
    pub text: String,
    /// Whether nobody knew the time when it was said; only its place in the order is certain.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub time_uncertain: bool,
}

/// How the clock stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLine {
    /// The time that is believed, in milliseconds since 1970.
    pub time_ms: u64,
    /// Who speaks for it: `machine`, `person` or `nobody`.
    pub trust: String,
    /// What the machine's clock says, when that is not believed.
    pub machine_ms: Option<u64>,
}

/// Value of [`Request::Compact`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compacted {
    /// Files of the journal that were written anew.
    pub segments: u64,
    /// Changes that went or lost their words.
    pub changes: u64,
    /// Bytes of the journal that are free again.
    pub bytes: u64,
    /// Bytes of the index that are free again; a node that serves compacts its index when it starts.
    #[serde(default)]
    pub index_bytes: u64,
}

/// Value of [`Request::Status`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Version of the program that answers.
    pub version: String,
    /// Whether a node is serving.
    pub running: bool,
    /// Its process.
    pub pid: Option<u32>,
    /// The data folder.
    pub data: String,
    /// Where HTTP listens.
    pub http: Option<String>,
    /// Where MQTT listens.
    pub mqtt: Option<String>,
    /// Seconds since it began to serve.
    pub uptime_s: Option<u64>,
    /// Resident memory.
    pub memory_bytes: Option<u64>,
    /// What it may use.
    #[serde(default)]
    pub budget: Option<BudgetLine>,
    /// Accounts.
    pub users: u64,
    /// Devices.
    pub devices: u64,
    /// Rooms.
    pub rooms: u64,
    /// Stored messages.
    pub messages: u64,
    /// Backups that are made by the clock, where a folder is set.
    #[serde(default)]
    pub backup: Option<BackupLine>,
    /// How it is doing.
    #[serde(default)]
    pub vitals: Option<Vitals>,
    /// Bridges to brokers, in the order of the config.
    #[serde(default)]
    pub bridges: Vec<BridgeLine>,
}

/// A bridge to a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeLine {
    /// Its name in the config.
    pub name: String,
    /// Host and port of the broker.
    pub broker: String,
    /// Whether its subscription stands.
    pub connected: bool,
    /// What ended the last connection or attempt.
    pub error: Option<String>,
    /// Messages posted since the start.
    pub posted: u64,
    /// Messages the broker has acknowledged.
    #[serde(default)]
    pub sent: u64,
    /// What the room or the broker would not take.
    pub dropped: u64,
}

fn write_secret<S: Serializer>(secret: &Secret, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(secret.expose())
}

fn read_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_that_reads_back() {
        let secret = || Secret::new("line\nbreak");
        for (request, line) in [
            (Request::OwnerLink, r#"{"ask":"owner-link"}"#),
            (
                Request::UserAdd { name: "bob".into(), role: "user".into(), password: secret() },
                r#"{"ask":"user-add","name":"bob","role":"user","password":"line\nbreak"}"#,
            ),
            (
                Request::DeviceAdd {
                    name: "porch".into(),
                    room: None,
                    rights: Rights::Post,
                    topics: TopicFilters::default(),
                },
                r#"{"ask":"device-add","name":"porch","room":null,"rights":"post"}"#,
            ),
            (
                Request::Tail { room: "garden".into(), since: Some(7) },
                r#"{"ask":"tail","room":"garden","since":7}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&request).expect("JSON"), line);
            assert_eq!(serde_json::from_str::<Request>(line).expect(line), request);
            assert!(!format!("{request:?}").contains("break"), "a password is never shown");
        }
    }

    #[test]
    fn a_reply_is_one_line_that_reads_back() {
        for (reply, line) in [
            (Reply::ok(&[1, 2]), r#"{"reply":"ok","value":[1,2]}"#),
            (Reply::refused("no", "do"), r#"{"reply":"refused","message":"no","hint":"do"}"#),
        ] {
            assert_eq!(serde_json::to_string(&reply).expect("JSON"), line);
            assert_eq!(serde_json::from_str::<Reply>(line).expect(line), reply);
        }
        let newer = r#"{"reply":"refused","message":"no","hint":null,"more":1}"#;
        assert!(serde_json::from_str::<Reply>(newer).is_ok(), "unknown fields are ignored");
    }
}
